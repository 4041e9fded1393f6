"""What ``envcheck suggest`` says, installed to the letter: the doctor finds nothing in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from real.environments import environment

pytestmark = pytest.mark.real

COMBINATIONS = (
    ("2.20", "3.12"),
    ("2.12", "3.8"),
    ("2.13", "3.9"),
    ("2.14", "3.10"),
    ("2.15", "3.11"),
    ("2.16", "3.9"),
    ("2.17", "3.10"),
    ("2.18", "3.11"),
    ("2.19", "3.12"),
    ("2.21", "3.13"),
)
"""TensorFlow series and Python series; only the first is tried without being asked for."""


def parameters() -> list[object]:
    every = os.environ.get("ENVCHECK_TEST_RELEASES") == "all"
    asked_for = pytest.mark.skip(reason="runs with ENVCHECK_TEST_RELEASES=all")
    return [
        pytest.param(*each, id="-".join(each), marks=() if every or place == 0 else asked_for)
        for place, each in enumerate(COMBINATIONS)
    ]


def envcheck(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.defpath, "HOME": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "envcheck", *arguments],
        env=environ,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize(("tensorflow", "python"), parameters())
def test_the_doctor_finds_nothing_in_what_is_suggested(tensorflow: str, python: str, tmp_path: Path) -> None:
    asked = ("--tensorflow", f"=={tensorflow}.*", "--target-python", python, "--platform", "linux-x86_64")
    done = envcheck(tmp_path, "suggest", *asked, "--device", "cpu", "--format", "json")
    assert done.returncode == 0, done.stderr
    requirements = json.loads(done.stdout)["fresh"]["requirements"]
    assert requirements[0].startswith(f"tensorflow-cpu=={tensorflow}.")

    interpreter = environment(f"suggested {tensorflow}", python, *requirements)
    judged = envcheck(tmp_path, "doctor", "--strict", "--device", "cpu", "--python", str(interpreter))
    assert judged.returncode == 0, judged.stdout + judged.stderr

    again = envcheck(tmp_path, "suggest", "--python", str(interpreter), *asked[:2], "--device", "cpu", "-f", "json")
    assert json.loads(again.stdout)["repair"]["changes"] == []
