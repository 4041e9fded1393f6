"""Which GPUs CUDA_VISIBLE_DEVICES leaves to a program, and which of them it counts first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from envcheck.probes.gpu.device import CudaDevice, Device


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


def select(usable: Sequence[Device], unreached: int, variables: Mapping[str, str]) -> Selection:
    """What ``CUDA_VISIBLE_DEVICES`` and ``CUDA_DEVICE_ORDER`` leave of the GPUs that can be opened, as the CUDA driver
    reads them. ``unreached`` is how many more there are that NVML did not get to.

    Source: https://docs.nvidia.com/cuda/cuda-c-programming-guide/#cuda-environment-variables; that digits are read up to
    the first other character and that a repeated entry leaves nothing is what PyTorch relies on (torch/cuda/__init__.py).
    """
    wanted = variables.get("CUDA_VISIBLE_DEVICES")
    cuda = tuple(each for device in usable for each in device.cuda)
    same = len({device.name for device in usable}) <= 1 or variables.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
    certain = same and not any(device.mig for device in usable)
    if wanted is None:
        return Selection(cuda, cuda[:1] if certain else cuda)
    entries = [entry.strip() for entry in wanted.split(",")]
    if entries[0].startswith(("GPU-", "MIG-")):
        return _by_uuid(entries, usable)
    return _by_index(entries, cuda, certain, len(cuda) + unreached)


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
