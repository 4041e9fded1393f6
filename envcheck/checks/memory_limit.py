"""ENV110: the memory limit of the container."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Severity, Skip, check

if TYPE_CHECKING:
    from envcheck.probes.host import HostFacts

_MIB = 1024 * 1024
_ENOUGH = 2048 * _MIB
_IMPORT = 550 * _MIB


@check("ENV110", "The memory limit leaves room for TensorFlow", Severity.WARNING)
def memory_limit(host: HostFacts) -> Iterator[Finding]:
    """A control group allows this process very little memory, or has already killed for want of it.

    Cause: A container, a pod, a batch job or a systemd service runs in a control group with a limit of its own,
    whatever the machine has. At the limit the kernel ends the process with SIGKILL: Docker and Kubernetes show exit
    code 137 ("OOMKilled"), Python only "Killed". `import tensorflow` alone takes several hundred MiB of resident
    memory, before any data and any model:

        release   after the import   after training two Dense layers on 64 rows
        2.21.0    550 MiB            568 MiB
        2.16.2    453 MiB            473 MiB
        2.15.1    443 MiB            462 MiB
        2.8.4     308 MiB            343 MiB
        1.15.5    197 MiB            221 MiB

    On a GPU, CUDA's libraries and context come on top. Below 2 GiB, envcheck warns. Kills that were counted are a
    note: any process under the limit may have been the one.

    How to fix: Raise the limit: `docker run --memory=8g`; Kubernetes: resources.limits.memory; Slurm: `--mem=8G`.

    Source: The figures: resource.getrusage(RUSAGE_SELF).ru_maxrss in the CPU process, Linux x86-64, wheels from PyPI,
    2026-11-20. https://docs.kernel.org/admin-guide/cgroup-v2.html#memory
    """
    if host.memory_limit is None and host.oom_kills is None:
        linux = host.system == "Linux"
        raise Skip("no memory limit was found" if linux else f"not covered on {host.system}", unknown=not linux)
    if host.memory_limit is not None and host.memory_limit < _ENOUGH:
        yield Finding(
            f"this process may use {host.memory_limit / _MIB:.0f} MiB of memory; `import tensorflow` alone takes up to "
            f"{_IMPORT // _MIB} MiB, and {_ENOUGH // _MIB} MiB or more are expected",
            fix=_raise(host.container),
            evidence={"memory_limit": host.memory_limit, "memory_total": host.memory_total},
        )
    if host.oom_kills:
        yield Finding(
            f"the kernel has ended processes of this control group because memory ran out: {host.oom_kills} so far",
            fix=_raise(host.container),
            evidence={"oom_kills": host.oom_kills, "memory_limit": host.memory_limit},
            severity=Severity.NOTE,
        )


def _raise(container: str | None) -> Fix:
    if container in ("docker", "podman"):
        return Fix(f"Start the container with more memory: `{container} run --memory=8g …`.")
    if container == "kubernetes":
        return Fix("Raise resources.limits.memory of the pod's container.")
    return Fix("Raise the memory limit of the container, the batch job or the service, or use less memory.")
