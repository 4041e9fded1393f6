"""ENV111: PYTHONHOME and PYTHONPATH."""

from __future__ import annotations

from typing import Any

import literals
from literals import distribution

from envcheck.checks.python_variables import python_variables
from envcheck.findings import Finding


def judge(*installed: Any, shadowed: tuple[Any, ...] = (), **variables: str) -> list[Finding]:
    return list(
        python_variables.judge(
            literals.python(),
            literals.packages(*installed, shadowed=shadowed),
            literals.environment(**variables),
        )
    )


def test_neither_set_passes() -> None:
    assert judge(literals.tensorflow()) == []
    assert judge(literals.tensorflow(), PYTHONPATH="", PYTHONHOME="") == []


def test_a_pythonhome_of_another_installation_is_found() -> None:
    (finding,) = judge(PYTHONHOME="/opt/python3.9")
    assert "PYTHONHOME is /opt/python3.9" in finding.message
    assert finding.fix is not None
    assert finding.fix.commands == ("unset PYTHONHOME",)


def test_a_pythonhome_of_this_installation_is_right() -> None:
    assert judge(PYTHONHOME="/usr/") == []
    assert judge(PYTHONHOME="/usr:/usr") == []


def test_a_copy_on_pythonpath_hides_the_installed_one() -> None:
    (finding,) = judge(
        distribution("numpy", "1.20", "/opt/ros/lib"),
        literals.tensorflow(),
        shadowed=(distribution("numpy", "2.1.0"),),
        PYTHONPATH="/opt/tools:/opt/ros/lib/",
    )
    assert "numpy 1.20 comes from the PYTHONPATH folder /opt/ros/lib and hides numpy 2.1.0" in finding.message
    assert finding.fix is not None
    assert finding.fix.commands == ("unset PYTHONPATH",)


def test_the_only_copy_on_pythonpath_must_be_installed_first() -> None:
    (finding,) = judge(distribution("keras", "3.9.0", "/opt/apps"), PYTHONPATH="/opt/apps")
    assert finding.fix is not None
    assert finding.fix.commands[-1] == "/srv/venv/bin/python -m pip install keras==3.9.0"


def test_a_stranger_there_and_the_environment_s_own_folder_are_no_trouble() -> None:
    assert judge(distribution("requests", "2.0", "/opt/apps"), PYTHONPATH="/opt/apps") == []
    assert judge(literals.tensorflow(), PYTHONPATH=literals.SITE) == []
