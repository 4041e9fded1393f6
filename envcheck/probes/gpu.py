"""The GPUs as the driver describes them through NVML, and which of them CUDA_VISIBLE_DEVICES leaves to a program."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from envcheck.findings import Skip
from envcheck.host import Host
from envcheck.inventory import Unavailable
from envcheck.probes.driver import Answers, DriverFacts, answers, ask

_KINDS = {"compute_processes": "compute", "graphics_processes": "graphics", "mpscompute_processes": "mps"}


@dataclass(frozen=True, slots=True)
class Process:
    """A process that holds memory of a GPU, in bytes; None where the driver does not tell.

    ``pid`` is the host's number: inside a container no process may have it, or another one. ``kind`` is ``compute``,
    ``graphics`` or ``mps``. ``own`` says that envcheck itself started it: the smoke run.
    """

    pid: int
    memory: int | None
    kind: str
    own: bool = False


@dataclass(frozen=True, slots=True)
class MigInstance:
    """A slice of a GPU in MIG mode, with the processes that compute on it; memory in bytes."""

    uuid: str | None
    memory_total: int | None
    memory_used: int | None
    memory_free: int | None
    processes: tuple[Process, ...] = ()


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
    def others(self) -> tuple[Process, ...]:
        """The processes on it that envcheck did not start."""
        return tuple(process for process in self.processes if not process.own)

    @property
    def cuda(self) -> tuple[CudaDevice, ...]:
        """What CUDA can count of it: its MIG instances as far as they are known, else itself."""
        if self.mig and self.mig_instances:
            return tuple(CudaDevice(self, instance) for instance in self.mig_instances)
        return (CudaDevice(self),)


@dataclass(frozen=True, slots=True)
class CudaDevice:
    """One device as CUDA counts them: a GPU, or one MIG instance of it.

    Without ``instance`` and with the GPU in MIG mode it is not known which instance, or whether there is one.
    """

    device: Device
    instance: MigInstance | None = None

    @property
    def label(self) -> str:
        """How a message names it."""
        return f"MIG instance {self.instance.uuid} of {self.device.label}" if self.instance else self.device.label

    @property
    def total(self) -> int | None:
        """Its memory in bytes."""
        if self.instance:
            return self.instance.memory_total
        return None if self.device.mig else self.device.memory_total

    @property
    def free(self) -> int | None:
        """Its free memory in bytes, with what envcheck's own processes hold counted as free."""
        if self.device.mig and not self.instance:
            return None
        place = self.instance or self.device
        own = [process.memory for process in place.processes if process.own]
        if place.memory_free is None or None in own:
            return None
        return place.memory_free + sum(memory or 0 for memory in own)

    @property
    def others(self) -> tuple[Process, ...]:
        """The processes on it that envcheck did not start."""
        if self.instance:
            return tuple(process for process in self.instance.processes if not process.own)
        return self.device.others


@dataclass(frozen=True, slots=True)
class Selection:
    """What CUDA_VISIBLE_DEVICES leaves to a program.

    ``cuda`` are the devices left, in CUDA's order where ``certain``; else all that may be meant, because CUDA numbers
    GPUs fastest first and NVML by the PCI bus. ``first`` are those of them that may be CUDA's device 0, the one that a
    program uses when it names none. ``stop`` is the first entry that names nothing: it and all after it hide their GPUs.
    ``repeated`` is an entry that stands twice, which leaves none.
    """

    cuda: tuple[CudaDevice, ...] = ()
    first: tuple[CudaDevice, ...] = ()
    stop: str | None = None
    repeated: str | None = None

    @property
    def certain(self) -> bool:
        """Whether it is known which device is the first."""
        return len(self.first) <= 1

    @property
    def devices(self) -> tuple[Device, ...]:
        """The GPUs, each once."""
        return tuple({each.device.index: each.device for each in self.cuda}.values())


