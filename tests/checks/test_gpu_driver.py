"""GPU101 and GPU102: the driver answers, and a GPU is there where one is required."""

from __future__ import annotations

import dataclasses
from typing import Any

import gpu_literals as given
import literals
import pytest

from envcheck.checks.gpu_driver import driver_answers, gpu_is_there
from envcheck.findings import Finding, Fix, Skip
from envcheck.inventory import Expectations, Unavailable
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.driver import DriverFacts, NvmlState
from envcheck.probes.smoke import SmokeFacts
from envcheck.probes.tensorflow import TensorFlowFacts

NO_LIBRARY = NvmlState("no library", 12, "LIBRARY_NOT_FOUND", "nvmlInit", detail="cannot open shared object file")
REQUIRED = Expectations(require_gpu=True)
UNSEEN = Unavailable("not looked at")


def answers(driver: DriverFacts, **host: Any) -> list[Finding]:
    return list(driver_answers.judge(driver, literals.host(**host), Expectations(), load_matrix(), UNSEEN))


def fix_of(finding: Finding) -> Fix:
    assert finding.fix is not None
    return finding.fix


def test_a_driver_that_answers_passes() -> None:
    assert answers(given.driver()) == []


def test_a_version_mismatch_names_the_kernel_module() -> None:
    (finding,) = answers(given.driver(nvml=given.nvml_error(18, "LIB_RM_VERSION_MISMATCH")))
    assert finding.message == (
        "NVML answers LIB_RM_VERSION_MISMATCH (18) in nvmlInit: the driver's libraries and its kernel module are of "
        "different versions (the loaded kernel module is 550.54.14)"
    )
    assert fix_of(finding).commands == ("sudo reboot",)


def test_in_a_container_the_remedy_is_the_container_s() -> None:
    lost = given.driver(nvml=given.nvml_error(999, "UNKNOWN"), node_errors={"/dev/nvidiactl": "EPERM"})
    (finding,) = answers(lost, container="docker")
    assert "/dev/nvidiactl cannot be opened: EPERM" in finding.message
    assert "systemd" in fix_of(finding).summary
    assert fix_of(finding).commands == ()


def test_a_command_for_one_gpu_is_made_one_for_the_driver() -> None:
    (finding,) = answers(given.driver(nvml=given.nvml_error(16, "RESET_REQUIRED")))
    assert fix_of(finding).commands == ("sudo nvidia-smi --gpu-reset",)


@pytest.mark.parametrize(
    ("driver", "host", "reason"),
    [
        (given.nothing(), {}, "no NVIDIA GPU or driver here"),
        (given.nothing(linux=False, pci=None), {"system": "Windows"}, "no NVIDIA GPU or driver here"),
        (given.nothing(kernel_version="550.1"), {"container": "docker"}, "this container was given no NVIDIA GPU"),
        (given.nothing(pci=(given.PCI,)), {}, "no NVIDIA driver is loaded"),
        (given.driver(nvml=NvmlState("not asked", detail="ended")), {}, "NVML could not be asked: ended"),
    ],
)
def test_where_there_is_nothing_to_answer(driver: DriverFacts, host: dict[str, Any], reason: str) -> None:
    with pytest.raises(Skip) as skip:
        answers(driver, **host)
    assert skip.value.reason == reason
    assert skip.value.unknown is (driver.nvml.status == "not asked")


def test_the_library_is_missing_beside_a_loaded_module() -> None:
    (finding,) = answers(given.driver(nvml=NO_LIBRARY))
    assert "although the driver's kernel module 550.54.14 is there" in finding.message
    assert "install the NVIDIA driver" in fix_of(finding).summary
    (finding,) = answers(given.driver(nvml=NO_LIBRARY, kernel_version=None), container="podman")
    assert "although the driver's device nodes are there" in finding.message
    assert "NVIDIA_DRIVER_CAPABILITIES" in fix_of(finding).summary


