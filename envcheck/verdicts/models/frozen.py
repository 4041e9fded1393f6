"""Models of which nothing is trainable when it counts: Keras 2 looks at ``compile()``, Keras 3 at the first step (measured)."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.events import Compilation, Compiled, Made, Model, Trained
from envcheck.verdicts.models.faults import Fault, fault, line_of
from envcheck.verdicts.models.told import Told

TRAINING = ("fit", "train_on_batch")
_WEIGHTED = ("Dense", "Conv", "LSTM", "GRU", "SimpleRNN", "Embedding", "BatchNormalization", "LayerNormalization")


def compiled(told: Told, event: Compiled) -> Iterator[Fault]:
    """Remember whether something was trainable then, and that no step was made yet."""
    compilation = event.model.compiled
    if isinstance(compilation, Compilation):
        key = event.model.number, compilation.where
        told.stepped.discard(key)
        told.frozen.discard(key)
        if _frozen(event.model):
            told.frozen.add(key)
    yield from ()


def trained(told: Told, event: Trained) -> Iterator[Fault]:
    """A model that is trained and that nothing of can change."""
    model, compilation = event.model, event.model.compiled
    if event.method not in TRAINING or not isinstance(compilation, Compilation):
        return
    key = model.number, compilation.where
    first = key not in told.stepped
    told.stepped.add(key)
    early, late = key in told.frozen, first and _frozen(model)
    if not (early if told.keras == 2 else late):
        return
    when, advice = "", "leave at least the last layer trainable, and compile again afterwards"
    if told.keras == 2 and not late:
        advice = "call compile() after trainable=True"
        when = ", as Keras 2 looks at it, when it is compiled"
    elif told.keras == 3 and not early:
        advice = "set trainable=True before its first step: what is trained stays as it was then; for a GAN write train_step()"
        when = f", as Keras 3 looks at it, in the first step of {event.method}() ({line_of(event.where)})"
    yield fault(
        "model-frozen",
        compilation.where,
        "keras.Model.compile",
        f"every layer of the model has trainable=False{when}: training changes nothing; nothing raises",
        advice,
        runs="differs",
        stage="silent",
    )


def _frozen(model: Model) -> bool:
    """Whether all layers that have weights are frozen, and there are such."""
    if not isinstance(model.layers, tuple) or not isinstance(model.trainable, tuple) or model.own is not None:
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
            found = found or _has_weights(layer)
        elif "KerasTensor" not in type(layer).__name__:
            return False
    return found


def _has_weights(layer: Made | Model) -> bool:
    """Whether a nested model, or a layer of the file's own, most likely has weights."""
    if isinstance(layer, Model):
        return layer.kind == "application" or (layer.own is None and _frozen(layer))
    own = layer.own
    return own is not None and ("build" in own.methods or any(each.holds for each in own.assigned))
