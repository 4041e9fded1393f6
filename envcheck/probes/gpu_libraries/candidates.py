"""Every file on this machine that could serve a soname, found or not by the loader: where it lies and whose it is.

The places are those of NVIDIA's cuda-pathfinder (https://nvidia.github.io/cuda-python/cuda-pathfinder/): the nvidia wheels
of the environment, conda's ``lib``, CUDA_HOME and CUDA_PATH, ``/usr/local/cuda*``; and the loader's own.
"""

from __future__ import annotations

import csv
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from envcheck.host import Host
from envcheck.probes.gpu_libraries.elf import Elf, NotLoadable, read
from envcheck.probes.gpu_libraries.loader import Loader
from envcheck.probes.packages import Distribution, PackagesFacts
from envcheck.probes.packages.metadata import record_rows

TOOLKIT_LIBRARIES = ("lib64", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib", "lib64/stubs", "extras/CUPTI/lib64")


@dataclass(frozen=True, slots=True)
class Owner:
    """A distribution that lists a file as its own."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One file: ``kind`` is ``wheel``, ``conda``, ``toolkit``, ``system`` or ``LD_LIBRARY_PATH``.

    ``version`` is what the real file's name says (``libcublas.so.12.9.1.4``). ``owners`` are the distributions that list
    it: two of them overwrite each other. ``trouble`` is why it cannot be loaded, empty where nothing speaks against it.
    """

    path: str
    kind: str
    version: str | None = None
    owners: tuple[Owner, ...] = ()
    trouble: str = ""


class Shelves:
    """The folders that hold CUDA libraries, looked at once."""

    def __init__(
        self, host: Host, packages: PackagesFacts, loader: Loader, elf: Elf, prefix: str, variables: Mapping[str, str]
    ) -> None:
        self._host = host
        self._loader = loader
        self._elf = elf
        self._wheels = [dist for dist in packages.distributions if dist.key.startswith("nvidia-")]
        self._owned = self._listed()
        roots = [variables[name] for name in ("CUDA_HOME", "CUDA_PATH") if variables.get(name)]
        roots += [f"/usr/local/{name}" for name in host.names("/usr/local") if re.fullmatch(r"cuda(-[\d.]+)?", name)]
        roots += ["/opt/cuda"]
        prefixes = [variables.get("CONDA_PREFIX"), prefix if host.exists(f"{prefix}/conda-meta") else None]
        self._folders = [
            *((folder, "LD_LIBRARY_PATH") for folder in loader.library_path),
            *((f"{each}/lib", "conda") for each in dict.fromkeys(filter(None, prefixes))),
            *((f"{root}/{name}", "toolkit") for root in dict.fromkeys(roots) for name in TOOLKIT_LIBRARIES),
            *((folder, "system") for folder in loader.defaults),
        ]

    def of(self, soname: str) -> tuple[Candidate, ...]:
        """The files that could serve ``soname``, each once, the wheels' first."""
        found: dict[str, Candidate] = {}
        seen: set[str] = set()
        for path, kind in self._paths(soname):
            real = self._real(path)
            if path not in found and real is not None and real not in seen:
                seen.add(real)
                found[path] = self._candidate(path, kind, real)
        return tuple(found.values())

    @property
    def wheels(self) -> tuple[Owner, ...]:
        """The distributions of NVIDIA that bring libraries."""
        bringing = {dist.key for dists in self._owned.values() for dist in dists}
        return tuple(Owner(dist.name, dist.version) for dist in self._wheels if dist.key in bringing)

    def owners(self, path: str) -> tuple[Owner, ...]:
        """The distributions that list the file at ``path``."""
        return tuple(Owner(dist.name, dist.version) for dist in self._owned.get(posixpath.normpath(path), ()))

    def _paths(self, soname: str) -> Iterator[tuple[str, str]]:
        for path in self._owned:
            if posixpath.basename(path) == soname:
                yield path, "wheel"
        for folder, kind in self._folders:
            yield posixpath.join(folder, soname), kind
        for entry in self._loader.cache:
            if entry.soname == soname:
                yield entry.path, "system"

    def _candidate(self, path: str, kind: str, real: str) -> Candidate:
        elf = read(self._host.path(path))
        trouble = "" if isinstance(elf, Elf) and elf.fits(self._elf) else "of another architecture"
        if isinstance(elf, NotLoadable):
            trouble = elf.reason
        version = re.search(r"\.so\.(\d+(?:\.\d+)+)$", real)
        return Candidate(path, kind, version[1] if version else None, self.owners(path), trouble)

    def _real(self, path: str) -> str | None:
        try:
            where = self._host.path(path)
            return str(where.resolve(strict=True))
        except (OSError, ValueError, RuntimeError):  # not there, a loop of links
            return None

    def _listed(self) -> dict[str, list[Distribution]]:
        """The shared libraries that the nvidia wheels list, by path."""
        found: dict[str, list[Distribution]] = {}
        for dist in self._wheels:
            try:
                rows = record_rows(self._host.read(f"{dist.location}/{dist.metadata}/RECORD") or "")
            except csv.Error:
                continue
            for path, _ in rows:
                if ".so" in posixpath.basename(path):
                    found.setdefault(posixpath.normpath(f"{dist.location}/{path}"), []).append(dist)
        return found
