"""The newest set of pins that is known to work together, for a fresh environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.knowledge.choice import installable, newest, required
from envcheck.knowledge.gpus import PlatformLimit
from envcheck.knowledge.matrix import Matrix
from envcheck.knowledge.releases import Release
from envcheck.suggestion.machine import Machine
from envcheck.suggestion.suits import STAND_INS, Candidate, Unfit, candidates
from envcheck.versions import numbers

SHARED = ("numpy", "protobuf", "h5py", "ml-dtypes")
"""What both TensorFlow and Keras require, in the order of choosing."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One requirement of the set, exact, and why it is this version."""

    name: str
    version: str
    reason: str
    extra: str = ""

    def __str__(self) -> str:
        """As pip reads it: ``tensorflow[and-cuda]==2.20.0``."""
        return f"{self.name}{f'[{self.extra}]' if self.extra else ''}=={self.version}"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asks for besides: ranges by normalized name, and Keras 2 under a newer TensorFlow."""

    ranges: Mapping[str, SpecifierSet] = field(default_factory=dict)
    legacy_keras: bool = False

    def of(self, name: str) -> SpecifierSet:
        """The range asked for; any version without one."""
        return self.ranges.get(name, SpecifierSet())


@dataclass(frozen=True, slots=True)
class Plan:
    """Pins that belong together, TensorFlow first, and what to know besides."""

    pins: tuple[Pin, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Nothing:
    """No set can work: the one reason, and what would work."""

    reason: str
    instead: tuple[str, ...] = ()


def fresh(matrix: Matrix, machine: Machine, wishes: Wishes) -> Plan | Nothing:
    """The newest set for a machine, or why there is none and what would work."""
    found = _fresh(matrix, machine, wishes)
    if isinstance(found, Plan):
        return found
    return Nothing(found, tuple(_instead(matrix, machine, wishes)))


def plan(matrix: Matrix, machine: Machine, wishes: Wishes, candidate: Candidate) -> Plan | str:
    """The set around one TensorFlow release; why not, where a requirement cannot be met."""
    chosen: dict[str, Version] = {"tensorflow": candidate.version}
    bounds = requirements(matrix, machine, candidate)
    pins = [Pin(candidate.distribution, candidate.release.version, _why(machine, wishes, candidate), candidate.extra)]
    bound_by = dict.fromkeys(bounds, f"{candidate.distribution} {candidate.release.version}")
    for name in _order(matrix, wishes, candidate, bounds):
        wanted = bounds.get(name, SpecifierSet()) & wishes.of(name)
        if name in _family(matrix, wishes):
            release = with_tensorflow(matrix, machine, name, wanted, candidate.version)
        else:
            release = newest(matrix, name, wanted, machine.python, machine.platform, chosen)
        if release is None:
            return f"no release of {name} {wanted or ''} installs on {machine}".replace("  ", " ")
        chosen[name] = Version(release.version)
        said = (
            f"{bound_by[name]} requires {name}{wanted}"
            if name in bound_by and str(wanted)
            else "newest that installs here"
        )
        pins.append(Pin(name, release.version, _bounded(matrix, machine, name, release, wanted, chosen) or said))
        build = next(
            (each for other, each in installable(matrix, name, machine.python, machine.platform) if other is release),
            None,
        )
        for other, specifier in required(release, build, machine.python, machine.platform).items():
            if other in SHARED:
                bounds[other] = bounds.get(other, SpecifierSet()) & specifier
                bound_by.setdefault(other, f"{name} {release.version}")
    cudnn = _cudnn(matrix, machine, candidate)
    return Plan((*pins, *((cudnn,) if cudnn else ())), candidate.notes)


def requirements(matrix: Matrix, machine: Machine, candidate: Candidate) -> dict[str, SpecifierSet]:
    """What a TensorFlow release requires here, through the distribution that stands in for it on some platforms."""
    found = required(candidate.release, candidate.build, machine.python, machine.platform)
    for name in STAND_INS:
        if name in found:
            for release, build in installable(matrix, name, machine.python, machine.platform):
                if release.version == candidate.release.version:
                    found.update(required(release, build, machine.python, machine.platform))
    return found


def _fresh(matrix: Matrix, machine: Machine, wishes: Wishes) -> Plan | str:
    never = _never(matrix, machine)
    if never:
        return never
    found, unfit = candidates(matrix, machine)
    if _family(matrix, wishes):  # they require the distribution called tensorflow: another one would be a second copy
        found = [each for each in found if each.distribution == "tensorflow"]
    reason = None
    for candidate in found:
        if wishes.of("tensorflow").contains(candidate.version):
            made = plan(matrix, machine, wishes, candidate)
            if isinstance(made, Plan):
                return made
            reason = reason or f"TensorFlow {candidate.version}: {made}"
    return reason or _why_none(matrix, machine, wishes, found, unfit)


def _never(matrix: Matrix, machine: Machine) -> str | None:
    """What no release was ever built for."""
    if machine.free_threaded:
        return "no TensorFlow release has wheels for a free-threaded Python"
    if machine.bits != 64:
        return "no TensorFlow release has wheels for a 32-bit Python"
    everywhere = (limit for limit in limits(matrix, machine) if limit.tensorflow == ">=0")
    return next((limit.reason for limit in everywhere), None)


def limits(matrix: Matrix, machine: Machine) -> list[PlatformLimit]:
    """What the platform does not have."""
    here = machine.platform
    return [
        row
        for row in matrix.platforms
        if row.system in (None, here.system)
        and row.machine in (None, here.machine)
        and row.libc in (None, here.libc)
        and row.device in ("any", machine.device)
    ]


def _why_none(
    matrix: Matrix, machine: Machine, wishes: Wishes, found: Sequence[Candidate], unfit: Sequence[Unfit]
) -> str:
    wanted = wishes.of("tensorflow")
    refused = [each for each in unfit if wanted.contains(each.version)]
    limit = next(iter(limits(matrix, machine)), None)
    if refused and limit is not None:
        return limit.reason
    if refused:
        return f"TensorFlow {refused[0].version} is the newest that installs here, and {refused[0].reason}"
    if found:
        return f"no TensorFlow {wanted} installs here; {found[-1].version} to {found[0].version} do"
    pythons = sorted({python for row in matrix.rows for python in row.python}, key=Version)
    if machine.python not in pythons:
        known = f"{pythons[0]} to {pythons[-1]}"
        return f"no TensorFlow up to {matrix.rows[0].series} has a wheel for Python {machine.python}, only for {known}"
    return f"no TensorFlow {f'{wanted} ' if str(wanted) else ''}has a wheel for {machine}"


def _instead(matrix: Matrix, machine: Machine, wishes: Wishes) -> Iterator[str]:
    """What would work, the smallest change first."""

    def version(other: Machine) -> str | None:
        made = _fresh(matrix, other, wishes)
        return made.pins[0].version if isinstance(made, Plan) else None

    gpu = machine.device == "gpu"
    refused = [each for each in candidates(matrix, machine)[1] if wishes.of("tensorflow").contains(each.version)]
    if refused and refused[0].fix:
        yield refused[0].fix
    works = version(machine.but(driver=None)) if gpu and machine.driver else None
    if works:
        oldest = _oldest_driver(matrix, machine, works)
        yield f"update the NVIDIA driver to {oldest or 'a newer one'}: then TensorFlow {works} runs on this GPU"
    others = sorted({each for row in matrix.rows for each in row.python}, key=Version, reverse=True)
    for python in [machine.python, *others]:
        works = version(machine.but(python=python, free_threaded=False, bits=64))
        if works:
            ordinary = "the ordinary 64-bit build of " if machine.free_threaded or machine.bits != 64 else ""
            yield f"make an environment with {ordinary}Python {python}: TensorFlow {works}"
            break
    yield from (limit.instead for limit in limits(matrix, machine))
    works = version(machine.but(device="cpu")) if gpu else None
    if works:
        yield f"run on the CPU: TensorFlow {works}"


def _cudnn(matrix: Matrix, machine: Machine, candidate: Candidate) -> Pin | None:
    """The cuDNN to pin where the newest that the extra admits has no kernels for this GPU."""
    if not candidate.extra or machine.capability is None:
        return None
    admitted = required(candidate.release, candidate.build, machine.python, machine.platform, candidate.extra)
    for knot in matrix.gpu_knots:
        if not knot.cudnn or not knot.capability or not SpecifierSet(knot.tensorflow).contains(candidate.version):
            continue
        name, _, version = knot.install[0].partition("==")
        exact = any(each.operator == "==" for each in admitted.get(name, ()))
        if not exact and SpecifierSet(knot.capability).contains(machine.capability) and version:
            return Pin(name, version, f"with {name} {knot.cudnn}, {knot.consequence}")
    return None


def _oldest_driver(matrix: Matrix, machine: Machine, version: str) -> str | None:
    """The oldest driver for a release on this GPU: a new GPU needs the one of the toolkit, to compile PTX."""
    row = matrix.series(Version(version))
    if row is None or row.cuda is None:
        return None
    here = numbers(machine.capability or "")
    native = not here or any(numbers(each)[0] == here[0] and numbers(each) <= here for each in row.sass or ())
    found = matrix.driver_floor(row.cuda) if native else matrix.toolkit_driver(row.cuda)
    return found.on(machine.driver_system) if found else None


def _order(matrix: Matrix, wishes: Wishes, candidate: Candidate, bounds: Mapping[str, SpecifierSet]) -> list[str]:
    """What is pinned besides TensorFlow: Keras, the user's own, and what they share."""
    series = matrix.series(candidate.version)
    names = ["keras"] if "keras" in bounds else []
    if wishes.legacy_keras and series is not None and series.tf_keras is not None:
        names.append("tf-keras")
    names += [name for name in _family(matrix, wishes) if name not in names]
    shared = [name for name in SHARED if name in bounds]
    return names + shared + [name for name in SHARED if name in wishes.ranges and name not in shared]


