"""SMK109 and SMK113 to SMK115: what the smoke run shows of GPUs: how they start, each of them, all together, and the driver's
word for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Link, Severity, Skip, check
from envcheck.inventory import Unavailable

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import GpuFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.smoke import Held, SmokeFacts

SLOW = 10.0
"""Seconds above which a first operation is slow: to load cuBLAS or cuDNN takes one to three from a local disk. Our choice."""
TIMES = 50
"""How many times as long as a later one it must take, so that the machine itself is not merely slow. Our choice."""
CONTEXT = 64 << 20
"""Bytes by which a CUDA context makes the memory in use grow at least; mostly it is 100 to 500 MiB. Our choice."""
CACHE = 4 << 30
"""Bytes, the most that CUDA_CACHE_MAXSIZE may be."""


@check("SMK109", "The first operation on the GPU does not take minutes", Severity.WARNING)
def slow_start(smoke: SmokeFacts, environment: EnvironmentFacts, matrix: Matrix) -> Iterator[Finding]:
    """The first operation takes minutes on the GPU, and the next ones milliseconds.

    Cause: A build holds machine code for some compute capabilities, and PTX for newer GPUs, from which the driver compiles
    everything at the first use ("CUDA kernels will be jit-compiled from PTX, which could take 30 minutes or longer").
    The result is kept in a cache (~/.nv/ComputeCache), which is too small for all of TensorFlow unless it is enlarged, lies in
    a container's writable layer that is lost with it, or is turned off by CUDA_CACHE_DISABLE=1. envcheck compares the first
    time with the quickest later one, on a GPU: 10 s and 50 times as long is slow. A network file system can be the reason too.

    How to fix: Install a release that has machine code for the GPU. Else enlarge the cache to 4 GiB and keep it on a disk that
    lasts: `export CUDA_CACHE_MAXSIZE=4294967296`, and CUDA_CACHE_PATH to a volume in a container.

    Source: https://docs.nvidia.com/cuda/cuda-programming-guide/05-appendices/environment-variables.html;
    https://github.com/tensorflow/tensorflow/issues/62320
    """
    timed = [step for step in smoke.steps if step.device.startswith("GPU") and step.first and step.steady is not None]
    row = next(row for row in matrix.log_lines if row.id == "jit-from-ptx")
    said = next((line.text for line in smoke.log if row.finds(line.text)), "")
    if not timed and not said:
        raise Skip("no operation was timed on a GPU")
    slow = [step for step in timed if (step.first or 0) >= max(SLOW, TIMES * (step.steady or 0))]
    if not slow and not said:
        return
    told = [
        f"{step.name} took {step.first:.0f} s on {step.device} the first time, {step.steady:.3g} s later"
        for step in slow
    ]
    told += [f"TensorFlow says: {said}"] if said else []
    disabled = environment.variables.get("CUDA_CACHE_DISABLE", "0") not in ("", "0")
    commands = ("unset CUDA_CACHE_DISABLE",) if disabled else ()
    yield Finding(
        f"The GPU starts slowly: {'; '.join(told)}",
        Fix(
            "Install a release that has machine code for this GPU; else let the driver keep what it compiles, on a disk that "
            "lasts: in a container, CUDA_CACHE_PATH must be a volume.",
            (*commands, f"export CUDA_CACHE_MAXSIZE={CACHE}"),
            "envcheck smoke",
        ),
        evidence={step.name: {"first": step.first, "steady": step.steady} for step in timed},
    )


@check("SMK113", "All GPUs can be trained on together", Severity.WARNING)
def all_reduce(smoke: SmokeFacts, python: PythonFacts, matrix: Matrix) -> Iterator[Finding]:
    """The sum over all GPUs (all-reduce), which data-parallel training makes in every step, fails or is wrong.

    Cause: `tf.distribute.MirroredStrategy` sums gradients by NCCL, which is loaded only now (libnccl.so.2) and goes by NVLink,
    PCI Express or shared memory: "NCCL error", "unhandled system error" and hangs come from a missing library, from a
    container with 64 MB of /dev/shm, from peer access that a virtual machine or IOMMU breaks, or from a GPU with a fault. On
    one GPU none of it is used.

    How to fix: Set NCCL_DEBUG=INFO and look at the first warning; give the container `--shm-size=1g` or `--ipc=host`;
    NCCL_P2P_DISABLE=1 tells whether peer access is to blame.

    Source: https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/troubleshooting.html;
    https://www.tensorflow.org/guide/distributed_training
    """
    trouble = smoke.trouble("all_reduce")
    if trouble is not None:
        yield trouble.finding("Summing over all devices", matrix.remedy(trouble, python))


@check("SMK114", "Every visible GPU computes correctly", link=Link.OPERATION)
def each_device(smoke: SmokeFacts, python: PythonFacts, matrix: Matrix) -> Iterator[Finding]:
    """Of several GPUs one fails, gives wrong numbers, or does not compute what it was given.

    Cause: A program uses the first GPU unless it is told otherwise, so that a fault of another one shows late. envcheck
    multiplies two matrices and convolves on each of them, and compares with NumPy.

    How to fix: Leave the GPU out (CUDA_VISIBLE_DEVICES), look for its errors (Xid) in the kernel's log, and test it:
    `dcgmi diag -r 2`.

    Source: https://docs.nvidia.com/deploy/xid-errors/;
    https://docs.nvidia.com/datacenter/dcgm/latest/user-guide/dcgm-diagnostics.html
    """
    trouble = smoke.trouble("each_device")
    if trouble is None:
        return
    wrong = [device for device, text in trouble.step.per_device.items() if text]
    if not wrong:
        yield trouble.finding("Computing on each device", matrix.remedy(trouble, python))
        return
    numbers = [device.partition(":")[2] for device, text in trouble.step.per_device.items() if not text]
    yield trouble.finding(
        "Computing on each device",
        Fix(
            f"Leave {', '.join(wrong)} out, as the framework numbers them, and look for its errors (Xid) in the kernel's log.",
            ("dmesg --ctime | grep -i -e xid -e nvrm",)
            + (("envcheck smoke --device gpu:" + numbers[0],) if numbers else ()),
            safe=True,
        ),
    )


@check("SMK115", "The driver shows the smoke run on its GPU", link=Link.OPERATION)
def process(smoke: SmokeFacts, gpu: GpuFacts | Unavailable, environment: EnvironmentFacts) -> Iterator[Finding]:
    """While the smoke run holds memory of a GPU, the driver does not show it there.

    Cause: That a tensor is on `GPU:0` is the framework's word. envcheck asks NVML meanwhile which processes are on which GPU,
    and finds its own by the process number. In a container those numbers are the host's: then the memory in use must
    have grown since the first look, and where even that is not seen, nothing is known. TensorFlow names the PCI
    address of each of its GPUs, so a process on another one is a contradiction.

    How to fix: Look at `nvidia-smi` while your program runs; a library that stands between (LD_PRELOAD, a GPU-sharing layer) may
    move it.

    Source: https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceQueries.html
    """
    if smoke.trouble("process") is not None:
        raise Skip("the run ended while the driver was asked", unknown=True)
    held, on = smoke.held or (), smoke.step("devices").device
    place = _placed(smoke, on)
    mine = [each for each in held if each.own]
    if mine:
        if place is not None and not place.own:
            others = ", ".join(f"GPU {each.index}" for each in mine)
            yield Finding(
                f"The framework says that it computes on {on}, which is the driver's GPU {place.index} ({place.pci}), and the "
                f"driver shows its process on {others} only",
                Fix(
                    "Look at `nvidia-smi` while your program runs: something moves it to another GPU.", ("nvidia-smi",)
                ),
                evidence={"placed": dict(smoke.placed), "own": [each.index for each in mine]},
            )
        return
    if isinstance(gpu, Unavailable):
        raise Skip(
            f"its process is not among those of the driver, and nothing was seen before: {gpu.reason}", unknown=True
        )
    before = {device.index: device.memory_used for device in gpu.visible(environment.variables).devices}
    grown = [
        each
        for each in ([place] if place is not None else held)
        if (each.memory_used or 0) - (before.get(each.index) or each.memory_used or 0) >= CONTEXT
    ]
    if not grown:
        raise Skip(
            "its process is not among those that the driver shows (in a container they have other numbers), and the memory in "
            "use has not grown since the first look",
            unknown=True,
        )


def _placed(smoke: SmokeFacts, on: str) -> Held | None:
    """The GPU where the framework says that it is, as NVML showed it; None where it names no PCI address."""
    address = smoke.placed.get(on)
    if address is None and len(smoke.placed) == 1 and ":" in smoke.wanted:
        address = next(iter(smoke.placed.values()))  # asked for by number, it was the only one made visible: GPU:0 then
    if address is None:
        return None
    # NVML writes the domain with eight digits, CUDA with four.
    return next((each for each in smoke.held or () if (each.pci or "").lower()[-10:] == address[-10:]), None)
