"""ENV105: the C library against the wheel tag."""

from __future__ import annotations

from typing import Any

import literals
import pytest

from envcheck.checks.libc import libc
from envcheck.findings import Finding, Skip


def judge(*installed: Any, **changes: Any) -> list[Finding]:
    return list(libc.judge(literals.python(**changes), literals.packages(*installed), literals.matrix()))


@pytest.mark.parametrize(
    ("tag", "floor"),
    [
        ("manylinux_2_27_x86_64", "2.27"),
        ("manylinux1_x86_64", "2.5"),
        ("manylinux2010_x86_64", "2.12"),
        ("manylinux2014_aarch64", "2.17"),
    ],
)
def test_glibc_is_held_against_the_floor_of_the_tag(tag: str, floor: str) -> None:
    major, minor = floor.split(".")
    assert judge(literals.tensorflow(tag=tag), libc_version=floor) == []
    (finding,) = judge(literals.tensorflow(tag=tag), libc_version=f"{major}.{int(minor) - 1}")
    assert f"needs glibc {floor}" in finding.message


def test_versions_are_numbers_and_not_decimals() -> None:
    (finding,) = judge(literals.tensorflow(tag="manylinux2014_x86_64"), libc_version="2.5")
    assert finding.evidence == {"glibc": "2.5", "needed": "2.17"}


def test_one_tag_that_is_met_is_enough() -> None:
    tags = ("cp312-cp312-manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_31_x86_64")
    assert judge(literals.tensorflow(wheel_tags=tags), libc_version="2.17") == []


def test_the_fix_is_the_newest_release_that_runs_here() -> None:
    (finding,) = judge(literals.tensorflow(), libc_version="2.17")
    assert finding.fix is not None
    assert finding.fix.commands == ("/srv/venv/bin/python -m pip install 'tensorflow==2.20.*'",)


def test_where_no_release_runs_the_system_must_change() -> None:
    (finding,) = judge(literals.tensorflow(), libc_version="2.11")
    assert finding.fix is not None
    assert finding.fix.commands == ()
    assert "2.27" in finding.fix.summary


def test_musl_has_no_wheels_at_all() -> None:
    for installed in ((), (literals.tensorflow(),)):
        (finding,) = judge(*installed, libc="musl", libc_version="")
        assert "musl" in finding.message
        assert "-slim" in finding.fix.summary if finding.fix else False


def test_a_tensorflow_built_on_musl_is_no_trouble() -> None:
    assert judge(literals.tensorflow(tag="linux_x86_64"), libc="musl", libc_version="") == []


def test_before_the_installation_an_old_glibc_is_said_when_no_wheel_fits() -> None:
    assert judge(libc_version="2.17") == []
    (finding,) = judge(libc_version="2.12")
    assert "every TensorFlow for Python 3.12 needs glibc 2.17" in finding.message


def test_elsewhere_the_question_does_not_arise() -> None:
    for changes in ({"marker_environment": {"sys_platform": "darwin"}}, {"libc": ""}):
        with pytest.raises(Skip):
            judge(literals.tensorflow(), **changes)
