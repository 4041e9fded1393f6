"""What ``owner.name`` stands for, and what setting it does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

from envcheck.model.core import Call, Core
from envcheck.model.data.shapes import size, transposed
from envcheck.model.events import NOWHERE, Array, Dataset, KerasTensor, Made, Reference
from envcheck.model.names import canonical
from envcheck.model.tensors import UNKNOWN, Shape
from envcheck.model.values import (
    Bound,
    Class,
    Dict,
    Function,
    Instance,
    LayerObject,
    List,
    Method,
    ModelObject,
    Partial,
    Super,
    Symbol,
    Value,
)

_CONSTANTS: dict[str, Value] = {
    "numpy.newaxis": None,
    "tensorflow.newaxis": None,
    "numpy.nan": math.nan,
    "numpy.NaN": math.nan,
    "numpy.inf": math.inf,
    "math.nan": math.nan,
    "math.inf": math.inf,
    "numpy.pi": math.pi,
    "math.pi": math.pi,
}
MOST_BASES = 30


@lru_cache(maxsize=4096)
def _of_symbol(owner: str, name: str) -> Value:
    whole = f"{owner}.{name}"
    return _CONSTANTS[whole] if whole in _CONSTANTS else Symbol(whole)


def attribute(machine: Core, owner: Value, name: str) -> Value:
    """What ``owner.name`` stands for."""
    if isinstance(owner, Symbol):
        return _of_symbol(owner.name, name)
    if isinstance(owner, Instance):
        return _of_instance(machine, owner, name)
    if isinstance(owner, Class):
        found, _ = member(owner, name)
        return found.function if isinstance(found, Bound) else found
    if isinstance(owner, Super):
        return _of_super(owner, name)
    if isinstance(owner, KerasTensor):
        return _of_tensor(owner, name)
    if isinstance(owner, Array):
        return _of_array(owner, name)
    if isinstance(owner, ModelObject):
        return _of_model(machine, owner, name)
    if isinstance(owner, LayerObject):
        return _of_layer(owner, name)
    if isinstance(owner, (List, Dict, Dataset, tuple, str, Made, Function, Bound, Partial, range)):
        return Method(owner, name)
    return UNKNOWN


def lineage(owner: Class) -> Iterator[Value]:
    """A class and its bases, the first ones first: classes of the file, symbols, UNKNOWN."""
    waiting: list[Value] = [owner]
    for _ in range(MOST_BASES):
        if not waiting:
            return
        each = waiting.pop(0)
        yield each
        if isinstance(each, Class):
            waiting = [*each.bases, *waiting]
    yield UNKNOWN


def member(owner: Class, name: str, after: Class | None = None) -> tuple[Value, bool]:
    """What a class has by a name, and whether it was found in the file.

    Args:
        owner: The class.
        name: The member.
        after: Look behind this class only, as ``super()`` does.
    """
    passed = after is None
    for each in lineage(owner):
        if passed and isinstance(each, Class) and name in each.scope.state:
            return each.scope.state[name], True
        if each is UNKNOWN and passed:
            return UNKNOWN, False
        passed = passed or each is after
    return UNKNOWN, False


def _of_instance(machine: Core, owner: Instance, name: str) -> Value:
    if name in owner.state:
        return owner.state[name]
    found, own = member(owner.owner, name)
    if own:
        return bound(machine, found, owner)
    if owner.core is not None:
        return attribute(machine, owner.core, name)
    return Method(owner, name) if UNKNOWN in lineage(owner.owner) else UNKNOWN


def bound(machine: Core, found: Value, owner: Value) -> Value:
    """A class's member as an object has it."""
    if not isinstance(found, Function):
        return found
    if found.kind in ("plain", "class"):
        return Bound(found, owner if found.kind == "plain" or not isinstance(owner, Instance) else owner.owner)
    if found.kind == "property":
        return machine.call(Bound(found, owner), Call(machine, "", (), {}, True, NOWHERE))
    return found


def _of_super(owner: Super, name: str) -> Value:
    first = owner.first
    cls = first.owner if isinstance(first, Instance) else owner.owner
    found, own = member(cls, name, owner.owner)
    if own and isinstance(found, Function):
        return Bound(found, first) if found.kind == "plain" else found
    return Method(owner, name)


def shape_value(shape: Shape) -> Value:
    """A shape as the program sees it: a tuple."""
    return shape


def _of_tensor(owner: KerasTensor, name: str) -> Value:
    if name in ("shape", "_keras_shape"):
        return shape_value(owner.tensor.shape)
    if name == "dtype":
        return owner.tensor.dtype
    if name == "ndim":
        return len(owner.tensor.shape) if isinstance(owner.tensor.shape, tuple) else UNKNOWN
    return Method(owner, name)


def _of_array(owner: Array, name: str) -> Value:
    if name == "shape":
        return shape_value(owner.shape)
    if name in ("ndim", "rank"):
        return len(owner.shape) if isinstance(owner.shape, tuple) else UNKNOWN
    if name == "size":
        found = size(owner.shape)
        return UNKNOWN if found is None else found
    if name == "T":
        return Array(transposed(owner.shape), owner.dtype, owner.library, owner.values)
    if name == "dtype":
        return owner.dtype
    return Method(owner, name)


