"""Recurrent layers over images.

Source: https://keras.io/api/layers/recurrent_layers/ ; ``keras/src/layers/rnn/conv_lstm.py`` of Keras 3 and
``base_conv_lstm.py`` of Keras 2.
"""

from __future__ import annotations

from functools import partial

from envcheck.model.layers.checked import activation, channels_first, padding, sizes
from envcheck.model.layers.convolution import Sizes, dilated, spatial
from envcheck.model.layers.recurrent import FLAGS, outputs, prepare
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, ranked, refuse, require_rank, row_of
from envcheck.model.tensors import UNKNOWN, Dimension, Output, Refused, Unknown, text

Dimensions = tuple[Dimension, ...]


def _filters(arguments: Arguments) -> Dimension:
    """No constructor looks at them."""
    value = arguments.look("filters")
    if isinstance(value, Unknown):
        return value
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise Unclear


def _recur(arguments: Arguments, call: Call, rank: int) -> Output:
    count = _filters(arguments)
    kernel = sizes(arguments, "kernel_size", rank)
    strides, dilation = sizes(arguments, "strides", rank, zero=True), sizes(arguments, "dilation_rate", rank)
    pad, first = padding(arguments, causal=arguments.keras == 2), channels_first(arguments)
    activation(arguments)
    if isinstance(strides, tuple) and isinstance(dilation, tuple) and max(strides) > 1 and max(dilation) > 1:
        if arguments.keras == 2:
            raise Unclear
        reason = f"strides {strides} above 1 together with dilation_rate {dilation} above 1"
        refuse("construction", reason, "conv-lstm-strides-dilation")
    shape = ranked(call.tensor())
    require_rank(shape, exactly=rank + 3)
    around = shape[3:] if first else shape[2:-1]
    _buildable(arguments, shape, around, shape[2] if first else shape[-1], count)
    if count == 0 or strides == (0,) * rank or (isinstance(strides, tuple) and 0 in strides):
        raise Unclear
    shape, dtype = prepare(arguments, call.tensor())
    if pad == "causal":
        refuse("call", "padding 'causal' of a recurrent layer over images")
    if arguments.keras == 2 and dilation != (1,) * rank and {None, UNKNOWN} & set(around):
        raise Unclear
    after = _after(arguments, around, dilated(kernel, dilation), strides, pad)
    return outputs(arguments, shape, (count, *after) if first else (*after, count), [], dtype)


def _buildable(
    arguments: Arguments, shape: Dimensions, around: Dimensions, channels: Dimension, count: Dimension
) -> None:
    if arguments.keras == 3 and None in around:
        refuse("build", f"the spatial axes must be known, one is free (None): shape {text(shape)}")
    if channels is None:
        refuse("build", f"the channel axis of the input is free (None): shape {text(shape)}")
    if count is None or (isinstance(count, int) and count < 0):
        refuse("build", f"weights cannot be made for filters={count}")


def _after(arguments: Arguments, around: Dimensions, windows: Sizes, strides: Sizes, pad: str) -> Dimensions:
    """The spatial axes. The states of a stateful layer are made with its weights, and fail earlier."""
    try:
        return spatial(arguments, around, windows, strides, pad, looks=False)[0]
    except Refused as refusal:
        early = arguments["stateful"]
        if early and arguments.keras == 2:
            raise Unclear from None
        refuse("build" if early else "call", refusal.reason, row_of(refusal))


_PARAMETERS = (
    "filters, kernel_size, strides=1, padding='valid', data_format=None, dilation_rate=1, activation='tanh', *, "
    + FLAGS
)

RULES = tuple(Rule(f"ConvLSTM{rank}D", _PARAMETERS, partial(_recur, rank=rank)) for rank in (1, 2, 3))
