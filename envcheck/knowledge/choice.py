"""Which releases can be installed on a Python and a platform, and the newest that fits; from the recorded releases alone.

A wheel fits as the platform compatibility tags say:
https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.knowledge.matrix import Matrix
from envcheck.knowledge.releases import Build, Release
from envcheck.versions import at_least, numbers

LEGACY = {"manylinux1": "2.5", "manylinux2010": "2.12", "manylinux2014": "2.17"}
"""The glibc of the platform tags before PEP 600 (PEP 513, 571, 599)."""
_SYSTEMS = {"Linux": ("linux", "posix"), "Darwin": ("darwin", "posix"), "Windows": ("win32", "nt")}


@dataclass(frozen=True, slots=True)
class Platform:
    """Where something is to be installed: ``system`` and ``machine`` as Python's ``platform`` names them.

    ``libc`` is ``glibc`` or ``musl`` with its version on Linux; ``version`` is that of macOS. None: not known, and then
    it forbids nothing.
    """

    system: str
    machine: str
    libc: str | None = None
    libc_version: str | None = None
    version: str | None = None

    def fits(self, tags: str) -> bool:
        """Whether one of the platform tags of a wheel (joined by dots) holds here."""
        return any(self._fits(tag) for tag in tags.split("."))

    def _fits(self, tag: str) -> bool:
        machine = {"AMD64": "x86_64"}.get(self.machine, self.machine)
        if tag == "any":
            return True
        if self.system == "Windows":
            return tag == {"x86_64": "win_amd64", "ARM64": "win_arm64", "x86": "win32"}.get(machine)
        if self.system == "Darwin":
            found = re.fullmatch(r"macosx_(\d+)_(\d+)_(\w+)", tag)
            machines = (machine, "universal2", *(("intel",) if machine == "x86_64" else ()))
            return bool(found and found[3] in machines and self._new_enough(self.version, found))
        if self.system != "Linux":
            return False
        legacy = re.fullmatch(r"(manylinux(?:1|2010|2014))_(\w+)", tag)
        if legacy:
            tag = f"manylinux_{LEGACY[legacy[1]].replace('.', '_')}_{legacy[2]}"
        found = re.fullmatch(r"(many|musl)linux_(\d+)_(\d+)_(\w+)", tag)
        if found is None:
            return tag == f"linux_{machine}"
        libc = {"many": "glibc", "musl": "musl"}[found[1]]
        if found[4] != machine or libc != (self.libc or "glibc"):
            return False
        return self.libc_version is None or at_least(self.libc_version, f"{found[2]}.{found[3]}")

    @staticmethod
    def _new_enough(version: str | None, found: re.Match[str]) -> bool:
        return version is None or at_least(version, f"{found[1]}.{found[2]}")

    def markers(self, python: str) -> dict[str, str]:
        """The environment of requirement markers here, on a Python series such as ``3.12``."""
        sys_platform, os_name = _SYSTEMS.get(self.system, ("unknown", "unknown"))
        return {
            "python_version": python,
            "python_full_version": f"{python}.0",
            "platform_system": self.system,
            "platform_machine": self.machine,
            "sys_platform": sys_platform,
            "os_name": os_name,
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "extra": "",
        }


PLATFORMS = {
    "linux-x86_64": Platform("Linux", "x86_64"),
    "linux-aarch64": Platform("Linux", "aarch64"),
    "macos-x86_64": Platform("Darwin", "x86_64"),
    "macos-arm64": Platform("Darwin", "arm64"),
    "windows-x86_64": Platform("Windows", "AMD64"),
}
"""The platforms of ``tensorflow.yaml`` by name, each with a libc and a system new enough for every wheel."""


@functools.lru_cache(maxsize=2048)
def installable(matrix: Matrix, name: str, python: str, platform: Platform) -> tuple[tuple[Release, Build | None], ...]:
    """The releases of a distribution that install on a Python series (``3.12``), newest first; yanked ones are left out.

    With each comes the build that is installed; None where only its source archive fits, which is said to do only of a
    distribution whose wheels are for any platform, or which never had wheels.
    """
    found: list[tuple[Release, Build | None]] = []
    for release in reversed(matrix.releases.of(name)):
        if release.yanked is not None or not _python_fits(release.python, python):
            continue
        build = next((build for build in release.builds if _fits(build, python, platform)), None)
        if build is not None or (release.sdist and not release.builds):
            found.append((release, build))
    return tuple(found)


def newest(
    matrix: Matrix,
    name: str,
    specifier: SpecifierSet,
    python: str,
    platform: Platform,
    beside: Mapping[str, Version] | None = None,
) -> Release | None:
    """The newest installable release within ``specifier`` that no knot forbids ``beside`` what is chosen already.

    ``beside`` maps normalized names to versions, with ``tensorflow`` for whichever distribution brings it.
    """
    for release, _ in installable(matrix, name, python, platform):
        version = Version(release.version)
        if specifier.contains(version, prereleases=True) and not forbidden(matrix, name, version, python, beside or {}):
            return release
    return None


def forbidden(matrix: Matrix, name: str, version: Version, python: str, beside: Mapping[str, Version]) -> bool:
    """Whether an error knot that names ``name`` is tied by this version beside the others."""
    hits = matrix.hits({**beside, name: version}, python)
    return any(knot.severity == "error" and name in knot.when for knot in hits)


def required(
    release: Release, build: Build | None, python: str, platform: Platform, extra: str = ""
) -> dict[str, SpecifierSet]:
    """What a release requires there, by normalized name; with an extra, only what that adds."""
    if extra:
        extras = build.extras if build is not None and build.extras is not None else release.extras
        lines = extras.get(extra, ())
    else:
        lines = release.requirements(build)
    environment = platform.markers(python)
    found: dict[str, SpecifierSet] = {}
    for line in lines:
        try:
            requirement = Requirement(line)
            holds = requirement.marker is None or requirement.marker.evaluate(environment)
        except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName):
            continue  # a handful of old family releases; every line of TensorFlow and Keras parses, which is tested
        if holds:
            name = re.sub(r"[-_.]+", "-", requirement.name).lower()
            found[name] = found.get(name, SpecifierSet()) & requirement.specifier
    return found


def _python_fits(wanted: str | None, python: str) -> bool:
    # A series stands for its patch releases: "!=3.9.7" or ">=3.11.4" leave most of it.
    return wanted is None or any(
        SpecifierSet(wanted).contains(f"{python}.{patch}", prereleases=True) for patch in (99, 0)
    )


def _fits(build: Build, python: str, platform: Platform) -> bool:
    return any(
        platform.fits(where) and any(_speaks(tag, python) for tag in pythons) for where, pythons in build.wheels.items()
    )


def _speaks(tag: str, python: str) -> bool:
    """Whether wheels with a Python tag run on a Python series; ``cp38-abi3`` does on it and every newer one."""
    found = re.fullmatch(r"(cp|py)(\d)(\d*)(-abi3)?", tag)
    if found is None:
        return False
    kind, major, minor, stable = found.groups()
    here = numbers(python)[:2]
    if int(major) != here[0]:
        return False
    if kind == "py" or stable:
        return not minor or here[1] >= int(minor)
    return bool(minor) and here[1] == int(minor)
