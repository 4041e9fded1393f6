"""Reads what a project asks for: requirements.txt, pyproject.toml, or a folder that holds one of them."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from envcheck.errors import UsageError
from envcheck.knowledge.choice import Platform
from envcheck.source import toml
from envcheck.source.pins.requirement_files import logical_lines
from envcheck.suggestion.repair import BRINGS
from envcheck.suggestion.suits import STAND_INS

LARGEST = 1 << 20
"""Bytes of the largest file that is read."""


def requirements(path: Path, python: str, platform: Platform) -> tuple[dict[str, SpecifierSet], tuple[str, ...]]:
    """The version ranges by normalized name that hold on a Python and a platform, and the lines not looked at.

    Raises:
        UsageError: the file cannot be read, or a line is no requirement; it names file and line.
    """
    file = _file(path)
    ranges: dict[str, SpecifierSet] = {}
    unread = []
    for where, line in _pyproject(file) if file.name == "pyproject.toml" else _lines(file):
        if line.startswith(("-", ".", "/")) or "://" in line:
            unread.append(f"{where}: {line}")
            continue
        try:
            requirement = Requirement(line)
            holds = requirement.marker is None or requirement.marker.evaluate(platform.markers(python))
            for each in requirement.specifier:
                each.contains("1")  # a number of 5000 digits is refused only when it is compared
        except (
            ValueError,
            RecursionError,
        ) as error:  # a marker that compares what cannot be compared, or is nested too deep
            raise UsageError(f"{where}: this is no requirement: {line[:80]} ({str(error).splitlines()[0]})") from None
        if holds:
            name = re.sub(r"[-_.]+", "-", requirement.name).lower()
            name = "tensorflow" if name in BRINGS or name in STAND_INS else name
            ranges[name] = ranges.get(name, SpecifierSet()) & requirement.specifier
    return ranges, tuple(unread)


def _file(path: Path) -> Path:
    try:
        if path.is_dir():
            for name in ("requirements.txt", "pyproject.toml"):
                if (path / name).is_file():
                    return path / name
            raise UsageError(f"{path}: there is no requirements.txt and no pyproject.toml in this folder")
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path}: this is no ordinary file")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:  # a NUL in the name
        raise UsageError(f"cannot read {str(path)!r}: {error}") from None
    return path


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise UsageError(f"{file}: larger than {LARGEST >> 20} MiB, the most that is read")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file}: this is no UTF-8 text") from None


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    """The logical lines of a requirements file, without comments and hashes."""
    return ((f"{file}:{line}", words) for line, words in logical_lines(_text(file)))


def _pyproject(file: Path) -> Iterator[tuple[str, str]]:
    text = _text(file)
    try:
        content = toml.read(text)
    except toml.NoToml as error:
        raise UsageError(f"{file}: this is no TOML: {error}") from None
    project = content.get("project", {})
    listed = project.get("dependencies", []) if isinstance(project, dict) else None
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise UsageError(f"{file}: project.dependencies is no list of requirements")
    lines = text.splitlines()
    for each in listed:
        number = next((number for number, line in enumerate(lines, 1) if each in line), 1)
        yield f"{file}:{number}", each.strip()
