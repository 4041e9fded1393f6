"""``/etc/ld.so.cache``: which file the loader takes for a soname, as ``ldconfig`` wrote it down.

Source: glibc's ``sysdeps/generic/dl-cache.h`` and ``elf/cache.c``: the new format, alone or behind the old one.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

OLD, NEW = b"ld.so-1.7.0", b"glibc-ld.so.cache1.1"
_OLD_HEAD = struct.Struct("<11sxI")
_OLD_ENTRY = 12
_NEW_HEAD = struct.Struct("<20sII20s")
_NEW_ENTRY = struct.Struct("<iIIIQ")
MOST = 200_000
"""Entries that are read at most; a machine with everything installed has some thousands."""
FLAGS = {(64, 62): 0x0303, (64, 183): 0x0A03, (64, 21): 0x0503, (32, 3): 0x0003}
"""The flags of a library of this class and ``e_machine``: ELF for libc 6, and the architecture."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: the soname, the file, the architecture's flags, and the processor that it is made for (0: any)."""

    soname: str
    path: str
    flags: int
    capabilities: int


def parse(data: bytes) -> tuple[Entry, ...] | str:
    """The entries in the order of the file; a text says why it cannot be read."""
    start = 0
    if data.startswith(OLD):
        if len(data) < _OLD_HEAD.size:
            return "it is cut short"
        _, count = _OLD_HEAD.unpack_from(data)
        start = _OLD_HEAD.size + count * _OLD_ENTRY
        start += -start % 8
        if data[start : start + len(NEW)] != NEW:
            return "unknown format"
    elif not data.startswith(NEW):
        return "unknown format"
    if len(data) < start + _NEW_HEAD.size:
        return "it is cut short"
    _, count, _, _ = _NEW_HEAD.unpack_from(data, start)
    first = start + _NEW_HEAD.size
    if count > MOST or len(data) < first + count * _NEW_ENTRY.size:
        return "it is cut short"
    found = []
    for place in range(count):
        flags, key, value, _, capabilities = _NEW_ENTRY.unpack_from(data, first + place * _NEW_ENTRY.size)
        soname, path = _text(data, start + key), _text(data, start + value)
        if soname and path:
            found.append(Entry(soname, path, flags, capabilities))
    return tuple(found)


def _text(data: bytes, offset: int) -> str:
    end = data.find(b"\0", offset, offset + 4096)
    return data[offset:end].decode("utf-8", "replace") if offset < len(data) and end >= 0 else ""