def test_wsl_has_its_library_elsewhere() -> None:
    (finding,) = answers(given.nothing(nvml=NO_LIBRARY, dxg=True, wsl_library=True), wsl=2)
    assert "Windows provides it in /usr/lib/wsl/lib" in finding.message
    assert fix_of(finding).commands == ("export LD_LIBRARY_PATH=/usr/lib/wsl/lib:$LD_LIBRARY_PATH",)


@pytest.mark.parametrize("status", ["no library", "error"])
def test_a_jetson_is_not_covered(status: str) -> None:
    state = NvmlState(status, 12, "LIBRARY_NOT_FOUND", "nvmlInit")
    jetson = given.nothing(nvml=state, tegra=True, kernel_version="35.4.1", nodes=("/dev/nvidiactl",))
    with pytest.raises(Skip, match="Jetson") as skip:
        answers(jetson)
    assert skip.value.unknown
    with pytest.raises(Skip, match="Jetson") as skip:
        required(jetson)
    assert skip.value.unknown
    assert required(jetson, smoke=given.smoke("GPU:0")) == []


# --- GPU102


def required(
    driver: DriverFacts,
    expectations: Expectations = REQUIRED,
    smoke: SmokeFacts | Unavailable = UNSEEN,
    tensorflow: TensorFlowFacts | Unavailable = UNSEEN,
) -> list[Finding]:
    return list(gpu_is_there.judge(driver, expectations, smoke, tensorflow, UNSEEN, UNSEEN, literals.host()))


def test_nobody_asked_for_a_gpu() -> None:
    with pytest.raises(Skip, match="no GPU is required"):
        required(given.nothing(), Expectations())


def test_a_gpu_of_another_make_on_which_it_really_trained_will_do() -> None:
    assert gpu_is_there.tolerates == {"smoke", "tensorflow", "cuda", "others"}
    rocm = given.tensorflow(is_cuda=False, is_rocm=True, cuda=None)
    assert required(given.nothing(), smoke=given.smoke("GPU:0"), tensorflow=rocm) == []
    for smoke in (UNSEEN, given.smoke("CPU:0"), given.smoke("GPU:0", "failed"), given.smoke("")):
        with pytest.raises(Skip, match="AMD") as skip:
            required(given.nothing(), smoke=smoke, tensorflow=rocm)
        assert skip.value.unknown
        (finding,) = required(given.nothing(), smoke=smoke, tensorflow=given.tensorflow())
        assert finding.severity is None


@pytest.mark.parametrize("status", ["not covered", "not asked"])
def test_where_nobody_looked_the_smoke_run_can_tell(status: str) -> None:
    driver = DriverFacts(NvmlState(status, detail="on Darwin"))
    assert required(driver, smoke=given.smoke("GPU:0")) == []
    with pytest.raises(Skip) as skip:
        required(driver)
    assert skip.value.unknown


@pytest.mark.parametrize(
    "expectations",
    [Expectations(require_gpu=True), Expectations(device="gpu"), Expectations(min_gpu_memory=1)],
)
def test_a_required_gpu_is_there_or_not(expectations: Expectations) -> None:
    assert required(given.driver(), expectations) == []
    (finding,) = required(given.nothing(), expectations)
    assert finding.message.endswith("there is no NVIDIA GPU or driver here")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"device_count": 0, "usable_devices": 0}, "the driver works and reports no GPU"),
        ({"device_count": 2, "usable_devices": 0}, "counts 2 GPU(s) and can open none"),
        ({"nvml": NO_LIBRARY, "device_count": None, "usable_devices": None}, "cannot be loaded"),
    ],
)
def test_why_no_gpu_can_be_used(changes: dict[str, Any], said: str) -> None:
    (finding,) = required(given.driver(**changes))
    assert said in finding.message


def test_a_driver_that_hung_after_it_opened_a_gpu_has_one() -> None:
    hung = NvmlState("hung", call="nvmlDeviceGetMemoryInfo", device=1, seconds=20.0)
    assert required(dataclasses.replace(given.driver(), nvml=hung)) == []
