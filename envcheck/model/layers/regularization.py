"""Dropout, noise and penalties: the shape stays.

Source: https://keras.io/api/layers/regularization_layers/ ; ``keras/src/layers/regularization`` of both versions.
"""

from __future__ import annotations

from functools import partial

from envcheck.model.layers.checked import channels_first
from envcheck.model.layers.dtypes import FLOATS, promised
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, ranked, refuse, require_rank
from envcheck.model.tensors import UNKNOWN, Output, Tensor, Unknown


def _share(arguments: Arguments, name: str) -> object:
    """A number from 0 to 1. Keras 2 checks it in ``Dropout`` alone, and only if it is a number at all."""
    value = arguments.look(name)
    if isinstance(value, Unknown):
        return value
    if arguments.keras == 3 and not (isinstance(value, (int, float)) and 0 <= value <= 1):
        refuse("construction", f"{name}={value!r} is not between 0 and 1")
    return value


def _seed(arguments: Arguments, share: object) -> None:
    """Keras 3 makes its generator at once, unless there is nothing to draw."""
    value = arguments.look("seed")
    if (
        arguments.keras == 3
        and not isinstance(value, (int, Unknown))
        and value is not None
        and share not in (0, UNKNOWN)
    ):
        refuse("construction", f"seed={value!r} is not a whole number")


def _drop(arguments: Arguments, call: Call, rank: int | None = None) -> Output:
    value = _share(arguments, "rate")
    if isinstance(value, (int, float)) and not 0 <= value <= 1:
        refuse("construction", f"rate={value!r} is not between 0 and 1")
    _seed(arguments, value)
    if rank in (2, 3):
        data_format = arguments["data_format"]
        if arguments.keras == 3:
            channels_first(arguments)
        elif data_format not in ("channels_last", "channels_first", None):
            refuse("construction", f"data_format={data_format!r} is not 'channels_last' or 'channels_first'")
    shape = ranked(call.tensor())
    if rank:
        require_rank(shape, exactly=rank + 2)
    dtype = promised(call.tensor(), arguments)
    if arguments.keras == 2:
        if not isinstance(value, (int, float, Unknown)):
            raise Unclear
        if dtype not in FLOATS:
            raise Unclear
    return Tensor(shape, dtype)


def _disturb(arguments: Arguments, call: Call, name: str, checked: bool = True) -> Output:
    """``AlphaDropout``, ``GaussianDropout`` and ``GaussianNoise``: Keras 2 takes any number.

    Under Keras 3 ``tf.keras.layers.AlphaDropout`` is a legacy layer that takes anything, ``keras.layers.AlphaDropout``
    is not: what is out of range is left open.
    """
    value = arguments.look(name)
    if arguments.keras == 3 and not checked:
        if not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise Unclear
    else:
        value = _share(arguments, name)
    _seed(arguments, value)
    dtype = promised(call.tensor(), arguments)
    if arguments.keras == 2 and (not isinstance(value, (int, float, Unknown)) or dtype not in FLOATS):
        raise Unclear
    return Tensor(call.tensor().shape, dtype)


def _penalize(arguments: Arguments, call: Call) -> Output:
    for name in ("l1", "l2"):
        value = arguments.look(name)
        if arguments.keras == 3 and isinstance(value, (int, float)) and value < 0:
            refuse("construction", f"{name}={value!r}: 0 or more is expected")
        if not isinstance(value, (int, float, Unknown)):
            raise Unclear
    dtype = promised(call.tensor(), arguments)
    if dtype not in FLOATS:
        raise Unclear
    return Tensor(call.tensor().shape, dtype)


RULES = (
    Rule("Dropout", "rate, noise_shape=None, seed=None", _drop),
    Rule("SpatialDropout1D", "rate", partial(_drop, rank=1)),
    Rule("SpatialDropout2D", "rate, data_format=None", partial(_drop, rank=2)),
    Rule("SpatialDropout3D", "rate, data_format=None", partial(_drop, rank=3)),
    Rule("AlphaDropout", "rate, noise_shape=None, seed=None", partial(_disturb, name="rate", checked=False)),
    Rule("GaussianDropout", "rate, seed=None", partial(_disturb, name="rate")),
    Rule("GaussianNoise", "stddev, seed=None", partial(_disturb, name="stddev")),
    Rule("ActivityRegularization", "l1=0.0, l2=0.0", _penalize),
)
