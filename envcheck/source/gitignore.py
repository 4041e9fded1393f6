"""What git ignores: https://git-scm.com/docs/gitignore, one set of rules for each folder that has some."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.base import GitIgnorePatternError

from envcheck.source.reading import read_bytes


@dataclass(frozen=True, slots=True)
class Rules:
    """The patterns of one folder, and the rules of the folders above.

    Attributes:
        base: the folder's path with a separator at its end; empty where the paths asked about are relative to it.
        own: its patterns.
        above: asked where none of them says anything.
    """

    base: str
    own: GitIgnoreSpec
    above: Rules | None = None

    def ignores(self, path: str, is_folder: bool) -> bool:
        """Whether a path below the folder is ignored by a pattern that matches it; that of a folder nearer to it wins."""
        rules: Rules | None = self
        while rules:
            relative = path[len(rules.base) :].replace(os.sep, "/")
            said = rules.own.check_file(relative + "/" if is_folder else relative).include
            if said is not None:
                return said
            rules = rules.above
        return False

    @staticmethod
    def of_folder(folder: str, names: set[str], above: Rules | None) -> Rules | None:
        """The rules that hold in a folder; those from above end where another repository begins.

        Args:
            folder: its path without links.
            names: what lies in it.
            above: the rules of the folders above.
        """
        base = folder.rstrip(os.sep) + os.sep
        rules = above
        if ".git" in names:
            rules = None
            if spec := _file(_repository(Path(folder, ".git")) / "info" / "exclude"):
                rules = Rules(base, spec)
        if ".gitignore" in names and (spec := _file(Path(folder, ".gitignore"))):
            rules = Rules(base, spec, rules)
        return rules


def above(folder: str) -> Rules | None:
    """The rules of the folders above a folder, from its repository's root on; None where they ignore the folder itself."""
    chain: list[Path] = []
    for each in (Path(folder), *Path(folder).parents):
        chain.append(each)
        if _has(each, ".git"):
            break
    else:
        return None  # no repository
    rules: Rules | None = None
    for outer, inner in zip(chain[:0:-1], chain[-2::-1], strict=True):
        names = {name for name in (".git", ".gitignore") if _has(outer, name)}
        rules = Rules.of_folder(str(outer), names, rules)
        if rules and rules.ignores(str(inner), is_folder=True):
            return None
    return rules


def _has(folder: Path, name: str) -> bool:
    return os.path.lexists(folder / name)


def patterns(lines: Sequence[str]) -> tuple[GitIgnoreSpec | None, list[str]]:
    """The patterns in some lines, None where there are none, and the lines that are no pattern."""
    good, wrong = [], []
    for line in lines:
        try:
            one = GitIgnoreSpec.from_lines([line])
        except GitIgnorePatternError:
            wrong.append(line)
            continue
        good += [pattern for pattern in one.patterns if pattern.include is not None]
    return (GitIgnoreSpec(good) if good else None), wrong


def _file(path: Path) -> GitIgnoreSpec | None:
    """The patterns of a file; none where it cannot be read, as for git."""
    data = read_bytes(str(path), 1_000_000)
    if not isinstance(data, bytes):
        return None
    text = os.fsdecode(data.removeprefix(b"\xef\xbb\xbf"))
    return patterns([line.removesuffix("\r") for line in text.split("\n")])[
        0
    ]  # git passes over lines that are no pattern


_POINTER = re.compile(rb"gitdir:\s*(.+?)\s*$")


def _repository(git: Path) -> Path:
    """The folder of a repository's data: ``.git``, or for a linked work tree or a submodule what the file ``.git`` points to."""
    data = read_bytes(str(git), 10_000)
    found = _POINTER.match(data) if isinstance(data, bytes) else None
    if not found:
        return git
    folder = git.parent / os.fsdecode(found[1])
    common = read_bytes(str(folder / "commondir"), 10_000)
    return folder / os.fsdecode(common.strip()) if isinstance(common, bytes) else folder