@dataclass(frozen=True, slots=True)
class Group:
    """GPUs of which the same is to be said. ``every`` tells that they are all the GPUs of a machine with several."""

    devices: tuple[Device, ...]
    every: bool = False

    @property
    def label(self) -> str:
        """How a message names them: ``GPU 0–7 (NVIDIA H100)``."""
        names: dict[str | None, list[int]] = {}
        for device in self.devices:
            names.setdefault(device.name, []).append(device.index)
        return ", ".join(f"GPU {_ranges(indexes)}" + (f" ({name})" if name else "") for name, indexes in names.items())

    @property
    def indexes(self) -> list[int]:
        """NVML's numbers of them."""
        return [device.index for device in self.devices]

    def verb(self, one: str, many: str) -> str:
        """``one`` for a single GPU, ``many`` for several."""
        return one if len(self.devices) == 1 else many

    def commands(self, *templates: str) -> tuple[str, ...]:
        """Commands with ``-i {index}`` in them for these GPUs; nvidia-smi without ``-i`` means all of a machine."""
        if self.every:
            return tuple(template.replace(" -i {index}", "") for template in templates)
        found = (t.replace("{index}", str(index)) for t in templates for index in self.indexes)
        return tuple(dict.fromkeys(found))


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
        cuda = tuple(each for device in usable for each in device.cuda)
        same = len({device.name for device in usable}) <= 1 or variables.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
        certain = same and not any(device.mig for device in usable)
        if wanted is None:
            return Selection(cuda, cuda[:1] if certain else cuda)
        entries = [entry.strip() for entry in wanted.split(",")]
        if entries[0].startswith(("GPU-", "MIG-")):
            return _by_uuid(entries, usable)
        return _by_index(entries, cuda, certain, len(cuda) + self.count - len(self.devices))

    def need_visible(self, variables: Mapping[str, str]) -> Selection:
        """What :meth:`visible` leaves, for a check that has nothing to say without.

        Raises:
            Skip: no GPU is left.
        """
        selection = self.visible(variables)
        if not selection.cuda:
            raise Skip("no GPU is visible")
        return selection

    def named(self, places: Iterable[CudaDevice]) -> str:
        """How a message names several devices of CUDA: ``GPU 0–7 (NVIDIA H100)``."""
        places = tuple(places)
        whole = Group(tuple(each.device for each in places if each.instance is None)).label
        return ", ".join(filter(None, (whole, *(each.label for each in places if each.instance))))

    def grouped(self, devices: Iterable[Device], key: Callable[[Device], Hashable]) -> list[Group]:
        """The devices put together by ``key``, so that eight GPUs with one trouble make one finding."""
        found: dict[Hashable, list[Device]] = {}
        for device in devices:
            found.setdefault(key(device), []).append(device)
        return [Group(tuple(each), 1 < len(each) == self.count) for each in found.values()]


def collect(host: Host, driver: DriverFacts) -> GpuFacts | Unavailable:
    """Fold NVML's answers into devices."""
    if driver.nvml.status == "not covered":
        return Unavailable(driver.nvml.words)
    if not driver.device_count:
        if driver.nvml.ok:
            return Unavailable("the driver reports no GPU", absent=True)
        if driver.tegra:
            return Unavailable(f"this is a Jetson, which is not covered: {driver.nvml.words}")
        if driver.nvml.status == "no library" and not driver.hardware:
            unseen = "" if driver.pci is not None or not driver.linux else " (the PCI bus cannot be seen)"
            return Unavailable(f"no NVIDIA GPU or driver here{unseen}", absent=not unseen)
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
        for pid, memory, own in values.get(what) or ():
            found.setdefault(
                pid, Process(pid, memory, kind, own)
            )  # one process may be listed as compute and as graphics
    return tuple(sorted(found.values(), key=lambda process: -(process.memory or 0)))


def _instances(found: Sequence[Mapping[str, Any]] | None) -> tuple[MigInstance, ...] | None:
    if found is None:
        return None
    return tuple(
        MigInstance(each["uuid"], memory.get("total"), memory.get("used"), memory.get("free"), _processes(each))
        for each in found
        for memory in [each["memory"] or {}]
    )


def _ranges(indexes: Sequence[int]) -> str:
    """``0–3, 6`` for 0, 1, 2, 3 and 6."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def _by_index(entries: Sequence[str], cuda: Sequence[CudaDevice], certain: bool, most: int) -> Selection:
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
        return Selection(stop=stop, repeated=repeated)
    if not certain or max(chosen) >= len(cuda):
        return Selection(tuple(cuda), tuple(cuda), stop)
    named = tuple(cuda[index] for index in chosen)
    return Selection(named, named[:1], stop)


def _by_uuid(entries: Sequence[str], usable: Sequence[Device]) -> Selection:
    kind = entries[0][:4]
    seen: list[str] = []
    chosen: list[CudaDevice] = []
    first: tuple[CudaDevice, ...] = ()
    for entry in entries:
        if entry in seen:
            return Selection(repeated=entry)
        seen.append(entry)
        named = _named(usable, entry) if entry.startswith(kind) else ()
        if not named:
            return Selection(tuple(chosen), first, stop=entry)
        first = first or named
        chosen += [each for each in named if each not in chosen]
    return Selection(tuple(chosen), first)


def _named(usable: Sequence[Device], entry: str) -> tuple[CudaDevice, ...]:
    """The devices that an entry, in full or abbreviated, may mean: none unless it is unique."""
    wanted = entry.lower()
    if wanted.startswith("mig-"):
        instances = [
            each for device in usable for each in device.cuda if each.instance and _begins(each.instance.uuid, wanted)
        ]
        if instances:
            return tuple(instances) if len(instances) == 1 else ()
        if not wanted.startswith("mig-gpu-"):  # it may be an instance that this user is not shown
            return tuple(CudaDevice(device) for device in usable if device.mig and device.mig_instances is None)
        # The form before driver 470: MIG-GPU-<uuid>/<GPU instance>/<compute instance>
        wanted = wanted.removeprefix("mig-").partition("/")[0]
    devices = [device for device in usable if _begins(device.uuid, wanted)]
    return devices[0].cuda if len(devices) == 1 else ()


def _begins(uuid: str | None, wanted: str) -> bool:
    return (uuid or "").lower().startswith(wanted)
