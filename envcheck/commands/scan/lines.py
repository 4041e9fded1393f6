"""The source line of each finding, which reports show."""

from __future__ import annotations

import functools
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from envcheck.findings import Finding, Outcome
from envcheck.source.reading import Unread, document, read_bytes

LONGEST = 400
"""Characters of the longest line that is kept."""


@functools.cache
def stdin() -> bytes:
    """The code on stdin, read once."""
    return sys.stdin.buffer.read()


def with_source(outcomes: Sequence[Outcome], stdin_name: str | None) -> tuple[Outcome, ...]:
    """The outcomes with ``source`` among the evidence of each finding that has a line.

    Args:
        outcomes: what the checks said.
        stdin_name: the name of the code that came from stdin; None: all are files.
    """
    wanted: dict[str, set[tuple[int | None, int]]] = {}
    for outcome in outcomes:
        for finding in outcome.findings:
            where = finding.location
            if where is not None and where.line is not None:
                wanted.setdefault(where.path, set()).add((where.cell, where.line))
    lines = {path: dict(_lines(path, places, stdin_name)) for path, places in wanted.items()}

    def line_of(finding: Finding) -> Finding:
        where = finding.location
        if where is None or where.line is None or (where.cell, where.line) not in lines[where.path]:
            return finding
        return replace(finding, evidence={**finding.evidence, "source": lines[where.path][where.cell, where.line]})

    return tuple(
        replace(outcome, findings=tuple(line_of(finding) for finding in outcome.findings))
        if outcome.findings
        else outcome
        for outcome in outcomes
    )


def _lines(
    path: str, places: Collection[tuple[int | None, int]], stdin_name: str | None
) -> Iterator[tuple[tuple[int | None, int], str]]:
    """The wanted lines of one file by cell and number; whole files of thousands would fill the memory."""
    data = stdin() if path == stdin_name else read_bytes(path)
    found = data if isinstance(data, Unread) else document(path, data)
    texts = {} if isinstance(found, Unread) else {part.cell: part.text.split("\n") for part in found.parts}
    for cell, line in places:
        text = texts.get(cell, ())
        if 0 < line <= len(text) and len(text[line - 1]) <= LONGEST:
            yield (cell, line), text[line - 1]
