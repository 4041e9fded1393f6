"""The shape rules of layers against real layers: a few hundred configurations of the generator, on Keras 2 and Keras 3.

All of them, some 9,000, are compared by ``python -m tools.try_layers PYTHON…``.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
from pathlib import Path

import pytest
from real.environments import Release, parameters
from real.test_model_failures import ASKED_FOR, OTHERS

from envcheck.model.layers import RULES
from tools.try_layers.asking import answers, release
from tools.try_layers.comparing import Comparison
from tools.try_layers.trials import trials

pytestmark = pytest.mark.real
SEED, PERCENT = 7, 5
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
SIGNATURES = """
import inspect, json, sys
import tensorflow as tf, keras
found = {}
for name in json.loads(sys.argv[1]):
    kind = getattr(keras.layers, name, None) or getattr(tf.keras.layers, name, None)
    if kind is not None:
        parameters = inspect.signature(kind if name == "Input" else kind.__init__).parameters.values()
        found[name] = [(each.name, each.kind.name, each.default is each.empty) for each in parameters if each.name != "self"]
json.dump(found, open(sys.argv[2], "w"))
"""


@pytest.mark.parametrize("on", parameters("tf2.21", "tf2.15"))
def test_rules_agree_with_real_layers(on: Release, tmp_path: Path) -> None:
    python = on.interpreter()
    chosen = list(trials(SEED, PERCENT))
    assert len(chosen) > 300
    comparison = Comparison(release(python))
    for (name, trial), answer in zip(chosen, answers(python, [each for _, each in chosen], tmp_path), strict=True):
        comparison.add(name, trial, answer)
    assert comparison.differences == []
    tallies = comparison.tallies.values()
    assert sum(each.silent for each in tallies) < 0.1 * sum(each.tried for each in tallies)
    assert sum(each.refused for each in tallies) > 50  # the generator draws what is wrong, too


@pytest.mark.parametrize(
    "on", [*parameters("tf2.8"), *(pytest.param(each, id=each.name, marks=ASKED_FOR) for each in OTHERS)]
)
def test_other_releases_take_nothing_that_the_rules_refuse_for_them(on: Release, tmp_path: Path) -> None:
    python = on.interpreter()
    chosen = list(trials(SEED, PERCENT, odd=0.2))
    comparison = Comparison(release(python))
    for (name, trial), answer in zip(chosen, answers(python, [each for _, each in chosen], tmp_path), strict=True):
        comparison.add(name, trial, answer)
    assert [each for each in comparison.differences if each.kind == "refused wrongly"] == []


@pytest.mark.parametrize("on", parameters("tf2.21", "tf2.15"))
def test_positional_arguments_have_the_order_of_the_real_constructors(on: Release, tmp_path: Path) -> None:
    python, target = on.interpreter(), tmp_path / "signatures.json"
    command = [str(python), "-c", SIGNATURES, json.dumps(sorted(RULES)), str(target)]
    subprocess.run(command, env={**os.environ, **QUIET}, check=True, capture_output=True, timeout=300)
    keras = release(python).major
    real = json.loads(target.read_text("utf-8"))
    wrong = {}
    for name, parameters_ in real.items():
        rule = RULES[name]
        if rule.only in (None, keras):
            mine = list(rule.signature(keras).positional)
            names = [each for each, kind, _ in parameters_ if kind == inspect.Parameter.POSITIONAL_OR_KEYWORD.name]
            if mine[: len(names)] != names[: len(mine)]:
                wrong[name] = (mine, names)
    assert len(real) > 100
    assert wrong == {}
