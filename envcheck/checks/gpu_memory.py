"""Has the GPU the memory that is asked for, and who holds it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Severity, Skip, check

if TYPE_CHECKING:
    from envcheck.inventory import Expectations
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import Device, GpuFacts
    from envcheck.probes.host import HostFacts

FULL = 0.9
"""The share in use from which on TensorFlow, which takes nearly all that is free, will hardly start."""


@dataclass(frozen=True, slots=True)
class _Room:
    """Memory that one CUDA device offers, in bytes: a GPU's, or a MIG instance's."""

    label: str
    device: Device
    total: int | None
    free: int | None


def _rooms(gpu: GpuFacts, environment: EnvironmentFacts) -> list[_Room]:
    """The memory of every visible GPU; of its instances where it is in MIG mode.

    Raises:
        Skip: no GPU is visible.
    """
    devices = gpu.visible(environment.variables).devices
    if not devices:
        raise Skip("no GPU is visible")
    rooms = []
    for device in devices:
        if device.mig:
            rooms += [
                _Room(f"MIG instance {place.uuid} of {device.label}", device, place.memory_total, place.memory_free)
                for place in device.mig_instances or ()
            ]
        else:
            rooms.append(_Room(device.label, device, device.memory_total, device.memory_free))
    return rooms


@check(
    "GPU301",
    "The GPU has the memory that is asked for",
    explains=("SMK102", "SMK103", "SMK104", "SMK105", "SMK106", "SMK107", "SMK108"),
)
def enough_memory(
    gpu: GpuFacts, environment: EnvironmentFacts, host: HostFacts, expectations: Expectations
) -> Iterator[Finding]:
    """Less GPU memory is free than `--min-gpu-memory` asks for.

    Cause: the GPU is too small, or other processes hold its memory: an earlier notebook kernel, another training run
    (TensorFlow takes nearly all free memory unless told otherwise), a desktop.

    How to fix: end the processes that hold the memory; where they must stay, let every TensorFlow on the GPU grow its
    share on demand: TF_FORCE_GPU_ALLOW_GROWTH=true. The process numbers are the host's, also inside a container.

    Source: NVML; https://www.tensorflow.org/guide/gpu#limiting_gpu_memory_growth
    """
    wanted = expectations.min_gpu_memory
    if wanted is None:
        raise Skip("no minimum of GPU memory is asked for")
    rooms = _rooms(gpu, environment)
    short = [room for room in rooms if room.free is not None and room.free < wanted]
    if rooms and all(room.free is None for room in rooms):
        raise Skip("the driver does not tell how much memory the GPU has")
    for room in short:
        small = room.total is not None and room.total < wanted
        yield Finding(
            f"{room.label} has {_size(room.total)} in all, {_size(wanted)} are asked for"
            if small
            else f"{room.label} has {_size(room.free)} of {_size(room.total)} free, {_size(wanted)} are asked for; "
            f"{_holders(room.device, host)}",
            Fix("use a GPU with more memory, or a smaller model or batch") if small else _free_it(room.device, host),
            evidence={"free": room.free, "total": room.total, "asked": wanted, "processes": _numbers(room.device)},
            # TensorFlow can be put on another GPU where one is large enough.
            severity=None if len(short) == len(rooms) else Severity.WARNING,
        )


@check("GPU306", "The GPU's memory is not taken already", Severity.WARNING)
def memory_not_taken(
    gpu: GpuFacts, environment: EnvironmentFacts, host: HostFacts, expectations: Expectations
) -> Iterator[Finding]:
    """More than nine tenths of the GPU's memory is in use before training starts.

    Cause: an earlier notebook kernel, another training run or a serving process. TensorFlow fails with
    CUDA_ERROR_OUT_OF_MEMORY when it starts, or with a small model.

    How to fix: end the processes that hold the memory, or let every TensorFlow on the GPU grow its share on demand:
    TF_FORCE_GPU_ALLOW_GROWTH=true. Say with `--min-gpu-memory` how much your training needs.

    Source: NVML; https://github.com/tensorflow/tensorflow/issues/45779
    """
    if expectations.min_gpu_memory is not None:
        raise Skip("GPU301 judges the memory by --min-gpu-memory")
    rooms = _rooms(gpu, environment)
    if rooms and all(room.free is None or not room.total for room in rooms):
        raise Skip("the driver does not tell how much memory the GPU has")
    for room in rooms:
        if room.free is not None and room.total and 1 - room.free / room.total > FULL:
            yield Finding(
                f"{room.label} has only {_size(room.free)} of {_size(room.total)} free; {_holders(room.device, host)}",
                _free_it(room.device, host),
                evidence={"free": room.free, "total": room.total, "processes": _numbers(room.device)},
            )


def _size(count: int | None) -> str:
    if count is None:
        return "an unknown amount"
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def _holders(device: Device, host: HostFacts) -> str:
    if not device.processes:
        return "the driver does not tell who holds it (another container or another user may)"
    words = [
        f"process {process.pid} ({_size(process.memory) if process.memory is not None else 'amount not told'})"
        for process in device.processes[:5]
    ]
    more = len(device.processes) - len(words)
    where = ", numbered as on the container's host" if host.container else ""
    return "held by " + ", ".join(words) + (f" and {more} more" if more else "") + where


def _free_it(device: Device, host: HostFacts) -> Fix:
    numbers = ",".join(str(process.pid) for process in device.processes)
    look = (
        "nvidia-smi"
        if host.container or host.system != "Linux" or not numbers
        else f"ps -o pid,user,lstart,args -p {numbers}"
    )
    return Fix(
        "end what holds the memory, or let every TensorFlow on this GPU take only what it needs",
        (
            look,
            "set TF_FORCE_GPU_ALLOW_GROWTH=true"
            if host.system == "Windows"
            else "export TF_FORCE_GPU_ALLOW_GROWTH=true",
        ),
        verify="nvidia-smi",
    )


def _numbers(device: Device) -> list[int]:
    return [process.pid for process in device.processes]
