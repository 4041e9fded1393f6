"""What a project sets for ``envcheck scan``: ``[tool.envcheck]`` and ``[tool.envcheck.scan]`` in its pyproject.toml."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from envcheck.commands.settings import SCAN_KEYS, Project, nearest
from envcheck.errors import UsageError
from envcheck.source.gitignore import Pattern, pattern

TABLE = "tool.envcheck.scan"
Text = Annotated[str, msgspec.Meta(pattern=r"\S")]
Code = Annotated[str, msgspec.Meta(pattern=r"^\s*[A-Za-z]{1,3}\s*$|^\s*[A-Za-z]{3}\d{1,3}\s*$")]
Listed = tuple[Code, ...]


class _Table(msgspec.Struct, frozen=True, rename="kebab"):
    target: Text | tuple[Text, ...] = ()
    select: Listed = ()
    ignore: Listed = ()
    exclude: tuple[Text, ...] = ()
    extend_exclude: tuple[Text, ...] = ()
    per_file_ignores: Mapping[str, Listed] = {}
    baseline: Text | None = None
    fail_on: Literal["error", "warning", "note", "never"] | None = None
    legacy_keras: bool | None = None


EXPECTED = {
    "target": 'a release or a list of them, such as ["tensorflow==2.16.2,keras==3.3.3"]',
    "select": 'a list of codes or their beginnings, such as ["API101", "MDL"]',
    "ignore": 'a list of codes or their beginnings, such as ["API101", "MDL"]',
    "exclude": 'a list of patterns as in .gitignore, such as ["generated/"]',
    "extend-exclude": 'a list of patterns as in .gitignore, such as ["generated/"]',
    "per-file-ignores": 'a table of patterns and lists of codes, such as {"tests/" = ["API3"]}',
    "baseline": "the name of a file",
    "fail-on": "error, warning, note or never",
    "legacy-keras": "true or false",
}
"""What each key takes, in words."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to scan, as far as it is set; ``--help`` says what each option means.

    Args:
        target: releases, as ``--target`` takes them.
        select, ignore: beginnings of codes.
        exclude: patterns of what is passed over, as in ``.gitignore``; ``--exclude`` replaces them.
        extend_exclude: more of them, whatever ``--exclude`` says.
        per_file_ignores: for a pattern, the beginnings of codes that are not reported in files that match it.
        baseline: the file; relative to the current folder.
        fail_on: the least severity that fails; None where it is not set.
        legacy_keras: None where it is not set.
        folder: the folder of the pyproject.toml, which its patterns begin from; relative to the current folder.
        places: for each key that is set, its file and line.
    """

    target: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    extend_exclude: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    baseline: str | None = None
    fail_on: str | None = None
    legacy_keras: bool | None = None
    folder: Path = Path()
    places: Mapping[str, str] = field(default_factory=dict)

    def over(self, **given: Any) -> Settings:
        """The settings under those of the command line: what is given there (not None and not empty) stands in their place."""
        return replace(self, **{name: value for name, value in given.items() if value is not None and value != ()})

    def excludes(self, path: str) -> bool:
        """Whether a file, by its path relative to the current folder, is to be passed over."""
        names = self._names(path)
        verdicts = [
            not each.negated
            for text in (*self.exclude, *self.extend_exclude)
            if (each := _pattern(text)) is not None and _matches(each, names)
        ]
        return bool(verdicts) and verdicts[-1]

    def ignored(self, path: str) -> tuple[str, ...]:
        """The beginnings of codes that are not reported in a file; its path is relative to the current folder."""
        names = self._names(path)
        return tuple(
            code
            for text, codes in (self.per_file_ignores if names else ())
            if (each := _pattern(text)) is not None and _matches(each, names) is not each.negated
            for code in codes
        )

    def _names(self, path: str) -> tuple[str, ...]:
        """A file's path from the folder of the pyproject.toml on, by names; empty where it lies elsewhere."""
        try:
            names = Path(os.path.relpath(path, self.folder)).parts
        except (OSError, ValueError):  # the current folder is gone, or the file is on another drive
            return ()
        return () if names[:1] == (os.pardir,) else names


