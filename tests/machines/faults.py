"""The faults: one machine each, what breaks first, which finding says so, and what its fix must say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gpu_literals as given
from machines.workshop import BARE, DOCKER, MODULE, SOUND, Fault, failing, libraries, pci, unavailable

NOT_RUN = {"smoke": unavailable("--no-smoke: nothing was imported or run")}
ON_CPU = {"smoke": given.smoke("CPU:0")}
WSL = {"/dev/dxg": "", "/proc/version": "Linux version 5.15.153.1-microsoft-standard-WSL2 (gcc)\n"}
POD = {"/var/run/secrets/kubernetes.io/serviceaccount/token": ""}
WITHOUT_NODES = {**BARE, **pci(), **MODULE}
IN_DOCKER = {**SOUND, **DOCKER}
NO_UVM = {name: text for name, text in SOUND.items() if name != "/dev/nvidia-uvm"}
UNLOADED = {**BARE, **pci(None)}


def f(name: str, link: str, code: str, fix: str, facts: Mapping[str, Any] | None = None, **more: Any) -> Fault:
    """One fault; without a word on the smoke run it was not made."""
    return Fault(name, link, code, fix, facts={**NOT_RUN, **(facts or {})}, **more)


FAULTS = [
    # --- the PCI bus
    f("no-gpu", "pci", "GPU102", "run where there is an NVIDIA GPU", files=BARE, nvml=None, cuda=None),
    f("no-gpu-and-no-sysfs", "pci", "GPU102", "run where there is an NVIDIA GPU", files={}, nvml=None, cuda=None),
    f(
        "amd-gpu-only", "pci", "GPU102", "where there is an NVIDIA GPU", files={**BARE, **pci("amdgpu", "0x1002")},
        nvml=None, cuda=None,
    ),
    f(
        "driver-without-gpu", "pci", "GPU102", "where there is an NVIDIA GPU", files={**BARE, **MODULE}, nvml="count=0",
        cuda="count=0",
    ),
    f(
        "wsl-1", "pci", "GPU102", "WSL 2", files={}, nvml=None, cuda=None,
        host={"release": "4.4.0-19041-Microsoft"},
    ),
    f(
        "wsl-2-without-driver", "pci", "GPU102", "driver on Windows", files={"/proc/version": WSL["/proc/version"]},
        nvml=None, cuda=None,
    ),
    # --- the kernel module
    f("no-driver", "kernel_module", "GPU104", "install the NVIDIA driver", files=UNLOADED, nvml=None, cuda=None),
    f("nouveau", "kernel_module", "GPU104", "nouveau has no CUDA", files={**BARE, **pci("nouveau")}, nvml=None, cuda=None),
    f("vfio", "kernel_module", "GPU104", "virtual machine", files={**BARE, **pci("vfio-pci")}, nvml=None, cuda=None),
    f(
        "module-not-built", "kernel_module", "GPU104", "built for this kernel", files=UNLOADED,
        nvml="nvmlInitWithFlags=9", cuda="cuInit=100",
    ),
    f(
        "host-of-container-without-driver", "kernel_module", "GPU104", "on the host of this container",
        files={**UNLOADED, **DOCKER}, nvml=None, cuda=None,
    ),
    # --- the device nodes
    f("docker", "device_nodes", "GPU103", "Container Toolkit", files={**WITHOUT_NODES, **DOCKER}, nvml=None, cuda=None),
    f(
        "docker-nobody-asks", "device_nodes", "GPU103", "Container Toolkit", files={**WITHOUT_NODES, **DOCKER}, nvml=None,
        cuda=None, required=False,
    ),
    f(
        "docker-with-cuda-compat", "device_nodes", "GPU103", "Container Toolkit", files={**WITHOUT_NODES, **DOCKER},
        nvml=None, cuda="cuInit=100",
    ),
    f("kubernetes", "device_nodes", "GPU103", "nvidia.com/gpu: 1", files={**WITHOUT_NODES, **POD}, nvml=None, cuda=None),
    f(
        "podman", "device_nodes", "GPU103", "CDI device", files={**WITHOUT_NODES, "/run/.containerenv": ""}, nvml=None,
        cuda=None,
    ),
    f(
        "apptainer", "device_nodes", "GPU103", "--nv", files=WITHOUT_NODES, nvml=None, cuda=None,
        environ={"APPTAINER_CONTAINER": "/srv/tf.sif"},
    ),
    f(
        "control-node-alone", "device_nodes", "GPU103", "Container Toolkit",
        files={**WITHOUT_NODES, **DOCKER, "/dev/nvidiactl": ""}, nvml="count=0", cuda="cuInit=100",
    ),
    f(
        "nodes-not-created", "device_nodes", "GPU103", "device nodes", files=WITHOUT_NODES, nvml="nvmlInitWithFlags=9",
        cuda="cuInit=999",
    ),
    f(
        "cgroup-lost-after-daemon-reload", "device_nodes", "GPU103", "CDI", files=IN_DOCKER,
        nvml="nvmlInitWithFlags=999", cuda="cuInit=100", denied="/dev/nvidiactl",
    ),
    f(
        "nodes-of-another-user", "device_nodes", "GPU103", "let this user", nvml="nvmlInitWithFlags=4",
        cuda="cuInit=100", denied="/dev/nvidiactl",
    ),
    f(
        "container-without-uvm", "device_nodes", "GPU107", "Container Toolkit", files={**NO_UVM, **DOCKER},
        cuda="cuInit=999",
    ),
    f("uvm-denied", "device_nodes", "GPU107", "CDI", files=IN_DOCKER, cuda="cuInit=304", denied="/dev/nvidia-uvm"),
    f(
        "nvidia-visible-devices-none", "device_nodes", "GPU108", "set it to all", files={**WITHOUT_NODES, **DOCKER},
        nvml="count=0", cuda="cuInit=100", environ={"NVIDIA_VISIBLE_DEVICES": "none"},
    ),
    # --- the driver's libraries
    f(
        "container-for-utility-only", "driver_library", "GPU106", "name both parts", files=IN_DOCKER, cuda=None,
        environ={"NVIDIA_DRIVER_CAPABILITIES": "utility"},
    ),
    f("container-without-libcuda", "driver_library", "GPU109", "compute,utility", files=IN_DOCKER, cuda=None),
    f("no-compute-package", "driver_library", "GPU109", "libnvidia-compute", cuda=None),
    f("libcuda-is-a-directory", "driver_library", "GPU109", "take the file", libcuda="directory"),
    f("libcuda-is-a-loop", "driver_library", "GPU109", "take the file", libcuda="loop"),
    f("libcuda-is-32-bit", "driver_library", "GPU109", "take the file", libcuda="32-bit"),
    f("libcuda-of-another-processor", "driver_library", "GPU109", "take the file", libcuda="another processor"),
    f("libcuda-is-truncated", "driver_library", "GPU109", "take the file", libcuda="truncated"),
    f("libcuda-is-text", "driver_library", "GPU109", "take the file", libcuda="text"),
    f("libcuda-is-empty", "driver_library", "GPU109", "out of the image", libcuda="empty", files=IN_DOCKER),
    f("no-library-of-the-driver", "driver_library", "GPU101", "install", nvml=None, cuda=None),
    f(
        "wsl-libraries-not-on-the-path", "driver_library", "GPU101", "/usr/lib/wsl/lib",
        files={**WSL, "/usr/lib/wsl/lib/libnvidia-ml.so.1": ""}, nvml=None, cuda=None,
    ),
    f(
        "wsl-without-libcuda", "driver_library", "GPU109", "/usr/lib/wsl/lib",
        files={**WSL, "/usr/lib/wsl/lib/libnvidia-ml.so.1": ""}, cuda=None,
    ),
    # --- NVML
    f("library-and-module-differ", "nvml", "GPU101", "reboot", nvml="nvmlInitWithFlags=18", cuda="cuInit=803"),
    f("driver-says-not-loaded", "nvml", "GPU101", "load the kernel module", nvml="nvmlInitWithFlags=9", cuda="cuInit=100"),
    f("nvml-hangs", "nvml", "GPU101", "kernel log", nvml="hang=nvmlInitWithFlags", cuda="hang=cuInit", host={"timeout": 1.0}),
    f("nvml-crashes", "nvml", "GPU101", "of one version", nvml="crash=nvmlInitWithFlags", cuda="crash=cuInit"),
    f("gpu-fell-off-the-bus", "nvml", "GPU305", "Xid 79", nvml="nvmlDeviceGetHandleByIndex_v2=15", cuda="cuInit=100"),
    f("gpu-without-power", "nvml", "GPU305", "power", nvml="nvmlDeviceGetHandleByIndex_v2=8", cuda="cuInit=100"),
    # --- cuInit
    f("uvm-stale-after-suspend", "cuinit", "GPU110", "unified memory", cuda="cuInit=999"),
    f("fabric-manager-not-running", "cuinit", "GPU110", "fabric manager", cuda="cuInit=802"),
    f("fabric-manager-on-the-host", "cuinit", "GPU110", "on the container's host", files=IN_DOCKER, cuda="cuInit=802"),
    f("cuda-compat-on-geforce", "cuinit", "GPU110", "`compat`", cuda="cuInit=804"),
    f("cuda-compat-in-a-container", "cuinit", "GPU110", "/usr/local/cuda/compat", files=IN_DOCKER, cuda="cuInit=804"),
    f("other-libcuda-first", "cuinit", "GPU110", "reboot", cuda="cuInit=803"),
    f("stub", "cuinit", "GPU110", "`stubs`", cuda="cuInit=34"),
    f("vgpu-without-licence", "cuinit", "GPU110", "licence", cuda="cuInit=102"),
    f("mps-daemon-gone", "cuinit", "GPU110", "MPS", cuda="cuInit=805"),
    f("no-memory", "cuinit", "GPU110", "free memory", cuda="cuInit=2"),
    f("a-code-nobody-knows", "cuinit", "GPU110", "update the NVIDIA driver", cuda="cuInit=4242"),
    f("cuda-hangs", "cuinit", "GPU110", "kernel log", cuda="hang=cuInit", host={"timeout": 1.0}),
    f("cuda-hangs-counting", "cuinit", "GPU110", "kernel log", cuda="hang=cuDeviceGetCount", host={"timeout": 1.0}),
    f("cuda-crashes", "cuinit", "GPU110", "install the driver again", cuda="crash=cuInit"),
    f("cuda-ends-the-process", "cuinit", "GPU110", "install the driver again", cuda="exit=cuInit"),
    f("cuda-counts-nothing", "cuinit", "GPU111", "compare the two lists", cuda="none=1"),
    f(
        "cuda-visible-devices", "cuinit", "GPU105", "unset the variable", cuda="cuInit=100",
        environ={"CUDA_VISIBLE_DEVICES": "7"},
    ),
    f("mig-without-instance", "cuinit", "GPU303", "create an instance", nvml="mig=1 instances=0", cuda="cuInit=100"),
    # --- the packages
    f(
        "tensorflow-without-cuda", "cuda_libraries", "GPU201", "install the GPU build",
        facts={"tensorflow": given.tensorflow("2.20.0", is_cuda=False, cuda=None), **ON_CPU},
    ),
    f("driver-too-old", "cuda_libraries", "GPU202", "update the NVIDIA driver", nvml="driver=470.57.02 cuda=11040"),
    f("cudnn-missing", "cuda_libraries", "GPU207", "cuDNN", facts={"gpu_libraries": libraries("cudnn"), **ON_CPU}),
    f("maxwell", "capability", "GPU203", "newest series whose wheels have code", nvml="cc=5.2", cuda="cc=5.2"),
    f("blackwell", "capability", "GPU205", "container", nvml="cc=12.0", cuda="cc=12.0"),
    # --- the framework
    f("compute-mode-prohibited", "devices", "GPU302", "set the compute mode back", nvml="mode=2", cuda="mode=2"),
    f("taken-by-another", "devices", "GPU302", "4711", nvml="mode=3 processes=4711:300", cuda="mode=3"),
    f("trains-on-the-cpu", "devices", "SMK108", "find its CUDA libraries", facts=ON_CPU),
    f("convolution-fails", "operation", "SMK104", "cuDNN", facts={"smoke": failing("convolution")}),
]  # fmt: skip
