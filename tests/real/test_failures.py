"""The known failures of code against releases, each run on real packages: it fails where it is said to fail, on that line."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.version import Version
from real.environments import RELEASES, Release
from real.test_values import ON_ALL, ask, target

from envcheck.knowledge.api.target import Target

pytestmark = pytest.mark.real
FAILURES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent.parent / "source" / "failures.yaml").read_text("utf-8")
)
OLD = (
    Release("keras2.3", "3.7", ("tensorflow==1.15.*", "keras==2.3.1", "h5py<3", "protobuf<3.21")),
    Release("keras2.2", "3.7", ("tensorflow==1.13.2", "keras==2.2.4", "h5py<3", "protobuf<3.21", "numpy<1.17")),
)
ON = {
    "tensorflow==2.21.0,keras==3.15.1": "tf2.21",
    "tensorflow==2.16.2,keras==3.15.1,tf_keras==2.16.0,TF_USE_LEGACY_KERAS=1": "tf2.16-legacy",
    "tensorflow==2.15.1,keras==2.15.0": "tf2.15",
    "tensorflow==2.8.4,keras==2.8.0": "tf2.8",
    "tensorflow==2.3.4": "tf2.3",
    "tensorflow==1.15.5": "tf1.15",
    "tensorflow==1.15.5,keras==2.3.1": "keras2.3",
    "tensorflow==1.13.2,keras==2.2.4": "keras2.2",
}
"""The environment of each target that a failure names."""
TRIED = [
    pytest.param(
        text, id=name,
        marks=() if ON_ALL or name in ("tf2.21", "tf2.15") else pytest.mark.skip(reason="runs with ENVCHECK_TEST_RELEASES=all"),
    )
    for text, name in ON.items()
]  # fmt: skip


def release(name: str) -> Release:
    return next(one for one in (*RELEASES, *OLD) if one.name == name)


def same(asked: Target, there: Target) -> bool:
    """Whether what is installed is what a target names, up to patches."""
    pairs = [(asked.tensorflow, there.tensorflow), (asked.keras, there.keras), (asked.tf_keras, there.tf_keras)]
    return all(one is None or (two is not None and _minor(one) == _minor(two)) for one, two in pairs)


def _minor(version: Version) -> tuple[int, ...]:
    return version.release[:2]


def run(text: str, failures: list[dict[str, Any]], tmp_path: Path) -> list[dict[str, Any]]:
    """How each program ends on a target."""
    on = release(ON[text])
    if not same(Target.parse(text), target(on)):
        pytest.skip(f"{on.name} is {target(on)} now: the failures say {text}")
    return ask(on, [{"code": one["code"], "before": one.get("before", "")} for one in failures], tmp_path)


OUTPUT: dict[str, dict[int, str]] = defaultdict(dict)
"""What the programs whose output differs print, by target: the fine ones run first."""


@pytest.mark.parametrize("text", TRIED)
def test_it_is_fine_where_it_is_said_to_be(text: str, tmp_path: Path) -> None:
    chosen = [(place, one) for place, one in enumerate(FAILURES) if one.get("fine") == text]
    ends = run(text, [one for _, one in chosen], tmp_path) if chosen else []
    wrong = []
    for (place, one), end in zip(chosen, ends, strict=True):
        OUTPUT[text][place] = end["output"]
        if end["error"] or (one.get("ends") == "warns" and end["warnings"]):
            wrong.append((one["id"], end))
    assert wrong == []


@pytest.mark.parametrize("text", TRIED)
def test_it_fails_where_it_is_said_to_fail(text: str, tmp_path: Path) -> None:
    chosen = [(place, one) for place, one in enumerate(FAILURES) if one.get("fails") == text]
    ends = run(text, [one for _, one in chosen], tmp_path) if chosen else []
    wrong = []
    for (place, one), end in zip(chosen, ends, strict=True):
        how = one.get("ends", "raises")
        before = OUTPUT[one["fine"]].get(place) if how == "differs" else None
        right = {
            "raises": bool(end["error"]) and one.get("raises_on", one["line"]) in end["error"]["lines"],
            "warns": not end["error"] and bool(end["warnings"]),
            "differs": not end["error"] and end["output"] != before,  # None where that target was not run
        }[how]
        if not right:
            wrong.append((one["id"], end))
    assert wrong == []
