"""CI jobs: which TensorFlow on which Python, each with the versions that belong to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.knowledge.choice import PLATFORMS
from envcheck.knowledge.matrix import Matrix
from envcheck.suggestion.fresh import Plan, Wishes, plan
from envcheck.suggestion.machine import Machine
from envcheck.suggestion.suits import candidates


@dataclass(frozen=True, slots=True)
class Job:
    """One job. ``keras`` is None where TensorFlow brings its own."""

    platform: str
    python: str
    distribution: str
    tensorflow: str
    keras: str | None
    numpy: str | None

    @property
    def series(self) -> str:
        """The TensorFlow series."""
        return ".".join(self.tensorflow.split(".")[:2])


def jobs(
    matrix: Matrix, ranges: Mapping[str, SpecifierSet], python: SpecifierSet, platforms: Sequence[str], *, full: bool
) -> list[Job]:
    """The jobs for the versions asked for, newest first: every series on every Python that it has wheels for.

    Without ``full`` the fewest that name each series and each Python once per platform: each series on the newest Python
    that no newer series has taken yet, then, for Pythons still missing, the newest series that supports them.
    """
    every = [job for name in platforms for job in _every(matrix, ranges, python, name)]
    if full:
        return every
    return [job for name in platforms for job in _few([each for each in every if each.platform == name])]


def _every(matrix: Matrix, ranges: Mapping[str, SpecifierSet], python: SpecifierSet, name: str) -> Iterable[Job]:
    wanted = ranges.get("tensorflow", SpecifierSet())
    pythons = sorted({each for row in matrix.rows for each in row.python}, key=Version, reverse=True)
    found: list[Job] = []
    for series in (
        Version(f"{each}.0") for each in pythons if python.contains(f"{each}.0") or python.contains(f"{each}.99")
    ):
        machine = Machine(f"{series.major}.{series.minor}", PLATFORMS[name])
        seen: set[tuple[int, ...]] = set()
        for candidate in candidates(matrix, machine)[0]:
            if not wanted.contains(candidate.version) or candidate.version.release[:2] in seen:
                continue
            made = plan(matrix, machine, Wishes(ranges), candidate)
            if isinstance(made, Plan):
                seen.add(candidate.version.release[:2])
                pins = {pin.name: pin.version for pin in made.pins}
                version = candidate.release.version
                found.append(
                    Job(name, machine.python, candidate.distribution, version, pins.get("keras"), pins.get("numpy"))
                )
    return sorted(found, key=lambda job: (Version(job.tensorflow), Version(job.python)), reverse=True)


def _few(every: Sequence[Job]) -> list[Job]:
    chosen: list[Job] = []
    taken: set[str] = set()
    for series in dict.fromkeys(job.series for job in every):
        here = [job for job in every if job.series == series]
        job = next((job for job in here if job.python not in taken), here[0])
        taken.add(job.python)
        chosen.append(job)
    for python in dict.fromkeys(job.python for job in every):
        if python not in taken:
            chosen.append(next(job for job in every if job.python == python))
            taken.add(python)
    return sorted(chosen, key=lambda job: (Version(job.tensorflow), Version(job.python)), reverse=True)
