"""Pins in lock files: uv.lock, poetry.lock, pdm.lock, pylock.toml and Pipfile.lock.

Sources: https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile, https://python-poetry.org/docs/basic-usage/,
https://pdm-project.org/latest/usage/lockfile/, https://packaging.python.org/en/latest/specifications/pylock-toml/,
https://pipenv.pypa.io/en/latest/pipfile.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from envcheck.source.pins.pin import PACKAGES, Lines, Pin, Told, Unclear, checked, normalized, unclear_at
from envcheck.source.reading import Unread
from envcheck.source.toml import NoToml
from envcheck.source.toml import read as read_toml

_TABLE = re.compile(r"^\[\[packages?\]\]", re.MULTILINE)
_NAME = re.compile(r"^name\s*=\s*[\"']([\w.-]+)[\"']", re.MULTILINE)
_OWN = ("editable", "virtual", "directory")
"""Sources of a package that is the project itself, or lies in it."""


def read_toml_lock(path: str, text: str) -> Iterator[Told]:
    """What a lock file of ``[[package]]`` tables says.

    Only the tables of the distributions that are looked for are parsed: the others are megabytes.
    """
    starts = [found.start() for found in _TABLE.finditer(text)]
    line, counted = 1, 0
    for begin, end in pairwise([*starts, len(text)]):
        name = _NAME.search(text, begin, end)
        if name is None or normalized(name[1]) not in PACKAGES:
            continue
        line, counted = line + text.count("\n", counted, name.start()), name.start()
        try:
            (table,) = next(iter(read_toml(text[begin:end]).values()))
            yield from _locked(path, line, normalized(name[1]), table)
        except NoToml as error:
            yield unclear_at(path, line, f"this is no TOML that can be read: {error.reason}")
        except Unclear as unclear:
            yield unclear_at(path, line, unclear)


def _locked(path: str, line: int, name: str, table: dict[str, Any]) -> Iterator[Pin]:
    source = table.get("source")
    if isinstance(source, dict) and any(key in source for key in _OWN):
        return
    if not isinstance(table.get("version"), str):
        raise Unclear(f"{name} is locked without a version")
    conditions = table.get("resolution-markers", table.get("markers", table.get("marker")))
    if isinstance(conditions, dict):  # Poetry: one for each group
        conditions = list(conditions.values())
    if isinstance(conditions, list):
        conditions = " or ".join(each for each in conditions if isinstance(each, str))
    groups = table.get("groups", table.get("dependency-groups"))
    named = [each for each in groups if isinstance(each, str)] if isinstance(groups, list) else []
    group = "" if {"main", "default"} & set(named) else ",".join(named)
    marker = conditions if isinstance(conditions, str) else ""
    yield Pin(name, checked(f"=={table['version']}"), path, line, group, marker)


def read_pipfile_lock(path: str, text: str) -> Iterator[Told]:
    """What a Pipfile.lock says."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        yield Unread(path, "this is no JSON that can be read")
        return
    lines = Lines(text)
    for section, group in (("default", ""), ("develop", "dev")):
        packages = content.get(section) if isinstance(content, dict) else None
        for name, entry in packages.items() if isinstance(packages, dict) else ():
            if normalized(name) not in PACKAGES:
                continue
            line = lines.find(rf"\"{re.escape(name)}\"\s*:\s*{{")
            version, marker = (entry.get("version"), entry.get("markers")) if isinstance(entry, dict) else (None, None)
            if not isinstance(version, str):
                yield unclear_at(path, line, f"{name} is locked without a version")
                continue
            try:
                yield Pin(
                    normalized(name), checked(version), path, line, group, marker if isinstance(marker, str) else ""
                )
            except Unclear as unclear:
                yield unclear_at(path, line, unclear)
