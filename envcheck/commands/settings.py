"""What a project sets for envcheck: ``[tool.envcheck]`` in pyproject.toml, and the matrix that this or ``--matrix`` names."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envcheck.errors import UsageError
from envcheck.knowledge.matrix import Matrix, load_matrix
from envcheck.source import toml

SCAN_KEYS = (
    "target",
    "select",
    "ignore",
    "exclude",
    "extend-exclude",
    "per-file-ignores",
    "baseline",
    "fail-on",
    "legacy-keras",
)
"""What ``[tool.envcheck.scan]`` may say; ``[tool.envcheck]`` may say it as well. ``scan/settings.py`` reads it."""
KEYS = ("matrix", "scan", *SCAN_KEYS)
"""What ``[tool.envcheck]`` may say."""
LARGEST = 1 << 20
"""Bytes of the largest pyproject.toml that is read."""


@dataclass(frozen=True, slots=True)
class Project:
    """A pyproject.toml with ``[tool.envcheck]``: its path, and what the table says. Keys that there are not are refused."""

    path: Path
    table: dict[str, Any]

    def where(self, key: str, table: str = "tool.envcheck") -> str:
        """``pyproject.toml:4``: the line of a key in one of the tables."""
        return f"{self.path}:{_line(self.path, key, table)}"

    def refuse_unknown(self, keys: Iterable[str], known: tuple[str, ...], table: str = "tool.envcheck") -> None:
        """Refuse the first of ``keys`` that is not known.

        Raises:
            UsageError: there is one; it names file and line.
        """
        for key in keys:
            if key not in known:
                raise UsageError(
                    f"{self.where(key, table)}: unknown key {key} in [{table}]; there is {', '.join(known)}"
                )


def chosen_matrix(path: str | None) -> Matrix:
    """The matrix with the rows of ``path`` over it; without one, with those that the nearest pyproject.toml names.

    Raises:
        UsageError: the file, or the pyproject.toml, cannot be used; one line says where.
    """
    if path is not None:
        if not path.strip():
            raise UsageError("--matrix is given and names no file")
        return load_matrix(overlay=Path(path))
    project = nearest()
    return load_matrix() if project is None else _configured(project)


def nearest(folder: str = ".") -> Project | None:
    """The nearest pyproject.toml with ``[tool.envcheck]``, in ``folder`` or above; None without any.

    Raises:
        UsageError: one that speaks of envcheck cannot be read, is no TOML, or has an unknown key.
    """
    for path in _projects(folder):
        table = _table(path)
        if table is not None:
            project = Project(path, table)
            project.refuse_unknown(table, KEYS)
            return project
    return None


def _projects(folder: str) -> Iterator[Path]:
    """The pyproject.toml files of a folder and its parents; what is no ordinary file is none.

    Their paths are relative to the current folder where they lie in or below it.
    """
    try:
        here = Path.cwd()
        start = Path(os.path.abspath(folder))  # noqa: PTH100 - Path.resolve would follow links: people know the path that they wrote
    except (OSError, ValueError):  # the current folder is gone, or there is a NUL in the name: no pyproject.toml either
        return
    for each in (start, *start.parents):
        path = (each.relative_to(here) if each.is_relative_to(here) else each) / "pyproject.toml"
        try:
            ordinary = stat.S_ISREG(path.stat().st_mode)
        except (OSError, ValueError):  # not there, a loop of links, or behind a folder that we may not enter
            continue
        if ordinary:
            yield path


def _table(path: Path) -> dict[str, Any] | None:
    """What ``[tool.envcheck]`` says; None without it. A file that never says "envcheck" is not even parsed."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > LARGEST:
        raise UsageError(f"{path}: larger than {LARGEST >> 20} MiB, the most that is read")
    if b"envcheck" not in data:
        return None
    try:
        content = toml.read(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}:{data.count(10, 0, error.start) + 1}: this is not UTF-8") from None
    except toml.NoToml as error:
        where = path if error.line is None else f"{path}:{error.line}"
        raise UsageError(f"{where}: this is no TOML that can be read: {error.reason}") from None
    tool = content.get("tool")
    table = tool.get("envcheck") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise UsageError(f"{path}:{_line(path, 'envcheck')}: tool.envcheck is no table; write [tool.envcheck]")
    return table


def _configured(project: Project) -> Matrix:
    if "matrix" not in project.table:
        return load_matrix()
    named = project.table["matrix"]
    if not isinstance(named, str) or not named.strip():
        raise UsageError(f"{project.where('matrix')}: matrix in [tool.envcheck] is the name of a YAML file")
    path = project.path.parent / named
    if not path.exists():
        raise UsageError(f"{project.where('matrix')}: there is no file {path}")
    return load_matrix(overlay=path)


def _line(path: Path, key: str, table: str = "tool.envcheck") -> int:
    """The line on which ``key`` of a table stands, from 1: TOML readers keep none."""
    lines = path.read_text("utf-8", "replace").splitlines()
    start = next((number for number, line in enumerate(lines) if re.match(r"\s*\[\s*tool\s*\.", line)), 0)
    last = table.rpartition(".")[2]
    start = next((number for number, line in enumerate(lines) if re.match(rf"\s*\[.*\b{last}\b", line)), start)
    pattern = re.compile(rf"\W*(?:.*\.)?[\"']?{re.escape(key)}\b")
    return next((number for number, line in enumerate(lines[start:], start + 1) if pattern.match(line)), start + 1)
