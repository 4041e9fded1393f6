"""GPUs of other makers than NVIDIA: envcheck does not judge them, and says that they are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from envcheck.host import Host

AMD, INTEL = "0x1002", "0x8086"
"""PCI vendor numbers: https://pci-ids.ucw.cz/"""
BUILT_IN = "0000:00:02.0"
"""Where Intel's graphics stand that are part of the processor, which no TensorFlow uses."""


@dataclass(frozen=True, slots=True)
class OtherGpu:
    """A GPU that is not NVIDIA's: ``maker`` (AMD, Intel, Apple) and what was seen of it."""

    maker: str
    seen: str


@dataclass(frozen=True, slots=True)
class OthersFacts:
    """The GPUs of other makers. ``rocm`` is whether AMD's compute driver offers its device, /dev/kfd."""

    gpus: tuple[OtherGpu, ...] = ()
    rocm: bool = False

    @property
    def words(self) -> str:
        """The GPUs as a clause: ``an AMD GPU (PCI 0000:03:00.0) is there``."""
        named = [f"an {gpu.maker} GPU ({gpu.seen})" for gpu in self.gpus]
        return f"{' and '.join(named)} {'is' if len(named) == 1 else 'are'} there" if named else ""


def collect(host: Host) -> OthersFacts:
    """Look at the PCI bus and /dev/kfd on Linux; every Mac with an ARM processor has an Apple GPU."""
    if host.system == "Darwin" and host.machine == "arm64":
        return OthersFacts((OtherGpu("Apple", "part of the processor"),))
    if host.system != "Linux":
        return OthersFacts()
    rocm = host.exists("/dev/kfd")
    gpus = tuple(_on_the_bus(host))
    if rocm and not any(gpu.maker == "AMD" for gpu in gpus):  # a container may have the device and no view of the bus
        gpus = (OtherGpu("AMD", "/dev/kfd"), *gpus)
    return OthersFacts(gpus, rocm)


def _on_the_bus(host: Host) -> Iterator[OtherGpu]:
    folder = "/sys/bus/pci/devices"
    for address in host.names(folder):
        vendor, kind = ((host.read(f"{folder}/{address}/{name}") or "").strip() for name in ("vendor", "class"))
        maker = {AMD: "AMD", INTEL: "Intel"}.get(vendor)
        if maker and re.match("0x03|0x1200", kind) and not (maker == "Intel" and address == BUILT_IN):
            yield OtherGpu(maker, f"PCI {address}")
