"""The known mistakes in model definitions, each run on a Keras 2 and a Keras 3: where it fails, and that the right way runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from real.environments import release
from real.test_values import ask

pytestmark = pytest.mark.real
FAILURES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent.parent / "model" / "failures.yaml").read_text("utf-8")
)
ON = {"keras2": "tf2.15", "keras3": "tf2.21"}


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
