"""Do environment variables hide the GPU?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Link, Severity, Skip, check

if TYPE_CHECKING:
    from envcheck.inventory import Expectations
    from envcheck.probes.driver import DriverFacts
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import GpuFacts, Selection
    from envcheck.probes.host import HostFacts

VISIBLE = "CUDA_VISIBLE_DEVICES"


@check(
    "GPU105", "CUDA_VISIBLE_DEVICES leaves the GPUs visible", explains=("GPU110",), unless="SMK108", link=Link.CUINIT
)
def cuda_visible_devices(
    gpu: GpuFacts, environment: EnvironmentFacts, host: HostFacts, expectations: Expectations
) -> Iterator[Finding]:
    """CUDA_VISIBLE_DEVICES hides GPUs from TensorFlow that `nvidia-smi` shows.

    Cause: the CUDA driver reads the variable, NVML does not. An empty value and -1 hide every GPU. The first entry that
    names no GPU (an index out of range, a UUID of another machine) hides its own GPU and all that are listed after it;
    an entry that stands twice hides them all. UUIDs may be abbreviated as long as they are unique.

    How to fix: unset the variable, or name GPUs that exist (`nvidia-smi -L`). Under Slurm the scheduler sets it: ask for
    a GPU with `--gres=gpu:1`.

    Source: https://docs.nvidia.com/cuda/cuda-c-programming-guide/#cuda-environment-variables
    """
    value = environment.get(VISIBLE)
    if value is None:
        return
    if not gpu.usable:
        raise Skip("no GPU can be opened")
    selection = gpu.visible(environment.variables)
    if selection.stop is None and selection.repeated is None:
        return
    on_purpose = value.strip() in ("", "-1") and not expectations.gpu_required
    yield Finding(
        _hidden(value, selection, gpu),
        Fix(
            "under Slurm, ask for a GPU; elsewhere unset the variable or name GPUs that exist"
            if environment.get("SLURM_JOB_ID")
            else "unset the variable, or name GPUs that exist",
            commands=("nvidia-smi -L", f"set {VISIBLE}=" if host.system == "Windows" else f"unset {VISIBLE}"),
        ),
        evidence={"value": value, "gpus": len(gpu.usable), "visible": len(selection.devices)},
        severity=Severity.WARNING if on_purpose or selection.devices else None,
    )


def _hidden(value: str, selection: Selection, gpu: GpuFacts) -> str:
    count = f"{len(gpu.usable)} GPU(s)"
    if value.strip() in ("", "-1"):
        return f"{VISIBLE}={value!r} hides every GPU: TensorFlow will use the CPU, although the driver has {count}"
    if selection.repeated is not None:
        return f"{VISIBLE}={value!r} lists {selection.repeated} twice, which hides every GPU; the driver has {count}"
    what = "every GPU" if not selection.devices else "the GPUs listed from there on"
    return f"{VISIBLE}={value!r}: {selection.stop!r} names none of the driver's {count}, which hides {what}"


@check("GPU106", "The container asks for all parts of the driver", explains=("GPU109",), link=Link.DRIVER_LIBRARY)
def driver_capabilities(driver: DriverFacts, environment: EnvironmentFacts, host: HostFacts) -> Iterator[Finding]:
    """NVIDIA_DRIVER_CAPABILITIES leaves out a part of the driver that TensorFlow or its tools need.

    Cause: the NVIDIA container runtime puts only those libraries into the container that the variable names: `compute`
    brings libcuda.so.1, without which TensorFlow sees no GPU; `utility` brings NVML and nvidia-smi.

    How to fix: set NVIDIA_DRIVER_CAPABILITIES=compute,utility (or all) in the image or when starting the container.

    Source: https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/1.10.0/user-guide.html
    """
    value = environment.get("NVIDIA_DRIVER_CAPABILITIES")
    if not host.container:
        raise Skip("this is no container")
    if driver.linux and not driver.nodes:
        raise Skip("this container was given no NVIDIA GPU")
    if not value:
        return  # the runtime's default is compute and utility
    named = {word.strip() for word in value.split(",")}
    missing = [word for word in ("compute", "utility") if word not in named and "all" not in named]
    if missing:
        lost = {"compute": "libcuda.so.1, so TensorFlow sees no GPU", "utility": "NVML and nvidia-smi"}
        yield Finding(
            f"NVIDIA_DRIVER_CAPABILITIES={value!r} lacks {' and '.join(missing)}: the container is left without "
            + "; and without ".join(lost[word] for word in missing),
            Fix(
                "name both parts in the image, or when starting the container",
                ("docker run -e NVIDIA_DRIVER_CAPABILITIES=compute,utility --gpus all IMAGE",)
                if host.container == "docker"
                else (),
            ),
            evidence={"value": value},
            severity=None if "compute" in missing else Severity.WARNING,
        )


@check("GPU108", "NVIDIA_VISIBLE_DEVICES hands a GPU into the container", explains=("GPU103",), link=Link.DEVICE_NODES)
def nvidia_visible_devices(
    driver: DriverFacts, environment: EnvironmentFacts, host: HostFacts, expectations: Expectations
) -> Iterator[Finding]:
    """NVIDIA_VISIBLE_DEVICES tells the NVIDIA container runtime to give this container no GPU.

    Cause: the value `none` brings the driver's libraries and no GPU; `void` or an empty value brings nothing. It is set
    in the image, in the pod, or on the command line.

    How to fix: unset it, or set NVIDIA_VISIBLE_DEVICES=all.

    Source: https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/1.10.0/user-guide.html
    """
    value = environment.get("NVIDIA_VISIBLE_DEVICES")
    if not host.container:
        raise Skip("this is no container")
    if driver.hardware is False and not expectations.gpu_required:
        raise Skip("no NVIDIA GPU or driver here")
    if value is None or value.strip() not in ("", "none", "void") or driver.usable_devices:
        return
    yield Finding(
        f"NVIDIA_VISIBLE_DEVICES={value!r} keeps every GPU out of this container",
        Fix(
            "unset it in the image or the pod, or set it to all",
            ("docker run -e NVIDIA_VISIBLE_DEVICES=all --gpus all IMAGE",) if host.container == "docker" else (),
            verify="nvidia-smi -L",
        ),
        evidence={"value": value},
        # Images for the CPU, and pods that asked for no GPU, have it on purpose.
        severity=None if expectations.gpu_required else Severity.NOTE,
    )
