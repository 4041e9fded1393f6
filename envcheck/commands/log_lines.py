"""Adds to the smoke run's facts what the lines of the framework's log mean: only here are facts and knowledge together."""

from __future__ import annotations

import dataclasses

from envcheck.inventory import Inventory
from envcheck.knowledge.matrix import Matrix
from envcheck.probes.gpu import GpuFacts
from envcheck.probes.smoke import LogLine, SmokeFacts


def explained(inventory: Inventory, matrix: Matrix) -> Inventory:
    """The inventory with every line of the log explained that compat_matrix/log_lines.yaml knows."""
    smoke = inventory.facts.get("smoke")
    if not isinstance(smoke, SmokeFacts) or not smoke.log:
        return inventory
    gpus = inventory.facts.get("gpu")
    # A GPU that is there, or was asked for, makes trouble of lines that mean nothing without one.
    gpu = smoke.wanted.startswith("gpu") or (isinstance(gpus, GpuFacts) and bool(gpus.usable) and smoke.wanted != "cpu")
    lines = tuple(_explained(line, matrix, gpu=gpu) for line in smoke.log)
    return dataclasses.replace(inventory, facts={**inventory.facts, "smoke": dataclasses.replace(smoke, log=lines)})


def _explained(line: LogLine, matrix: Matrix, *, gpu: bool) -> LogLine:
    row = next((row for row in matrix.log_lines if row.finds(line.text)), None)
    if row is None:
        return dataclasses.replace(line, row="", meaning="", harmless=None)
    return dataclasses.replace(line, row=row.id, meaning=row.meaning, harmless=row.harmless_where(gpu=gpu))
