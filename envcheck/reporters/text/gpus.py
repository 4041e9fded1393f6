"""The GPUs as the report for people shows them: a line each, and more only where there is more to say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from envcheck.inventory import Inventory, Unavailable
from envcheck.reporters.text.sizes import size

if TYPE_CHECKING:
    from envcheck.probes.cuda import CudaFacts
    from envcheck.probes.gpu import CudaDevice, Device, GpuFacts

MOST_NUMBERED = 16
"""Devices whose place in CUDA's order is shown."""
NOT_SHOWN = ("NOT_SUPPORTED", "NO_ANSWER")
"""What a GPU does not have, and where the driver hung: a finding says so."""


def gpus(gpu: GpuFacts) -> Iterator[str]:
    """The GPUs, those that are alike on one line, with their MIG instances and what the driver does not tell of them."""
    for group in gpu.grouped(gpu.devices, _lines):
        first, *further = _lines(group.devices[0])
        yield f"{group.label}: {first}" + (" each" if len(group.devices) > 1 and first.endswith(" free") else "")
        yield from further


def _lines(device: Device) -> tuple[str, ...]:
    """What stands after the GPU's name, and below it."""
    if device.failure:
        return (device.failure,)
    further = [
        f"  {instance.uuid or 'MIG instance'}: {size(instance.memory_free)} of {size(instance.memory_total)} free"
        for instance in device.mig_instances or ()
    ]
    untold = {name: error for name, error in device.errors.items() if error not in NOT_SHOWN}
    if untold:
        told = "; ".join(f"{name.replace('_', ' ')}: {error}" for name, error in sorted(untold.items()))
        further.append(f"  not told: {told}")
    return (", ".join(_parts(device)), *further)


def _parts(device: Device) -> Iterator[str]:
    yield f"compute capability {device.compute_capability or 'unknown'}"
    if device.memory_total:
        yield f"{size(device.memory_free)} of {size(device.memory_total)} free"
    if device.virtualization == "vGPU":
        yield "a virtual GPU"
    if device.mig:
        yield "in MIG mode"
    if device.nvlinks and device.nvlinks.active:
        yield f"{device.nvlinks.active} of {device.nvlinks.active + device.nvlinks.inactive} NVLinks active"
    if device.fabric:
        yield f"NVSwitch fabric {device.fabric.state}"


def numbered(inventory: Inventory) -> Iterator[str]:
    """Which GPU a framework calls ``GPU:0``: CUDA's own word, else what the variables and NVML foretell."""
    gpu, cuda = inventory.facts.get("gpu"), inventory.facts.get("cuda")
    if gpu is None or isinstance(gpu, Unavailable):
        return
    found = cast("GpuFacts", gpu)
    places = [place for device in found.usable for place in device.cuda]
    if cuda is not None and not isinstance(cuda, Unavailable) and cast("CudaFacts", cuda).ok:
        counted = cast("CudaFacts", cuda).devices
        named = [(next((place for place in places if each.is_uuid(place.uuid)), None), each.name) for each in counted]
        yield from _order("is", named)
    elif found.cuda_order is not None:
        by_uuid = {place.uuid: place for place in places if place.uuid}
        yield from _order("would be", [(by_uuid.get(uuid or ""), None) for uuid in found.cuda_order])
    elif len({device.name for device in found.usable}) > 1:
        yield "which of them is GPU:0 is CUDA's choice (the fastest); CUDA_DEVICE_ORDER=PCI_BUS_ID keeps this order"


def _order(verb: str, named: Sequence[tuple[CudaDevice | None, str | None]]) -> Iterator[str]:
    """The first in full, with its UUID; the others by their numbers."""
    if not named:
        return
    place, name = named[0]
    first = f"{place.device.label}, {place.uuid}" if place else _unknown(name)
    rest = named[1:MOST_NUMBERED]
    whole = [place.device.index for place, _ in rest if place is not None and place.instance is None]
    others = (
        f"GPU {', '.join(map(str, whole))}"
        if len(whole) == len(rest)
        else ", ".join(
            _unknown(name) if place is None else (place.instance and place.instance.uuid) or f"GPU {place.device.index}"
            for place, name in rest
        )
    )
    more = f", {len(named) - MOST_NUMBERED} more" if len(named) > MOST_NUMBERED else ""
    yield f"GPU:0 {verb} {first}" + (f"; then {others}{more}" if rest else "")


def _unknown(name: str | None) -> str:
    return "a GPU that NVML does not tell of" + (f" ({name})" if name else "")
