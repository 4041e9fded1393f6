"""GPU302 to GPU305: compute mode, MIG, memory errors, GPUs that do not answer."""

from __future__ import annotations

from typing import Any

import gpu_literals as given
import literals
import pytest

from envcheck.checks.gpu_state import compute_mode, ecc_errors, every_gpu_answers, mig_instance
from envcheck.findings import Check, Finding, Severity, Skip
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.gpu import Device


def judge(check: Check, *devices: Device, **variables: str) -> list[Finding]:
    return list(check.judge(given.gpu(*devices), literals.environment(**variables)))


def answering(*devices: Device, **host: Any) -> list[Finding]:
    return list(every_gpu_answers.judge(given.gpu(*devices), load_matrix(), literals.host(**host)))


def test_a_gpu_in_order() -> None:
    for check in (compute_mode, mig_instance, ecc_errors):
        assert judge(check) == []
        with pytest.raises(Skip, match="no GPU is visible"):
            judge(check, CUDA_VISIBLE_DEVICES="-1")
    assert answering() == []


def test_prohibited() -> None:
    (finding,) = judge(compute_mode, given.device(3, compute_mode="prohibited"))
    assert finding.message.startswith("GPU 3 (NVIDIA H100) is in compute mode 'prohibited'")
    assert finding.fix is not None
    assert finding.fix.commands == ("sudo nvidia-smi -i 3 -c 0",)


def test_exclusive_and_taken() -> None:
    taken = given.device(compute_mode="exclusive process", processes=(given.process(7, 1),))
    (finding,) = judge(compute_mode, taken)
    assert "process 7 has it" in finding.message
    named = given.device(compute_mode="exclusive process", processes=(given.process(7, 1, name="python"),))
    assert "process 7 (python) has it" in judge(compute_mode, named)[0].message
    assert judge(compute_mode, taken, CUDA_MPS_PIPE_DIRECTORY="/tmp/mps") == []  # noqa: S108 - a value, no file
    assert judge(compute_mode, given.device(compute_mode="exclusive process")) == []
    for kind in ("graphics", "mps"):
        other = given.device(compute_mode="exclusive process", processes=(given.process(7, 1, kind),))
        assert judge(compute_mode, other) == []


def test_mig_without_an_instance() -> None:
    (finding,) = judge(mig_instance, given.device(mig=True, mig_pending=True, mig_instances=()))
    assert "has no instance" in finding.message
    assert finding.severity is None
    assert judge(mig_instance, given.device(mig=True, mig_pending=True, mig_instances=(given.instance(1),))) == []
    # Whether there are instances was not told: that is no reason to say that there are none, nor that there are.
    with pytest.raises(Skip, match="which MIG instances") as skip:
        judge(mig_instance, given.device(mig=True, mig_pending=True, mig_instances=None))
    assert skip.value.unknown
    (finding,) = judge(mig_instance, given.device(mig=False, mig_pending=True))
    assert finding.severity is Severity.NOTE
    assert "MIG is off and will be on after the next reset" in finding.message


def test_mig_without_an_instance_beside_a_usable_gpu() -> None:
    sliced = given.device(7, mig=True, mig_pending=True, mig_instances=())
    (finding,) = judge(mig_instance, *(given.device(index) for index in range(7)), sliced)
    assert finding.severity is Severity.WARNING
    (finding,) = judge(mig_instance, given.device(0), sliced, CUDA_VISIBLE_DEVICES="GPU-00000008")
    assert finding.severity is None


def test_uncorrected_errors() -> None:
    (finding,) = judge(ecc_errors, given.device(ecc_uncorrected=3))
    assert "had 3 uncorrected memory error(s) since the driver" in finding.message
    for errors in ({}, {"ecc_uncorrected": "NOT_SUPPORTED"}):
        with pytest.raises(Skip, match="counts no memory errors") as skip:
            judge(ecc_errors, given.device(ecc_uncorrected=None, errors=errors))
        assert skip.value.unknown is (errors == {})


