"""The known mistakes in model definitions, each run on a Keras 2 and a Keras 3: where it fails, and that the right way runs.

On other releases of Keras the same programs show that a scan for that release calls nothing an error that runs there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from model.test_failures import told
from real.environments import Release, parameters, release
from real.test_values import ON_ALL, ask, target

from envcheck.findings import Severity

pytestmark = pytest.mark.real
FAILURES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent.parent / "model" / "failures.yaml").read_text("utf-8")
)
ADVICE: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent.parent / "model" / "advice.yaml").read_text("utf-8")
)
ON = {"keras2": "tf2.15", "keras3": "tf2.21"}
OTHERS = (
    Release("tf2.6", "3.9", ("tensorflow-cpu==2.6.*", "keras==2.6.*", "tensorflow-estimator==2.6.*", "protobuf<3.21")),
    Release("tf2.11", "3.10", ("tensorflow-cpu==2.11.*",)),
    Release("tf2.13", "3.11", ("tensorflow-cpu==2.13.*",)),
    Release("keras3.0", "3.11", ("tensorflow-cpu==2.16.*", "keras==3.0.*")),
    Release("keras3.5", "3.11", ("tensorflow-cpu==2.16.*", "keras==3.5.*")),
    Release("keras3.10", "3.11", ("tensorflow-cpu==2.16.*", "keras==3.10.*")),
)
"""Releases on which Keras refuses less than the newest of its major version."""
ASKED_FOR = () if ON_ALL else pytest.mark.skip(reason="runs with ENVCHECK_TEST_RELEASES=all")


def ends(major: str, kind: str, tmp_path: Path) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Each entry with the error that its program ended with, if any."""
    answers = ask(release(ON[major]), [{"code": one[kind]} for one in FAILURES], tmp_path)
    return [(one, answer["error"]) for one, answer in zip(FAILURES, answers, strict=True)]


@pytest.mark.parametrize("major", ON)
def test_the_wrong_program_fails_on_its_line(major: str, tmp_path: Path) -> None:
    wrong = []
    for one, error in ends(major, "fails", tmp_path):
        raised = one.get(major)
        right = error is None if raised is None else error is not None and error["lines"][:1] == [raised]
        if right and error is not None:
            right = one.get("says", "").lower() in error["message"].lower()
        if not right:
            wrong.append((one["id"], raised, error))
    assert wrong == []


@pytest.mark.parametrize("major", ON)
def test_the_right_program_runs(major: str, tmp_path: Path) -> None:
    assert [(one["id"], error) for one, error in ends(major, "passes", tmp_path) if error is not None] == []


@pytest.mark.parametrize(
    "on", [*parameters("tf2.8"), *(pytest.param(each, id=each.name, marks=ASKED_FOR) for each in OTHERS)]
)
def test_no_program_that_runs_on_a_release_is_called_an_error_for_it(on: Release, tmp_path: Path) -> None:
    programs = [one[kind] for one in FAILURES for kind in ("fails", "passes")]
    answers = ask(on, [{"code": code} for code in programs], tmp_path)
    wrong = []
    for code, answer in zip(programs, answers, strict=True):
        found = [each.message for severity, each in told(code, [target(on)]) if severity is Severity.ERROR]
        if found and answer["error"] is None:
            wrong.append((code, found))
    assert wrong == []


@pytest.mark.parametrize("major", ON)
def test_advice_is_true(major: str, tmp_path: Path) -> None:
    programs = [one[kind] for one in ADVICE for kind in ("shows", "quiet")]
    answers = ask(release(ON[major]), [{"code": code} for code in programs], tmp_path)
    assert [(code, each["error"]) for code, each in zip(programs, answers, strict=True) if each["error"]] == []
