"""Does the CUDA driver load and start, and does it count the GPUs that NVML shows?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Link, Severity, Skip, check
from envcheck.inventory import Unavailable

if TYPE_CHECKING:
    from envcheck.inventory import Expectations
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.cuda import CudaFacts
    from envcheck.probes.driver import DriverFacts
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import GpuFacts, Selection
    from envcheck.probes.host import HostFacts

WSL = "/usr/lib/wsl/lib"
NOT_THERE = "No such file"
NO_DEVICE = 100
PLACES = {
    "stub": "the toolkit's stub",
    "compat": "forward compatibility, cuda-compat",
    "wsl": "the driver of Windows",
}


@check("GPU109", "The CUDA driver's library can be loaded", unless="SMK108", link=Link.DRIVER_LIBRARY)
def cuda_library(cuda: CudaFacts, driver: DriverFacts, host: HostFacts) -> Iterator[Finding]:
    """libcuda.so.1 cannot be loaded, although an NVIDIA driver is there: every framework then uses the CPU.

    Cause: NVML and CUDA are two libraries of the driver, and only the first is there: a container that asked for `utility`
    and not `compute`, a driver without its compute package. Or the loader comes upon something else under that name: an
    empty file left by an image build, a directory, a library for another processor.

    How to fix: install the driver's compute package in the driver's own version, start the container with
    NVIDIA_DRIVER_CAPABILITIES=compute,utility, or take away the file that is in the way.

    Source: dlopen(3); https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/1.10.0/user-guide.html;
    https://github.com/tensorflow/tensorflow/issues/45882
    """
    if cuda.status == "not asked":
        raise Skip(cuda.words, unknown=True)
    if cuda.status != "no library":
        return
    if driver.tegra:
        raise Skip("this is a Jetson, which is not covered", unknown=True)
    if driver.nvml.status == "no library":  # both of the driver's libraries are missing: GPU101 says so
        raise Skip("no library of the driver can be loaded")
    in_wsl = driver.dxg or driver.wsl_library
    if not driver.nvml.ok and not driver.hardware and not in_wsl:
        raise Skip("no NVIDIA GPU or driver here")
    if host.container and not driver.nodes and not in_wsl:
        raise Skip("this container was given no NVIDIA GPU")
    if not driver.nvml.ok and not driver.kernel_version and not driver.nodes and not in_wsl:
        raise Skip("no NVIDIA driver is loaded")
    version = f" {driver.version}" if driver.version else ""
    yield Finding(
        f"{cuda.words}, although the NVIDIA driver{version} is there: every framework will use the CPU",
        _library_fix(cuda, driver, host),
        evidence={"status": cuda.status, "detail": cuda.state.detail},
    )


def _library_fix(cuda: CudaFacts, driver: DriverFacts, host: HostFacts) -> Fix:
    verify = "python -c 'import ctypes; ctypes.CDLL(\"libcuda.so.1\")'"
    if host.system == "Windows":
        return Fix("install the NVIDIA driver again: nvcuda.dll is part of it", verify="nvidia-smi")
    if driver.wsl_library or host.wsl:
        return Fix(
            f"put {WSL} on the loader's path, and remove any NVIDIA driver package installed inside WSL: the driver is the "
            "one of Windows",
            (f"export LD_LIBRARY_PATH={WSL}:$LD_LIBRARY_PATH",),
            verify,
        )
    found = cuda.state.detail and (NOT_THERE not in cuda.state.detail or "passed over" in cuda.state.detail)
    if found and host.container:
        return Fix(
            "take the file that the message names out of the image (an image that was built under the NVIDIA runtime has "
            "empty ones), and start the container with the NVIDIA runtime, which brings the driver's own",
            verify=verify,
        )
    if found:
        return Fix(
            "take the file that the message names away, or its folder off LD_LIBRARY_PATH and out of /etc/ld.so.conf.d; "
            "then let the loader's cache be made anew",
            ("echo $LD_LIBRARY_PATH", "ldconfig -p | grep libcuda", "sudo ldconfig"),
            verify,
        )
    if host.container:
        return Fix(
            "start the container with the NVIDIA runtime and NVIDIA_DRIVER_CAPABILITIES=compute,utility: libcuda.so.1 comes "
            "from the host with `compute`",
            ("docker run -e NVIDIA_DRIVER_CAPABILITIES=compute,utility --gpus all IMAGE",)
            if host.container == "docker"
            else (),
            verify,
        )
    return Fix(
        "install the driver's compute library in the version of the driver (Debian and Ubuntu: libnvidia-compute-…, Debian's "
        "own packages: libcuda1, Fedora: nvidia-driver-cuda-libs), then let the loader's cache be made anew",
        ("ldconfig -p | grep libcuda", "sudo ldconfig"),
        verify,
    )


@check("GPU110", "CUDA starts", unless="SMK108", link=Link.CUINIT)
def cuda_starts(
    cuda: CudaFacts,
    driver: DriverFacts,
    gpu: GpuFacts | Unavailable,
    environment: EnvironmentFacts,
    host: HostFacts,
    expectations: Expectations,
    matrix: Matrix,
) -> Iterator[Finding]:
    """cuInit, with which every program that uses CUDA begins, answers an error, hangs or crashes.

    Cause: the code says which. `nvidia-smi` can look perfect meanwhile, for it asks NVML: CUDA needs /dev/nvidia-uvm
    besides, a libcuda of the kernel module's version, on machines with NVSwitch the fabric manager. TensorFlow logs "failed
    call to cuInit" in one line and trains on the CPU.

    How to fix: the message names the code and the remedy that belongs to it.

    Source: the comments of cuda.h, and the pages and trackers that compat_matrix/cuda_codes.yaml names row by row
    """
    if cuda.ok:
        return
    if cuda.status == "no library":
        raise Skip("the CUDA driver's library cannot be loaded")
    if cuda.status == "not asked":
        raise Skip(cuda.words, unknown=True)
    if cuda.status == "error":
        _only_where_a_device_can_be(cuda, driver, gpu, environment, host, expectations)
        yield _error(cuda, driver, host, matrix)
        return
    harmless = _nothing_there(driver) and not expectations.gpu_required
    yield Finding(
        f"the CUDA driver is {'broken' if cuda.status == 'crashed' else 'stuck'}: {cuda.words}{_from(cuda)}",
        _stuck_fix(cuda, host),
        evidence=_evidence(cuda),
        severity=Severity.WARNING if harmless else None,
    )


def _nothing_there(driver: DriverFacts) -> bool:
    """Whether neither the kernel, nor the bus, nor NVML shows a GPU: a sandbox may hide all but NVML."""
    return driver.hardware is False and not driver.device_count


def _only_where_a_device_can_be(
    cuda: CudaFacts,
    driver: DriverFacts,
    gpu: GpuFacts | Unavailable,
    environment: EnvironmentFacts,
    host: HostFacts,
    expectations: Expectations,
) -> None:
    """Raises :class:`Skip` where CUDA has to answer an error, and another check says why if it matters."""
    if driver.tegra:
        raise Skip(f"this is a Jetson, which is not covered: {cuda.words}", unknown=True)
    if _nothing_there(driver) and not expectations.gpu_required:
        raise Skip(f"no NVIDIA GPU or driver here ({cuda.words})")
    if driver.linux and not driver.nvml.ok and not driver.nodes and not driver.dxg and not expectations.gpu_required:
        where = "this container was given no NVIDIA GPU" if host.container else "no NVIDIA driver is loaded"
        raise Skip(f"{where} ({cuda.words})")
    if cuda.state.code == NO_DEVICE and not isinstance(gpu, Unavailable) and gpu.usable:
        if not gpu.visible(environment.variables).cuda:
            raise Skip("CUDA_VISIBLE_DEVICES hides every GPU")
        if driver.nvml.ok and all(device.mig and device.mig_instances == () for device in gpu.usable):
            raise Skip("no GPU in MIG mode has an instance")


def _error(cuda: CudaFacts, driver: DriverFacts, host: HostFacts, matrix: Matrix) -> Finding:
    row = matrix.cuda_code(cuda.state.code)
    name = row.name if row else cuda.state.name
    named = f"{name} ({cuda.state.code})" if name else str(cuda.state.code)
    meaning = row.meaning if row else "a code that envcheck does not know"
    remedy = "update the NVIDIA driver; the kernel log (NVRM, Xid) may say more" if row is None else row.remedy
    if row and row.container and host.container:
        remedy = row.container
    if host.wsl and row is None:
        remedy = "update the NVIDIA driver of Windows, then restart WSL (wsl --shutdown)"
    version = f"; the kernel module is {driver.kernel_version}" if driver.kernel_version else ""
    return Finding(
        f"{cuda.state.call} answers {named}: {meaning}{_from(cuda, version)}",
        Fix(
            remedy,
            () if host.container or row is None or host.system != "Linux" else row.commands,
            verify="envcheck doctor --select GPU",
        ),
        evidence=_evidence(cuda),
        url=next((source for source in row.source.sources if source.startswith("https:")), None) if row else None,
    )


def _from(cuda: CudaFacts, more: str = "") -> str:
    """Which file answered, and what it is."""
    if cuda.library is None:
        return f" ({more[2:]})" if more else ""
    link = f" -> {cuda.file}" if cuda.file and cuda.file != cuda.library else ""
    kind = f", {PLACES[cuda.kind]}" if cuda.kind else ""
    return f" (libcuda is {cuda.library}{link}{kind}{more})"


def _stuck_fix(cuda: CudaFacts, host: HostFacts) -> Fix:
    bare = host.container is None and host.system == "Linux"
    if cuda.status == "crashed":
        return Fix(
            "the library is not the one of this driver, or damaged: take other libcuda.so.1 off the loader's path, and "
            "install the driver again",
            ("ldconfig -p | grep libcuda", "cat /proc/driver/nvidia/version") if bare else (),
            "envcheck doctor --select GPU",
        )
    return Fix(
        "look in the kernel log for what the driver reported (NVRM, Xid) and for processes in state D, then reboot; if it "
        "does answer, only slowly, switch persistence mode on",
        ("sudo dmesg | grep -iE 'nvrm|xid'", "sudo nvidia-smi -pm 1") if bare else (),
        "envcheck doctor --select GPU",
    )


def _evidence(cuda: CudaFacts) -> dict[str, object]:
    return {
        "status": cuda.status,
        "code": cuda.state.code,
        "call": cuda.state.call,
        "device": cuda.state.device,
        "library": cuda.library,
    }


@check("GPU111", "CUDA counts the GPUs that the driver shows", Severity.WARNING, unless="SMK108", link=Link.CUINIT)
def cuda_counts(
    cuda: CudaFacts, driver: DriverFacts, gpu: GpuFacts, environment: EnvironmentFacts
) -> Iterator[Finding]:
    """CUDA lists fewer GPUs, or other ones, than NVML shows and CUDA_VISIBLE_DEVICES leaves.

    Cause: CUDA leaves out what it cannot use: a GPU that this driver branch no longer supports for computing, one without
    its device node in this container, one that is lost or in error. `nvidia-smi` still lists it. With none left, every
    framework uses the CPU.

    How to fix: compare `nvidia-smi -L` with the devices that the message names, and see the kernel log (NVRM, Xid) for the
    one that is missing.

    Source: https://docs.nvidia.com/cuda/cuda-c-programming-guide/#cuda-environment-variables
    """
    if not cuda.ok:
        raise Skip(cuda.words, unknown=cuda.status == "not asked")
    selection = gpu.need_visible(environment.variables)
    if any(device.mig for device in gpu.usable):
        raise Skip("with MIG, CUDA hands out one instance at a time")
    if not cuda.count:
        yield Finding(
            f"cuInit answers 0 and CUDA counts no device, although the driver shows {gpu.named(selection.cuda)}",
            _count_fix(driver),
            evidence={"cuda": 0, "nvml": len(gpu.usable)},
            severity=Severity.ERROR,
        )
        return
    missing = [
        each.device for each in selection.cuda if not any(found.is_uuid(each.device.uuid) for found in cuda.devices)
    ]
    known = all(found.uuid for found in cuda.devices) and all(device.uuid for device in gpu.usable)
    foreign = [found for found in cuda.devices if not any(found.is_uuid(device.uuid) for device in gpu.devices)]
    if not known or cuda.count != len(cuda.devices):
        raise Skip("the UUIDs of the devices are not known", unknown=True)
    if foreign:
        yield Finding(
            f"CUDA counts {cuda.count} device(s), and device {foreign[0].ordinal} ({foreign[0].name}, UUID "
            f"{foreign[0].uuid}) is none that NVML shows",
            _count_fix(driver),
            evidence={"cuda": [found.uuid for found in cuda.devices], "nvml": [device.uuid for device in gpu.devices]},
        )
    elif _meant(selection, environment) and missing:
        yield Finding(
            f"CUDA counts {cuda.count} device(s), where {len(selection.cuda)} are visible by NVML: "
            f"{', '.join(device.label for device in missing)} is missing",
            _count_fix(driver),
            evidence={"cuda": [found.uuid for found in cuda.devices], "missing": [device.uuid for device in missing]},
        )


def _meant(selection: Selection, environment: EnvironmentFacts) -> bool:
    """Whether the selection says exactly which devices CUDA lists, be it in another order."""
    return selection.certain or environment.get("CUDA_VISIBLE_DEVICES") is None


def _count_fix(driver: DriverFacts) -> Fix:
    return Fix(
        "compare the two lists; a GPU that CUDA leaves out is not supported by this driver branch, has no device node here, "
        "or is in error (kernel log, NVRM and Xid)",
        ("nvidia-smi -L", "ls -l /dev/nvidia*") if driver.linux else ("nvidia-smi -L",),
        "envcheck inventory",
    )
