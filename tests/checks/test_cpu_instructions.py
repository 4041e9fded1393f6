"""ENV106: the instructions of the processor."""

from __future__ import annotations

from typing import Any

import literals
import pytest

from envcheck.checks.cpu_instructions import cpu_instructions
from envcheck.findings import Finding, Skip
from envcheck.knowledge.matrix import load_matrix

OLD = ("sse4_1", "sse4_2")


def judge(*installed: Any, **changes: Any) -> list[Finding]:
    return list(
        cpu_instructions.judge(
            literals.host(**changes), literals.python(), literals.packages(*installed), load_matrix()
        )
    )


def test_a_processor_with_avx_passes() -> None:
    assert judge(literals.tensorflow()) == []
    assert judge() == []


def test_without_avx_the_wheels_cannot_run() -> None:
    (finding,) = judge(literals.tensorflow(), instruction_sets=OLD)
    assert "Intel(R) Xeon(R)) has no AVX, which the wheel of tensorflow 2.21.0 needs" in finding.message
    (finding,) = judge(instruction_sets=OLD)
    assert "every TensorFlow wheel of today" in finding.message


def test_a_virtual_machine_may_be_hiding_it() -> None:
    (finding,) = judge(literals.tensorflow(), instruction_sets=OLD, virtual_machine="KVM")
    assert finding.fix is not None
    assert "-cpu host" in finding.fix.summary


def test_releases_before_1_6_need_none() -> None:
    assert judge(literals.tensorflow("1.5.1", "manylinux1_x86_64"), instruction_sets=OLD) == []


def test_2_4_0_alone_needs_avx2() -> None:
    avx = (*OLD, "avx")
    (finding,) = judge(literals.tensorflow("2.4.0", "manylinux2010_x86_64"), instruction_sets=avx)
    assert "no AVX2" in finding.message
    assert finding.fix is not None
    assert "'tensorflow==2.4.*'" in finding.fix.commands[0]
    assert judge(literals.tensorflow("2.4.1", "manylinux2010_x86_64"), instruction_sets=avx) == []


def test_rosetta_hides_avx() -> None:
    (finding,) = judge(system="Darwin", rosetta=True, instruction_sets=None)
    assert "Rosetta 2" in finding.message
    assert finding.fix is not None
    assert "cpython-3.12-macos-aarch64" in finding.fix.commands[0]


@pytest.mark.parametrize(
    ("installed", "changes"),
    [
        (literals.tensorflow(), {"machine": "aarch64", "instruction_sets": ("asimd",)}),
        (literals.tensorflow(), {"instruction_sets": None}),
        (literals.tensorflow(installer="conda"), {"instruction_sets": OLD}),
        (literals.tensorflow(tag="linux_x86_64"), {"instruction_sets": OLD}),
        (literals.tensorflow(), {"system": "Darwin", "machine": "arm64", "rosetta": False, "instruction_sets": None}),
    ],
)
def test_elsewhere_it_is_not_known_or_not_asked(installed: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(Skip):
        judge(installed, **changes)