def _shapes(tensors: Value) -> Value:
    if not isinstance(tensors, tuple) or not tensors:
        return UNKNOWN
    shapes = tuple(each.tensor.shape for each in tensors)
    return shapes[0] if len(shapes) == 1 else List(items=shapes)


def _of_model(machine: Core, owner: ModelObject, name: str) -> Value:
    state = owner.state
    if name in ("input", "output"):
        tensors = state[f"{name}s"]
        if not isinstance(tensors, tuple) or not tensors:
            return UNKNOWN
        return tensors[0] if len(tensors) == 1 else List(items=tensors)
    if name in ("inputs", "outputs"):
        tensors = state[name]
        return List(items=tensors if isinstance(tensors, tuple) and tensors else UNKNOWN)
    if name in ("input_shape", "output_shape"):
        return _shapes(state[f"{name[:-6]}s"])
    if name == "layers":
        return List(items=listed(machine, owner))
    if name in (
        "name",
        "optimizer",
        "loss",
        "metrics",
        "history",
        "weights",
        "trainable_weights",
        "trainable_variables",
    ):
        return UNKNOWN
    return state["trainable"] if name == "trainable" else Method(owner, name)


def listed(machine: Core, model: ModelObject) -> Value:
    """``model.layers``; UNKNOWN where Keras's own order cannot be told."""
    layers = model.state["layers"]
    if not isinstance(layers, tuple):
        return UNKNOWN
    if model.kind == "sequential":
        inputs = (KerasTensor,)
        return tuple(
            each
            for each in layers
            if not isinstance(each, inputs) and not (isinstance(each, LayerObject) and each.made.name == INPUT_LAYER)
        )
    if model.kind != "functional":
        return UNKNOWN
    outputs = model.state["outputs"]
    tensor = outputs[0] if isinstance(outputs, tuple) and len(outputs) == 1 else None
    found: list[Value] = []
    while isinstance(tensor, KerasTensor) and tensor.made_by is not None:
        maker = tensor.made_by
        key = id(maker) if isinstance(maker, Made) else getattr(maker, "number", 0)
        if isinstance(maker, str) or key not in machine.objects or not isinstance(tensor.inputs, tuple):
            return UNKNOWN
        if len(tensor.inputs) != 1 or len(found) > MOST_LAYERS:
            return UNKNOWN
        found.insert(0, machine.objects[key])
        tensor = tensor.inputs[0]
    return (UNKNOWN, *found) if tensor is not None else UNKNOWN


MOST_LAYERS = 2000
INPUT_LAYER = "keras.layers.InputLayer"


def _of_layer(owner: LayerObject, name: str) -> Value:
    if name == "output":
        return owner.state["output"] if owner.state["calls"] == 1 else UNKNOWN
    if name == "output_shape" and owner.state["calls"] == 1 and isinstance(owner.state["output"], KerasTensor):
        return owner.state["output"].tensor.shape
    if name == "trainable":
        return owner.state["trainable"]
    if name in owner.made.keywords:
        value = owner.made.keywords[name]
        return value if isinstance(value, (int, float, str)) and not isinstance(value, Reference) else UNKNOWN
    return Method(owner, name)


def set_attribute(machine: Core, owner: Value, name: str, value: Value) -> None:
    """``owner.name = value``."""
    if isinstance(owner, (Instance, LayerObject, ModelObject)) and name == "trainable":
        core = owner.core if isinstance(owner, Instance) else owner
        _train(machine, core, value if isinstance(value, bool) else UNKNOWN)
    elif isinstance(owner, Instance):
        machine.state.write(owner, name, value)
    elif isinstance(owner, ModelObject):
        if name in owner.state or name in ("layers", "_layers"):
            machine.taint(owner)
    elif isinstance(owner, LayerObject):
        machine.state.write(owner, "set", True)  # activation, padding…: what it does now cannot be told
    elif isinstance(owner, Class):
        machine.state.write(owner.scope, name, UNKNOWN)
    elif isinstance(owner, Symbol):
        if name in ("__name__", "__doc__"):
            return
        machine.patched.add(canonical(owner.name))
    else:
        _set_of_anything(machine, name)


def _set_of_anything(machine: Core, name: str) -> None:
    if name == "trainable":
        machine.trainable_known = False
    elif name == "shape":
        machine.reshaped()


def _train(machine: Core, core: LayerObject | ModelObject | None, value: Value, depth: int = 0) -> None:
    if core is None or depth > 10:
        return
    machine.state.write(core, "trainable", value)
    layers = core.state.get("layers")
    for each in layers if isinstance(layers, tuple) else ():
        inner = each.core if isinstance(each, Instance) else each
        if isinstance(inner, (LayerObject, ModelObject)):
            _train(machine, inner, value, depth + 1)
