"""Runs trials in an interpreter that has Keras, in batches: a crash there costs one batch, and is seen."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from packaging.version import Version

from tools.try_layers.drawing import Trial
from tools.try_layers.trials import written

BATCH = 500
DEADLINE = 900
"""Seconds for one batch: recurrent layers of Keras 2 take a tenth of a second each."""
_SCRIPT = Path(__file__).with_name("real.py")
_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "PYTHONHASHSEED": "0"}


def answers(python: Path, trials: Sequence[Trial], folder: Path, jobs: int = 2) -> list[dict[str, Any]]:
    """What the Keras of ``python`` does with each trial, in their order.

    Args:
        python: The interpreter.
        trials: What to try.
        folder: Where the batches and their answers are written.
        jobs: How many processes at a time.

    Raises:
        subprocess.CalledProcessError: a batch died; what it had answered lies in ``folder``.
        subprocess.TimeoutExpired: a batch took too long.
    """
    batches = [trials[start : start + BATCH] for start in range(0, len(trials), BATCH)]
    with ThreadPoolExecutor(jobs) as pool:
        found = pool.map(lambda numbered: _batch(python, numbered[1], folder / str(numbered[0])), enumerate(batches))
        return [answer for batch in found for answer in batch]


def _batch(python: Path, trials: Sequence[Trial], where: Path) -> list[dict[str, Any]]:
    source, target = where.with_suffix(".trials"), where.with_suffix(".answers")
    source.write_text("".join(f"{written(each)}\n" for each in trials), "utf-8")
    subprocess.run(
        [str(python), str(_SCRIPT), str(source), str(target)],
        env={**os.environ, **_QUIET},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
        timeout=DEADLINE,
    )
    return [json.loads(line) for line in target.read_text("utf-8").splitlines()]


def release(python: Path) -> Version:
    """The release of the Keras that ``tf.keras`` is there."""
    code = "import importlib.metadata as m; print(m.version('keras'))"
    told = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return Version(told.stdout.strip())
