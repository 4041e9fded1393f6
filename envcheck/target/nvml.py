"""Runs in envcheck's own interpreter: asks the NVIDIA driver through NVML, call by call.

Every call is announced before it is made and the line is flushed, so that a hang or a crash shows where it happened::

    {"call": "nvmlDeviceGetMemoryInfo", "device": 3}              about to be made
    {"what": "memory", "device": 3, "value": {…}}                 its answer
    {"what": "memory", "device": 3, "error": {"code": 15, "name": "GPU_IS_LOST", "detail": ""}}

An error is an answer, never the end: the other questions and the other devices go on. Nothing is changed on the driver.
"""

from __future__ import annotations

import os
import sys

# sys.path[0] is the folder of this script: nothing in it, nor in the current folder, may stand for a standard module.
_OWN = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - before any other import
sys.path[:] = [entry for entry in sys.path if entry and os.path.abspath(entry) not in (_OWN, os.getcwd())]  # noqa: PTH100, PTH109

import ctypes  # noqa: E402
import errno  # noqa: E402
import importlib.machinery  # noqa: E402
import importlib.util  # noqa: E402
import json  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import IO, Any  # noqa: E402

Call = tuple[str, Callable[[], Any]]

INVALID_ARGUMENT, NOT_FOUND, LIBRARY_NOT_FOUND = 2, 6, 12
# The binding is newer than the driver: the same question has an older form. (nvml.h)
ASK_THE_OLDER_WAY = (INVALID_ARGUMENT, 3, 13, 25, 26)
# Codes that the oldest binding we accept does not name yet.
LATER_NAMES = {27: "NOT_READY", 28: "GPU_NOT_FOUND", 29: "INVALID_STATE", 30: "RESET_TYPE_NOT_SUPPORTED"}
COMPUTE_MODES = {0: "default", 1: "exclusive thread", 2: "prohibited", 3: "exclusive process"}
UNCORRECTED, VOLATILE = 1, 0


