"""A whole project read: many files, on all cores, with a cache; hostile files cost their own reading and nothing else."""

from __future__ import annotations

import ast
import gc
import multiprocessing
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import msgspec

from envcheck.source.cache import Cache
from envcheck.source.columns import in_characters
from envcheck.source.flags import legacy_keras
from envcheck.source.names.reader import read
from envcheck.source.names.uses import Condition, Export, Use
from envcheck.source.parsing import parse
from envcheck.source.reading import Document, Unread, document, read_bytes
from envcheck.source.remarks import Remarks, remarks

LARGEST = 20_000_000
"""Bytes of the largest file that is read; generated code of that size says nothing about a model."""
MENTIONS = re.compile(rb"keras|tensorflow", re.IGNORECASE)
IMPORTS = re.compile(rb"^[ \t]*(?:from|import)\b([^\n]*)", re.MULTILINE)
WORDS = re.compile(rb"\w+")
FEW = 40
"""Files up to which more processes cost more than they save."""
DEEPEST = 5000
"""Python frames for one file: a chain of a thousand calls is read, a nest of a million is not."""
UNPACK = msgspec.msgpack.Decoder(tuple[tuple[Use, ...], tuple[tuple[Condition, ...], ...]])
NOTHING = msgspec.msgpack.encode(((), ((),)))
"""No uses."""


class Unjudged(NamedTuple):
    """A file, or a part of it (lines from 1, in the cell), that could not be read."""

    reason: str
    line: int | None = None
    end: int | None = None
    cell: int | None = None


Look = Callable[[ast.Module, str, bool, bool], bytes]
"""Looks at a tree that was parsed anyway: the tree, its text, whether both are all that runs, and whether ``tf.keras`` is
tf_keras by its own doing, to what is kept of it."""


class FileReading(NamedTuple):
    """What one file says.

    ``packed``: its uses and guards, as bytes, for thousands of files are held at once; ``exports`` and ``stars`` as in a reading;
    ``starts``: for each cell (None: the file is no notebook) the lines before it in the reading, whose lines count all cells;
    ``whole``: False where it could not be read at all; ``remarks``: its comments for envcheck; ``models``: what the one who
    looked at its models found; ``legacy``: whether it makes ``tf.keras`` tf_keras itself.
    """

    path: str
    packed: bytes
    exports: dict[str, Export]
    stars: tuple[str, ...]
    starts: tuple[tuple[int, int | None], ...]
    troubles: tuple[Unjudged, ...]
    whole: bool
    remarks: Remarks = Remarks()
    models: bytes = b""
    legacy: bool = False

    def unpacked(self) -> tuple[tuple[Use, ...], tuple[tuple[Condition, ...], ...]]:
        """Its uses, and for each guard the conditions."""
        return UNPACK.decode(self.packed)

    def place(self, line: int) -> tuple[int, int | None]:
        """(line in its cell, cell) of a line of the reading."""
        before, cell = next((each for each in reversed(self.starts) if each[0] < line), self.starts[0])
        return line - before, cell


def read_tree(
    paths: Sequence[str], cache: Cache | None, progress: Callable[[str], None], jobs: int = 0, look: Look | None = None
) -> list[FileReading]:
    """Read files.

    Args:
        paths: the files, with ``/``, relative to the current folder.
        cache: what was read before; None: everything is read.
        progress: is told what is being done.
        jobs: processes; 0: as many as there are cores.
        look: looks at the models of each file; the cache's names must say which.

    Returns:
        A reading for each file, in the order of ``paths``.
    """
    project = frozenset(part for path in paths for part in _parts(path))
    found: dict[str, FileReading] = {}
    silent: list[tuple[str, bytes]] = []
    jobs = jobs or os.cpu_count() or 1
    for done, (result, data) in enumerate(_run(paths, project, cache, jobs, look), 1):
        if done % 50 == 0:
            progress(f"reading {done} of {len(paths)} files")
        if result is None and data is not None:
            silent.append(data)
        elif result is not None:
            found[result.path] = result
    _read_importers(found, silent, project)
    for path, _ in silent:
        found.setdefault(path, FileReading(path, NOTHING, {}, (), ((0, None),), (), True))
    return [found[path] for path in paths if path in found]


def _parts(path: str) -> Iterator[str]:
    """The module names that a file can be imported by, and the folders above it."""
    for part in path.split("/"):
        name = part.rpartition(".")[0] if part.endswith((".py", ".pyi")) else part
        if name.isidentifier() and name not in ("tensorflow", "keras", "tf_keras"):
            yield name


Result = tuple["FileReading | None", "tuple[str, bytes] | None"]


