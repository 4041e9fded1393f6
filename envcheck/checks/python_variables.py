"""ENV111: PYTHONHOME and PYTHONPATH."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Severity, check

if TYPE_CHECKING:
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts

_MODULES = ("tensorflow", "keras", "numpy")


@check("ENV111", "PYTHONHOME and PYTHONPATH bring in no other installation", Severity.WARNING)
def python_variables(python: PythonFacts, packages: PackagesFacts, environment: EnvironmentFacts) -> Iterator[Finding]:
    """PYTHONHOME or PYTHONPATH brings another installation into this environment.

    Cause: PYTHONPATH is searched before the environment's own site-packages, by every Python started from this shell,
    of whatever version: a numpy or tensorflow that lies there replaces the installed one. PYTHONHOME tells every
    Python to take its standard library from one place, which is right for one installation at most. Modules of a
    cluster, ROS, Spark and some IDEs set them.

    How to fix: Unset the variable, and install what is needed into the environment.

    Source: https://docs.python.org/3/using/cmdline.html#environment-variables
    """
    windows = python.platform == "win32"
    home = environment.get("PYTHONHOME")
    if home and not {PurePath(part) for part in home.split(";" if windows else ":")} & _own(python):
        yield Finding(
            f"PYTHONHOME is {home}, which is not where this Python is installed ({python.base_prefix})",
            fix=_unset("PYTHONHOME", windows),
            evidence={"PYTHONHOME": home, "base_prefix": python.base_prefix},
        )
    entries = [
        entry for entry in (environment.get("PYTHONPATH") or "").split(";" if windows else ":") if PurePath(entry).parts
    ]
    folders = {PurePath(entry): entry for entry in entries}
    brought = [
        dist
        for dist in packages.distributions
        if any(name in dist.modules for name in _MODULES)
        and PurePath(dist.location) in folders
        and not PurePath(dist.location).is_relative_to(python.prefix)
    ]
    for dist in brought:
        hidden = next((copy for copy in packages.shadowed if copy.key == dist.key), None)
        yield Finding(
            f"{dist.name} {dist.version} comes from the PYTHONPATH folder {dist.location}"
            + (f" and hides {hidden.name} {hidden.version} in {hidden.location}" if hidden else ""),
            fix=_unset("PYTHONPATH", windows)
            if hidden
            else Fix(
                f"Install {dist.name} into the environment, and take {dist.location} out of PYTHONPATH.",
                commands=(*_unset("PYTHONPATH", windows).commands, python.install(f"{dist.name}=={dist.version}")),
            ),
            evidence={"PYTHONPATH": entries, "location": dist.location},
        )


def _own(python: PythonFacts) -> set[PurePath]:
    return {PurePath(python.prefix), PurePath(python.base_prefix)}


def _unset(name: str, windows: bool) -> Fix:
    return Fix(
        f"Unset {name} in this shell, and where it is set at start-up.",
        commands=(f"set {name}=" if windows else f"unset {name}",),
        verify=None if windows else f"env | grep {name}",
        safe=True,
    )
