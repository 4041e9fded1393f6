"""Arrays from literal lists, ranges and numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from envcheck.model.events import Array, Values
from envcheck.model.names import words
from envcheck.model.tensors import UNKNOWN, Dimension, Unknown
from envcheck.model.values import List, Value

MOST = 4096
"""Numbers of a literal that are looked at."""


def literal(value: Value) -> Array | None:
    """A list (of lists…) of numbers or texts as numpy makes an array of it; None for anything else."""
    if isinstance(value, Array):
        return value
    shape, leaves = _measure(value, 0, [MOST])
    if shape is None:
        return None
    dtype, values = _content(leaves)
    return Array(tuple(shape), dtype, "list", values)


def _measure(value: Value, depth: int, left: list[int]) -> tuple[list[Dimension] | None, list[Any] | None]:
    """The shape, and the numbers; None for either that cannot be told."""
    if isinstance(value, List):
        value = value.items
    left[0] -= 1
    if left[0] < 0:
        return None, None
    if isinstance(value, range):
        return [len(value)], [value[0], value[-1]] if len(value) else []
    if isinstance(value, (int, float, str, bool)):
        return [], [value]
    if isinstance(value, Array) and isinstance(value.shape, tuple):
        return list(value.shape), None
    if not isinstance(value, tuple) or depth > 8 or not value:
        return None, None
    shape: list[Dimension] | None = None
    leaves: list[Any] | None = []
    for each in value:
        inner, more = _measure(each, depth + 1, left)
        if inner is None:
            return None, None
        if shape is not None and inner != shape:
            return None, None
        shape = inner
        leaves = None if leaves is None or more is None else leaves + more
    return [len(value), *(shape or [])], leaves


def _content(leaves: list[Any] | None) -> tuple[str | Unknown, Values | None]:
    if not leaves:
        return UNKNOWN, None
    kinds = {type(each) for each in leaves}
    if kinds == {bool}:
        return "bool", None
    if str in kinds:
        return "str", None
    if not kinds <= {int, float, bool}:
        return UNKNOWN, None
    odd = any(isinstance(each, float) and not math.isfinite(each) for each in leaves)
    finite = [each for each in leaves if math.isfinite(each)]
    values = Values(min(finite), max(finite), True, odd) if finite else Values(0, 0, False, odd)
    return "float64" if float in kinds else "int64", values


def numbers(value: Value) -> Value:
    """A shape argument: a number, or a tuple of numbers."""
    if isinstance(value, List):
        value = value.items
    if type(value) is int:
        return (value,)
    if isinstance(value, tuple):
        return tuple(each if type(each) is int else UNKNOWN for each in value)
    return UNKNOWN


def converted(values: Values | None, dtype: Value) -> Values | None:
    """The range of numbers that another dtype keeps; None where it may change them."""
    if values is None or dtype not in _RANGES:
        return None
    low, high = _RANGES[dtype]
    if not low <= values.low <= values.high <= high:
        return None
    whole = low == -high or (values.low == int(values.low) and values.high == int(values.high))
    return values if whole else replace(values, low=int(values.low), high=int(values.high), reached=False)


_RANGES = {
    **{f"float{bits}": (-math.inf, math.inf) for bits in (32, 64)},
    **{f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}


def dtype_of(value: Value, default: str | Unknown) -> str | Unknown:
    """A dtype argument by numpy's name."""
    if value is None:
        return default
    name = value if isinstance(value, str) else getattr(value, "name", UNKNOWN)
    if not isinstance(name, str):
        return UNKNOWN
    name = name.rpartition(".")[2]
    return _NAMES.get(name, name if name in _KNOWN else UNKNOWN)


_NAMES = {
    "float": "float64",
    "int": "int64",
    "int_": "int64",
    "float_": "float64",
    "double": "float64",
    "single": "float32",
    "half": "float16",
    "bool_": "bool",
    "str_": "str",
    "f": "float32",
    "f4": "float32",
    "f8": "float64",
    "object_": "object",
    "string": "str",
}
_KNOWN = words(
    "float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool str object complex64 complex128"
)
