"""Comments in the scanned code that say which findings are known and wanted."""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.findings import Outcome
from envcheck.source.tree import FileReading


def without_ignored(
    outcomes: Sequence[Outcome], files: Sequence[FileReading]
) -> tuple[tuple[Outcome, ...], tuple[str, ...]]:
    """The outcomes without the findings that a comment on their line ignores, and what must be said about that."""
    return tuple(outcomes), ()
