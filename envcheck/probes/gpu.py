"""The GPUs as the driver describes them through NVML, and which of them CUDA_VISIBLE_DEVICES leaves to a program."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from envcheck.host import Host
from envcheck.inventory import Unavailable
from envcheck.probes.driver import Answers, DriverFacts, answers, ask

_KINDS = {"compute_processes": "compute", "graphics_processes": "graphics", "mpscompute_processes": "mps"}


@dataclass(frozen=True, slots=True)
class Process:
    """A process that holds memory of a GPU, in bytes; None where the driver does not tell.

    ``pid`` is the host's number: inside a container no process may have it, or another one. ``kind`` is ``compute``,
    ``graphics`` or ``mps``.
    """

    pid: int
    memory: int | None
    kind: str


@dataclass(frozen=True, slots=True)
class MigInstance:
    """A slice of a GPU in MIG mode; memory in bytes."""

    uuid: str | None
    memory_total: int | None
    memory_used: int | None
    memory_free: int | None


@dataclass(frozen=True, slots=True)
class Device:
    """One GPU. None stands for what the driver did not answer; ``errors`` says why, by question.

    ``index`` is NVML's, in the order of the PCI bus. Memory is in bytes. ``compute_mode`` is ``default``,
    ``prohibited``, ``exclusive process`` or ``exclusive thread``. ``ecc_uncorrected`` counts since the driver was
    loaded. ``failure`` is the NVML error for which the GPU could not be opened at all.
    """

    index: int
    name: str | None = None
    uuid: str | None = None
    pci: str | None = None
    compute_capability: str | None = None
    memory_total: int | None = None
    memory_used: int | None = None
    memory_free: int | None = None
    processes: tuple[Process, ...] = ()
    compute_mode: str | None = None
    persistence: bool | None = None
    ecc: bool | None = None
    ecc_uncorrected: int | None = None
    mig: bool | None = None
    mig_pending: bool | None = None
    mig_instances: tuple[MigInstance, ...] | None = None
    errors: dict[str, str] = field(default_factory=dict)
    failure: str | None = None

    @property
    def label(self) -> str:
        """How a message names it."""
        return f"GPU {self.index}" + (f" ({self.name})" if self.name else "")

    @property
    def cuda_devices(self) -> int:
        """As how many devices CUDA can count it at most: its MIG instances, else 1."""
        return len(self.mig_instances) if self.mig and self.mig_instances else 1


@dataclass(frozen=True, slots=True)
class Selection:
    """What CUDA_VISIBLE_DEVICES leaves to a program.

    ``devices`` are the GPUs left, in CUDA's order where ``certain``; else all that may be meant, because CUDA numbers
    them fastest first and NVML by the PCI bus. ``stop`` is the first entry that names nothing: it and all after it hide
    their GPUs. ``repeated`` is an entry that stands twice, which leaves none.
    """

    devices: tuple[Device, ...]
    certain: bool = True
    stop: str | None = None
    repeated: str | None = None


@dataclass(frozen=True, slots=True)
class GpuFacts:
    """Every GPU asked, those included that do not answer. ``count`` is larger where NVML hung on the way."""

    count: int
    devices: tuple[Device, ...]

    @property
    def usable(self) -> tuple[Device, ...]:
        """Those that could be opened."""
        return tuple(device for device in self.devices if device.failure is None)

    def visible(self, variables: Mapping[str, str]) -> Selection:
        """What ``CUDA_VISIBLE_DEVICES`` and ``CUDA_DEVICE_ORDER`` leave, as the CUDA driver reads them.

        Source: https://docs.nvidia.com/cuda/cuda-c-programming-guide/#cuda-environment-variables; that digits are read
        up to the first other character and that a repeated entry leaves nothing is what PyTorch relies on
        (torch/cuda/__init__.py).
        """
        wanted = variables.get("CUDA_VISIBLE_DEVICES")
        usable = self.usable
        if wanted is None:
            return Selection(usable)
        entries = [entry.strip() for entry in wanted.split(",")]
        if entries[0].startswith(("GPU-", "MIG-")):
            return _by_uuid(entries, usable)
        same = len({device.name for device in usable}) <= 1 or variables.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
        certain = same and not any(device.mig for device in usable)
        most = sum(device.cuda_devices for device in usable) + self.count - len(self.devices)
        return _by_index(entries, usable, certain, most)


def collect(host: Host, driver: DriverFacts) -> GpuFacts | Unavailable:
    """Fold NVML's answers into devices."""
    if driver.nvml.status == "not covered":
        return Unavailable(driver.nvml.words)
    if not driver.device_count:
        if driver.nvml.ok:
            return Unavailable("the driver reports no GPU")
        if driver.nvml.status == "no library" and not driver.hardware:
            unseen = "" if driver.pci is not None or not driver.linux else " (the PCI bus cannot be seen)"
            return Unavailable(f"no NVIDIA GPU or driver here{unseen}")
        return Unavailable(f"no NVIDIA driver answers: {driver.nvml.words}")
    records = ask(host).records
    reached = {record["device"] for record in records if record.get("device") is not None}
    return GpuFacts(driver.device_count, tuple(_device(index, answers(records, index)) for index in sorted(reached)))


