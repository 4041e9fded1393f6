"""Pooling: local, global, adaptive.

Source: https://keras.io/api/layers/pooling_layers/ ; ``keras/src/layers/pooling`` of both versions.
"""

from __future__ import annotations

from functools import partial

from envcheck.model.layers.checked import channels_first, padding, sizes
from envcheck.model.layers.dtypes import FLOATS, promised
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, ranked, refuse, require_rank
from envcheck.model.tensors import UNKNOWN, Dimension, Output, Tensor, Unknown, text


def _pool(arguments: Arguments, call: Call, rank: int, average: bool) -> Output:
    pool = sizes(arguments, "pool_size", rank)
    strides = pool if arguments.look("strides") is None else sizes(arguments, "strides", rank, zero=True)
    pad = padding(arguments, causal=True) if arguments.keras == 2 else arguments["padding"]
    first = channels_first(arguments)
    shape = ranked(call.tensor())
    require_rank(shape, exactly=rank + 2)
    inside = promised(call.tensor(), arguments)
    if pad not in ("valid", "same"):
        refuse("call", f"padding={pad!r} is not 'valid' or 'same'")
    if arguments.keras == 2 and rank == 3 and not average and inside == "float64":
        refuse("call", "a maximum of dtype float64 over three axes: float32 is expected")
    _poolable(arguments, inside, average or rank == 3)
    around = shape[2:] if first else shape[1:-1]
    if isinstance(pool, Unknown) or isinstance(strides, Unknown):
        after: tuple[Dimension, ...] = (UNKNOWN,) * rank
    else:
        after = tuple(_pooled(size, pool[axis], strides[axis], str(pad)) for axis, size in enumerate(around))
    return Tensor((*shape[:2], *after) if first else (shape[0], *after, shape[-1]), inside)


def _poolable(arguments: Arguments, dtype: str, floats: bool) -> None:
    if dtype == "string":
        raise Unclear
    if arguments.keras == 2 and floats and dtype not in FLOATS:
        refuse("call", f"a pool of dtype {dtype}: a float dtype is expected")
    if (
        arguments.keras == 2
        and not floats
        and dtype not in (*FLOATS, "int32", "int64", "uint8", "int16", "int8", "uint16")
    ):
        refuse("call", f"a maximum of dtype {dtype}: a number is expected")


def _pooled(size: Dimension, window: int, stride: int, pad: str) -> Dimension:
    if stride == 0:
        refuse("call", "strides of 0")
    if isinstance(size, Unknown) or size is None:
        return size
    if pad == "same":
        return -(-size // stride)
    if size < window:
        empty = (size - window) // stride + 1 == 0
        why = f"a pool of {window} is larger than the input's {size} with padding 'valid'"
        refuse("call", why, "empty-after-pooling" if empty else "")
    return (size - window) // stride + 1


def _pool_globally(arguments: Arguments, call: Call, rank: int, average: bool) -> Output:
    first = channels_first(arguments)
    keep = arguments["keepdims"]
    shape = ranked(call.tensor())
    require_rank(shape, exactly=rank + 2)
    inside = promised(call.tensor(), arguments)
    if inside == "string":
        raise Unclear
    if arguments.keras == 3:
        pass
    elif inside == "bool" and not average and arguments.keras == 2:
        refuse("call", "a maximum of dtype bool: a number is expected")
    elif average and inside == "bool":
        inside = "float32"
    channel = shape[1] if first else shape[-1]
    ones = (1,) * rank if keep else ()
    return Tensor((shape[0], channel, *ones) if first else (shape[0], *ones, channel), inside)


def _pool_adaptively(arguments: Arguments, call: Call, rank: int) -> Output:
    """Only the number of sizes is checked; the rank of the input is not looked at before there is data."""
    value = arguments.look("output_size")
    if isinstance(value, int):
        after: tuple[object, ...] = (value,) * rank
    elif isinstance(value, (tuple, list)) and len(value) == rank:
        after = tuple(value)
    elif isinstance(value, Unknown):
        after = (UNKNOWN,) * rank
    else:
        refuse("construction", f"output_size={value!r} is not a whole number, or {rank} of them")
    first = channels_first(arguments)
    shape = ranked(call.tensor())
    sizes_after: list[Dimension] = []
    for size in after:
        if size is not None and (not isinstance(size, (int, Unknown)) or (isinstance(size, int) and size < 0)):
            refuse("call", f"output_size={value!r}: whole numbers above 0 are expected")
        sizes_after.append(size)
    if first and len(shape) < 2:
        refuse("call", f"expects rank {rank + 2}, got {len(shape)}: shape {text(shape)}")
    found = (*shape[:2], *sizes_after) if first else (shape[0], *sizes_after, shape[-1])
    return Tensor(found, promised(call.tensor(), arguments))


_LOCAL = "pool_size=2, strides=None, padding='valid', data_format=None"
_AVERAGE3 = "pool_size, strides=None, padding='valid', data_format=None"
_GLOBAL = "data_format=None, keepdims=False"

RULES = tuple(
    rule
    for rank in (1, 2, 3)
    for rule in (
        Rule(f"MaxPooling{rank}D", _LOCAL, partial(_pool, rank=rank, average=False)),
        Rule(f"AveragePooling{rank}D", _LOCAL, partial(_pool, rank=rank, average=True), _AVERAGE3),
        Rule(f"GlobalMaxPooling{rank}D", _GLOBAL, partial(_pool_globally, rank=rank, average=False)),
        Rule(f"GlobalAveragePooling{rank}D", _GLOBAL, partial(_pool_globally, rank=rank, average=True)),
        Rule(
            f"AdaptiveMaxPooling{rank}D", "output_size, data_format=None", partial(_pool_adaptively, rank=rank), only=3
        ),
        Rule(
            f"AdaptiveAveragePooling{rank}D",
            "output_size, data_format=None",
            partial(_pool_adaptively, rank=rank),
            only=3,
        ),
    )
)
