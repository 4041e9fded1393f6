"""A team's own rows, laid over ours: ``--matrix FILE``, or ``matrix`` under ``[tool.envcheck]``.

The file maps a table's name to rows. A row whose key (``series``, ``id``, …) is one of ours changes the columns it gives;
another is added; ``remove: true`` takes ours away. Every row says its ``reason``, which the report shows.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from envcheck.errors import UsageError
from envcheck.knowledge.rows import LINE, Damage, Row, listed, read_stranger


@dataclass(frozen=True, slots=True)
class Override:
    """One row of a team's own: where it stands, the table and the row it changes, and why."""

    file: str
    line: int
    table: str
    row: str
    reason: str


class Overlay:
    """The rows of one file, checked as far as that goes without ours.

    ``keys`` maps each table's name to the columns that name a row.

    Raises:
        UsageError: it cannot be read, or a row is none of a known table, gives no reason or no key; with file and line.
    """

    def __init__(self, path: Path, keys: Mapping[str, tuple[str, ...]]) -> None:
        self.name = str(path)
        self._rows: dict[str, list[Row]] = {}
        overrides = []
        try:
            content = read_stranger(path)
            if not isinstance(content, dict):
                raise Damage(f"{path}:1: expected tables of rows, such as tensorflow: or knots:")
            for table in content:
                if table == LINE:
                    continue
                if table not in keys:
                    raise Damage(f"{path}:{content[LINE]}: unknown table {table}; there are {', '.join(keys)}")
                self._rows[table] = listed(content, table, self.name)
                overrides += [self._override(table, row, keys[table]) for row in self._rows[table]]
        except Damage as damage:
            raise UsageError(str(damage)) from None
        self.overrides = tuple(overrides)
        """What the file changes, in its order."""
        self._date = datetime.date.fromtimestamp(path.stat().st_mtime).isoformat()

    def _override(self, table: str, row: Row, key: tuple[str, ...]) -> Override:
        where = f"{self.name}:{row[LINE]}"
        missing = [column for column in key if column not in row]
        if missing:
            raise Damage(f"{where}: which row of {table}? {missing[0]} is missing")
        reason = row.get("reason")
        if not isinstance(reason, str) or not reason.strip():
            raise Damage(f"{where}: every row of your own says its reason")
        return Override(self.name, row[LINE], table, _name(row, key), reason.strip())

    def lay(self, table: str, key: tuple[str, ...], ours: list[tuple[Row, str]]) -> list[tuple[Row, str]]:
        """``ours`` (rows with their file) with the overlay's rows of that table laid over them, new ones first.

        Raises:
            UsageError: a row is to be removed that is not there.
        """
        laid = {_name(row, key): (row, file) for row, file in ours}
        added: list[tuple[Row, str]] = []
        for row in self._rows.get(table, ()):
            name = _name(row, key)
            if row.get("remove") is True:
                if laid.pop(name, None) is None:
                    raise UsageError(f"{self.name}:{row[LINE]}: {table} has no row {name} to remove")
                continue
            given = {column: value for column, value in row.items() if column not in ("reason", "remove")}
            said = {"known": "reported", "checked": self._date, "source": [f"{self.name}:{row[LINE]}"]}
            if name in laid:
                laid[name] = ({**laid[name][0], **said, **given}, self.name)
            else:
                added.append(({**said, **given}, self.name))
        return [*added, *laid.values()]


def _name(row: Row, key: tuple[str, ...]) -> str:
    return " ".join(str(row.get(column)) for column in key)
