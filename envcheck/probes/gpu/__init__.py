"""The GPUs as the driver describes them through NVML, and which of them CUDA_VISIBLE_DEVICES leaves to a program."""

from __future__ import annotations

from dataclasses import replace

from envcheck.host import Host
from envcheck.inventory import Unavailable
from envcheck.probes.driver import DriverFacts, answers, ask
from envcheck.probes.gpu.device import CudaDevice, Device, Fabric, MigInstance, NvLinks, Pcie, Process
from envcheck.probes.gpu.facts import GpuFacts, Group
from envcheck.probes.gpu.folding import device
from envcheck.probes.gpu.visible import Selection

__all__ = [
    "CudaDevice",
    "Device",
    "Fabric",
    "GpuFacts",
    "Group",
    "MigInstance",
    "NvLinks",
    "Pcie",
    "Process",
    "Selection",
    "collect",
]


def collect(host: Host, driver: DriverFacts) -> GpuFacts | Unavailable:
    """Fold NVML's answers into devices."""
    if driver.nvml.status == "not covered":
        return Unavailable(driver.nvml.words)
    if not driver.device_count:
        if driver.nvml.ok:
            return Unavailable("the driver reports no GPU", absent=True)
        if driver.tegra:
            return Unavailable(f"this is a Jetson, which is not covered: {driver.nvml.words}")
        if driver.nvml.status == "no library" and not driver.hardware:
            unseen = "" if driver.pci is not None or not driver.linux else " (the PCI bus cannot be seen)"
            return Unavailable(f"no NVIDIA GPU or driver here{unseen}", absent=not unseen)
        return Unavailable(f"no NVIDIA driver answers: {driver.nvml.words}")
    records = ask(host).records
    reached = {record["device"] for record in records if record.get("device") is not None}
    found = GpuFacts(driver.device_count, tuple(device(index, answers(records, index)) for index in sorted(reached)))
    selection = found.visible(host.environ)
    return replace(found, cuda_order=tuple(each.uuid for each in selection.cuda) if selection.certain else None)