def _family(matrix: Matrix, wishes: Wishes) -> tuple[str, ...]:
    """The wished distributions that are bound to a TensorFlow version."""
    usual = {"tensorflow", "keras", *SHARED, *STAND_INS, "tensorflow-cpu", "tensorflow-gpu"}
    found = [name for name in wishes.ranges if name not in usual and matrix.releases.of(name)]
    return (*found, *(("tf-keras",) if wishes.legacy_keras and "tf-keras" not in found else ()))


def with_tensorflow(
    matrix: Matrix, machine: Machine, name: str, wanted: SpecifierSet, tensorflow: Version
) -> Release | None:
    """The newest release of a distribution whose own requirement admits a TensorFlow."""
    for release, build in installable(matrix, name, machine.python, machine.platform):
        needs = required(release, build, machine.python, machine.platform)
        if wanted.contains(release.version, prereleases=True) and all(
            needs.get(each, SpecifierSet()).contains(tensorflow, prereleases=True)
            for each in ("tensorflow", "tensorflow-cpu")
        ):
            return release
    return None


def _why(machine: Machine, wishes: Wishes, candidate: Candidate) -> str:
    asked = wishes.of("tensorflow")
    where = f"Python {machine.python} on {machine.platform.system} {machine.platform.machine}"
    said = f"newest{f' {asked}' if str(asked) else ''} with a wheel for {where}"
    if machine.device == "gpu" and candidate.build is not None:
        said += f", built for CUDA {candidate.build.cuda}, which this GPU and driver run"
    return said


def _bounded(
    matrix: Matrix, machine: Machine, name: str, release: Release, wanted: SpecifierSet, chosen: Mapping[str, Version]
) -> str | None:
    """The knot that keeps a newer release out, in words."""
    version = Version(release.version)
    for other, _ in installable(matrix, name, machine.python, machine.platform):
        newer = Version(other.version)
        if newer <= version:
            break
        if wanted.contains(newer, prereleases=True):
            for knot in matrix.hits({**chosen, name: newer}, machine.python):
                if name in knot.when:
                    return f"with {name} {knot.when[name]}, {knot.consequence} (knot {knot.id})"
    return None
