"""One module per format, each with ``render(report, style) -> str``. Only they choose words and layout."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """How a report is shown: the width in columns, whether colours and non-ASCII symbols are wanted, and how much.

    ``verbosity`` is -1 (findings and verdict), 0, or 1 (every check). ``statistics``: findings in code are counted, not listed.
    """

    width: int = 100
    colour: bool = False
    unicode: bool = True
    verbosity: int = 0
    statistics: bool = False
