"""Layers that Keras does not make, and layers that do not fit what reaches them."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.events import KerasTensor, LayerCalled, LayerMade, Model, ModelChanged, ModelMade, Reference
from envcheck.model.layers.rule import row_of
from envcheck.model.tensors import Unknown, text
from envcheck.verdicts.models import repairs
from envcheck.verdicts.models.faults import Fault, fault, short
from envcheck.verdicts.models.told import Told

TOLD_BY_NAME = ("is no activation that Keras knows", "has no argument", "has no such argument")
"""Reasons that the checks of names, arguments and identifiers (API2xx) tell already."""


def made(told: Told, event: LayerMade) -> Iterator[Fault]:
    """A layer whose arguments Keras refuses when it is made."""
    if event.refused is not None:
        told.refused.add(id(event.layer))
        if any(each in event.refused.reason for each in TOLD_BY_NAME):
            return
        why = f"{event.refused.reason}: Keras {told.keras} raises when the layer is made"
        advice, row = repairs.of_arguments(event.layer, event.refused.reason), row_of(event.refused)
        yield fault("model-arguments", event.where, event.layer.name, why, advice, row=row)


def called(told: Told, event: LayerCalled) -> Iterator[Fault]:
    """A layer that does not take the tensor that reaches it."""
    told.flows(event)
    if event.refused is None or (event.refused.stage == "construction" and id(event.layer) in told.refused):
        return
    stage = "fit" if event.stage == "use" else "construction"
    when = (
        f"Keras {told.keras} raises when the data reaches it"
        if event.stage == "use"
        else f"Keras {told.keras} raises when it is called"
        if told.on_data(event)
        else f"Keras {told.keras} raises when the model is built"
    )
    sources = " and ".join(dict.fromkeys(filter(None, (told.origin(each, event) for each in event.inputs))))
    origin = f"; the input comes from {sources}" if sources else ""
    name = short(event.layer.name)
    kind = "model-merge" if name in repairs.MERGING else "model-inputs"
    why = f"{event.refused.reason}{origin}: {when}"
    advice, row = repairs.of_inputs(told, event, event.refused.reason), row_of(event.refused)
    yield fault(kind, event.where, event.layer.name, why, advice, stage=stage, row=row)


def model(told: Told, event: ModelMade) -> Iterator[Fault]:
    """A model of things that are no layers, or whose outputs do not come from its inputs."""
    made_model = event.model
    if made_model.kind == "sequential" and isinstance(made_model.layers, tuple):
        for item in made_model.layers:
            yield from _item(told, item, event)
    if made_model.kind == "functional":
        yield from _disconnected(told, event)


def changed(told: Told, event: ModelChanged) -> Iterator[Fault]:
    """``add`` of something that is no layer."""
    if event.method == "add":
        yield from _item(told, event.item, event)


def _item(told: Told, item: object, event: ModelMade | ModelChanged) -> Iterator[Fault]:
    if isinstance(item, (list, tuple)):
        what, advice = "a list", "pass the layers themselves: *layers"
    elif isinstance(item, (str, int, float)) and not isinstance(item, bool):
        what, advice = repr(item), "pass a layer: Activation('relu'), Dense(10)"
    elif isinstance(item, Reference) and (item.own == "class" or _layer_class(item.name)):
        what = f"the class {short(item.name)}"
        advice = f"make a layer of it: {short(item.name)}(…)"
    elif isinstance(item, Reference) and (item.own in ("function", "lambda") or item.name.startswith("tensorflow.nn.")):
        what = f"the function {short(item.name)}" if item.name else "a lambda"
        advice = "wrap it: layers.Lambda(…), or layers.Activation(…)"
    else:
        return
    yield fault(
        "model-items",
        event.where,
        "keras.Sequential",
        f"{what} stands where a layer is expected: Keras {told.keras} takes nothing but layers and raises",
        advice,
    )


def _layer_class(name: str) -> bool:
    return name.startswith("keras.layers.") and short(name)[:1].isupper()


def _disconnected(told: Told, event: ModelMade) -> Iterator[Fault]:
    """The first output that no input of the model reaches."""
    inputs, outputs = event.model.inputs, event.model.outputs
    if isinstance(inputs, Unknown) or isinstance(outputs, Unknown):
        return
    given = {id(each) for each in inputs}
    for number, output in enumerate(outputs, 1):
        stray = _stray(output, given)
        if stray is not None:
            which = f"output {number}" if len(outputs) > 1 else "the output"
            need = text(stray.tensor.shape)
            yield fault(
                "model-graph",
                event.where,
                event.model.name,
                f"{which} depends on an Input of shape {need} that is not among the model's inputs: "
                f"Keras {told.keras} raises when the model is made",
                "name every Input that the outputs depend on in inputs=, and use the tensors of this model's layers",
                row="graph-disconnected",
            )
            return


def _stray(output: KerasTensor, given: set[int]) -> KerasTensor | None:
    """An ``Input`` that a tensor depends on and that is not given; None also where that cannot be told."""
    seen: set[int] = set()
    waiting = [output]
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in given or id(tensor) in seen:
            continue
        seen.add(id(tensor))
        if tensor.made_by is None:
            free = isinstance(tensor.tensor.shape, tuple) and tensor.tensor.shape[:1] == (None,)
            return tensor if free else None  # what has a batch size may be data: that is no Input
        if isinstance(tensor.made_by, Model) and tensor.made_by.kind == "application":
            continue  # input_tensor= may stand for its Input
        if isinstance(tensor.made_by, Unknown) or isinstance(tensor.inputs, Unknown) or not tensor.inputs:
            continue
        waiting += tensor.inputs
    return None
