"""Transposed convolutions.

Source: https://keras.io/api/layers/convolution_layers/ ; ``keras/src/layers/convolutional`` of both versions.
"""

from __future__ import annotations

from functools import partial

from envcheck.model.layers.checked import activation, channels_first, filters, made_of, padding, sizes
from envcheck.model.layers.convolution import channels, weighted
from envcheck.model.layers.dtypes import floating
from envcheck.model.layers.rule import Arguments, Call, Rule, ranked, refuse, require_rank
from envcheck.model.tensors import UNKNOWN, Dimension, Output, Tensor, Unknown, text


def _transpose(arguments: Arguments, call: Call, rank: int) -> Output:
    count = filters(arguments)
    kernel, strides = sizes(arguments, "kernel_size", rank), sizes(arguments, "strides", rank, arguments.keras == 2)
    if isinstance(strides, tuple) and not all(strides):
        refuse("construction", f"strides {strides}: each must be at least 1")
    dilation = sizes(arguments, "dilation_rate", rank)
    pad, first = padding(arguments, causal=rank == 1 and arguments.keras == 2), channels_first(arguments)
    extra = None if arguments.look("output_padding") is None else sizes(arguments, "output_padding", rank, zero=True)
    activation(arguments)
    if isinstance(extra, tuple) and isinstance(strides, tuple) and any(map(int.__ge__, extra, strides)):
        refuse("construction", f"output_padding {extra} must be smaller than strides {strides}", "output-padding")
    if isinstance(strides, tuple) and isinstance(dilation, tuple) and max(strides) > 1 and max(dilation) > 1:
        refuse(
            "construction",
            f"strides {strides} above 1 together with dilation_rate {dilation} above 1",
            "strides-dilation",
        )
    shape = ranked(call.tensor())
    require_rank(shape, least=rank + 2)
    if len(shape) != rank + 2:
        if arguments.keras == 3:
            channels(shape, first, len(shape) - 2)
        refuse(
            "build" if arguments.keras == 2 else "call",
            f"expects rank {rank + 2}, got {len(shape)}: shape {text(shape)}",
        )
    channels(shape, first, rank)
    count = made_of(count)
    mine = floating(arguments)
    if pad == "causal":
        refuse("call", "padding 'causal' for a transposed convolution")
    if arguments.keras == 2 and rank == 2 and isinstance(dilation, tuple) and len(set(dilation)) > 1:
        refuse("call", f"dilation_rate {dilation}: a transposed convolution needs the same on every axis")
    around = shape[2:] if first else shape[1:-1]
    if isinstance(kernel, Unknown) or isinstance(strides, Unknown) or isinstance(dilation, Unknown) or extra is UNKNOWN:
        after: tuple[Dimension, ...] = (UNKNOWN,) * rank
    else:
        if arguments.keras == 2 and rank == 3:
            dilation = (1, 1, 1)  # its call forgets the dilation
        windows = [(size - 1) * each + 1 for size, each in zip(kernel, dilation, strict=True)]
        more = extra if isinstance(extra, tuple) else (None,) * rank
        lengths = zip(around, windows, strides, more, strict=True)
        after = tuple(_length(size, window, stride, pad, add, arguments.keras) for size, window, stride, add in lengths)
    found = (shape[0], count, *after) if first else (shape[0], *after, count)
    return Tensor(found, weighted(arguments, call.tensor(), mine))


def _length(size: Dimension, window: int, stride: int, pad: str, extra: int | None, keras: int) -> Dimension:
    if isinstance(size, Unknown) or size is None:
        return size
    if extra is None:
        return size * stride + (max(window - stride, 0) if pad == "valid" else 0)
    if pad == "valid":
        return (size - 1) * stride + window + extra
    # Keras 2 takes half of the window from each side, Keras 3 the same: an even window leaves nothing.
    return (
        (size - 1) * stride + window % 2 + extra
        if keras == 3
        else (size - 1) * stride + window - 2 * (window // 2) + extra
    )


_BEFORE = "filters, kernel_size, strides=1, padding='valid'"
_AFTER = "dilation_rate=1, activation=None, use_bias=True"
_PARAMETERS = f"{_BEFORE}, output_padding=None, data_format=None, {_AFTER}"
_PARAMETERS_3D = f"{_BEFORE}, data_format=None, output_padding=None, {_AFTER}"

RULES = (
    Rule("Conv1DTranspose", _PARAMETERS, partial(_transpose, rank=1)),
    Rule("Conv2DTranspose", _PARAMETERS, partial(_transpose, rank=2)),
    Rule("Conv3DTranspose", _PARAMETERS, partial(_transpose, rank=3), _PARAMETERS_3D),
)
