"""Preprocessing of numbers and images.

Source: https://keras.io/api/layers/preprocessing_layers/ ; ``keras/src/layers/preprocessing`` of both versions.
"""

from __future__ import annotations

from functools import partial

from envcheck.model.layers.checked import channels_first
from envcheck.model.layers.dtypes import FLOATS, computing
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, ranked, refuse
from envcheck.model.tensors import UNKNOWN, Dimension, Output, Tensor, Unknown, text

Dimensions = tuple[Dimension, ...]
_INTERPOLATIONS = ("area", "bicubic", "bilinear", "gaussian", "lanczos3", "lanczos5", "mitchellcubic", "nearest")


def _rescale(arguments: Arguments, call: Call) -> Output:
    dtype = computing(arguments)
    if arguments.keras == 2:
        for name in ("scale", "offset"):
            value = arguments.look(name)
            if value is None:
                refuse("call", f"{name}={value!r} is not a number")
            if not isinstance(value, (int, float, Unknown)):  # text is cast, and fails once there is data
                raise Unclear
        if dtype not in FLOATS or call.tensor().dtype in ("string", UNKNOWN):
            raise Unclear
    return Tensor(call.tensor().shape, dtype)


def _shape_of(value: object) -> tuple[int, ...]:
    """The shape of a number or a flat list of them."""
    if isinstance(value, (int, float)):
        return ()
    if isinstance(value, (tuple, list)) and all(isinstance(each, (int, float)) for each in value):
        return (len(value),)
    raise Unclear


def _kept_axes(arguments: Arguments) -> list[int]:
    value = arguments["axis"]
    if isinstance(value, str):
        raise Unclear
    found: list[int] = []
    for each in [] if value is None else list(value) if isinstance(value, (tuple, list)) else [value]:
        if not isinstance(each, int):
            raise Unclear
        found.append(each)
    return found


def _means(arguments: Arguments, axes: list[int]) -> set[tuple[int, ...]]:
    """The shapes of mean and variance, where they are given."""
    mean, variance = arguments["mean"], arguments["variance"]
    if (mean is None) != (variance is None):
        refuse("construction", "mean and variance must both be given, or neither")
    if mean is None:
        return set()
    sizes = _shape_of(mean), _shape_of(variance)
    if arguments.keras == 3 and sizes[0] != sizes[1]:
        refuse("construction", f"mean of shape {sizes[0]} and variance of shape {sizes[1]}", "normalization-mean")
    if arguments.keras == 3 and len(sizes[0]) > len(axes):
        refuse("construction", f"mean of shape {sizes[0]} for {len(axes)} axes", "normalization-mean")
    return set(sizes)


def _normalize(arguments: Arguments, call: Call) -> Output:
    axes = _kept_axes(arguments)
    sizes = _means(arguments, axes)
    shape = ranked(call.tensor())
    for each in axes:
        if not -len(shape) <= each < len(shape):
            refuse("build", f"axis {each} of a tensor of rank {len(shape)}: shape {text(shape)}")
    kept = sorted(each % len(shape) for each in axes)
    if len(set(kept)) != len(kept):
        raise Unclear
    for each in kept:
        if shape[each] is None:
            refuse("build", f"axis {each} must be known, and is free (None): shape {text(shape)}")
    for size in sizes:
        _fits(arguments, size, [shape[each] for each in kept], shape)
    dtype = computing(arguments)
    if dtype not in FLOATS or call.tensor().dtype == "string" or (arguments.keras == 2 and len(shape) == 1):
        raise Unclear
    return Tensor(shape, dtype)


def _fits(arguments: Arguments, size: tuple[int, ...], kept: list[Dimension], shape: Dimensions) -> None:
    """A mean of one axis against the axes that are kept: equal, or 1. Keras 2 multiplies first, and then reshapes."""
    if not size or UNKNOWN in kept:
        return
    if not kept:
        if size == (1,):
            return
        refuse("build", f"{size[0]} means for no axis: shape {text(shape)}")
    last = kept[-1]
    if size[0] not in (1, last):
        if arguments.keras == 2 and last == 1 and len(kept) > 1:
            raise Unclear
        refuse("build", f"{size[0]} means for an axis of {last}: shape {text(shape)}")


