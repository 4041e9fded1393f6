"""Reads tables of YAML rows: each row typed, and each error with its file and line.

Our own files under ``compat_matrix/`` are trusted and tested; :func:`read_stranger` is for files that users write.
"""

from __future__ import annotations

import datetime
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import yaml

T = TypeVar("T", bound=msgspec.Struct)
Row = dict[str, Any]

LINE = "__line__"
"""The key under which a row keeps its line number, counted from 1."""
KNOWN = ("released", "documented", "measured", "reported", "inferred")
"""How a row can be known, the surest first."""
LARGEST = 1 << 20
"""Bytes of the largest file that is read from a user."""
DEEPEST = 20
"""How deep a user's file may nest."""
LONGEST = 4000
"""Characters of the longest value in a user's file."""

Dotted = Annotated[str, msgspec.Meta(pattern=r"^\d+(\.\d+)+$")]
"""A version such as ``2.15`` or ``12.5.1``: in quotes, for 3.10 without them is the number 3.1."""

Minor = Annotated[str, msgspec.Meta(pattern=r"^\d+\.\d+$")]
"""A series such as ``2.15`` or ``3.12``: a row under ``2.15.1`` would never be found."""


class Damage(Exception):  # noqa: N818 - it is turned into an error that says whose file it is
    """What is wrong with a file of rows: ``FILE:LINE: …`` on one line."""


class Source(msgspec.Struct, frozen=True):
    """Where a row stands and how it is known; ``checked`` is an ISO 8601 date, ``sources`` name what was looked at.

    ``own`` says that the row is a team's; then ``file`` is the team's, else it is one of ``compat_matrix/``.
    """

    file: str
    line: int
    known: Literal["released", "documented", "measured", "reported", "inferred"]
    checked: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d$")]
    sources: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    own: bool = False

    @property
    def path(self) -> str:
        """The file as a reader finds it: ``compat_matrix/knots.yaml``, or the team's own."""
        return self.file if self.own else f"compat_matrix/{self.file}"


def folder() -> Path:
    """``compat_matrix/``: inside the package in a wheel, beside it in a checkout."""
    inside = Path(__file__).parent.parent / "compat_matrix"
    return inside if inside.is_dir() else inside.parent.parent / "compat_matrix"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C loader where it is built
    """A safe loader that keeps the line of every mapping and refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Row:
        seen = set()
        for key, _ in node.value:
            if (key.tag, str(key.value)) in seen:
                raise yaml.error.MarkedYAMLError(problem=f"{key.value} stands twice", problem_mark=key.start_mark)
            seen.add((key.tag, str(key.value)))
        row: Row = super().construct_mapping(node, deep=deep)
        row[LINE] = node.start_mark.line + 1
        return row

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, TypeError) as error:  # 2026-13-99 is no date
            raise yaml.error.MarkedYAMLError(problem=str(error), problem_mark=node.start_mark) from None


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


def read_stranger(path: Path) -> tuple[Any, dict[str, int]]:
    """The content of a YAML file that a user wrote, and the line of each of its outermost keys.

    It must be an ordinary file, of at most 1 MiB, without aliases and tags.

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
    content = _parse(data, str(path))
    node = yaml.compose(data, _Loader)
    outermost = node.value if isinstance(node, yaml.MappingNode) else []
    return content, {str(key.value): key.start_mark.line + 1 for key, _ in outermost}


def _no_traps(data: bytes, name: str) -> None:
    """Aliases expand to gigabytes, deep nesting exhausts the stack, long numbers take minutes; tags name types."""
    depth = 0
    try:
        for event in yaml.parse(data, _Loader):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.AliasEvent):
                raise Damage(f"{name}:{line}: aliases (*{event.anchor}) are not read here; write the value out")
            tag = getattr(event, "tag", None)  # only what brings a value has one
            if tag is not None:
                raise Damage(f"{name}:{line}: tags ({tag}) are not read here; write the plain value")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise Damage(f"{name}:{line}: nested deeper than {DEEPEST} levels")
            if isinstance(event, yaml.ScalarEvent) and len(event.value) > LONGEST:  # a number of a million digits
                raise Damage(f"{name}:{line}: a value of more than {LONGEST} characters")
    except (yaml.YAMLError, UnicodeError) as error:
        raise _no_yaml(error, name, data) from None


def _parse(data: bytes, name: str) -> Any:
    try:
        return yaml.load(data, _Loader)  # noqa: S506 - a subclass of the safe loader
    except (yaml.YAMLError, UnicodeError) as error:
        raise _no_yaml(error, name, data) from None


def _no_yaml(error: Exception, name: str, data: bytes) -> Damage:
    mark = getattr(error, "problem_mark", None)
    position = getattr(error, "position", None)  # of bytes that are no text
    where = name
    if mark is not None:
        where = f"{name}:{mark.line + 1}"
    elif isinstance(position, int):
        where = f"{name}:{data.count(10, 0, position) + 1}"
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    return Damage(f"{where}: this is no YAML that can be read: {problem}")


def parse(text: str, name: str, line: int = 0) -> Any:
    """A part of one of our own YAML files, which begins after ``line`` lines; errors and rows name the whole file's lines.

    Raises:
        Damage: it is no YAML.
    """
    return _parse(b"\n" * line + text.encode(), name)


def listed(content: Any, section: str | None, name: str, line: int = 1) -> list[Row]:
    """The rows of one section (on ``line``) of a file's content; of the whole content without a section.

    Raises:
        Damage: there is no list of mappings.
    """
    rows = content
    if section is not None:
        rows = content.get(section) if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise Damage(f"{name}:{line}: {section or 'the file'} is no list of rows")
    for row in rows:
        if not isinstance(row, dict):
            raise Damage(f"{name}:{line}: {section or 'the file'} has a row that is no mapping: {str(row)[:60]}")
    return rows


def typed(row: Row, kind: type[T], file: str, *, own: bool = False) -> T:
    """A row as the struct ``kind``, whose field ``source`` takes its ``known``, ``checked`` and ``source``.

    ``own`` says that a team wrote it.

    Raises:
        Damage: a column is missing, unknown, or of another type; the message names it.
    """
    line = row[LINE]
    plain = {key: _plain(value) for key, value in row.items() if key != LINE}
    missing = [column for column in ("known", "checked", "source") if column not in plain]
    if missing:
        raise Damage(f"{file}:{line}: every row says known, checked and source; {missing[0]} is missing")
    columns = set(kind.__struct_fields__)
    unknown = [str(column) for column in plain if column not in columns | {"known", "checked"}]
    if unknown:
        raise Damage(f"{file}:{line}: unknown column {unknown[0]}; there are {', '.join(sorted(columns - {'source'}))}")
    plain["source"] = {
        "file": file,
        "line": line,
        "known": plain.pop("known"),
        "checked": plain.pop("checked"),
        "sources": plain.pop("source"),
        "own": own,
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
