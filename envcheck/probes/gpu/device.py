"""What is known of one GPU, of its MIG instances and of the processes on it."""

from __future__ import annotations

from dataclasses import dataclass, field

NOT_SUPPORTED = "NOT_SUPPORTED"
"""NVML's answer where a GPU or its driver has no such thing: a fact, no trouble."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that holds memory of a GPU, in bytes; None where the driver does not tell.

    ``pid`` is the host's number: inside a container no process may have it, or another one. ``kind`` is ``compute``,
    ``graphics`` or ``mps``. ``own`` says that envcheck itself started it: the smoke run. ``name`` is the program's, without
    folders and arguments.
    """

    pid: int
    memory: int | None
    kind: str
    own: bool = False
    name: str | None = None

    @property
    def label(self) -> str:
        """How a message names it, after the word "process": ``4711 (python)``."""
        return f"{self.pid} ({self.name})" if self.name else str(self.pid)


@dataclass(frozen=True, slots=True)
class MigInstance:
    """A slice of a GPU in MIG mode, with the processes that compute on it; memory in bytes."""

    uuid: str | None
    memory_total: int | None
    memory_used: int | None
    memory_free: int | None
    processes: tuple[Process, ...] = ()


@dataclass(frozen=True, slots=True)
class Pcie:
    """A GPU's link to the machine: generation and width (lanes) now, and the most that GPU and slot can both do.

    An idle GPU saves power with a lower generation; only a narrower link is a sign of trouble.
    """

    generation: int | None
    generation_max: int | None
    width: int | None
    width_max: int | None


@dataclass(frozen=True, slots=True)
class NvLinks:
    """How many of a GPU's NVLinks are active, and how many are not."""

    active: int
    inactive: int


@dataclass(frozen=True, slots=True)
class Fabric:
    """How far a GPU is registered with the NVSwitch fabric.

    ``state`` is ``not started``, ``in progress`` or ``completed``; ``error`` the NVML error with which it completed.
    ``health`` is ``healthy``, ``unhealthy`` or ``limited capacity``, and ``troubles`` says why, as far as the driver does.
    """

    state: str
    error: str | None = None
    health: str | None = None
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Device:
    """One GPU. None stands for what the driver did not answer; ``errors`` says why, by question.

    ``index`` is NVML's, in the order of the PCI bus. Memory is in bytes; ``memory_reserved`` is the driver's own share,
    which is not in ``memory_used``. ``compute_mode`` is ``default``, ``prohibited``, ``exclusive process`` or
    ``exclusive thread``. ``ecc_uncorrected`` counts since the driver was loaded. ``remapped_rows`` counts rows of memory
    that were replaced by spare ones; with ``remap_pending`` more are at the next reset, with ``remap_failed`` one could
    not. ``retired_pending`` is the same for the pages of older GPUs. ``clock_reasons`` say why the clocks are below their
    maximum. ``virtualization`` is ``none``, ``passthrough`` or ``vGPU``. ``pcie``, ``nvlinks`` and ``fabric`` are None where
    there are none. ``failure`` is the NVML error for which the GPU could not be opened at all.
    """

    index: int
    name: str | None = None
    uuid: str | None = None
    pci: str | None = None
    compute_capability: str | None = None
    memory_total: int | None = None
    memory_used: int | None = None
    memory_free: int | None = None
    memory_reserved: int | None = None
    processes: tuple[Process, ...] = ()
    compute_mode: str | None = None
    persistence: bool | None = None
    virtualization: str | None = None
    ecc: bool | None = None
    ecc_uncorrected: int | None = None
    remapped_rows: int | None = None
    remap_pending: bool | None = None
    remap_failed: bool | None = None
    retired_pending: bool | None = None
    clock_reasons: tuple[str, ...] | None = None
    pcie: Pcie | None = None
    nvlinks: NvLinks | None = None
    fabric: Fabric | None = None
    mig: bool | None = None
    mig_pending: bool | None = None
    mig_instances: tuple[MigInstance, ...] | None = None
    errors: dict[str, str] = field(default_factory=dict)
    failure: str | None = None

    @property
    def label(self) -> str:
        """How a message names it."""
        return f"GPU {self.index}" + (f" ({self.name})" if self.name else "")

    @property
    def others(self) -> tuple[Process, ...]:
        """The processes on it that envcheck did not start."""
        return tuple(process for process in self.processes if not process.own)

    @property
    def cuda(self) -> tuple[CudaDevice, ...]:
        """What CUDA can count of it: its MIG instances as far as they are known, else itself."""
        if self.mig and self.mig_instances:
            return tuple(CudaDevice(self, instance) for instance in self.mig_instances)
        return (CudaDevice(self),)


@dataclass(frozen=True, slots=True)
class CudaDevice:
    """One device as CUDA counts them: a GPU, or one MIG instance of it.

    Without ``instance`` and with the GPU in MIG mode it is not known which instance, or whether there is one.
    """

    device: Device
    instance: MigInstance | None = None

    @property
    def label(self) -> str:
        """How a message names it."""
        return f"MIG instance {self.instance.uuid} of {self.device.label}" if self.instance else self.device.label

    @property
    def uuid(self) -> str | None:
        """What CUDA_VISIBLE_DEVICES may call it."""
        if self.instance:
            return self.instance.uuid
        return None if self.device.mig else self.device.uuid

    @property
    def total(self) -> int | None:
        """Its memory in bytes."""
        if self.instance:
            return self.instance.memory_total
        return None if self.device.mig else self.device.memory_total

    @property
    def free(self) -> int | None:
        """Its free memory in bytes, with what envcheck's own processes hold counted as free."""
        if self.device.mig and not self.instance:
            return None
        place = self.instance or self.device
        own = [process.memory for process in place.processes if process.own]
        if place.memory_free is None or None in own:
            return None
        return place.memory_free + sum(memory or 0 for memory in own)

    @property
    def others(self) -> tuple[Process, ...]:
        """The processes on it that envcheck did not start."""
        if self.instance:
            return tuple(process for process in self.instance.processes if not process.own)
        return self.device.others
