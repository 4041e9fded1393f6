"""Advice for models that work: told as notes, on the right lines, and not where there is nothing to say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from model.test_failures import TARGETS, told

from envcheck.findings import Severity

ADVICE: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "advice.yaml").read_text("utf-8"))
each_advice = pytest.mark.parametrize("one", ADVICE, ids=lambda one: one["id"])
each_major = pytest.mark.parametrize("major", TARGETS)


@each_major
@each_advice
def test_it_is_a_note_on_its_line(one: dict[str, Any], major: str) -> None:
    found = told(one["shows"], [TARGETS[major]])
    assert {severity for severity, _ in found} == {Severity.NOTE}
    assert [each.location.line for _, each in found if each.location] == one["lines"]


@each_major
@each_advice
def test_what_needs_none_is_left_alone(one: dict[str, Any], major: str) -> None:
    assert told(one["quiet"], [TARGETS[major]]) == []


@pytest.mark.parametrize(
    "code",
    [
        "keras.layers.LSTM(4, activation=chosen)",
        "keras.layers.LSTM(4, **options)",
        "keras.layers.LSTM(4, activation='relu', use_cudnn=False)",
        "if fast:\n    keras.mixed_precision.set_global_policy('mixed_float16')\n"
        "m = keras.Sequential([keras.layers.Dense(3)])\nm.compile('adam', 'mse')",
        "m = keras.Sequential([keras.layers.Dense(3)])\nm.compile('adam', 'mse', run_eagerly=debugging)",
    ],
)
def test_what_is_not_known_is_left_alone(code: str) -> None:
    assert told(f"from tensorflow import keras\n{code}\n", [TARGETS["keras3"]]) == []


def test_two_reasons_are_one_note() -> None:
    ((_, found),) = told(
        "from tensorflow.keras import layers\nlayers.GRU(4, unroll=True, recurrent_dropout=0.1)\n", [TARGETS["keras3"]]
    )
    assert "recurrent_dropout=0.1 and unroll=True" in found.message
