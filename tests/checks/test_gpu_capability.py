"""GPU203, GPU204 and GPU205: code for the GPU's compute capability."""

from __future__ import annotations

from typing import Any

import gpu_literals as given
import literals
import pytest

from envcheck.checks.gpu_capability import blackwell, code_for_gpu, machine_code_for_gpu
from envcheck.findings import Finding, Severity, Skip
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.tensorflow import TensorFlowFacts


def judged(
    *capabilities: str | None, tensorflow: TensorFlowFacts | None = None, **more: Any
) -> dict[str, list[Finding]]:
    """The findings of all three, by code."""
    gpu = given.gpu(*(given.device(index, compute_capability=each) for index, each in enumerate(capabilities)))
    python = literals.python(**more.pop("python", {}))
    driver = given.driver(**more.pop("driver", {"driver_version": "570.26"}))
    tensorflow, keras, matrix = tensorflow or given.tensorflow(), more.pop("keras", given.keras()), load_matrix()
    environment, host = literals.environment(**more.pop("environment", {})), literals.host(**more)
    return {
        "GPU203": list(code_for_gpu.judge(gpu, tensorflow, keras, environment, matrix, host, python)),
        "GPU204": list(machine_code_for_gpu.judge(gpu, driver, tensorflow, keras, environment, matrix, host)),
        "GPU205": list(blackwell.judge(gpu, tensorflow, keras, environment, matrix, host)),
    }


def codes(found: dict[str, list[Finding]]) -> list[str]:
    return [code for code, findings in found.items() if findings]


@pytest.mark.parametrize(
    ("capability", "sass", "ptx", "expected"),
    [
        ("9.0", ("9.0",), (), []),
        ("8.6", ("8.0",), (), []),  # same major, higher minor
        ("7.5", ("7.0", "8.0"), (), []),
        ("8.0", ("8.6",), (), ["GPU203"]),  # same major, lower minor
        ("5.2", ("6.0", "9.0"), ("9.0",), ["GPU203"]),
        ("9.0", ("8.0",), ("8.0",), ["GPU204"]),
        ("9.0", ("8.0",), (), ["GPU203"]),
        ("9.0", ("9.0a",), (), []),
        ("12.0", ("9.0",), ("9.0",), ["GPU205"]),
        ("12.0", ("9.0",), ("9.0a",), ["GPU203"]),  # the letter ties it to 9.0
        ("12.0", ("9.0", "12.0"), ("12.0",), []),
        ("10.0", ("9.0",), ("9.0",), ["GPU205"]),
        ("8.0", (), ("7.0",), ["GPU204"]),
        ("8.7", ("8.0",), (), ["GPU203"]),  # a Jetson runs its own machine code only
        ("8.7", ("8.0",), ("8.0",), ["GPU204"]),
        ("8.7", ("8.7",), (), []),
        ("8.9", ("8.7",), (), ["GPU203"]),
        ("7.2", ("7.0",), (), ["GPU203"]),
    ],
)
def test_who_may_run_what(capability: str, sass: tuple[str, ...], ptx: tuple[str, ...], expected: list[str]) -> None:
    assert codes(judged(capability, tensorflow=given.tensorflow(sass=sass, ptx=ptx))) == expected


def test_a_gpu_that_is_too_old_is_shown_the_last_series() -> None:
    (finding,) = judged("5.2", python={"version_info": (3, 12, 4)})["GPU203"]
    assert "GPU 0 (NVIDIA H100) has compute capability 5.2" in finding.message
    assert "has code for 6.0, 7.0, 8.0, 8.9, 9.0 and PTX for 9.0 and newer" in finding.message
    assert finding.fix is not None
    assert finding.fix.commands == ("/srv/venv/bin/python -m pip install 'tensorflow[and-cuda]==2.16.*'",)
    (finding,) = judged("5.2", python={"version_info": (3, 13, 1)})["GPU203"]
    assert finding.fix is not None
    assert finding.fix.commands == ()
    assert "needs Python 3.9 to 3.12" in finding.fix.summary


def test_one_gpu_that_works_is_enough() -> None:
    (finding,) = judged("9.0", "3.0")["GPU203"]
    assert finding.severity is Severity.WARNING
    assert codes(judged("9.0", "3.0", environment={"CUDA_VISIBLE_DEVICES": "0"})) == []
    (finding,) = judged("9.0", "3.0", environment={"CUDA_VISIBLE_DEVICES": "1"})["GPU203"]
    assert finding.severity is None


