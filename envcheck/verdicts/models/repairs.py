"""What to do about a layer that Keras refuses, as exactly as the source tells it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from envcheck.model.events import LayerCalled, Made
from envcheck.model.tensors import UNKNOWN, Shape, Tensor, Unknown, text
from envcheck.verdicts.models.faults import short
from envcheck.verdicts.models.told import Told

RECURRENT = frozenset(("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "CuDNNLSTM", "CuDNNGRU"))
MERGING = frozenset(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"))
RANKS = {"1D": 3, "2D": 4, "3D": 5}
"""Rank of the input of layers whose names end so."""
FORMER = {("GaussianNoise", "stddev"): "sigma", ("Dropout", "rate"): "p", ("Dense", "units"): "output_dim"}
"""Arguments that had another name in Keras 1: https://github.com/keras-team/keras/wiki/Keras-2.0-release-notes"""


def of_arguments(layer: Made, reason: str) -> str:
    """What to do about an argument that Keras refuses for this reason."""
    for pattern, repair in _ARGUMENTS:
        match = re.search(pattern, reason)
        if match is not None:
            return repair(layer, match)
    return "correct the argument"


def _missing(layer: Made, match: re.Match[str]) -> str:
    name, argument = short(layer.name), match[1]
    former = FORMER.get((name, argument))
    return f"give {name} its {argument}=" + (f" ({former}= was its name in Keras 1)" if former else "")


def _share(layer: Made, match: re.Match[str]) -> str:
    name, argument = short(layer.name), match[1]
    if argument == "rate":
        return f"a rate is a fraction between 0 and 1: {name}(0.5), not {name}(50)"
    return f"give {argument} a number between 0 and 1"


def _borders(layer: Made, match: re.Match[str]) -> str:
    value = layer.argument(match[1], 0)
    rank = int(match[2])
    if isinstance(value, (tuple, list)) and len(value) == 2 * rank and all(isinstance(each, int) for each in value):
        pairs = tuple(tuple(value[at : at + 2]) for at in range(0, 2 * rank, 2))
        return f"write pairs: {match[1]}={pairs}"
    return f"give one whole number, {rank} of them, or {rank} pairs such as {((1, 2),) * rank}"


def _padding(layer: Made, _: re.Match[str]) -> str:
    sizes = layer.positional[1:]
    if len(sizes) > 1 and all(isinstance(each, int) for each in sizes):
        return f"kernel_size is one argument: {short(layer.name)}({layer.positional[0]!r}, {tuple(sizes)})"
    return "choose one of these"


def _axis(_: Made, match: re.Match[str]) -> str:
    return f"Keras 3 takes a single axis: axis={match[1]}"


def _always(advice: str) -> Callable[[Made, re.Match[str]], str]:
    return lambda _layer, _match: advice


_ARGUMENTS: Sequence[tuple[str, Callable[[Made, re.Match[str]], str]]] = (
    (r"^argument '(\w+)' is missing", _missing),
    (r"above 1 together with dilation", _always("use strides or dilation_rate, not both")),
    (r"^(\w+)=\S+ is not between 0 and 1", _share),
    (r"^(padding|cropping)=.* is not a whole number, or (\d) of them", _borders),
    (r"^padding=\d+ is not 'valid'", _padding),
    (r"^output_mode=None is not one of int,", _always("leave output_mode out: 'int' is the default")),
    (
        r"one of num_bins and bin_boundaries is needed",
        _always("give num_bins=… and call adapt(), or bin_boundaries=[…]"),
    ),
    (r"^axis=\[(-?\d+)\] is not one whole number", _axis),
    (r"cannot be divided by groups=", _always("choose filters that groups divides")),
    (r"^(units|filters)=", _always("give a whole number of at least 1: max(1, int(n)) where it is computed")),
    (r" is not one of | is not '\w+'(, '\w+')* or '\w+'", _always("choose one of these")),
)
"""By the words of the rules in ``envcheck/model/layers``."""


def of_inputs(told: Told, event: LayerCalled, reason: str) -> str:
    """What to do about a tensor that a layer does not take for this reason."""
    name = short(event.layer.name)
    first = event.inputs[0] if event.inputs else Tensor()
    if "and its weights are" in reason:
        return "make floats of it first: x.astype('float32'), or tf.cast(x, 'float32')"
    if "takes a single tensor" in reason:
        return "call it on one tensor: concatenate them before, or let a layer of your own do it for each step"
    if name in MERGING:
        return (
            "bring the tensors to one shape before: padding='same', Cropping or ZeroPadding, a Dense or 1×1 convolution; "
            "in a U-Net, take an input size that all poolings divide"
        )
    if not isinstance(first.shape, Unknown):
        wrong_rank = _of_rank(name, first.shape, told.layer_before(first))
        if wrong_rank:
            return wrong_rank
    if any(word in reason for word in ("kernel", "pool", "negative")):
        return _channels(event, told.beginning(first)) + "use padding='same', fewer poolings, or a larger input"
    if name == "Dense":
        return "give the axis before it a fixed size, or use a GlobalAveragePooling layer instead of Flatten"
    if name == "Reshape":
        return "the numbers of the target shape multiply to the size of one sample; one of them may be -1"
    return "change the layer, or the shape that reaches it"


def _of_rank(name: str, shape: tuple[object, ...], before: str) -> str:
    """What to do about a tensor with another number of axes than a layer takes; empty where the number is right."""
    rank = len(shape)
    expected = RANKS.get(name.removesuffix("Transpose")[-2:])
    if name in RECURRENT and rank == 2 and before in RECURRENT:
        return f"give the {before} before it return_sequences=True: it returns its last step alone"
    if name in RECURRENT and rank == 2:
        return "a recurrent layer takes (batch, steps, features): declare Input((steps, features)), or put a Reshape before it"
    if name in RECURRENT and rank > 3:
        return f"put Reshape((steps, features)) or TimeDistributed(Flatten()) before the {name}, or use ConvLSTM2D"
    if expected == rank + 1:
        declared = text((*shape[1:], 1)) if UNKNOWN not in shape else "(…, 1)"  # type: ignore[arg-type]
        return f"the last axis holds channels, for grey images too: declare {declared}, and give the data that axis, x[..., None]"
    if expected is not None and expected != rank:
        return f"use the {name} of the data's rank, or a Reshape before it"
    return ""


def _channels(event: LayerCalled, shape: Shape) -> str:
    """A word on an Input of images of which the channels seem to come first."""
    if not isinstance(event.layer, Made) or isinstance(shape, Unknown) or len(shape) != 4:
        return ""
    _, first, *others = shape
    sizes = [each for each in others if isinstance(each, int)]
    if first not in (1, 3, 4) or len(sizes) != 2 or min(sizes) < 16:
        return ""
    if event.layer.argument("data_format", default=None) is not None:
        return ""
    declared = text(shape[1:])
    return f"the input {declared} looks like channels first: data_format='channels_first', or move the axis; otherwise "
