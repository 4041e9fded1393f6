"""Normalization: the shape stays, the axis must be there and be known.

Source: https://keras.io/api/layers/normalization_layers/ ; ``keras/src/layers/normalization`` of both versions.
"""

from __future__ import annotations

from envcheck.model.layers.dtypes import FLOATS, policy
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, ranked, refuse, refusing
from envcheck.model.tensors import Dimension, Output, Tensor, Unknown, text


def _axes(arguments: Arguments, several: bool = True) -> list[int]:
    """The axes as the constructor takes them."""
    value = arguments["axis"]
    if isinstance(value, int):
        return [value]
    if not several or not isinstance(value, (tuple, list)):
        refuse("construction", f"axis={value!r} is not a whole number" + (" or a list of them" if several else ""))
    found = []
    for each in value:
        if not isinstance(each, int):
            raise Unclear
        found.append(each)
    return found


def _inside(axes: list[int], shape: tuple[Dimension, ...]) -> list[int]:
    """The axes counted from the first one. One that is not there is refused when the layer is built."""
    for each in axes:
        if not -len(shape) <= each < len(shape):
            refuse("build", f"axis {each} of a tensor of rank {len(shape)}: shape {text(shape)}")
    found = [each % len(shape) for each in axes]
    if len(set(found)) != len(found):
        raise Unclear
    return found


def _sized(axes: list[int], shape: tuple[Dimension, ...]) -> None:
    for each in axes:
        if shape[each] is None:
            refuse("build", f"axis {each} must be known for the weights, and is free (None): shape {text(shape)}")


def _weights(arguments: Arguments) -> bool:
    return bool(arguments["scale"]) or bool(arguments["center"])


def _floats(arguments: Arguments) -> str:
    """The dtype that comes out. A policy of whole numbers is left open."""
    found, weights = policy(arguments)
    if found not in FLOATS or weights not in FLOATS:
        raise Unclear
    return found


_ONLY_2 = ("fused", "renorm", "renorm_clipping", "renorm_momentum", "virtual_batch_size", "adjustment")
"""Arguments of ``BatchNormalization`` that Keras 3 does not know."""


def _batch(arguments: Arguments, call: Call) -> Output:
    if arguments.keras == 3:
        if any(arguments.given(name) for name in _ONLY_2):
            raise Unclear  # refused before the axis is looked at: the check of arguments tells it
        value = arguments["axis"]
        with refusing("construction", f"axis={value!r} is not one whole number"):
            if isinstance(value, (tuple, list)) or value is None:
                raise TypeError
            axes = [int(str(value)) if isinstance(value, str) else int(value)]  # type: ignore[call-overload]
    else:
        axes = _axes(arguments)
    shape = ranked(call.tensor())
    axes = _inside(axes, shape)
    _sized(axes, shape)
    return Tensor(shape, _floats(arguments))


def _layer(arguments: Arguments, call: Call) -> Output:
    axes = _axes(arguments)
    shape = ranked(call.tensor())
    axes = _inside(axes, shape)
    if _weights(arguments):
        _sized(axes, shape)
    elif arguments.keras == 2:
        raise Unclear
    return Tensor(shape, _floats(arguments))


def _rms(arguments: Arguments, call: Call) -> Output:
    value = arguments["axis"]
    if not isinstance(value, (int, tuple, list)):
        ranked(call.tensor())
        refuse("build", f"axis={value!r} is not a whole number or a list of them")
    axes = _axes(arguments)
    shape = ranked(call.tensor())
    axes = _inside(axes, shape)
    _sized(axes, shape)
    return Tensor(shape, _floats(arguments))


def _unit(arguments: Arguments, call: Call) -> Output:
    """``UnitNormalization``. Early releases of Keras 3 do not look at the axis."""
    axes = _axes(arguments)
    shape = ranked(call.tensor())
    early = arguments.keras == 2
    for each in axes:
        if not -len(shape) <= each < len(shape):
            reason = f"axis {each} of a tensor of rank {len(shape)}: shape {text(shape)}"
            refuse("build" if early else "call", reason, "unit-normalization-axis")
    return Tensor(shape, _floats(arguments))


def _group(arguments: Arguments, call: Call) -> Output:
    groups, axis = arguments["groups"], arguments["axis"]
    if arguments.keras == 3 and (not isinstance(groups, int) or (groups <= 0 and groups != -1)):
        refuse("construction", f"groups={groups!r}: a whole number above 0, or -1, is expected", "newly-checked")
    if not isinstance(groups, int) or not isinstance(axis, int):
        raise Unclear
    shape = ranked(call.tensor())
    if arguments.keras == 2 and call.tensor().dtype not in FLOATS:
        raise Unclear
    _inside([axis], shape)
    size = shape[axis]
    if size is None:
        refuse("build", f"axis {axis} must be known, and is free (None): shape {text(shape)}")
    if isinstance(size, Unknown):
        return Tensor(shape, _floats(arguments))
    groups = size if groups == -1 else groups
    if groups <= 0:
        raise Unclear
    if size < groups:
        refuse("build", f"{groups} groups of {size} channels: shape {text(shape)}")
    if size % groups:
        refuse("build", f"{size} channels cannot be divided by {groups} groups: shape {text(shape)}")
    return Tensor(shape, _floats(arguments))


_TAIL = "epsilon=0.001, center=True, scale=True"

RULES = (
    Rule("BatchNormalization", f"axis=-1, momentum=0.99, {_TAIL}", _batch),
    Rule("LayerNormalization", f"axis=-1, {_TAIL}", _layer),
    Rule("RMSNormalization", "axis=-1, epsilon=1e-06", _rms, only=3),
    Rule("UnitNormalization", "axis=-1", _unit),
    Rule("GroupNormalization", f"groups=32, axis=-1, {_TAIL}", _group),
)
