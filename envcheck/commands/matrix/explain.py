"""``envcheck matrix explain``: where a row comes from."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import click

from envcheck.commands.options import matrix_option
from envcheck.errors import UsageError

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix


@click.command("explain")
@click.argument("what")
@matrix_option
def command(what: str, matrix: str | None) -> int:
    """Explain WHAT: a row by its name, as in 2.15, numpy2-abi, toolkits:12.5, nvml:LIBRARY_NOT_FOUND."""
    from envcheck.commands.output import write  # noqa: PLC0415 - --help loads none of this
    from envcheck.commands.settings import chosen_matrix  # noqa: PLC0415

    known = chosen_matrix(matrix)
    if not what.strip():
        raise UsageError("which row? Name one, as in 2.15, numpy2-abi or toolkits:12.5")
    table, _, name = what.rpartition(":")
    found = [
        (each, key, row)
        for each, key, row in _rows(known)
        if (not table or table == each)
        and name.casefold() in (key.casefold(), str(getattr(row, "name", "")).casefold())
    ]
    if not found:
        names = [key for each, key, _ in _rows(known) if not table or table == each]
        near = difflib.get_close_matches(name, names, 3, 0.5)
        tables = ", ".join(dict.fromkeys(each for each, _, _ in _rows(known)))
        raise UsageError(
            f"{what}: no row of that name; "
            + (f"did you mean {' or '.join(near)}?" if near else f"the tables are {tables}")
        )
    write("\n\n".join(_page(*each) for each in found) + "\n", None)
    return 0


def _rows(matrix: Matrix) -> list[tuple[str, str, Any]]:
    """Every row of every table: the table, the row's name, the row."""
    from envcheck.knowledge.tables import TABLES  # noqa: PLC0415

    return [
        (name, " ".join(str(getattr(row, column)) for column in table.key), row)
        for name, table in TABLES.items()
        for row in matrix.table(name)
    ]


def _page(table: str, key: str, row: Any) -> str:
    import msgspec  # noqa: PLC0415

    source = row.source
    lines = [f"{table} {key} ({source.path}:{source.line})"]
    columns = [field.name for field in msgspec.structs.fields(row) if field.name != "source"]
    width = max(map(len, columns))
    lines += [f"  {column.ljust(width)}  {_said(getattr(row, column))}" for column in columns]
    lines.append(f"  known: {source.known}, checked {source.checked}")
    lines += [f"  source: {each}" for each in source.sources]
    return "\n".join(lines)


def _said(value: Any) -> str:
    if value is None:
        return "not told, or there is none"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {inner}" for key, inner in value.items()) or "none"
    return str(value)
