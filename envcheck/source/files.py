"""Which source files and saved models lie below given paths, and which were passed over and why."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from envcheck.errors import UsageError
from envcheck.source.gitignore import Patterns, Rules, of_folder, of_folders_above, pattern
from envcheck.source.reading import what

SUFFIXES = (".py", ".pyi", ".ipynb")
MODELS = (".keras", ".h5", ".hdf5")
"""How files end that Keras keeps a model in."""
GRAPH = "saved_model.pb"
"""The file that makes its folder a saved model of TensorFlow."""
LOOKED_FOR = (*SUFFIXES, *MODELS)
NEVER = frozenset(
    {
        *(".bzr", ".git", ".hg", ".svn"),
        *("__pycache__", "__pypackages__", ".eggs", ".ipynb_checkpoints", "node_modules", "site-packages"),
        *(".direnv", ".mypy_cache", ".nox", ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".tox"),
    }
)
"""Folders that hold no source of the project: history, installed packages, caches, copies. A folder called ``build``, ``dist`` or
``venv`` can well be source; it is passed over where its content says that it is none."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that was passed over.

    Attributes:
        path: as the user would write it.
        reason: why, in a few words.
        by_rule: whether somebody chose so (an exclude, a ``.gitignore``, an environment); else it could not be read.
    """

    path: str
    reason: str
    by_rule: bool = False


class Files(NamedTuple):
    """What was found, sorted.

    ``source`` are files of Python; ``models`` saved models, files and the folders of those of TensorFlow; ``named`` those of
    both that somebody named, the others lie in folders; ``skipped`` is what was passed over.
    """

    source: list[str]
    models: list[str]
    named: frozenset[str]
    skipped: list[Skipped]


def find(paths: Sequence[str], *, exclude: Sequence[str], gitignore: bool) -> Files:
    """The source files and saved models that are given or lie in given folders, each once, and what was passed over.

    A file that is given is taken, whatever its name and whatever excludes say. In folders these are ``.py``, ``.pyi`` and
    ``.ipynb`` files, files named as saved models are, and folders with a ``saved_model.pb``, outside of the folders ``NEVER``,
    virtual and conda environments, and what setuptools copied to ``build``; links to files are followed, links to folders are
    not. Scripts without a suffix are not looked for: to know them each file would have to be opened.

    Args:
        paths: files and folders.
        exclude: patterns as in a ``.gitignore``, relative to the current folder (for a folder outside of it, to that folder).
        gitignore: whether ``.gitignore`` files and ``.git/info/exclude`` count, from the repository's root on, as git has it.
            A file that matches is passed over even if git tracks it.

    Returns:
        Paths with ``/``, relative to the current folder where they lie below it, else as given. A name that is not UTF-8 holds
        lone surrogates, as ``os.fsdecode`` has it: ``printable`` makes it fit to show.

    Raises:
        UsageError: a path is not there, or a pattern is none.
    """
    search = _Search(_excludes(exclude), gitignore)
    for path in paths:
        search.given(path)
    return search.result()


def _excludes(lines: Sequence[str]) -> Rules | None:
    patterns = []
    for line in lines:
        found = pattern(line)
        if not found:
            raise UsageError(f"{line!r} is no pattern to exclude: patterns are those of .gitignore files")
        patterns.append(found)
    return Rules("", Patterns(patterns)) if patterns else None


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to look into.

    Attributes:
        path: to open it.
        shown: what to put before the names in it: ``src/``, or nothing for the current folder.
        excluded: what to put before them for the excludes.
        real: its path without links.
        rules: the ``.gitignore`` rules that hold above it.
        given: whether somebody named it.
    """

    path: str
    shown: str
    excluded: str
    real: str
    rules: Rules | None
    given: bool = False


