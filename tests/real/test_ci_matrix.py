"""A job that ``envcheck matrix ci`` prints can be installed and is what it says."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from real.environments import environment

pytestmark = pytest.mark.real

LOOK = "import tensorflow, keras, numpy; print(tensorflow.__version__, keras.__version__, numpy.__version__)"


def test_the_smallest_job_installs_and_runs() -> None:
    asked = ["matrix", "ci", "--tensorflow", ">=2.12", "--python", ">=3.10", "-f", "github"]
    done = subprocess.run([sys.executable, "-m", "envcheck", *asked], capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout)["include"]
    job = min(rows, key=lambda row: [int(part) for part in row["tensorflow"].split(".")])
    wanted = [f"{job['distribution']}=={job['tensorflow']}", f"keras=={job['keras']}", f"numpy=={job['numpy']}"]
    python = environment("matrix-ci", job["python"], *wanted)
    seen = subprocess.run([str(python), "-c", LOOK], capture_output=True, text=True, check=True).stdout.split()
    assert seen == [job["tensorflow"], job["keras"], job["numpy"]]
