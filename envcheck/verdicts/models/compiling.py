"""``compile``: the loss against the last layer, and models that are trained without one."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.events import (
    Compilation,
    Compiled,
    LayerCalled,
    LayerMade,
    Made,
    Model,
    Trained,
)
from envcheck.model.tensors import Tensor, Unknown
from envcheck.verdicts.models.faults import Fault, fault, line_of, short
from envcheck.verdicts.models.losses import (
    BINARY,
    CATEGORICAL,
    CROSSENTROPIES,
    SPARSE,
    Head,
    Loss,
    activation,
    heads,
    loss,
)
from envcheck.verdicts.models.told import Told

TRAINING = ("fit", "evaluate", "train_on_batch", "test_on_batch")


def softmax_of_one(_told: Told, event: LayerMade) -> Iterator[Fault]:
    """``Dense(1, activation="softmax")``: its output is 1 for any input."""
    layer = event.layer
    if layer.name != "keras.layers.Dense" or layer.own is not None:
        return
    if layer.argument("units", 0) == 1 and activation(layer.argument("activation", 1, default=None)) == "softmax":
        yield _constant(event.where, layer.name)


def softmax_of_one_later(_told: Told, event: LayerCalled) -> Iterator[Fault]:
    """``Activation("softmax")`` over an axis of one number."""
    layer = event.layer
    if not isinstance(layer, Made) or layer.name not in ("keras.layers.Activation", "keras.layers.Softmax"):
        return
    over_last = activation(layer.argument("activation", 0)) == "softmax"
    if layer.name.endswith("Softmax"):
        over_last = layer.argument("axis", 0, default=-1) == -1
    first = event.inputs[0] if event.inputs else Tensor()
    if over_last and not isinstance(first.shape, Unknown) and len(first.shape) > 1 and first.shape[-1] == 1:
        yield _constant(event.where, layer.name)


def _constant(where: object, name: str) -> Fault:
    return fault(
        "model-loss",
        where,  # type: ignore[arg-type]
        name,
        "softmax over one number is always 1: the model gives 1 for any input, even while a crossentropy falls; nothing raises",
        "use activation='sigmoid' for two classes, or as many units as there are classes",
        runs="differs",
        stage="silent",
    )


def compiled(_told: Told, event: Compiled) -> Iterator[Fault]:
    """A loss that does not go with the last layer."""
    compilation = event.model.compiled
    if not isinstance(compilation, Compilation):
        return
    given = loss(compilation.arguments.get("loss"))
    found = heads(event.model)
    if given is None or len(found) != 1:
        return
    head = found[0]
    if head.layer is None or head.activation is None:
        return
    yield from _activation(event, given, head, head.layer)


def _activation(event: Compiled, given: Loss, head: Head, layer: Made) -> Iterator[Fault]:
    """A crossentropy and an activation that are not made for each other.

    A softmax or sigmoid leaves its logits at the tensor that it gives (``_keras_logits``), and the crossentropies of Keras on
    TensorFlow take those: loss and training are the same as with the right activation (measured on Keras 2.15 and 3.15).
    """
    said = f"the last layer, {short(layer.name)} ({line_of(layer.where)}),"
    why = advice = ""
    runs = "works"
    if given.name in CROSSENTROPIES and given.from_logits is True and head.activation in ("softmax", "sigmoid"):
        why = (
            f"{given.name} with from_logits=True expects logits, and {said} ends in {head.activation}: Keras on TensorFlow finds "
            "the logits behind it and warns; on JAX or PyTorch, and for a loss that is called on predictions, it counts twice"
        )
        advice = "leave out the activation, or from_logits=True"
    elif given.name in CROSSENTROPIES and given.from_logits is False and head.activation == "linear":
        why = f"{given.name} expects probabilities, and {said} has no activation: its numbers are cut off at 0 and 1"
        why += "; nothing raises"
        right = "sigmoid" if given.name == BINARY else "softmax"
        advice = f"give the loss from_logits=True, or the layer activation='{right}'"
        runs = "differs"
    elif given.name in (CATEGORICAL, SPARSE) and given.from_logits is False and head.activation == "sigmoid":
        why = (
            f"{given.name} is made for softmax, and {said} ends in sigmoid: it learns the same classes, and what predict() gives "
            "does not sum to 1"
        )
        advice = "use activation='softmax', or binary_crossentropy where several labels can be true at once"
    if why:
        yield fault("model-loss", event.where, f"keras.losses.{given.name}", why, advice, runs=runs, stage="silent")


def trained(told: Told, event: Trained) -> Iterator[Fault]:
    """A model that is trained without having been compiled, or without a loss."""
    model = event.model
    if model.own is not None or model.kind == "loaded" or event.method not in TRAINING:
        return
    if model.compiled is None:
        yield fault(
            "model-compiled",
            event.where,
            f"keras.Model.{event.method}",
            f"the model ({line_of(model.where)}) is not compiled before {event.method}(): Keras {told.keras} raises",
            "call model.compile(optimizer, loss) first",
            stage="fit",
        )
        return
    if not isinstance(model.compiled, Compilation):
        return
    compilation = model.compiled
    if (
        event.method == "fit"
        and compilation.complete
        and compilation.arguments.get("loss") is None
        and _lossless(model)
    ):
        yield fault(
            "model-compiled",
            event.where,
            "keras.Model.fit",
            f"compile() ({line_of(compilation.where)}) got no loss and no layer adds one: Keras {told.keras} raises",
            "give compile() a loss",
            stage="fit",
        )


def _lossless(model: Model) -> bool:
    """Whether no layer of a model can bring a loss."""
    if model.own_losses is not False or not isinstance(model.layers, tuple):
        return False
    for each in model.layers:
        if isinstance(each, Made):
            if each.own is not None or not each.complete or not each.name.startswith("keras.layers."):
                return False
            if short(each.name) == "ActivityRegularization" or any("regularizer" in name for name in each.keywords):
                return False
            if any(isinstance(value, (Made, Model)) for value in each.positional):
                return False
        elif isinstance(each, Model):
            if each.own is not None or not _lossless(each):
                return False
        elif "KerasTensor" not in type(each).__name__:
            return False
    return True
