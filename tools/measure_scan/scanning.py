"""Runs `envcheck scan` and reads what it says: the findings of its report, and all references that it saw."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .targets import Target

NAME_KINDS = {"absent-name", "absent-module", "moved", "not-yet", "method"}
PARAMETER_KINDS = {"absent-parameter"}


class ScanFailedError(Exception):
    """`envcheck scan` ended without a report."""


@dataclass(frozen=True, slots=True)
class Said:
    """One finding, or one reference that the scan saw. ``status`` is ``reported`` for a finding, else the scan's own word."""

    path: str
    cell: int | None
    line: int
    symbol: str
    kind: str
    status: str
    parameter: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """All that one run said. ``coverage`` is the report's own."""

    findings: list[Said]
    references: list[Said]
    coverage: Mapping[str, Any]


def run(target: Target, trees: Iterable[Path], folder: Path) -> tuple[Path, Path]:
    """Scan the trees for a target; the paths of the report and of the references, both below ``folder``.

    Raises :class:`ScanFailedError` on any exit status but 0 and 1.
    """
    report, references = folder / f"scan-{target.name}.json", folder / f"scan-{target.name}.references.jsonl"
    words = ["scan", *map(str, trees), "--target", target.written, "--format", "json", "--references", str(references)]
    with report.open("wb") as stream:
        done = subprocess.run([sys.executable, "-m", "envcheck", *words], stdout=stream, check=False)
    if done.returncode not in {0, 1}:
        raise ScanFailedError(f"envcheck scan ended with status {done.returncode}")
    return report, references


def load(report: Path, references: Path) -> Scan:
    """Read both; relative paths in them are taken from the working folder."""
    told = json.loads(report.read_text())
    findings = [
        _finding(row) for outcome in told["outcomes"] for row in outcome["findings"] if row.get("location") is not None
    ]
    with references.open() as stream:
        seen = [_reference(json.loads(line)) for line in stream]
    return Scan(findings, seen, told.get("coverage", {}))


def _finding(row: Mapping[str, Any]) -> Said:
    place, evidence = row["location"], row.get("evidence") or {}
    return Said(
        path=str(Path(place["path"]).absolute()),
        cell=place.get("cell"),
        line=place.get("line") or 1,
        symbol=row.get("symbol") or "",
        kind=evidence.get("kind") or "",
        status="reported",
        parameter=evidence.get("parameter"),
        message=row["message"],
    )


def _reference(row: Mapping[str, Any]) -> Said:
    return Said(
        path=str(Path(row["path"]).absolute()),
        cell=row.get("cell"),
        line=row["line"],
        symbol=row["symbol"] or "",
        kind=row.get("kind") or "",
        status=row["status"],
        parameter=row.get("parameter"),
    )
