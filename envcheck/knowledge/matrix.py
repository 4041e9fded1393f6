"""The compatibility matrix: typed rows over ``compat_matrix/``, each with its source, read when first asked for."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.findings import Fix, Override
from envcheck.knowledge.gpu_libraries import GpuLibrary, library_row
from envcheck.knowledge.gpus import (
    Architecture,
    Backend,
    Cudnn,
    DriverBranch,
    ForwardCompatibility,
    GpuKnot,
    PlatformLimit,
    Products,
    product,
)
from envcheck.knowledge.knots import Knot, Symptom
from envcheck.knowledge.names import KerasBackends, Names, Processor, Refreshed
from envcheck.knowledge.nvidia import CudaCode, Driver, NvmlCode
from envcheck.knowledge.overlay import Overlay
from envcheck.knowledge.releases import Releases
from envcheck.knowledge.rows import folder
from envcheck.knowledge.series import Series
from envcheck.knowledge.smoke import Ended, Installer, LogRow, remedy
from envcheck.knowledge.tables import CLOSED, LAID, TABLES, Tables
from envcheck.versions import numbers


class Matrix:
    """Everything ``compat_matrix/`` knows, ready to be asked."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.releases = Releases(tables.folder / "releases")
        """Every release of every recorded distribution."""

    @property
    def overrides(self) -> tuple[Override, ...]:
        """What a team's own file changes."""
        return self._tables.overrides

    def table(self, name: str) -> tuple[Any, ...]:
        """The rows of any table by its name."""
        return self._tables.rows(name, TABLES[name].kind)

    @functools.cached_property
    def as_of(self) -> str:
        """The date up to which releases are known, ISO 8601."""
        (row,) = self._tables.rows("refreshed", Refreshed)
        return row.as_of

    @functools.cached_property
    def rows(self) -> tuple[Series, ...]:
        """The TensorFlow series, newest first."""
        return tuple(sorted(self._tables.rows("tensorflow", Series), key=lambda row: numbers(row.series), reverse=True))

    @functools.cached_property
    def toolkits(self) -> tuple[Driver, ...]:
        """CUDA toolkits (``12.5``) and the drivers they need themselves."""
        return self._tables.rows("toolkits", Driver)

    @functools.cached_property
    def families(self) -> tuple[Driver, ...]:
        """CUDA majors (``12``) and the drivers that minor-version compatibility lets them run on."""
        return self._tables.rows("minor_version_compatibility", Driver)

    @functools.cached_property
    def knots(self) -> tuple[Knot, ...]:
        """Versions that break each other."""
        return self._tables.rows("knots", Knot)

    @functools.cached_property
    def nvml(self) -> tuple[NvmlCode, ...]:
        """The return codes of NVML."""
        return self._tables.rows("nvml", NvmlCode)

    @functools.cached_property
    def cuda_codes(self) -> tuple[CudaCode, ...]:
        """The answers of cuInit."""
        return self._tables.rows("cuda_codes", CudaCode)

    @functools.cached_property
    def branches(self) -> tuple[DriverBranch, ...]:
        """NVIDIA's driver branches, newest first."""
        return self._tables.rows("branches", DriverBranch)

    @functools.cached_property
    def forward_compatibility(self) -> tuple[ForwardCompatibility, ...]:
        """Packages that bring a newer libcuda."""
        return self._tables.rows("forward_compatibility", ForwardCompatibility)

    @functools.cached_property
    def architectures(self) -> tuple[Architecture, ...]:
        """Compute capabilities, oldest first."""
        return self._tables.rows("architectures", Architecture)

    @functools.cached_property
    def products(self) -> tuple[Products, ...]:
        """Which products have which compute capability."""
        return self._tables.rows("products", Products)

    @functools.cached_property
    def cudnn(self) -> tuple[Cudnn, ...]:
        """Ranges of cuDNN versions, newest first."""
        return self._tables.rows("cudnn", Cudnn)

    @functools.cached_property
    def backends(self) -> tuple[Backend, ...]:
        """What the other backends of Keras 3 need of a GPU."""
        return self._tables.rows("backends", Backend)

    @functools.cached_property
    def platforms(self) -> tuple[PlatformLimit, ...]:
        """Where TensorFlow, or its use of a GPU, cannot be had."""
        return self._tables.rows("platforms", PlatformLimit)

    @functools.cached_property
    def gpu_knots(self) -> tuple[GpuKnot, ...]:
        """Faults that appear only on a GPU."""
        return self._tables.rows("gpu_knots", GpuKnot)

    @functools.cached_property
    def gpu_libraries(self) -> tuple[GpuLibrary, ...]:
        """The libraries that TensorFlow opens for a GPU."""
        return self._tables.rows("gpu_libraries", GpuLibrary)

    def gpu_library(self, soname: str, tensorflow: str) -> GpuLibrary | None:
        """The row of a library such as ``libcublas.so.12``, for a TensorFlow version."""
        return library_row(self.gpu_libraries, soname, tensorflow)

    @functools.cached_property
    def symptoms(self) -> tuple[Symptom, ...]:
        """What messages of a failed smoke run mean, in the order of trying."""
        return self._tables.rows("symptoms", Symptom)

    def remedy(self, trouble: Ended, python: Installer) -> Fix:
        """What to do about a step of the smoke run that went wrong, in the interpreter ``python``."""
        return remedy(self.symptoms, trouble, python, self.has_extra)

    @functools.cached_property
    def log_lines(self) -> tuple[LogRow, ...]:
        """What the lines of TensorFlow's log mean, in the order of trying."""
        return self._tables.rows("log_lines", LogRow)

    @functools.cached_property
    def keras_backends(self) -> tuple[KerasBackends, ...]:
        """The backends of Keras, by its version."""
        return self._tables.rows("keras", KerasBackends)

    def backends_of(self, keras: Version) -> KerasBackends | None:
        """The backends of one Keras version."""
        rows = self.keras_backends
        return next((row for row in rows if SpecifierSet(row.versions).contains(keras, prereleases=True)), None)

    def instructions(self, tensorflow: Version) -> str | None:
        """The instruction set that the x86-64 wheel of a TensorFlow version needs."""
        rows = self._tables.rows("processors", Processor)
        found = (row.needs for row in rows if SpecifierSet(row.tensorflow).contains(tensorflow, prereleases=True))
        return next(found, None)

    @property
    def loads(self) -> frozenset[str]:
        """Top-level modules, of the standard library and of distributions, that ``import tensorflow`` loads."""
        return self._names["standard_library"] | self._names["packages"]

    @property
    def optional(self) -> frozenset[str]:
        """Normalized names of distributions that TensorFlow requires and was seen to import without."""
        return self._names["optional_requirements"]

    @functools.cached_property
    def _names(self) -> Mapping[str, frozenset[str]]:
        return {row.what: frozenset(row.names) for row in self._tables.rows("names", Names)}

    def product(self, name: str) -> Products | None:
        """The products among which a GPU is, by its NVML name; None for one not known."""
        return product(self.products, name)

    def architecture(self, capability: str) -> Architecture | None:
        """What is known of a compute capability such as ``8.6``."""
        return next((row for row in self.architectures if row.capability == capability), None)

    def has_extra(self, version: Version, extra: str, python: str) -> bool:
        """Whether a TensorFlow release of this series has an extra such as ``and-cuda`` that installs on a Python series.

        What the extra requires may have no wheel there: 2.14's asks for a TensorRT without any for Python 3.11.
        """
        wanted = f"{version.major}.{version.minor}."
        series = [each for each in self.releases.of("tensorflow") if each.version.startswith(wanted)]
        return any(extra in each.extras and self._installs(each.extras[extra], python) for each in series)

    def _installs(self, requirements: Iterable[str], python: str) -> bool:
        """Whether each requirement that is recorded has a wheel for a Python series; markers are not looked at."""
        tag = f"cp{python.replace('.', '')}"
        for text in requirements:
            requirement = Requirement(text)
            releases = self.releases.of(requirement.name)
            if releases and not any(
                requirement.specifier.contains(release.version) and any(tag in tags for tags in build.wheels.values())
                for release in releases
                for build in release.builds
            ):
                return False
        return True

    def nvml_code(self, name: str) -> NvmlCode | None:
        """The row of an NVML return code, by its name without ``NVML_ERROR_``; None for one not known."""
        return next((row for row in self.nvml if row.name == name), None)

    def cuda_code(self, code: int | None) -> CudaCode | None:
        """The row of an answer of cuInit, by its number; None for one not known."""
        return next((row for row in self.cuda_codes if row.code == code), None)

    def series(self, version: Version) -> Series | None:
        """The row of a TensorFlow version; None when the matrix does not know its series."""
        wanted = f"{version.major}.{version.minor}"
        return next((row for row in self.rows if row.series == wanted), None)

    def nearest(self, version: Version) -> Series:
        """The known series next to ``version``, for saying what is known where the version itself is not.

        It is the newest that is not newer; the oldest of all for a version before that.
        """
        wanted = (version.major, version.minor)
        return next((row for row in self.rows if numbers(row.series) <= wanted), self.rows[-1])

    def hits(self, installed: Mapping[str, Version], python: str) -> tuple[Knot, ...]:
        """The knots that hold for what is installed (versions by normalized name) on a Python series."""
        found = {**installed, "python": Version(python)}
        return tuple(knot for knot in self.knots if knot.ties(found))

    def supporting(self, python: str) -> tuple[str, ...]:
        """The TensorFlow series that have wheels for a Python series such as ``3.12``, newest first."""
        return tuple(row.series for row in self.rows if python in row.python)

    def toolkit_driver(self, cuda: str) -> Driver | None:
        """The driver that the toolkit ``cuda`` (``12.5.1`` or ``12.5``) itself needs."""
        return next((row for row in self.toolkits if numbers(row.cuda) == numbers(cuda)[:2]), None)

    def driver_floor(self, cuda: str) -> Driver | None:
        """The oldest driver on which a build for ``cuda`` starts, minor-version compatibility taken into account."""
        major = numbers(cuda)[:1]
        family = next((row for row in self.families if numbers(row.cuda) == major), None)
        return family or self.toolkit_driver(cuda)


def load_matrix(path: Path | None = None, overlay: Path | None = None) -> Matrix:
    """The matrix in the folder ``path``, by default the one that ships with envcheck, with a team's own file over it.

    The files are read when first asked for; then a damaged one raises EnvcheckError, naming file and line. Without an
    overlay it is made once; a team's file is read anew each time.

    Raises:
        UsageError: ``overlay`` cannot be used; the message names file and line.
    """
    if overlay is None:
        return _plain(path or folder())
    tables = Tables(path or folder(), Overlay(overlay, LAID, CLOSED))
    tables.check_overlay()
    return Matrix(tables)


@functools.cache
def _plain(path: Path) -> Matrix:
    return Matrix(Tables(path))
