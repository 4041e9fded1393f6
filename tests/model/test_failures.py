"""The known mistakes in model definitions: what a scan reports of each, for a Keras 2 and a Keras 3."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml
from source.hostile import inputs

from envcheck.engine import Facts, run
from envcheck.findings import Finding, Severity
from envcheck.knowledge.api.target import Target
from envcheck.registry import checks
from envcheck.source.tree import read_file
from envcheck.verdicts.found import Code
from envcheck.verdicts.models.judged import judged, look, unjudged

HERE = Path(__file__).parent
FAILURES: list[dict[str, Any]] = yaml.safe_load((HERE / "failures.yaml").read_text("utf-8"))
SEEDS: list[dict[str, Any]] = yaml.safe_load((HERE / "seeds.yaml").read_text("utf-8"))
TARGETS = {
    "keras2": Target.parse("tensorflow==2.15.1,keras==2.15.0"),
    "keras3": Target.parse("tensorflow==2.21.0,keras==3.15.1"),
}
CHECKS = [each for each in checks() if each.code.startswith("MDL")]
RECALL = 0.85
"""The share of the entries with a static sign that must be reported: issue 7."""


def told(code: str, targets: Sequence[Target], name: str = "x.py") -> list[tuple[Severity, Finding]]:
    """What the checks say of a program, with the severity of each."""
    reading = read_file(name, code.encode(), look=look(targets))
    outcomes = run(CHECKS, Facts({"code": Code(tuple(judged([reading], targets)))}, {}))
    return [(each.severity or one.severity, each) for one in outcomes for each in one.findings]


def lines(found: list[tuple[Severity, Finding]], *severities: Severity) -> set[int | None]:
    return {each.location.line for severity, each in found if severity in severities and each.location}


LOUD = (Severity.ERROR, Severity.WARNING)
each_failure = pytest.mark.parametrize("one", FAILURES, ids=lambda one: one["id"])
each_major = pytest.mark.parametrize("major", TARGETS)


@each_major
@each_failure
def test_the_wrong_program_is_reported_on_its_line(one: dict[str, Any], major: str) -> None:
    found = told(one["fails"], [TARGETS[major]])
    raises = major in one
    if not raises:
        assert lines(found, Severity.ERROR) == set(), "nothing raises there"
    if "unseen" in one or one.get("by") == "API":
        assert lines(found, Severity.ERROR) == set()
    elif raises or (one["stage"] == "silent" and one.get("only", major) == major):
        assert one["line"] in lines(found, *LOUD), one["id"]
    elif "only" in one:
        assert lines(found, *LOUD) == set()


@each_major
@each_failure
def test_the_right_program_is_left_alone(one: dict[str, Any], major: str) -> None:
    assert [each.message for severity, each in told(one["passes"], [TARGETS[major]]) if severity in LOUD] == []


@each_failure
def test_what_raises_is_an_error(one: dict[str, Any]) -> None:
    """But for what fails only when something that was saved is loaded again."""
    for major, target in TARGETS.items():
        if major in one and not {"unseen", "by"} & set(one) and one["stage"] != "save":
            assert one["line"] in lines(told(one["fails"], [target]), Severity.ERROR)


def test_most_are_seen() -> None:
    """An entry of the catalogue may have several programs here: those whose names begin with its own."""
    signs = [one for one in FAILURES if one["stage"] != "runs"]
    seen = [one for one in signs if "unseen" not in one]
    assert len(seen) / len(signs) >= RECALL


@pytest.mark.parametrize("one", SEEDS, ids=lambda one: one["id"])
@each_major
def test_blocks_of_the_articles(one: dict[str, Any], major: str) -> None:
    """Programs that do what the code blocks of five articles on failing models do."""
    found = told(one["code"], [TARGETS[major]])
    said = {(each.location.line, severity.value) for severity, each in found if severity in LOUD and each.location}
    assert said == {(line, severity) for line, severity in one.get(major, [])}


def test_one_mistake_on_two_targets_is_told_once() -> None:
    code = "from tensorflow.keras import layers\nlayers.Dropout(50)\n"
    found = told(code, list(TARGETS.values()))
    assert [each.evidence["keras"] for _, each in found] == ["2 and 3"]
    assert "Keras 2 and Keras 3 raise" in found[0][1].message


def test_a_mistake_of_one_keras_is_told_for_that_one() -> None:
    found = told("from tensorflow.keras import layers\nlayers.Dense(0)\n", list(TARGETS.values()))
    assert [each.evidence["keras"] for _, each in found] == ["3"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "x = layers.LSTM(8)(keras.Input((4,)))",
            "shape (None, 4); the input comes from Input (line 2): Keras 3 raises",
        ),
        ("m = keras.Sequential([layers.Conv2D(8, 3, input_shape=(9, 9))])", "the input comes from its own input_shape"),
        (
            "i = keras.Input((9, 9, 1))\nx = layers.add([i, layers.Conv2D(1, 3)(i)])",
            "from Input (line 2) and Conv2D (line 3)",
        ),
        ("m = keras.Sequential([layers.LSTM(4), layers.LSTM(4)])\nm.build((None, 5, 2))", "from LSTM (line 2)"),
    ],
)
def test_where_a_shape_comes_from_is_told(code: str, words: str) -> None:
    ((severity, found),) = told(
        f"from tensorflow import keras; from tensorflow.keras import layers\n{code}", [TARGETS["keras3"]]
    )
    assert severity is Severity.ERROR
    assert words in found.message


def test_no_input_makes_it_stumble() -> None:
    """Programs cut and mixed anyhow: an answer within the time of a file, never an exception."""
    programs = [one["fails"].encode() for one in FAILURES]
    for made in islice(inputs(7, programs), 400):
        read_file(made.path, made.data, look=look(list(TARGETS.values())))


def test_lines_of_notebooks_are_those_of_cells() -> None:
    cell = '{"cell_type": "code", "source": "%s", "metadata": {}, "outputs": [], "execution_count": null}'
    cells = ", ".join(
        cell % text
        for text in (
            "from tensorflow.keras import layers, Input\\ninputs = Input((28, 28, 1))",
            "x = layers.Conv2D(4, 3)(inputs)",
            "# é\\nx = layers.LSTM(2)(x)",
        )
    )
    found = told(
        f'{{"cells": [{cells}], "metadata": {{}}, "nbformat": 4, "nbformat_minor": 5}}', [TARGETS["keras3"]], "x.ipynb"
    )
    assert [(each.location.cell, each.location.line) for _, each in found if each.location] == [(3, 2)]
    assert "the input comes from Conv2D (cell 2, line 1)" in found[0][1].message


@pytest.mark.parametrize(
    "code",
    [
        "from keras.layers import *\nDense(3)\n",
        "from keras import layers\ntry:\n    Dense(3)\nexcept NameError:\n    pass\n",
        "import keras\ndef make(Dense):\n    return Dense(3)\n",
        "import keras\nexec('from keras.layers import Dense')\nDense(3)\n",
        "import keras\nfor Dense in [keras.layers.Dense]:\n    Dense(3)\n",
        "import keras\ndef later():\n    global Dense\n    from keras.layers import Dense\nlater()\nDense(3)\n",
        "import keras\nif not Dense:\n    pass\nmatch 3:\n    case Dense:\n        Dense(2)\n",
    ],
)
def test_names_that_something_binds_are_no_mistake(code: str) -> None:
    assert told(code, [TARGETS["keras3"]]) == []


def test_columns_count_characters() -> None:
    ((_, found),) = told("from keras import layers\nx = 'éé', layers.Dropout(50)\n", [TARGETS["keras3"]])
    assert found.location is not None
    assert (found.location.column, found.evidence["width"]) == (11, len("layers.Dropout(50)"))


@pytest.mark.parametrize("text", ["tensorflow==1.15.0,keras==2.3.1", "keras==1.2.2", "tensorflow==2.3.0"])
def test_other_versions_of_keras_are_not_judged_and_that_is_said(text: str) -> None:
    target = Target.parse(text)
    assert len(unjudged([target])) == 1
    assert look([target]) is None
    assert told("from keras import layers\nlayers.Dropout(50)\n", [target]) == []
