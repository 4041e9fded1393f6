"""TensorFlow's functions on data: tensors that have values while the program runs.

Source: https://www.tensorflow.org/api_docs/python/tf
"""

from __future__ import annotations

from collections.abc import Callable

from envcheck.model.core import Call
from envcheck.model.data import shapes
from envcheck.model.data.literals import converted, dtype_of, numbers
from envcheck.model.data.numpy import array_of, several
from envcheck.model.events import Array, Values
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import List, Value

Handler = Callable[[Call], Value]


def _tensor(shape: Value, dtype: Value, default: str, values: Values | None = None) -> Array:
    return Array(numbers(shape), dtype_of(dtype, default), "tensorflow", values)


def _constant(call: Call) -> Value:
    found = array_of(call.get("value", 0, UNKNOWN))
    if found is None:
        return Array(UNKNOWN, UNKNOWN, "tensorflow")
    default = found.dtype
    if found.library == "list":
        default = {"float64": "float32", "int64": "int32"}.get(str(default), default)
    shape = numbers(call.keywords["shape"]) if "shape" in call.keywords else found.shape
    return Array(shape, dtype_of(call.get("dtype", 1), default), "tensorflow", found.values)


def _zeros(call: Call) -> Value:
    return _tensor(call.get("shape", 0, UNKNOWN), call.get("dtype", 1), "float32")


def _random(call: Call) -> Value:
    return _tensor(call.get("shape", 0, UNKNOWN), call.get("dtype", 3), "float32")


def _uniform(call: Call) -> Value:
    low, high = call.get("minval", 1, 0), call.get("maxval", 2)
    dtype = dtype_of(call.get("dtype", 3), "float32")
    values = None
    if isinstance(dtype, str) and type(low) is int and type(high) is int:
        values = Values(low, high - 1 if "int" in dtype else high)
    return Array(numbers(call.get("shape", 0, UNKNOWN)), dtype, "tensorflow", values)


def _range(call: Call) -> Value:
    given = list(call.positional[:3])
    if not call.complete or not 1 <= len(given) <= 3 or any(type(e) is not int for e in given) or given[2:] == [0]:
        return Array((UNKNOWN,), UNKNOWN, "tensorflow")
    found = range(*given)
    values = Values(min(found[0], found[-1]), max(found[0], found[-1]), True) if found else None
    return Array((len(found),), dtype_of(call.get("dtype"), "int32"), "tensorflow", values)


def _first(call: Call, *names: str) -> Array | None:
    for name in names:
        if name in call.keywords:
            return array_of(call.keywords[name])
    return array_of(call.positional[0]) if call.positional else None


def _changed(call: Call) -> Value:
    """Functions of one tensor that change its shape alone."""
    array = _first(call, "tensor", "input", "a", "x")
    if array is None:
        return UNKNOWN
    name = call.name.rpartition(".")[2]
    shape = array.shape
    if name == "reshape":
        shape = shapes.reshaped(shape, numbers(call.get("shape", 1, UNKNOWN)))
    elif name == "expand_dims":
        shape = shapes.expanded(shape, call.get("axis", 1, UNKNOWN))
    elif name == "squeeze":
        shape = shapes.squeezed(shape, call.get("axis", 1))
    elif name == "transpose":
        axes = call.get("perm", 1)
        shape = shapes.transposed(shape, axes.items if isinstance(axes, List) else axes)
    return Array(shape, array.dtype, "tensorflow", array.values, array.made_by)


def _cast(call: Call) -> Value:
    array = _first(call, "x")
    if array is None:
        return UNKNOWN
    dtype = dtype_of(call.get("dtype", 1, UNKNOWN), UNKNOWN)
    return Array(array.shape, dtype, "tensorflow", converted(array.values, dtype), array.made_by)


def _one_hot(call: Call) -> Value:
    array, depth = _first(call, "indices"), call.get("depth", 1, UNKNOWN)
    if array is None or not isinstance(array.shape, tuple) or call.get("axis", 4) is not None:
        return Array(UNKNOWN, "float32", "tensorflow", None, "tensorflow.one_hot")
    shape = (*array.shape, depth if type(depth) is int else UNKNOWN)
    return Array(shape, dtype_of(call.get("dtype", 5), "float32"), "tensorflow", Values(0, 1), "tensorflow.one_hot")


