"""Every GPU check on whole machines: sound ones give no finding, and nothing unknown makes a check raise."""

from __future__ import annotations

import dataclasses
from typing import Any

import gpu_literals as given
import literals
import pytest

from envcheck.engine import Facts, run
from envcheck.findings import Outcome, Severity, Status
from envcheck.inventory import Expectations, Unavailable
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.cuda import CudaFacts, CudaState
from envcheck.probes.driver import DriverFacts, NvmlState
from envcheck.probes.gpu import Device, GpuFacts
from envcheck.probes.others import OthersFacts
from envcheck.probes.tensorflow import BuildFacts
from envcheck.registry import checks

GIB = 1 << 30
CHECKS = [check for check in checks() if check.code.startswith("GPU")]
NAMES = sorted({name for check in CHECKS for name in check.facts} - {"expectations", "matrix"})
ABSENT = Unavailable("no NVIDIA GPU or driver here", absent=True)
NO_LIBRARIES = Unavailable("this TensorFlow is built without CUDA", absent=True)


def counted(gpu: object) -> CudaFacts:
    """CUDA, which counts the GPUs that NVML shows."""
    if not isinstance(gpu, GpuFacts):
        return CudaFacts(CudaState("no library", call="dlopen", detail="libcuda.so.1: No such file or directory"))
    return given.cuda(count=gpu.count, devices=tuple(given.cuda_gpu(device.index) for device in gpu.devices))


def facts(**changes: Any) -> dict[str, object]:
    """A sound machine with one H100, and what differs."""
    return {
        "gpu": given.gpu(),
        "driver": given.driver(),
        "cuda": counted(changes.get("gpu", given.gpu())),
        "others": OthersFacts(),
        "gpu_libraries": NO_LIBRARIES,
        "tensorflow": given.tensorflow(),
        "keras": given.keras(),
        "environment": literals.environment(),
        "host": literals.host(),
        "python": literals.python(),
        "packages": literals.packages(),
        "smoke": given.smoke("GPU:0"),
        "matrix": load_matrix(),
        "expectations": Expectations(),
        **changes,
    }


def judged(**changes: Any) -> dict[str, Outcome]:
    outcomes = {outcome.code: outcome for outcome in run(CHECKS, Facts(facts(**changes), {}))}
    assert not [outcome for outcome in outcomes.values() if outcome.status is Status.BROKEN]
    return outcomes


def failed(outcomes: dict[str, Outcome]) -> dict[str, Severity | None]:
    return {code: outcome.worst for code, outcome in outcomes.items() if outcome.status is Status.FAILED}


def with_status(outcomes: dict[str, Outcome], status: Status) -> set[str]:
    return {code for code, outcome in outcomes.items() if outcome.status is status}


def many(count: int = 8) -> GpuFacts:
    return given.gpu(*(given.device(index) for index in range(count)))


