"""Pins in pyproject.toml (the standard's tables, and those of Poetry, PDM, uv and Hatch) and in Pipfiles.

Sources: https://packaging.python.org/en/latest/specifications/pyproject-toml/,
https://packaging.python.org/en/latest/specifications/dependency-groups/, https://python-poetry.org/docs/pyproject/,
https://pdm-project.org/latest/reference/pep621/, https://docs.astral.sh/uv/reference/settings/,
https://hatch.pypa.io/latest/config/environment/overview/, https://pipenv.pypa.io/en/latest/pipfile.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from envcheck.source.pins.pin import PACKAGES, Include, Lines, Pin, Told, Unclear, normalized, pinned, unclear_at
from envcheck.source.pins.ranges import specifier
from envcheck.source.reading import Unread
from envcheck.source.toml import NoToml
from envcheck.source.toml import read as read_toml

GROUP = "*"
"""In the tables below: a key that names a group."""
LISTS: tuple[tuple[str, ...], ...] = (
    ("project", "dependencies"),
    ("project", "optional-dependencies", GROUP),
    ("dependency-groups", GROUP),
    ("tool", "pdm", "dev-dependencies", GROUP),
    ("tool", "uv", "dev-dependencies"),
    ("tool", "uv", "constraint-dependencies"),
    ("tool", "uv", "override-dependencies"),
    ("tool", "hatch", "envs", GROUP, "dependencies"),
    ("tool", "hatch", "envs", GROUP, "extra-dependencies"),
)
"""Where lists of requirements stand."""
TABLES: tuple[tuple[str, ...], ...] = (
    ("tool", "poetry", "dependencies"),
    ("tool", "poetry", "dev-dependencies"),
    ("tool", "poetry", "group", GROUP, "dependencies"),
    ("packages",),
    ("dev-packages",),
)
"""Where tables of names and ranges stand; the last two are a Pipfile's."""
FILES: tuple[tuple[str, ...], ...] = (
    ("tool", "setuptools", "dynamic", "dependencies"),
    ("tool", "setuptools", "dynamic", "optional-dependencies", GROUP),
)
"""Where files of requirements are named."""
CONDITIONS = ("markers", "python", "platform", "sys_platform", "platform_machine", "os_name", "python_version")
"""Keys of one dependency under which it says when it holds."""


def read(path: str, text: str) -> Iterator[Told]:
    """What a pyproject.toml or a Pipfile says."""
    try:
        content = read_toml(text)
    except NoToml as error:
        yield Unread(path, f"this is no TOML that can be read: {error}")
        return
    lines = Lines(text)
    for places, tell in ((LISTS, _listed), (TABLES, _named)):
        for keys in places:
            for group, value in _values(content, keys):
                yield from tell(path, ".".join(keys), value, group, lines)
    for keys in FILES:
        for _, value in _values(content, keys):
            yield from _files(value, lines)


def _values(content: Any, keys: tuple[str, ...], group: str = "") -> Iterator[tuple[str, Any]]:
    """What stands at a place, with the group it belongs to."""
    if not keys:
        yield group, content
    elif isinstance(content, dict):
        for name in list(content) if keys[0] == GROUP else [keys[0]]:
            if name in content:
                inner = name if keys[0] == GROUP else "dev" if name.startswith("dev-") else group
                yield from _values(content[name], keys[1:], inner)


def _listed(path: str, place: str, value: Any, group: str, lines: Lines) -> Iterator[Told]:
    if not isinstance(value, list):
        yield Unread(path, f"{place} is no list of requirements")
        return
    for each in value:
        if isinstance(each, str) and _looked_for(each):
            line = lines.find(_quoted(each))
            yield from pinned(each, path, line, group)


def _looked_for(requirement: str) -> bool:
    found = re.match(r"\s*([\w.-]+)", requirement)
    return found is not None and normalized(found[1]) in PACKAGES


def _named(path: str, place: str, value: Any, group: str, lines: Lines) -> Iterator[Told]:
    if not isinstance(value, dict):
        yield Unread(path, f"{place} is no table of requirements")
        return
    for name, wanted in value.items():
        distribution = normalized(name)
        if distribution not in PACKAGES:
            continue
        line = lines.find(rf"^(?:[^#\n]*[.{{,])?[ \t]*[\"']?{re.escape(name)}[\"']?[ \t]*[=.\]]")
        for each in wanted if isinstance(wanted, list) else [wanted]:
            try:
                versions, marker = _one(each)
            except Unclear as unclear:
                yield unclear_at(path, line, f"{name}: {unclear}")
            else:
                yield Pin(distribution, versions, path, line, group, marker)


def _one(wanted: Any) -> tuple[str, str]:
    """The specifier and the marker of one dependency: a range, or a table with one."""
    if isinstance(wanted, str):
        return specifier(wanted), ""
    if not isinstance(wanted, dict):
        raise Unclear("this is neither a range of versions nor a table")
    version = wanted.get("version")
    if not isinstance(version, str):
        sources = [source for source in ("git", "path", "url", "file") if source in wanted]
        raise Unclear(
            f"it comes from a {sources[0]}, which does not tell the version" if sources else "no version is given"
        )
    conditions = [_condition(key, wanted[key]) for key in CONDITIONS if isinstance(wanted.get(key), str)]
    return specifier(version), " and ".join(conditions)


def _condition(key: str, value: str) -> str:
    return value if key == "markers" else f"{key} {value}"


def _files(value: Any, lines: Lines) -> Iterator[Include]:
    """The files that setuptools reads requirements from.

    https://setuptools.pypa.io/en/latest/userguide/pyproject_config.html#dynamic-metadata
    """
    named = value.get("file") if isinstance(value, dict) else None
    for file in named if isinstance(named, list) else [named]:
        if isinstance(file, str):
            yield Include(file, lines.find(_quoted(file)))


def _quoted(text: str) -> str:
    """A pattern of the text as a TOML string."""
    return rf"[\"']{re.escape(text)}[\"']"