class _Search:
    def __init__(self, exclude: Rules | None, gitignore: bool) -> None:
        self._exclude = exclude
        self._gitignore = gitignore
        self._found: dict[str, str] = {}
        self._models: dict[str, str] = {}
        self._named: set[str] = set()
        self._links: list[tuple[str, str]] = []
        self._skipped: dict[str, Skipped] = {}
        self._seen: set[str] = set()

    def result(self) -> Files:
        """What was found and passed over; a link to a file that was found is the same file."""
        for real, shown in sorted(self._links):
            self._take(real, shown)
        skipped = sorted(self._skipped.values(), key=lambda each: each.path)
        return Files(sorted(self._found.values()), sorted(self._models.values()), frozenset(self._named), skipped)

    def given(self, path: str) -> None:
        """Takes a path from the command line."""
        try:
            kind = os.stat(path).st_mode  # noqa: PTH116 - a path may hold what pathlib would normalise away
            real = os.path.realpath(path)
        except (OSError, ValueError) as error:
            words = getattr(error, "strerror", None) or str(error)
            missing = isinstance(error, FileNotFoundError)
            raise UsageError(f"{path}: {'there is no such file or folder' if missing else words}") from None
        shown = _shown(path)
        if stat.S_ISREG(kind):
            self._named.add(self._take(_key(real), shown))
        elif stat.S_ISDIR(kind):
            self._named.add(shown)
            prefix = "" if shown == "." else shown.rstrip("/") + "/"
            excluded = "" if prefix.startswith(("../", "/")) or Path(shown).is_absolute() else prefix
            rules = of_folders_above(real) if self._gitignore else None
            new, before = real not in self._seen, self._taken()
            self._walk(_Folder(path, prefix, excluded, real, rules, given=True))
            if new and shown.endswith(MODELS) and self._taken() == before:
                self._skip(shown, _no_model(shown))
        else:
            self._skip(shown, f"this is {what(kind)}, not a file")

    def _taken(self) -> int:
        return len(self._found) + len(self._models) + len(self._links)

    def _take(self, key: str, shown: str) -> str:
        """Takes a file as what its name says that it is; gives the path that it was first taken by."""
        folder, _, name = shown.rpartition("/")
        if name == GRAPH:
            return self._models.setdefault(os.path.dirname(key), folder or ("/" if shown.startswith("/") else "."))  # noqa: PTH120
        kind = self._models if name.endswith(MODELS) else self._found
        return kind.setdefault(key, shown)

    def _skip(self, path: str, reason: str, *, by_rule: bool = False) -> None:
        self._skipped.setdefault(path, Skipped(path, reason, by_rule))

    def _walk(self, top: _Folder) -> None:
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            if folder.real in self._seen:
                continue
            self._seen.add(folder.real)
            try:
                with os.scandir(folder.path) as listing:
                    entries = list(listing)
            except OSError as error:
                self._skip(folder.shown.rstrip("/") or ".", f"cannot be read: {error.strerror}")
                continue
            names = {entry.name for entry in entries}
            if not folder.given and (reason := _no_source(Path(folder.path).name, names)):
                self._skip(folder.shown.rstrip("/"), reason, by_rule=True)
                continue
            rules = folder.rules
            if self._gitignore and not names.isdisjoint((".git", ".gitignore")):
                rules = of_folder(folder.real, names, folder.rules)
            for entry in entries:
                if inner := self._entry(entry, folder, rules):
                    waiting.append(inner)

    def _entry(self, entry: os.DirEntry[str], folder: _Folder, rules: Rules | None) -> _Folder | None:
        """Takes what lies in a folder; a folder that is to be looked into is returned."""
        name = entry.name
        source = name.endswith(LOOKED_FOR) or name == GRAPH
        link, is_folder = entry.is_symlink(), entry.is_dir(follow_symlinks=False)
        if not (source or is_folder or link) or (is_folder and name in NEVER):
            return None
        shown, real = folder.shown + name, os.path.join(folder.real, name)  # noqa: PTH118 - 20,000 times
        if self._exclude and self._exclude.ignore(folder.excluded + name, is_folder):
            self._skip(shown, "excluded", by_rule=True)
        elif rules and rules.ignore(real, is_folder):
            self._skip(shown, "ignored by git", by_rule=True)
        elif is_folder:
            return _Folder(entry.path, shown + "/", f"{folder.excluded}{name}/", real, rules)
        elif link:
            self._link(entry, shown, real, source)
        elif entry.is_file(follow_symlinks=False):
            self._take(_key(real), shown)
        else:
            self._skip(shown, "no ordinary file")
        return None

    def _link(self, entry: os.DirEntry[str], shown: str, real: str, source: bool) -> None:
        try:
            kind = entry.stat().st_mode
        except OSError as error:
            if source:
                self._skip(shown, f"a link that cannot be followed: {error.strerror}")
            return
        if stat.S_ISDIR(kind):
            self._skip(shown, "a link to a folder", by_rule=True)
        elif source and stat.S_ISREG(kind):
            # The folder of a graph is the model, wherever its content lies.
            self._links.append((_key(real if entry.name == GRAPH else os.path.realpath(entry.path)), shown))
        elif source:
            self._skip(shown, f"a link to {what(kind)}")


def _no_model(shown: str) -> str:
    """What is wrong with a folder that is called as the file of a model is, and holds none."""
    form = "a .keras archive" if shown.endswith(".keras") else "an HDF5 file"
    return f"this is a folder without a model, and its name is that of {form}: name the file that model.save() wrote"


def _no_source(name: str, names: set[str]) -> str:
    """Why a folder holds no source of the project; empty where it may."""
    if "pyvenv.cfg" in names:
        return "a virtual environment"
    if "conda-meta" in names:
        return "a conda environment"
    if name == "build" and any(each == "lib" or each.startswith(("lib.", "bdist.")) for each in names):
        return "copies made by setuptools"
    return ""


def _key(real: str) -> str:
    """The same for the same file, where capitals do not matter too."""
    return os.path.normcase(real)


def _shown(path: str) -> str:
    """A path relative to the current folder where it lies below it, else as it is; with ``/``."""
    here = os.path.abspath(".")  # noqa: PTH100 - Path.resolve would follow links: people know the path that they wrote
    full = os.path.abspath(path)  # noqa: PTH100
    if full == here or full.startswith(here.rstrip(os.sep) + os.sep):
        path = os.path.relpath(full, here)
    else:
        path = os.path.normpath(path)
    return path.replace(os.sep, "/")
