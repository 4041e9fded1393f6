"""The chain from the hardware to the framework as lines: one per link up to the first broken one."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.findings import Report
from envcheck.links import Link, LinkState, Standing

WIDTH = max(len(link.words) for link in Link)
"""Columns that the longest name of a link takes."""
STYLES = {Standing.BROKEN: "bold red", Standing.UNKNOWN: "dim", Standing.NOT_REACHED: "dim", Standing.ABSENT: "dim"}


def linked(report: Report, *, everything: bool) -> Iterator[tuple[str, str]]:
    """Each line and its style; a machine without a GPU that needs none has a line only with ``everything``."""
    chain = report.chain
    if not chain or (len(chain) == 1 and not everything):  # absent, or not covered
        return
    for state in chain:
        if state.standing is not Standing.NOT_REACHED:
            yield _line(state), STYLES.get(state.standing, "")
    missed = [state.link.words for state in chain if state.standing is Standing.NOT_REACHED]
    if missed:
        yield f"not reached: {', '.join(missed)}", "dim"


def _line(state: LinkState) -> str:
    words = f"{state.code}, see below" if state.standing is Standing.BROKEN else state.words
    return f"{state.link.words:<{WIDTH}}  {state.standing.value:<7}  {words}"
