"""Has the GPU the memory that is asked for, and who holds it?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Severity, Skip, check

if TYPE_CHECKING:
    from envcheck.inventory import Expectations
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import CudaDevice, GpuFacts, Process
    from envcheck.probes.host import HostFacts

FULL = 0.9
"""The share in use from which on TensorFlow, which takes nearly all that is free, will hardly start."""


@check("GPU301", "The GPU has the memory that is asked for")
def enough_memory(
    gpu: GpuFacts, environment: EnvironmentFacts, host: HostFacts, expectations: Expectations
) -> Iterator[Finding]:
    """Less GPU memory is free than `--min-gpu-memory` asks for.

    The GPU that counts is the first that CUDA_VISIBLE_DEVICES leaves, or the MIG instance that it names: a program that
    names no GPU computes there. Where it cannot be told which one that is, and for the further GPUs, it is a warning.

    Cause: the GPU is too small, or other processes hold its memory: an earlier notebook kernel, another training run
    (TensorFlow takes nearly all free memory unless told otherwise), a desktop.

    How to fix: end the processes that hold the memory, or name a GPU with room in CUDA_VISIBLE_DEVICES; where they must
    stay, let every TensorFlow on the GPU grow its share on demand: TF_FORCE_GPU_ALLOW_GROWTH=true. The process numbers
    are the host's, also inside a container.

    Source: NVML; https://www.tensorflow.org/guide/gpu#limiting_gpu_memory_growth
    """
    wanted = expectations.min_gpu_memory
    if wanted is None:
        raise Skip("no minimum of GPU memory is asked for")
    selection = gpu.need_visible(environment.variables)
    for place in selection.first:
        if place.free is None and (place.total is None or place.total >= wanted):
            raise Skip(f"the driver does not tell how much memory is free on {place.label}", unknown=True)
    first = [place for place in selection.first if _lacks(place, wanted)]
    further = [place for place in selection.cuda if place not in selection.first and _lacks(place, wanted)]
    doubt = len(first) < len(selection.first)  # one of those that may be the first has room
    for places, severity in ((first, Severity.WARNING if doubt else None), (further, Severity.WARNING)):
        for small in (True, False):
            group = [place for place in places if _small(place, wanted) is small]
            if group:
                yield _short(gpu, group, wanted, small, host, severity)


def _small(place: CudaDevice, wanted: int) -> bool:
    return place.total is not None and place.total < wanted


def _lacks(place: CudaDevice, wanted: int) -> bool:
    return _small(place, wanted) or (place.free is not None and place.free < wanted)


def _short(
    gpu: GpuFacts, places: Sequence[CudaDevice], wanted: int, small: bool, host: HostFacts, severity: Severity | None
) -> Finding:
    named, has = gpu.named(places), "has" if len(places) == 1 else "each have"
    totals, free = _sizes([place.total for place in places]), _sizes([place.free for place in places])
    return Finding(
        f"{named} {has} {totals} in all, {_size(wanted)} are asked for"
        if small
        else f"{named} {has} {free} of {totals} free, {_size(wanted)} are asked for; {_holders(places, host)}",
        Fix("use a GPU with more memory, or a smaller model or batch") if small else _free_it(places, host),
        evidence={**_evidence(places), "asked": wanted},
        severity=severity,
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
    places = gpu.need_visible(environment.variables).cuda
    full = [place for place in places if place.free is not None and place.total and 1 - place.free / place.total > FULL]
    unknown = [place for place in places if place.free is None or not place.total]
    if unknown and not full:
        raise Skip(f"the driver does not tell how much memory is free on {unknown[0].label}", unknown=True)
    if full:
        free, totals = _sizes([place.free for place in full]), _sizes([place.total for place in full])
        yield Finding(
            f"{gpu.named(full)} {'has' if len(full) == 1 else 'each have'} only {free} of {totals} free; "
            f"{_holders(full, host)}",
            _free_it(full, host),
            evidence=_evidence(full),
        )


def _size(count: int | None) -> str:
    if count is None:
        return "an unknown amount"
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def _sizes(counts: Sequence[int | None]) -> str:
    """One amount, or the least and the most."""
    known = sorted(count for count in counts if count is not None)
    ends = list(dict.fromkeys((_size(known[0]), _size(known[-1])))) if known else [_size(None)]
    return " to ".join(ends)


def _others(places: Sequence[CudaDevice]) -> list[Process]:
    """The processes on any of them, each once, but for envcheck's own."""
    return list({process.pid: process for place in places for process in place.others}.values())


def _holders(places: Sequence[CudaDevice], host: HostFacts) -> str:
    processes = _others(places)
    if not processes:
        return "the driver does not tell who holds it (another container or another user may)"
    words = [f"process {process.pid} ({_held(process)})" for process in processes[:5]]
    more = len(processes) - len(words)
    where = ", numbered as on the container's host" if host.container else ""
    return "held by " + ", ".join(words) + (f" and {more} more" if more else "") + where


def _held(process: Process) -> str:
    amount = _size(process.memory) if process.memory is not None else "amount not told"
    return f"{process.name}, {amount}" if process.name else amount


def _free_it(places: Sequence[CudaDevice], host: HostFacts) -> Fix:
    numbers = ",".join(str(process.pid) for process in _others(places))
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


def _evidence(places: Sequence[CudaDevice]) -> dict[str, object]:
    return {
        "gpus": [
            {
                "gpu": place.device.index,
                "instance": place.instance and place.instance.uuid,
                "free": place.free,
                "total": place.total,
            }
            for place in places
        ],
        "processes": [process.pid for process in _others(places)],
    }
