"""numpy's functions, and the methods of its arrays.

Source: https://numpy.org/doc/stable/reference/
"""

from __future__ import annotations

from collections.abc import Callable

from envcheck.model.core import Call
from envcheck.model.data import shapes
from envcheck.model.data.arrays import METHODS
from envcheck.model.data.literals import converted, dtype_of, literal, numbers
from envcheck.model.events import Array, Values
from envcheck.model.tensors import UNKNOWN, Shape
from envcheck.model.values import List, Value

Handler = Callable[[Call], Value]


def array_of(value: Value) -> Array | None:
    """What numpy makes of a value; None where that cannot be told."""
    if isinstance(value, Array):
        return value
    return literal(value)


def several(value: Value) -> list[Array] | None:
    """A list or tuple of arrays."""
    items = value.items if isinstance(value, List) else value
    if not isinstance(items, tuple):
        return None
    found = [array_of(each) for each in items]
    return None if any(each is None for each in found) else [each for each in found if each is not None]


def _filled(low: float | None) -> Handler:
    def made(call: Call) -> Value:
        values = None if low is None else Values(low, low, True)
        return Array(numbers(call.get("shape", 0, UNKNOWN)), dtype_of(call.get("dtype", 1), "float64"), "numpy", values)

    return made


def _full(call: Call) -> Value:
    value = call.get("fill_value", 1, UNKNOWN)
    filling = literal(value)
    default = filling.dtype if filling is not None and filling.shape == () else UNKNOWN
    values = filling.values if filling is not None else None
    return Array(numbers(call.get("shape", 0, UNKNOWN)), dtype_of(call.get("dtype", 2), default), "numpy", values)


def _like(low: float | None) -> Handler:
    def made(call: Call) -> Value:
        other = array_of(call.get("a", 0, UNKNOWN))
        if other is None or "shape" in call.keywords:
            return Array()
        values = None if low is None else Values(low, low, True)
        return Array(other.shape, dtype_of(call.get("dtype", 1), other.dtype), "numpy", values)

    return made


def _array(call: Call) -> Value:
    value = call.get("object", 0, UNKNOWN)
    found = array_of(value)
    if found is None:
        arrays = several(value)
        if not arrays:
            return Array()
        return Array(shapes.stacked([each.shape for each in arrays], 0))
    dtype = dtype_of(call.get("dtype", 1), found.dtype)
    values = found.values if dtype == found.dtype else converted(found.values, dtype)
    return Array(found.shape, dtype, "numpy", values, found.made_by)


def _arange(call: Call) -> Value:
    given = list(call.positional[:3])
    if not call.complete or not 1 <= len(given) <= 3 or any(type(each) is not int for each in given):
        return Array((UNKNOWN,), UNKNOWN)
    if len(given) == 3 and given[2] == 0:
        return Array((UNKNOWN,), UNKNOWN)
    found = range(*given)
    values = Values(min(found[0], found[-1]), max(found[0], found[-1]), True) if found else None
    return Array((len(found),), dtype_of(call.get("dtype", 3), "int64"), "numpy", values)


def _linspace(call: Call) -> Value:
    count = call.get("num", 2, 50)
    low, high = call.get("start", 0, UNKNOWN), call.get("stop", 1, UNKNOWN)
    plain = all(isinstance(each, (int, float)) for each in (low, high))
    values = (
        Values(min(low, high), max(low, high), True) if plain and call.get("endpoint", default=True) is True else None
    )
    shape: Shape = (count if type(count) is int else UNKNOWN,)
    return Array(shape if plain else UNKNOWN, dtype_of(call.get("dtype"), "float64"), "numpy", values)


def _random(size: int, low: float | None = None, high: float | None = None) -> Handler:
    """A random function that takes its size in a given place."""

    def made(call: Call) -> Value:
        shape = call.get("size", size)
        if shape is None:
            return UNKNOWN
        values = None if low is None or high is None else Values(low, high)
        return Array(numbers(shape), "float64", "numpy", values)

    return made


def _uniform(call: Call) -> Value:
    low, high, shape = call.get("low", 0, 0.0), call.get("high", 1, 1.0), call.get("size", 2)
    if shape is None:
        return UNKNOWN
    plain = all(isinstance(each, (int, float)) for each in (low, high))
    return Array(numbers(shape), "float64", "numpy", Values(min(low, high), max(low, high)) if plain else None)


def _rand(call: Call) -> Value:
    if not call.positional and call.complete:
        return UNKNOWN
    shape = tuple(each if type(each) is int else UNKNOWN for each in call.positional) if call.complete else UNKNOWN
    return Array(shape, "float64", "numpy", Values(0, 1) if call.name.endswith(".rand") else None)


