"""The mistakes of one file, for each major version of Keras that it is judged for."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from envcheck.model.events import (
    ClassDefined,
    Compiled,
    Event,
    LayerCalled,
    LayerMade,
    ModelChanged,
    ModelMade,
    ModelUsed,
    ObjectMade,
    OperationCalled,
    Trained,
)
from envcheck.model.reading import read_models
from envcheck.model.source import Source
from envcheck.source.columns import in_characters
from envcheck.verdicts.models import (
    advice,
    classes,
    compiling,
    construction,
    data,
    frozen,
    gradients,
    metrics,
    optimizers,
    unbuilt,
    weights,
    weights_in_call,
)
from envcheck.verdicts.models.faults import PACK, Fault
from envcheck.verdicts.models.names import undefined
from envcheck.verdicts.models.told import Told

Rule = Callable[[Told, Any], Iterator[Fault]]
RULES: Mapping[type[Event], tuple[Rule, ...]] = {
    LayerMade: (construction.made, compiling.softmax_of_one, advice.recurrent),
    LayerCalled: (
        compiling.softmax_of_one_later,
        classes.called,
        weights_in_call.called,
        gradients.called,
        construction.called,
    ),
    OperationCalled: (classes.operated, gradients.operated),
    ModelMade: (construction.model, weights_in_call.model),
    ModelChanged: (construction.changed,),
    Compiled: (compiling.compiled, frozen.compiled, advice.compiled),
    Trained: (
        compiling.trained,
        frozen.trained,
        metrics.trained,
        data.trained,
        weights_in_call.trained,
        gradients.trained,
        advice.trained,
    ),
    ModelUsed: (unbuilt.used, classes.used, weights.used),
    ObjectMade: (optimizers.made,),
    ClassDefined: (classes.defined, weights_in_call.defined),
}
NOTHING = PACK.encode(())


def packed(
    tree: ast.Module, text: str, complete: bool, legacy: bool, majors: Sequence[int], under_flag: Sequence[int] = ()
) -> bytes:
    """The mistakes of a file as bytes, for :data:`~envcheck.verdicts.models.faults.UNPACK`.

    Args:
        tree: The file; a notebook's cells as one.
        text: Its source, line by line that of the tree.
        complete: Whether the tree is all that runs: not so for notebooks and for files that could be parsed only in part.
        legacy: Whether the file makes ``tf.keras`` tf_keras.
        majors: Of Keras: 2, 3, or both.
        under_flag: The same for such a file.
    """
    source = Source(text)
    if not source.defines_models(tree):
        return NOTHING
    named = tuple(undefined(tree, source)) if complete else ()
    found = [(major, (*named, *faults(tree, source, major))) for major in (under_flag if legacy else majors)]
    if not text.isascii():
        found = [(major, tuple(_in_characters(each, text))) for major, each in found]
    return PACK.encode(found) if any(each for _, each in found) else NOTHING


def _in_characters(found: Sequence[Fault], text: str) -> Iterator[Fault]:
    lines = text.split("\n")
    for each in found:
        line = lines[each.line - 1] if 0 < each.line <= len(lines) else ""
        column, end = in_characters(line, each.column, each.end)
        yield each._replace(column=column, end=end)


def faults(tree: ast.Module, source: Source, keras: int) -> tuple[Fault, ...]:
    """The mistakes of a file's models under a major version of Keras, each once."""
    told = Told(keras, tree, source.text)
    found: dict[tuple[str, int, int, str], Fault] = {}
    for event in read_models(tree, keras, source).events:
        if not event.where.attempted:
            for rule in RULES[type(event)]:
                for each in rule(told, event):
                    key = each.kind, each.line, each.column, each.symbol
                    if key not in found or _surer(each, found[key]):
                        found[key] = each
        else:
            _expected(told, event)
    return tuple(each for each in found.values() if not _meant(told, each))


def _meant(told: Told, found: Fault) -> bool:
    """Whether a class is wrong because the program, or a test, shows what is wrong with it."""
    if found.kind == "model-weights-in-call":
        return found.symbol in told.tried - told.called
    return found.kind == "model-super" and found.symbol in told.tried


def _surer(one: Fault, other: Fault) -> bool:
    """Whether one of two mistakes at a place says more: that it raises, and on every release."""
    return (one.runs == "raises", not one.row) > (other.runs == "raises", not other.row)


def _expected(told: Told, event: Event) -> None:
    """Remember what happens where the program, or a test, expects an error."""
    if isinstance(event, LayerCalled):
        told.flows(event)
    if isinstance(event, (LayerCalled, LayerMade)) and event.layer.own is not None:
        told.tried.add(event.layer.own.name)
    elif isinstance(event, ModelMade) and event.model.own is not None:
        told.tried.add(event.model.own.name)
