"""Part of nvml.py: how a question is put to NVML and its answer written down. Standard library only."""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Callable
from typing import IO, Any

Call = tuple[str, Callable[[], Any]]

INVALID_ARGUMENT, NOT_SUPPORTED, INSUFFICIENT_SIZE, LIBRARY_NOT_FOUND, FUNCTION_NOT_FOUND = 2, 3, 7, 12, 13
# The binding is newer than the driver: the same question has an older form. (nvml.h)
ASK_THE_OLDER_WAY = (INVALID_ARGUMENT, NOT_SUPPORTED, FUNCTION_NOT_FOUND, 25, 26)
# Codes that the oldest binding we accept does not name yet.
LATER_NAMES = {27: "NOT_READY", 28: "GPU_NOT_FOUND", 29: "INVALID_STATE", 30: "RESET_TYPE_NOT_SUPPORTED"}
UNCORRECTED, VOLATILE = 1, 0
MOST_DEVICES = 1024
"""More GPUs than any machine has: a greater number is no answer."""


def text(value: Any) -> str:
    """Bindings answer bytes or str, by their age; what is not UTF-8 in bytes is replaced."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


class Implausible(Exception):  # noqa: N818 - its name is what the report says in place of an NVML error's
    """Raised for an answer that cannot be true."""


class Asker:
    """Puts questions to NVML and writes the answers down.

    ``binding`` is the module ``pynvml``; ``answer`` is open for writing.
    """

    def __init__(self, binding: Any, answer: IO[str]) -> None:
        self.nvml = binding
        self.answer = answer
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

    def text_of(self, name: str, *arguments: Any) -> Call:
        """A call whose answer is text. The binding's own decoding refuses what is not UTF-8: it is passed by."""

        def call() -> str:
            function = getattr(self.nvml, name)
            return text(getattr(function, "__wrapped__", function)(*arguments))

        return name, call

    def ask(self, what: str, *calls: Call, device: int | None = None, must: bool = False) -> tuple[bool, Any]:
        """Make the first call, and each further one only when the driver or the binding is too old for the one before.

        A question that the binding has in no form was not asked: its answer is null, and no error unless it ``must`` be
        there. Returns whether it was answered, and what.
        """
        error: dict[str, Any] = {}
        for name, call in calls:
            self.write(call=name, device=device)
            try:
                value = call()
            except self.nvml.NVMLError as raised:
                if not error or raised.value != FUNCTION_NOT_FOUND:  # the form before has said more
                    error = self.named(raised.value)
                if raised.value not in ASK_THE_OLDER_WAY:
                    break
            except AttributeError as raised:  # the binding is older than this script
                if must:
                    error = error or {"code": None, "name": type(raised).__name__, "detail": str(raised)}
            except Exception as raised:  # the binding answers what it cannot read itself
                error = error or {"code": None, "name": type(raised).__name__, "detail": str(raised)}
            else:
                self.write(what=what, device=device, value=value)
                return True, value
        if error:
            self.write(what=what, device=device, error=error)
        else:
            self.write(what=what, device=device, value=None)
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

    def system(self, brief: bool = False) -> int:
        """What NVML says of the driver; returns the number of devices, and with ``brief`` asks for nothing else."""
        if not brief:
            self.ask("driver_version", self.text_of("nvmlSystemGetDriverVersion"))
            self.ask("nvml_version", self.text_of("nvmlSystemGetNVMLVersion"))
            cuda = "nvmlSystemGetCudaDriverVersion"
            self.ask("cuda_version", self.function(f"{cuda}_v2"), self.function(cuda))

        def counted() -> int:
            count: int = self.nvml.nvmlDeviceGetCount()
            if count > MOST_DEVICES:
                raise Implausible(f"{count} GPUs")
            return count

        answered, count = self.ask("count", ("nvmlDeviceGetCount", counted), must=True)
        return count if answered else 0

    def handle(self, index: int) -> Any:
        """The device's handle, which no answer can carry: its place says "true"."""
        found: list[Any] = []

        def open_device() -> bool:
            found.append(self.nvml.nvmlDeviceGetHandleByIndex(index))
            return True

        self.ask("handle", ("nvmlDeviceGetHandleByIndex", open_device), device=index, must=True)
        return found[0] if found else None

    def brief(self, index: int) -> None:
        """What a health check wants of one device: that it opens, which it is, its memory and the errors of that."""
        handle = self.handle(index)
        if handle is None:
            return
        self.ask("uuid", self.text_of("nvmlDeviceGetUUID", handle), device=index)
        self.ask("memory", *self.memory(handle), device=index)
        self.errors_of_memory(index, handle)

    def memory(self, handle: Any) -> tuple[Call, Call]:
        """Memory in bytes: the second form leaves the driver's own share out of ``used``, as nvidia-smi does."""

        def newer() -> dict[str, int]:
            found = self.nvml.nvmlDeviceGetMemoryInfo(handle, version=self.nvml.nvmlMemory_v2)
            return {"total": found.total, "used": found.used, "free": found.free, "reserved": found.reserved}

        def older() -> dict[str, int]:
            found = self.nvml.nvmlDeviceGetMemoryInfo(handle)
            return {"total": found.total, "used": found.used, "free": found.free}

        return ("nvmlDeviceGetMemoryInfo_v2", newer), ("nvmlDeviceGetMemoryInfo", older)

    def errors_of_memory(self, index: int, handle: Any) -> None:
        """Uncorrected errors, and what became of the rows that had them: corrected, uncorrected, pending, failed."""
        ecc = self.function("nvmlDeviceGetTotalEccErrors", handle, UNCORRECTED, VOLATILE)
        self.ask("ecc_uncorrected", ecc, device=index)
        self.ask("remapped_rows", self.function("nvmlDeviceGetRemappedRows", handle), device=index)
