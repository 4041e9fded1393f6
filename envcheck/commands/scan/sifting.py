"""Findings left out of outcomes: by comments, by settings, by a baseline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from envcheck.findings import Finding, Outcome, Status

OURS = ("API", "MDL")
"""The codes of checks on code."""


def without(outcomes: Sequence[Outcome], left_out: Callable[[str, Finding], bool]) -> tuple[Outcome, ...]:
    """The outcomes without the findings (given with their code) that are left out; one that has none left has passed."""
    sifted = [_without(outcome, left_out) if outcome.findings else outcome for outcome in outcomes]
    failed = {outcome.code for outcome in sifted if outcome.status is Status.FAILED}
    return tuple(
        replace(outcome, caused_by=None)
        if outcome.caused_by is not None and outcome.caused_by not in failed
        else outcome
        for outcome in sifted
    )


def _without(outcome: Outcome, left_out: Callable[[str, Finding], bool]) -> Outcome:
    findings = tuple(finding for finding in outcome.findings if not left_out(outcome.code, finding))
    passed = not findings and outcome.status is Status.FAILED
    return replace(outcome, findings=findings, status=Status.PASSED if passed else outcome.status)
