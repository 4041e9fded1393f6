"""Token numbers against the Embedding that they reach."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.events import Array, KerasTensor, Made, Model, Trained
from envcheck.verdicts.models.faults import Fault, fault, line_of
from envcheck.verdicts.models.told import Told


def numbers(told: Told, event: Trained, arrays: tuple[Array, ...]) -> Iterator[Fault]:
    """Token numbers that an Embedding right behind the input lacks."""
    model = event.model
    if len(arrays) != 1 or arrays[0].values is None:
        return
    layer = _first(model)
    if layer is None or layer.name != "keras.layers.Embedding" or layer.own is not None:
        return
    rows = layer.argument("input_dim", 0)
    values = arrays[0].values
    if (
        not isinstance(rows, int)
        or isinstance(rows, bool)
        or (values.high < rows and (values.low >= 0 or told.keras == 3))
    ):
        return
    yield fault(
        "model-tokens",
        event.where,
        layer.name,
        f"x {'goes' if values.reached else 'may go'} from {values.low:g} to {values.high:g}, and the Embedding "
        f"({line_of(layer.where)}) has rows 0 to {rows - 1}: on a GPU the result is wrong in silence, "
        f"on a CPU Keras {told.keras} raises",
        f"make input_dim the largest number plus one: {int(values.high) + 1}",
        runs="raises" if values.reached else "differs",
        stage="predict" if event.method.startswith("predict") else "fit",
        row="embedding-out-of-range" if values.reached else "",
    )


def _first(model: Model) -> Made | None:
    """The layer that the data of a Sequential reaches first."""
    if model.kind != "sequential" or not isinstance(model.layers, tuple):
        return None
    inner = [each for each in model.layers if not isinstance(each, KerasTensor)]
    return inner[0] if inner and isinstance(inner[0], Made) else None
