"""Data against models: what reaches ``fit``, ``evaluate``, ``predict`` and their like."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.events import Array, KerasTensor, Trained
from envcheck.model.tensors import UNKNOWN, Dimension, Shape, Unknown, text
from envcheck.verdicts.models import tokens
from envcheck.verdicts.models.contents import dataset, lengths, lists, numbers, strings
from envcheck.verdicts.models.faults import Fault, fault, line_of
from envcheck.verdicts.models.given import Given, arrays_of, given, stage_of
from envcheck.verdicts.models.labels import labels
from envcheck.verdicts.models.told import Told


def trained(told: Told, event: Trained) -> Iterator[Fault]:
    """All that is wrong with the data of one call."""
    yield from dataset(told, event)
    for one in given(event):
        wrong = list(_judged(told, event, one))
        yield from wrong
        if wrong and any(each.runs == "raises" for each in wrong):
            return
    yield from _ranks(told, event)


def _judged(told: Told, event: Trained, given: Given) -> Iterator[Fault]:
    arrays = arrays_of(given.x)
    if arrays is None:
        yield from _labels(told, event, given)
        return
    yield from strings(told, event, given, arrays)
    yield from lists(told, event, given)
    if given.batched:
        yield from lengths(told, event, given, arrays)
    if isinstance(given.x, dict):
        return
    wrong = list(_inputs(told, event, given, arrays))
    yield from wrong
    yield from numbers(event, given, arrays)
    if wrong:
        return
    if given.batched:
        yield from tokens.numbers(told, event, arrays)
        yield from _labels(told, event, given)


def _labels(told: Told, event: Trained, given: Given) -> Iterator[Fault]:
    if given.batched and not event.method.startswith("predict"):
        yield from labels(told, event, given.words, given.y)


def _inputs(told: Told, event: Trained, given: Given, arrays: tuple[Array, ...]) -> Iterator[Fault]:
    """Shapes of data against those of the model's inputs."""
    model = event.model
    inputs = model.inputs
    if (
        isinstance(inputs, Unknown)
        or not inputs
        or model.kind not in ("sequential", "functional")
        or model.own is not None
    ):
        return
    if event.was_built is not True:
        return
    if len(arrays) != len(inputs):
        if all(isinstance(each.tensor.shape, tuple) and each.tensor.shape[:1] == (None,) for each in inputs):
            yield _count(told, event, given, len(arrays), inputs)
        return
    for place, (array, needed) in enumerate(zip(arrays, inputs, strict=True)):
        shape = array.shape
        if isinstance(shape, Unknown) or isinstance(needed.tensor.shape, Unknown):
            continue
        if given.batched:
            shape = (None, *shape[1:])
        runs = _fits(shape, needed.tensor.shape, told.keras)
        if runs:
            name = given.words if len(arrays) == 1 else f"{given.words}[{place}]"
            yield _shape(told, event, given, name, array.shape, needed, runs)
            return


def _fits(given: tuple[Dimension, ...], needed: tuple[Dimension, ...], keras: int) -> str:
    """What happens to data of one shape where another one is needed: ``raises``, ``differs``, or nothing ("").

    Both versions of Keras add or drop a last axis of size 1; after that Keras 2 compares the axes that both have, and
    Keras 3 also their number (``Functional._adjust_input_rank``).
    """
    if len(given) == 1:
        given = (*given, 1)  # a vector is a column
    if len(needed) == 1:
        needed = (*needed, 1)
    if len(given) == len(needed) + 1 and given[-1] == 1:
        given = given[:-1]
    elif len(given) == len(needed) + 1 and given[-1] is UNKNOWN:
        return ""
    elif len(given) == len(needed) - 1 and needed[-1] in (1, UNKNOWN):
        given = (*given, 1)
    if any(
        isinstance(one, int) and isinstance(other, int) and one != other
        for one, other in zip(given, needed, strict=False)
    ):
        return "raises"
    if len(given) != len(needed):
        return "raises" if keras == 3 else "differs"
    return ""


def _count(told: Told, event: Trained, given: Given, count: int, inputs: tuple[KerasTensor, ...]) -> Fault:
    ignored = told.keras == 3 and len(inputs) == 1  # the others are dropped
    happens = "Keras 3 takes the first and drops the others" if ignored else f"Keras {told.keras} raises"
    return fault(
        "model-data",
        event.where,
        f"keras.Model.{event.method}",
        f"the model ({line_of(event.model.where)}) has {_counted(len(inputs), 'input')}, and {given.words} gives {count}: "
        f"{happens}",
        "give one array for each input: [first, second]" if len(inputs) > 1 else "give one array: np.array([…])",
        runs="differs" if ignored else "raises",
        stage=stage_of(event),
    )


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _shape(told: Told, event: Trained, given: Given, name: str, shape: Shape, needed: KerasTensor, runs: str) -> Fault:
    wants = needed.tensor.shape
    happens = (
        f"Keras {told.keras} raises"
        if runs == "raises"
        else f"Keras {told.keras} warns, and the layers may raise or broadcast"
    )
    advice = f"declare the shape of one sample, keras.Input(x.shape[1:]), or reshape the data to {text(wants)}"
    if not given.batched:
        advice = "call .batch(n) on the dataset: without it each element is taken for a batch"
    elif isinstance(shape, tuple) and isinstance(wants, tuple) and (*shape,) == wants[1:]:
        advice = f"this is one sample: give it a batch axis, {name}[None]"
    elif isinstance(shape, tuple) and isinstance(wants, tuple) and len(shape) == len(wants) - 1:
        advice += f"; an axis is missing: {name}[..., None], or {name}[None] for one sample"
    return fault(
        "model-data",
        event.where,
        f"keras.Model.{event.method}",
        f"{name} has shape {text(shape)}{'' if given.batched else ' and is not batched'}, and the model "
        f"({line_of(event.model.where)}) takes {text(wants)}: {happens}",
        advice,
        runs=runs,
        stage=stage_of(event),
    )


def _ranks(told: Told, event: Trained) -> Iterator[Fault]:
    """Data of another rank than in an earlier call of the same method: Keras 3 forgets the rank of what it traced."""
    if told.keras != 3 or not isinstance(event.x, Array) or isinstance(event.x.shape, Unknown):
        return
    model = event.model
    compilation = model.compiled
    if model.kind not in ("sequential", "functional") or isinstance(compilation, Unknown):
        return
    if compilation is not None and (not compilation.complete or "run_eagerly" in compilation.arguments):
        return
    key = (model.number, f"{event.method} {compilation and compilation.where}")
    before = told.fits.setdefault(key, event)
    for name, now, then in (("x", event.x, before.x), ("y", event.y, before.y)):
        if not isinstance(now, Array) or not isinstance(then, Array):
            continue
        if isinstance(now.shape, tuple) and isinstance(then.shape, tuple) and len(now.shape) != len(then.shape):
            yield fault(
                "model-data",
                event.where,
                f"keras.Model.{event.method}",
                f"{name} has shape {text(now.shape)}, and had {text(then.shape)} when {event.method}() was called before "
                f"({line_of(before.where)}): Keras 3 traces one step for both, in which the rank is unknown, and raises",
                "give the data one rank from the start, or call compile() again before",
                stage=stage_of(event),
            )
            return
