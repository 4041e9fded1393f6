"""ENV109: room in /dev/shm for more than one GPU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Severity, Skip, check

if TYPE_CHECKING:
    from envcheck.probes.gpu import GpuFacts
    from envcheck.probes.host import HostFacts

_MIB = 1024 * 1024
_ENOUGH = 256 * _MIB


@check("ENV109", "Shared memory has room for more than one GPU", Severity.WARNING)
def shared_memory(host: HostFacts, gpu: GpuFacts) -> Iterator[Finding]:
    """Shared memory (/dev/shm) is too small to train on more than one GPU.

    Cause: tf.distribute.MirroredStrategy lets the GPUs of one machine exchange gradients through NCCL, which keeps
    buffers in /dev/shm where GPUs cannot reach each other's memory; data loaders with worker processes pass batches
    through it too. Docker and Kubernetes give a container 64 MiB of it. Training then ends with "unhandled system
    error", "No space left on device", or a bus error (SIGBUS). Below 256 MiB, envcheck warns.

    How to fix: Docker: `docker run --shm-size=1g`, or `--ipc=host`; Compose: `shm_size: 1gb`. Kubernetes: mount an
    emptyDir with `medium: Memory` at /dev/shm.

    Source: https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/troubleshooting.html#shared-memory;
    https://github.com/NVIDIA/nccl/issues/290; https://docs.docker.com/reference/cli/docker/container/run/
    """
    if len(gpu.devices) < 2:
        raise Skip("NCCL needs /dev/shm only between two GPUs or more")
    if host.shm_total is None:
        raise Skip(f"the size of /dev/shm is not known on {host.system}", unknown=True)
    if host.shm_total < _ENOUGH:
        yield Finding(
            f"Shared memory (/dev/shm) has {host.shm_total / _MIB:.0f} MiB, and {len(gpu.devices)} GPUs may need it to "
            f"exchange gradients; {_ENOUGH // _MIB} MiB or more are expected",
            fix=_fix(host.container),
            evidence={"shm_total": host.shm_total, "shm_free": host.shm_free, "gpus": len(gpu.devices)},
        )


def _fix(container: str | None) -> Fix:
    verify = "df -h /dev/shm"
    if container in ("docker", "podman"):
        return Fix(f"Start the container again with room: `{container} run --shm-size=1g …`.", verify=verify)
    if container == "kubernetes":
        return Fix("Mount an emptyDir volume with `medium: Memory` at /dev/shm in the pod.", verify=verify)
    if container:
        return Fix("Start the container with 1 GiB of /dev/shm, or with the host's IPC namespace.", verify=verify)
    return Fix("Enlarge the file system.", commands=("sudo mount -o remount,size=1g /dev/shm",), verify=verify)
