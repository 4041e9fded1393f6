"""A team's own rows, laid over ours: ``--matrix FILE``, or ``matrix`` under ``[tool.envcheck]``.

The file maps a table's name to rows. A row whose key (``series``, ``id``, …) is one of ours changes the columns it gives;
another is added; ``remove: true`` takes ours away. Every row says its ``reason``, which the report shows.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path

from envcheck.errors import UsageError
from envcheck.findings import Override
from envcheck.knowledge.rows import LINE, Damage, Row, listed, read_stranger


class Overlay:
    """The rows of one file, checked as far as that goes without ours.

    ``keys`` maps each table that may be changed to the columns that name a row; rows of the tables in ``closed`` can be
    changed, and neither added nor removed.

    Raises:
        UsageError: it cannot be read, or a row is none of a known table, gives no reason or no key; with file and line.
    """

    def __init__(self, path: Path, keys: Mapping[str, tuple[str, ...]], closed: frozenset[str] = frozenset()) -> None:
        self.name = str(path)
        self._closed = closed
        self._rows: dict[str, list[Row]] = {}
        overrides = []
        try:
            content, lines = read_stranger(path)
            if not isinstance(content, dict):
                raise Damage(f"{path}:1: expected tables of rows, such as tensorflow: or knots:")
            for table in content:
                if table == LINE:
                    continue
                line = lines.get(str(table), 1)
                if table not in keys:
                    raise Damage(f"{path}:{line}: unknown table {table}; there are {', '.join(keys)}")
                self._rows[table] = listed(content, table, self.name, line)
                overrides += [self._override(table, row, keys[table]) for row in self._rows[table]]
            self._once_each(overrides)
        except Damage as damage:
            raise UsageError(str(damage)) from None
        self.overrides = tuple(overrides)
        """What the file changes, in its order."""
        self._date = _changed(path)

    def _override(self, table: str, row: Row, key: tuple[str, ...]) -> Override:
        where = f"{self.name}:{row[LINE]}"
        for column in key:
            if row.get(column) is None:
                raise Damage(f"{where}: which row of {table}? {column} is missing")
            if isinstance(row[column], float):
                raise Damage(f"{where}: {column}: put {row[column]} in quotes: without them 2.10 is the number 2.1")
        reason = row.get("reason")
        if not isinstance(reason, str) or not reason.strip():
            raise Damage(f"{where}: every row of your own says its reason, as text")
        if row.get("remove", True) is not True:
            raise Damage(f"{where}: remove is true or not there at all")
        more = [column for column in row if column not in (*key, "reason", "remove", LINE)]
        if "remove" in row and more:
            raise Damage(f"{where}: a row that is removed has no {more[0]}")
        if "remove" not in row and not more:
            raise Damage(f"{where}: this row changes nothing; give the columns that differ, or remove: true")
        return Override(self.name, row[LINE], table, _name(row, key), reason.strip())

    @staticmethod
    def _once_each(overrides: list[Override]) -> None:
        lines: dict[tuple[str, str], int] = {}
        for override in overrides:
            first = lines.setdefault((override.table, override.row), override.line)
            if first != override.line:
                where = f"{override.file}:{override.line}"
                raise Damage(f"{where}: {override.table} {override.row} stands on line {first} already")

    def lay(self, table: str, key: tuple[str, ...], ours: list[Row]) -> list[tuple[Row, bool]]:
        """``ours`` with the overlay's rows of that table laid over them, new ones first; True marks the team's.

        Raises:
            UsageError: a row is to be removed that is not there, or one is added or removed where that means nothing.
        """
        laid = {_name(row, key): (row, False) for row in ours}
        added: list[tuple[Row, bool]] = []
        for row in self._rows.get(table, ()):
            name, where = _name(row, key), f"{self.name}:{row[LINE]}"
            if table in self._closed and (name not in laid or "remove" in row):
                raise UsageError(f"{where}: rows of {table} can be changed only; there are {', '.join(laid)}")
            if "remove" in row:
                if laid.pop(name, None) is None:
                    raise UsageError(f"{where}: {table} has no row {name} to remove")
                if not laid and not added:
                    raise UsageError(f"{where}: {table} has no row left")
                continue
            given = {column: value for column, value in row.items() if column != "reason"}
            ours_too = laid[name][0] if name in laid else {}
            source = [f"{where}: {row['reason'].strip()}", *_texts(ours_too.get("source"))]
            said = {"known": "reported", "checked": self._date, "source": source}
            if name in laid:
                laid[name] = ({**ours_too, **said, **given}, True)
            else:
                added.append(({**said, **given}, True))
        return [*added, *laid.values()]


def _name(row: Row, key: tuple[str, ...]) -> str:
    return " ".join(str(row.get(column)) for column in key)


def _texts(sources: object) -> list[object]:
    return sources if isinstance(sources, list) else []


def _changed(path: Path) -> str:
    """When the file was last changed: the date on which its rows were checked, where they give none."""
    try:
        return datetime.date.fromtimestamp(path.stat().st_mtime).isoformat()
    except (OverflowError, ValueError, OSError):  # a time stamp that no calendar has
        return "1970-01-01"
