"""Reads one ``site-packages``: name, version, requirements, installer and wheel tags of every distribution in it."""

from __future__ import annotations

import csv
import functools
import re
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

import importlib_metadata
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from envcheck.host import MAX_TEXT, Host

_MODULE = re.compile(r"(?P<name>[^/]+?)(?:/__init__)?\.(?:py|pyc|so|pyd|[^/]*\.so|[^/]*\.pyd)")


@dataclass(frozen=True, slots=True)
class Distribution:
    """One installed distribution.

    ``location`` is the folder of ``sys.path`` that it lies in, ``metadata`` the name of its metadata folder there.
    ``installer`` is what its INSTALLER file says (``pip``, ``uv``, ``conda``; empty when there is none). ``modules``
    are its top-level import packages, by its list of files; ``listed`` tells whether it has such a list.
    """

    name: str
    version: str
    location: str
    metadata: str
    installer: str = ""
    requires: tuple[str, ...] = ()
    requires_python: str | None = None
    wheel_tags: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    listed: bool = False

    def __post_init__(self) -> None:
        """Refuse a version that nobody can compare, be it from disk or from a saved inventory."""
        try:
            Version(self.version)
        except InvalidVersion:
            raise ValueError(f"it has no valid version: {self.version[:80]!r}") from None

    @property
    def key(self) -> str:
        """The normalized name, by which distributions are compared."""
        return canonicalize_name(self.name)


@dataclass(frozen=True, slots=True)
class Unread:
    """A folder of ``sys.path`` or a distribution's metadata that could not be read, and why."""

    path: str
    reason: str


def read_folder(host: Host, folder: str) -> tuple[list[Distribution], list[Unread]]:
    """The distributions in one folder (or zip file) of ``sys.path``; a folder that does not exist has none."""
    where = host.path(folder)
    try:
        if where.is_dir():
            next(where.iterdir(), None)
        elif not where.exists():
            return [], []
    except (OSError, ValueError) as error:
        return [], [Unread(folder, getattr(error, "strerror", None) or str(error))]
    found: list[Distribution] = []
    unread: list[Unread] = []
    for raw in importlib_metadata.distributions(path=[str(where)]):
        metadata = Path(str(getattr(raw, "_path", ""))).name
        try:
            found.append(_read(raw, folder, metadata))
        except (ValueError, OSError, csv.Error) as error:
            unread.append(Unread(f"{folder}/{metadata}", " ".join(str(error).split())))
    return sorted(found, key=lambda dist: dist.metadata), unread


def _file(raw: Any, name: str) -> str | None:
    """A metadata file as text, undecodable bytes replaced; None when there is none.

    One Latin-1 letter in a description must not make a working distribution disappear.
    """
    path = getattr(raw, "_path", None)
    if not isinstance(path, Path):
        found: str | None = raw.read_text(name)  # in a zip archive
        return found
    try:
        if not (path / name).is_file():  # opening a pipe would wait for ever
            return None
        with (path / name).open("rb") as file:
            return file.read(MAX_TEXT).decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _read(raw: Any, folder: str, metadata: str) -> Distribution:
    text = _file(raw, "METADATA") or _file(raw, "PKG-INFO")
    if not text:
        raise ValueError("it has no METADATA (or an empty one)")
    # The description behind the first blank line can be megabytes; nothing here is in it.
    head = HeaderParser().parsestr(re.split(r"\r?\n\r?\n", text, maxsplit=1)[0])
    name, version = _text(head["Name"]), _text(head["Version"])
    if not name or not version:
        raise ValueError("its METADATA names no distribution and version")
    record = _file(raw, "RECORD")
    rows = record_rows(record) if record else []  # after a power cut it may be empty, or all NUL bytes
    return Distribution(
        name=name,
        version=version,
        location=folder,
        metadata=metadata,
        installer=(_file(raw, "INSTALLER") or "").strip().lower()[:40],
        requires=tuple(_text(value) for value in head.get_all("Requires-Dist", ())),
        requires_python=_text(head["Requires-Python"]) or None,
        wheel_tags=tuple(re.findall(r"(?m)^Tag:\s*(\S+)\s*$", _file(raw, "WHEEL") or "")),
        modules=_modules(rows, _file(raw, "top_level.txt"), canonicalize_name(name).replace("-", "_")),
        listed=bool(rows),
    )


def _text(value: object) -> str:
    # A header with undecodable bytes is an object of its own; folded lines keep their line breaks.
    return " ".join(str(value).split()) if value is not None else ""


@functools.lru_cache(maxsize=256)
def record_rows(text: str) -> list[tuple[str, int | None]]:
    """The files of a RECORD with their sizes in bytes; files outside the folder (scripts, data) are left out.

    Raises:
        csv.Error: it is no CSV.
    """
    rows = []
    for row in csv.reader(text.splitlines()):
        if row and not row[0].startswith(("..", "/")) and "\0" not in row[0]:
            size = row[2] if len(row) > 2 else ""
            rows.append((row[0], int(size) if size.isdecimal() else None))
    return rows


def _modules(rows: list[tuple[str, int | None]], top_level: str | None, own: str) -> tuple[str, ...]:
    """The import packages by the list of files, else by ``top_level.txt``, else by the distribution's own name."""
    if not rows:
        return tuple(sorted(set((top_level or own).split())))
    matches = (_MODULE.fullmatch(path) for path, _ in rows)
    return tuple(sorted({match["name"].partition(".")[0] for match in matches if match}))
