"""Layers that cut, pad and enlarge the spatial axes.

Source: https://keras.io/api/layers/reshaping_layers/ ; ``keras/src/layers/reshaping`` of both versions.
"""

from __future__ import annotations

from functools import partial

from envcheck.model.layers.checked import channels_first, checked_sizes, sizes
from envcheck.model.layers.dtypes import promised
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, ranked, refuse, refusing, require_rank
from envcheck.model.tensors import UNKNOWN, Dimension, Output, Tensor, Unknown, text

Pairs = tuple[tuple[int, int], ...] | Unknown


def _pairs(arguments: Arguments, name: str, rank: int) -> Pairs:
    """How much at the start and the end of each axis."""
    value = arguments.look(name)
    if isinstance(value, Unknown):
        return UNKNOWN
    value = arguments[name]
    if rank == 1:
        start, end = checked_sizes(value, name, 2, zero=True)
        return ((start, end),)
    if isinstance(value, int):
        if value < 0:
            if arguments.keras == 3 and name == "cropping":
                refuse("construction", f"{name}={value}: 0 or more is expected")
            raise Unclear
        return ((value, value),) * rank
    if not isinstance(value, (tuple, list, str, dict)) or len(value) != rank:
        refuse("construction", f"{name}={value!r} is not a whole number, or {rank} of them, or {rank} pairs")
    if isinstance(value, dict):
        raise Unclear
    found = []
    for each in value:
        start, end = checked_sizes(each, name, 2, zero=True)
        found.append((start, end))
    return tuple(found)


def _around(call: Call, rank: int, first: bool, unchecked: bool = False) -> tuple[tuple[Dimension, ...], int]:
    shape = ranked(call.tensor())
    if unchecked and len(shape) != rank + 2:
        raise Unclear
    require_rank(shape, exactly=rank + 2)
    return shape, 2 if first else 1


def _crop(arguments: Arguments, call: Call, rank: int) -> Output:
    pairs = _pairs(arguments, "cropping", rank)
    first = rank > 1 and channels_first(arguments)
    shape, start = _around(call, rank, first)
    found = list(shape)
    for axis in range(rank):
        size = found[start + axis]
        if isinstance(pairs, Unknown):
            found[start + axis] = None if size is None else UNKNOWN
        elif isinstance(size, int):
            left = size - sum(pairs[axis])
            if left <= 0 and (rank < 3 or arguments.keras == 3):
                why = f"cropping {pairs[axis]} leaves nothing of the {size} at axis {start + axis}: {text(shape)}"
                refuse("call", why, "cropped-away")
            found[start + axis] = max(0, left)  # Keras 2 does not look in 3-D
    return Tensor(tuple(found), promised(call.tensor(), arguments))


def _pad(arguments: Arguments, call: Call, rank: int) -> Output:
    pairs = _pairs(arguments, "padding", rank)
    # The 1-D layer of Keras 2 has no data format.
    first = (rank > 1 or (arguments.keras == 3 and arguments.given("data_format"))) and channels_first(arguments)
    shape, start = _around(call, rank, first)
    found = list(shape)
    for axis in range(rank):
        size = found[start + axis]
        if isinstance(size, int):
            found[start + axis] = UNKNOWN if isinstance(pairs, Unknown) else size + sum(pairs[axis])
    return Tensor(tuple(found), promised(call.tensor(), arguments))


def _enlarge(arguments: Arguments, call: Call, rank: int) -> Output:
    factors = _factor(arguments) if rank == 1 else sizes(arguments, "size", rank)
    first = rank > 1 and channels_first(arguments)
    if rank == 2:
        _interpolation(arguments)
    shape, start = _around(call, rank, first, unchecked=rank == 3 and arguments.keras == 2)
    found = list(shape)
    for axis in range(rank):
        size = found[start + axis]
        if isinstance(size, int):
            found[start + axis] = UNKNOWN if isinstance(factors, Unknown) else size * factors[axis]
    dtype = promised(call.tensor(), arguments)
    if rank == 2 and arguments.keras == 2:
        # One free axis makes Keras 2 forget what the other one will be.
        around = shape[start : start + 2]
        if None in around:
            found[start : start + 2] = [None, None]
        elif UNKNOWN in around:
            found[start : start + 2] = [UNKNOWN, UNKNOWN]
        if dtype in ("bool", "string"):
            refuse("call", f"an input of dtype {dtype}: a number is expected")
        if arguments["interpolation"] != "nearest":
            # Everything but the nearest pixel is computed in float32, and cast back only to a float.
            dtype = "float32"
    return Tensor(tuple(found), dtype)


def _factor(arguments: Arguments) -> tuple[int, ...] | Unknown:
    value = arguments.look("size")
    if isinstance(value, Unknown):
        return UNKNOWN
    if arguments.keras == 2:
        if not isinstance(value, (int, float, str)):
            refuse("construction", f"size={value!r} is not a whole number")
        with refusing("construction", f"size={value!r} is not a whole number"):
            value = int(value)
        if value <= 0:
            raise Unclear
    elif not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        refuse("construction", f"size={value!r}: a whole number above 0 is expected", "up-sampling-size")
    assert isinstance(value, int)
    return (value,)


def _interpolation(arguments: Arguments) -> None:
    value = arguments["interpolation"]
    if not isinstance(value, str):
        refuse("construction", f"interpolation={value!r} is not the name of one")
    known = ("area", "bicubic", "bilinear", "gaussian", "lanczos3", "lanczos5", "mitchellcubic", "nearest")
    if arguments.keras == 2 and value.lower() not in known:
        refuse("construction", f"interpolation='{value}' is not one of {', '.join(known)}")


RULES = tuple(
    rule
    for rank, one in ((1, "1"), (2, "(1, 1)"), (3, "(1, 1, 1)"))
    for rule in (
        Rule(
            f"Cropping{rank}D",
            {1: "cropping=(1, 1)", 2: "cropping=0, data_format=None", 3: "cropping=1, data_format=None"}[rank],
            partial(_crop, rank=rank),
        ),
        Rule(f"ZeroPadding{rank}D", f"padding={one}, data_format=None", partial(_pad, rank=rank)),
        Rule(
            f"UpSampling{rank}D",
            {1: "size=2", 2: "size=2, data_format=None, interpolation='nearest'", 3: "size=2, data_format=None"}[rank],
            partial(_enlarge, rank=rank),
        ),
    )
)
