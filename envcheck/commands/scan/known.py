"""Findings that a project knows and does not want reported: its comments, its per-file ignores, its baseline."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from envcheck.commands.scan import baseline
from envcheck.commands.scan.baseline import Baseline
from envcheck.commands.scan.comments import without_ignored
from envcheck.commands.scan.kept import Found
from envcheck.commands.scan.settings import Settings
from envcheck.commands.scan.sifting import without
from envcheck.findings import Outcome

Left = tuple[tuple[Outcome, ...], tuple[str, ...]]
"""The outcomes without those findings, and what must be said about it."""


def without_known(
    outcomes: Sequence[Outcome], found: Found, project: Settings, every: Collection[str], judged: Collection[str]
) -> Left:
    """Leave out what comments in the scanned files and the project's per-file ignores name.

    Args:
        outcomes: what the checks said.
        found: what was scanned.
        project: the settings.
        every: the codes that there are.
        judged: those that were looked for.
    """
    left, notes = without_ignored(outcomes, found.remarks, every, judged)
    left = without(
        left, lambda code, each: each.location is not None and code.startswith(project.ignored(each.location.path))
    )
    if project.per_file_ignores:
        notes = (*notes, f"per-file-ignores ({project.places['per-file-ignores']}) hold for this report")
    return left, notes


def beside(
    outcomes: Sequence[Outcome], recorded: Baseline, name: str, scanned: Collection[str], judged: Collection[str]
) -> Left:
    """Leave out what a baseline records.

    Args:
        outcomes: what the checks said.
        recorded: the baseline.
        name: its file.
        scanned: the files that were scanned.
        judged: the codes that were looked for.
    """
    compared = baseline.compared(outcomes, recorded, scanned, judged)
    return compared.outcomes, (f"the baseline {name} hides {compared.hidden} findings", *compared.notes)


def number(outcomes: Sequence[Outcome]) -> int:
    """How many findings there are."""
    return sum(len(outcome.findings) for outcome in outcomes)
