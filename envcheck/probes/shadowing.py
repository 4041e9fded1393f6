"""Files beside the user's script that Python would import instead of the module of the same name."""

from __future__ import annotations

import os
from dataclasses import dataclass

from envcheck.host import Host
from envcheck.probes.packages import PackagesFacts
from envcheck.probes.python import PythonFacts


@dataclass(frozen=True, slots=True)
class Shadow:
    """A local module: its file, its name, and what it hides (``standard library`` or a distribution's name)."""

    path: str
    module: str
    hides: str


@dataclass(frozen=True, slots=True)
class ShadowingFacts:
    """The modules in ``folder``, or in a folder that PYTHONPATH names, that hide others from a script started there."""

    folder: str
    shadows: tuple[Shadow, ...] = ()


def collect(host: Host, python: PythonFacts, packages: PackagesFacts) -> ShadowingFacts:
    """Compare the file names of the current folder with the standard library and the installed import packages."""
    folder = str(host.cwd)
    hidden = dict.fromkeys(python.standard_modules, "standard library")
    for dist in packages.distributions:
        if dist.location != folder:
            hidden.update(dict.fromkeys(dist.modules, dist.name))
    for name in (*python.builtin_modules, *python.loaded_at_start):
        hidden.pop(name, None)  # the import system never looks for these on sys.path again
    named = [folder for folder in host.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    homes = {dist.location for dist in packages.distributions}
    shadows = []
    for each in dict.fromkeys([folder, *(str(host.cwd / name) for name in named)]):
        if each in homes or each == python.stdlib:
            continue  # a site-packages: what lies there is installed
        for entry in host.names(each):
            module, path = entry.removesuffix(".py"), f"{each}/{entry}"
            # A folder without __init__.py hides nothing: Python prefers a regular package further down the path.
            real = host.exists(f"{path}/__init__.py") if module == entry else True
            if module in hidden and real:
                shadows.append(Shadow(path, module, hidden[module]))
    return ShadowingFacts(folder, tuple(shadows))
