"""GPU201 and GPU202: a build for GPUs, and a driver that is new enough for it."""

from __future__ import annotations

from typing import Any

import gpu_literals as given
import literals
import pytest

from envcheck.checks.gpu_build import driver_floor, gpu_build
from envcheck.findings import Finding, Fix, Severity, Skip
from envcheck.inventory import Expectations
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.driver import DriverFacts, NvmlState
from envcheck.probes.keras import KerasFacts
from envcheck.probes.tensorflow import TensorFlowFacts


def built(tensorflow: TensorFlowFacts, expectations: Expectations | None = None, **host: Any) -> list[Finding]:
    facts = literals.host(**host), literals.python(), expectations or Expectations(), load_matrix()
    return list(gpu_build.judge(given.gpu(), tensorflow, given.keras(), *facts))


def floor(driver: DriverFacts, tensorflow: TensorFlowFacts, **host: Any) -> list[Finding]:
    facts = load_matrix(), literals.host(**host), literals.python()
    return list(driver_floor.judge(driver, tensorflow, given.keras(), *facts))


def fix_of(finding: Finding) -> Fix:
    assert finding.fix is not None
    return finding.fix


def cpu(**more: Any) -> TensorFlowFacts:
    return given.tensorflow(**{"is_cuda": False, "cuda": None, **more})


def test_a_gpu_build_passes() -> None:
    assert built(given.tensorflow()) == []


def test_tensorflow_cpu_beside_a_gpu() -> None:
    (finding,) = built(cpu(distribution="tensorflow-cpu"))
    assert finding.message == (
        "tensorflow-cpu 2.21.0 is a build without CUDA: it will use the CPU, although there is GPU 0 (NVIDIA H100)"
    )
    assert finding.severity is Severity.WARNING  # somebody chose it
    assert fix_of(finding).commands == (
        "/srv/venv/bin/python -m pip uninstall -y tensorflow-cpu",
        "/srv/venv/bin/python -m pip install 'tensorflow[and-cuda]==2.21.0'",
    )
    (finding,) = built(cpu(distribution="tensorflow-cpu"), Expectations(require_gpu=True))
    assert finding.severity is None


@pytest.mark.parametrize(
    ("tensorflow", "host", "said"),
    [
        (cpu(), {"system": "Windows"}, "WSL 2"),
        (cpu(), {"machine": "aarch64"}, "container"),
        (cpu(vendor="conda"), {}, "ask conda for the CUDA variant"),
        (cpu(is_rocm=True), {}, "GPU build"),
        (cpu(version="2.10.1"), {"system": "Windows"}, "install the GPU build"),
    ],
)
def test_the_fix_fits_the_place(tensorflow: TensorFlowFacts, host: dict[str, Any], said: str) -> None:
    (finding,) = built(tensorflow, **host)
    assert said in fix_of(finding).summary
    assert finding.severity is None


def test_before_2_14_there_was_no_extra() -> None:
    (finding,) = built(cpu(version="2.13.1", distribution="tensorflow-cpu"))
    assert fix_of(finding).commands[-1].endswith("install tensorflow==2.13.1")


def test_a_build_that_says_nothing_is_not_judged() -> None:
    with pytest.raises(Skip):
        built(cpu(is_cuda=None))
    lost = given.gpu(given.device(failure="GPU_IS_LOST"))
    with pytest.raises(Skip, match="no GPU can be opened"):
        list(
            gpu_build.judge(
                lost, cpu(), given.keras(), literals.host(), literals.python(), Expectations(), load_matrix()
            )
        )


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_on_another_backend_tensorflow_s_build_says_nothing(backend: str) -> None:
    old, host, python = (
        given.driver(driver_version="470.57.02", cuda_version="11.4"),
        literals.host(),
        literals.python(),
    )

    def build(keras: KerasFacts) -> list[Finding]:
        return list(gpu_build.judge(given.gpu(), cpu(), keras, host, python, Expectations(), load_matrix()))

    def age(keras: KerasFacts) -> list[Finding]:
        return list(driver_floor.judge(old, given.tensorflow(), keras, load_matrix(), host, python))

    for judge in (build, age):
        with pytest.raises(Skip, match=f"Keras runs on {backend} here") as skip:
            judge(given.keras(backend=backend))
        assert not skip.value.unknown
    # Before Keras 3 nobody reads that name, and without Keras nobody is there to read it.
    for keras in (given.keras("2.15.0", backend), given.keras(None, backend)):
        assert len(build(keras)) == len(age(keras)) == 1


# --- GPU202


def test_the_driver_is_new_enough() -> None:
    assert floor(given.driver(), given.tensorflow()) == []
    # 525.60.13 is the floor for every CUDA 12; 525.147 is newer than 525.60.13.
    assert floor(given.driver(driver_version="525.147.05", cuda_version="12.0"), given.tensorflow()) == []


def test_the_driver_is_too_old() -> None:
    old = given.driver(driver_version="470.57.02", cuda_version="11.4")
    (finding,) = floor(old, given.tensorflow())
    assert finding.message == (
        "the NVIDIA driver 470.57.02 is older than 525.60.13, the oldest that runs CUDA 12.5.1, which tensorflow 2.21.0 was "
        "built with"
    )
    assert "install TensorFlow 2.14 (CUDA 11.8)" in fix_of(finding).summary
    assert fix_of(finding).commands == ()  # 2.14 has no wheel for Python 3.12
    facts = load_matrix(), literals.host(), literals.python(version_info=(3, 10, 14))
    (finding,) = driver_floor.judge(old, given.tensorflow(), given.keras(), *facts)
    assert fix_of(finding).commands == ("/srv/venv/bin/python -m pip install 'tensorflow[and-cuda]==2.14.*'",)
    (finding,) = floor(old, given.tensorflow(), container="docker")
    assert "driver of the container's host" in fix_of(finding).summary


def test_forward_compatibility_makes_up_for_it() -> None:
    assert floor(given.driver(driver_version="470.57.02", cuda_version="12.5"), given.tensorflow()) == []


def test_in_wsl_the_driver_is_the_one_of_windows() -> None:
    old = given.driver(driver_version="526.98", cuda_version="11.8")
    assert floor(old, given.tensorflow()) == []
    (finding,) = floor(old, given.tensorflow(), wsl=2)
    assert "older than 527.41" in finding.message
    assert "driver of Windows" in fix_of(finding).summary


@pytest.mark.parametrize(
    ("driver", "tensorflow", "host", "said", "unknown"),
    [
        (given.driver(), cpu(), {}, "names no CUDA", False),
        (given.driver(), given.tensorflow(is_cuda=None, cuda=None), {}, "names no CUDA", True),
        (given.nothing(), given.tensorflow(), {}, "no NVIDIA GPU or driver here", False),
        (given.nothing(nvml=NvmlState("hung")), given.tensorflow(), {}, "version of the driver is not known", True),
        (given.driver(), given.tensorflow(cuda="13.0"), {"wsl": 2}, "CUDA 13.0 on Windows is not known", True),
        (given.driver(), given.tensorflow(cuda="99.1"), {}, "CUDA 99.1 on Linux is not known", True),
        (given.driver(driver_version="35.4.1", tegra=True), given.tensorflow(), {}, "Jetson", True),
    ],
)
def test_what_is_not_known_is_said(
    driver: DriverFacts, tensorflow: TensorFlowFacts, host: dict[str, Any], said: str, unknown: bool
) -> None:
    with pytest.raises(Skip, match=said) as skip:
        floor(driver, tensorflow, **host)
    assert skip.value.unknown is unknown
