"""What a model's output and its loss are, as far as the source tells."""

from __future__ import annotations

import re
from dataclasses import dataclass

from envcheck.model.events import Made, Model, Reference
from envcheck.model.tensors import UNKNOWN, Shape, Unknown
from envcheck.verdicts.models.faults import short

CATEGORICAL = "categorical_crossentropy"
SPARSE = "sparse_categorical_crossentropy"
BINARY = "binary_crossentropy"
CROSSENTROPIES = frozenset((CATEGORICAL, SPARSE, BINARY))
DISTANCES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "huber_loss": "huber",
    "logcosh": "log_cosh",
}
REGRESSIONS = frozenset((*DISTANCES.values(), "huber", "log_cosh"))
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss that is one of Keras's own: its function's name, and whether it takes logits (UNKNOWN: it cannot be told)."""

    name: str
    from_logits: object = False


def loss(value: object) -> Loss | None:
    """What stands as ``loss`` in ``compile``; None where it is none of Keras's own, or several."""
    if isinstance(value, str):
        return Loss(_plain(value))
    if isinstance(value, Reference) and not value.own and value.name.startswith("keras."):
        return Loss(_plain(short(value.name)))
    if isinstance(value, Made) and value.own is None and value.name.startswith("keras.losses."):
        name = _plain(short(value.name))
        if value.argument("reduction", default="") in ("none", UNKNOWN):
            return None
        place = 1 if name == SPARSE and not isinstance(value.argument("from_logits", 0), (bool, Unknown)) else 0
        return Loss(name, value.argument("from_logits", place, default=False))
    return None


def _plain(name: str) -> str:
    """``MeanSquaredError`` and ``mse`` as ``mean_squared_error``."""
    name = _HUMP.sub("_", name).lower()
    return DISTANCES.get(name, name)


@dataclass(frozen=True, slots=True)
class Head:
    """What gives a model's output.

    Attributes:
        layer: The last layer that computes; None where it cannot be told.
        activation: Its activation's name, ``linear`` without one; None where it cannot be told.
        shape: Of the output, the batch first.
    """

    layer: Made | None
    activation: str | None
    shape: Shape


_DENSE = frozenset(
    f"keras.layers.{name}"
    for name in (
        *(f"{kind}{rank}D" for kind in ("Conv", "Convolution") for rank in (1, 2, 3)),
        "Dense",
        "Conv2DTranspose",
    )
)


def heads(model: Model) -> tuple[Head, ...]:
    """One for each output of a model, as far as they are known."""
    if isinstance(model.outputs, tuple) and model.outputs:
        last = _last(model)
        if len(model.outputs) == 1 and last is not None:
            return (_head(last, model.outputs[0].tensor.shape),)
        return tuple(_head(each.made_by, each.tensor.shape) for each in model.outputs)
    last = _last(model)
    return (_head(last, UNKNOWN),) if last is not None else ()


def _last(model: Model) -> object:
    """The last layer of a Sequential that has weights or an activation."""
    if model.kind != "sequential" or not isinstance(model.layers, tuple) or not model.layers:
        return None
    return model.layers[-1]


def _head(maker: object, shape: Shape) -> Head:
    if not isinstance(maker, Made) or maker.own is not None:
        if isinstance(maker, Model) and maker.kind == "sequential":
            inner = _last(maker)
            return _head(inner, shape) if inner is not None else Head(None, None, shape)
        return Head(None, None, shape)
    name = maker.name
    if name in _DENSE:
        place = 1 if name.endswith("Dense") else None
        return Head(maker, activation(maker.argument("activation", place, default=None)), shape)
    if name == "keras.layers.Activation":
        return Head(maker, activation(maker.argument("activation", 0)), shape)
    if name == "keras.layers.Softmax":
        axis = maker.argument("axis", 0, default=-1)
        return Head(maker, "softmax" if axis == -1 else None, shape)
    return Head(maker, None, shape)


def activation(value: object) -> str | None:
    """The name of an activation; None where it cannot be told."""
    if value is None:
        return "linear"
    if isinstance(value, str):
        return value.lower()
    if (
        isinstance(value, Reference)
        and not value.own
        and value.name.startswith(("keras.activations.", "tensorflow.nn."))
    ):
        return short(value.name).lower()
    return None
