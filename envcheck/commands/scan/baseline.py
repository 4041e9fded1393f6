"""A baseline: the findings that a project knows and lives with. Those recorded in it are not reported; new ones are.

An entry is a file, a code, a symbol, a parameter and a kind, with the number of places. Lines, messages and targets are no
part of it, so that it holds while code moves, and for every target.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from envcheck.commands.scan.sifting import without
from envcheck.errors import UsageError
from envcheck.findings import Finding, Location, Outcome
from envcheck.source.reading import Unread, read_bytes

LARGEST = 50_000_000
"""Bytes of the largest baseline that is read."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, order=True):
    """Findings of one file that are taken for the same; ``count`` is in how many places they are."""

    code: str
    symbol: str = ""
    parameter: str = ""
    kind: str = ""
    count: Annotated[int, msgspec.Meta(ge=1)] = 1


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    envcheck_baseline: Literal[1]
    files: Mapping[str, tuple[Entry, ...]]


Key = tuple[str, Entry]
"""A file, relative to the baseline's folder, and an entry whose count is 1."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a baseline file records.

    Args:
        folder: the file's own, which its paths begin from.
        counts: in how many places each entry was.
    """

    folder: Path
    counts: Mapping[Key, int]


@dataclass(frozen=True, slots=True)
class Compared:
    """What is left of findings beside a baseline.

    Args:
        outcomes: without the findings that it records.
        hidden: how many findings it records.
        notes: what must be said about it, a sentence each.
    """

    outcomes: tuple[Outcome, ...]
    hidden: int
    notes: tuple[str, ...]


def read(path: str) -> Baseline:
    """The baseline in a file.

    Raises:
        UsageError: it cannot be read, or is no baseline; one line says what to do.
    """
    again = f"write it again with --write-baseline {path}"
    data = read_bytes(path, LARGEST)
    if isinstance(data, Unread):
        raise UsageError(f"{path}: {data.reason}; {again}")
    try:
        file = msgspec.convert(json.loads(data), _File)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path} is no baseline of this envcheck: {error}; {again}") from None
    except (ValueError, RecursionError):  # what is no UTF-8 is a ValueError too
        raise UsageError(f"{path} is not JSON, or is damaged; {again}") from None
    counts: dict[Key, int] = {}
    for name, entries in file.files.items():
        for entry in entries:
            key = name, msgspec.structs.replace(entry, count=1)
            counts[key] = counts.get(key, 0) + entry.count
    return Baseline(Path(path).parent, counts)


def compared(
    outcomes: Sequence[Outcome], baseline: Baseline, scanned: Collection[str], judged: Collection[str]
) -> Compared:
    """Leave out the findings that a baseline records. Where they are in more places than recorded, the last of them stay.

    Args:
        outcomes: what the checks said.
        baseline: what is known.
        scanned: the files that were scanned, relative to the current folder: of the others nothing is known.
        judged: the codes that were looked for: the same.
    """
    found = _places(outcomes, baseline.folder)
    known: set[tuple[Key, Location | None]] = set()
    grown = []
    for key, places in found.items():
        count = baseline.counts.get(key, 0)
        known |= {(key, place) for place in places[:count]}
        if 0 < count < len(places):
            grown.append(_grown(key, places, count))
    hidden = 0

    def left_out(code: str, finding: Finding) -> bool:
        nonlocal hidden
        recorded = (_key(code, finding, baseline.folder), finding.location) in known
        hidden += recorded
        return recorded

    left = without(outcomes, left_out)
    names = {_name(path, baseline.folder) for path in scanned}
    gone = [
        key
        for key, count in baseline.counts.items()
        if len(found.get(key, ())) < count and key[1].code in judged and _looked_at(key[0], names, baseline.folder)
    ]
    return Compared(left, hidden, (*sorted(grown), *_gone(gone)))


