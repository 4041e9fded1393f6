"""Reads tables of YAML rows: each row typed, and each error with its file and line.

Our own files under ``compat_matrix/`` are trusted and tested; :func:`read_stranger` is for files that users write.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import yaml

T = TypeVar("T")
Row = dict[str, Any]

LINE = "__line__"
"""The key under which a row keeps its line number, counted from 1."""
KNOWN = ("released", "documented", "measured", "reported", "inferred")
"""How a row can be known, the surest first."""
LARGEST = 1 << 20
"""Bytes of the largest file that is read from a user."""
DEEPEST = 20
"""How deep a user's file may nest."""

Dotted = Annotated[str, msgspec.Meta(pattern=r"^\d+(\.\d+)+$")]
"""A version such as ``2.15``: in quotes, for 3.10 without them is the number 3.1."""


class Damage(Exception):  # noqa: N818 - it is turned into an error that says whose file it is
    """What is wrong with a file of rows: ``FILE:LINE: …`` on one line."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a row stands and how it is known; ``checked`` is an ISO 8601 date, ``sources`` name what was looked at."""

    file: str
    line: int
    known: Literal["released", "documented", "measured", "reported", "inferred"]
    checked: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d$")]
    sources: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


def folder() -> Path:
    """``compat_matrix/``: inside the package in a wheel, beside it in a checkout."""
    inside = Path(__file__).parent.parent / "compat_matrix"
    return inside if inside.is_dir() else inside.parent.parent / "compat_matrix"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C loader where it is built
    """A safe loader that keeps the line of every mapping and refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Row:
        row: Row = super().construct_mapping(node, deep=deep)
        if len(row) < len(node.value):
            raise yaml.error.MarkedYAMLError(problem="a key stands twice", problem_mark=node.start_mark)
        row[LINE] = node.start_mark.line + 1
        return row


# The safe constructor for mappings builds them with construct_mapping in two steps; one step keeps the line.
_Loader.add_constructor("tag:yaml.org,2002:map", lambda loader, node: loader.construct_mapping(node, deep=True))


def read(path: Path) -> Any:
    """The content of one of our own YAML files.

    Raises:
        Damage: it is not there, or no YAML.
    """
    try:
        return _parse(path.read_bytes(), path.name)
    except OSError as error:
        raise Damage(f"{path}: {error.strerror}") from None


def read_stranger(path: Path) -> Any:
    """The content of a YAML file that a user wrote: an ordinary file, of at most 1 MiB, without aliases.

    Raises:
        Damage: it is none of that, or no YAML.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise Damage(f"{path}: this is no ordinary file")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise Damage(f"{path}: {error.strerror}") from None
    except ValueError as error:  # a NUL in the name
        raise Damage(f"{str(path)!r}: {error}") from None
    if len(data) > LARGEST:
        raise Damage(f"{path}: larger than {LARGEST >> 20} MiB, the most that is read")
    _no_traps(data, str(path))
    return _parse(data, str(path))


def _no_traps(data: bytes, name: str) -> None:
    """Aliases can make a few lines expand to gigabytes, and deep nesting exhausts the stack."""
    depth = 0
    try:
        for event in yaml.parse(data, _Loader):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.AliasEvent):
                raise Damage(f"{name}:{line}: aliases (*{event.anchor}) are not read here; write the value out")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise Damage(f"{name}:{line}: nested deeper than {DEEPEST} levels")
    except (yaml.YAMLError, UnicodeError) as error:
        raise _no_yaml(error, name) from None


def _parse(data: bytes, name: str) -> Any:
    try:
        return yaml.load(data, _Loader)  # noqa: S506 - a subclass of the safe loader
    except (yaml.YAMLError, ValueError, TypeError) as error:  # ValueError: 2026-13-99 is no date
        raise _no_yaml(error, name) from None


def _no_yaml(error: Exception, name: str) -> Damage:
    mark = getattr(error, "problem_mark", None)
    where = f"{name}:{mark.line + 1}" if mark is not None else name
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    return Damage(f"{where}: this is no YAML that can be read: {problem}")


def listed(content: Any, section: str | None, name: str) -> list[Row]:
    """The rows of one section of a file's content; of the whole content without a section.

    Raises:
        Damage: there is no list of mappings.
    """
    rows = content
    if section is not None:
        rows = content.get(section) if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise Damage(f"{name}:1: {section or 'the file'} is no list of rows")
    for row in rows:
        if not isinstance(row, dict):
            raise Damage(f"{name}:1: {section or 'the file'} has a row that is no mapping: {str(row)[:60]}")
    return rows


def typed(row: Row, kind: type[T], file: str) -> T:
    """A row as the dataclass ``kind``, whose field ``source`` takes its ``known``, ``checked`` and ``source``.

    Raises:
        Damage: a column is missing, unknown, or of another type; the message names it.
    """
    assert dataclasses.is_dataclass(kind)
    line = row[LINE]
    plain = {key: _plain(value) for key, value in row.items() if key != LINE}
    missing = [column for column in ("known", "checked", "source") if column not in plain]
    if missing:
        raise Damage(f"{file}:{line}: every row says known, checked and source; {missing[0]} is missing")
    columns = {field.name for field in dataclasses.fields(kind)}
    unknown = [str(column) for column in plain if column not in columns | {"known", "checked"}]
    if unknown:
        raise Damage(f"{file}:{line}: unknown column {unknown[0]}; there are {', '.join(sorted(columns - {'source'}))}")
    plain["source"] = {
        "file": file,
        "line": line,
        "known": plain.pop("known"),
        "checked": plain.pop("checked"),
        "sources": plain.pop("source"),
    }
    try:
        return msgspec.convert(plain, kind)
    except (msgspec.ValidationError, ValueError) as error:
        raise Damage(f"{file}:{line}: {_column(str(error))}") from None


def _plain(value: Any) -> Any:
    """A value without line numbers, and dates as text."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items() if key != LINE}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime.date) else value


def _column(error: str) -> str:
    """msgspec's sentence with the column first: ``python[0]: expected `str`, got `float```."""
    found = re.fullmatch(r"(.*?) - at `\$\.?(.*)`", error)
    if found is None:
        return error
    what, where = found.groups()
    return f"{where}: {what[:1].lower()}{what[1:]}"
