"""Whether a TensorFlow release runs on a machine, judged by its wheels, and the one reason where it does not."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.version import Version

from envcheck.knowledge.choice import installable, required
from envcheck.knowledge.matrix import Matrix
from envcheck.knowledge.releases import Build, Release
from envcheck.knowledge.series import Series
from envcheck.suggestion.machine import Machine
from envcheck.versions import at_least, numbers

STAND_INS = ("tensorflow-intel", "tensorflow-macos", "tensorflow-cpu-aws")
"""What ``tensorflow`` requires on some platforms, where its own wheel is empty."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release of a distribution that can be installed here; ``extra`` brings the CUDA libraries where there is one.

    ``notes`` are what a user must know or do besides.
    """

    distribution: str
    release: Release
    build: Build | None
    extra: str = ""
    notes: tuple[str, ...] = ()

    @property
    def version(self) -> Version:
        """The release's version."""
        return Version(self.release.version)


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a release does not run on a machine, and what mends it where that is known."""

    version: Version
    reason: str
    fix: str | None = None


def candidates(matrix: Matrix, machine: Machine) -> tuple[list[Candidate], list[Unfit]]:
    """The TensorFlow releases for a machine, newest first, and those that install there and do not run on its GPU."""
    if machine.free_threaded or machine.bits != 64:
        return [], []
    found: list[Candidate] = []
    unfit: list[Unfit] = []
    for distribution in _distributions(machine):
        for release, build in installable(matrix, distribution, machine.python, machine.platform):
            if build is None or not _whole(matrix, machine, release, build):
                continue
            candidate = Candidate(distribution, release, build)
            if machine.device == "gpu":
                judged = _on_gpu(matrix, machine, candidate)
                if isinstance(judged, Unfit):
                    unfit.append(judged)
                    continue
                candidate = judged
            found.append(candidate)
    order = {name: place for place, name in enumerate(_distributions(machine))}
    found.sort(key=lambda each: (each.version, -order[each.distribution]), reverse=True)
    return found, sorted(unfit, key=lambda each: each.version, reverse=True)


def _distributions(machine: Machine) -> tuple[str, ...]:
    """The distributions that bring TensorFlow there, the fitting one first."""
    if machine.device == "gpu":
        return ("tensorflow", "tensorflow-gpu")
    if machine.platform.system == "Linux" and machine.platform.machine == "x86_64":
        return ("tensorflow-cpu", "tensorflow")
    return ("tensorflow", "tensorflow-macos") if machine.platform.system == "Darwin" else ("tensorflow",)


def _whole(matrix: Matrix, machine: Machine, release: Release, build: Build) -> bool:
    """Whether the wheel has TensorFlow in it, or what it requires instead has a wheel here too."""
    wanted = [name for name in required(release, build, machine.python, machine.platform) if name in STAND_INS]
    return all(
        any(
            other.version == release.version for other, _ in installable(matrix, name, machine.python, machine.platform)
        )
        for name in wanted
    )


def _on_gpu(matrix: Matrix, machine: Machine, candidate: Candidate) -> Candidate | Unfit:
    release, build = candidate.release, candidate.build
    version = candidate.version
    if build is None or build.cuda is None:
        return Unfit(
            version, f"its wheel for {machine.platform.system} {machine.platform.machine} is built without CUDA"
        )
    series = matrix.series(version)
    why = _device(matrix, machine, series, build.cuda) if series else "its series has no row in the matrix"
    if why:
        return Unfit(version, why)
    extra = "and-cuda" in release.extras and _installs(matrix, machine, candidate, "and-cuda")
    capabilities = [machine.capability] if machine.capability else []
    # A fault of the GPU itself says more than one of the packages.
    for knot in sorted(matrix.gpu_knots, key=lambda knot: knot.extra is not None):
        if knot.severity == "error" and knot.ties(version, extra=extra, cudnn=None, capabilities=capabilities, gpus=1):
            return Unfit(version, knot.consequence, knot.fix)
    if extra:
        return Candidate(candidate.distribution, release, build, "and-cuda")
    cudnn = series.cudnn if series and series.cudnn else build.cudnn
    note = f"install CUDA {build.cuda} and cuDNN {cudnn} yourself: this release does not bring them as packages"
    return Candidate(candidate.distribution, release, build, notes=(note,))


def _installs(matrix: Matrix, machine: Machine, candidate: Candidate, extra: str) -> bool:
    """Whether each requirement of an extra that is recorded has a wheel here.

    The extra of 2.14 and 2.15.0 requires a TensorRT that has none for newer Pythons, or none at all.
    """
    wanted = required(candidate.release, candidate.build, machine.python, machine.platform, extra)
    return all(
        any(
            build is not None and specifier.contains(release.version)
            for release, build in installable(matrix, name, machine.python, machine.platform)
        )
        for name, specifier in wanted.items()
        if matrix.releases.of(name)
    )


def _device(matrix: Matrix, machine: Machine, series: Series, cuda: str) -> str | None:
    """Why a GPU or its driver cannot run a build for ``cuda``; None when it can, as far as is known."""
    floor = matrix.driver_floor(cuda)
    oldest = floor.on(machine.driver_system) if floor else None
    if machine.driver and oldest and not at_least(machine.driver, oldest):
        return f"CUDA {cuda} needs the NVIDIA driver {oldest} or newer, and here is {machine.driver}"
    if machine.capability is None or series.sass is None:
        return None
    here = numbers(machine.capability)
    if any(numbers(each)[0] == here[0] and numbers(each) <= here for each in series.sass):
        return None
    if not any(numbers(each) <= here for each in series.ptx or ()):
        return (
            f"its kernels are for compute capability {series.sass[0]} and newer, and this GPU has {machine.capability}"
        )
    own = matrix.toolkit_driver(cuda)
    jit = own.on(machine.driver_system) if own else None
    if machine.driver and jit and not at_least(machine.driver, jit):
        return (
            f"it has no machine code for compute capability {machine.capability}, and to compile its PTX the driver must "
            f"be {jit} or newer; here is {machine.driver}"
        )
    return None
