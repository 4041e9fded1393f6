"""The source line of each finding, which reports show."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from dataclasses import replace

from envcheck.findings import Finding, Outcome
from envcheck.source.reading import Unread, document, read_bytes

LONGEST = 400
"""Characters of a line that are kept; the part around the finding of a longer one."""


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
    texts: dict[str, dict[int | None, list[str]]] = {}

    def line_of(finding: Finding) -> Finding:
        where = finding.location
        if where is None or where.line is None:
            return finding
        if where.path not in texts:
            texts[where.path] = _lines(where.path, stdin_name)
        lines = texts[where.path].get(where.cell, [])
        if not 0 < where.line <= len(lines):
            return finding
        line = lines[where.line - 1]
        return replace(finding, evidence={**finding.evidence, "source": line}) if len(line) <= LONGEST else finding

    return tuple(
        replace(outcome, findings=tuple(line_of(finding) for finding in outcome.findings))
        if outcome.findings
        else outcome
        for outcome in outcomes
    )


def _lines(path: str, stdin_name: str | None) -> dict[int | None, list[str]]:
    data = stdin() if path == stdin_name else read_bytes(path)
    found = data if isinstance(data, Unread) else document(path, data)
    if isinstance(found, Unread):
        return {}
    return {part.cell: part.text.split("\n") for part in found.parts}
