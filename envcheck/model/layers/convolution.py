"""Convolutions, plain, separable and depthwise.

Source: https://keras.io/api/layers/convolution_layers/ ; ``keras/src/layers/convolutional`` of both versions.
"""

from __future__ import annotations

from functools import partial

from envcheck.model.layers.checked import activation, channels_first, filters, made_of, padding, sizes
from envcheck.model.layers.dtypes import FLOATS, floating, promised, refuse_whole
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, ranked, refuse, require_rank
from envcheck.model.tensors import UNKNOWN, Dimension, Output, Refused, Tensor, Unknown, text

Sizes = tuple[int, ...] | Unknown
_TAIL = "activation=None, use_bias=True"


def _too_large(window: int, size: int) -> str:
    return f"a kernel of {window} (with its dilation) is larger than the input's {size} with padding 'valid'"


def _built_upon(size: Dimension, window: int, stride: int, keras: int) -> None:
    """What the layer itself refuses: in Keras 2 a length of 0 passes, and TensorFlow refuses it in the call."""
    if isinstance(size, int):
        length = (size - window) // stride + 1 if keras == 3 else -(-(size - window + 1) // stride)
        if length < (1 if keras == 3 else 0):
            refuse("build", _too_large(window, size), "empty-after-convolution" if length == 0 else "")


