"""Layers that Keras does not make, and layers that do not fit what reaches them."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.events import KerasTensor, LayerCalled, LayerMade, Model, ModelChanged, ModelMade, Reference
from envcheck.model.layers.rule import row_of
from envcheck.model.tensors import UNKNOWN, Tensor, Unknown, text
from envcheck.verdicts.models.faults import Fault, fault, short
from envcheck.verdicts.models.told import Told

RECURRENT = frozenset(("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "CuDNNLSTM", "CuDNNGRU"))
MERGING = frozenset(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"))
CONVOLUTIONS = {"1D": 3, "2D": 4, "3D": 5}
"""Rank of the input of layers whose names end so."""
TOLD_BY_NAME = ("is no activation that Keras knows", "has no argument", "has no such argument")
"""Reasons that the checks of names, arguments and identifiers (API2xx) tell already."""


def made(told: Told, event: LayerMade) -> Iterator[Fault]:
    """A layer whose arguments Keras refuses when it is made."""
    if event.refused is not None:
        told.refused.add(id(event.layer))
        if any(each in event.refused.reason for each in TOLD_BY_NAME):
            return
        why = f"{event.refused.reason}: Keras {told.keras} raises when the layer is made"
        advice, row = _for_arguments(event.refused.reason), row_of(event.refused)
        yield fault("model-arguments", event.where, event.layer.name, why, advice, row=row)


def _for_arguments(reason: str) -> str:
    if "rate" in reason:
        return "a rate is a fraction between 0 and 1: Dropout(0.5), not Dropout(50)"
    if "units" in reason or "filters" in reason:
        return "give a whole number of at least 1: max(1, int(n)) where it is computed"
    if "dilation" in reason:
        return "use strides or dilation_rate, not both"
    return "correct the argument"


def called(told: Told, event: LayerCalled) -> Iterator[Fault]:
    """A layer that does not take the tensor that reaches it."""
    told.flows(event)
    if event.refused is None or (event.refused.stage == "construction" and id(event.layer) in told.refused):
        return
    stage = "fit" if event.stage == "use" else "construction"
    when = (
        f"Keras {told.keras} raises when the data reaches it"
        if event.stage == "use"
        else f"Keras {told.keras} raises when the model is built"
    )
    sources = " and ".join(dict.fromkeys(filter(None, (told.origin(each, event) for each in event.inputs))))
    origin = f"; the input comes from {sources}" if sources else ""
    name = short(event.layer.name)
    kind = "model-merge" if name in MERGING else "model-inputs"
    why = f"{event.refused.reason}{origin}: {when}"
    advice, row = _for_inputs(told, event, name), row_of(event.refused)
    yield fault(kind, event.where, event.layer.name, why, advice, stage=stage, row=row)


def _for_inputs(told: Told, event: LayerCalled, name: str) -> str:
    first = event.inputs[0] if event.inputs else Tensor()
    rank = None if isinstance(first.shape, Unknown) else len(first.shape)
    before = told.layer_before(first)
    expected = CONVOLUTIONS.get(name.removesuffix("Transpose")[-2:])
    if name in MERGING:
        return (
            "bring the tensors to one shape before: padding='same', Cropping or ZeroPadding, a Dense or 1×1 convolution; "
            "in a U-Net, take an input size that all poolings divide"
        )
    if name in RECURRENT and rank == 2 and before in RECURRENT:
        return f"give the {before} before it return_sequences=True: it returns its last step alone"
    if name in RECURRENT and rank == 2:
        return "a recurrent layer takes (batch, steps, features): declare Input((steps, features)), or put a Reshape before it"
    if name in RECURRENT and rank is not None and rank > 3:
        return f"put Reshape((steps, features)) or TimeDistributed(Flatten()) before the {name}, or use ConvLSTM2D"
    if rank is not None and expected == rank + 1 and not isinstance(first.shape, Unknown):
        shape = text((*first.shape[1:], 1)) if UNKNOWN not in first.shape else "(…, 1)"
        return f"the last axis is the channels, for grey images too: declare {shape}, and give the data that axis: x[..., None]"
    if rank is not None and expected is not None and expected != rank:
        return f"use the {name} of the data's rank, or a Reshape before it"
    if "kernel" in _reason(event) or "pool" in _reason(event) or "negative" in _reason(event):
        return "use padding='same', fewer poolings, or a larger input"
    if name == "Dense":
        return "give the axis before it a fixed size, or use a GlobalAveragePooling layer instead of Flatten"
    if name == "Reshape":
        return "the numbers of the target shape multiply to the size of one sample; one of them may be -1"
    return "change the layer, or the shape that reaches it"


def _reason(event: LayerCalled) -> str:
    return event.refused.reason if event.refused is not None else ""


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