def write(path: str, outcomes: Sequence[Outcome], scanned: Collection[str], judged: Collection[str]) -> int:
    """Record findings in a file; what it records of files that were not scanned now, and of codes not looked for, stays in it.

    Args:
        path: the file.
        outcomes: what the checks said.
        scanned: the files that were scanned, relative to the current folder.
        judged: the codes that were looked for.

    Returns:
        How many entries it has now.

    Raises:
        UsageError: it cannot be written, or something else is in the file.
    """
    folder = Path(path).parent
    counts = {key: len(places) for key, places in _places(outcomes, folder).items()}
    if os.path.lexists(path):
        names = {_name(each, folder) for each in scanned}
        for key, count in _replaceable(path).counts.items():
            if key[1].code not in judged or not _looked_at(key[0], names, folder):
                counts.setdefault(key, count)
    fresh = f"{path}.{os.getpid()}.tmp"
    try:
        Path(fresh).write_text(_text(counts), "ascii")
        Path(fresh).replace(path)
    except OSError as error:
        Path(fresh).unlink(missing_ok=True)
        raise UsageError(f"cannot write the baseline {path}: {error.strerror}") from None
    return len(counts)


def _replaceable(path: str) -> Baseline:
    try:
        return read(path)
    except UsageError as error:
        raise UsageError(f"{str(error).partition('; write it again')[0]}; remove it, or name another file") from None


def _text(counts: Mapping[Key, int]) -> str:
    """The file's text: sorted, a line for each entry, in ASCII, so that equal findings give equal bytes."""
    files: dict[str, list[Entry]] = {}
    for (name, entry), count in sorted(counts.items()):
        files.setdefault(name, []).append(msgspec.structs.replace(entry, count=count))
    blocks = []
    for name, entries in files.items():
        lines = ",\n".join(f"   {json.dumps(msgspec.to_builtins(entry))}" for entry in entries)
        blocks.append(f"  {json.dumps(name)}: [\n{lines}\n  ]")
    inside = ",\n".join(blocks)
    return (
        f'{{"envcheck_baseline": 1,\n "files": {{\n{inside}\n }}\n}}\n'
        if blocks
        else '{"envcheck_baseline": 1, "files": {}}\n'
    )


def _places(outcomes: Sequence[Outcome], folder: Path) -> dict[Key, list[Location | None]]:
    """Where each entry is found, in order; two targets that fail in one place are one."""
    found: dict[Key, list[Location | None]] = {}
    for outcome in outcomes:
        for finding in outcome.findings:
            places = found.setdefault(_key(outcome.code, finding, folder), [])
            places.append(finding.location)
    return {key: sorted(set(places), key=_order) for key, places in found.items()}


def _order(place: Location | None) -> tuple[str, int, int, int]:
    return (place.path, place.cell or 0, place.line or 0, place.column or 0) if place else ("", 0, 0, 0)


def _key(code: str, finding: Finding, folder: Path) -> Key:
    evidence = finding.evidence
    entry = Entry(code, finding.symbol or "", str(evidence.get("parameter") or ""), str(evidence.get("kind") or ""))
    return _name(finding.location.path if finding.location else "", folder), entry


def _name(path: str, folder: Path) -> str:
    """A file's path from the baseline's folder on, with ``/``, wherever envcheck is run; "" for no file."""
    if not path:
        return ""
    try:
        return os.path.relpath(path, folder).replace(os.sep, "/")
    except ValueError:  # on another drive
        return path


def _looked_at(name: str, scanned: Collection[str], folder: Path) -> bool:
    """Whether a file was scanned, or is gone."""
    return name in scanned or not os.path.lexists(folder / name)


def _grown(key: Key, places: Sequence[Location | None], count: int) -> str:
    name, entry = key
    what = " ".join(filter(None, (entry.code, entry.symbol, entry.parameter and f"({entry.parameter})")))
    return f"{name}: {what} is in {len(places)} places and in {count} of the baseline: the last are reported, any may be new"


def _gone(gone: Sequence[Key]) -> Iterator[str]:
    if gone:
        entries = "1 entry of the baseline occurs" if len(gone) == 1 else f"{len(gone)} entries of the baseline occur"
        yield f"{entries} less often than it says, or no longer: write it again"
