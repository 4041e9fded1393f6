"""The NVIDIA driver: what it answers through NVML, and what the kernel, the device nodes and the PCI bus show of it."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from envcheck.host import Host
from envcheck.target.runner import Ending, Record

DEADLINE = 30.0
"""Seconds that the driver may take at most: our choice, no figure of NVIDIA's. Without persistence mode the first to ask
waits until every GPU is initialised (https://docs.nvidia.com/deploy/driver-persistence/)."""
CONTROL, MEMORY = "/dev/nvidiactl", "/dev/nvidia-uvm"
NO_LIBRARY = 12
NVIDIA = "0x10de"
"""The PCI vendor number of NVIDIA; display controllers have a class that starts with 0x03."""


@dataclass(frozen=True, slots=True)
class NvmlState:
    """How NVML answered as a whole.

    ``status`` is ``ok``, ``no library``, ``error`` (``code`` and ``name`` say which), ``hung``, ``unkillable``,
    ``crashed``, ``not asked`` (the fault is envcheck's or its interpreter's) or ``not covered``. ``call`` and
    ``device`` say where it ended, ``detail`` what the loader or the system said. ``seconds`` is wall time.
    """

    status: str
    code: int | None = None
    name: str = ""
    call: str = ""
    device: int | None = None
    detail: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether everything was asked and NVML as a whole answered; single questions may have failed."""
        return self.status == "ok"

    @property
    def words(self) -> str:
        """The state as a clause."""
        named = self.name if self.code is None else f"{self.name} ({self.code})"
        where = f"in {self.call}" + (f" for GPU {self.device}" if self.device is not None else "")
        return {
            "ok": "NVML answers",
            "no library": "the NVML library of the driver cannot be loaded"
            + (f" ({self.detail})" if self.detail else ""),
            "error": f"NVML answers {named} {where}"
            + (f" ({self.detail})" if self.code is None and self.detail else ""),
            "hung": f"NVML did not answer {where} within {self.seconds:.0f} s",
            "unkillable": f"NVML did not answer {where} within {self.seconds:.0f} s, and the process that asked "
            "cannot be killed",
            "crashed": f"the process that asked NVML {self.detail} {where}",
            "not asked": f"NVML could not be asked: {self.detail}",
            "not covered": f"GPUs are not covered {self.detail}",
        }[self.status]


@dataclass(frozen=True, slots=True)
class PciDevice:
    """An NVIDIA display controller: its address, PCI device number, and the kernel driver bound to it, if any."""

    address: str
    number: str
    driver: str | None


@dataclass(frozen=True, slots=True)
class DriverFacts:
    """What there is of an NVIDIA driver.

    ``driver_version`` and ``nvml_version`` are NVML's own words; ``cuda_version`` is the newest CUDA the driver (or the
    forward-compatibility package that the loader finds) supports. ``device_count`` is what NVML counts,
    ``usable_devices`` how many of them it could open. ``errors`` has the error of each single question that failed.

    ``kernel_version`` is the loaded kernel module's, ``kernel_open`` whether it is the open flavour. ``nodes`` are the
    device nodes that exist, ``node_errors`` the system error (``EPERM``) of each control node that cannot be opened.
    ``pci`` is None where the bus cannot be seen. ``linux`` says whether these were looked at: they are Linux's.
    ``dxg`` and ``wsl_library`` are what WSL has in their place: its device, and NVML in ``/usr/lib/wsl/lib``.
    ``modprobe`` is whether the helper is there with which CUDA creates missing nodes. ``tegra`` marks a Jetson, whose GPU
    is part of the processor: no PCI device, other nodes, driver versions of their own.
    """

    nvml: NvmlState
    driver_version: str | None = None
    nvml_version: str | None = None
    cuda_version: str | None = None
    device_count: int | None = None
    usable_devices: int | None = None
    errors: dict[str, str] = field(default_factory=dict)
    linux: bool = False
    kernel_version: str | None = None
    kernel_open: bool | None = None
    nodes: tuple[str, ...] = ()
    node_errors: dict[str, str] = field(default_factory=dict)
    pci: tuple[PciDevice, ...] | None = None
    dxg: bool = False
    wsl_library: bool = False
    modprobe: bool = False
    tegra: bool = False

    @property
    def version(self) -> str | None:
        """The driver's version: NVML's word, else the kernel module's."""
        return self.driver_version or self.kernel_version

    @property
    def gpu_nodes(self) -> tuple[str, ...]:
        """The nodes that stand for a GPU: ``/dev/nvidia0``, …"""
        return tuple(node for node in self.nodes if re.fullmatch(r"/dev/nvidia\d+", node))

    @property
    def hardware(self) -> bool | None:
        """Whether the kernel, the device nodes, the PCI bus or WSL show an NVIDIA GPU; None where nobody looked."""
        if not self.linux:
            return None
        return bool(self.pci or self.nodes or self.kernel_version or self.wsl_library)


