"""Which rows a team lays over the matrix: ``--matrix FILE``, else ``matrix`` under ``[tool.envcheck]`` in pyproject.toml."""

from __future__ import annotations

import importlib
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from envcheck.errors import UsageError
from envcheck.knowledge.matrix import Matrix, load_matrix

KEYS = ("matrix",)
"""What ``[tool.envcheck]`` may say."""
LARGEST = 1 << 20
"""Bytes of the largest pyproject.toml that is read."""


def chosen_matrix(path: str | None) -> Matrix:
    """The matrix with the rows of ``path`` over it; without one, with those that the nearest pyproject.toml names.

    Raises:
        UsageError: the file, or the pyproject.toml, cannot be used; one line says where.
    """
    if path is not None:
        if not path.strip():
            raise UsageError("--matrix is given and names no file")
        return load_matrix(overlay=Path(path))
    for project in _projects():
        table = _table(project)
        if table is not None:
            return _configured(project, table)
    return load_matrix()


def _projects() -> Iterator[Path]:
    """The pyproject.toml files of the current folder and its parents; what is no ordinary file is none."""
    try:
        parents = Path.cwd().parents
    except OSError:  # the folder is gone: it has no pyproject.toml either
        return
    for folder in (Path(), *parents):
        path = folder / "pyproject.toml"
        try:
            ordinary = stat.S_ISREG(path.stat().st_mode)
        except OSError:  # not there, a loop of links, or behind a folder that we may not enter
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
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        content: Any = toml.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}:{data.count(10, 0, error.start) + 1}: this is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(_no_toml(path, error)) from None
    tool = content.get("tool")
    table = tool.get("envcheck") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise UsageError(f"{path}:{_line(path, 'envcheck')}: tool.envcheck is no table; write [tool.envcheck]")
    return table


def _no_toml(path: Path, error: Exception) -> str:
    found = re.search(r"line (\d+)", str(error))
    where = f"{path}:{found[1]}" if found else str(path)
    what = "nested too deep" if isinstance(error, RecursionError) else re.sub(r" \(at .*\)$", "", str(error))
    return f"{where}: this is no TOML that can be read: {what}"


def _configured(project: Path, table: dict[str, Any]) -> Matrix:
    for key in table:
        if key not in KEYS:
            where = f"{project}:{_line(project, key)}"
            raise UsageError(f"{where}: unknown key {key} in [tool.envcheck]; there is {', '.join(KEYS)}")
    if "matrix" not in table:
        return load_matrix()
    named = table["matrix"]
    where = f"{project}:{_line(project, 'matrix')}"
    if not isinstance(named, str) or not named.strip():
        raise UsageError(f"{where}: matrix in [tool.envcheck] is the name of a YAML file")
    path = project.parent / named
    if not path.exists():
        raise UsageError(f"{where}: there is no file {path}")
    return load_matrix(overlay=path)


def _line(path: Path, key: str) -> int:
    """The line on which ``key`` of ``[tool.envcheck]`` stands, from 1: TOML readers keep none."""
    lines = path.read_text("utf-8", "replace").splitlines()
    start = next((number for number, line in enumerate(lines) if re.match(r"\s*\[\s*tool\s*\.", line)), 0)
    start = next((number for number, line in enumerate(lines) if re.match(r"\s*\[.*\benvcheck\b", line)), start)
    pattern = re.compile(rf"\W*(?:.*\.)?[\"']?{re.escape(key)}\b")
    return next((number for number, line in enumerate(lines[start:], start + 1) if pattern.match(line)), start + 1)
