"""Which finding or reference of the scan speaks of which reference of the oracle: the same place and a fitting name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from .scanning import Said

Row = Mapping[str, Any]
# What the scan said of a reference, the most telling first.
_ORDER = ("reported", "folded", "guarded", "unknown", "known")


class Places:
    """What the scan said, by file and cell."""

    def __init__(self, said: Iterable[Said], counting: int) -> None:
        self._counting = counting
        self._at: dict[tuple[str, int | None], list[Said]] = defaultdict(list)
        for one in said:
            self._at[one.path, one.cell].append(one)
        self.paths = {path for path, _ in self._at}

    def near(self, reference: Row) -> list[Said]:
        """All that stands on the lines of a reference."""
        cell = reference["cell"][self._counting] if reference["cell"] else None
        found = self._at.get((reference["path"], cell), [])
        return [one for one in found if reference["line"] <= one.line <= reference["end"]]

    def fitting(self, reference: Row) -> list[Said]:
        """Of those, the ones whose symbol fits, the most telling first."""
        found = [one for one in self.near(reference) if fits(one.symbol, reference["name"])]
        return sorted(found, key=lambda one: _ORDER.index(one.status) if one.status in _ORDER else len(_ORDER))


def fits(first: str, second: str) -> bool:
    """Whether two dotted names are the same or one lies below the other."""
    return first == second or first.startswith(second + ".") or second.startswith(first + ".")


def counting(said: Iterable[Said], references: Iterable[Row]) -> int:
    """How the scan counts notebook cells: 0 for all cells, 1 for code cells; whichever fits more references."""
    told = {(one.path, one.cell, one.line) for one in said if one.cell is not None}
    scores = [0, 0]
    for reference in references:
        for number in (0, 1):
            if reference["cell"]:
                scores[number] += (reference["path"], reference["cell"][number], reference["line"]) in told
    return int(scores[1] > scores[0])