def test_ptx_needs_the_driver_of_its_toolkit() -> None:
    newer = given.tensorflow(version="2.15.1", sass=("8.0",), ptx=("8.0",), cuda="12.2")
    (finding,) = judged("9.0", tensorflow=newer, driver={"driver_version": "525.60.13"})["GPU204"]
    assert finding.severity is Severity.ERROR
    assert "cannot compile its PTX: that needs 535.54.03" in finding.message
    (finding,) = judged("9.0", tensorflow=newer)["GPU204"]
    assert finding.severity is None
    assert "at the first start, which can take half an hour" in finding.message
    (finding,) = judged("9.0", tensorflow=newer, environment={"CUDA_CACHE_DISABLE": "1"})["GPU204"]
    assert "at every start" in finding.message


def test_blackwell_is_said_to_be_reported_and_no_more() -> None:
    (finding,) = judged("12.0")["GPU205"]
    assert "users report that the first operation then fails" in finding.message
    assert finding.severity is Severity.ERROR
    (finding,) = judged("10.0")["GPU205"]
    assert "for this GPU no report is known" in finding.message
    assert finding.severity is Severity.WARNING
    assert codes(judged("12.0", tensorflow=given.tensorflow(version="2.22.0"))) == ["GPU204"]


def test_the_matrix_knows_the_wheels_of_pypi() -> None:
    silent = given.tensorflow(version="2.15.1", sass=(), ptx=())
    assert codes(judged("9.0", tensorflow=silent)) == ["GPU204"]
    for unknown in (
        given.tensorflow(version="2.15.1", vendor="conda", sass=(), ptx=()),
        given.tensorflow(version="3.99.0", sass=(), ptx=()),
        given.tensorflow(is_cuda=False),
    ):
        with pytest.raises(Skip):
            judged("9.0", tensorflow=unknown)
    with pytest.raises(Skip):
        judged("9.0", tensorflow=silent, machine="aarch64")


def test_no_visible_gpu() -> None:
    with pytest.raises(Skip) as skip:
        judged("9.0", environment={"CUDA_VISIBLE_DEVICES": ""})
    assert not skip.value.unknown
    with pytest.raises(Skip) as skip:
        judged(None)
    assert skip.value.unknown


def test_on_another_backend_tensorflow_s_code_says_nothing() -> None:
    for check in (code_for_gpu, machine_code_for_gpu, blackwell):
        facts: dict[str, Any] = {
            "gpu": given.gpu(given.device(compute_capability="3.0")), "driver": given.driver(),
            "tensorflow": given.tensorflow(), "keras": given.keras(backend="jax"), "matrix": load_matrix(),
            "environment": literals.environment(), "host": literals.host(), "python": literals.python(),
        }  # fmt: skip
        with pytest.raises(Skip, match="Keras runs on jax here"):
            list(check.judge(*(facts[name] for name in check.facts)))
    assert codes(judged("3.0", keras=given.keras("2.15.0", "jax"))) == ["GPU203"]


def test_the_drivers_of_jetsons_are_numbered_in_another_way() -> None:
    newer = given.tensorflow(version="2.15.1", sass=("8.0",), ptx=("8.0",), cuda="12.2")
    (finding,) = judged("8.7", tensorflow=newer, driver={"driver_version": "35.4.1", "tegra": True})["GPU204"]
    assert finding.severity is None


def test_eight_gpus_with_one_trouble_make_one_finding() -> None:
    (finding,) = judged(*["5.2"] * 8)["GPU203"]
    assert finding.message.startswith("GPU 0–7 (NVIDIA H100) have compute capability 5.2; ")
    assert finding.evidence["gpus"] == list(range(8))
    assert finding.severity is None
    assert [len(found) for found in judged("5.2", "9.0", "12.0", "5.2", "12.0").values()] == [1, 0, 1]
    (finding,) = judged("5.2", "9.0", "12.0", "5.2")["GPU203"]
    assert finding.message.startswith("GPU 0, 3 (NVIDIA H100) have")
    assert finding.severity is Severity.WARNING