def collect(host: Host) -> DriverFacts:
    """Ask NVML, then look at the kernel, the device nodes and the PCI bus (Linux only)."""
    if host.system not in ("Linux", "Windows"):
        # A fact, not "unavailable": whoever requires a GPU must be told that nobody looked.
        return DriverFacts(NvmlState("not covered", detail=f"on {host.system}: envcheck looks at NVIDIA GPUs only"))
    ending = ask(host)
    system = answers(ending.records, None)
    cuda = system.values.get("cuda_version")
    count = system.values.get("count")
    linux = host.system == "Linux"
    kernel_version, kernel_open = _kernel_module(host) if linux else (None, None)
    return DriverFacts(
        nvml=_state(ending),
        driver_version=system.values.get("driver_version"),
        nvml_version=system.values.get("nvml_version"),
        cuda_version=f"{cuda // 1000}.{cuda % 1000 // 10}" if cuda else None,
        device_count=count,
        usable_devices=None if count is None else sum(map(_opened, ending.records)),
        errors=system.errors,
        linux=linux,
        kernel_version=kernel_version,
        kernel_open=kernel_open,
        nodes=_nodes(host) if linux else (),
        node_errors={
            record["node"]: record["error"]
            for record in ending.records
            if record.get("what") == "node" and record["error"]
        },
        pci=_pci(host) if linux else None,
        dxg=linux and host.exists("/dev/dxg"),
        wsl_library=linux and host.exists("/usr/lib/wsl/lib/libnvidia-ml.so.1"),
        modprobe=linux
        and any(host.exists(f"{folder}/nvidia-modprobe") for folder in ("/usr/bin", "/usr/sbin", "/sbin")),
        # https://www.kernel.org/doc/Documentation/devicetree/bindings/arm/tegra.yaml
        tegra=linux
        and (
            host.exists("/etc/nv_tegra_release") or "nvidia,tegra" in (host.read("/proc/device-tree/compatible") or "")
        ),
    )


def begin(host: Host, brief: bool = False) -> None:
    """Start asking NVML: a driver takes its time to wake up."""
    if host.system in ("Linux", "Windows"):
        host.begin("nvml", _arguments(host, brief), **_options(host))


def ask(host: Host, brief: bool = False) -> Ending:
    """Put every NVML question, once per host, in envcheck's own interpreter and in a process that may hang or crash.

    With ``brief`` only what a health check wants: the GPUs, their UUIDs, their memory and its errors.
    """
    host.progress("asking the NVIDIA driver")
    return host.ask("nvml", _arguments(host, brief), **_options(host))


def _arguments(host: Host, brief: bool) -> dict[str, object]:
    binding = importlib.util.find_spec("pynvml")
    folder = None
    if binding and binding.origin:
        module = Path(binding.origin)
        folder = str((module.parent if module.name == "__init__.py" else module).parent)
    return {
        "binding": folder,
        "nodes": {node: str(host.path(node)) for node in (CONTROL, MEMORY) if host.exists(node)},
        "proc": str(host.path("/proc")),
        "brief": brief,
    }


def _options(host: Host) -> dict[str, Any]:
    return {
        "deadline": min(DEADLINE, host.timeout),
        "python": sys.executable,
        # PYTHONPATH and PYTHONHOME are the target's: they must not choose what our own interpreter imports.
        "environ": {name: value for name, value in host.environ.items() if not name.startswith("PYTHON")},
    }


@dataclass(frozen=True, slots=True)
class Answers:
    """What NVML answered on one device (or on the driver): values, error names, and the call it never answered."""

    values: dict[str, Any]
    errors: dict[str, str]
    unanswered: str | None


def answers(records: Iterable[Record], device: int | None) -> Answers:
    """The answers on ``device``; None stands for the driver as a whole."""
    found = Answers({}, {}, None)
    unanswered = None
    for record in records:
        if record.get("device") != device or record.get("what") == "node":
            continue
        if "call" in record:
            unanswered = str(record["call"])
        elif "error" in record:
            found.errors[record["what"]] = record["error"]["name"]
            unanswered = None
        else:
            found.values[record["what"]] = record["value"]
            unanswered = None
    return Answers(found.values, found.errors, unanswered)


def _opened(record: Record) -> bool:
    return record.get("what") == "handle" and "value" in record


def _state(ending: Ending) -> NvmlState:
    seconds = round(ending.seconds, 3)
    stop = ending.stopped
    if stop is not None:
        return NvmlState(stop.status, call=stop.call, device=stop.device, detail=stop.detail, seconds=seconds)
    for record in ending.records:
        what, error = record.get("what"), record.get("error") or {}
        if what == "binding":
            return NvmlState("not asked", detail=f"nvidia-ml-py is not installed beside envcheck ({error['name']})")
        if what in ("init", "count") and error:
            call = {"init": "nvmlInit", "count": "nvmlDeviceGetCount"}[what]
            status = "no library" if what == "init" and error["code"] == NO_LIBRARY else "error"
            return NvmlState(status, error["code"], error["name"], call, None, error["detail"], seconds)
    return NvmlState("ok", seconds=seconds)


def _kernel_module(host: Host) -> tuple[str | None, bool | None]:
    # As the driver writes it: "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  555.42.02  Release Build …"
    said = host.read("/proc/driver/nvidia/version") or ""
    if match := re.search(r"Kernel Module\D*?(?:for \S+)?\s+(\d+(?:\.\d+)+)", said):
        return match[1], "Open Kernel Module" in said
    version = (host.read("/sys/module/nvidia/version") or "").strip()
    return version or None, None


def _nodes(host: Host) -> tuple[str, ...]:
    return tuple(
        f"/dev/{name}" for name in host.names("/dev") if re.fullmatch(r"nvidia(\d+|ctl|-uvm|-uvm-tools|-modeset)", name)
    )


def _pci(host: Host) -> tuple[PciDevice, ...] | None:
    # https://www.kernel.org/doc/html/latest/PCI/sysfs-pci.html
    folder = "/sys/bus/pci/devices"
    if not host.exists(folder):
        return None
    found = []
    for address in host.names(folder):
        vendor, kind, number = (
            (host.read(f"{folder}/{address}/{name}") or "").strip() for name in ("vendor", "class", "device")
        )
        if vendor == NVIDIA and kind.startswith("0x03"):
            found.append(PciDevice(address, number, _bound(host, f"{folder}/{address}/driver")))
    return tuple(found)


def _bound(host: Host, link: str) -> str | None:
    try:
        return host.path(link).readlink().name
    except OSError:  # no link: no driver is bound
        return None
