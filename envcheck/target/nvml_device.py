"""Part of nvml.py: everything that a trainer needs to know of one GPU. Standard library only."""

from __future__ import annotations

import ctypes
import functools
import time
from collections.abc import Callable
from typing import Any

from nvml_asking import INVALID_ARGUMENT, NOT_SUPPORTED, Asker, Call, text  # type: ignore[import-not-found]
from nvml_processes import KINDS, Processes  # type: ignore[import-not-found]

NOT_FOUND = 6
COMPUTE_MODES = {0: "default", 1: "exclusive thread", 2: "prohibited", 3: "exclusive process"}
VIRTUAL = {0: "none", 1: "passthrough", 2: "vGPU", 3: "host of vGPUs", 4: "host of vSGAs"}
CLOCK_REASONS = {
    0x001: "idle",
    0x002: "application clocks",
    0x004: "software power cap",
    0x008: "hardware slowdown",
    0x010: "sync boost",
    0x020: "software thermal slowdown",
    0x040: "hardware thermal slowdown",
    0x080: "hardware power brake",
    0x100: "display clocks",
    0x200: "board limit",
    0x400: "reliability",
}
"""The bits of nvmlClocksEventReasons in nvml.h. https://docs.nvidia.com/deploy/nvml-api/api/group__nvmlClocksEventReasons.html"""
SLOWED = 0x008 | 0x020 | 0x040 | 0x080
SETTLED = 0.1
"""Seconds after which a slowdown is asked for again: it is also reported while clocks merely change (nvml.h)."""
MOST_LINKS = 36
"""NVML_NVLINK_MAX_LINKS of the newest nvml.h; a link that a GPU or its driver does not have is an invalid argument."""
MOST_INSTANCES = 64
"""More than any GPU can be divided into: 7 are the most that NVIDIA names."""
FABRIC_STATES = {0: "not supported", 1: "not started", 2: "in progress", 3: "completed"}
FABRIC_SUMMARIES = {1: "healthy", 2: "unhealthy", 3: "limited capacity"}
FABRIC_TROUBLES = (
    (0, 0x3, (1,), "degraded bandwidth"),
    (2, 0x3, (1,), "route recovery in progress"),
    (4, 0x3, (1,), "unhealthy routes"),
    (6, 0x3, (1,), "access timeout recovery in progress"),
    (8, 0xF, tuple(range(2, 16)), "incorrect configuration"),
)
"""Shift, mask and values of NVML_GPU_FABRIC_HEALTH_MASK_* in nvml.h, and what they mean."""


class FabricInfo(ctypes.Structure):
    """nvmlGpuFabricInfo_t of nvml.h; that of older bindings has another size."""

    _fields_ = (
        ("clusterUuid", ctypes.c_ubyte * 16),
        ("status", ctypes.c_uint),
        ("cliqueId", ctypes.c_uint),
        ("state", ctypes.c_uint),
    )


class FabricInfo2(ctypes.Structure):
    """nvmlGpuFabricInfo_v2_t."""

    _fields_ = (("version", ctypes.c_uint), *FabricInfo._fields_, ("healthMask", ctypes.c_uint))


class FabricInfo3(ctypes.Structure):
    """nvmlGpuFabricInfo_v3_t."""

    _fields_ = (*FabricInfo2._fields_, ("healthSummary", ctypes.c_ubyte))


