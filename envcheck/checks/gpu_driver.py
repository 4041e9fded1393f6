"""Does the NVIDIA driver answer, and is there a GPU where one is required?"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Link, Severity, Skip, check
from envcheck.inventory import Unavailable

if TYPE_CHECKING:
    from envcheck.inventory import Expectations
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.cuda import CudaFacts
    from envcheck.probes.driver import DriverFacts, NvmlState
    from envcheck.probes.host import HostFacts
    from envcheck.probes.others import OthersFacts
    from envcheck.probes.smoke import SmokeFacts
    from envcheck.probes.tensorflow import TensorFlowFacts

KERNEL_LOG = "sudo dmesg | grep -iE 'nvrm|xid'"
WSL_LIBRARIES = "/usr/lib/wsl/lib"
JETSON = "this is a Jetson, which is not covered"


@check("GPU101", "The NVIDIA driver answers", explains=("GPU102",), unless="SMK108", link=Link.NVML)
def driver_answers(
    driver: DriverFacts, host: HostFacts, expectations: Expectations, matrix: Matrix, cuda: CudaFacts | Unavailable
) -> Iterator[Finding]:
    """The NVIDIA driver does not answer, or answers with an error, when it is asked through NVML, its own library.

    Cause: the driver's kernel module is not loaded, or is of another version than its libraries (an update without a
    reboot); the container was started without the GPU, or lost it; a GPU hangs and takes the driver with it.
    TensorFlow then sees no GPU and trains on the CPU without a word, or hangs as well.

    How to fix: the message names NVML's answer and the remedy that belongs to it. `nvidia-smi` asks the same library:
    when it works again, so does envcheck. A driver that never answers shows in the kernel log (`dmesg`, lines with NVRM
    or Xid) and as processes in state D, which nothing but a reboot ends. Where CUDA itself starts and counts GPUs
    nevertheless, this is a warning: frameworks do without NVML.

    Source: the comments of nvml.h; https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html
    """
    state = driver.nvml
    if state.ok:
        return
    if state.status in ("not covered", "not asked"):
        raise Skip(state.words, unknown=True)
    if driver.tegra and state.status in ("no library", "error"):  # NVML is new there, and answers little
        raise Skip(f"{JETSON}: {state.words}", unknown=True)
    finding = _finding(driver, host, expectations, matrix)
    if isinstance(cuda, Unavailable) or not cuda.ok or not cuda.count:
        yield finding
    else:
        yield dataclasses.replace(
            finding,
            message=f"{finding.message}; CUDA itself starts and counts {cuda.count} device(s)",
            severity=Severity.WARNING,
        )


def _finding(driver: DriverFacts, host: HostFacts, expectations: Expectations, matrix: Matrix) -> Finding:
    state = driver.nvml
    if state.status == "no library":
        return _no_library(driver, host, matrix)
    if state.status == "error":
        return _error(driver, host, expectations, matrix)
    if state.status == "crashed":
        return Finding(
            f"the NVIDIA driver's library is broken: {state.words}",
            Fix(
                "install the driver again, so that its libraries and its kernel module are of one version, and reboot",
                commands=() if host.container else ("nvidia-smi", "ldconfig -p | grep libnvidia-ml"),
                verify="nvidia-smi",
            ),
            evidence=_evidence(state),
        )
    return _stuck(state, host)


def _stuck(state: NvmlState, host: HostFacts) -> Finding:
    where = f"GPU {state.device}" if state.device is not None else "the driver"
    grave = "; it waits in the kernel, and only a reboot ends that" if state.status == "unkillable" else ""
    return Finding(
        f"the NVIDIA driver is stuck: {state.words}{grave}",
        Fix(
            f"look in the kernel log for what {where} reported (NVRM, Xid) and for processes in state D, then reboot; "
            "if nvidia-smi does answer, only slowly, switch persistence mode on",
            # In a container the kernel log and the other processes are out of sight.
            commands=()
            if host.container or host.system != "Linux"
            else (KERNEL_LOG, "ps -eo pid,stat,wchan:32,args | awk '$2 ~ /^D/'", "sudo nvidia-smi -pm 1"),
            verify="nvidia-smi",
        ),
        evidence=_evidence(state),
    )


def _no_library(driver: DriverFacts, host: HostFacts, matrix: Matrix) -> Finding:
    if driver.wsl_library:
        return Finding(
            f"{driver.nvml.words}, although Windows provides it in {WSL_LIBRARIES}",
            Fix(
                f"put {WSL_LIBRARIES} on the loader's path, and remove any NVIDIA driver package installed inside WSL: "
                "the driver is the one of Windows",
                commands=(f"export LD_LIBRARY_PATH={WSL_LIBRARIES}:$LD_LIBRARY_PATH",),
                verify=f"{WSL_LIBRARIES}/nvidia-smi",
            ),
            evidence=_evidence(driver.nvml),
            link=Link.DRIVER_LIBRARY,
        )
    if not driver.linux or not driver.hardware:
        raise Skip("no NVIDIA GPU or driver here")
    if host.container and not driver.nodes:
        raise Skip("this container was given no NVIDIA GPU")
    if not driver.kernel_version and not driver.nodes:
        raise Skip("no NVIDIA driver is loaded")
    row = matrix.nvml_code("LIBRARY_NOT_FOUND")
    loaded = f"kernel module {driver.kernel_version}" if driver.kernel_version else "device nodes"
    cut = "file too short" in driver.nvml.detail
    return Finding(
        f"{driver.nvml.words}, although the driver's {loaded} {'is' if driver.kernel_version else 'are'} there",
        Fix(
            "the library is an empty file, as in an image that was built under the NVIDIA runtime: remove it from the "
            "image, and start the container with the NVIDIA runtime"
            if cut
            else (row.container if host.container and row and row.container else row.remedy if row else ""),
            commands=() if host.container or not row else row.commands,
            verify="nvidia-smi",
        ),
        evidence=_evidence(driver.nvml),
        link=Link.DRIVER_LIBRARY,
    )


def _error(driver: DriverFacts, host: HostFacts, expectations: Expectations, matrix: Matrix) -> Finding:
    state = driver.nvml
    row = matrix.nvml_code(state.name)
    more = [f"{node} cannot be opened: {error}" for node, error in driver.node_errors.items()]
    if driver.kernel_version and state.name == "LIB_RM_VERSION_MISMATCH":
        more.append(f"the loaded kernel module is {driver.kernel_version}")
    meaning = row.meaning if row else "a code that envcheck does not know"
    remedy = "update the NVIDIA driver" if row is None else row.remedy
    if row and row.container and host.container:
        remedy = row.container
    # Driver libraries without any GPU are what many images and build machines have: that is worth a word, no more.
    harmless = driver.hardware is False and not expectations.gpu_required
    return Finding(
        f"{state.words}: {meaning}" + (f" ({'; '.join(more)})" if more else ""),
        Fix(
            remedy,
            commands=()
            if host.container or row is None
            else tuple(command.replace(" -i {index}", "") for command in row.commands),
            verify="nvidia-smi",
        ),
        evidence=_evidence(state),
        severity=Severity.WARNING if harmless else None,
        url=next((source for source in row.source.sources if source.startswith("https:")), None) if row else None,
    )


def _evidence(state: NvmlState) -> dict[str, object]:
    return {"status": state.status, "code": state.code, "call": state.call, "device": state.device}


@check("GPU102", "A GPU can be used where one is required", link=Link.NVML)
def gpu_is_there(
    driver: DriverFacts,
    expectations: Expectations,
    smoke: SmokeFacts | Unavailable,
    tensorflow: TensorFlowFacts | Unavailable,
    cuda: CudaFacts | Unavailable,
    others: OthersFacts | Unavailable,
    host: HostFacts,
) -> Iterator[Finding]:
    """A GPU was asked for on the command line, and none can be used.

    Cause: `--require-gpu`, `--device gpu` or `--min-gpu-memory` says that training needs a GPU. There is none on this
    machine, the container was not given it, or the driver does not answer. Only NVIDIA's GPUs are looked for; any other
    on which the tiny model really trained will do as well.

    How to fix: train on a machine with an NVIDIA GPU, hand the GPU into the container, or repair the driver (GPU101).
    Where the CPU will do, leave the option out or say `--device cpu`.

    Source: NVML, the library behind `nvidia-smi`.
    """
    if not expectations.gpu_required:
        raise Skip("no GPU is required")
    counted = None if isinstance(cuda, Unavailable) or not cuda.ok else cuda.count
    if driver.usable_devices or counted or _trained_on_gpu(smoke):
        return
    if driver.nvml.status in ("not covered", "not asked"):
        raise Skip(driver.nvml.words, unknown=True)
    if not isinstance(tensorflow, Unavailable) and tensorflow.build.is_rocm:
        raise Skip("this TensorFlow is built for AMD GPUs, which are not looked for", unknown=True)
    if driver.tegra:
        raise Skip(f"{JETSON}: {driver.nvml.words}", unknown=True)
    what, link = _none(driver, host)
    there = (
        "" if isinstance(others, Unavailable) or not others.gpus else f"; {others.words}, which envcheck does not judge"
    )
    yield Finding(
        f"a GPU is required, and none can be used: {what}{there}",
        _elsewhere(driver, host),
        evidence={"status": driver.nvml.status, "devices": driver.device_count},
        link=link,
    )


def _elsewhere(driver: DriverFacts, host: HostFacts) -> Fix:
    if host.wsl == 1:
        return Fix("convert this distribution to WSL 2", ("wsl --set-version DISTRIBUTION 2",), verify="nvidia-smi -L")
    if host.wsl and not driver.dxg:
        return Fix(
            "install NVIDIA's driver on Windows (not inside WSL), then update and restart WSL",
            ("wsl --update", "wsl --shutdown"),
            verify="nvidia-smi -L",
        )
    return Fix(
        "run where there is an NVIDIA GPU (in a container: hand it in), or, where the CPU will do, say --device cpu",
        verify="nvidia-smi -L",
    )


def _none(driver: DriverFacts, host: HostFacts) -> tuple[str, Link | None]:
    """Why no GPU can be used, and where the chain breaks by that."""
    if host.wsl == 1:
        return "WSL 1 hands no GPU to Linux", Link.PCI
    if host.wsl and not driver.dxg and not driver.nvml.ok:
        return "WSL shows no GPU: there is no /dev/dxg", Link.PCI
    if driver.device_count:
        return f"the driver counts {driver.device_count} GPU(s) and can open none of them", None
    if driver.nvml.ok:
        return "the driver works and reports no GPU", None if driver.pci else Link.PCI
    if driver.nvml.status == "no library" and not driver.hardware:
        return "there is no NVIDIA GPU or driver here", Link.PCI
    return driver.nvml.words, None


def _trained_on_gpu(smoke: SmokeFacts | Unavailable) -> bool:
    if isinstance(smoke, Unavailable):
        return False
    return any(
        step.name == "fit" and step.status == "ok" and bool(step.device) and not step.device.startswith("CPU")
        for step in smoke.steps
    )
