"""Do the variables that name GPUs name those that are here, in words that CUDA knows?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Severity, Skip, check

if TYPE_CHECKING:
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import GpuFacts
    from envcheck.probes.host import HostFacts

ORDERS = ("FASTEST_FIRST", "PCI_BUS_ID")


@check("GPU314", "The GPUs that NVIDIA_VISIBLE_DEVICES names are in the container", Severity.WARNING)
def named_gpus(gpu: GpuFacts, environment: EnvironmentFacts, host: HostFacts) -> Iterator[Finding]:
    """The container was to have GPUs that the driver does not show in it.

    Cause: NVIDIA_VISIBLE_DEVICES names GPUs by index or UUID, and the runtime hands them in when the container starts. One
    that is not there was lost since (a reset, another machine after a migration), or the variable came with the image.

    How to fix: create the container anew, and let the scheduler or `--gpus` choose the GPUs.

    Source: https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized.html
    """
    if not host.container:
        raise Skip("this is no container")
    value = environment.get("NVIDIA_VISIBLE_DEVICES")
    entries = list(dict.fromkeys(entry.strip() for entry in (value or "").split(",")))
    indexes = [entry for entry in entries if entry.isdecimal()]
    uuids = [entry for entry in entries if entry.startswith(("GPU-", "MIG-"))]
    if not indexes and not uuids:
        raise Skip("NVIDIA_VISIBLE_DEVICES names no single GPU")
    unseen = any(device.mig and device.mig_instances is None for device in gpu.usable)
    known = [device.uuid for device in gpu.usable] + [place.uuid for device in gpu.usable for place in device.cuda]
    missing = [uuid for uuid in uuids if not any((each or "").startswith(uuid) for each in known)]
    if unseen or (None in known and missing):
        raise Skip("the driver does not tell the UUIDs of all GPUs and MIG instances", unknown=True)
    short = len(indexes) > gpu.count  # inside of the container they are numbered anew
    if missing or short:
        what = ", ".join(missing) or f"{len(indexes)} GPUs"
        yield Finding(
            f"NVIDIA_VISIBLE_DEVICES names {what}; the driver shows {gpu.count} GPU(s) in this container"
            + (f", not {'that one' if len(missing) == 1 else 'those'}" if missing else ""),
            Fix("create the container anew, and let the scheduler or --gpus choose the GPUs", ("nvidia-smi -L",)),
            evidence={"value": value, "missing": missing, "gpus": gpu.count},
        )


@check("GPU315", "CUDA_DEVICE_ORDER has a value that CUDA knows", Severity.NOTE)
def device_order(gpu: GpuFacts, environment: EnvironmentFacts) -> Iterator[Finding]:
    """CUDA_DEVICE_ORDER is set to something that is no order.

    Cause: a misspelling. CUDA numbers GPUs with the fastest first (FASTEST_FIRST) unless the value is PCI_BUS_ID, which is
    the order of `nvidia-smi`; with different GPUs the index in CUDA_VISIBLE_DEVICES then means another one.

    How to fix: set CUDA_DEVICE_ORDER=PCI_BUS_ID, or name GPUs by UUID.

    Source: https://docs.nvidia.com/cuda/cuda-c-programming-guide/#cuda-environment-variables
    """
    value = environment.get("CUDA_DEVICE_ORDER")
    if value is None:
        raise Skip("CUDA_DEVICE_ORDER is not set")
    if len(gpu.usable) < 2:
        raise Skip("there is one GPU at most to be numbered")
    if value not in ORDERS:
        yield Finding(
            f"CUDA_DEVICE_ORDER={value!r} is neither FASTEST_FIRST nor PCI_BUS_ID, the orders that CUDA knows",
            Fix("name the order of nvidia-smi", ("export CUDA_DEVICE_ORDER=PCI_BUS_ID",)),
            evidence={"value": value},
        )
