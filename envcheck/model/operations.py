"""Functions on symbolic tensors outside of layers: TensorFlow's, the backend's, ``keras.ops``.

Only the shape is followed, and that of the ones people use between layers; of the others the result is a tensor of which
nothing is known. Source: https://www.tensorflow.org/api_docs/python/tf, https://keras.io/api/ops/
"""

from __future__ import annotations

from collections.abc import Callable

from envcheck.model.core import Call
from envcheck.model.data import shapes
from envcheck.model.data.literals import dtype_of
from envcheck.model.events import Array, KerasTensor, OperationCalled
from envcheck.model.names import words
from envcheck.model.tensors import UNKNOWN, Shape, Tensor
from envcheck.model.values import List, Value

_PREFIXES = ("tensorflow.", "keras.backend.", "keras.ops.", "keras.activations.", "numpy.")
_ELEMENTWISE = words(
    "relu relu6 sigmoid tanh softmax log_softmax elu selu gelu swish silu softplus softsign leaky_relu hard_sigmoid exp log sqrt "
    "square abs sin cos negative sign round floor ceil identity stop_gradient clip_by_value clip dropout l2_normalize "
    "l2norm linear exponential rsqrt pow"
)
_PAIRS = words("add subtract multiply divide maximum minimum truediv mod greater less equal not_equal")
_REDUCING = {
    **{f"reduce_{each}": "axis" for each in ("sum", "mean", "max", "min", "prod", "std", "any", "all", "logsumexp")},
    **dict.fromkeys(("sum", "mean", "max", "min", "prod", "std", "var", "amax", "amin", "logsumexp"), "axis"),
}
_SEVERAL = words("split unstack top_k meshgrid moments while_loop cond map_fn scan unique shape int_shape")
"""Functions that do not give one tensor."""


def symbolic(call: Call) -> tuple[KerasTensor, ...]:
    """The symbolic tensors among a call's arguments, also those in lists."""
    found: list[KerasTensor] = []
    for each in call.everything():
        if isinstance(each, KerasTensor):
            found.append(each)
        elif isinstance(each, (List, tuple)):
            items = each.items if isinstance(each, List) else each
            if isinstance(items, tuple):
                found += [one for one in items if isinstance(one, KerasTensor)]
    return tuple(found)


def known(name: str) -> bool:
    """Whether a function is one that takes tensors and gives one."""
    return name.startswith(_PREFIXES)


def operate(call: Call, inputs: tuple[KerasTensor, ...]) -> Value:
    """A function is called on symbolic tensors."""
    machine = call.machine
    name = call.name.rpartition(".")[2]
    if name in ("int_shape", "is_keras_tensor", "ndim", "shape", "rank", "is_tensor"):
        return _asked(call, name, inputs[0])
    machine.emit(OperationCalled(call.name, inputs, machine.inside, call.where))
    if name in _SEVERAL:
        return UNKNOWN
    shape = _shape(call, name, inputs)
    dtype = inputs[0].tensor.dtype if name in _ELEMENTWISE or name in _SHAPING else UNKNOWN
    if name == "cast":
        dtype = dtype_of(call.get("dtype", 1, UNKNOWN), UNKNOWN)
    return KerasTensor(Tensor(shape, dtype), call.name, inputs)


def _asked(call: Call, name: str, tensor: KerasTensor) -> Value:
    shape = tensor.tensor.shape
    if name == "is_keras_tensor":
        return UNKNOWN
    if name in ("ndim", "rank"):
        return len(shape) if isinstance(shape, tuple) and name == "ndim" else UNKNOWN
    if name == "int_shape" or (name == "shape" and call.name.startswith("keras.ops.")):
        return shape
    return tuple(UNKNOWN if each is None else each for each in shape) if isinstance(shape, tuple) else UNKNOWN