def _length(size: Dimension, window: int, stride: int, pad: str) -> Dimension:
    """The length of one spatial axis after a window went over it."""
    if isinstance(size, Unknown) or size is None:
        return size
    if pad != "valid":
        return -(-size // stride)
    if size < window:
        empty = (size - window) // stride + 1 == 0
        refuse("call", _too_large(window, size), "empty-after-convolution" if empty else "")
    return (size - window) // stride + 1


def spatial(
    arguments: Arguments,
    shape: tuple[Dimension, ...],
    windows: Sizes,
    strides: Sizes,
    pad: str,
    looks: bool = True,
) -> tuple[tuple[Dimension, ...], str]:
    """Every spatial axis after a convolution, and the dtype of its weights.

    Args:
        arguments: The layer's.
        shape: The spatial axes of the input.
        windows: The kernel with its dilation.
        strides: One for each axis.
        pad: ``valid``, ``same`` or ``causal``.
        looks: Whether the layer looks at the lengths before it makes its weights.
    """
    if isinstance(windows, Unknown) or isinstance(strides, Unknown):
        return (UNKNOWN,) * len(shape), floating(arguments)
    if looks and pad == "valid":
        for size, window, stride in zip(shape, windows, strides, strict=True):
            _built_upon(size, window, stride, arguments.keras)
    mine = floating(arguments)
    lengths = (_length(size, window, stride, pad) for size, window, stride in zip(shape, windows, strides, strict=True))
    return tuple(lengths), mine


def dilated(kernel: Sizes, dilation: Sizes) -> Sizes:
    """The window of a kernel with its dilation."""
    if isinstance(kernel, Unknown) or isinstance(dilation, Unknown):
        return UNKNOWN
    return tuple((size - 1) * each + 1 for size, each in zip(kernel, dilation, strict=True))


def _strides_and_dilation(strides: Sizes, dilation: Sizes) -> None:
    if isinstance(strides, Unknown) or isinstance(dilation, Unknown):
        return
    if max(strides) > 1 and max(dilation) > 1:
        refuse(
            "construction",
            f"strides {strides} above 1 together with dilation_rate {dilation} above 1",
            "strides-dilation",
        )


def _groups(arguments: Arguments, count: Dimension | float) -> int:
    value = arguments["groups"]
    if arguments.keras == 2:
        value = value or 1
    if not isinstance(value, int):
        raise Unclear
    if arguments.keras == 3 and value <= 0:
        refuse("construction", f"groups={value}: at least 1 is expected", "groups-zero")
    if isinstance(count, (int, float)) and count % value:
        refuse("construction", f"filters={count} cannot be divided by groups={value}")
    return value


def channels(shape: tuple[Dimension, ...], first: bool, rank: int) -> Dimension:
    """The number of channels of the input. A free one cannot be built upon."""
    found = shape[-1 - rank] if first else shape[-1]
    if found is None:
        refuse("build", f"the channel axis of the input is free (None): shape {text(shape)}")
    return found


def weighted(arguments: Arguments, tensor: Tensor, mine: str) -> str:
    """The dtype after a convolution. Keras 2 computes nothing of integers; Keras 3 promises its own dtype of anything."""
    inside = promised(tensor, arguments)
    if inside not in FLOATS:
        refuse_whole(inside, mine)
    return inside


def _convolve(arguments: Arguments, call: Call, rank: int) -> Output:
    count = filters(arguments)
    kernel, strides = sizes(arguments, "kernel_size", rank), sizes(arguments, "strides", rank, arguments.keras == 2)
    if isinstance(strides, tuple) and not all(strides):
        refuse("construction", f"strides {strides}: each must be at least 1")
    dilation = sizes(arguments, "dilation_rate", rank)
    pad, first = padding(arguments, causal=rank == 1), channels_first(arguments)
    groups = _groups(arguments, count)
    activation(arguments)
    _strides_and_dilation(strides, dilation)
    shape = ranked(call.tensor())
    require_rank(shape, least=rank + 2)
    depth = channels(shape, first, rank if arguments.keras == 2 else len(shape) - 2)
    if isinstance(depth, int) and depth % groups:
        refuse("build", f"the input's {depth} channels cannot be divided by groups={groups}: shape {text(shape)}")
    if groups < 0:
        refuse("build", f"weights cannot be made for groups={groups}")
    count = made_of(count)
    if arguments.keras == 3 and len(shape) != rank + 2:
        refuse("build", f"expects rank {rank + 2}, got {len(shape)}: shape {text(shape)}")
    batch = len(shape) - rank - 1
    around = shape[batch + 1 :] if first else shape[batch:-1]
    try:
        after, mine = spatial(arguments, around, dilated(kernel, dilation), strides, pad)
    except Refused as refusal:
        if refusal.stage == "call" and dilation != (1,) * rank and {None, UNKNOWN} & set(around):
            raise Unclear from None  # then TensorFlow takes another way, which makes an empty tensor
        raise
    found = (*shape[:batch], count, *after) if first else (*shape[:batch], *after, count)
    return Tensor(found, weighted(arguments, call.tensor(), mine))


def _separable(arguments: Arguments, call: Call, rank: int, pointwise: bool) -> Output:
    """``SeparableConv`` and, without the pointwise part, ``DepthwiseConv``."""
    count = filters(arguments) if pointwise else 1
    kernel, strides = sizes(arguments, "kernel_size", rank), sizes(arguments, "strides", rank, arguments.keras == 2)
    if isinstance(strides, tuple) and not all(strides):
        refuse("construction", f"strides {strides}: each must be at least 1")
    dilation = sizes(arguments, "dilation_rate", rank)
    pad, first = padding(arguments, causal=rank == 1 and pointwise and arguments.keras == 2), channels_first(arguments)
    activation(arguments)
    if arguments.keras == 2:
        _strides_and_dilation(strides, dilation)
    multiplier = _multiplier(arguments)
    shape = ranked(call.tensor())
    require_rank(shape, least=rank + 2)
    if len(shape) != rank + 2:
        if pointwise and arguments.keras == 2:
            raise Unclear
        refuse("build", f"expects rank {rank + 2}, got {len(shape)}: shape {text(shape)}")
    depth = channels(shape, first, rank)
    if pointwise:
        channel: Dimension = made_of(count)
    else:
        channel = depth * multiplier if isinstance(depth, int) else depth
    around = shape[2:] if first else shape[1:-1]
    if arguments.keras == 2 and multiplier < 0:
        refuse("build", f"weights cannot be made for depth_multiplier={multiplier}")
    if arguments.keras == 2 and {None, UNKNOWN} & set(around) and dilation != (1,) * rank:
        raise Unclear  # what TensorFlow then makes of the axes that are known differs from release to release
    after, mine = spatial(arguments, around, dilated(kernel, dilation), strides, pad, looks=arguments.keras == 3)
    found = (shape[0], channel, *after) if first else (shape[0], *after, channel)
    return Tensor(found, weighted(arguments, call.tensor(), mine))


def _multiplier(arguments: Arguments) -> int:
    value = arguments["depth_multiplier"]
    if isinstance(value, float):
        raise Unclear
    if not isinstance(value, int):
        raise Unclear
    if arguments.keras == 3 and value <= 0:
        refuse("construction", f"depth_multiplier={value}: at least 1 is expected")
    if value == 0:
        raise Unclear
    return value


_SEPARABLE = (
    f"filters, kernel_size, strides=1, padding='valid', data_format=None, dilation_rate=1, depth_multiplier=1, {_TAIL}"
)
_DEPTHWISE = f"kernel_size, strides=1, padding='valid', depth_multiplier=1, data_format=None, dilation_rate=1, {_TAIL}"
_PLAIN = f"filters, kernel_size, strides=1, padding='valid', data_format=None, dilation_rate=1, groups=1, {_TAIL}"

RULES = (
    *(Rule(f"Conv{rank}D", _PLAIN, partial(_convolve, rank=rank)) for rank in (1, 2, 3)),
    *(Rule(f"SeparableConv{rank}D", _SEPARABLE, partial(_separable, rank=rank, pointwise=True)) for rank in (1, 2)),
    *(Rule(f"DepthwiseConv{rank}D", _DEPTHWISE, partial(_separable, rank=rank, pointwise=False)) for rank in (1, 2)),
)
