"""MDL906: the memory that a training step needs, against what is free on the GPU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Location, Severity, check
from envcheck.inventory import Expectations, Unavailable

if TYPE_CHECKING:
    from envcheck.building.facts import BuildFacts, Need
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import CudaDevice, GpuFacts


@check("MDL906", "The memory of a training step is free", Severity.NOTE)
def memory(
    build: BuildFacts, gpu: GpuFacts | Unavailable, environment: EnvironmentFacts, expectations: Expectations
) -> Iterator[Finding]:
    """What a training step needs: weights, gradients, the optimizer's variables, and tensors that live at the same time.

    Weights, gradients and the optimizer's variables are counted exactly. The rest comes from TensorFlow's graph of the step:
    each tensor lives from the operation that makes it to the last that reads it; loops, as of recurrent layers, go round as
    often as they would. Not in it: the workspace of single kernels (cuDNN may take much for a convolution, and keeps what it
    needs of a recurrent layer), the CUDA context and loaded libraries, what XLA fuses away, and the room that TensorFlow's
    allocator loses between tensors: on a CPU it usually took up to 40 % more than the tensors that were asked of it, once
    60 %. Leave room.

    Cause: Activations grow with the batch and the size of the input, the rest with the model.

    How to fix: Take a smaller batch; train in mixed precision; free what other processes hold on the GPU.

    Source: https://www.tensorflow.org/guide/gpu#limiting_gpu_memory_growth; NVML for what is free
    """
    step = build.step("memory")
    need = build.need
    if need is None:
        step = build.reached("memory")
        yield build.trouble(step, "Counting the memory", Fix("follow the message"), severity=Severity.WARNING)
        return
    built = build.step("build").more
    parameters = f"{built['parameters']:,} parameters ({built['trainable']:,} trainable)"
    total = need.total()
    if total is None:
        why = step.message or build.words(step)
        yield _told(build, need, f"{parameters}; {_fixed(need)}; the activations are not counted: {why}", None)
        return
    words = (
        f"{parameters}; a step with a batch of {need.batch} needs about {_size(total)}: {_fixed(need)}, "
        f"{_size(need.tensors)} of tensors with the gradients among them, and {_size(need.per_sample)} for each further sample"
    )
    if need.left_out:
        words += f"; not counted in full: {', '.join(need.left_out)}; so it needs more"
    place = None if isinstance(gpu, Unavailable) else _first(gpu, environment, expectations)
    if place is None or place.free is None:
        why = gpu.reason if isinstance(gpu, Unavailable) else "none is visible, or it does not tell what is free"
        yield _told(build, need, f"{words}; compared with no GPU: {why}", None)
        return
    largest = need.largest(place.free)
    words += f"; {place.label} has {_size(place.free)} free"
    if total > place.free:
        yield _told(
            build,
            need,
            f"{words}: it does not fit{_fits(largest)}",
            largest,
            Severity.ERROR,
            "take a smaller batch or model",
        )
    else:
        yield _told(build, need, f"{words}{_fits(largest)}", largest)


def _fits(largest: int | None) -> str:
    if largest is None:
        return ""
    return "; not even one sample does" if largest == 0 else f"; the largest batch that fits is about {largest:,}"


def _fixed(need: Need) -> str:
    return (
        f"{_size(need.weights)} of weights, {_size(need.gradients)} of gradients, {_size(need.slots)} of variables of "
        f"{need.optimizer}"
    )


def _first(gpu: GpuFacts, environment: EnvironmentFacts, expectations: Expectations) -> CudaDevice | None:
    """The GPU where the model would run: the one that is asked for by its number, else the first."""
    places = gpu.visible(environment.variables).cuda
    number = int(expectations.device[4:]) if expectations.device.startswith("gpu:") else 0
    return places[number] if number < len(places) else None


def _told(
    build: BuildFacts, need: Need, words: str, largest: int | None, severity: Severity | None = None, fix: str = ""
) -> Finding:
    return Finding(
        words,
        Fix(fix) if fix else None,
        Location(build.file),
        evidence={
            "weights": need.weights,
            "gradients": need.gradients,
            "optimizer_variables": need.slots,
            "batch": need.batch,
            "tensors": need.tensors,
            "per_sample": need.per_sample,
            "total": need.total(),
            "largest_batch": largest,
        },
        severity=severity,
    )


def _size(count: int | None) -> str:
    if count is None:
        return "an unknown amount"
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes"
