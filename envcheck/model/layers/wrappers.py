"""Layers around another layer.

Source: https://keras.io/api/layers/recurrent_layers/time_distributed/ , …/bidirectional/ ,
https://keras.io/api/layers/normalization_layers/spectral_normalization/ .
"""

from __future__ import annotations

from contextlib import suppress

from envcheck.model.layers.dtypes import computing
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, WrongRank, ranked, refuse
from envcheck.model.tensors import Dimension, Layer, Output, Refused, Tensor, Unknown, text

_RECURRENT = frozenset(("SimpleRNN", "GRU", "LSTM", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"))
_WITH_KERNEL = frozenset(
    (
        *("Dense", "EinsumDense", "Embedding", "Conv1D", "Conv2D", "Conv3D"),
        *("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
    )
)
_WITHOUT_KERNEL = frozenset(
    (
        *("Flatten", "Reshape", "Permute", "RepeatVector", "Dropout", "Activation", "ReLU", "Masking", "LSTM", "GRU"),
        *("SimpleRNN", "BatchNormalization", "LayerNormalization", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D"),
        *("AveragePooling1D", "AveragePooling2D", "AveragePooling3D"),
    )
)

_BUILT_FROM_LAST_AXIS = frozenset(
    (
        *("Dense", "LSTM", "GRU", "SimpleRNN", "Flatten", "Dropout", "Activation", "ReLU", "Masking", "RepeatVector"),
        *("MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D"),
    )
)
"""Layers whose building looks at the last axis of the input, or at nothing."""


def _inner(arguments: Arguments, name: str = "layer") -> Layer:
    """The layer inside, which was made before: what it refuses when it is made comes first."""
    value = arguments[name]
    if isinstance(value, Layer):
        arguments.inside.bind(value)
        _made(arguments, value)
        return value
    if isinstance(value, (int, float, str, tuple, list)) or value is None:
        refuse("construction", f"{name}={value!r} is not a layer")
    raise Unclear


def _made(arguments: Arguments, layer: Layer) -> None:
    try:
        with suppress(Unclear):
            arguments.inside.apply(layer, Tensor(), {})
    except Refused as refusal:
        if refusal.stage == "construction":  # what comes later depends on what it is called on
            raise


def _one(found: Output) -> Tensor:
    if isinstance(found, Tensor):
        return found
    raise Unclear


def _distribute(arguments: Arguments, call: Call) -> Output:
    """``TimeDistributed``: the layer sees the input without its second axis.

    Keras 3 never asks the inner layer's ``input_spec``, and takes no list, whatever is inside; Keras 2 folds the steps into
    the batch.
    """
    if arguments.keras == 3 and not isinstance(call.inputs, Tensor):
        count = len(call.inputs)
        many = "" if count == 1 else "s"
        refuse("build", f"it gets a list of {count} tensor{many}, and that of Keras 3 takes a single tensor")
    layer = _inner(arguments)
    shape = ranked(call.tensor())
    if len(shape) < 3:
        refuse("build", f"TimeDistributed expects at least rank 3, got {len(shape)}: shape {text(shape)}")
    batch = shape[0] if arguments.keras == 3 else None
    name, inside = arguments.inside.bind(layer)
    if inside.look("stateful"):
        raise Unclear
    dtype = computing(arguments)
    try:
        found = _one(arguments.inside.apply(layer, Tensor((batch, *shape[2:]), call.tensor().dtype), {}))
    except WrongRank:
        # Keras 2 asks it in the call, after the layer was built.
        if arguments.keras == 3 or shape[-1] is None or name not in _BUILT_FROM_LAST_AXIS:
            raise Unclear from None
        raise
    after = ranked(found)
    if arguments.keras == 2:
        return Tensor((shape[0], shape[1], *after[1:]), found.dtype)
    return Tensor((after[0], shape[1], *after[1:]), dtype)


def _bidirectional(arguments: Arguments, call: Call) -> Output:
    layer = _inner(arguments)
    name, forward = arguments.inside.bind(layer)
    mode = arguments["merge_mode"]
    if mode not in ("sum", "mul", "ave", "concat", None):
        refuse("construction", f"merge_mode={mode!r} is not 'sum', 'mul', 'ave', 'concat' or None")
    if name not in _RECURRENT:
        refuse("construction", f"Bidirectional wants a recurrent layer, not {name}")
    if forward.given("time_major") or call.keywords.get("initial_state") is not None:
        raise Unclear
    _backwards(arguments, forward)
    found = arguments.inside.apply(layer, call.tensor(), {})
    if isinstance(found, Unknown):
        raise Unclear
    if arguments.keras == 3 and forward["stateful"] and forward["return_state"]:
        _stateful_states(name)
    first, *states = found if isinstance(found, tuple) else (found,)
    dtype = first.dtype if arguments.keras == 2 else computing(arguments)
    shape = ranked(first)
    if mode == "concat":
        shape = (*shape[:-1], _twice(shape[-1]))
    outputs = [Tensor(shape, dtype)] * (2 if mode is None else 1)
    tensors = [*outputs, *(Tensor(each.shape, dtype) for each in (*states, *states))]
    return tensors[0] if len(tensors) == 1 else tuple(tensors)


def _stateful_states(name: str) -> None:
    """A defect of Keras 3 (seen in 3.3 and 3.15): its symbolic call multiplies a generator."""
    if name not in ("SimpleRNN", "GRU", "LSTM"):
        raise Unclear
    refuse("call", f"Bidirectional of Keras 3 cannot return the states of a stateful {name}")


def _twice(size: Dimension) -> Dimension:
    if size is None:
        raise Unclear
    return size * 2 if isinstance(size, int) else size


def _backwards(arguments: Arguments, forward: Arguments) -> None:
    """The other direction: its own layer, or the same one turned round."""
    value = arguments.look("backward_layer")
    if value is None:
        # Keras 2 turns the direction round, Keras 3 sets it: then both go backwards.
        if arguments.keras == 3 and forward["go_backwards"]:
            refuse("construction", "both directions go backwards: go_backwards=True in the layer given")
        return
    if not isinstance(value, Layer):
        raise Unclear
    _, backward = arguments.inside.bind(_inner(arguments, "backward_layer"))
    if backward["go_backwards"] == forward["go_backwards"]:
        refuse("construction", "both layers go the same way: one needs go_backwards=True")
    for name in ("stateful", "return_sequences", "return_state"):
        if backward[name] != forward[name]:
            refuse("construction", f"{name} is {forward[name]} in one direction and {backward[name]} in the other")
    if backward.look("units") != forward.look("units"):
        raise Unclear


def _spectral(arguments: Arguments, call: Call) -> Output:
    layer = _inner(arguments)
    power = arguments.look("power_iterations")
    if isinstance(power, (int, float)) and power <= 0:
        refuse("construction", f"power_iterations={power}: at least 1 is expected")
    shape = ranked(call.tensor())
    name, _ = arguments.inside.bind(layer)
    try:
        found = _one(arguments.inside.apply(layer, call.tensor(), {}))
    except WrongRank:
        raise Unclear from None
    except Refused as refusal:
        if name in _WITHOUT_KERNEL:
            raise Unclear from refusal
        raise
    if name in _WITHOUT_KERNEL:
        refuse("build", f"SpectralNormalization wants a layer with a kernel, not {name}")
    if name not in _WITH_KERNEL or shape[-1] is None:
        raise Unclear
    return Tensor(found.shape, found.dtype if arguments.keras == 2 else computing(arguments))


RULES = (
    Rule("TimeDistributed", "layer", _distribute),
    Rule("Bidirectional", "layer, merge_mode='concat', weights=None, backward_layer=None", _bidirectional),
    Rule("SpectralNormalization", "layer, power_iterations=1", _spectral),
)
