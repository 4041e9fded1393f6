"""The known failures of code, each as the shortest program that shows it; tests/real/test_failures.py runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from verdicts.test_judging import judged

from envcheck.verdicts.found import Verdict

FAILURES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent.parent / "source" / "failures.yaml").read_text("utf-8")
)
SEEN = [each for each in FAILURES if "unseen" not in each and each["kind"] != "none"]
SORTS = {
    "name": ("absent-name", "absent-module", "moved", "not-yet", "method"),
    "parameter": ("absent-parameter", "positional"),
    "value": ("value", "identifier", "behaviour", "deprecated"),
    "foreign": ("foreign", "mixed"),
}
"""Kinds of findings by what is wrong: the name, the way of the call, what it does."""
SORT = {kind: sort for sort, kinds in SORTS.items() for kind in kinds}
QUIET = ("private",)


def tells(verdict: Verdict, failure: dict[str, Any]) -> bool:
    """Whether a verdict is about the failure: its line, what is wrong, and the name or something below it."""
    kind = failure["kind"]
    symbol, wanted = verdict.symbol, failure["symbol"]
    return (
        verdict.place.line == failure["line"]
        and SORT.get(verdict.kind, verdict.kind) == SORT.get(kind, kind)
        and (
            kind == "foreign"  # told of what takes the object, or of the object
            or symbol == wanted
            or symbol.startswith(wanted + ".")
            or symbol.rpartition(".")[2] == wanted.rpartition(".")[2]
        )
        and (SORT.get(kind) != "parameter" or verdict.parameter == failure["parameter"])
    )


@pytest.mark.parametrize("failure", SEEN, ids=[f"{n}-{each['id']}" for n, each in enumerate(SEEN)])
def test_a_known_failure_is_reported_where_it_fails(failure: dict[str, Any]) -> None:
    found = judged({"a.py": failure["code"]}, failure["fails"])[0].verdicts
    told = [(each.place.line, each.kind, each.symbol, each.parameter) for each in found if each.kind not in QUIET]
    assert any(tells(verdict, failure) for verdict in found), told


@pytest.mark.parametrize("failure", [each for each in SEEN if "fine" in each], ids=lambda each: each["id"])
def test_and_not_where_it_works(failure: dict[str, Any]) -> None:
    found = judged({"a.py": failure["code"]}, failure["fine"])[0].verdicts
    assert not [verdict for verdict in found if tells(verdict, failure)]


def test_every_known_failure_is_reported_or_said_to_be_unseen() -> None:
    assert len({each["id"] for each in FAILURES}) >= 126
    assert all(len(each["unseen"]) > 20 for each in FAILURES if "unseen" in each)