def text(value: Any) -> str:
    """Bindings before 11.5 answer bytes, newer ones str."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


class Asker:
    """Puts questions to NVML and writes the answers down.

    ``binding`` is the module ``pynvml``; ``answer`` is open for writing; ``proc`` is where processes are looked up.
    """

    def __init__(self, binding: Any, answer: IO[str], proc: str = "/proc") -> None:
        self.nvml = binding
        self.answer = answer
        self.proc = proc
        self.envcheck = os.getppid()
        self.names = dict(LATER_NAMES)
        for name in dir(binding):
            if name.startswith("NVML_ERROR_"):
                self.names[getattr(binding, name)] = name.removeprefix("NVML_ERROR_")

    def write(self, **record: Any) -> None:
        """One line of the answer, on disk before the next call."""
        self.answer.write(json.dumps(record) + "\n")
        self.answer.flush()

    def function(self, name: str, *arguments: Any) -> Call:
        """A call of the binding; one that it lacks shows as an AttributeError when made."""
        return name, lambda: getattr(self.nvml, name)(*arguments)

    def ask(self, what: str, *calls: Call, device: int | None = None) -> tuple[bool, Any]:
        """Make the first call, and each further one only when the driver is too old for the one before.

        Returns whether it was answered, and what.
        """
        error: dict[str, Any] = {}
        for name, call in calls:
            self.write(call=name, device=device)
            try:
                value = call()
            except self.nvml.NVMLError as raised:
                error = self.named(raised.value)
                if raised.value not in ASK_THE_OLDER_WAY:
                    break
            except Exception as raised:  # the binding is older than this script, or answers what it cannot read
                error = error or {"code": None, "name": type(raised).__name__, "detail": str(raised)}
            else:
                self.write(what=what, device=device, value=value)
                return True, value
        self.write(what=what, device=device, error=error)
        return False, None

    def named(self, code: int) -> dict[str, Any]:
        """An NVML code with its name, and for a library that does not load what the loader said."""
        detail = ""
        if code == LIBRARY_NOT_FOUND and sys.platform != "win32":
            try:
                ctypes.CDLL("libnvidia-ml.so.1")
            except OSError as refused:
                detail = str(refused)
        return {"code": code, "name": self.names.get(code, f"CODE_{code}"), "detail": detail}

    def system(self) -> int:
        """What NVML says of the driver; returns the number of devices."""
        text_of = self.text_of
        self.ask("driver_version", text_of("nvmlSystemGetDriverVersion"))
        self.ask("nvml_version", text_of("nvmlSystemGetNVMLVersion"))
        cuda = "nvmlSystemGetCudaDriverVersion"
        self.ask("cuda_version", self.function(f"{cuda}_v2"), self.function(cuda))
        answered, count = self.ask("count", self.function("nvmlDeviceGetCount"))
        return count if answered else 0

    def text_of(self, name: str, *arguments: Any) -> Call:
        """A call whose answer is text."""
        return name, lambda: text(getattr(self.nvml, name)(*arguments))

    def device(self, index: int) -> None:
        """Everything about one device; one that cannot be opened is left at that."""
        handle = self.handle(index)
        if handle is None:
            return
        ask, function = self.ask, self.function
        ask("name", self.text_of("nvmlDeviceGetName", handle), device=index)
        ask("uuid", self.text_of("nvmlDeviceGetUUID", handle), device=index)
        ask("pci", ("nvmlDeviceGetPciInfo", lambda: text(self.nvml.nvmlDeviceGetPciInfo(handle).busId)), device=index)
        ask("compute_capability", function("nvmlDeviceGetCudaComputeCapability", handle), device=index)
        ask("memory", *self.memory(handle), device=index)
        for kind in ("Compute", "Graphics", "MPSCompute"):
            ask(f"{kind.lower()}_processes", *self.processes(kind, handle), device=index)
        mode = "nvmlDeviceGetComputeMode"
        ask(
            "compute_mode",
            (mode, lambda: COMPUTE_MODES.get(number := getattr(self.nvml, mode)(handle), f"mode {number}")),
            device=index,
        )
        ask("persistence", function("nvmlDeviceGetPersistenceMode", handle), device=index)
        ask("ecc", function("nvmlDeviceGetEccMode", handle), device=index)
        ask("ecc_uncorrected", function("nvmlDeviceGetTotalEccErrors", handle, UNCORRECTED, VOLATILE), device=index)
        answered, modes = ask("mig", function("nvmlDeviceGetMigMode", handle), device=index)
        if answered and modes[0]:
            self.instances(index, handle)

    def handle(self, index: int) -> Any:
        """The device's handle, which no answer can carry: its place says "true"."""
        found: list[Any] = []

        def open_device() -> bool:
            found.append(self.nvml.nvmlDeviceGetHandleByIndex(index))
            return True

        self.ask("handle", ("nvmlDeviceGetHandleByIndex", open_device), device=index)
        return found[0] if found else None

    def memory(self, handle: Any) -> tuple[Call, Call]:
        """Memory in bytes: the second form leaves the driver's own share out of ``used``, as nvidia-smi does."""

        def newer() -> dict[str, int]:
            found = self.nvml.nvmlDeviceGetMemoryInfo(handle, version=self.nvml.nvmlMemory_v2)
            return {"total": found.total, "used": found.used, "free": found.free, "reserved": found.reserved}

        def older() -> dict[str, int]:
            found = self.nvml.nvmlDeviceGetMemoryInfo(handle)
            return {"total": found.total, "used": found.used, "free": found.free}

        return ("nvmlDeviceGetMemoryInfo_v2", newer), ("nvmlDeviceGetMemoryInfo", older)

    def processes(self, kind: str, handle: Any) -> tuple[Call, ...]:
        """The processes of one kind, newest form of the question first: number, memory in bytes (null where it is not
        told), and whether envcheck started it."""

        def call(name: str) -> Call:
            return name, lambda: [
                [found.pid, found.usedGpuMemory, self.own(found.pid)] for found in getattr(self.nvml, name)(handle)
            ]

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
            parents = [line.split()[1] for line in status.splitlines() if line.startswith("PPid:")]
            pid = int(parents[0]) if parents else 0
        return False

    def instances(self, index: int, handle: Any) -> None:
        """The MIG instances of a device: there may be gaps in their numbers."""
        answered, most = self.ask("mig_most", self.function("nvmlDeviceGetMaxMigDeviceCount", handle), device=index)
        found = []
        for place in range(most if answered else 0):
            name = "nvmlDeviceGetMigDeviceHandleByIndex"
            self.write(call=name, device=index)
            try:
                instance = getattr(self.nvml, name)(handle, place)
            except self.nvml.NVMLError as raised:
                if raised.value not in (NOT_FOUND, INVALID_ARGUMENT):
                    self.write(what="mig_instances", device=index, error=self.named(raised.value))
                    return
                continue
            found.append(self.instance(index, instance))
        if answered:
            self.write(what="mig_instances", device=index, value=found)

    def instance(self, index: int, handle: Any) -> dict[str, Any]:
        """One MIG instance."""
        _, uuid = self.ask("mig_uuid", self.text_of("nvmlDeviceGetUUID", handle), device=index)
        _, memory = self.ask("mig_memory", *self.memory(handle), device=index)
        _, processes = self.ask("mig_processes", *self.processes("Compute", handle), device=index)
        return {"uuid": uuid, "memory": memory, "compute_processes": processes}


def open_nodes(nodes: dict[str, str], asker_write: Callable[..., None]) -> None:
    """Whether the control nodes can be opened: a device cgroup refuses where the file's mode would allow."""
    for name, path in nodes.items():
        asker_write(call=f"open {name}", device=None)
        try:
            os.close(os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0)))
        except OSError as refused:
            asker_write(what="node", node=name, error=errno.errorcode.get(refused.errno or 0, str(refused)))
        else:
            asker_write(what="node", node=name, error=None)


def load_binding(folder: str | None) -> Any:
    """The very ``pynvml`` that envcheck itself would import, whatever else this interpreter could find.

    Raises:
        ImportError: it is not in ``folder``.
    """
    spec = importlib.machinery.PathFinder.find_spec("pynvml", [folder]) if folder else None
    if spec is None or spec.loader is None:
        raise ImportError("no module named pynvml")
    module = sys.modules["pynvml"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(answer: IO[str], request: dict[str, Any]) -> None:
    """Ask everything; the answer is complete when this returns."""
    try:
        pynvml = load_binding(request.get("binding"))
    except ImportError as missing:
        answer.write(
            json.dumps({"what": "binding", "error": {"code": None, "name": str(missing), "detail": ""}}) + "\n"
        )
        return
    asker = Asker(pynvml, answer, request.get("proc") or "/proc")
    open_nodes(request.get("nodes") or {}, asker.write)
    answered, _ = asker.ask("init", asker.function("nvmlInit"))
    if answered:
        for index in range(asker.system()):
            asker.device(index)


if __name__ == "__main__":
    with Path(sys.argv[1]).open("w", encoding="utf-8") as file:
        main(file, json.loads(Path(sys.argv[2]).read_text("utf-8")))
        file.write('{"done": true}\n')
