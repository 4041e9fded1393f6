"""SMK108: the GPU is there and the model trained on the CPU."""

from __future__ import annotations

import pytest
from literals import SITE, distribution, environment, packages, python, tensorflow

from envcheck.checks.gpu_used import gpu_used
from envcheck.findings import Finding, Skip
from envcheck.inventory import Unavailable
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.gpu import Device, GpuFacts
from envcheck.probes.smoke import STEPS, SmokeFacts, Step
from envcheck.probes.tensorflow import BuildFacts, TensorFlowFacts

GPU = GpuFacts(1, (Device(0, "NVIDIA H100"),))


def smoke(device: str, status: str = "ok", wanted: str = "auto") -> SmokeFacts:
    steps = tuple(Step(name, status, 0.1, device=device) for name in STEPS)
    output = "Cannot dlopen some GPU libraries.\nnothing of interest\n"
    return SmokeFacts("tensorflow", wanted, "answered", 3.0, 300.0, steps, {}, {}, output=output)


def judge(facts: SmokeFacts, gpu: GpuFacts = GPU, **variables: str) -> list[Finding]:
    found = packages(tensorflow("2.16.2"))
    unseen = Unavailable("not looked at")
    return list(gpu_used.judge(facts, gpu, environment(**variables), found, python(), unseen, load_matrix()))


def test_training_on_the_gpu_passes() -> None:
    assert judge(smoke("GPU:0")) == []


def test_training_on_the_cpu_beside_a_gpu_is_an_error() -> None:
    (finding,) = judge(smoke("CPU:0"))
    assert finding.message.startswith("tensorflow trained on CPU:0 although the driver reports GPU 0 (NVIDIA H100)")
    assert finding.evidence["log"] == "Cannot dlopen some GPU libraries."
    assert finding.fix is not None
    assert finding.fix.commands == ("/srv/venv/bin/python -m pip install 'tensorflow[and-cuda]==2.16.2'",)


def test_with_the_libraries_installed_the_fix_names_them_instead() -> None:
    build = BuildFacts(is_cuda=True, sonames=("libcudart.so.12", "libcudnn.so.9"))
    facts = TensorFlowFacts("tensorflow", "2.21.0", SITE, "pip", "pypi", None, build=build)
    found = packages(tensorflow(), distribution("nvidia-cudnn-cu12", "9.3.0.75"))
    (finding,) = gpu_used.judge(smoke("CPU:0"), GPU, environment(), found, python(), facts, load_matrix())
    assert finding.fix is not None
    assert "It opens libcudart.so.12, libcudnn.so.9." in finding.fix.summary
    assert finding.fix.commands == (f"export LD_LIBRARY_PATH=$(printf '%s:' {SITE}/nvidia/*/lib)$LD_LIBRARY_PATH",)


@pytest.mark.parametrize(
    ("facts", "gpu", "variables"),
    [
        (smoke("CPU:0", wanted="cpu"), GPU, {}),
        (smoke("CPU:0"), GPU, {"CUDA_VISIBLE_DEVICES": ""}),
        (smoke("CPU:0", status="failed"), GPU, {}),
        (smoke("CPU:0"), GpuFacts(1, (Device(0, failure="GPU_IS_LOST"),)), {}),
    ],
)
def test_otherwise_the_question_does_not_arise(facts: SmokeFacts, gpu: GpuFacts, variables: dict[str, str]) -> None:
    with pytest.raises(Skip):
        judge(facts, gpu, **variables)
