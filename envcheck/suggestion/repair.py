"""The smallest change to what is installed after which its versions belong together."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.knowledge.choice import forbidden, installable, required
from envcheck.knowledge.matrix import Matrix
from envcheck.suggestion.fresh import SHARED, Pin, Plan, Wishes, plan, requirements, with_tensorflow
from envcheck.suggestion.machine import Machine
from envcheck.suggestion.suits import STAND_INS, Candidate, candidates

BRINGS = ("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-macos", "tensorflow-intel")
"""The distributions that bring the import package ``tensorflow`` and are recorded."""
NOT_BOUND = {*BRINGS, *STAND_INS, *SHARED, "keras", "jax", "jaxlib", "torch", "tensorflow-rocm"}


@dataclass(frozen=True, slots=True)
class Change:
    """One distribution to change: ``have`` is None where it is missing, ``want`` None where it must go."""

    name: str
    have: str | None
    want: str | None
    reason: str

    @property
    def requirement(self) -> str:
        """What to install, as pip reads it."""
        return f"{self.name}{self.want or ''}"


@dataclass(frozen=True, slots=True)
class Repair:
    """The changes, none when the versions belong together already, around one TensorFlow release."""

    tensorflow: str
    changes: tuple[Change, ...]


def repair(matrix: Matrix, machine: Machine, installed: Mapping[str, Version], wishes: Wishes) -> Repair | str:
    """The smallest change, or why none is suggested.

    ``installed`` maps normalized names to versions. Fewest changes first; among equals the installed TensorFlow, then the
    newest.
    """
    here = [name for name in BRINGS if name in installed]
    if not here:
        return "TensorFlow is not installed"
    name = here[0]
    version = installed[name]
    if matrix.releases.find(name, version) is None:
        return (
            f"{name} {version} is not among the releases recorded up to {matrix.as_of}: what belongs to it is unknown"
        )
    found, _ = candidates(matrix, machine)
    found = [each for each in found if each.distribution == name] or found
    possible = [each for each in _one_of_each_series(found, version) if wishes.of("tensorflow").contains(each.version)]
    best: Repair | None = None
    for candidate in sorted(possible, key=lambda each: (each.version == version, each.version), reverse=True):
        changes = _changes(matrix, machine, installed, wishes, name, candidate)
        if changes is not None and (best is None or len(changes) < len(best.changes)):
            best = Repair(candidate.release.version, tuple(changes))
            if len(changes) <= (candidate.version != version):
                break
    return best or "no change of versions makes what is installed work on this machine"


def _one_of_each_series(found: list[Candidate], installed: Version) -> Iterator[Candidate]:
    """The installed release and the newest patch of each series: older patches only add choices that nobody wants."""
    seen: set[tuple[int, ...]] = set()
    for candidate in found:
        if candidate.version == installed or candidate.version.release[:2] not in seen:
            seen.add(candidate.version.release[:2])
            yield candidate


def _changes(
    matrix: Matrix,
    machine: Machine,
    installed: Mapping[str, Version],
    wishes: Wishes,
    name: str,
    candidate: Candidate,
) -> list[Change] | None:
    """What must change for one TensorFlow release; None when a requirement of it cannot be met here."""
    made = plan(matrix, machine, Wishes(wishes.ranges, legacy_keras=False), candidate)
    if not isinstance(made, Plan):
        return None
    pins = {pin.name: pin for pin in made.pins}
    chosen = {"tensorflow": candidate.version}
    title = f"{candidate.distribution} {candidate.release.version}"
    needs = {other: (spec, title) for other, spec in requirements(matrix, machine, candidate).items()}
    changes = list(_of_tensorflow(installed, name, candidate, pins[candidate.distribution].reason, needs))
    needs.update(_of_keras(matrix, machine, installed, needs))
    for other, (specifier, requirer) in needs.items():
        have = installed.get(other)
        if have is None:
            if other not in matrix.optional:
                changes.append(Change(other, None, _want(pins, other, specifier), f"{requirer} requires it"))
        elif forbidden(matrix, other, have, machine.python, chosen):
            knot = next(knot for knot in matrix.hits({**chosen, other: have}, machine.python) if other in knot.when)
            changes.append(Change(other, str(have), _want(pins, other, specifier), f"with {title}, {knot.consequence}"))
        elif not specifier.contains(have, prereleases=True):
            changes.append(
                Change(other, str(have), _want(pins, other, specifier), f"{requirer} requires {other}{specifier}")
            )
    if any(change.name == "keras" for change in changes):
        # Installed with Keras, and without a word from TensorFlow in a version that it does not admit.
        missing = [name for name in SHARED if name in matrix.optional and name in needs and name not in installed]
        changes += [Change(each, None, _want(pins, each, needs[each][0]), "Keras requires it") for each in missing]
    return changes + list(_bound(matrix, machine, installed, candidate.version, title))


def _of_tensorflow(
    installed: Mapping[str, Version], name: str, candidate: Candidate, why: str, needs: Container[str]
) -> Iterator[Change]:
    """What must change of TensorFlow itself: no two distributions with its files may stay."""
    have = installed[name]
    if have != candidate.version:
        wanted = f"=={candidate.release.version}"
        if candidate.distribution == name:
            yield Change(name, str(have), wanted, why)
        else:
            yield Change(name, str(have), None, f"{candidate.distribution} takes its place")
            yield Change(candidate.distribution, None, wanted, why)
        for other in STAND_INS:
            if other in installed and other != name and other not in needs:
                reason = f"{candidate.distribution} {candidate.release.version} brings the same files itself"
                yield Change(other, str(installed[other]), None, reason)


def _of_keras(
    matrix: Matrix,
    machine: Machine,
    installed: Mapping[str, Version],
    needs: Mapping[str, tuple[SpecifierSet, str]],
) -> dict[str, tuple[SpecifierSet, str]]:
    """What the installed Keras requires, where it stays."""
    have = installed.get("keras")
    if "keras" not in needs or have is None or not needs["keras"][0].contains(have, prereleases=True):
        return {}
    for release, build in installable(matrix, "keras", machine.python, machine.platform):
        if Version(release.version) == have:
            found = required(release, build, machine.python, machine.platform)
            return {
                name: (specifier & needs[name][0], needs[name][1]) if name in needs else (specifier, f"keras {have}")
                for name, specifier in found.items()
            }
    return {}


def _bound(
    matrix: Matrix, machine: Machine, installed: Mapping[str, Version], tensorflow: Version, title: str
) -> Iterator[Change]:
    """Installed distributions that are bound to another TensorFlow."""
    for name, have in installed.items():
        if name in NOT_BOUND or not matrix.releases.of(name):
            continue
        release = matrix.releases.find(name, have)
        if release is None:
            continue
        wanted = required(release, None, machine.python, machine.platform).get("tensorflow")
        if wanted is None or wanted.contains(tensorflow, prereleases=True):
            continue
        other = with_tensorflow(matrix, machine, name, SpecifierSet(), tensorflow)
        reason = f"{name} {have} requires tensorflow{wanted}"
        want = None if other is None else f"=={other.version}"
        yield Change(name, str(have), want, reason if other else f"{reason}, and no release of it goes with {title}")


def _want(pins: Mapping[str, Pin], name: str, specifier: SpecifierSet) -> str:
    return f"=={pins[name].version}" if name in pins else str(specifier)