class Questions:
    """What is asked of each device."""

    def __init__(self, asker: Asker, proc: str) -> None:
        self.asker = asker
        self.nvml = asker.nvml
        self.processes = Processes(asker, proc)
        self.handles: dict[int, Any] = {}

    def about(self, count: int) -> None:
        """Everything about each of ``count`` devices: what they are first, so that a driver that hangs or crashes over how
        one of them is has told of all."""
        for index in range(count):
            self.device(index)
        for index, handle in self.handles.items():
            self.health(index, handle)

    def asking(self, index: int) -> Callable[..., tuple[bool, Any]]:
        """:meth:`Asker.ask` about one device."""
        return functools.partial(self.asker.ask, device=index)

    def device(self, index: int) -> None:
        """What one device is and who uses it; one that cannot be opened is left at that."""
        handle = self.asker.handle(index)
        if handle is None:
            return
        self.handles[index] = handle
        ask, function, text_of = self.asking(index), self.asker.function, self.asker.text_of
        ask("name", text_of("nvmlDeviceGetName", handle))
        ask("uuid", text_of("nvmlDeviceGetUUID", handle))
        ask("pci", ("nvmlDeviceGetPciInfo", lambda: text(self.nvml.nvmlDeviceGetPciInfo(handle).busId)))
        ask("compute_capability", function("nvmlDeviceGetCudaComputeCapability", handle))
        ask("memory", *self.asker.memory(handle))
        for kind in KINDS:
            ask(f"{kind.lower()}_processes", *self.processes.calls(kind, handle))
        ask("compute_mode", self.worded("nvmlDeviceGetComputeMode", handle, COMPUTE_MODES))
        ask("persistence", function("nvmlDeviceGetPersistenceMode", handle))
        ask("virtualization", self.worded("nvmlDeviceGetVirtualizationMode", handle, VIRTUAL))
        ask("ecc", function("nvmlDeviceGetEccMode", handle))
        self.asker.errors_of_memory(index, handle)
        answered, modes = ask("mig", function("nvmlDeviceGetMigMode", handle))
        if answered and modes[0]:
            self.instances(index, handle)

    def health(self, index: int, handle: Any) -> None:
        """What may be wrong with one device, and how it is connected."""
        ask, function = self.asking(index), self.asker.function
        ask("retired_pending", function("nvmlDeviceGetRetiredPagesPendingStatus", handle))
        ask("clock_reasons", *self.clock_reasons(handle))
        for what, name in (
            ("pcie_generation", "nvmlDeviceGetCurrPcieLinkGeneration"),
            ("pcie_generation_max", "nvmlDeviceGetMaxPcieLinkGeneration"),
            ("pcie_width", "nvmlDeviceGetCurrPcieLinkWidth"),
            ("pcie_width_max", "nvmlDeviceGetMaxPcieLinkWidth"),
        ):
            ask(what, function(name, handle))
        ask("nvlink", ("nvmlDeviceGetNvLinkState", lambda: self.links(handle)))
        ask("fabric", *self.fabric(handle))

    def worded(self, name: str, handle: Any, words: dict[int, str]) -> Call:
        """A call whose answer is a number that stands for a word."""
        return name, lambda: words.get(number := getattr(self.nvml, name)(handle), f"mode {number}")

    def clock_reasons(self, handle: Any) -> tuple[Call, ...]:
        """Why the clocks are below their maximum, in words; the older name of the question second."""

        def call(name: str) -> Call:
            def ask() -> list[str]:
                reasons = getattr(self.nvml, name)(handle)
                if reasons & SLOWED:
                    time.sleep(SETTLED)
                    reasons &= getattr(self.nvml, name)(handle) | ~SLOWED
                bits = [1 << place for place in range(64) if reasons >> place & 1]
                return [CLOCK_REASONS.get(bit, f"reason 0x{bit:x}") for bit in bits]

            return name, ask

        return call("nvmlDeviceGetCurrentClocksEventReasons"), call("nvmlDeviceGetCurrentClocksThrottleReasons")

    def links(self, handle: Any) -> list[int]:
        """How many NVLinks are active, and how many are not.

        Raises:
            NVMLError: this GPU has no NVLink (not supported), or cannot tell.
        """
        states = []
        for link in range(MOST_LINKS):
            try:
                states.append(bool(self.nvml.nvmlDeviceGetNvLinkState(handle, link)))
            except self.nvml.NVMLError as raised:
                if raised.value == INVALID_ARGUMENT:
                    break
                if raised.value != NOT_SUPPORTED:
                    raise
        if not states:
            raise self.nvml.NVMLError(NOT_SUPPORTED)
        return [sum(states), len(states) - sum(states)]

    def fabric(self, handle: Any) -> tuple[Call, ...]:
        """How far the GPU is registered with the NVSwitch fabric, newest form of the question first."""

        def call(name: str, structure: type[Any], version: int) -> Call:
            def ask() -> dict[str, Any]:
                found = structure()
                if version:
                    found.version = ctypes.sizeof(structure) | version << 24
                getattr(self.nvml, name)(handle, ctypes.byref(found))
                mask = getattr(found, "healthMask", 0)
                return {
                    "state": FABRIC_STATES.get(found.state, f"state {found.state}"),
                    "error": self.asker.named(found.status)["name"] if found.status else None,
                    "health": FABRIC_SUMMARIES.get(getattr(found, "healthSummary", 0)),
                    "troubles": [
                        words for shift, wide, values, words in FABRIC_TROUBLES if mask >> shift & wide in values
                    ],
                }

            return name, ask

        return (
            call("nvmlDeviceGetGpuFabricInfoV", FabricInfo3, 3),
            call("nvmlDeviceGetGpuFabricInfoV", FabricInfo2, 2),
            call("nvmlDeviceGetGpuFabricInfo", FabricInfo, 0),
        )

    def instances(self, index: int, handle: Any) -> None:
        """The MIG instances of a device: there may be gaps in their numbers."""
        most_of = self.asker.function("nvmlDeviceGetMaxMigDeviceCount", handle)
        answered, most = self.asking(index)("mig_most", most_of)
        found = []
        for place in range(min(most, MOST_INSTANCES) if answered else 0):
            name = "nvmlDeviceGetMigDeviceHandleByIndex"
            self.asker.write(call=name, device=index)
            try:
                instance = getattr(self.nvml, name)(handle, place)
            except self.nvml.NVMLError as raised:
                if raised.value not in (NOT_FOUND, INVALID_ARGUMENT):
                    self.asker.write(what="mig_instances", device=index, error=self.asker.named(raised.value))
                    return
                continue
            found.append(self.instance(index, instance))
        if answered:
            self.asker.write(what="mig_instances", device=index, value=found)

    def instance(self, index: int, handle: Any) -> dict[str, Any]:
        """One MIG instance."""
        ask = self.asking(index)
        _, uuid = ask("mig_uuid", self.asker.text_of("nvmlDeviceGetUUID", handle))
        _, memory = ask("mig_memory", *self.asker.memory(handle))
        _, processes = ask("mig_processes", *self.processes.calls("Compute", handle))
        return {"uuid": uuid, "memory": memory, "compute_processes": processes}
