"""Is the GPU connected as it could be: PCI Express, NVLink, and the NVSwitch fabric?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Link, Severity, Skip, check
from envcheck.inventory import Unavailable

if TYPE_CHECKING:
    from envcheck.probes.cuda import CudaFacts
    from envcheck.probes.driver import DriverFacts
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import Device, GpuFacts, NvLinks, Pcie
    from envcheck.probes.host import HostFacts


@check("GPU310", "The GPU uses all its PCI Express lanes", Severity.NOTE)
def pcie_width(gpu: GpuFacts, environment: EnvironmentFacts) -> Iterator[Finding]:
    """The GPU's link to the machine is narrower than GPU and slot both can.

    Cause: a card that is not seated well, a riser or cable, dirt on the contacts, a setting of the BIOS. Feeding data to
    the GPU is slower, computing is not. A lower generation is no sign: an idle GPU saves power with it, and some save
    lanes too.

    How to fix: look again while the GPU computes; if it stays so, seat the card anew and look at riser and BIOS.

    Source: the comments of nvml.h (nvmlDeviceGetMaxPcieLinkWidth: the most that GPU and slot can); `man nvidia-smi`, PCIe:
    "These may be reduced when the GPU is not in use"; https://manpages.ubuntu.com/manpages/focal/en/man1/nvidia-smi.1.html
    """
    devices = gpu.need_told(
        environment.variables, "pcie_width", _lanes, "the driver does not tell the PCI Express lanes of this GPU"
    )
    narrow = [device for device in devices if _narrow(device) and device.virtualization != "vGPU"]
    for group in gpu.grouped(narrow, _lanes):
        lanes = _lanes(group.devices[0])
        if lanes is None:
            continue
        width, most = lanes
        idle = all("idle" in (device.clock_reasons or ()) for device in group.devices)
        yield Finding(
            f"{group.label} {group.verb('uses', 'use')} {width} of the {most} PCI Express lanes that {group.verb('it', 'they')} "
            f"and the slot{group.verb('', 's')} have" + (", while idle" if idle else ""),
            Fix(
                "look again while the GPU computes; if it stays so, seat the card anew and look at riser, slot and BIOS",
                group.commands(
                    "nvidia-smi -i {index} --query-gpu=index,pcie.link.width.current,pcie.link.width.max --format=csv"
                ),
            ),
            evidence={"width": width, "most": most, "idle": idle, "gpus": group.indexes},
        )


def _lanes(device: Device) -> tuple[int, int] | None:
    link: Pcie | None = device.pcie
    return (link.width, link.width_max) if link and link.width and link.width_max else None


def _narrow(device: Device) -> bool:
    lanes = _lanes(device)
    return (
        lanes is not None and lanes[0] < lanes[1] <= 32
    )  # PCI Express has no more; anything else is a figure that makes no sense


@check("GPU311", "The NVLinks between the GPUs are active", Severity.NOTE)
def nvlinks(gpu: GpuFacts, environment: EnvironmentFacts) -> Iterator[Finding]:
    """Some of a GPU's NVLinks are active and others are not.

    Cause: a loose or missing NVLink bridge, a faulty link, or, in a virtual machine with a part of the machine's GPUs, links
    that lead to the others. Training on several GPUs is slower. A GPU without any active link has none to use (a card
    without a bridge), and in MIG mode they are off.

    How to fix: see which link it is; on a machine with NVSwitches reset the GPUs and start the Fabric Manager anew; with a
    bridge, seat it anew.

    Source: https://github.com/NVIDIA/NVSentinel/pull/1481, https://github.com/Azure/azhpc-diagnostics/issues/73
    """
    devices = gpu.need_told(
        environment.variables,
        "nvlink",
        lambda device: device.nvlinks,
        "the driver does not tell of NVLinks of this GPU",
    )
    if len(gpu.visible(environment.variables).devices) < 2:
        raise Skip("one GPU alone needs no NVLink")
    whole = [device for device in devices if not device.mig]
    for group in gpu.grouped(filter(_partly, whole), lambda device: device.nvlinks):
        links: NvLinks | None = group.devices[0].nvlinks
        if links is None:
            continue
        yield Finding(
            f"{group.label} {group.verb('has', 'have')} {links.inactive} of {links.active + links.inactive} NVLinks inactive"
            f"{group.verb('', ' each')}: training on several GPUs is slower",
            Fix(
                "see which they are; in a virtual machine with a part of a machine's GPUs it is as it should be, elsewhere "
                "seat the bridge anew, or reset the GPUs",
                (*group.commands("nvidia-smi nvlink --status -i {index}"), "nvidia-smi topo -m"),
            ),
            evidence={"active": links.active, "inactive": links.inactive, "gpus": group.indexes},
        )


def _partly(device: Device) -> bool:
    links = device.nvlinks
    if links is None or not links.inactive:
        return False
    return links.active > 0 or (device.fabric is not None and device.fabric.state == "completed")


@check(
    "GPU312",
    "The GPU is registered with the NVSwitch fabric",
    explains=("GPU110",),
    unless="SMK108",
    link=Link.CUINIT,
)
def fabric(
    gpu: GpuFacts,
    driver: DriverFacts,
    cuda: CudaFacts | Unavailable,
    environment: EnvironmentFacts,
    host: HostFacts,
) -> Iterator[Finding]:
    """On a machine with NVSwitches a GPU is not registered with the fabric that connects them: CUDA does not start.

    Cause: NVIDIA's Fabric Manager does not run, is of another version than the driver, or failed. NVML and nvidia-smi
    work all the same; CUDA says "system not yet initialized" (CUDA_ERROR_SYSTEM_NOT_READY). After a start of the machine it
    may take minutes. A registration that ended with an error leaves CUDA working and the GPUs without NVLink.

    How to fix: install the Fabric Manager of exactly the driver's version on the machine (or the host of the container or
    virtual machine), start it, and look at its log.

    Source: https://docs.nvidia.com/datacenter/tesla/fabric-manager-user-guide/index.html,
    https://github.com/NVIDIA/NVSentinel/issues/883
    """
    devices = gpu.need_told(
        environment.variables, "fabric", lambda device: device.fabric, "this GPU is in no NVSwitch fabric"
    )
    whole = [device for device in devices if not device.mig]  # in MIG mode NVLink is off
    starts = not isinstance(cuda, Unavailable) and cuda.ok
    for group in gpu.grouped(filter(_unregistered, whole), lambda device: device.fabric):
        found = group.devices[0].fabric
        if found is None:
            continue
        completed = found.state == "completed"
        slower = "training on several GPUs is slower"
        yield Finding(
            f"{group.label} {group.verb('is', 'are')} registered with the NVSwitch fabric, and it is not well: "
            f"{', '.join(filter(None, (found.error, found.health, *found.troubles)))}; {slower}"
            if completed
            else f"{group.label} {group.verb('is', 'are')} not registered with the NVSwitch fabric (state: {found.state}; "
            f"expected: completed): {slower if starts else 'CUDA does not start before'}",
            _manager(driver, host),
            evidence={
                "state": found.state,
                "error": found.error,
                "health": found.health,
                "troubles": list(found.troubles),
                "gpus": group.indexes,
            },
            # One GPU alone may do without the fabric, as in a virtual machine: https://github.com/NVIDIA/nvrc/issues/159
            severity=Severity.WARNING if completed or starts or gpu.count == 1 else None,
        )


def _unregistered(device: Device) -> bool:
    found = device.fabric
    if found is None:
        return False
    return found.state != "completed" or bool(found.error or found.troubles) or found.health not in (None, "healthy")


def _manager(driver: DriverFacts, host: HostFacts) -> Fix:
    version = f" (the driver's: {driver.version})" if driver.version else ""
    summary = f"run the Fabric Manager of exactly the driver's version{version}, and look at its log"
    verify = "nvidia-smi -q | grep -iA 2 fabric"
    if host.container:
        return Fix(f"on the host, {summary}", verify=verify)
    if host.virtual_machine:
        return Fix(f"on the host (here only if it handed its NVSwitches in), {summary}", verify=verify)
    return Fix(
        summary,
        ("sudo systemctl enable --now nvidia-fabricmanager", "journalctl -u nvidia-fabricmanager"),
        verify=verify,
    )