def _randint(call: Call) -> Value:
    low, high, shape = call.get("low", 0, UNKNOWN), call.get("high", 1), call.get("size", 2)
    if shape is None:
        return UNKNOWN
    if high is None:
        low, high = 0, low
    plain = type(low) is int and type(high) is int and low < high and call.get("endpoint", default=False) is False
    dtype = dtype_of(call.get("dtype", 3), "int64")
    return Array(numbers(shape), dtype, "numpy", Values(low, high - 1) if plain else None)


def _choice(call: Call) -> Value:
    shape = call.get("size", 1)
    if shape is None:
        return UNKNOWN
    pool = call.get("a", 0, UNKNOWN)
    if type(pool) is int:
        return Array(numbers(shape), "int64", "numpy", Values(0, pool - 1))
    found = array_of(pool)
    if found is None or not isinstance(found.shape, tuple) or len(found.shape) != 1:
        return Array(UNKNOWN)
    values = Values(found.values.low, found.values.high) if found.values is not None else None
    return Array(numbers(shape), found.dtype, "numpy", values)


def on_array(handler: Callable[[Array, Call], Value], first: str = "a") -> Handler:
    """A function of which the first argument is an array, and the others follow."""

    def made(call: Call) -> Value:
        array = array_of(call.get(first, 0, UNKNOWN))
        if array is None:
            return Array()
        keywords = {key: each for key, each in call.keywords.items() if key != first}
        rest = call.positional[1:] if first not in call.keywords else call.positional
        return handler(array, call.but(rest, keywords, call.name))

    return made


def _joined(call: Call) -> Value:
    axis = call.get("axis", 1, 0)
    arrays = several(call.get("arrays", 0, UNKNOWN))
    if arrays is None:
        return Array()
    name = call.name.rpartition(".")[2]
    if name == "stack":
        found = shapes.stacked([each.shape for each in arrays], axis)
    elif name in ("hstack", "vstack", "column_stack", "dstack"):
        found = _stacked_by(name, [each.shape for each in arrays])
    else:
        found = shapes.joined([each.shape for each in arrays], axis)
    dtypes = {each.dtype for each in arrays}
    values = None
    known = [each.values for each in arrays if each.values is not None]
    if known and len(known) == len(arrays):
        values = Values(
            min(each.low for each in known),
            max(each.high for each in known),
            all(each.reached for each in known),
            any(each.nan for each in known),
        )
    return Array(found, dtypes.pop() if len(dtypes) == 1 else UNKNOWN, "numpy", values)


def _stacked_by(name: str, each: list[Shape]) -> Shape:
    ranks = {len(shape) if isinstance(shape, tuple) else -1 for shape in each}
    if len(ranks) != 1 or -1 in ranks or ranks == {0}:
        return UNKNOWN
    rank = ranks.pop()
    if name == "vstack":
        return shapes.stacked(each, 0) if rank == 1 else shapes.joined(each, 0)
    if name == "hstack":
        return shapes.joined(each, 0 if rank == 1 else 1)
    if name == "column_stack":
        return shapes.stacked(each, 1) if rank == 1 else shapes.joined(each, 1)
    return shapes.joined(each, 2) if rank > 2 else UNKNOWN


def _scalar_type(call: Call) -> Value:
    array = array_of(call.get("x", 0, UNKNOWN))
    if array is None or array.shape == ():
        return call.get("x", 0, UNKNOWN)
    dtype = dtype_of(call.name, UNKNOWN)
    return Array(array.shape, dtype, "numpy", converted(array.values, dtype))


FUNCTIONS: dict[str, Handler] = {
    **{f"numpy.{name}": on_array(handler) for name, handler in METHODS.items()},
    **{f"numpy.{name}": _scalar_type for name in ("float32", "float64", "int32", "int64", "uint8", "float16")},
    "numpy.zeros": _filled(0),
    "numpy.ones": _filled(1),
    "numpy.empty": _filled(None),
    "numpy.full": _full,
    "numpy.zeros_like": _like(0),
    "numpy.ones_like": _like(1),
    "numpy.empty_like": _like(None),
    "numpy.array": _array,
    "numpy.asarray": _array,
    "numpy.ascontiguousarray": _array,
    "numpy.arange": _arange,
    "numpy.linspace": _linspace,
    "numpy.random.rand": _rand,
    "numpy.random.randn": _rand,
    "numpy.random.random": _random(0, 0, 1),
    "numpy.random.random_sample": _random(0, 0, 1),
    "numpy.random.normal": _random(2),
    "numpy.random.standard_normal": _random(0),
    "numpy.random.uniform": _uniform,
    "numpy.random.randint": _randint,
    "numpy.random.choice": _choice,
    "numpy.concatenate": _joined,
    "numpy.stack": _joined,
    "numpy.vstack": _joined,
    "numpy.hstack": _joined,
    "numpy.dstack": _joined,
    "numpy.column_stack": _joined,
}