def _joined(call: Call) -> Value:
    arrays = several(call.get("values", 0, UNKNOWN))
    axis = call.get("axis", 1, UNKNOWN if call.name.endswith("concat") else 0)
    if arrays is None:
        return UNKNOWN
    each = [array.shape for array in arrays]
    shape = shapes.joined(each, axis) if call.name.endswith("concat") else shapes.stacked(each, axis)
    dtypes = {array.dtype for array in arrays}
    return Array(shape, dtypes.pop() if len(dtypes) == 1 else UNKNOWN, "tensorflow")


def categorical(call: Call) -> Value:
    """``keras.utils.to_categorical``: the axis of the classes comes last; one of length 1 goes.

    Source: ``keras/src/utils/np_utils.py``, ``keras/src/utils/numerical_utils.py``.
    """
    array = array_of(call.get("y", 0, call.get("x", default=UNKNOWN)))
    classes = call.get("num_classes", 1)
    if classes is None and array is not None and array.values is not None and array.values.reached:
        classes = int(array.values.high) + 1
    number = classes if type(classes) is int else UNKNOWN
    dtype = "float32" if call.machine.keras == 2 else "float64"
    if array is None or not isinstance(array.shape, tuple):
        return Array(UNKNOWN, dtype, "numpy", Values(0, 1), "keras.utils.to_categorical")
    shape = array.shape
    if len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    elif len(shape) > 1 and not isinstance(shape[-1], int):
        return Array(UNKNOWN, dtype, "numpy", Values(0, 1), "keras.utils.to_categorical")
    return Array((*shape, number), dtype, "numpy", Values(0, 1), "keras.utils.to_categorical")


def normalized(call: Call) -> Value:
    """``keras.utils.normalize``."""
    array = array_of(call.get("x", 0, UNKNOWN))
    return Array(array.shape, UNKNOWN) if array is not None else UNKNOWN


def padded(call: Call) -> Value:
    """``pad_sequences``: one row per sequence, as long as ``maxlen``."""
    given = call.get("sequences", 0, UNKNOWN)
    rows = array_of(given)
    length = call.get("maxlen", 1)
    count = rows.shape[0] if rows is not None and isinstance(rows.shape, tuple) and rows.shape else UNKNOWN
    if isinstance(given, List) and isinstance(given.items, tuple):
        count = len(given.items)
    values = rows.values if rows is not None else None
    if values is not None:
        values = Values(min(0, values.low), max(0, values.high))
    dtype = dtype_of(call.get("dtype", 2), "int32")
    return Array((count, length if type(length) is int else UNKNOWN), dtype, "numpy", values)


FUNCTIONS: dict[str, Handler] = {
    "tensorflow.constant": _constant,
    "tensorflow.convert_to_tensor": _constant,
    "tensorflow.Variable": _constant,
    "tensorflow.zeros": _zeros,
    "tensorflow.ones": _zeros,
    "tensorflow.random.normal": _random,
    "tensorflow.random.truncated_normal": _random,
    "tensorflow.random_normal": _random,
    "tensorflow.random.uniform": _uniform,
    "tensorflow.random_uniform": _uniform,
    "tensorflow.range": _range,
    "tensorflow.reshape": _changed,
    "tensorflow.expand_dims": _changed,
    "tensorflow.squeeze": _changed,
    "tensorflow.transpose": _changed,
    "tensorflow.identity": _changed,
    "tensorflow.cast": _cast,
    "tensorflow.one_hot": _one_hot,
    "tensorflow.concat": _joined,
    "tensorflow.stack": _joined,
    "keras.utils.to_categorical": categorical,
    "keras.utils.normalize": normalized,
    "keras.preprocessing.sequence.pad_sequences": padded,
    "keras.utils.pad_sequences": padded,
}
