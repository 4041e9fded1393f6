"""``compile``: the loss against the last layer, the learning rate, the metrics, and models that are used without it."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.events import (
    Compilation,
    Compiled,
    LayerCalled,
    LayerMade,
    Made,
    Model,
    ModelUsed,
    ObjectMade,
    Trained,
)
from envcheck.model.layers import find
from envcheck.model.tensors import Tensor, Unknown
from envcheck.verdicts.models.faults import Fault, fault, line_of, short
from envcheck.verdicts.models.losses import (
    BINARY,
    CATEGORICAL,
    CROSSENTROPIES,
    REGRESSIONS,
    SPARSE,
    Head,
    Loss,
    activation,
    heads,
    loss,
)
from envcheck.verdicts.models.told import Told

HIGHEST = {
    "SGD": 1.0,
    "Adam": 0.5,
    "AdamW": 0.5,
    "Nadam": 0.5,
    "Adamax": 1.0,
    "RMSprop": 0.5,
    "Adagrad": 10.0,
    "Ftrl": 10.0,
}
"""Learning rates above which training most likely diverges; the default ones are 0.01 and 0.001, 0.2 is seen in good code."""
LOWEST = 1e-8
"""A learning rate below which a step is lost in the rounding of float32."""
TRAINING = ("fit", "evaluate", "train_on_batch", "test_on_batch")


def optimizer(told: Told, event: ObjectMade) -> Iterator[Fault]:
    """A learning rate that cannot train."""
    name = short(event.made.name)
    if not event.made.name.startswith("keras.optimizers.") or name not in HIGHEST:
        return
    rate = event.made.argument("learning_rate", 0, default=event.made.argument("lr"))
    if isinstance(rate, bool) or not isinstance(rate, (int, float)):
        return
    if told.keras == 3 and isinstance(rate, int):
        why = f"learning_rate={rate} is a whole number: Keras 3 raises when the optimizer is made"
        yield fault("model-learning-rate", event.where, event.made.name, why, f"write {rate}.0, if that is meant")
        return
    highest = HIGHEST[name]
    if rate > highest:
        why = f"learning_rate={rate:g} is above {highest:g}: with {name} training most likely diverges; nothing raises"
        advice = "start from 0.01 (SGD) or 0.001 (the others), and scale the inputs"
    elif rate < LOWEST:
        why = f"learning_rate={rate:g} is {'negative' if rate < 0 else f'below {LOWEST:g}'}: " + (
            "the weights go up the gradient" if rate < 0 else "no step changes a float32 weight"
        )
        why += "; nothing raises"
        advice = "start from 0.01 (SGD) or 0.001 (the others)"
    else:
        return
    yield fault("model-learning-rate", event.where, event.made.name, why, advice, runs="differs", stage="silent")


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
        "softmax over one number is always 1: the output is constant and nothing is learned; nothing raises",
        "use activation='sigmoid' for two classes, or as many units as there are classes",
        runs="differs",
        stage="silent",
    )


def compiled(told: Told, event: Compiled) -> Iterator[Fault]:
    """A loss or metric that does not go with the last layer."""
    compilation = event.model.compiled
    if not isinstance(compilation, Compilation):
        return
    if _frozen(event.model):
        told.frozen.add((event.model.number, compilation.where))
    given = loss(compilation.arguments.get("loss"))
    found = heads(event.model)
    if given is None or len(found) != 1:
        return
    head = found[0]
    if head.layer is None or head.activation is None:
        return
    yield from _activation(event, given, head, head.layer)
    if given.name in REGRESSIONS and head.activation == "linear" and _accuracy(compilation.arguments.get("metrics")):
        yield fault(
            "model-metrics",
            event.where,
            "keras.Model.compile",
            f"accuracy beside {given.name} counts outputs that equal their label exactly: it stays at 0; nothing raises",
            "use metrics=['mae'], or the loss of a classifier",
            runs="differs",
            stage="silent",
        )


def _accuracy(metrics: object) -> bool:
    return isinstance(metrics, (list, tuple)) and any(
        each in ("accuracy", "acc") for each in metrics if isinstance(each, str)
    )


def _activation(event: Compiled, given: Loss, head: Head, layer: Made) -> Iterator[Fault]:
    said = f"the last layer, {short(layer.name)} ({line_of(layer.where)}),"
    why = advice = ""
    if given.name in CROSSENTROPIES and given.from_logits is True and head.activation in ("softmax", "sigmoid"):
        why = f"{given.name} with from_logits=True expects logits, and {said} ends in {head.activation}: it is applied twice"
        advice = "leave out the activation, or from_logits=True"
    elif given.name in CROSSENTROPIES and given.from_logits is False and head.activation == "linear":
        why = f"{given.name} expects probabilities, and {said} has no activation: its numbers are cut off at 0 and 1"
        right = "sigmoid" if given.name == BINARY else "softmax"
        advice = f"give the loss from_logits=True, or the layer activation='{right}'"
    elif given.name in (CATEGORICAL, SPARSE) and given.from_logits is False and head.activation == "sigmoid":
        why = f"{given.name} expects probabilities that sum to 1, and {said} ends in sigmoid"
        advice = "use activation='softmax', or binary_crossentropy where several labels can be true at once"
    if why:
        why += "; nothing raises"
        yield fault(
            "model-loss", event.where, f"keras.losses.{given.name}", why, advice, runs="differs", stage="silent"
        )


def trained(told: Told, event: Trained) -> Iterator[Fault]:
    """A model that is trained without having been compiled, or without a loss; or of which nothing is trainable."""
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
    if event.method in ("fit", "train_on_batch") and (model.number, compilation.where) in told.frozen:
        yield fault(
            "model-frozen",
            compilation.where,
            "keras.Model.compile",
            "every layer of the model has trainable=False when it is compiled: training changes nothing; nothing raises",
            "leave at least the last layer trainable, and compile again afterwards",
            runs="differs",
            stage="silent",
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


_WEIGHTED = ("Dense", "Conv", "LSTM", "GRU", "SimpleRNN", "Embedding", "BatchNormalization", "LayerNormalization")


def _frozen(model: Model) -> bool:
    """Whether all layers that have weights are frozen, and there are such."""
    if not isinstance(model.layers, tuple) or not isinstance(model.trainable, tuple):
        return False
    found = False
    for layer, trainable in zip(model.layers, model.trainable, strict=False):
        if isinstance(layer, Made) and layer.own is None and layer.name.startswith("keras.layers."):
            weighted = any(part in layer.name for part in _WEIGHTED)
            if weighted and trainable is not False:
                return False
            found = found or weighted
        elif isinstance(layer, (Made, Model)):
            if trainable is not False:
                return False
            found = True
        elif "KerasTensor" not in type(layer).__name__:
            return False
    return found


def used(told: Told, event: ModelUsed) -> Iterator[Fault]:
    """A model without an input shape whose weights are asked for before there is data."""
    model = event.model
    if (
        model.kind != "sequential"
        or model.built is not False
        or model.own is not None
        or not isinstance(model.layers, tuple)
    ):
        return
    if event.method not in UNBUILT[told.keras] or not all(_plain(each) for each in model.layers):
        return
    yield fault(
        "model-unbuilt",
        event.where,
        f"keras.Model.{event.method}",
        f"the model ({line_of(model.where)}) has no input shape, so no weights yet: "
        f"Keras {told.keras} raises in {event.method}()",
        "make keras.Input(shape) its first layer, or call build() before",
        stage="build",
        row="unbuilt-save-weights" if event.method == "save_weights" else "",
    )


def _plain(layer: object) -> bool:
    """Whether a layer of a Sequential certainly brings no input shape of its own."""
    if not isinstance(layer, Made) or layer.own is not None or not layer.complete or find(layer.name) is None:
        return False
    nested = any(isinstance(each, (Made, Model, list, tuple)) for each in layer.positional)
    adapted = short(layer.name) in ("Normalization", "Discretization", "TextVectorization") or layer.name.endswith(
        "Lookup"
    )
    return not nested and not adapted


UNBUILT = {
    2: frozenset(("summary", "count_params", "get_weights", "set_weights")),
    3: frozenset(("count_params", "save_weights", "load_weights")),
}
"""Methods that raise on a Sequential that is not built (measured on Keras 2.15 and Keras 3)."""
