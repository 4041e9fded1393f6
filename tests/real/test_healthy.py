"""The doctor on real healthy environments: no error, and no warning that a user would call wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from real.environments import Release, parameters

pytestmark = pytest.mark.real


@pytest.mark.parametrize("on", parameters())
def test_a_healthy_environment_is_ready(on: Release, tmp_path: Path) -> None:
    environ = {"PATH": os.defpath, "HOME": str(tmp_path), **on.environ}
    command = [sys.executable, "-m", "envcheck", "doctor", "--python", str(on.interpreter()), "-f", "json"]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    failed = [outcome for outcome in report["outcomes"] if outcome["status"] in ("failed", "broken")]
    assert (done.returncode, failed) == (0, [])
    assert report["summary"]["passed"] > 15
    assert list(tmp_path.iterdir()) == []  # not even ~/.keras
