"""ENV107: packages from the user site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Severity, check

if TYPE_CHECKING:
    from envcheck.probes.packages import Distribution, PackagesFacts
    from envcheck.probes.python import PythonFacts

_NAMES = ("tensorflow", "keras", "numpy", "protobuf", "h5py", "ml-dtypes", "tf-keras")


@check("ENV107", "TensorFlow's packages do not come from the user site", Severity.WARNING)
def user_site(python: PythonFacts, packages: PackagesFacts) -> Iterator[Finding]:
    """Packages in ~/.local mix into this environment.

    Cause: `pip install --user`, and pip without write access, install into the user site (~/.local/lib/python3.x),
    which every Python of the same minor version searches before its own site-packages: conda environments, modules of
    a cluster, and containers that mount the home folder (Apptainer does by default). A numpy, protobuf or keras from
    there replaces the one that the environment was made with, and it is the same for all environments.

    How to fix: Set PYTHONNOUSERSITE=1 for this environment. Packages that it was only getting from the user site must
    then be installed in it.

    Source: https://docs.python.org/3/library/site.html and
    https://docs.python.org/3/using/cmdline.html#envvar-PYTHONNOUSERSITE
    """
    if not python.user_site_enabled or not python.user_site:
        return
    every = (*packages.distributions, *packages.shadowed)
    related = [dist for dist in every if dist.key in _NAMES or "tensorflow" in dist.modules]
    used = [dist for dist in packages.distributions if dist in related and _same(dist.location, python.user_site)]
    others = [dist for dist in related if not _same(dist.location, python.user_site)]
    own_environment = python.manager in ("conda", "uv", "venv")
    if not used or not (others or own_environment):
        return  # a system Python with all of it in the user site: one place, nothing is mixed
    names = ", ".join(f"{dist.name} {dist.version}" for dist in used)
    come = "comes" if len(used) == 1 else "come"
    where = f"the {python.manager} environment {python.prefix}" if own_environment else python.prefix
    yield Finding(
        f"{names} {come} from the user site {python.user_site}, which mixes into {where}",
        fix=_fix(python, used, others),
        evidence={
            "user_site": python.user_site,
            "from_user_site": {dist.name: dist.version for dist in used},
            "from_elsewhere": {dist.name: f"{dist.version} ({dist.location})" for dist in others},
        },
    )


def _fix(python: PythonFacts, used: list[Distribution], others: list[Distribution]) -> Fix:
    command = "setx PYTHONNOUSERSITE 1" if python.platform == "win32" else "export PYTHONNOUSERSITE=1"
    if python.manager == "conda":
        command = f"conda env config vars set --prefix {python.prefix} PYTHONNOUSERSITE=1"
    elsewhere = {dist.key for dist in others}
    missing = [f"{dist.name}=={dist.version}" for dist in used if dist.key not in elsewhere]
    summary = "Keep the user site out of this environment"
    if missing:
        return Fix(
            f"{summary}, and install here what it was getting from there.",
            commands=(command, python.install(*missing)),
        )
    return Fix(f"{summary}.", commands=(command,), safe=True)


def _same(left: str, right: str) -> bool:
    return left.rstrip("/\\") == right.rstrip("/\\")