@cache
def _pattern(text: str) -> Pattern | None:
    return pattern(text)


def _matches(each: Pattern, names: tuple[str, ...]) -> bool:
    """Whether a pattern matches a file or one of the folders that it lies in."""
    return any(each.matches(names[:length], length < len(names)) for length in range(1, len(names) + 1))


def settings(paths: Sequence[str], known: Collection[str]) -> Settings:
    """What the nearest pyproject.toml with ``[tool.envcheck]`` sets, from the folder on that all of ``paths`` lie in.

    Args:
        paths: files and folders to be scanned; none, or ``-`` alone: the current folder decides.
        known: the codes that there are.

    Raises:
        UsageError: a key is not known, or its value is not what it takes; it names file, line and key.
    """
    project = nearest(_folder(paths))
    if project is None:
        return Settings()
    scan = project.table.get("scan", {})
    if not isinstance(scan, dict):
        raise UsageError(f"{project.where('scan')}: {TABLE} is no table; write [{TABLE}]")
    project.refuse_unknown(scan, SCAN_KEYS, TABLE)
    outer = {key: value for key, value in project.table.items() if key in SCAN_KEYS}
    for key in outer:
        if key in scan:
            raise UsageError(f"{project.where(key, TABLE)}: {key} stands in [tool.envcheck] too; keep one of the two")
    places = {key: project.where(key, TABLE if key in scan else "tool.envcheck") for key in (*outer, *scan)}
    return _checked(project, {**outer, **scan}, places, known)


def _folder(paths: Sequence[str]) -> str:
    """The innermost folder that all paths lie in; the current one where there is none."""
    folders = [path if os.path.isdir(path) else os.path.dirname(path) for path in paths if path != "-"]  # noqa: PTH112, PTH120 - a path may hold a NUL
    try:
        return os.path.commonpath([os.path.abspath(folder) for folder in folders])  # noqa: PTH100 - links are not followed
    except ValueError:  # no paths, on several drives, or none that can be
        return "."


def _checked(project: Project, merged: dict[str, Any], places: Mapping[str, str], known: Collection[str]) -> Settings:
    try:
        table = msgspec.convert(merged, _Table)
    except msgspec.ValidationError as error:
        key = _key(str(error), merged)
        raise UsageError(f"{places[key]}: {key} is {EXPECTED[key]}") from None
    folder = project.path.parent
    found = Settings(
        target=(table.target,) if isinstance(table.target, str) else table.target,
        select=_codes(table.select),
        ignore=_codes(table.ignore),
        exclude=table.exclude,
        extend_exclude=table.extend_exclude,
        per_file_ignores=tuple((glob, _codes(codes)) for glob, codes in table.per_file_ignores.items()),
        baseline=None if table.baseline is None else str(folder / table.baseline),
        fail_on=table.fail_on,
        legacy_keras=table.legacy_keras,
        folder=folder,
        places=places,
    )
    used = {"select": found.select, "ignore": found.ignore}
    used["per-file-ignores"] = tuple(code for _, codes in found.per_file_ignores for code in codes)
    for key, prefixes in used.items():
        for prefix in prefixes:
            if not any(code.startswith(prefix) for code in known):
                raise UsageError(
                    f"{places[key]}: {key}: no check has a code that begins with {prefix}; `envcheck explain` lists them"
                )
    return found


def _key(error: str, merged: dict[str, Any]) -> str:
    """The key that an error of msgspec is about: it ends "at `$.select[0]`", and names no key of a mapping's values."""
    found = re.search(r"`\$\.([\w-]+)", error)
    return found[1] if found and found[1] in merged else next(iter(merged))


def _codes(listed: Listed) -> tuple[str, ...]:
    return tuple(code.strip().upper() for code in listed)