SLICES = (given.instance(1), given.instance(2, 10 * GIB, GIB // 4, given.process(5, 9 * GIB)))
SLICED = given.gpu(given.device(mig=True, mig_pending=True, mig_instances=SLICES))
GPU_WANTED = Expectations(device="gpu")
# NVML in WSL tells neither processes nor modes, and Windows has the kernel module.
WSL = {
    "driver": given.driver(nodes=(), kernel_version=None, pci=(), dxg=True, wsl_library=True, driver_version="560.94"),
    "gpu": given.gpu(given.device(compute_mode=None, ecc_uncorrected=None, mig=None, mig_pending=None)),
    "host": literals.host(wsl=2),
}
ROCM = {
    "driver": given.nothing(),
    "gpu": ABSENT,
    "tensorflow": given.tensorflow(distribution="tensorflow-rocm", is_cuda=False, is_rocm=True, cuda=None),
}
JETSON = {
    "driver": given.nothing(nvml=given.nvml_error(9, "DRIVER_NOT_LOADED"), tegra=True, nodes=("/dev/nvidiactl",)),
    "gpu": Unavailable("this is a Jetson, which is not covered"),
    "host": literals.host(machine="aarch64"),
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"gpu": many(), "driver": given.driver(device_count=8, usable_devices=8)},
        {"gpu": many(), "expectations": Expectations(min_gpu_memory=40 * GIB)},
        WSL,
        {**WSL, "expectations": GPU_WANTED},
        {
            "gpu": SLICED,
            "environment": literals.environment(CUDA_VISIBLE_DEVICES=SLICES[0].uuid or ""),
            "expectations": Expectations(min_gpu_memory=8 * GIB),
        },
        {"driver": given.nothing(), "gpu": ABSENT, "smoke": given.smoke("CPU:0")},
        ROCM,
        {**ROCM, "expectations": GPU_WANTED},
        {**ROCM, "expectations": GPU_WANTED, "smoke": Unavailable("--no-smoke")},
        JETSON,
        {**JETSON, "expectations": GPU_WANTED},
        {**JETSON, "expectations": GPU_WANTED, "smoke": Unavailable("--no-smoke")},
    ],
    ids=[
        "H100", "eight H100", "eight H100, memory asked", "WSL", "WSL, GPU asked", "MIG instance named", "no GPU",
        "ROCm", "ROCm, GPU asked", "ROCm, no smoke run", "Jetson", "Jetson, GPU asked", "Jetson, no smoke run",
    ],
)  # fmt: skip
def test_a_sound_machine_gives_no_finding(changes: dict[str, Any]) -> None:
    assert failed(judged(**changes)) == {}


def test_without_a_gpu_nothing_is_called_unseen() -> None:
    found = judged(driver=given.nothing(), gpu=ABSENT, smoke=given.smoke("CPU:0"))
    assert with_status(found, Status.SKIPPED) == set()


def test_what_was_not_looked_at_is_not_called_fine() -> None:
    found = judged(**{**JETSON, "expectations": GPU_WANTED, "smoke": Unavailable("--no-smoke")})
    assert {"GPU101", "GPU102", "GPU103", "GPU107"} <= with_status(found, Status.SKIPPED)


def test_a_t4_with_an_old_driver() -> None:
    old = given.driver(driver_version="470.57.02", cuda_version="11.4", kernel_version="470.57.02")
    found = judged(driver=old, gpu=given.gpu(given.device(name="Tesla T4", compute_capability="7.5")))
    assert set(failed(found)) == {"GPU202"}


def test_the_neighbour_s_mig_instance_is_full() -> None:
    named = literals.environment(CUDA_VISIBLE_DEVICES=SLICES[1].uuid or "")
    found = judged(gpu=SLICED, environment=named, expectations=Expectations(min_gpu_memory=8 * GIB))
    assert failed(found) == {"GPU301": Severity.ERROR}


@pytest.mark.parametrize("name", NAMES)
def test_a_fact_that_is_not_there_makes_no_check_raise(name: str) -> None:
    for expectations in (Expectations(), GPU_WANTED, Expectations(min_gpu_memory=GIB)):
        judged(**{name: Unavailable("not looked at")}, expectations=expectations)


def test_no_fact_at_all_makes_no_check_raise() -> None:
    nothing = {name: Unavailable("not looked at") for name in NAMES}
    assert failed(judged(**nothing)) == failed(judged(**nothing, expectations=GPU_WANTED)) == {}


@pytest.mark.parametrize("status", ["ok", "no library", "error", "hung", "unkillable", "crashed", "not asked"])
@pytest.mark.parametrize("linux", [True, False])
def test_facts_in_which_nothing_is_known_make_no_check_raise(status: str, linux: bool) -> None:
    blank = Device(0)
    for device in (blank, dataclasses.replace(blank, mig=True), dataclasses.replace(blank, failure="NO_ANSWER")):
        for expectations in (Expectations(), GPU_WANTED, Expectations(min_gpu_memory=GIB)):
            found = judged(
                driver=DriverFacts(NvmlState(status), linux=linux),
                gpu=GpuFacts(2, (device,)),
                tensorflow=dataclasses.replace(given.tensorflow(), build=BuildFacts()),
                smoke=given.smoke(""),
                expectations=expectations,
            )
            assert not {"GPU203", "GPU204", "GPU205", "GPU301", "GPU302", "GPU306"} & with_status(found, Status.PASSED)