def _shape(call: Call, name: str, inputs: tuple[KerasTensor, ...]) -> Shape:
    handler = _SHAPING.get(name)
    if handler is not None:
        return handler(call, inputs[0].tensor.shape if _first(call) else UNKNOWN)
    if name in _ELEMENTWISE or name == "cast":
        return inputs[0].tensor.shape if _first(call) else UNKNOWN
    if name in _PAIRS:
        sides = [shape_of(each) for each in call.positional[:2]]
        return shapes.broadcast(*sides) if len(sides) == 2 and call.complete else UNKNOWN
    if name in _REDUCING and _first(call):
        axis = call.get("axis", 1)
        items = axis.items if isinstance(axis, List) else axis
        keep = call.get("keepdims", 2, call.get("keep_dims", default=False))
        return shapes.reduced(inputs[0].tensor.shape, items, keep)
    if name in ("concat", "concatenate"):
        return _concatenated(call)
    if name in ("matmul", "dot") and len(call.positional) == 2 and not call.keywords:
        return _product(shape_of(call.positional[0]), shape_of(call.positional[1]), name == "dot")
    return UNKNOWN


def _first(call: Call) -> bool:
    """Whether the first argument is the tensor."""
    first = call.positional[0] if call.positional else next(iter(call.keywords.values()), None)
    return isinstance(first, KerasTensor)


def shape_of(value: Value) -> Shape:
    """The shape of a tensor, an array or a number."""
    if isinstance(value, KerasTensor):
        return value.tensor.shape
    if isinstance(value, Array):
        return value.shape
    return () if isinstance(value, (int, float)) else UNKNOWN


def _concatenated(call: Call) -> Shape:
    given = call.get("values", 0, call.get("tensors", default=call.get("xs", default=UNKNOWN)))
    items = given.items if isinstance(given, List) else given
    if not isinstance(items, tuple) or not items:
        return UNKNOWN
    axis = call.get("axis", 1, -1)
    return shapes.joined([shape_of(each) for each in items], axis)


def _product(one: Shape, two: Shape, dot: bool) -> Shape:
    """The shape of a product with a matrix, as a layer's weights are one."""
    if not isinstance(one, tuple) or not isinstance(two, tuple) or len(two) != 2 or len(one) < 2:
        return UNKNOWN
    return (*one[:-1], two[-1]) if dot or len(one) == 2 else UNKNOWN


def _reshaped(call: Call, shape: Shape) -> Shape:
    target = call.get("shape", 1, call.get("newshape", default=UNKNOWN))
    items = target.items if isinstance(target, List) else target
    if not isinstance(items, tuple):
        return UNKNOWN
    wanted = tuple(each if type(each) is int else UNKNOWN for each in items)
    if -1 in wanted:
        total = shapes.size(shape)
        if total is None:
            free = wanted.index(-1) == 0 and isinstance(shape, tuple) and shape and shape[0] is None
            return tuple((None if free else UNKNOWN) if each == -1 else each for each in wanted)
    return shapes.reshaped(shape, wanted)


def _transposed(call: Call, shape: Shape) -> Shape:
    axes = call.get("perm", 1, call.get("pattern", default=call.get("axes")))
    return shapes.transposed(shape, axes.items if isinstance(axes, List) else axes)


def _reduced_to(call: Call, shape: Shape) -> Shape:
    axis = call.get("axis", 1, -1 if "backend" in call.name else UNKNOWN)
    return shapes.reduced(shape, axis, call.get("keepdims", default=False)) if type(axis) is int else UNKNOWN


_SHAPING: dict[str, Callable[[Call, Shape], Shape]] = {
    "reshape": _reshaped,
    "expand_dims": lambda call, shape: shapes.expanded(
        shape, call.get("axis", 1, -1 if "backend" in call.name else UNKNOWN)
    ),
    "squeeze": lambda call, shape: shapes.squeezed(shape, call.get("axis", 1)),
    "transpose": _transposed,
    "permute_dimensions": _transposed,
    "argmax": _reduced_to,
    "argmin": _reduced_to,
}
