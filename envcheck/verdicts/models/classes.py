"""Layers and models that the file writes itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from envcheck.model.events import (
    Array,
    ClassDefined,
    LayerCalled,
    Made,
    Model,
    ModelUsed,
    OperationCalled,
)
from envcheck.model.tensors import Unknown
from envcheck.verdicts.models.faults import Fault, fault, line_of
from envcheck.verdicts.models.told import Told

PLAIN = {"layer": ("keras.layers.Layer",), "model": ("keras.Model",)}
SAVING = frozenset(("save", "get_config", "to_json", "to_yaml"))


def defined(told: Told, event: ClassDefined) -> Iterator[Fault]:
    """What is wrong with a class however it is used."""
    told.classes[event.name] = event
    own_ways = {"__call__", "__new__", "__setattr__"} & set(event.methods)
    if event.own_init and event.calls_super is False and event.bases_known and event.bases and not own_ways:
        yield _no_super(told, event)


def _no_super(told: Told, event: ClassDefined) -> Fault:
    holding = [each for each in event.assigned if each.method == "__init__" and each.holds]
    where = (
        holding[0].where if holding else replace(event.where, line=event.methods["__init__"], column=0, end_column=-1)
    )
    return fault(
        "model-super",
        where,
        event.name,
        f"__init__ of {event.name} never calls super().__init__(): Keras {told.keras} raises as soon as a layer is assigned "
        f"or the {event.kind} is used",
        "call super().__init__(**kwargs) first in __init__",
    )


def called(told: Told, event: LayerCalled) -> Iterator[Fault]:
    """A layer of the file's own that has no ``call``, or one that returns nothing."""
    own = event.layer.own
    if own is None or own.kind != "layer" or not own.bases_known or own.bases != PLAIN["layer"]:
        return
    raises = told.keras == 3
    if "call" not in own.methods and "__call__" not in own.methods:
        yield _no_call(told, event, own)
    elif own.call_returns == "nothing" and "call" in own.methods:
        yield fault(
            "model-call",
            replace(own.where, line=own.methods["call"], column=0, end_column=-1),
            own.name,
            f"call() of {own.name} returns nothing, and its result is used in {line_of(event.where)}: "
            + ("Keras 3 raises" if raises else "Keras 2 goes on with None"),
            "return the result",
            runs="raises" if raises and told.symbolic(event) and told.is_used(event.where) else "differs",
            stage="construction" if raises else "silent",
        )


def _no_call(told: Told, event: LayerCalled, own: ClassDefined) -> Fault:
    meant = next((name for name in ("forward", "cal", "calls", "run") if name in own.methods), None)
    listed = isinstance(event.layer, Made) and event.where == event.layer.where
    # A Sequential of Keras 3 leaves itself unbuilt then, and raises when it is used; so may a layer whose build() comes first.
    at_once = told.keras == 3 and not listed
    happens = "Keras 2 returns its input unchanged; nothing raises"
    if told.keras == 3:
        error = "" if "build" in own.methods else "NotImplementedError "
        happens = f"Keras 3 raises {error}when {'it' if at_once else 'the model'} is used"
    return fault(
        "model-call",
        own.where,
        own.name,
        f"{own.name} has no call(), and {line_of(event.where)} calls it: {happens}",
        f"rename {meant}() to call()" if meant else "define call(self, inputs)",
        runs="raises" if at_once else "differs",
        stage="construction" if at_once else "use" if told.keras == 3 else "silent",
    )


def used(told: Told, event: ModelUsed) -> Iterator[Fault]:
    """A model that is saved with a layer that cannot be made again.

    Keras 3 notes the arguments of a layer itself where all are numbers, texts, None or containers of them, and gives them
    back with ``dtype`` and ``trainable``, which ``__init__`` has to take. Source: ``Operation.__new__`` and ``get_config`` in
    https://github.com/keras-team/keras/blob/master/keras/src/ops/operation.py
    """
    if told.keras != 3 or event.method not in SAVING:
        return  # Keras 2 makes such layers again from the arguments that it noted
    for layer in own_layers(event.model):
        own = layer.own
        if own is None or own.kind != "layer" or not own.bases_known or "get_config" in own.methods:
            continue
        if own.own_init and own.parameters:
            yield from _not_made_again(event, layer, own)


def _not_made_again(event: ModelUsed, layer: Made, own: ClassDefined) -> Iterator[Fault]:
    objects = any(isinstance(each, (Made, Array)) for each in (*layer.positional, *layer.keywords.values()))
    if own.takes_more and not objects:
        return
    saved = line_of(event.where)
    yield fault(
        "model-config",
        own.where,
        own.name,
        f"{own.name} takes {', '.join(own.parameters)} and has no get_config(): "
        + (
            f"Keras 3 raises when {saved} saves the model"
            if objects
            else f"the model that {saved} saves cannot be loaded again"
        ),
        "return {**super().get_config(), "
        + ", ".join(f'"{name}": self.{name}' for name in own.parameters)
        + "} from get_config()"
        + ("" if own.takes_more else ", and let __init__ take **kwargs and pass them to super().__init__()"),
        runs="raises" if objects else "differs",
        stage="save" if objects else "load",
    )


def own_layers(model: Model) -> Iterator[Made]:
    """The layers of a model, and those of models in it."""
    if isinstance(model.layers, tuple):
        for each in model.layers:
            if isinstance(each, Made):
                yield each
            elif isinstance(each, Model):
                yield from own_layers(each)


def operated(told: Told, event: OperationCalled) -> Iterator[Fault]:
    """What no symbolic tensor can do."""
    if event.name != "method.numpy" or not event.inputs or not event.inside:
        return
    shape = event.inputs[0].tensor.shape
    if isinstance(shape, Unknown) or shape[:1] != (None,):
        return  # it may be called on data
    inside = told.classes.get(event.inside)
    if inside is None or "compute_output_spec" in inside.methods or "compute_output_shape" in inside.methods:
        return
    yield fault(
        "model-symbolic",
        event.where,
        event.inside,
        f".numpy() in call() of {event.inside}: a symbolic tensor has no numbers, Keras {told.keras} raises when the layer "
        "is called on an Input",
        "use TensorFlow's or Keras's own functions on tensors",
    )
