"""Which declared requirements are not met, and which distributions belong to TensorFlow and Keras."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from envcheck.probes.packages.metadata import Distribution

ROOTS = ("tensorflow", "keras", "tf_keras")
"""The import packages whose distributions, and all that these require, make up the family."""


@dataclass(frozen=True, slots=True)
class Unmet:
    """A requirement that ``requirer`` declares and the environment does not meet.

    ``found`` is the installed version, None when the distribution is missing.
    """

    requirer: str
    requirer_version: str
    requirement: str
    name: str
    found: str | None

    @property
    def bare(self) -> str:
        """The required name as the requirer spells it, without the versions."""
        return re.split(r"[^A-Za-z0-9._-]", self.requirement, maxsplit=1)[0]


def unmet_requirements(distributions: Sequence[Distribution], environment: Mapping[str, str]) -> tuple[Unmet, ...]:
    """Every requirement that holds in this environment (extras aside) and is not met."""
    versions = {dist.key: Version(dist.version) for dist in distributions}
    unmet = []
    for dist in distributions:
        for wanted in _requirements(dist, environment):
            key = canonicalize_name(wanted.name)
            found = versions.get(key)
            if found is None or not wanted.specifier.contains(found, prereleases=True):
                text = f"{wanted.name}{wanted.specifier}"
                unmet.append(Unmet(dist.name, dist.version, text, key, str(found) if found else None))
    return tuple(unmet)


def family_of(distributions: Sequence[Distribution], environment: Mapping[str, str]) -> tuple[str, ...]:
    """The normalized names of the distributions behind :data:`ROOTS` and of all that they require, installed or not."""
    known = {dist.key: dist for dist in distributions}
    waiting = [dist.key for dist in distributions if set(ROOTS) & set(dist.modules)]
    family: set[str] = set()
    while waiting:
        key = waiting.pop()
        if key not in family:
            family.add(key)
            if key in known:
                waiting += [canonicalize_name(wanted.name) for wanted in _requirements(known[key], environment)]
    return tuple(sorted(family))


def _requirements(dist: Distribution, environment: Mapping[str, str]) -> Iterator[Requirement]:
    for text in dist.requires:
        try:
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({**environment, "extra": ""}):
                yield wanted
        except (InvalidRequirement, ValueError):
            continue  # older tools let authors write what PEP 508 does not allow; nobody can judge that
