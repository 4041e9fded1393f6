"""Weights that are loaded into another architecture than the one that saved them."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.events import KerasTensor, Made, Model, ModelUsed
from envcheck.verdicts.models.faults import Fault, fault, line_of, short
from envcheck.verdicts.models.told import Told

SIZES = {"Dense": "units", "LSTM": "units", "GRU": "units", "SimpleRNN": "units"} | {
    f"Conv{rank}D": "filters" for rank in (1, 2, 3)
}


def used(told: Told, event: ModelUsed) -> Iterator[Fault]:
    """``load_weights`` of a file that this program saved from a model with other sizes."""
    path = event.arguments.get("filepath", event.arguments.get("0"))
    if not isinstance(path, str):
        return
    if event.method == "save_weights":
        told.saved[path] = event
        return
    if event.method != "load_weights" or path not in told.saved or not {"filepath", "0"} >= set(event.arguments):
        return
    before = told.saved[path]
    one, other = _sizes(before.model), _sizes(event.model)
    if one is None or other is None or len(one) != len(other):
        return
    for (kind, size, layer), (new_kind, new_size, new) in zip(one, other, strict=True):
        if kind == new_kind and size != new_size:
            yield fault(
                "model-weights",
                event.where,
                "keras.Model.load_weights",
                f"{path} was saved ({line_of(before.where)}) with {size} {SIZES[kind]} in {short(layer.name)} "
                f"({line_of(layer.where)}), and this model has {new_size} there ({line_of(new.where)}): "
                f"Keras {told.keras} raises",
                "load into the architecture that saved it, or by_name/skip_mismatch=True and train that layer again",
                stage="load",
            )
            return


def _sizes(model: Model) -> list[tuple[str, int, Made]] | None:
    """The layers that have a size, in order; None where one cannot be told."""
    if model.kind != "sequential" or model.built is not True or not isinstance(model.layers, tuple):
        return None
    found = []
    for each in model.layers:
        if isinstance(each, KerasTensor):
            continue
        if not isinstance(each, Made) or each.own is not None or not each.name.startswith("keras.layers."):
            return None
        kind = short(each.name)
        if kind in SIZES:
            size = each.argument(SIZES[kind], 0)
            if not isinstance(size, int):
                return None
            found.append((kind, size, each))
    return found
