"""Is each GPU in a state in which it can compute?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Severity, Skip, check

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import Device, GpuFacts
    from envcheck.probes.host import HostFacts

# NVML errors that speak of the GPU itself, whichever question they answer (nvml.h).
FATAL = ("INSUFFICIENT_POWER", "IRQ_ISSUE", "GPU_IS_LOST", "RESET_REQUIRED")


def _visible(gpu: GpuFacts, environment: EnvironmentFacts) -> tuple[Device, ...]:
    """The GPUs that CUDA_VISIBLE_DEVICES leaves.

    Raises:
        Skip: it leaves none.
    """
    devices = gpu.visible(environment.variables).devices
    if not devices:
        raise Skip("no GPU is visible")
    return devices


@check(
    "GPU302",
    "The GPU's compute mode admits this process",
    explains=("SMK102", "SMK103", "SMK104", "SMK105", "SMK106", "SMK107", "SMK108"),
)
def compute_mode(gpu: GpuFacts, environment: EnvironmentFacts) -> Iterator[Finding]:
    """The GPU is set to admit no CUDA program, or only one, and that one is there.

    Cause: an administrator or a scheduler set the compute mode. In mode "prohibited" no program gets the GPU, in mode
    "exclusive process" one does: CUDA says "all CUDA-capable devices are busy or unavailable". With NVIDIA's
    multi-process service (MPS) the exclusive mode is right: its server is the one process, and serves the others.

    How to fix: end the other process, or set the mode back with `nvidia-smi -c 0`.

    Source: https://github.com/tensorflow/tensorflow/issues/526
    """
    for device in _visible(gpu, environment):
        back = Fix("set the compute mode back", (f"sudo nvidia-smi -i {device.index} -c 0",), verify="nvidia-smi")
        computing = [process for process in device.processes if process.kind != "graphics"]
        if device.compute_mode == "prohibited":
            yield Finding(
                f"{device.label} is in compute mode 'prohibited': no CUDA program can use it",
                back,
                evidence={"compute_mode": device.compute_mode},
            )
        elif (
            (device.compute_mode or "").startswith("exclusive")
            and computing
            and not any(process.kind == "mps" for process in computing)
            and environment.get("CUDA_MPS_PIPE_DIRECTORY") is None
        ):
            yield Finding(
                f"{device.label} is in compute mode '{device.compute_mode}' and process {computing[0].pid} has it: another "
                "CUDA program is refused",
                Fix(
                    f"end process {computing[0].pid}, or set the compute mode back", back.commands, verify="nvidia-smi"
                ),
                evidence={"compute_mode": device.compute_mode, "process": computing[0].pid},
            )


@check("GPU303", "A GPU in MIG mode has an instance", explains=("SMK102", "SMK108"))
def mig_instance(gpu: GpuFacts, environment: EnvironmentFacts) -> Iterator[Finding]:
    """MIG mode is on and no instance exists: CUDA sees no device on this GPU.

    Cause: with MIG on, programs can only use instances (slices) of the GPU, never the GPU itself; they vanish on reboot.

    How to fix: create an instance, or switch MIG off; then name the instance: CUDA_VISIBLE_DEVICES=MIG-…

    Source: NVML; https://docs.nvidia.com/datacenter/tesla/mig-user-guide/
    """
    for device in _visible(gpu, environment):
        if device.mig and device.mig_instances == ():
            yield Finding(
                f"{device.label} is in MIG mode and has no instance: CUDA sees nothing of it",
                Fix(
                    "create an instance (the first command lists the profiles; 19 is the smallest on an A100), or switch "
                    "MIG off",
                    (
                        f"sudo nvidia-smi mig -i {device.index} -lgip",
                        f"sudo nvidia-smi mig -i {device.index} -cgi 19 -C",
                    ),
                    verify="nvidia-smi -L",
                ),
                evidence={"mig": True, "instances": 0},
            )
        elif None not in (device.mig, device.mig_pending) and device.mig != device.mig_pending:
            yield Finding(
                f"{device.label}: MIG is {_on(device.mig)} and will be {_on(device.mig_pending)} after the next reset",
                Fix("reset the GPU when nothing uses it", (f"sudo nvidia-smi --gpu-reset -i {device.index}",)),
                evidence={"mig": device.mig, "pending": device.mig_pending},
                severity=Severity.NOTE,
            )


def _on(value: bool | None) -> str:
    return "on" if value else "off"


@check("GPU304", "The GPU's memory has no uncorrected errors", Severity.WARNING)
def ecc_errors(gpu: GpuFacts, environment: EnvironmentFacts) -> Iterator[Finding]:
    """The GPU's memory had errors that ECC could not correct since the driver was loaded.

    Cause: failing memory cells. The process that met the error was ended (Xid 48, 94 or 95); newer GPUs set the cells
    aside at the next reset.

    How to fix: reset the GPU or reboot; if the count grows again, have the GPU checked by its vendor.

    Source: https://docs.nvidia.com/deploy/dynamic-page-retirement/visibility.html
    """
    devices = _visible(gpu, environment)
    if all(device.ecc_uncorrected is None for device in devices):
        raise Skip("the driver counts no memory errors on this GPU")
    for device in devices:
        if device.ecc_uncorrected:
            yield Finding(
                f"{device.label} had {device.ecc_uncorrected} uncorrected memory error(s) since the driver was loaded",
                Fix(
                    "end what uses the GPU and reset it; if the errors come back, have the GPU checked",
                    (f"nvidia-smi -q -d ECC -i {device.index}", f"sudo nvidia-smi --gpu-reset -i {device.index}"),
                ),
                evidence={"uncorrected": device.ecc_uncorrected},
            )


@check("GPU305", "Every GPU answers", explains=("SMK102", "SMK108"))
def every_gpu_answers(gpu: GpuFacts, matrix: Matrix, host: HostFacts) -> Iterator[Finding]:
    """The driver counts a GPU that it cannot open, or that says it is lost or must be reset.

    Cause: the GPU fell off the PCI bus (Xid 79), lacks power, or must be reset after an error. A GPU that this user or
    this container may not open is no fault as long as there is another: schedulers do it so.

    How to fix: the message names NVML's error and its remedy. One lost GPU can make CUDA fail on all of them.

    Source: the comments of nvml.h; https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html
    """
    for device in gpu.devices:
        name = device.failure or next((error for error in device.errors.values() if error in FATAL), None)
        if name is None or name == "NO_ANSWER":  # where the driver hung or crashed: GPU101 says so
            continue
        if name == "NO_PERMISSION" and gpu.usable:
            continue
        row = matrix.nvml_code(name)
        remedy = row.remedy if row else "look at the kernel log for NVRM and Xid lines, then reboot"
        if row and row.container and host.container:
            remedy = row.container
        yield Finding(
            f"{device.label} does not answer: NVML says {name}: {row.meaning if row else 'an unknown code'}",
            Fix(
                remedy,
                ()
                if host.container or row is None
                else tuple(command.replace("{index}", str(device.index)) for command in row.commands),
                verify=f"nvidia-smi -i {device.index}",
            ),
            evidence={"error": name, "uuid": device.uuid, "pci": device.pci},
        )
