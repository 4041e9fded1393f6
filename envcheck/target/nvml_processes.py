"""Part of nvml.py: the processes on a GPU, their names, and whether envcheck started them. Standard library only."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from nvml_asking import INSUFFICIENT_SIZE, Asker, Call, text  # type: ignore[import-not-found]

KINDS = ("Compute", "Graphics", "MPSCompute")
TRIES = 5
"""How often a list is asked for that grows between the question for its size and the question for itself."""
FIRST_NAMESPACE = "pid:[4026531836]"
"""The namespace in which process numbers are the machine's: PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h.
https://github.com/torvalds/linux/blob/master/include/linux/proc_ns.h"""


class Processes:
    """Asks who is on a GPU. ``proc`` is where processes are looked up."""

    def __init__(self, asker: Asker, proc: str) -> None:
        self.asker = asker
        self.proc = proc
        self.envcheck = os.getppid()
        self.names: dict[int, str | None] = {}
        try:
            # In a container the numbers are another process's, or nobody's.
            self.numbered_alike = Path(proc, "self/ns/pid").readlink().name == FIRST_NAMESPACE
        except OSError:
            self.numbered_alike = True

    def calls(self, kind: str, handle: Any) -> tuple[Call, ...]:
        """The processes of one kind, newest form of the question first: number, memory in bytes (null where it is not
        told), whether envcheck started it, and its name."""
        nvml = self.asker.nvml

        def call(name: str) -> Call:
            def ask() -> list[list[Any]]:
                for left in reversed(range(TRIES)):
                    try:
                        found = getattr(nvml, name)(handle)
                    except nvml.NVMLError as raised:
                        if raised.value != INSUFFICIENT_SIZE or not left:
                            raise
                    else:
                        break
                return [[each.pid, each.usedGpuMemory, self.own(each.pid), self.name(each.pid)] for each in found]

            return name, ask

        return tuple(call(f"nvmlDeviceGet{kind}RunningProcesses{suffix}") for suffix in ("_v3", "_v2", ""))

    def own(self, pid: int) -> bool:
        """Whether the process descends from envcheck, as its smoke run does. False where that cannot be seen: outside of
        Linux, and in a container, whose process numbers are not the driver's."""
        seen = set()
        while pid not in seen:
            if pid == self.envcheck:
                return True
            seen.add(pid)
            try:
                status = Path(self.proc, str(pid), "status").read_text("utf-8", "replace")
            except OSError:
                return False
            parents = [line.split()[1:] for line in status.splitlines() if line.startswith("PPid:")]
            pid = int(parents[0][0]) if parents and parents[0] and parents[0][0].isdecimal() else 0
        return False

    def name(self, pid: int) -> str | None:
        """The program's name without folders and arguments, which may be private; None where nobody tells."""
        if not self.numbered_alike:
            return None
        if pid not in self.names:
            self.names[pid] = self.of_kernel(pid) or self.of_driver(pid)
        return self.names[pid]

    def of_kernel(self, pid: int) -> str | None:
        """What the kernel calls it: 15 bytes at most."""
        try:
            return Path(self.proc, str(pid), "comm").read_bytes().decode("utf-8", "replace").strip() or None
        except OSError:
            return None

    def of_driver(self, pid: int) -> str | None:
        """What NVML calls it: a path, with arguments or without."""
        try:
            function = self.asker.nvml.nvmlSystemGetProcessName
            said = text(getattr(function, "__wrapped__", function)(pid)).strip()
        except Exception:  # it may have ended, and it is only a name
            return None
        # A path of Windows may hold spaces, and there are no arguments there.
        program = said if re.match(r"[A-Za-z]:\\|\\\\", said) else said.partition(" ")[0]
        return re.split(r"[/\\]", program)[-1] or None
