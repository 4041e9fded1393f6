"""libcuda, cuInit and CUDA's count of devices, each with facts that pass and facts that fail."""

from __future__ import annotations

from typing import Any

import gpu_literals as given
import literals
import pytest

from envcheck.checks.gpu_cuda import cuda_counts, cuda_library, cuda_starts
from envcheck.findings import Finding, Fix, Severity, Skip
from envcheck.inventory import Expectations, Unavailable
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.cuda import CudaFacts, CudaState
from envcheck.probes.driver import DriverFacts, NvmlState
from envcheck.probes.gpu import GpuFacts

MATRIX = load_matrix()
NOT_THERE = "libcuda.so.1: cannot open shared object file: No such file or directory"
ABSENT = Unavailable("no NVIDIA GPU or driver here", absent=True)
NO_NVML = NvmlState("no library", 12, "LIBRARY_NOT_FOUND", "nvmlInit")


def state(status: str, code: int | None = None, name: str = "", **more: Any) -> CudaFacts:
    return CudaFacts(CudaState(status, code, name, **{"call": "cuInit", **more}))


def missing(detail: str = NOT_THERE) -> CudaFacts:
    return state("no library", call="dlopen", detail=detail)


def fix_of(finding: Finding) -> Fix:
    assert finding.fix is not None
    return finding.fix


# --- GPU109


def loads(cuda: CudaFacts, driver: DriverFacts | None = None, **host: Any) -> list[Finding]:
    return list(cuda_library.judge(cuda, driver or given.driver(), literals.host(**host)))


@pytest.mark.parametrize("cuda", [given.cuda(), state("error", 100), state("hung"), state("crashed", detail="x")])
def test_a_library_that_loads_passes(cuda: CudaFacts) -> None:
    assert loads(cuda) == []


def test_a_missing_library_beside_a_driver() -> None:
    (finding,) = loads(missing())
    assert finding.message.startswith("the CUDA driver's library cannot be loaded (libcuda.so.1: cannot open")
    assert "the NVIDIA driver 550.54.14 is there" in finding.message
    assert "libnvidia-compute" in fix_of(finding).summary
    assert "sudo ldconfig" in fix_of(finding).commands


def test_in_a_container_it_is_the_capability() -> None:
    (finding,) = loads(missing(), container="docker")
    assert "NVIDIA_DRIVER_CAPABILITIES=compute,utility" in fix_of(finding).commands[0]
    (finding,) = loads(missing(), container="kubernetes")
    assert fix_of(finding).commands == ()


@pytest.mark.parametrize(
    "detail", ["/x/libcuda.so.1: file too short", f"{NOT_THERE}; passed over: /x/libcuda.so.1 (…)"]
)
def test_a_file_that_is_in_the_way(detail: str) -> None:
    (finding,) = loads(missing(detail))
    assert "/x/libcuda.so.1" in finding.message
    assert fix_of(finding).summary.startswith("take the file")
    (finding,) = loads(missing(detail), container="docker")
    assert "out of the image" in fix_of(finding).summary


def test_on_windows_and_in_wsl() -> None:
    (finding,) = loads(missing("not found"), given.driver(linux=False), system="Windows")
    assert "nvcuda.dll" in fix_of(finding).summary
    wsl = given.driver(nodes=(), kernel_version=None, pci=(), dxg=True, wsl_library=True)
    (finding,) = loads(missing(), wsl, wsl=2)
    assert fix_of(finding).commands == ("export LD_LIBRARY_PATH=/usr/lib/wsl/lib:$LD_LIBRARY_PATH",)


@pytest.mark.parametrize(
    ("driver", "host", "reason", "unknown"),
    [
        (given.nothing(), {}, "no library of the driver", False),
        (given.driver(nvml=NO_NVML), {}, "no library of the driver", False),
        (given.nothing(nvml=given.nvml_error(9, "DRIVER_NOT_LOADED")), {}, "no NVIDIA GPU or driver here", False),
        (
            given.driver(nvml=given.nvml_error(9, "X"), nodes=()),
            {"container": "docker"},
            "was given no NVIDIA GPU",
            False,
        ),
        (given.driver(nvml=given.nvml_error(9, "X"), nodes=(), kernel_version=None), {}, "no NVIDIA driver is", False),
        (given.driver(tegra=True), {}, "Jetson", True),
    ],
)
def test_where_no_library_can_be_expected(
    driver: DriverFacts, host: dict[str, Any], reason: str, unknown: bool
) -> None:
    with pytest.raises(Skip, match=reason) as skip:
        loads(missing(), driver, **host)
    assert skip.value.unknown is unknown


@pytest.mark.parametrize("library", [True, False])
def test_what_could_not_be_asked_is_unknown(library: bool) -> None:
    unasked = state("not asked", detail="x")
    with pytest.raises(Skip) as skip:
        loads(unasked) if library else starts(unasked)
    assert skip.value.unknown


# --- GPU110


def starts(
    cuda: CudaFacts,
    driver: DriverFacts | None = None,
    gpu: GpuFacts | Unavailable | None = None,
    required: bool = False,
    environ: dict[str, str] | None = None,
    **host: Any,
) -> list[Finding]:
    return list(
        cuda_starts.judge(
            cuda,
            driver or given.driver(),
            gpu or given.gpu(),
            literals.environment(**(environ or {})),
            literals.host(**host),
            Expectations(require_gpu=required),
            MATRIX,
        )
    )


def test_cuda_that_starts_passes() -> None:
    assert starts(given.cuda()) == []


