"""GPU105, GPU106 and GPU108: variables that hide the GPU."""

from __future__ import annotations

import gpu_literals as given
import literals
import pytest

from envcheck.checks.gpu_hidden import cuda_visible_devices, driver_capabilities, nvidia_visible_devices
from envcheck.findings import Finding, Severity, Skip
from envcheck.inventory import Expectations

TWO = given.gpu(given.device(0), given.device(1))
REQUIRED = Expectations(device="gpu")


def hidden(value: str | None, expectations: Expectations | None = None, **more: str) -> list[Finding]:
    variables = more if value is None else {"CUDA_VISIBLE_DEVICES": value, **more}
    facts = literals.environment(**variables)
    return list(cuda_visible_devices.judge(TWO, facts, literals.host(), expectations or Expectations()))


@pytest.mark.parametrize("value", [None, "0", "1,0", "GPU-00000002"])
def test_a_gpu_that_is_chosen_is_not_hidden(value: str | None) -> None:
    assert hidden(value) == []


@pytest.mark.parametrize("value", ["", "-1"])
def test_hidden_on_purpose(value: str) -> None:
    (finding,) = hidden(value)
    assert f"CUDA_VISIBLE_DEVICES={value!r} hides every GPU" in finding.message
    assert finding.severity is Severity.WARNING
    (finding,) = hidden(value, REQUIRED)
    assert finding.severity is None


@pytest.mark.parametrize(
    ("value", "said", "severity"),
    [
        ("2", "'2' names none of the driver's 2 GPU(s), which hides every GPU", None),
        ("GPU-dead", "'GPU-dead' names none", None),
        ("1,1", "lists 1 twice", None),
        (
            "0,5,1",
            "'5' names none of the driver's 2 GPU(s), which hides the GPUs listed from there on",
            Severity.WARNING,
        ),
    ],
)
def test_hidden_by_mistake(value: str, said: str, severity: Severity | None) -> None:
    (finding,) = hidden(value)
    assert said in finding.message
    assert finding.severity is severity
    assert finding.fix is not None
    assert finding.fix.commands[1] == "unset CUDA_VISIBLE_DEVICES"


def test_under_slurm_the_scheduler_decides() -> None:
    (finding,) = hidden("NoDevFiles", SLURM_JOB_ID="7")
    assert finding.fix is not None
    assert "Slurm" in finding.fix.summary


def test_no_gpu_that_could_be_hidden() -> None:
    lost = given.gpu(given.device(failure="GPU_IS_LOST"))
    facts = literals.environment(CUDA_VISIBLE_DEVICES="0")
    with pytest.raises(Skip):
        list(cuda_visible_devices.judge(lost, facts, literals.host(), Expectations()))


# --- GPU106


def capabilities(value: str | None, container: str | None = "docker") -> list[Finding]:
    facts = literals.environment(**({} if value is None else {"NVIDIA_DRIVER_CAPABILITIES": value}))
    return list(driver_capabilities.judge(given.driver(), facts, literals.host(container=container)))


@pytest.mark.parametrize("value", [None, "", "all", "compute,utility", "utility, compute ,video"])
def test_all_parts_are_asked_for(value: str | None) -> None:
    assert capabilities(value) == []


@pytest.mark.parametrize(
    ("value", "said", "severity"),
    [
        ("utility", "lacks compute", None),
        ("compute", "lacks utility", Severity.WARNING),
        ("video", "lacks compute and utility", None),
    ],
)
def test_a_part_is_left_out(value: str, said: str, severity: Severity | None) -> None:
    (finding,) = capabilities(value)
    assert said in finding.message
    assert finding.severity is severity


def test_outside_of_containers_nobody_reads_it() -> None:
    with pytest.raises(Skip):
        capabilities("utility", container=None)
    facts = literals.environment(NVIDIA_DRIVER_CAPABILITIES="utility")
    with pytest.raises(Skip):
        list(driver_capabilities.judge(given.nothing(), facts, literals.host(container="docker")))


# --- GPU108


BARRED = given.nothing(pci=(given.PCI,))


@pytest.mark.parametrize("value", ["", "none", "void"])
def test_the_runtime_is_told_to_keep_gpus_out(value: str) -> None:
    facts, host = literals.environment(NVIDIA_VISIBLE_DEVICES=value), literals.host(container="docker")
    (finding,) = nvidia_visible_devices.judge(BARRED, facts, host, Expectations())
    assert finding.severity is Severity.NOTE  # a container for the CPU has it on purpose
    (finding,) = nvidia_visible_devices.judge(given.nothing(), facts, host, REQUIRED)
    assert finding.severity is None
    # A privileged container has the GPU all the same.
    assert list(nvidia_visible_devices.judge(given.driver(), facts, host, REQUIRED)) == []


def test_the_runtime_may_hand_gpus_in() -> None:
    facts, host = literals.environment(NVIDIA_VISIBLE_DEVICES="all"), literals.host(container="docker")
    assert list(nvidia_visible_devices.judge(BARRED, facts, host, Expectations())) == []
    for driver, place in ((given.nothing(), host), (BARRED, literals.host())):
        with pytest.raises(Skip):
            list(nvidia_visible_devices.judge(driver, facts, place, Expectations()))
