"""The nouns of the chain that leads from the hardware to the framework: its links, and how one stands."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Link(enum.Enum):
    """One link of the chain from the hardware to the framework, in order: each needs all that stand before it.

    The value is the link in JSON, ``words`` how a report for people names it.
    """

    PCI = "pci"
    KERNEL_MODULE = "kernel_module"
    DEVICE_NODES = "device_nodes"
    DRIVER_LIBRARY = "driver_library"
    NVML = "nvml"
    CUINIT = "cuinit"
    CUDA_LIBRARIES = "cuda_libraries"
    CAPABILITY = "capability"
    DEVICES = "devices"
    OPERATION = "operation"

    @property
    def words(self) -> str:
        """The link as a heading."""
        return _LINK_WORDS[self]

    @property
    def place(self) -> int:
        """0 for the hardware, 9 for an operation on it."""
        return list(Link).index(self)

    @property
    def stands_alone(self) -> bool:
        """Whether it lies in the installed packages: wrong there is wrong whatever the hardware and its driver do."""
        return self in (Link.CUDA_LIBRARIES, Link.CAPABILITY)


_LINK_WORDS = {
    Link.PCI: "PCI bus",
    Link.KERNEL_MODULE: "kernel module",
    Link.DEVICE_NODES: "device nodes",
    Link.DRIVER_LIBRARY: "driver library",
    Link.NVML: "NVML",
    Link.CUINIT: "cuInit",
    Link.CUDA_LIBRARIES: "CUDA libraries",
    Link.CAPABILITY: "compute capability",
    Link.DEVICES: "framework's devices",
    Link.OPERATION: "operation on the GPU",
}


class Standing(enum.Enum):
    """What is known of one link of the chain."""

    OK = "ok"
    BROKEN = "broken"
    UNKNOWN = "unknown"
    """Not looked at, or it cannot be seen here; what stands after it may be fine all the same."""
    NOT_REACHED = "not reached"
    """It stands after the first broken link."""
    ABSENT = "absent"
    """There is no GPU, and none is required: there is no chain."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """One link: how it stands, in ``words`` what was seen or why nothing is known, and the ``code`` of what broke it."""

    link: Link
    standing: Standing
    words: str
    code: str | None = None
