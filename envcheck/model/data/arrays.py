"""Methods of arrays, and numpy's functions of the same names.

Source: https://numpy.org/doc/stable/reference/arrays.ndarray.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from envcheck.model.core import Call
from envcheck.model.data import shapes
from envcheck.model.data.literals import converted, dtype_of, numbers
from envcheck.model.events import Array, Values
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import List, Value

Handler = Callable[[Array, Call], Value]


def _reshape(array: Array, call: Call) -> Value:
    target = (
        call.positional if len(call.positional) > 1 else call.get("newshape", 0, call.get("shape", default=UNKNOWN))
    )
    if not call.complete:
        target = UNKNOWN
    if isinstance(target, tuple) and target and type(target[-1]) is str:
        target = target[:-1]
    return replace(array, shape=shapes.reshaped(array.shape, numbers(target)), library=_library(array))


def _library(array: Array) -> str:
    return "numpy" if array.library == "list" else array.library


def _astype(array: Array, call: Call) -> Value:
    dtype = dtype_of(call.get("dtype", 0, UNKNOWN), UNKNOWN)
    return replace(array, dtype=dtype, library=_library(array), numbers=converted(array.values, dtype))


def _flat(array: Array, _: Call) -> Value:
    total = shapes.size(array.shape)
    return replace(array, shape=(UNKNOWN if total is None else total,), library=_library(array))


def _expand(array: Array, call: Call) -> Value:
    return replace(array, shape=shapes.expanded(array.shape, call.get("axis", 0, UNKNOWN)), library=_library(array))


def _squeeze(array: Array, call: Call) -> Value:
    return replace(array, shape=shapes.squeezed(array.shape, call.get("axis", 0)), library=_library(array))


def _transpose(array: Array, call: Call) -> Value:
    axes = call.positional if len(call.positional) > 1 else call.get("axes", 0)
    if isinstance(axes, List):
        axes = axes.items
    return replace(array, shape=shapes.transposed(array.shape, axes), library=_library(array))


def _swapped(array: Array, call: Call) -> Value:
    if not isinstance(array.shape, tuple):
        return array
    one, two = (
        shapes.axis_of(call.get(name, at, UNKNOWN), len(array.shape)) for at, name in enumerate(("axis1", "axis2"))
    )
    if one is None or two is None:
        return replace(array, shape=UNKNOWN)
    order = list(range(len(array.shape)))
    order[one], order[two] = two, one
    return replace(array, shape=shapes.transposed(array.shape, tuple(order)))


def _reduce(array: Array, call: Call) -> Value:
    axis = call.get("axis", 0)
    if axis is None:
        return UNKNOWN  # a number
    return Array(shapes.reduced(array.shape, axis, call.get("keepdims", default=False)), UNKNOWN, _library(array))


def _arg(array: Array, call: Call) -> Value:
    found = _reduce(array, call)
    return replace(found, dtype="int64") if isinstance(found, Array) else found


def _largest(array: Array, call: Call) -> Value:
    if call.get("axis", 0) is not None:
        return _reduce(array, call)
    name = call.name.rpartition(".")[2]
    if array.values is None or not array.values.reached:
        return UNKNOWN
    return array.values.high if name in ("max", "amax") else array.values.low


def _same(array: Array, _: Call) -> Value:
    return replace(array, library=_library(array))


def _changed(array: Array, _: Call) -> Value:
    dtype = array.dtype if array.dtype in shapes.FLOATS else UNKNOWN
    return Array(array.shape, dtype, _library(array))


def _clip(array: Array, call: Call) -> Value:
    low, high = call.get("a_min", 0, UNKNOWN), call.get("a_max", 1, UNKNOWN)
    plain = isinstance(low, (int, float)) and isinstance(high, (int, float)) and low <= high
    return Array(array.shape, UNKNOWN, _library(array), Values(low, high) if plain else None)


def _repeat(array: Array, call: Call) -> Value:
    times, axis = call.get("repeats", 0, UNKNOWN), call.get("axis", 1)
    total = shapes.size(array.shape)
    if type(times) is not int or times < 0 or not isinstance(array.shape, tuple):
        return Array(UNKNOWN, array.dtype)
    if axis is None:
        return replace(array, shape=(UNKNOWN if total is None else total * times,), library=_library(array))
    at = shapes.axis_of(axis, len(array.shape))
    if at is None:
        return Array(UNKNOWN, array.dtype)
    shape = tuple(e * times if n == at and isinstance(e, int) else e for n, e in enumerate(array.shape))
    return replace(array, shape=tuple(UNKNOWN if n == at and e is None else e for n, e in enumerate(shape)))


def _list(array: Array, _: Call) -> Value:
    return replace(array, library="list")


METHODS: dict[str, Handler] = {
    "reshape": _reshape,
    "astype": _astype,
    "flatten": _flat,
    "ravel": _flat,
    "expand_dims": _expand,
    "squeeze": _squeeze,
    "transpose": _transpose,
    "swapaxes": _swapped,
    "sum": _reduce,
    "mean": _reduce,
    "std": _reduce,
    "var": _reduce,
    "max": _largest,
    "min": _largest,
    "amax": _largest,
    "amin": _largest,
    "argmax": _arg,
    "argmin": _arg,
    "copy": _same,
    "flip": _same,
    "fliplr": _same,
    "flipud": _same,
    "sort": _same,
    "nan_to_num": _changed,
    "round": _changed,
    "abs": _changed,
    "absolute": _changed,
    "sin": _changed,
    "cos": _changed,
    "exp": _changed,
    "log": _changed,
    "log1p": _changed,
    "sqrt": _changed,
    "square": _changed,
    "tanh": _changed,
    "cumsum": lambda array, call: _changed(array, call) if call.get("axis", 0) is not None else Array(),
    "clip": _clip,
    "repeat": _repeat,
    "tolist": _list,
    "numpy": lambda array, _: replace(array, library="numpy"),
}
"""By name: what follows the array itself are the call's arguments."""
