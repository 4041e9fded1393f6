"""Is each GPU in a state in which it can compute?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Link, Severity, Skip, check

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import Device, GpuFacts, Process
    from envcheck.probes.host import HostFacts

# NVML errors that speak of the GPU itself, whichever question they answer (nvml.h).
FATAL = ("INSUFFICIENT_POWER", "IRQ_ISSUE", "GPU_IS_LOST", "RESET_REQUIRED")


@check(
    "GPU302",
    "The GPU's compute mode admits this process",
    explains=("SMK102", "SMK107", "SMK108"),
    link=Link.DEVICES,
)
def compute_mode(gpu: GpuFacts, environment: EnvironmentFacts) -> Iterator[Finding]:
    """The GPU is set to admit no CUDA program, or only one, and that one is there.

    Cause: an administrator or a scheduler set the compute mode. In mode "prohibited" no program gets the GPU, in mode
    "exclusive process" one does: CUDA says "all CUDA-capable devices are busy or unavailable". With NVIDIA's
    multi-process service (MPS) the exclusive mode is right: its server is the one process, and serves the others.

    How to fix: end the other process, or set the mode back with `nvidia-smi -c 0`.

    Source: https://github.com/tensorflow/tensorflow/issues/526
    """
    devices = gpu.need_told(
        environment.variables,
        "compute_mode",
        lambda device: device.compute_mode,
        "the driver tells no compute mode of this GPU",
    )
    served = environment.get("CUDA_MPS_PIPE_DIRECTORY") is not None
    for group in gpu.grouped(devices, lambda device: (device.compute_mode, _holder(device) is not None)):
        mode = group.devices[0].compute_mode
        found = {holder.pid: holder for device in group.devices if (holder := _holder(device)) is not None}
        holders = sorted(found)
        commands = group.commands("sudo nvidia-smi -i {index} -c 0")
        evidence = {"compute_mode": mode, "gpus": group.indexes}
        if mode == "prohibited":
            yield Finding(
                f"{group.label} {group.verb('is', 'are')} in compute mode 'prohibited': no CUDA program can use "
                f"{group.verb('it', 'them')}",
                Fix("set the compute mode back", commands, verify="nvidia-smi"),
                evidence=evidence,
            )
        elif (mode or "").startswith("exclusive") and holders and not served:
            numbers = ", ".join(map(str, holders))
            called = ", ".join(found[pid].label for pid in holders)
            which = f"process {called} has it" if len(group.devices) == 1 else f"processes have them ({called})"
            yield Finding(
                f"{group.label} {group.verb('is', 'are')} in compute mode '{mode}' and {which}: another CUDA program is "
                "refused",
                Fix(f"end process {numbers}, or set the compute mode back", commands, verify="nvidia-smi"),
                evidence={**evidence, "processes": holders},
            )


def _holder(device: Device) -> Process | None:
    """The process that has a GPU in exclusive mode to itself; None without one, and for the server of MPS."""
    computing = [process for process in device.others if process.kind != "graphics"]
    return None if not computing or any(process.kind == "mps" for process in computing) else computing[0]


@check("GPU303", "A GPU in MIG mode has an instance", explains=("GPU110",), unless="SMK108", link=Link.CUINIT)
def mig_instance(gpu: GpuFacts, environment: EnvironmentFacts) -> Iterator[Finding]:
    """MIG mode is on and no instance exists: CUDA sees no device on this GPU.

    Cause: with MIG on, programs can only use instances (slices) of the GPU, never the GPU itself; they vanish on reboot.

    How to fix: create an instance, or switch MIG off; then name the instance: CUDA_VISIBLE_DEVICES=MIG-…

    Source: NVML; https://docs.nvidia.com/datacenter/tesla/mig-user-guide/
    """
    devices = gpu.need_visible(environment.variables).devices
    empty = [device for device in devices if device.mig and device.mig_instances == ()]
    changing = [device for device in devices if None not in (device.mig, device.mig_pending) and device not in empty]
    changing = [device for device in changing if device.mig != device.mig_pending]
    if not empty and not changing and any(device.mig and device.mig_instances is None for device in devices):
        raise Skip("the driver does not tell which MIG instances there are", unknown=True)
    for group in gpu.grouped(empty, lambda device: device.name):
        yield Finding(
            f"{group.label} {group.verb('is', 'are')} in MIG mode and {group.verb('has', 'have')} no instance: CUDA sees "
            f"nothing of {group.verb('it', 'them')}",
            Fix(
                "create an instance (the first command lists the profiles; 19 is the smallest on an A100), or switch "
                "MIG off",
                group.commands("sudo nvidia-smi mig -i {index} -lgip", "sudo nvidia-smi mig -i {index} -cgi 19 -C"),
                verify="nvidia-smi -L",
            ),
            evidence={"mig": True, "instances": 0, "gpus": group.indexes},
            # Programs take another GPU as long as there is one.
            severity=None if len(empty) == len(devices) else Severity.WARNING,
        )
    for group in gpu.grouped(changing, lambda device: device.mig):
        mig = group.devices[0].mig
        yield Finding(
            f"{group.label}: MIG is {_on(mig)} and will be {_on(not mig)} after the next reset",
            Fix("reset the GPU when nothing uses it", group.commands("sudo nvidia-smi --gpu-reset -i {index}")),
            evidence={"mig": mig, "pending": not mig, "gpus": group.indexes},
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
    devices = gpu.need_told(
        environment.variables,
        "ecc_uncorrected",
        lambda device: device.ecc_uncorrected,
        "the driver counts no memory errors on this GPU",
    )
    for group in gpu.grouped(filter(_uncorrected, devices), _uncorrected):
        count = _uncorrected(group.devices[0])
        yield Finding(
            f"{group.label} had {count} uncorrected memory error(s) {group.verb('', 'each ')}since the driver was loaded",
            Fix(
                "end what uses the GPU and reset it; if the errors come back, have the GPU checked",
                group.commands("nvidia-smi -q -d ECC -i {index}", "sudo nvidia-smi --gpu-reset -i {index}"),
            ),
            evidence={"uncorrected": count, "gpus": group.indexes},
        )


def _uncorrected(device: Device) -> int:
    return device.ecc_uncorrected or 0


@check("GPU305", "Every GPU answers", explains=("GPU102",), unless="SMK108", link=Link.NVML)
def every_gpu_answers(gpu: GpuFacts, matrix: Matrix, host: HostFacts) -> Iterator[Finding]:
    """The driver counts a GPU that it cannot open, or that says it is lost or must be reset.

    Cause: the GPU fell off the PCI bus (Xid 79), lacks power, or must be reset after an error. A GPU that this user or
    this container may not open is no fault as long as there is another: schedulers do it so.

    How to fix: the message names NVML's error and its remedy. One lost GPU can make CUDA fail on all of them.

    Source: the comments of nvml.h; https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html
    """
    for group in gpu.grouped(gpu.devices, _fault):
        name = _fault(group.devices[0])
        if name is None or name == "NO_ANSWER":  # where the driver hung or crashed: GPU101 says so
            continue
        if name == "NO_PERMISSION" and gpu.usable:
            continue
        row = matrix.nvml_code(name)
        remedy = row.remedy if row else "look at the kernel log for NVRM and Xid lines, then reboot"
        if row and row.container and host.container:
            remedy = row.container
        yield Finding(
            f"{group.label} {group.verb('does', 'do')} not answer: NVML says {name}: "
            f"{row.meaning if row else 'an unknown code'}",
            Fix(
                remedy,
                () if host.container or row is None else group.commands(*row.commands),
                verify="nvidia-smi",
            ),
            evidence={"error": name, "gpus": group.indexes, "pci": [device.pci for device in group.devices]},
        )


def _fault(device: Device) -> str | None:
    """The NVML error that says that a GPU cannot be used."""
    return device.failure or next((error for error in device.errors.values() if error in FATAL), None)
