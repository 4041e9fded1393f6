"""Activations as layers: the shape stays.

Source: https://keras.io/api/layers/activation_layers/ ; ``keras/src/layers/activation(s)`` of both versions.
"""

from __future__ import annotations

from envcheck.model.layers.checked import activation
from envcheck.model.layers.dtypes import FLOATS, computing, policy, promised, refuse_whole
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, ranked, refuse
from envcheck.model.tensors import Dimension, Output, Tensor, Unknown, text


def _same(arguments: Arguments, call: Call) -> Output:
    """The tensor as it came. In Keras 2 what an activation makes of integers is left open."""
    dtype = promised(call.tensor(), arguments)
    if dtype not in FLOATS or (arguments.keras == 2 and computing(arguments) not in FLOATS):
        raise Unclear
    return Tensor(call.tensor().shape, dtype)


def _activation(arguments: Arguments, call: Call) -> Output:
    activation(arguments)
    if arguments.keras == 2 and arguments.look("activation") == "softmax" and len(ranked(call.tensor())) == 1:
        refuse("call", "softmax of a tensor of rank 1")
    return _same(arguments, call)


def _at_least_zero(arguments: Arguments, name: str, optional: bool = False) -> None:
    value = arguments.look(name)
    if isinstance(value, Unknown) or (optional and value is None):
        return
    if not isinstance(value, (int, float)) or value < 0:
        refuse("construction", f"{name}={value!r}: a number of 0 or more is expected")


def _relu(arguments: Arguments, call: Call) -> Output:
    _at_least_zero(arguments, "max_value", optional=True)
    _at_least_zero(arguments, "negative_slope")
    _at_least_zero(arguments, "threshold")
    return _same(arguments, call)


def _leaky(arguments: Arguments, call: Call) -> Output:
    """Keras 3 calls the slope ``negative_slope`` and still takes ``alpha``."""
    name = "alpha" if arguments.keras == 2 or arguments.given("alpha") else "negative_slope"
    if arguments.keras == 3:
        _at_least_zero(arguments, name)
    elif arguments.look(name) is None:
        refuse("construction", "alpha=None: a number is expected")
    return _same(arguments, call)


def _elu(arguments: Arguments, call: Call) -> Output:
    if arguments.keras == 2 and arguments.look("alpha") is None:
        refuse("construction", "alpha=None: a number is expected")
    return _same(arguments, call)


def _thresholded(arguments: Arguments, call: Call) -> Output:
    _at_least_zero(arguments, "theta")
    return _same(arguments, call)


def _parametric(arguments: Arguments, call: Call) -> Output:
    axes = arguments["shared_axes"]
    shape = list(ranked(call.tensor())[1:])
    shared = [] if axes is None else list(axes) if isinstance(axes, (tuple, list)) else [axes]
    for axis in shared:
        if not isinstance(axis, int) or not -len(shape) <= axis - 1 < len(shape):
            refuse("build", f"shared_axes={axes!r} does not fit the input: shape {text(ranked(call.tensor()))}")
        shape[axis - 1] = 1
    if None in shape:
        refuse("build", f"an axis of the slopes is free (None): shape {text(ranked(call.tensor()))}")
    dtype = promised(call.tensor(), arguments)
    if arguments.keras == 2:
        weights = policy(arguments)[1]
        if weights not in FLOATS:
            raise Unclear
        if dtype not in FLOATS:
            refuse_whole(dtype, weights)
    return Tensor(call.tensor().shape, dtype)


def _softmax(arguments: Arguments, call: Call) -> Output:
    """The axis is looked at in Keras 2 only, and in Keras 3 once there is data."""
    axis = arguments.look("axis")
    shape = ranked(call.tensor())
    dtype = promised(call.tensor(), arguments)
    if arguments.keras == 2 and not isinstance(axis, Unknown):
        _softmax_axis(axis, shape)
        if dtype not in FLOATS:
            refuse("call", f"softmax of dtype {dtype}: a float dtype is expected")
    return Tensor(shape, dtype)


def _softmax_axis(axis: object, shape: tuple[Dimension, ...]) -> None:
    axes = list(axis) if isinstance(axis, (tuple, list)) else [axis]
    if len(shape) == 1:
        if len(axes) != 1:
            raise Unclear
        refuse("call", f"softmax of a tensor of rank 1: shape {text(shape)}", "softmax-one-axis")
    for each in axes:
        if not isinstance(each, int):
            raise Unclear
        if not -len(shape) <= each < len(shape):
            refuse("call", f"axis {each} of a tensor of rank {len(shape)}: shape {text(shape)}")


RULES = (
    Rule("Activation", "activation", _activation),
    Rule("ReLU", "max_value=None, negative_slope=0.0, threshold=0.0", _relu),
    Rule("LeakyReLU", "alpha=0.3", _leaky, "negative_slope=0.3"),
    Rule("ELU", "alpha=1.0", _elu),
    Rule("ThresholdedReLU", "theta=1.0", _thresholded),
    Rule(
        "PReLU",
        "alpha_initializer='zeros', alpha_regularizer=None, alpha_constraint=None, shared_axes=None",
        _parametric,
    ),
    Rule("Softmax", "axis=-1", _softmax),
)