def test_envcheck_s_own_smoke_run_takes_no_gpu_from_others() -> None:
    own, other = given.process(7, 1, own=True), given.process(8, 1)
    assert judge(compute_mode, given.device(compute_mode="exclusive process", processes=(own,))) == []
    (finding,) = judge(compute_mode, given.device(compute_mode="exclusive process", processes=(own, other)))
    assert "process 8 has it" in finding.message


def test_a_compute_mode_that_nobody_tells() -> None:
    for errors in ({}, {"compute_mode": "NOT_SUPPORTED"}):
        with pytest.raises(Skip, match="no compute mode") as skip:
            judge(compute_mode, given.device(compute_mode=None, errors=errors))
        assert skip.value.unknown is (errors == {})


def test_eight_gpus_with_one_trouble_make_one_finding() -> None:
    def eight(**changes: Any) -> list[Device]:
        return [given.device(index, **changes) for index in range(8)]

    (finding,) = judge(compute_mode, *eight(compute_mode="prohibited"))
    assert finding.message.startswith("GPU 0–7 (NVIDIA H100) are in compute mode 'prohibited'")
    assert finding.fix is not None
    assert finding.fix.commands == ("sudo nvidia-smi -c 0",)
    held = [given.device(n, compute_mode="exclusive process", processes=(given.process(40 + n, 1),)) for n in (0, 1)]
    (finding,) = judge(compute_mode, *held, given.device(2))
    assert "GPU 0, 1 (NVIDIA H100) are in compute mode 'exclusive process' and processes have them (40, 41)" in (
        finding.message
    )
    assert finding.fix is not None
    assert finding.fix.commands == ("sudo nvidia-smi -i 0 -c 0", "sudo nvidia-smi -i 1 -c 0")
    (finding,) = judge(mig_instance, *eight(mig=True, mig_pending=True, mig_instances=()))
    assert finding.fix is not None
    assert finding.fix.commands == ("sudo nvidia-smi mig -lgip", "sudo nvidia-smi mig -cgi 19 -C")
    assert len(judge(mig_instance, *eight(mig_pending=True))) == 1
    (finding,) = judge(ecc_errors, *eight(ecc_uncorrected=1))
    assert "had 1 uncorrected memory error(s) each since" in finding.message
    (finding,) = answering(*eight(failure="GPU_IS_LOST", name=None))
    assert finding.message.startswith("GPU 0–7 do not answer: NVML says GPU_IS_LOST")
    assert len(answering(given.device(0, failure="GPU_IS_LOST"), given.device(1, failure="IRQ_ISSUE"))) == 2


@pytest.mark.parametrize("row", load_matrix().nvml, ids=lambda row: row.name)
def test_a_gpu_that_cannot_be_opened(row: Any) -> None:
    (finding,) = answering(given.device(2, name=None, failure=row.name))
    assert finding.message == f"GPU 2 does not answer: NVML says {row.name}: {row.meaning}"
    assert finding.fix is not None
    assert finding.fix.summary == row.remedy
    assert not any("{index}" in command for command in finding.fix.commands)
    if row.container:
        (finding,) = answering(given.device(2, failure=row.name), container="docker")
        assert finding.fix is not None
        assert finding.fix.summary == row.container


def test_a_code_that_nobody_knows() -> None:
    (finding,) = answering(given.device(failure="CODE_77"))
    assert "CODE_77: an unknown code" in finding.message


def test_a_gpu_that_is_lost_says_so_to_any_question() -> None:
    (finding,) = answering(given.device(errors={"ecc": "NOT_SUPPORTED", "memory": "GPU_IS_LOST"}))
    assert "GPU_IS_LOST" in finding.message
    assert answering(given.device(errors={"ecc": "NOT_SUPPORTED"})) == []


def test_a_gpu_of_somebody_else_is_no_fault() -> None:
    assert answering(given.device(0), given.device(1, failure="NO_PERMISSION")) == []
    (finding,) = answering(given.device(0, failure="NO_PERMISSION"))
    assert "NO_PERMISSION" in finding.message


def test_a_gpu_on_which_nvml_hung_is_gpu101_s_to_report() -> None:
    assert (
        answering(given.device(failure="NO_ANSWER"), given.device(1, errors={"nvmlDeviceGetUUID": "NO_ANSWER"})) == []
    )