def _side(arguments: Arguments, name: str) -> object:
    value = arguments.look(name)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if value is None or isinstance(value, Unknown):
        return value
    raise Unclear


def _sides(arguments: Arguments) -> tuple[Dimension, Dimension]:
    """Height and width. Nobody looks at them before the call; Keras 3 lets None and 0 pass there."""
    found: list[Dimension] = []
    for name in ("height", "width"):
        value = _side(arguments, name)
        if isinstance(value, float) or (arguments.keras == 2 and value is None):
            refuse("call", f"{name}={value!r}: a whole number above 0 is expected")
        assert value is None or isinstance(value, (int, Unknown))
        if isinstance(value, int) and value < 0 and arguments.keras == 3:
            refuse("call", f"{name}={value}: a whole number above 0 is expected")
        if isinstance(value, int) and value <= 0 and arguments.keras == 2:
            raise Unclear
        found.append(value)
    return found[0], found[1]


def _sized(arguments: Arguments, call: Call, name: str) -> Output:
    """``Resizing``, ``CenterCrop``, ``RandomCrop``: height and width are what is asked for."""
    if name == "Resizing" and arguments.keras == 2:
        value = arguments["interpolation"]
        if not isinstance(value, str) or value.lower() not in _INTERPOLATIONS:
            refuse("construction", f"interpolation={value!r} is not one of {', '.join(_INTERPOLATIONS)}")
    first = arguments.keras == 3 and channels_first(arguments)
    shape = list(ranked(call.tensor()))
    rank = len(shape)
    dtype = computing(arguments)
    if rank not in (3, 4) and (arguments.keras == 2 or name == "CenterCrop" or rank < (2 if name == "Resizing" else 3)):
        refuse("call", f"an image of rank 3, or images of rank 4, are expected, got {rank}: shape {text(tuple(shape))}")
    height, width = _sides(arguments)
    if arguments.keras == 2 and (dtype not in FLOATS or call.tensor().dtype == "string"):
        raise Unclear
    if first and (rank < 3 or rank > 4):
        raise Unclear
    at = rank - (2 if first else 3)  # counted from the end
    if name != "RandomCrop" and rank != 4:
        at = 1 if first else 0
    if arguments.keras == 2 and rank == 4 and (name != "Resizing" or arguments["crop_to_aspect_ratio"]):
        shape[0] = _batch_left(shape, name == "RandomCrop")
    shape[at], shape[at + 1] = height, width
    if arguments.keras == 2 and name != "Resizing" and None in (shape[-1],):
        raise Unclear
    return Tensor(tuple(shape), _left(arguments, call, dtype))


def _batch_left(shape: list[Dimension], at_random: bool) -> Dimension:
    """TensorFlow forgets the batch where it must look at the image first; some releases of Keras 2, wherever chance decides."""
    if at_random:
        return None if shape[0] is None else UNKNOWN
    if None in shape[1:3]:
        return None
    return UNKNOWN if UNKNOWN in shape[1:3] and shape[0] is not None else shape[0]


