"""Accuracy of a regression.

``"accuracy"`` becomes ``binary_accuracy`` where the output has one unit, which asks whether ``output > 0.5`` equals the label
(measured on Keras 2.15 and 3.15; for several units it becomes ``categorical_accuracy``, of which nothing is said here).
"""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.events import Array, Compilation, Trained
from envcheck.model.tensors import Unknown
from envcheck.verdicts.models.faults import Fault, fault, line_of
from envcheck.verdicts.models.given import given
from envcheck.verdicts.models.losses import REGRESSIONS, heads, loss
from envcheck.verdicts.models.told import Told

METHODS = ("fit", "evaluate", "train_on_batch", "test_on_batch")
PRICES = ("keras.datasets.boston_housing.load_data", "keras.datasets.california_housing.load_data")


def trained(_told: Told, event: Trained) -> Iterator[Fault]:
    """A model with one output unit, a loss of a regression, and accuracy, that meets labels other than 0 and 1."""
    compilation = event.model.compiled
    if event.method not in METHODS or not isinstance(compilation, Compilation) or event.model.own is not None:
        return
    meant, found = loss(compilation.arguments.get("loss")), heads(event.model)
    if meant is None or meant.name not in REGRESSIONS or len(found) != 1:
        return
    head = found[0]
    if head.activation not in ("linear", "relu") or isinstance(head.shape, Unknown) or head.shape[-1:] != (1,):
        return
    if not _accuracy(compilation.arguments.get("metrics")):
        return
    labels = [each.y for each in given(event) if each.words == "x"]
    said = _other_labels(labels[0]) if labels else ""
    if said:
        yield fault(
            "model-metrics",
            compilation.where,
            "keras.Model.compile",
            f"accuracy asks whether 'output > 0.5' equals the label: only labels of 0 and 1 can be right, and those of "
            f"{event.method}() ({line_of(event.where)}) {said}; nothing raises",
            "use metrics=['mae'], or the loss of a classifier",
            runs="differs",
            stage="silent",
        )


def _accuracy(metrics: object) -> bool:
    return isinstance(metrics, (list, tuple)) and any(
        each in ("accuracy", "acc") for each in metrics if isinstance(each, str)
    )


def _other_labels(labels: object) -> str:
    """What labels are that most likely are neither 0 nor 1, in words; empty where they may be, or are not known."""
    if not isinstance(labels, Array):
        return ""
    if labels.made_by in PRICES:
        return "are prices"
    values = labels.values
    if values is None:
        return ""
    beyond = values.low < 0 or values.high > 1
    between = values.reached and any(0 < each < 1 for each in (values.low, values.high))
    return f"{'go' if values.reached else 'may go'} from {values.low:g} to {values.high:g}" if beyond or between else ""
