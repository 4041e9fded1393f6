"""Locally connected layers, which end with Keras 2.

Source: ``keras/src/layers/locally_connected`` of Keras 2.
"""

from __future__ import annotations

from functools import partial

from envcheck.model.layers.checked import activation, channels_first, padding, sizes
from envcheck.model.layers.dtypes import FLOATS, floating, promised, refuse_whole
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, ranked, refuse, require_rank
from envcheck.model.tensors import UNKNOWN, Dimension, Output, Tensor, Unknown, text


def _filters(arguments: Arguments) -> int | Unknown:
    """No constructor looks at them: what weights cannot be made of fails when the layer is built."""
    value = arguments.look("filters")
    if isinstance(value, Unknown):
        return value
    if isinstance(value, bool) or value == 0 or not (value is None or isinstance(value, (int, float, str))):
        raise Unclear
    if not isinstance(value, int) or value < 0:
        refuse("build", f"weights cannot be made for filters={value!r}")
    return value


def _after(
    shape: tuple[Dimension, ...], kernel: tuple[int, ...], strides: tuple[int, ...], pad: str
) -> list[Dimension]:
    """The spatial axes, all of which must be known: each place has weights of its own."""
    found: list[Dimension] = []
    for size, window, stride in zip(shape, kernel, strides, strict=True):
        if size is None:
            refuse("build", f"the spatial axes must be known, one is free (None): {text(shape)}")
        if isinstance(size, Unknown):
            found.append(UNKNOWN)
            continue
        left = size if pad == "same" else size - window + 1
        if left <= 0:
            refuse("build", f"a kernel of {window} is larger than the input's {size} with padding '{pad}'")
        found.append(-(-left // stride))
    return found


def _connect(arguments: Arguments, call: Call, rank: int) -> Output:
    kernel, strides = sizes(arguments, "kernel_size", rank), sizes(arguments, "strides", rank, zero=True)
    pad, first = padding(arguments, causal=True), channels_first(arguments)
    way = arguments["implementation"]
    if pad != "valid" and way == 1:
        refuse("construction", f"padding='{pad}' with implementation=1: only 'valid' is possible")
    activation(arguments)
    shape = ranked(call.tensor())
    require_rank(shape, exactly=rank + 2)
    count = _filters(arguments)
    if (shape[1] if first else shape[-1]) is None:
        refuse("build", f"the channel axis of the input is free (None): shape {text(shape)}")
    if way not in (1, 2, 3) or pad == "causal":
        refuse("build", f"implementation={way!r} with padding='{pad}' is not possible")
    if isinstance(strides, Unknown) or isinstance(kernel, Unknown) or 0 in strides:
        raise Unclear
    after = _after(shape[2:] if first else shape[1:-1], kernel, strides, pad)
    mine, dtype = floating(arguments), promised(call.tensor(), arguments)
    if dtype not in FLOATS:
        if mine != "float32":
            raise Unclear
        refuse_whole(dtype, mine)
    # Of no filters at all TensorFlow makes an empty tensor, and forgets the batch.
    batch = UNKNOWN if isinstance(count, Unknown) and shape[0] is not None else shape[0]
    return Tensor((batch, count, *after) if first else (batch, *after, count), dtype)


_PARAMETERS = (
    "filters, kernel_size, strides=1, padding='valid', data_format=None, activation=None, use_bias=True, "
    "*, implementation=1"
)
RULES = tuple(Rule(f"LocallyConnected{rank}D", _PARAMETERS, partial(_connect, rank=rank), only=2) for rank in (1, 2))
