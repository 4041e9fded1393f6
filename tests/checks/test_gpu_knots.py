"""GPU206: faults of releases that appear only on a GPU; and what the table of them may say."""

from __future__ import annotations

from typing import Any

import gpu_literals as given
import literals
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.checks.gpu_knots import gpu_knots
from envcheck.findings import Finding, Severity, Skip
from envcheck.inventory import Unavailable
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.gpu_libraries import GpuLibrariesFacts

MATRIX = load_matrix()


def judged(
    version: str,
    capability: str = "9.0",
    cudnn: str | None = "9.10.2.21",
    gpus: int = 1,
    libraries: GpuLibrariesFacts | None = None,
    **variables: str,
) -> list[Finding]:
    gpu = given.gpu(*(given.device(index, compute_capability=capability) for index in range(gpus)))
    wheels = [literals.distribution("tensorflow", version)]
    if cudnn:
        wheels.append(literals.distribution("nvidia-cudnn-cu12", cudnn))
        wheels.append(literals.distribution("nvidia-cuda-runtime-cu12", "12.5.82"))
    packages = literals.packages(*wheels)
    environment = literals.environment(**variables)
    tensorflow = given.tensorflow(version=version)
    unseen = Unavailable("this inventory holds no gpu_libraries facts")
    return list(gpu_knots.judge(tensorflow, packages, gpu, environment, literals.python(), MATRIX, libraries or unseen))


def ids(found: list[Finding]) -> list[str]:
    return [str(finding.evidence["knot"]) for finding in found]


@pytest.mark.parametrize(
    ("version", "more", "expected"),
    [
        ("2.21.0", {}, ["cusolver-run-path-2.21.0"]),
        ("2.21.0", {"cudnn": None}, []),  # the CUDA libraries are the system's: another run path counts
        ("2.16.1", {"cudnn": "8.9.7.29"}, ["run-path-2.16.1"]),
        ("2.16.2", {"cudnn": "8.9.7.29"}, []),
        ("2.20.0", {}, []),
        ("2.20.0", {"gpus": 2}, []),  # it has NCCL linked in
        ("2.20.0", {"cudnn": "9.28.0.42", "capability": "7.0"}, ["cudnn-without-old-kernels"]),
        ("2.20.0", {"cudnn": "9.28.0.42", "capability": "7.5"}, []),
        ("2.20.0", {"cudnn": "9.10.2.21", "capability": "7.0"}, []),
        ("2.20.0", {"cudnn": "9.1.0.70"}, ["cudnn-older-than-9.3"]),
        ("2.18.1", {"cudnn": "9.3.0.75"}, []),
        ("2.15.1", {"cudnn": "8.6.0.163"}, ["cudnn-older-than-8.9"]),
        ("2.15.1", {"cudnn": "8.9.4.25"}, []),
        ("2.20.0", {"capability": "12.0"}, []),  # that is GPU205
    ],
)
def test_each_fault_and_its_absence(version: str, more: dict[str, object], expected: list[str]) -> None:
    assert ids(judged(version, **more)) == expected  # type: ignore[arg-type]


def test_the_finding_names_the_release_to_move_to() -> None:
    (finding,) = judged("2.21.0")
    assert "libcusolver.so.11" in finding.message
    assert finding.fix is not None
    assert finding.fix.commands == ("/srv/venv/bin/python -m pip install 'tensorflow[and-cuda]==2.20.0'",)
    assert finding.severity is Severity.ERROR


def test_with_the_folder_on_the_path_the_fault_is_mended() -> None:
    assert judged("2.21.0", LD_LIBRARY_PATH="/x:/srv/venv/lib/python3.12/site-packages/nvidia/cusolver/lib") == []
    assert judged("2.21.0", LD_LIBRARY_PATH="/srv/nvidia/nccl/lib") != []


def test_what_another_check_sees_by_itself_is_left_to_it() -> None:
    seen = GpuLibrariesFacts("/srv/site-packages/tensorflow/libtensorflow_framework.so.2", ())
    assert judged("2.21.0", libraries=seen) == []
    assert judged("2.20.0", cudnn="9.1.0.70", libraries=seen) == []
    assert ids(judged("2.20.0", cudnn="9.28.0.42", capability="7.0", libraries=seen)) == ["cudnn-without-old-kernels"]


@pytest.mark.parametrize(
    ("build", "unknown"), [({"vendor": "nvidia"}, True), ({"is_cuda": False}, False), ({"is_cuda": None}, True)]
)
def test_another_build_is_not_judged(build: dict[str, Any], unknown: bool) -> None:
    facts = (
        given.tensorflow(**build),
        literals.packages(),
        given.gpu(),
        literals.environment(),
        literals.python(),
        MATRIX,
        Unavailable("not asked"),
    )
    with pytest.raises(Skip) as caught:
        list(gpu_knots.judge(*facts))
    assert caught.value.unknown is unknown


@pytest.mark.parametrize("knot", MATRIX.gpu_knots, ids=lambda knot: knot.id)
def test_a_row_names_releases_that_exist(knot: object) -> None:
    row = next(each for each in MATRIX.gpu_knots if each is knot)
    wanted = SpecifierSet(row.tensorflow)
    named = [each for each in MATRIX.releases.of("tensorflow") if wanted.contains(each.version)]
    assert named
    for text in row.install:
        requirement = Requirement(text)
        if requirement.name == "tensorflow":
            assert any(
                requirement.specifier.contains(Version(each.version)) for each in MATRIX.releases.of("tensorflow")
            )
