"""The CUDA driver as a program meets it: which libcuda the loader finds, what cuInit answers, CUDA's own list of devices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from envcheck.host import Host
from envcheck.inventory import Unavailable
from envcheck.probes.driver import DriverFacts
from envcheck.target.runner import Ending, Record

DEADLINE = 30.0
"""Seconds that the driver may take at most, as for NVML: the first program wakes every GPU up."""
MODES = {0: "default", 1: "exclusive thread", 2: "prohibited", 3: "exclusive process"}
"""CUcomputemode of cuda.h."""


@dataclass(frozen=True, slots=True)
class CudaGpu:
    """One device as CUDA counts them. None stands for what it did not answer; ``errors`` says why, by question.

    ``ordinal`` is CUDA's number, the framework's ``GPU:0``. ``uuid`` is without the ``GPU-`` or ``MIG-`` that NVML puts
    before it. ``memory_total`` is in bytes. ``integrated`` marks a GPU that shares the memory of the machine.
    """

    ordinal: int
    name: str | None = None
    uuid: str | None = None
    pci: str | None = None
    compute_capability: str | None = None
    memory_total: int | None = None
    compute_mode: str | None = None
    integrated: bool | None = None
    errors: dict[str, str] = field(default_factory=dict)

    def is_uuid(self, uuid: str | None) -> bool:
        """Whether ``uuid``, as NVML writes it (``GPU-…``, ``MIG-…``), is this device's."""
        return self.uuid is not None and (uuid or "").lower().partition("-")[2] == self.uuid.lower()


@dataclass(frozen=True, slots=True)
class CudaState:
    """How CUDA answered as a whole.

    ``status`` is ``ok``, ``no library``, ``error`` (``code`` and ``name`` say which), ``hung``, ``unkillable``, ``crashed``
    or ``not asked`` (the fault is envcheck's or the interpreter's). ``call`` and ``device`` say where it ended, ``detail``
    what the loader or the system said, ``seconds`` is wall time.
    """

    status: str
    code: int | None = None
    name: str = ""
    call: str = ""
    device: int | None = None
    detail: str = ""
    seconds: float = 0.0

    def words(self, count: int | None) -> str:
        """The state as a clause."""
        where = f"in {self.call}" + (f" for device {self.device}" if self.device is not None else "")
        named = f"{self.name} ({self.code})" if self.name else str(self.code)
        return {
            "ok": f"cuInit answers 0; CUDA counts {count} device{'' if count == 1 else 's'}",
            "no library": "the CUDA driver's library cannot be loaded" + (f" ({self.detail})" if self.detail else ""),
            "error": f"{self.call} answers {named}",
            "hung": f"CUDA did not answer {where} within {self.seconds:.0f} s",
            "unkillable": f"CUDA did not answer {where} within {self.seconds:.0f} s, and the process that asked cannot be "
            "killed",
            "crashed": f"the process that asked CUDA {self.detail} {where}",
            "not asked": f"CUDA could not be asked: {self.detail}",
        }[self.status]


@dataclass(frozen=True, slots=True)
class CudaFacts:
    """What the CUDA driver answers, in a child of the target interpreter, with the user's own variables.

    ``library`` is the file as the loader names it, ``file`` the same with links followed. ``version`` is the newest CUDA
    that this library supports. ``count`` is what CUDA counts; ``devices`` are those of them that were asked, in CUDA's order:
    the first is the framework's ``GPU:0``.
    """

    state: CudaState
    library: str | None = None
    file: str | None = None
    version: str | None = None
    count: int | None = None
    devices: tuple[CudaGpu, ...] = ()

    @property
    def status(self) -> str:
        """The state in a word."""
        return self.state.status

    @property
    def ok(self) -> bool:
        """Whether cuInit went well and the devices were counted."""
        return self.state.status == "ok"

    @property
    def words(self) -> str:
        """The state as a clause."""
        return self.state.words(self.count)

    @property
    def kind(self) -> str:
        """What the library is by its place: ``stub``, ``compat`` (forward compatibility), ``wsl``, or nothing special."""
        parts = [f"{path}/" for path in (self.library, self.file) if path]
        for kind, folder in (("stub", "/stubs/"), ("compat", "/compat/"), ("wsl", "/usr/lib/wsl/")):
            if any(folder in path for path in parts):
                return kind
        return ""


def collect(host: Host, driver: DriverFacts) -> CudaFacts | Unavailable:
    """Ask the CUDA driver. ``driver`` says whether GPUs are covered on this system at all."""
    if driver.nvml.status == "not covered":
        return Unavailable(driver.nvml.words)
    host.progress("asking the CUDA driver")
    return _facts(host.ask("cuda", **_options(host)))


def begin(host: Host) -> None:
    """Start asking: a driver takes its time to wake up. Not where the CPU is wanted."""
    if host.system in ("Linux", "Windows") and host.expectations.device != "cpu":
        host.begin("cuda", {}, **_options(host))


def _options(host: Host) -> dict[str, Any]:
    return {"deadline": min(DEADLINE, host.timeout)}


def _facts(ending: Ending) -> CudaFacts:
    whole = _answers(ending.records, None)
    library, version = whole.get("library") or {}, whole.get("version")
    ordinals = dict.fromkeys(record["device"] for record in ending.records if record.get("device") is not None)
    return CudaFacts(
        _state(ending),
        library=library.get("path"),
        file=library.get("real"),
        version=f"{version // 1000}.{version % 1000 // 10}" if version else None,
        count=whole.get("count"),
        devices=tuple(_gpu(ordinal, ending.records) for ordinal in ordinals),
    )


def _state(ending: Ending) -> CudaState:
    seconds = round(ending.seconds, 3)
    stop = ending.stopped
    if stop is not None:
        return CudaState(stop.status, call=stop.call, device=stop.device, detail=stop.detail, seconds=seconds)
    for record in ending.records:
        error = record.get("error")
        if not error or record["device"] is not None:
            continue
        if record["what"] == "library":
            return CudaState("no library", call="dlopen", detail=error["detail"], seconds=seconds)
        if record["what"] in ("init", "count"):
            call = {"init": "cuInit", "count": "cuDeviceGetCount"}[record["what"]]
            if error["code"] is None:
                return CudaState(
                    "no library", call=call, detail=f"it has no function {error['detail']}", seconds=seconds
                )
            return CudaState("error", error["code"], error["name"], call, seconds=seconds)
    return CudaState("ok", seconds=seconds)


def _answers(records: Iterable[Record], device: int | None) -> dict[str, Any]:
    """The values answered on ``device``; None stands for the driver as a whole."""
    return {
        record["what"]: record["value"] for record in records if record.get("device") == device and "value" in record
    }


def _gpu(ordinal: int, records: Iterable[Record]) -> CudaGpu:
    values = _answers(records, ordinal)
    errors = {
        record["what"]: record["error"]["name"] or f"CODE_{record['error']['code']}"
        for record in records
        if record.get("device") == ordinal and "error" in record
    }
    capability = f"{values['major']}.{values['minor']}" if {"major", "minor"} <= values.keys() else None
    mode, integrated = values.get("compute_mode"), values.get("integrated")
    return CudaGpu(
        ordinal=ordinal,
        name=values.get("name"),
        uuid=values.get("uuid"),
        pci=values.get("pci"),
        compute_capability=capability,
        memory_total=values.get("memory"),
        compute_mode=None if mode is None else MODES.get(mode, f"mode {mode}"),
        integrated=None if integrated is None else bool(integrated),
        errors=errors,
    )
