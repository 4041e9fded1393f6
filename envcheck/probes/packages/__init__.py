"""Every installed distribution on the target's ``sys.path``, read from its metadata; nothing is imported."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.utils import canonicalize_name
from packaging.version import Version

from envcheck.host import Host
from envcheck.probes.packages.files import Damage, Leftover, damage, leftovers
from envcheck.probes.packages.metadata import Distribution, Unread, read_folder
from envcheck.probes.packages.requirements import ROOTS, Unmet, family_of, unmet_requirements
from envcheck.probes.python import PythonFacts

__all__ = ["Damage", "Distribution", "Leftover", "PackagesFacts", "Unmet", "Unread", "collect"]


@dataclass(frozen=True, slots=True)
class PackagesFacts:
    """What is installed, and in which state.

    ``distributions`` are those that Python finds first, by name; ``shadowed`` are further copies of the same names.
    ``family`` holds the normalized names of TensorFlow, Keras and all that they require. ``unread`` lists folders and
    metadata that could not be read: what is in them is not known.
    """

    distributions: tuple[Distribution, ...] = ()
    shadowed: tuple[Distribution, ...] = ()
    family: tuple[str, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    damaged: tuple[Damage, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    unread: tuple[Unread, ...] = ()

    def find(self, name: str) -> Distribution | None:
        """The distribution called ``name``, in any spelling of it."""
        wanted = canonicalize_name(name)
        return next((dist for dist in self.distributions if dist.key == wanted), None)

    def version(self, name: str) -> Version | None:
        """The version of ``name``; None when it is not installed."""
        found = self.find(name)
        return Version(found.version) if found else None

    def providers(self, module: str) -> tuple[Distribution, ...]:
        """The distributions that bring the import package ``module``, copies that are shadowed left out."""
        return tuple(dist for dist in self.distributions if module in dist.modules)

    def roots(self) -> tuple[Distribution, ...]:
        """The distributions that bring TensorFlow and Keras themselves; what they require is not among them."""
        return tuple(dist for dist in self.distributions if set(ROOTS) & set(dist.modules))

    def declared(self, name: str) -> str | None:
        """An unmet requirement on ``name`` as a distribution of the family declares it: what should be installed."""
        wanted = canonicalize_name(name)
        for unmet in self.unmet:
            if unmet.name == wanted and canonicalize_name(unmet.requirer) in self.family:
                return unmet.requirement
        return None

    def versions(self) -> dict[str, Version]:
        """The version of every distribution by normalized name; ``tensorflow`` is whichever distribution brings it."""
        found = {dist.key: Version(dist.version) for dist in self.distributions}
        for dist in self.providers("tensorflow")[:1]:
            found["tensorflow"] = Version(dist.version)
        return found


def collect(host: Host, python: PythonFacts) -> PackagesFacts:
    """Read the metadata in every folder of ``sys.path``, in its order."""
    seen: dict[str, Distribution] = {}
    shadowed: list[Distribution] = []
    unread: list[Unread] = []
    folders = [folder for folder in dict.fromkeys(python.sys_path) if folder and folder != python.stdlib]
    for folder in folders:
        found, trouble = read_folder(host, folder)
        unread.extend(trouble)
        for dist in _real_first(host, found):
            if dist.key in seen:
                shadowed.append(dist)
            else:
                seen[dist.key] = dist
    distributions = tuple(sorted(seen.values(), key=lambda dist: dist.key))
    family = family_of(distributions, python.marker_environment)
    return PackagesFacts(
        distributions=distributions,
        shadowed=tuple(shadowed),
        family=family,
        unmet=unmet_requirements(distributions, python.marker_environment),
        damaged=damage(host, [dist for dist in (*distributions, *shadowed) if dist.key in family]),
        leftovers=leftovers(host, folders, (*distributions, *shadowed), unread),
        unread=tuple(unread),
    )


def _real_first(host: Host, found: list[Distribution]) -> list[Distribution]:
    """Of several metadata folders for one name, the one whose files are really there first; else the newest."""
    names = [dist.key for dist in found]
    twice = [dist for dist in found if names.count(dist.key) > 1]
    bad = {(d.name, d.version): d.missing + d.altered for d in damage(host, twice)}
    versions = sorted(found, key=lambda dist: Version(dist.version), reverse=True)
    return sorted(versions, key=lambda dist: bad.get((dist.name, dist.version), 0))
