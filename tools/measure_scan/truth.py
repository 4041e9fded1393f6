"""What the packages of one target answered, looked up by reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .packages import group

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """``status`` (see `inside/names.py`), the longest dotted name that is surely there (``""``: none is known), the detail."""

    status: str
    there: str
    detail: str


_NOT_ASKED = Answer("unknown", "", "not asked")


class Truth:
    """The answers of one target."""

    def __init__(self, answers: Iterable[Row]) -> None:
        self.died: list[Row] = []
        self._names: dict[tuple[str, str, tuple[str, ...]], Row] = {}
        self._keywords: dict[tuple[str, str], Row] = {}
        self._members: dict[tuple[str, str | None], Row] = {}
        for row in answers:
            kind = row["kind"]
            if kind == "name":
                self._names[row["group"], row["statement"], tuple(row["attributes"])] = row
            elif kind == "keyword":
                self._keywords[row["name"], row["keyword"]] = row
            elif kind == "member":
                self._members[row["name"], row["keyword"]] = row
            elif kind == "died":
                self.died.append(row)

    def name(self, loads: Iterable[str], reference: Row) -> Answer:
        """Whether the name of a reference is there for a file with these imports."""
        row = self._names.get((group(loads), reference["statement"], tuple(reference["attributes"])))
        if row is None:
            return _NOT_ASKED
        attributes = row["attributes"]
        base = reference["name"].split(".")
        known = len(base) - len(attributes) + row["found"] if row["found"] >= 0 else 0
        return Answer(row["status"], ".".join(base[:known]), row["detail"])

    def keyword(self, name: str, keyword: str) -> Answer:
        """Whether a callable takes a keyword: ``accepted``, ``rejected`` or ``unknown``."""
        row = self._keywords.get((name, keyword))
        return Answer(row["status"], "", row["detail"]) if row else _NOT_ASKED

    def member(self, name: str) -> Answer:
        """Whether a dotted name that a scan wrote is there."""
        row = self._members.get((name, None))
        return Answer(row["status"], "", row["detail"]) if row else _NOT_ASKED

    def member_keyword(self, name: str, keyword: str) -> Answer:
        """Whether what such a name stands for takes a keyword."""
        row = self._members.get((name, keyword))
        if row is None:
            return _NOT_ASKED
        if row["status"] != "present":
            return Answer("unknown", "", f"{row['status']}: {row['detail']}")
        return Answer(row["accepts"], "", row["how"])
