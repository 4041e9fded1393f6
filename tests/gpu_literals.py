"""Literal facts of a machine with one H100 and a working driver, for tests to change."""

from __future__ import annotations

import dataclasses
from typing import Any

from envcheck.probes.cuda import CudaFacts, CudaGpu, CudaState
from envcheck.probes.driver import DriverFacts, NvmlState, PciDevice
from envcheck.probes.gpu import Device, GpuFacts, MigInstance, Pcie, Process
from envcheck.probes.gpu.device import NOT_SUPPORTED
from envcheck.probes.keras import KerasConfig, KerasFacts, Resolved
from envcheck.probes.smoke import STEPS, SmokeFacts, Step
from envcheck.probes.tensorflow import BuildFacts, TensorFlowFacts

GIB = 1 << 30
NODES = ("/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl")
PCI = PciDevice("0000:01:00.0", "0x2330", "nvidia")

_DRIVER = DriverFacts(
    nvml=NvmlState("ok", seconds=0.2),
    driver_version="550.54.14",
    nvml_version="12.550.54.14",
    cuda_version="12.4",
    device_count=1,
    usable_devices=1,
    linux=True,
    kernel_version="550.54.14",
    kernel_open=False,
    nodes=NODES,
    pci=(PCI,),
    modprobe=True,
)
_DEVICE = Device(
    index=0,
    name="NVIDIA H100",
    uuid="GPU-00000001-0000-4000-8000-000000000000",
    pci="00000000:01:00.0",
    compute_capability="9.0",
    memory_total=80 * GIB,
    memory_used=1 * GIB,
    memory_free=79 * GIB,
    memory_reserved=GIB // 2,
    compute_mode="default",
    persistence=True,
    virtualization="none",
    ecc=True,
    ecc_uncorrected=0,
    remapped_rows=0,
    remap_pending=False,
    remap_failed=False,
    retired_pending=False,
    clock_reasons=("idle",),
    pcie=Pcie(5, 5, 16, 16),
    mig=False,
    mig_pending=False,
    errors={"nvlink": NOT_SUPPORTED, "fabric": NOT_SUPPORTED},
)
_BUILD = BuildFacts(
    is_cuda=True, is_rocm=False, cuda="12.5.1", cudnn="9", sass=("6.0", "7.0", "8.0", "8.9", "9.0"), ptx=("9.0",)
)


def driver(**changes: Any) -> DriverFacts:
    """The driver."""
    return dataclasses.replace(_DRIVER, **changes)


def nothing(**changes: Any) -> DriverFacts:
    """A machine without any NVIDIA GPU or driver."""
    return DriverFacts(
        **{"nvml": NvmlState("no library", 12, "LIBRARY_NOT_FOUND", "nvmlInit"), "linux": True, "pci": (), **changes}
    )


def nvml_error(code: int, name: str, call: str = "nvmlInit") -> NvmlState:
    """NVML as a whole answering with an error."""
    return NvmlState("error", code, name, call)


def device(index: int = 0, **changes: Any) -> Device:
    """One GPU; its UUID follows its index."""
    given = {"index": index, "uuid": f"GPU-{index + 1:08x}-0000-4000-8000-000000000000", **changes}
    return dataclasses.replace(_DEVICE, **given)


def cuda(**changes: Any) -> CudaFacts:
    """The CUDA driver, which counts one H100."""
    sound = CudaFacts(
        CudaState("ok", seconds=0.3),
        library="/usr/lib/x86_64-linux-gnu/libcuda.so.1",
        file="/usr/lib/x86_64-linux-gnu/libcuda.so.550.54.14",
        version="12.4",
        count=1,
        devices=(cuda_gpu(),),
    )
    return dataclasses.replace(sound, **changes)


def cuda_gpu(ordinal: int = 0, **changes: Any) -> CudaGpu:
    """One device as CUDA counts it; its UUID is that of the GPU with the same number."""
    given = CudaGpu(
        ordinal=ordinal,
        name="NVIDIA H100",
        uuid=f"{ordinal + 1:08x}-0000-4000-8000-000000000000",
        pci=f"0000:{ordinal + 1:02X}:00.0",
        compute_capability="9.0",
        memory_total=80 * GIB,
        compute_mode="default",
        integrated=False,
    )
    return dataclasses.replace(given, **changes)


def gpu(*devices: Device, count: int | None = None) -> GpuFacts:
    """The GPUs; one when none are given."""
    devices = devices or (device(),)
    return GpuFacts(len(devices) if count is None else count, devices)


def instance(number: int, total: int = 10 * GIB, free: int = 10 * GIB, *processes: Process) -> MigInstance:
    """One MIG instance."""
    return MigInstance(f"MIG-{number:08x}-0001-5000-8000-000000000000", total, total - free, free, processes)


def process(pid: int, memory: int | None, kind: str = "compute", own: bool = False, name: str | None = None) -> Process:
    """One process on a GPU."""
    return Process(pid, memory, kind, own, name)


def keras(version: str | None = "3.12.0", backend: str = "tensorflow") -> KerasFacts:
    """Keras and its backend."""
    found = None if version is None else Resolved("keras", version, "/srv/site-packages")
    config = KerasConfig("/home/ada/.keras/keras.json", "absent")
    return KerasFacts(found, None, "keras", False, None, backend, "default", config)


def smoke(device: str, status: str = "ok") -> SmokeFacts:
    """A smoke run whose steps all ran on one device and ended in one way."""
    steps = tuple(Step(name, status, 0.1, device=device) for name in STEPS)
    return SmokeFacts("tensorflow", "gpu", "answered", 3.0, 300.0, steps, {}, {})


def tensorflow(
    version: str = "2.21.0", distribution: str = "tensorflow", vendor: str = "pypi", **build: Any
) -> TensorFlowFacts:
    """The TensorFlow that is installed; ``build`` changes its build facts."""
    return TensorFlowFacts(
        distribution=distribution,
        version=version,
        location="/srv/site-packages",
        installer="pip",
        vendor=vendor,
        folder="/srv/site-packages/tensorflow",
        build=dataclasses.replace(_BUILD, **build),
    )
