"""Which table stands in which file of ``compat_matrix/``, and the rows of one, a team's own laid over ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from envcheck.errors import EnvcheckError, UsageError
from envcheck.findings import Override
from envcheck.knowledge.gpu_libraries import GpuLibrary
from envcheck.knowledge.gpus import (
    Architecture,
    Backend,
    Cudnn,
    DriverBranch,
    ForwardCompatibility,
    GpuKnot,
    PlatformLimit,
    Products,
)
from envcheck.knowledge.knots import Knot, Symptom
from envcheck.knowledge.names import KerasBackends, Names, Processor, Refreshed
from envcheck.knowledge.nvidia import CudaCode, Driver, NvmlCode
from envcheck.knowledge.overlay import Overlay
from envcheck.knowledge.rows import Damage, Row, listed, read, typed
from envcheck.knowledge.series import Series
from envcheck.knowledge.smoke import LogRow

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Table:
    """Where a table stands (``section`` None: it is the whole file), what a row is, and the columns that name one."""

    file: str
    section: str | None
    kind: type
    key: tuple[str, ...]


TABLES = {
    "tensorflow": Table("tensorflow.yaml", None, Series, ("series",)),
    "toolkits": Table("drivers.yaml", "toolkits", Driver, ("cuda",)),
    "minor_version_compatibility": Table("drivers.yaml", "minor_version_compatibility", Driver, ("cuda",)),
    "branches": Table("drivers.yaml", "branches", DriverBranch, ("branch",)),
    "forward_compatibility": Table("drivers.yaml", "forward_compatibility", ForwardCompatibility, ("package",)),
    "architectures": Table("gpus.yaml", "architectures", Architecture, ("capability",)),
    "products": Table("gpus.yaml", "products", Products, ("capability", "kind")),
    "cudnn": Table("cudnn.yaml", None, Cudnn, ("cudnn",)),
    "backends": Table("backends.yaml", None, Backend, ("distribution", "versions")),
    "platforms": Table("platforms.yaml", None, PlatformLimit, ("id",)),
    "gpu_libraries": Table("gpu_libraries.yaml", None, GpuLibrary, ("library", "tensorflow")),
    "gpu_knots": Table("gpu_knots.yaml", None, GpuKnot, ("id",)),
    "knots": Table("knots.yaml", None, Knot, ("id",)),
    "symptoms": Table("symptoms.yaml", None, Symptom, ("id",)),
    "log_lines": Table("log_lines.yaml", None, LogRow, ("id",)),
    "keras": Table("keras.yaml", None, KerasBackends, ("versions",)),
    "processors": Table("processors.yaml", None, Processor, ("tensorflow",)),
    "names": Table("imports.yaml", None, Names, ("what",)),
    "nvml": Table("nvml.yaml", None, NvmlCode, ("code",)),
    "cuda_codes": Table("cuda_codes.yaml", None, CudaCode, ("code",)),
    "refreshed": Table("refreshed.yaml", None, Refreshed, ("what",)),
}
"""Every table by its name, which is also its name in a team's own file."""
LAID = {name: table.key for name, table in TABLES.items() if name != "refreshed"}
"""The tables that a team's own file may change, and the columns that name a row of each."""
CLOSED = frozenset({"names"})
"""Tables whose rows can be changed and neither added nor removed: the code asks for each by its name."""


class Tables:
    """The tables of ``folder``, each file read when first asked for, with ``overlay`` laid over them."""

    def __init__(self, folder: Path, overlay: Overlay | None = None) -> None:
        self._folder = folder
        self._overlay = overlay
        self._files: dict[str, Any] = {}

    @property
    def overrides(self) -> tuple[Override, ...]:
        """What a team's own file changes."""
        return self._overlay.overrides if self._overlay else ()

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self._folder

    def rows(self, name: str, kind: type[T]) -> tuple[T, ...]:
        """The rows of a table.

        Raises:
            EnvcheckError: our own file is damaged.
            UsageError: a row of the overlay does not fit.
        """
        table = TABLES[name]
        try:
            if table.file not in self._files:
                self._files[table.file] = read(self._folder / table.file)
            rows = listed(self._files[table.file], table.section, table.file)
        except Damage as damage:
            raise _ours(damage) from None
        laid = [(row, False) for row in rows] if self._overlay is None else self._overlay.lay(name, table.key, rows)
        return tuple(self._typed(row, kind, table.file, own=own) for row, own in laid)

    def check_overlay(self) -> None:
        """Read every table that the overlay changes.

        Raises:
            UsageError: a row of the overlay does not fit.
        """
        for name in dict.fromkeys(override.table for override in self.overrides):
            self.rows(name, TABLES[name].kind)

    def _typed(self, row: Row, kind: type[T], file: str, *, own: bool) -> T:
        try:
            return typed(row, kind, self._overlay.name if own and self._overlay else file, own=own)
        except Damage as damage:
            raise (UsageError(str(damage)) if own else _ours(damage)) from None


def _ours(damage: Damage) -> EnvcheckError:
    return EnvcheckError(f"envcheck's own data is damaged: {damage}")
