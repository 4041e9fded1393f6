"""Arithmetic of shapes: broadcasting, subscripts, reshaping, joining; dtypes of results.

Sources: https://numpy.org/doc/stable/user/basics.broadcasting.html, …/basics.indexing.html and …/arrays.promotion.html.
"""

from __future__ import annotations

from math import prod

from envcheck.model.events import Array
from envcheck.model.tensors import UNKNOWN, Dimension, Shape, Unknown

FLOATS = ("float16", "float32", "float64")
"""Floats, narrow ones first."""


def broadcast(one: Shape, two: Shape) -> Shape:
    """The shape of an operation on each pair of elements; UNKNOWN also where the two do not fit."""
    if isinstance(one, Unknown) or isinstance(two, Unknown):
        return UNKNOWN
    rank = max(len(one), len(two))
    first: Shape = (1,) * (rank - len(one)) + one
    second: Shape = (1,) * (rank - len(two)) + two
    assert not isinstance(first, Unknown)
    assert not isinstance(second, Unknown)
    found: list[Dimension] = []
    for a, b in zip(first, second, strict=True):
        if a == 1 or a is b or a == b:
            found.append(b)
        elif b == 1:
            found.append(a)
        elif isinstance(a, int) and isinstance(b, int):
            return UNKNOWN
        else:  # one is free or unknown: the other one, if it is larger than 1, decides
            found.append(a if isinstance(a, int) else b if isinstance(b, int) else UNKNOWN)
    return tuple(found)


def promoted(one: Array, two: Array, division: bool = False) -> str | Unknown:
    """The dtype of an operation on two arrays or an array and a number; UNKNOWN where that takes more than a glance."""
    if isinstance(one.dtype, Unknown) or isinstance(two.dtype, Unknown):
        return UNKNOWN
    if "python" in (one.library, two.library):
        array, number = (two, one) if one.library == "python" else (one, two)
        if array.dtype in FLOATS:
            return array.dtype
        if isinstance(array.dtype, str) and "int" in array.dtype and array.library == "numpy":
            return "float64" if division or number.dtype == "python float" else array.dtype
        return UNKNOWN
    if one.dtype == two.dtype and (not division or one.dtype in FLOATS):
        return one.dtype
    if division and "int" in one.dtype and "int" in two.dtype:
        return "float64"
    if one.dtype in FLOATS and two.dtype in FLOATS:
        return max(one.dtype, two.dtype)
    return UNKNOWN


def indexed(shape: Shape, key: object) -> Shape:
    """The shape of ``x[key]``; UNKNOWN for keys that are arrays, and beyond the last axis."""
    if isinstance(shape, Unknown):
        return UNKNOWN
    keys = key if isinstance(key, tuple) else (key,)
    if any(not (each is None or each is ... or type(each) is int or isinstance(each, slice)) for each in keys):
        return UNKNOWN
    used = sum(1 for each in keys if each is not None and each is not ...)
    if used > len(shape) or sum(1 for each in keys if each is ...) > 1:
        return UNKNOWN
    found: list[Dimension] = []
    rest = list(shape)
    for each in keys:
        if each is None:
            found.append(1)
        elif each is ...:
            found += rest[: len(shape) - used]
            rest = rest[len(shape) - used :]
        elif isinstance(each, slice):
            found.append(sliced(rest.pop(0), each))
        else:
            rest.pop(0)
    return tuple(found + rest)


def sliced(size: Dimension, part: slice) -> Dimension:
    """The length of an axis after a slice."""
    ends = (part.start, part.stop, part.step)
    if ends == (None, None, None):
        return size
    if isinstance(size, int) and all(each is None or type(each) is int for each in ends) and part.step != 0:
        return len(range(*part.indices(size)))
    return UNKNOWN


def size(shape: Shape) -> int | None:
    """The number of elements; None where it cannot be told."""
    if isinstance(shape, Unknown) or not all(isinstance(each, int) for each in shape):
        return None
    return prod(each for each in shape if isinstance(each, int))


