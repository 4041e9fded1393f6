"""The compatibility matrix: typed rows over ``compat_matrix/*.yaml``, each with its source."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.errors import EnvcheckError
from envcheck.knowledge.rows import LINE, Row, folder, load
from envcheck.versions import numbers

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a row stands and how it is known: ``released``, ``documented`` or ``measured``; ``checked`` is a date."""

    file: str
    line: int
    known: str
    checked: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """What one TensorFlow series (``2.15``) was built for and needs; the YAML file says what each column means."""

    series: str
    python: tuple[str, ...]
    keras: str | None
    tf_keras: str | None
    cuda: str
    cudnn: str
    sass: tuple[str, ...] | None
    ptx: tuple[str, ...] | None
    glibc: str
    source: Source


@dataclass(frozen=True, slots=True)
class Driver:
    """The oldest NVIDIA driver that serves a CUDA toolkit; None where the vendor names none for that system."""

    cuda: str
    linux: str | None
    windows: str | None
    source: Source

    def on(self, system: str) -> str | None:
        """The floor on ``Linux`` or ``Windows``."""
        return {"Linux": self.linux, "Windows": self.windows}.get(system)


@dataclass(frozen=True, slots=True)
class Knot:
    """Versions that break each other although no metadata says so, or worse than the metadata says.

    ``when`` maps distributions to version ranges, ``python`` among them; all must hold. ``install`` and ``uninstall``
    are the fix, with ``{series}`` standing for the TensorFlow series found.
    """

    id: str
    when: Mapping[str, str]
    severity: str
    consequence: str
    fix: str
    install: tuple[str, ...]
    uninstall: tuple[str, ...]
    source: Source

    def ties(self, installed: Mapping[str, Version]) -> bool:
        """Whether every range of ``when`` holds for what is installed."""
        return all(
            name in installed and SpecifierSet(wanted).contains(installed[name], prereleases=True)
            for name, wanted in self.when.items()
        )


@dataclass(frozen=True, slots=True)
class NvmlCode:
    """What one NVML return code means and what to do; the YAML file says what each column means.

    ``name`` is without ``NVML_ERROR_``. ``container`` is the remedy inside a container where it differs.
    """

    code: int
    name: str
    meaning: str
    remedy: str
    container: str | None
    commands: tuple[str, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class Matrix:
    """Everything ``compat_matrix/`` knows, ready to be asked."""

    rows: tuple[Series, ...]
    toolkits: tuple[Driver, ...]
    families: tuple[Driver, ...]
    knots: tuple[Knot, ...]
    loads: frozenset[str]
    """Top-level modules, of the standard library and of distributions, that ``import tensorflow`` loads."""
    optional: frozenset[str]
    """Normalized names of distributions that TensorFlow requires and was seen to import without."""
    nvml: tuple[NvmlCode, ...] = ()

    def nvml_code(self, name: str) -> NvmlCode | None:
        """The row of an NVML return code, by its name without ``NVML_ERROR_``; None for one not known."""
        return next((row for row in self.nvml if row.name == name), None)

    def series(self, version: Version) -> Series | None:
        """The row of a TensorFlow version; None when the matrix does not know its series."""
        wanted = f"{version.major}.{version.minor}"
        return next((row for row in self.rows if row.series == wanted), None)

    def nearest(self, version: Version) -> Series:
        """The known series next to ``version``, for saying what is known where the version itself is not."""
        wanted = (version.major, version.minor)
        return min(self.rows, key=lambda row: _distance(numbers(row.series), wanted))

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


def _distance(known: tuple[int, ...], wanted: tuple[int, int]) -> tuple[int, int]:
    return abs(known[0] - wanted[0]), abs(known[1] - wanted[1])


@functools.cache
def load_matrix(path: Path | None = None) -> Matrix:
    """The matrix in the folder ``path``; by default the one that ships with envcheck.

    Raises:
        EnvcheckError: a file is missing or a row lacks a column; the message names file and line.
    """
    where = path or folder()
    return Matrix(
        rows=tuple(_each(where / "tensorflow.yaml", _series)),
        toolkits=tuple(_each(where / "drivers.yaml", _driver, "toolkits")),
        families=tuple(_each(where / "drivers.yaml", _driver, "minor_version_compatibility")),
        knots=tuple(_each(where / "knots.yaml", _knot)),
        loads=_names(where / "imports.yaml", "standard_library", "modules")
        | _names(where / "imports.yaml", "packages", "modules"),
        optional=_names(where / "imports.yaml", "optional_requirements", "names"),
        nvml=tuple(_each(where / "nvml.yaml", _nvml_code)),
    )


def _each(path: Path, build: Callable[[Row, Source], T], section: str | None = None) -> Iterator[T]:
    rows = load(path)
    if section is not None:
        rows = rows.get(section) if isinstance(rows, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise EnvcheckError(
            f"envcheck's own data is damaged: {path.name}:1: {section or 'the file'} is no list of rows"
        )
    for row in rows:
        source = _source(path, row)
        try:
            yield build(row, source)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise EnvcheckError(f"envcheck's own data is damaged: {path.name}:{row[LINE]}: {error!r}") from None


def _names(path: Path, section: str, key: str) -> frozenset[str]:
    rows = load(path)
    row = rows.get(section) if isinstance(rows, dict) else None
    if not isinstance(row, dict) or not isinstance(row.get(key), list):
        raise EnvcheckError(f"envcheck's own data is damaged: {path.name}:1: {section} has no list of {key}")
    _source(path, row)
    return frozenset(row[key])


def _source(path: Path, row: Row) -> Source:
    try:
        return Source(path.name, row[LINE], row["known"], str(row["checked"]), tuple(row["source"]))
    except (KeyError, TypeError) as error:
        raise EnvcheckError(
            f"envcheck's own data is damaged: {path.name}:{row[LINE]}: every row says known, checked and source ({error})"
        ) from None


def _series(row: Row, source: Source) -> Series:
    return Series(
        series=row["series"],
        python=tuple(row["python"]),
        keras=row["keras"],
        tf_keras=row["tf_keras"],
        cuda=row["cuda"],
        cudnn=row["cudnn"],
        sass=None if row["sass"] is None else tuple(row["sass"]),
        ptx=None if row["ptx"] is None else tuple(row["ptx"]),
        glibc=row["glibc"],
        source=source,
    )


def _driver(row: Row, source: Source) -> Driver:
    cuda = row["cuda"] if "cuda" in row else str(row["cuda_major"])
    return Driver(cuda, row["linux"], row["windows"], source)


def _nvml_code(row: Row, source: Source) -> NvmlCode:
    text = (row["name"], row["meaning"], row["remedy"])
    return NvmlCode(int(row["code"]), *text, row["container"], tuple(row["commands"]), source)


def _knot(row: Row, source: Source) -> Knot:
    when = {name: wanted for name, wanted in row["when"].items() if name != LINE}
    for wanted in when.values():
        SpecifierSet(wanted)
    return Knot(
        id=row["id"],
        when=when,
        severity=row["severity"],
        consequence=row["consequence"],
        fix=row["fix"],
        install=tuple(row.get("install", ())),
        uninstall=tuple(row.get("uninstall", ())),
        source=source,
    )