def test_an_error_names_the_library_and_what_it_is() -> None:
    compat = CudaFacts(
        CudaState("error", 804, "X", "cuInit"),
        "/usr/local/cuda/compat/libcuda.so.1",
        "/usr/local/cuda-12.8/compat/libcuda.so.570",
    )
    (finding,) = starts(compat)
    assert "forward compatibility (cuda-compat) was tried on a GPU that it is not made for" in finding.message
    assert "/usr/local/cuda/compat/libcuda.so.1 -> /usr/local/cuda-12.8/compat/libcuda.so.570" in finding.message
    assert "the kernel module is 550.54.14" in finding.message
    assert "`compat`" in fix_of(finding).summary
    assert finding.url is not None


def test_a_code_that_is_not_known_says_so() -> None:
    (finding,) = starts(state("error", 4242))
    assert finding.message.startswith("cuInit answers 4242: a code that envcheck does not know")
    (finding,) = starts(state("error", 4242), wsl=2)
    assert "wsl --shutdown" in fix_of(finding).summary


def test_stuck_and_crashed() -> None:
    (finding,) = starts(state("hung", seconds=30.0))
    assert finding.message.startswith("the CUDA driver is stuck: CUDA did not answer in cuInit within 30 s")
    assert fix_of(finding).commands
    (finding,) = starts(state("crashed", detail="was ended by SIGSEGV"), container="docker")
    assert finding.message.startswith("the CUDA driver is broken: the process that asked CUDA was ended by SIGSEGV")
    assert fix_of(finding).commands == ()
    (finding,) = starts(state("hung"), given.nothing(), ABSENT)
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("cuda", "more", "reason"),
    [
        (missing(), {}, "cannot be loaded"),
        (state("error", 100), {"driver": given.nothing(), "gpu": ABSENT}, "no NVIDIA GPU or driver here"),
        (
            state("error", 100),
            {"driver": given.driver(nvml=NO_NVML, nodes=()), "gpu": ABSENT, "container": "docker"},
            "this container was given no NVIDIA GPU",
        ),
        (
            state("error", 100),
            {"driver": given.driver(nvml=NO_NVML, nodes=(), kernel_version=None), "gpu": ABSENT},
            "no NVIDIA driver is loaded",
        ),
        (state("error", 100), {"environ": {"CUDA_VISIBLE_DEVICES": "-1"}}, "CUDA_VISIBLE_DEVICES hides every GPU"),
        (
            state("error", 100),
            {"gpu": given.gpu(given.device(mig=True, mig_pending=True, mig_instances=()))},
            "no GPU in MIG mode has an instance",
        ),
        (state("error", 801), {"driver": given.driver(tegra=True)}, "Jetson"),
    ],
)
def test_where_cuda_has_to_err_another_check_says_why(cuda: CudaFacts, more: dict[str, Any], reason: str) -> None:
    with pytest.raises(Skip, match=reason):
        starts(cuda, **more)


def test_a_sandbox_that_shows_nvml_alone_excuses_nothing() -> None:
    bare = given.driver(nodes=(), pci=(), kernel_version=None)
    assert bare.hardware is False
    (finding,) = starts(state("error", 999), bare)
    assert finding.severity is None


def test_a_variable_that_leaves_a_gpu_excuses_nothing() -> None:
    (finding,) = starts(state("error", 100), environ={"CUDA_VISIBLE_DEVICES": "0"})
    assert "CUDA_ERROR_NO_DEVICE" in finding.message


# --- GPU111


def counts(cuda: CudaFacts, gpu: GpuFacts | None = None, **environ: str) -> list[Finding]:
    return list(cuda_counts.judge(cuda, given.driver(), gpu or given.gpu(), literals.environment(**environ)))


TWO = given.gpu(given.device(0), given.device(1))


def test_the_same_devices_pass_in_any_order() -> None:
    assert counts(given.cuda()) == []
    turned = given.cuda(
        count=2,
        devices=(given.cuda_gpu(0, uuid=given.cuda_gpu(1).uuid), given.cuda_gpu(1, uuid=given.cuda_gpu(0).uuid)),
    )
    assert counts(turned, TWO) == []
    assert counts(given.cuda(), TWO, CUDA_VISIBLE_DEVICES="0") == []


def test_no_device_at_all_is_an_error() -> None:
    (finding,) = counts(given.cuda(count=0, devices=()))
    assert finding.severity is Severity.ERROR
    assert "CUDA counts no device, although the driver shows GPU 0 (NVIDIA H100)" in finding.message


def test_a_device_that_cuda_leaves_out() -> None:
    (finding,) = counts(given.cuda(), TWO)
    assert finding.severity is None
    assert "CUDA counts 1 device(s), where 2 are visible by NVML: GPU 1 (NVIDIA H100) is missing" in finding.message


def test_a_device_that_nvml_does_not_show() -> None:
    (finding,) = counts(given.cuda(devices=(given.cuda_gpu(0, uuid="ffffffff-0000-4000-8000-000000000000"),)))
    assert (
        "device 0 (NVIDIA H100, UUID ffffffff-0000-4000-8000-000000000000) is none that NVML shows" in finding.message
    )


@pytest.mark.parametrize(
    ("cuda", "gpu", "reason"),
    [
        (state("error", 100, "X"), None, "cuInit answers X"),
        (given.cuda(), given.gpu(given.device(mig=True)), "MIG"),
        (given.cuda(devices=(given.cuda_gpu(0, uuid=None),)), None, "UUIDs"),
        (given.cuda(count=300), None, "UUIDs"),
    ],
)
def test_where_the_lists_cannot_be_compared(cuda: CudaFacts, gpu: GpuFacts | None, reason: str) -> None:
    with pytest.raises(Skip, match=reason):
        counts(cuda, gpu)
