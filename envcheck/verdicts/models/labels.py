"""Labels against the last layer and the loss."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.events import Array, Compilation, Trained
from envcheck.model.tensors import Dimension, Unknown, text
from envcheck.verdicts.models.faults import Fault, fault, line_of, short
from envcheck.verdicts.models.label_shapes import ELEMENTWISE, Dims, answer, one_for_several
from envcheck.verdicts.models.losses import SPARSE, Head, Loss, heads, loss
from envcheck.verdicts.models.told import Told


def labels(told: Told, event: Trained, words: str, given: object) -> Iterator[Fault]:
    """Labels that the loss does not take, for each output."""
    compilation = event.model.compiled
    if not isinstance(compilation, Compilation) or event.model.own is not None:
        return
    if given is None and isinstance(event.x, Array) and words == "x" and event.method == "fit":
        if loss(compilation.arguments.get("loss")) is not None and event.model.own_losses is False:
            yield fault(
                "model-labels",
                event.where,
                "keras.Model.fit",
                f"fit() gets x alone, and compile() ({line_of(compilation.where)}) names a loss: Keras {told.keras} raises",
                "give fit() the labels: fit(x, y); for an autoencoder fit(x, x)",
                stage="fit",
            )
        return
    found = heads(event.model)
    losses = compilation.arguments.get("loss")
    pairs: list[tuple[object, object]]
    if isinstance(given, Array) and len(found) == 1:
        pairs = [(given, losses[0] if isinstance(losses, (list, tuple)) and len(losses) == 1 else losses)]
    elif isinstance(given, (list, tuple)) and len(given) == len(found) > 1:
        several = losses if isinstance(losses, (list, tuple)) and len(losses) == len(found) else [losses] * len(found)
        pairs = list(zip(given, several, strict=True))
    else:
        return
    for (array, one), head in zip(pairs, found, strict=True):
        meant = loss(one)
        if meant is None or not isinstance(array, Array):
            continue
        wrong = _of_shape(told, event, words, array, meant, head)
        if wrong is None:
            wrong = _of_values(event, words, array, meant, head)
        if wrong is not None:
            yield wrong
            return


def _of_shape(told: Told, event: Trained, words: str, array: Array, meant: Loss, head: Head) -> Fault | None:
    if isinstance(array.shape, Unknown) or isinstance(head.shape, Unknown) or not array.shape:
        return None
    y: Dims = (None, *array.shape[1:])
    out: Dims = (None, *head.shape[1:])
    batch = _first_batch(event, array.shape[0])
    runs, advice = answer(meant.name, y, out, head, told.keras, batch)
    if not runs:
        return None
    name = "y" if words == "x" else f"the labels in {words}"
    where = f" of {short(head.layer.name)} ({line_of(head.layer.where)})" if head.layer is not None else ""
    units = one_for_several(y, out) if meant.name in ELEMENTWISE else None
    if units is not None:
        why = f"{name} has one number for each sample, and the output{where} has {units}: "
        why += _compared(told, meant, len(y) == 1, units, batch if runs == "raises" else None)
    else:
        why = f"{name} has shape {text(array.shape)} and the output{where} is {text(head.shape)}, "
        why += f"which {meant.name} does not take: "
        why += (
            f"Keras {told.keras} raises"
            if runs == "raises"
            else "they are broadcast against each other; nothing raises"
        )
    stage = "fit" if runs == "raises" else "silent"
    return fault("model-labels", event.where, f"keras.losses.{meant.name}", why, advice, runs=runs, stage=stage)


def _compared(told: Told, meant: Loss, vector: bool, units: int, batch: int | None) -> str:
    """What becomes of one label for several units: Keras 3 makes no column of a vector, so that samples meet units."""
    if told.keras == 2 or not vector:
        both = "both" if units == 2 else f"all {units}"
        keras = " of Keras 2" if vector and told.keras == 2 else ""  # of a column both versions make the same
        return f"{meant.name}{keras} compares {both} with it; nothing raises"
    if batch is not None:
        return f"a batch of {batch} labels cannot be compared with {units} units, Keras 3 raises"
    return f"Keras 3 raises unless the batch has 1 or {units} samples, and then the loss is wrong in silence"


def _first_batch(event: Trained, samples: Dimension) -> int | None:
    """How many samples the first step takes; None where it cannot be told."""
    size = event.arguments.get("batch_size", 32)
    size = 32 if size is None else size
    if not isinstance(samples, int) or not isinstance(size, int) or isinstance(size, bool):
        return None
    return samples if event.method.endswith("on_batch") else min(size, samples)


def _of_values(event: Trained, words: str, array: Array, meant: Loss, head: Head) -> Fault | None:
    """Labels that name classes which the output lacks."""
    values = array.values
    if meant.name != SPARSE or values is None or isinstance(head.shape, Unknown):
        return None
    classes = head.shape[-1]
    if not isinstance(classes, int) or (values.low >= 0 and values.high < classes):
        return None
    name = "y" if words == "x" else f"the labels in {words}"
    bounds = f"from {values.low:g} to {values.high:g}"
    happens = (
        "Keras raises on a CPU, and on a GPU the loss is NaN"
        if values.reached
        else "labels outside of it raise on a CPU"
    )
    return fault(
        "model-classes",
        event.where,
        f"keras.losses.{meant.name}",
        f"{name} {'goes' if values.reached else 'may go'} {bounds}, and the output has {classes} classes, 0 to {classes - 1}: "
        f"{happens}",
        f"give the last layer {int(values.high) + 1} units" if values.low >= 0 else "let labels begin at 0",
        runs="raises" if values.reached else "differs",
        stage="fit",
    )
