"""Operations without a gradient between the weights and the loss."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.events import ClassDefined, KerasTensor, LayerCalled, Made, Model, OperationCalled, Trained
from envcheck.model.tensors import UNKNOWN, Tensor, Unknown
from envcheck.verdicts.models.faults import Fault, fault, line_of, short
from envcheck.verdicts.models.told import Told

CUTTING = frozenset(
    f"{root}.{name}"
    for name in ("argmax", "argmin", "round", "floor", "ceil", "stop_gradient", "one_hot", "argsort")
    for root in ("tensorflow", "tensorflow.math", "keras.ops", "keras.backend")
)
"""Functions that have no gradient (measured: ``fit`` raises where one of them stands before all weights)."""


def trained(told: Told, event: Trained) -> Iterator[Fault]:
    """A model whose weights get no gradient, for an operation stands between all of them and the output."""
    model = event.model
    if event.method not in ("fit", "train_on_batch") or model.own is not None or isinstance(model.outputs, Unknown):
        return
    cuts: list[OperationCalled] = []
    for output in model.outputs:
        if _reaches(told, output, cuts, set()) is not False:
            return
    if cuts:
        cut = cuts[-1]
        yield fault(
            "model-gradients",
            cut.where,
            cut.name,
            f"{short(cut.name)} has no gradient and stands between every weight and the output: in {event.method}() "
            f"({line_of(event.where)}) Keras {told.keras} finds no gradients for any variable and raises",
            "use something that has a gradient: softmax instead of argmax, a straight-through estimator instead of round",
            stage="fit",
        )


def _reaches(told: Told, tensor: KerasTensor, cuts: list[OperationCalled], seen: set[int]) -> bool | None:
    """Whether a gradient reaches any weight behind a tensor; None: it cannot be told."""
    if id(tensor) in seen:
        return False
    seen.add(id(tensor))
    maker = tensor.made_by
    if maker is None:
        return False
    if isinstance(maker, Unknown) or isinstance(tensor.inputs, Unknown):
        return None
    if isinstance(maker, str) and maker in CUTTING:
        found = [
            each
            for each in told.operations
            if each.name == maker and any(one is each.inputs[0] for one in tensor.inputs)
        ]
        cuts += found[:1]
        return False if found else None
    if isinstance(maker, Made) and id(maker) in told.cuts:
        cuts.append(told.cuts[id(maker)])
        return False
    if isinstance(maker, (Made, Model)) and not _weightless(maker):
        return True
    answers = {_reaches(told, each, cuts, seen) for each in tensor.inputs}
    return True if True in answers else None if None in answers else False


_NOTHING = ("Flatten", "Reshape", "Dropout", "Activation", "ReLU", "Softmax", "Lambda", "Permute", "Add", "Concatenate")


def _weightless(maker: Made | Model) -> bool:
    return isinstance(maker, Made) and maker.own is None and short(maker.name) in _NOTHING


def operated(told: Told, event: OperationCalled) -> Iterator[Fault]:
    """Remember operations: what they do is judged when the model is trained."""
    if event.inputs:
        told.operations.append(event)
    yield from ()


def called(told: Told, event: LayerCalled) -> Iterator[Fault]:
    """Remember a layer of the file's own that does nothing but such operations with what it is called on."""
    own = event.layer.own
    if isinstance(event.layer, Made) and own is not None and _bare(own) and isinstance(event.output, Tensor):
        first = [each for each in told.operations if each.inside == own.name and not _from_operation(each)]
        if first and event.output.shape is not UNKNOWN and all(each.name in CUTTING for each in first):
            told.cuts[id(event.layer)] = first[0]
    yield from ()


def _bare(own: ClassDefined) -> bool:
    """Whether a layer has neither weights nor layers of its own."""
    return (
        own.bases_known
        and "build" not in own.methods
        and not any(each.holds for each in own.assigned)
        and not own.weights_in_call
    )


def _from_operation(event: OperationCalled) -> bool:
    return all(isinstance(each.made_by, str) for each in event.inputs)
