"""Memory: what the machine has, what this process's control groups allow, and the room in ``/dev/shm``."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass

from envcheck.host import Host
from envcheck.probes.host.cgroup import folders

_NO_LIMIT = 1 << 60
"""Bytes from which a limit of version 1 means that there is none: the kernel writes the largest multiple of a page."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of memory; ``limit`` and ``oom_kills`` are those of the control groups."""

    total: int | None = None
    available: int | None = None
    limit: int | None = None
    oom_kills: int | None = None


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a file system."""

    total: int | None = None
    free: int | None = None


def memory(host: Host) -> Memory:
    """``/proc/meminfo``, and the lowest limit along the control groups of this process."""
    text = host.read("/proc/meminfo") or ""
    limit, oom_kills = _limit(host)
    return Memory(_kibibytes(text, "MemTotal"), _kibibytes(text, "MemAvailable"), limit, oom_kills)


def shared_memory(host: Host) -> Space:
    """The file system of ``/dev/shm``; nothing where there is none."""
    if sys.platform == "win32":  # only reached there by a fake Linux host
        return Space()
    try:
        found = os.statvfs(host.path("/dev/shm"))  # noqa: S108 - asked for its size, not written to
    except (OSError, ValueError):
        return Space()
    return Space(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)


def _kibibytes(text: str, name: str) -> int | None:
    found = re.search(rf"(?m)^{name}:\s*([0-9]{{1,18}}) kB\s*$", text)
    return int(found[1]) * 1024 if found else None


def _limit(host: Host) -> tuple[int | None, int | None]:
    """The lowest limit, and the kills it counted; without a limit, those of the innermost group that counts."""
    lowest: int | None = None
    kills: int | None = None
    for folder in folders(host, "memory"):
        # https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files and
        # https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
        limit = _number(host.read(f"{folder}/memory.max") or host.read(f"{folder}/memory.limit_in_bytes"))
        counted = _oom_kills(host.read(f"{folder}/memory.events") or host.read(f"{folder}/memory.oom_control"))
        if limit is not None and limit < (_NO_LIMIT if lowest is None else lowest):
            lowest = limit
            kills = kills if counted is None else counted
        elif kills is None:
            kills = counted
    return lowest, kills


def _number(text: str | None) -> int | None:
    found = re.fullmatch(r"([0-9]{1,20})\s*", text or "")
    return int(found[1]) if found else None


def _oom_kills(text: str | None) -> int | None:
    found = re.search(r"(?m)^oom_kill ([0-9]{1,18})\s*$", text or "")
    return int(found[1]) if found else None