def _device(index: int, found: Answers) -> Device:
    values, errors = found.values, dict(found.errors)
    failure = errors.pop("handle", None)
    if found.unanswered:
        errors[found.unanswered] = "NO_ANSWER"
        failure = failure or ("NO_ANSWER" if "handle" not in values else None)
    memory, capability = values.get("memory") or {}, values.get("compute_capability")
    mig, ecc = values.get("mig"), values.get("ecc")
    return Device(
        index=index,
        name=values.get("name"),
        uuid=values.get("uuid"),
        pci=values.get("pci"),
        compute_capability=f"{capability[0]}.{capability[1]}" if capability else None,
        memory_total=memory.get("total"),
        memory_used=memory.get("used"),
        memory_free=memory.get("free"),
        processes=_processes(values),
        compute_mode=values.get("compute_mode"),
        persistence=_truth(values.get("persistence")),
        ecc=_truth(ecc and ecc[0]),
        ecc_uncorrected=values.get("ecc_uncorrected"),
        mig=_truth(mig and mig[0]),
        mig_pending=_truth(mig and mig[1]),
        mig_instances=_instances(values.get("mig_instances")),
        errors=errors,
        failure=failure,
    )


def _truth(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def _processes(values: Mapping[str, Any]) -> tuple[Process, ...]:
    found: dict[int, Process] = {}
    for what, kind in _KINDS.items():
        for pid, memory in values.get(what) or ():
            found.setdefault(pid, Process(pid, memory, kind))  # one process may be listed as compute and as graphics
    return tuple(sorted(found.values(), key=lambda process: -(process.memory or 0)))


def _instances(found: Sequence[Mapping[str, Any]] | None) -> tuple[MigInstance, ...] | None:
    if found is None:
        return None
    return tuple(
        MigInstance(each["uuid"], memory.get("total"), memory.get("used"), memory.get("free"))
        for each in found
        for memory in [each["memory"] or {}]
    )


def _by_index(entries: Sequence[str], usable: Sequence[Device], certain: bool, most: int) -> Selection:
    chosen: list[int] = []
    stop = repeated = None
    for entry in entries:
        match = re.match(r"[+-]?[0-9]{1,12}", entry)  # beyond twelve digits nothing is in range anyway
        index = int(match.group()) if match else -1
        if index in chosen:
            repeated = entry
            break
        if not 0 <= index < most:
            stop = entry
            break
        chosen.append(index)
    if repeated is not None or not chosen:
        return Selection((), True, stop, repeated)
    if not certain or max(chosen) >= len(usable):
        return Selection(tuple(usable), len(usable) == 1, stop)
    return Selection(tuple(usable[index] for index in chosen), True, stop)


def _by_uuid(entries: Sequence[str], usable: Sequence[Device]) -> Selection:
    kind = entries[0][:4]
    seen: list[str] = []
    chosen: list[Device] = []
    for entry in entries:
        if entry in seen:
            return Selection((), repeated=entry)
        seen.append(entry)
        named = [device for device in usable if _is_named(device, entry)] if entry.startswith(kind) else []
        if len(named) != 1:
            return Selection(tuple(chosen), stop=entry)
        if named[0] not in chosen:
            chosen.append(named[0])
    return Selection(tuple(chosen))


def _is_named(device: Device, entry: str) -> bool:
    """Whether an entry, in full or abbreviated, names this GPU or one of its MIG instances."""
    wanted = entry.lower()
    if not wanted.startswith("mig-"):
        return (device.uuid or "").lower().startswith(wanted)
    if wanted.startswith("mig-gpu-"):  # the form before driver 470: MIG-GPU-<uuid>/<GPU instance>/<compute instance>
        return (device.uuid or "").lower().startswith(wanted.removeprefix("mig-").partition("/")[0])
    return any((instance.uuid or "").lower().startswith(wanted) for instance in device.mig_instances or ())
