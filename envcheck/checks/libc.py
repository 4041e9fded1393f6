"""ENV105: the C library against the wheel tag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Skip, check
from envcheck.versions import at_least, numbers

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts

# https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/#manylinux
_LEGACY = {"manylinux1": "2.5", "manylinux2010": "2.12", "manylinux2014": "2.17"}


@check("ENV105", "The C library can load TensorFlow's wheel", explains=("ENV301", "SMK"), unless="SMK105")
def libc(python: PythonFacts, packages: PackagesFacts, matrix: Matrix) -> Iterator[Finding]:
    """The C library of this system cannot load TensorFlow's wheels.

    Cause: TensorFlow's Linux wheels are linked with the GNU C library, and their tag names the oldest version that
    they run on: "manylinux_2_27" means glibc 2.27. Alpine Linux has musl instead, for which no TensorFlow release has
    wheels. An older glibc ends the import with "version `GLIBC_2.27' not found", or pip finds no distribution at all.

    How to fix: In a container, take a base image with glibc: python:3.12-slim instead of python:3.12-alpine. On an
    old system, install a TensorFlow whose wheel tag it meets, or run a newer system in a container. The C library
    itself cannot be replaced under a running system.

    Source: The file names of all TensorFlow releases on PyPI (checked 2026-11-20): manylinux1 up to 1.14,
    manylinux2010 (glibc 2.12) from 1.15 to 2.8, manylinux2014 (glibc 2.17) from 2.9 to 2.20, manylinux_2_27 from
    2.21; never musllinux. The tags: https://peps.python.org/pep-0600/ and https://peps.python.org/pep-0656/
    """
    if python.platform != "linux":
        raise Skip("wheel tags name a C library on Linux only")
    if python.libc not in ("glibc", "musl"):
        raise Skip("which C library this Python is linked with is not known", unknown=True)
    installed = packages.providers("tensorflow")
    if python.libc == "musl":
        if not installed or any("manylinux" in tag for dist in installed for tag in dist.wheel_tags):
            yield _no_musl(python, matrix)
        return
    for dist in installed:
        floor = _floor(dist.wheel_tags)
        if floor and not at_least(python.libc_version, floor):
            yield _too_old(python, matrix, f"{dist.name} {dist.version}", dist.name, floor)
    if not installed:
        floors = [row.glibc for row in matrix.rows if python.series in row.python]
        if floors and not any(at_least(python.libc_version, floor) for floor in floors):
            lowest = min(floors, key=numbers)
            yield _too_old(python, matrix, f"every TensorFlow for Python {python.series}", "tensorflow", lowest)


def _floor(tags: Iterable[str]) -> str | None:
    """The lowest glibc among the wheel's tags: meeting one of them is enough."""
    floors = []
    for tag in tags:
        floors += [f"{major}.{minor}" for major, minor in re.findall(r"manylinux_(\d+)_(\d+)_", tag)]
        floors += [_LEGACY[name] for name in re.findall(r"manylinux(?:1|2010|2014)(?=_)", tag)]
    return min(floors, key=numbers, default=None)


def _no_musl(python: PythonFacts, matrix: Matrix) -> Finding:
    newest = matrix.rows[0].python[-1]
    return Finding(
        "this Python is linked with musl (Alpine Linux); TensorFlow's wheels need the GNU C library (glibc), and no "
        "release has musllinux wheels",
        fix=Fix(
            f"Take a base image with glibc: in the Dockerfile, `FROM python:{newest}-slim` instead of an Alpine image."
        ),
        evidence={"libc": python.libc, "executable": python.executable},
    )


def _too_old(python: PythonFacts, matrix: Matrix, what: str, name: str, floor: str) -> Finding:
    here = python.libc_version
    fitting = next((row for row in matrix.rows if python.series in row.python and at_least(here, row.glibc)), None)
    if fitting:
        fix = Fix(
            f"Install TensorFlow {fitting.series}, the newest whose wheels run on glibc {here} (they need "
            f"{fitting.glibc}), or move to a newer system or base image.",
            commands=(python.install(f"{name}=={fitting.series}.*"),),
        )
    else:
        fix = Fix(f"Move to a system or base image with glibc {floor} or newer: its C library cannot be exchanged.")
    return Finding(
        f"this system has glibc {here}; the wheel of {what} needs glibc {floor} or newer",
        fix=fix,
        evidence={"glibc": here, "needed": floor},
    )
