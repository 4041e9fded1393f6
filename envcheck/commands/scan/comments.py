"""Comments in the scanned code that say which findings are known and wanted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from envcheck.commands.scan.sifting import without
from envcheck.findings import Finding, Outcome
from envcheck.source.remarks import Remarks, Sieve, unknown


def without_ignored(
    outcomes: Sequence[Outcome], remarks: Mapping[str, Remarks], known: Collection[str], judged: Collection[str]
) -> tuple[tuple[Outcome, ...], tuple[str, ...]]:
    """The outcomes without the findings that a comment in their file ignores, and what must be said about the comments.

    Args:
        outcomes: what the checks said.
        remarks: the comments of each file that has some, by its path as findings give it.
        known: the codes that there are.
        judged: those that were looked for.
    """
    sieves = {path: Sieve(each.ignores) for path, each in remarks.items()}
    held = 0

    def left_out(code: str, finding: Finding) -> bool:
        nonlocal held
        place = finding.location
        ignored = place is not None and place.path in sieves and sieves[place.path].holds(code, place.line, place.cell)
        held += ignored
        return ignored

    left = without(outcomes, left_out)
    notes = [f"comments in the code ignore {held} finding{'s' if held > 1 else ''}"] if held else []
    for path in sorted(remarks):
        notes += [f"{_place(path, each.line, each.cell)}: {each.reason}" for each in remarks[path].misread]
        notes += _idle(path, sieves[path], known, judged)
    return left, tuple(notes)


def _idle(path: str, sieve: Sieve, known: Collection[str], judged: Collection[str]) -> Iterator[str]:
    """What is said of the comments of one file that name no code or hide nothing."""
    for ignore in sieve.ignores:
        for prefix in unknown(ignore, known):
            yield f"{_place(path, ignore.line, ignore.cell)}: no code begins with {prefix}"
    for ignore, prefix in sieve.unused(judged):
        what = f"ignore[{prefix}]" if prefix else "ignore"
        yield f"{_place(path, ignore.line, ignore.cell)}: nothing is found that this {what} could hide: it can go"


def _place(path: str, line: int, cell: int | None) -> str:
    return f"{path}:{line}" if cell is None else f"{path}, cell {cell}, line {line}"
