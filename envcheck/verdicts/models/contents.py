"""What data is made of: its types, its numbers of samples, and what stands beside a dataset."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.events import Array, Compilation, Dataset, Trained
from envcheck.model.tensors import UNKNOWN, Unknown
from envcheck.verdicts.models.faults import Fault, fault
from envcheck.verdicts.models.given import Given, arrays_of, stage_of
from envcheck.verdicts.models.told import Told

ENDLESS = "a tf.data.Dataset brings its labels and its batches itself"


def strings(told: Told, event: Trained, given: Given, arrays: tuple[Array, ...]) -> Iterator[Fault]:
    """Text where the model computes with numbers."""
    inputs = event.model.inputs
    takes_text = (
        isinstance(inputs, Unknown) or any(each.tensor.dtype in ("string", UNKNOWN) for each in inputs) or not inputs
    )
    text_in = any(each.dtype == "str" for each in arrays) and not takes_text
    text_out = isinstance(given.y, Array) and given.y.dtype == "str" and isinstance(event.model.compiled, Compilation)
    if text_in or text_out:
        name = given.words if text_in else "y" if given.words == "x" else f"the labels of {given.words}"
        yield fault(
            "model-dtype",
            event.where,
            f"keras.Model.{event.method}",
            f"{name} holds text, and the model computes with numbers: Keras {told.keras} raises when it makes a tensor of it",
            "turn text into numbers first: astype('float32') for numbers written as text, StringLookup or LabelEncoder for names",
            stage=stage_of(event),
        )


def lists(told: Told, event: Trained, given: Given) -> Iterator[Fault]:
    """Plain lists of numbers: Keras 3 takes none, Keras 2 not beside an array (measured)."""
    x, y = _is_list(given.x), _is_list(given.y)
    if told.keras == 2:
        beside = (x and isinstance(given.y, Array) and not y) or (y and isinstance(given.x, Array) and not x)
        refused = (x or y) and (event.method.endswith("on_batch") or (beside and given.words == "x"))
    else:
        refused = x or y
    if refused:
        name = given.words if x else "y" if given.words == "x" else "the labels in validation_data"
        text = x and isinstance(given.x, Array) and given.x.dtype == "str"  # Keras 3 takes no numpy array of text
        yield fault(
            "model-dtype",
            event.where,
            f"keras.Model.{event.method}",
            f"{name} is a plain list{' beside an array' if told.keras == 2 and not event.method.endswith('on_batch') else ''}: "
            f"Keras {told.keras} raises",
            "make a tensor of it: tf.constant([…])" if text else "make an array of it: np.array(…)",
            stage=stage_of(event),
        )


def _is_list(value: object) -> bool:
    """Whether data is a list of numbers, not of arrays."""
    return isinstance(value, Array) and value.library == "list" and value.dtype is not UNKNOWN


def lengths(told: Told, event: Trained, given: Given, arrays: tuple[Array, ...]) -> Iterator[Fault]:
    """Arrays of different numbers of samples."""
    if event.method not in ("fit", "evaluate") or isinstance(event.x, Dataset):
        return
    targets = arrays_of(given.y) or ()
    every = [
        (given.words if len(arrays) == 1 else f"{given.words}[{place}]", each) for place, each in enumerate(arrays)
    ]
    every += [("y" if given.words == "x" else "its labels", each) for each in targets]
    known = [(name, each.shape[0]) for name, each in every if isinstance(each.shape, tuple) and each.shape]
    counts = {count for _, count in known if isinstance(count, int)}
    if len(counts) > 1:
        told_counts = ", ".join(f"{name} has {count}" for name, count in known if isinstance(count, int))
        yield fault(
            "model-cardinality",
            event.where,
            f"keras.Model.{event.method}",
            f"the numbers of samples differ: {told_counts}; Keras {told.keras} raises (data cardinality is ambiguous)",
            "slice all arrays alike: the first dimension counts samples",
            stage="fit",
        )


def numbers(event: Trained, given: Given, arrays: tuple[Array, ...]) -> Iterator[Fault]:
    """NaN and infinity."""
    every = [*arrays, *([given.y] if isinstance(given.y, Array) else [])]
    if any(each.values is not None and each.values.nan for each in every):
        yield fault(
            "model-nan",
            event.where,
            f"keras.Model.{event.method}",
            "the data holds NaN or infinity, as log(0) gives: every loss and weight becomes NaN; nothing raises",
            "add a small number before log and division, and ask np.isfinite(x).all() before training",
            runs="differs",
            stage="silent",
        )


def dataset(told: Told, event: Trained) -> Iterator[Fault]:
    """Arguments that do not go with a dataset."""
    if not isinstance(event.x, Dataset) or event.method not in ("fit", "evaluate"):
        return
    wrong = ["y"] if isinstance(event.y, (Array, Dataset)) else []
    split = event.arguments.get("validation_split")
    if isinstance(split, float) and split > 0:
        wrong.append("validation_split")
    for name in wrong:
        yield fault(
            "model-dataset",
            event.where,
            f"keras.Model.{event.method}",
            f"x is a tf.data.Dataset and {name} is given beside it: Keras {told.keras} raises; {ENDLESS}",
            "put the labels into the dataset: Dataset.from_tensor_slices((x, y)).batch(n)"
            if name == "y"
            else f"leave out {name}",
            stage="fit",
        )
