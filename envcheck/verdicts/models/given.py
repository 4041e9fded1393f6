"""The data of one call, whichever way it is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from envcheck.model.events import Array, Dataset, Trained
from envcheck.model.tensors import UNKNOWN, Unknown


@dataclass(frozen=True, slots=True)
class Given:
    """Data for one call.

    Attributes:
        words: Its name in a message: ``x`` or ``validation_data``.
        x: Inputs as arrays; None where they cannot be told.
        y: Labels.
        batched: Whether the first dimension counts samples; False for a dataset without ``batch()``.
    """

    words: str
    x: object
    y: object
    batched: bool = True


def given(event: Trained) -> Iterator[Given]:
    """The data of a call, and that it is validated by."""
    if isinstance(event.x, Dataset):
        yield from _of_dataset("x", event.x)
    else:
        yield Given("x", event.x, event.y)
    validation = event.arguments.get("validation_data")
    if isinstance(validation, Dataset):
        yield from _of_dataset("validation_data", validation)
    elif isinstance(validation, (tuple, list)) and len(validation) >= 2:
        yield Given("validation_data", validation[0], validation[1])


def _of_dataset(words: str, dataset: Dataset) -> Iterator[Given]:
    if dataset.batched not in (0, 1) or isinstance(dataset.batched, Unknown):
        return
    element = dataset.element
    if isinstance(element, tuple) and len(element) in (2, 3):
        yield Given(words, element[0], element[1], dataset.batched == 1)
    elif isinstance(element, Array):
        yield Given(words, element, None, dataset.batched == 1)


def arrays_of(value: object) -> tuple[Array, ...] | None:
    """One array per input; None where that cannot be told."""
    if isinstance(value, Array) and value.library == "list" and value.dtype is UNKNOWN:
        return _unlisted(value)  # a list of arrays: one for each input
    if isinstance(value, Array):
        return (value,)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)) and value and all(isinstance(each, Array) for each in value):
        return tuple(each for each in value if isinstance(each, Array))
    return None


def _unlisted(value: Array) -> tuple[Array, ...] | None:
    """The arrays of a list of arrays that all have one shape."""
    if (
        isinstance(value.shape, Unknown)
        or len(value.shape) < 2
        or not isinstance(value.shape[0], int)
        or value.shape[0] > 64
    ):
        return None
    return (Array(value.shape[1:]),) * value.shape[0]


def stage_of(event: Trained) -> str:
    """When the data of a call is refused."""
    return "predict" if event.method.startswith("predict") else "fit"