def reshaped(shape: Shape, target: object) -> Shape:
    """The shape of ``x.reshape(target)``; UNKNOWN where the elements cannot be divided so."""
    if type(target) is int or isinstance(target, Unknown):
        target = (target,)
    if not isinstance(target, tuple):
        return UNKNOWN
    wanted: list[Dimension] = [each if type(each) is int else UNKNOWN for each in target]
    total = size(shape)
    if wanted.count(-1) == 1:
        others = [each for each in wanted if each != -1]
        rest = size(tuple(others))
        at = wanted.index(-1)
        wanted[at] = total // rest if total is not None and rest else UNKNOWN
    if any(isinstance(each, int) and each < 0 for each in wanted):
        return UNKNOWN
    return tuple(wanted)


def axis_of(axis: object, rank: int) -> int | None:
    """An axis counted from 0; None where it cannot be told."""
    if type(axis) is not int or not -rank <= axis < rank:
        return None
    return axis % rank


def expanded(shape: Shape, axis: object) -> Shape:
    """A shape with a new axis of length 1."""
    if isinstance(shape, Unknown):
        return UNKNOWN
    at = axis_of(axis, len(shape) + 1)
    return UNKNOWN if at is None else (*shape[:at], 1, *shape[at:])


def squeezed(shape: Shape, axis: object) -> Shape:
    """A shape without its axes of length 1, or without the one named."""
    if isinstance(shape, Unknown):
        return UNKNOWN
    if axis is None:
        known = all(isinstance(each, int) for each in shape)
        return tuple(each for each in shape if each != 1) if known else UNKNOWN
    at = axis_of(axis, len(shape))
    return UNKNOWN if at is None else shape[:at] + shape[at + 1 :]


def reduced(shape: Shape, axis: object, keep: object) -> Shape:
    """A shape after a sum or mean over axes."""
    if isinstance(shape, Unknown) or not isinstance(keep, bool):
        return UNKNOWN
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    places = [axis_of(each, len(shape)) for each in axes]
    if None in places:
        return UNKNOWN
    if keep:
        return tuple(1 if number in places else each for number, each in enumerate(shape))
    return tuple(each for number, each in enumerate(shape) if number not in places)


def joined(shapes: list[Shape], axis: object) -> Shape:
    """The shape of arrays put behind one another along an axis."""
    if not shapes or any(isinstance(each, Unknown) for each in shapes):
        return UNKNOWN
    first = shapes[0]
    assert not isinstance(first, Unknown)
    at = axis_of(axis, len(first))
    if at is None or any(not isinstance(each, Unknown) and len(each) != len(first) for each in shapes):
        return UNKNOWN
    sizes = [each[at] for each in shapes if not isinstance(each, Unknown)]
    total: Dimension = UNKNOWN
    if all(isinstance(each, int) for each in sizes):
        total = sum(each for each in sizes if isinstance(each, int))
    return (*first[:at], total, *first[at + 1 :])


def stacked(shapes: list[Shape], axis: object) -> Shape:
    """The shape of arrays put beside one another along a new axis."""
    if not shapes or isinstance(shapes[0], Unknown) or any(each != shapes[0] for each in shapes):
        return UNKNOWN
    at = axis_of(axis, len(shapes[0]) + 1)
    return UNKNOWN if at is None else (*shapes[0][:at], len(shapes), *shapes[0][at:])


def transposed(shape: Shape, axes: object = None) -> Shape:
    """A shape with its axes in another order, by default the reverse."""
    if isinstance(shape, Unknown):
        return UNKNOWN
    if axes is None:
        return shape[::-1]
    if not isinstance(axes, tuple) or len(axes) != len(shape):
        return UNKNOWN
    places = [axis_of(each, len(shape)) for each in axes]
    if None in places:
        return UNKNOWN
    return tuple(shape[each] for each in places if each is not None)