def _bounds(value: object) -> tuple[float, float]:
    """Lower and upper of a factor. Only what every release takes alike is judged."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return -value, value
    if isinstance(value, (tuple, list)) and len(value) == 2 and all(isinstance(each, (int, float)) for each in value):
        low, high = value
        if -1 <= low <= high <= 1:
            return low, high
    raise Unclear


def _factor(arguments: Arguments, name: str, most: float | None, least: float | None, ordered: bool) -> None:
    """A factor that is no number, turned round, or out of range.

    Args:
        arguments: The layer's.
        name: The factor's.
        most: How far from 0 Keras 2 lets it go; None for no limit.
        ordered: Whether the lower end must be below the upper one.
        least: What neither end may be below, in both versions; None for layers that Keras 3 has rewritten.
    """
    value = arguments[name]
    if isinstance(value, str):
        refuse("construction", f"{name}={value!r} is not a number, or a pair of them")
    pair = value if isinstance(value, (tuple, list)) else (value, value)
    if len(pair) != 2 or not all(isinstance(each, (int, float)) for each in pair):
        raise Unclear
    low, high = (-pair[0], pair[0]) if pair is not value else (pair[0], pair[1])
    if arguments.keras == 3 and least is None:
        return
    if ordered and high < low:
        refuse("construction", f"{name}={value!r}: the upper end is below the lower one")
    if most is not None and max(abs(low), abs(high)) > most:
        refuse("construction", f"{name}={value!r}: at most {most} in either direction")
    if least is not None and low < least:
        refuse("construction", f"{name}={value!r}: above {least} is expected")


def _left(arguments: Arguments, call: Call, dtype: str) -> str | Unknown:
    """The dtype of an image. The first own releases of Keras leave one of integers as it is."""
    return dtype if arguments.keras == 3 or call.tensor().dtype == dtype else UNKNOWN


def _augment(
    arguments: Arguments,
    call: Call,
    names: tuple[str, ...],
    free: int | None = None,
    most: float | None = None,
    turned: bool = True,
    ordered: bool = True,
) -> Output:
    """Layers that change an image at random and leave its shape; ``free`` is an axis that they do change."""
    for name in names:
        value = arguments.look(name)
        if value is None and name == "width_factor" and not arguments.given(name):
            continue
        if turned:
            _factor(arguments, name, most, None if free is None else -1.0, ordered)
        _bounds(arguments[name])
    shape = list(ranked(call.tensor()))
    if len(shape) not in (3, 4):
        raise Unclear
    dtype = computing(arguments)
    if dtype not in FLOATS or call.tensor().dtype in ("bool", "string", UNKNOWN):
        raise Unclear
    if free is not None:
        shape[free] = None
    if arguments.keras == 2 and len(shape) == 4 and shape[0] is not None:
        shape[0] = UNKNOWN
    return Tensor(tuple(shape), _left(arguments, call, dtype))


def _contrast(arguments: Arguments, call: Call) -> Output:
    value = arguments["factor"]
    pair = (
        isinstance(value, (tuple, list)) and len(value) == 2 and all(isinstance(each, (int, float)) for each in value)
    )
    if arguments.keras == 2 and isinstance(value, (tuple, list)) and pair and (min(value) < 0 or value[0] > 1):
        refuse("construction", f"factor={value!r}: numbers between 0 and 1 are expected")
    return _augment(arguments, call, ("factor",), turned=False)


def _flip(arguments: Arguments, call: Call) -> Output:
    value = arguments["mode"]
    if arguments.keras == 2 and value not in ("horizontal", "vertical", "horizontal_and_vertical"):
        refuse("construction", f"mode={value!r} is not 'horizontal', 'vertical' or 'horizontal_and_vertical'")
    return _augment(arguments, call, ())


_BOTH = ("height_factor", "width_factor")
_RESIZING = "height, width, interpolation='bilinear', crop_to_aspect_ratio=False"

RULES = (
    Rule("Rescaling", "scale, offset=0.0", _rescale),
    Rule("Normalization", "axis=-1, mean=None, variance=None, invert=False", _normalize),
    Rule("Resizing", _RESIZING, partial(_sized, name="Resizing")),
    Rule("CenterCrop", "height, width, data_format=None", partial(_sized, name="CenterCrop")),
    Rule("RandomCrop", "height, width, seed=None, data_format=None", partial(_sized, name="RandomCrop")),
    Rule("RandomContrast", "factor", _contrast),
    Rule("RandomFlip", "mode='horizontal_and_vertical'", _flip),
    Rule("RandomBrightness", "factor", partial(_augment, names=("factor",), turned=False)),
    Rule("RandomRotation", "factor", partial(_augment, names=("factor",))),
    Rule("RandomHeight", "factor", partial(_augment, names=("factor",), free=-3)),
    Rule("RandomWidth", "factor", partial(_augment, names=("factor",), free=-2)),
    Rule("RandomTranslation", "height_factor, width_factor", partial(_augment, names=_BOTH, most=1.0)),
    Rule("RandomZoom", "height_factor, width_factor=None", partial(_augment, names=_BOTH, most=1.0, ordered=False)),
)
