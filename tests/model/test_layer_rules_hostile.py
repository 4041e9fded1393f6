"""Whatever source says, a rule answers: tensors, UNKNOWN, or Refused with a known stage and a reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from envcheck.model.layers import ALIASES, RULES, output
from envcheck.model.tensors import UNKNOWN, Inputs, Layer, Output, Refused, Shape, Stage, Tensor, Unknown
from tools.try_layers.trials import trials

NAMES = sorted({*RULES, *ALIASES, "Nothing"})
PARAMETERS = sorted({name for rule in RULES.values() for name in rule.signature(3).names} | {"dtype", "weights", "x"})
Values = some.SearchStrategy[object]
Named = some.SearchStrategy[dict[str, object]]
WORDS = ("", "same", "valid", "channels_first", "relu", "int", "one_hot", "float16", "float32", "string", "2")
DTYPES = ("float32", "float16", "int32", "int64", "bool", "string", "uint8", "complex64")
CALLED = ("value", "key", "initial_state", "states", "count_weights", "use_causal_mask", "return_attention_scores")


def made(name: str, positional: list[object], keywords: dict[str, object]) -> Layer:
    return Layer(f"keras.layers.{name}", tuple(positional), keywords)


def composed(inner: Values) -> Values:
    several = some.lists(inner, max_size=3)
    return several | several.map(tuple) | some.dictionaries(some.text(max_size=2), inner, max_size=2)


def named(names: Sequence[str], values: Values, most: int) -> Named:
    return some.dictionaries(some.sampled_from(names), values, max_size=most)


SIMPLE: Values = some.one_of(
    some.none(), some.booleans(), some.integers(-3, 9), some.floats(), some.sampled_from(WORDS), some.just(UNKNOWN)
)
VALUES: Values = some.recursive(SIMPLE, composed, max_leaves=5)
LAYERS: Values = some.builds(
    made, some.sampled_from(NAMES), some.lists(VALUES, max_size=4), named(PARAMETERS, VALUES, 5)
)
ARGUMENTS: Values = VALUES | LAYERS
SHAPES: some.SearchStrategy[Shape] = some.one_of(
    some.lists(some.none() | some.integers(0, 8) | some.just(UNKNOWN), max_size=6).map(tuple), some.just(UNKNOWN)
)
TENSORS = some.builds(Tensor, SHAPES, some.sampled_from(DTYPES) | some.just(UNKNOWN))
SEVERAL = some.lists(TENSORS, max_size=4).map(tuple)
INPUTS: some.SearchStrategy[Inputs] = some.one_of(TENSORS, SEVERAL)
CALLS = named(CALLED, some.one_of(VALUES, TENSORS, SEVERAL), 3)


def check(layer: Layer, inputs: Inputs, keras: int, call: dict[str, object]) -> None:
    found: Output | Refused
    try:
        found = output(layer, inputs, keras, call)
    except Refused as refused:
        found = refused
    if isinstance(found, Refused):
        assert found.stage in get_args(Stage)
        assert found.reason
        return
    if isinstance(found, Unknown):
        return
    for each in found if isinstance(found, tuple) else (found,):
        assert isinstance(each, Tensor)
        assert isinstance(each.dtype, (str, Unknown))
        if not isinstance(each.shape, Unknown):
            assert all(size is None or size is UNKNOWN or (isinstance(size, int) and size >= 0) for size in each.shape)


@settings(max_examples=300, deadline=None)
@given(
    name=some.sampled_from(NAMES),
    positional=some.lists(ARGUMENTS, max_size=4),
    keywords=named(PARAMETERS, ARGUMENTS, 4),
    inputs=INPUTS,
    keras=some.sampled_from((2, 3)),
    call=CALLS,
)
def test_any_arguments_get_an_answer(
    name: str,
    positional: list[object],
    keywords: dict[str, object],
    inputs: Inputs,
    keras: int,
    call: dict[str, object],
) -> None:
    check(made(name, positional, keywords), inputs, keras, call)


@pytest.mark.parametrize("name", sorted(RULES))
@settings(max_examples=10, deadline=None)
@given(data=some.data())
def test_each_rule_gets_its_own_arguments(name: str, data: some.DataObject) -> None:
    own = sorted(RULES[name].signature(2).names) or ["name"]
    keywords = data.draw(named(own, ARGUMENTS, len(own)))
    check(made(name, [], keywords), data.draw(INPUTS), data.draw(some.sampled_from((2, 3))), data.draw(CALLS))


def test_forgetting_an_argument_never_changes_a_tensor_into_a_refusal() -> None:
    """Less known is never more refused: every configuration of the generator, one argument UNKNOWN at a time."""
    wrong = []
    for name, trial in trials(seed=5, percent=10):
        for keras in (2, 3):
            try:
                if isinstance(output(trial.layer, trial.inputs, keras, trial.call), Unknown):
                    continue
            except Refused:
                continue
            for key in trial.layer.keywords:
                less = Layer(trial.layer.name, trial.layer.positional, {**trial.layer.keywords, key: UNKNOWN})
                try:
                    output(less, trial.inputs, keras, trial.call)
                except Refused as refused:
                    wrong.append((name, keras, key, trial, refused.reason))
    assert wrong == []
