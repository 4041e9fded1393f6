"""What a project's own files ask of TensorFlow and Keras: requirements, pyproject.toml, conda's files, locks, Dockerfiles."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from envcheck.source.pins import (
    dockerfiles,
    environment_files,
    lock_files,
    requirement_files,
    setup_files,
    toml_files,
)
from envcheck.source.pins.pin import NAMED, Include, Pin, Told
from envcheck.source.reading import Unread, document, read_bytes

__all__ = ["Pin", "pins"]

LARGEST = 1_000_000
"""Bytes of the largest file that people write."""
LARGEST_LOCK = 20_000_000
"""Bytes of the largest file that a tool wrote."""
MOST = 1000
"""Entries of one file, and files of one folder: a project has a handful."""
FOLDERS = ("", "requirements", "docker")
"""Where files are looked for, below the project's folder."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of file: which names, who reads it, the bytes of the largest, and whether it may name further files."""

    names: re.Pattern[str]
    read: Callable[[str, str], Iterator[Told]]
    largest: int = LARGEST
    includes: bool = False


def _named(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_REQUIREMENTS = _Kind(
    _named(r"requirements[\\/].*\.(txt|in)|(.*[-_.])?(requirements|constraints)([-_.\d].*)?\.(txt|in)"),
    requirement_files.read,
    includes=True,
)
KINDS = (
    _REQUIREMENTS,
    _Kind(_named(r"pyproject\.toml|pipfile"), toml_files.read, includes=True),
    _Kind(_named(r"setup\.cfg"), setup_files.read_cfg, includes=True),
    _Kind(_named(r"setup\.py"), setup_files.read_py),
    _Kind(_named(r"(.*[-_.])?(environment|conda|env)([-_.].*)?\.ya?ml"), environment_files.read, includes=True),
    _Kind(_named(r"(uv|poetry|pdm)\.lock|pylock(\..*)?\.toml"), lock_files.read_toml_lock, LARGEST_LOCK),
    _Kind(_named(r"pipfile\.lock"), lock_files.read_pipfile_lock, LARGEST_LOCK),
    _Kind(_named(r"(docker\W)?((docker|container)file(\..*)?|.*\.dockerfile)"), dockerfiles.read),
)
"""The first kind that fits a file's name, which stands behind its folder's where that is one of :data:`FOLDERS`."""


def pins(folder: Path) -> tuple[tuple[Pin, ...], tuple[Unread, ...]]:
    """What the files of a folder ask of TensorFlow and Keras, by file and line, and what of them could not be read.

    The folder itself, ``requirements/`` and ``docker/`` are looked at, and the files of requirements that theirs name,
    wherever those are. Nothing is run and nothing is fetched. A folder without such files has no pins.
    """
    found: list[Pin] = []
    unread: list[Unread] = []
    waiting = list(_files(folder, unread))
    seen: set[str] = set()
    while waiting and len(seen) < MOST:
        path, kind = waiting.pop(0)
        real = os.path.realpath(path)
        if real in seen:
            continue
        seen.add(real)
        for told in _told(path, kind):
            if isinstance(told, Pin):
                found.append(told)
            elif isinstance(told, Unread):
                unread.append(told)
            else:
                waiting += _included(path, told, unread)
    found.sort(key=lambda pin: (pin.path, pin.line, pin.distribution, pin.group, pin.specifier))
    return tuple(dict.fromkeys(found)), tuple(sorted(set(unread), key=lambda each: (each.path, each.reason)))


def _files(folder: Path, unread: list[Unread]) -> Iterator[tuple[str, _Kind]]:
    """The files that are looked at, each with its kind."""
    for inside in FOLDERS:
        place = folder / inside
        try:
            names = sorted(entry.name for entry in place.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            unread.append(Unread(place.as_posix(), f"cannot be read: {error.strerror or type(error).__name__}"))
            continue
        for name in names:
            kind = next((kind for kind in KINDS if kind.names.fullmatch(f"{inside}/{name}" if inside else name)), None)
            kind = kind or next((kind for kind in KINDS if inside and kind.names.fullmatch(name)), None)
            if kind is not None:
                yield (place / name).as_posix(), kind


def _told(path: str, kind: _Kind) -> Iterator[Told]:
    data = read_bytes(path, kind.largest)
    read = data if isinstance(data, Unread) else document(path, data)
    if isinstance(read, Unread):
        yield read
        return
    text = read.parts[0].text
    if NAMED.search(text) or kind.includes:
        entries = kind.read(path, text)
        yield from islice(entries, MOST)
        if next(entries, None) is not None:
            yield Unread(path, f"more than {MOST} entries: the rest was not read")


def _included(path: str, include: Include, unread: list[Unread]) -> list[tuple[str, _Kind]]:
    """The file that another one names, as a file of requirements."""
    if "://" in include.path or "\0" in include.path:
        unread.append(Unread(path, f"line {include.line}: {include.path[:80]!r} is not followed: it is no file here"))
        return []
    return [(os.path.normpath(Path(path).parent / include.path).replace(os.sep, "/"), _REQUIREMENTS)]