def _run(
    paths: Sequence[str], project: frozenset[str], cache: Cache | None, jobs: int, look: Look | None
) -> Iterator[Result]:
    if len(paths) <= FEW or jobs == 1:
        for path in paths:
            yield _read_path(path, project, cache, look)
        return
    size = max(1, min(64, len(paths) // (jobs * 4)))
    pieces = [paths[start : start + size] for start in range(0, len(paths), size)]
    method = "fork" if sys.platform.startswith("linux") else "spawn"  # the first costs no second start of Python
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(jobs, context, initializer=_prepare, initargs=(project, cache, look)) as pool:
        for results in pool.map(_read_piece, pieces):
            yield from results


_given: tuple[frozenset[str], Cache | None, Look | None] = (frozenset(), None, None)


def _prepare(project: frozenset[str], cache: Cache | None, look: Look | None) -> None:
    """In each process: what all its files share; syntax trees are freed at once, so the collector has nothing to find."""
    global _given  # noqa: PLW0603 - a process of a pool has no other place for what it is given once
    _given = project, cache, look
    gc.disable()


def _read_piece(paths: Sequence[str]) -> list[Result]:
    return [_read_path(path, *_given) for path in paths]


def _read_path(path: str, project: frozenset[str], cache: Cache | None, look: Look | None) -> Result:
    data = read_bytes(path, LARGEST)
    if isinstance(data, Unread):
        return unread(path, data.reason), None
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")  # UTF-16 shows no plain word
    if not wide and not MENTIONS.search(data):  # it may use what another one imports: it is kept until that is known
        return None, (path, data if b"import" in data else b"")
    return _cached(path, data, project, cache, look), None


def _cached(path: str, data: bytes, project: frozenset[str], cache: Cache | None, look: Look | None) -> FileReading:
    if cache is None:
        return read_file(path, data, project, look)
    key = cache.key(data, path.rpartition(".")[2] == "ipynb", project)
    known = cache.get(key, FileReading)
    if known is not None:
        return known._replace(path=path)
    found = read_file(path, data, project, look)
    cache.put(key, found)
    return found


def unread(path: str, reason: str) -> FileReading:
    """A file that could not be read at all."""
    return FileReading(path, NOTHING, {}, (), ((0, None),), (Unjudged(reason),), False)


def read_file(path: str, data: bytes, project: frozenset[str] = frozenset(), look: Look | None = None) -> FileReading:
    """What the bytes of one file say.

    Args:
        path: its path; the suffix tells notebooks.
        data: its bytes.
        project: the names by which modules of the project are imported.
        look: looks at its models.
    """
    found = document(path, data)
    if isinstance(found, Unread):
        return unread(path, found.reason)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, DEEPEST))
    try:
        return _read_document(found, project, look)
    finally:
        sys.setrecursionlimit(limit)


def _read_document(found: Document, project: frozenset[str], look: Look | None) -> FileReading:
    body: list[ast.stmt] = []
    starts: list[tuple[int, int | None]] = []
    troubles: list[Unjudged] = []
    lines = 0
    told = [remarks(part.text, part.cell) for part in found.parts]
    for part in found.parts:
        tree, unparsed = parse(part.text)
        troubles += [Unjudged(each.reason, each.line, each.end_line, part.cell) for each in unparsed]
        starts.append((lines, part.cell))
        if lines:
            ast.increment_lineno(tree, lines)
        body += tree.body
        lines += part.text.count("\n") + 1
    tree = ast.Module(body, [])
    reading = read(tree, project)
    models, text = b"", "\n".join(part.text for part in found.parts)
    legacy = legacy_keras(tree, text)
    if look is not None and reading.uses:
        whole = not troubles and all(part.cell is None for part in found.parts)  # a cell may run what is no Python
        models = look(tree, text, whole, legacy)
    if not all(part.text.isascii() for part in found.parts):
        reading = reading._replace(uses=tuple(_in_characters(reading.uses, found)))
    packed = msgspec.msgpack.encode((reading.uses, reading.guards)) if reading.uses else NOTHING
    first = tuple(starts) or ((0, None),)
    result = FileReading(found.path, packed, reading.exports, reading.stars, first, tuple(troubles), True)
    deep = [Unjudged("nested too deeply to be read", *_deep(result, line)) for line in reading.too_deep]
    ignores = tuple(each for part in told for each in part.ignores)
    said = Remarks(ignores, tuple(each for part in told for each in part.misread))
    return result._replace(troubles=(*troubles, *deep), remarks=said, models=models, legacy=legacy)


def _deep(result: FileReading, line: int) -> tuple[int, int, int | None]:
    inner, cell = result.place(line)
    return inner, inner, cell


def _in_characters(uses: Sequence[Use], found: Document) -> Iterator[Use]:
    lines = [line for part in found.parts for line in part.text.split("\n")]
    for use in uses:
        column, end = in_characters(lines[use.line - 1] if use.line <= len(lines) else "", use.column, use.end)
        yield use._replace(column=column, end=end)


def _read_importers(found: dict[str, FileReading], silent: list[tuple[str, bytes]], project: frozenset[str]) -> None:
    """Files that name neither package may use them through a module of the project that does: those are read too."""
    fresh = {path for path, each in found.items() if each.exports}
    left = dict(silent)
    for _ in range(3):
        names = {path.rpartition("/")[2].rpartition(".")[0] for path in fresh}
        names |= {path.split("/")[-2] for path in fresh if path.endswith("/__init__.py") and "/" in path}
        names.discard("__init__")
        wanted = {os.fsencode(name) for name in names}
        if not names or not left:
            return
        fresh = set()
        for path, data in list(left.items()):
            if not wanted.isdisjoint(_imported(data)):
                del left[path]
                result = read_file(path, data, project)
                if result.exports or any("@" in use.symbol for use in result.unpacked()[0]):
                    found[path] = result
                    if any(export.text.startswith("@") for export in result.exports.values()):
                        fresh.add(path)


def _imported(data: bytes) -> Iterator[bytes]:
    """Every word on a line that begins as an import."""
    for line in IMPORTS.findall(data):
        yield from WORDS.findall(line)
