"""What an ELF file says of itself: its architecture, its name, what it needs and where it has it searched.

Sources: the ELF specification (gABI), chapter 5; for what the loader passes over and what stops it, ``open_verify`` in
glibc's ``elf/dl-load.c``.
"""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

HEADER = 64
MAGIC = b"\x7fELF"
SHARED = (2, 3)
"""``e_type`` of what can be loaded: ET_EXEC and ET_DYN."""
MOST = 4096
"""Entries of a dynamic section that are read at most; those of TensorFlow have 60."""


@dataclass(frozen=True, slots=True)
class Elf:
    """A file that the loader would take.

    ``bits`` is 32 or 64, ``machine`` the number in ``e_machine``. ``rpath`` and ``runpath`` are unexpanded entries, each
    once, in order; ``runpath`` is None where there is no DT_RUNPATH, which decides whether DT_RPATH counts.
    """

    bits: int
    machine: int
    soname: str | None = None
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] | None = None

    def fits(self, other: Elf) -> bool:
        """Whether both can be in one process."""
        return (self.bits, self.machine) == (other.bits, other.machine)


@dataclass(frozen=True, slots=True)
class NotLoadable:
    """Why a file cannot be loaded. ``fatal``: glibc stops at it; else it goes on to the next folder."""

    reason: str
    fatal: bool


def read(path: Path) -> Elf | NotLoadable:
    """What the file says; whatever is wrong with it is a value, never an exception."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return NotLoadable("a folder", fatal=True)
        if not stat.S_ISREG(mode):  # opening a pipe would wait for ever
            return NotLoadable("no ordinary file", fatal=True)
        with path.open("rb") as file:
            return _read(file)
    except PermissionError:
        return NotLoadable("not readable", fatal=False)
    except (OSError, ValueError, RuntimeError) as error:
        return NotLoadable(getattr(error, "strerror", None) or "not readable", fatal=False)


def _read(file: IO[bytes]) -> Elf | NotLoadable:
    head = file.read(HEADER)
    if len(head) < HEADER:
        return NotLoadable("file too short" if head else "an empty file", fatal=True)
    if head[:4] != MAGIC:
        return NotLoadable("no ELF file", fatal=True)
    if head[4] not in (1, 2) or head[5] not in (1, 2):
        return NotLoadable("a damaged ELF header", fatal=True)
    order = "little" if head[5] == 1 else "big"
    kind, machine = (int.from_bytes(head[at : at + 2], order) for at in (16, 18))  # type: ignore[arg-type]
    if kind not in SHARED:
        return NotLoadable("no shared library", fatal=True)
    bits = 32 * head[4]
    try:
        return _dynamic(file, bits, machine)
    except Exception as error:  # pyelftools raises whatever its parsers run into: the file is damaged
        return NotLoadable(f"a damaged or truncated ELF file ({type(error).__name__})", fatal=True)


def _dynamic(file: IO[bytes], bits: int, machine: int) -> Elf | NotLoadable:
    from elftools.elf.dynamic import DynamicSegment  # noqa: PLC0415 - loaded only where a library is looked at
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415

    size = file.seek(0, 2)
    elf = ELFFile(file)
    soname: str | None = None
    needed: list[str] = []
    rpath: list[str] = []
    runpath: list[str] | None = None
    for segment in elf.iter_segments():
        if segment["p_type"] == "PT_LOAD" and segment["p_offset"] + segment["p_filesz"] > size:
            return NotLoadable("a truncated ELF file", fatal=True)
        if not isinstance(segment, DynamicSegment):
            continue
        tags: Iterator[Any] = segment.iter_tags()
        for count, tag in enumerate(tags):
            if count > MOST:
                return NotLoadable("a damaged ELF file (its dynamic section has no end)", fatal=True)
            name = tag.entry.d_tag
            if name == "DT_NEEDED":
                needed.append(str(tag.needed))
            elif name == "DT_SONAME":
                soname = str(tag.soname)
            elif name == "DT_RPATH":
                rpath += _entries(tag.rpath)
            elif name == "DT_RUNPATH":
                runpath = [*(runpath or ()), *_entries(tag.runpath)]
    return Elf(bits, machine, soname, _once(needed), _once(rpath), None if runpath is None else _once(runpath))


def _entries(value: Any) -> list[str]:
    return str(value).split(":")


def _once(values: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def exported(path: Path, names: Collection[str]) -> frozenset[str]:
    """Which of the dynamic symbols ``names`` the file defines, by its hash table; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            return _exported(file, names)
    except Exception:  # as above
        return frozenset()


def _exported(file: IO[bytes], names: Collection[str]) -> frozenset[str]:
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415
    from elftools.elf.hash import ELFHashSection, GNUHashSection  # noqa: PLC0415

    tables = [
        section for section in ELFFile(file).iter_sections() if isinstance(section, (ELFHashSection, GNUHashSection))
    ]
    found = set()
    for name in names:
        symbols = (table.get_symbol(name) for table in tables)
        if any(symbol is not None and symbol["st_shndx"] != "SHN_UNDEF" for symbol in symbols):
            found.add(name)
    return frozenset(found)
