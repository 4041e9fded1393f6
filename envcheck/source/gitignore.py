"""What git ignores: https://git-scm.com/docs/gitignore, one set of rules for each folder that has some.

Our own matcher, since a ``.gitignore`` comes with the scanned files: pathspec 1.1.1 took a minute for one name and the pattern
``*a*a*a*a*a*a*b``, and differed from git on 45 of 600 random trees. Here no pattern takes more than (its length) × (the path's).
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from envcheck.source.reading import read_bytes


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of a ``.gitignore``.

    Attributes:
        negated: whether what matches is taken back in (``!``).
        folders_only: whether it matches folders alone (a ``/`` at its end).
        anywhere: whether it is one name, looked for at every level.
        names: what each name of the path has to match, as a regular expression; None for any number of names (``**``).
    """

    negated: bool
    folders_only: bool
    anywhere: bool
    names: tuple[re.Pattern[str] | None, ...]

    def matches(self, path: Sequence[str], is_folder: bool) -> bool:
        """Whether the pattern matches a path, given by its names from the pattern's folder on."""
        if self.folders_only and not is_folder:
            return False
        if self.anywhere:
            return _same(self.names[0], path[-1])
        at = wanted = 0
        again: tuple[int, int] | None = None  # where the last ** stands, and how many names it has taken
        while at < len(path):
            if wanted < len(self.names) and self.names[wanted] is None:
                again = (wanted, at)
                wanted += 1
            elif wanted < len(self.names) and _same(self.names[wanted], path[at]):
                at, wanted = at + 1, wanted + 1
            elif again:
                again = (again[0], again[1] + 1)
                wanted, at = again[0] + 1, again[1]
            else:
                return False
        return wanted == len(self.names)


def _same(pattern: re.Pattern[str] | None, name: str) -> bool:
    return pattern is not None and pattern.fullmatch(name) is not None


def pattern(line: str) -> Pattern | None:
    """The pattern in a line; None for a blank line, a comment, and what git takes for no pattern."""
    line = re.sub(r"(?<!\\) +$", "", line)
    negated = line.startswith("!")
    text = line[negated:]
    folders_only = text.endswith("/") and not text.endswith("\\/")
    text = text.removesuffix("/") if folders_only else text
    if not text or line.startswith("#"):
        return None
    anywhere = "/" not in text
    parts = text.removeprefix("/").split("/")
    names: list[re.Pattern[str] | None] = []
    for part in parts:
        if part == "**" and not anywhere:
            names += [None] if not names or names[-1] else []
            continue
        name = _name(part)
        if name is None:
            return None
        names.append(name)
    if names[-1] is None:
        names.append(_name("*"))  # "a/**" is what lies in a, not a
    return Pattern(negated, folders_only, anywhere, tuple(names))


_CLASS = re.compile(r"\[(?P<not>[!^]?)(?P<items>\]?(?:\[:[a-z]+:\]|\\.|[^\]\\])*)\]")
_ITEM = re.compile(r"\[:(?P<named>[a-z]+):\]|\\(?P<escaped>.)|(?P<plain>.)", re.DOTALL)
_NAMED = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "lower": "a-z",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}
_number = itertools.count()


def _name(glob: str) -> re.Pattern[str] | None:
    """A pattern for one name as a regular expression that never goes back before a ``*``; None where it can match nothing."""
    pieces = [""]
    at = 0
    while at < len(glob):
        char = glob[at]
        if char == "*":
            if len(pieces) == 1 or pieces[-1]:
                pieces.append("")
        elif char == "?":
            pieces[-1] += "."
        elif char == "[":
            found = _CLASS.match(glob, at)
            if not found:
                return None
            pieces[-1] += f"[{'^' if found['not'] else ''}{_items(found['items'])}]"
            at = found.end() - 1
        else:
            at += char == "\\"
            if at == len(glob):
                return None
            pieces[-1] += re.escape(glob[at])
        at += 1
    if not glob:
        return None
    first, *middle, last = pieces if len(pieces) > 1 else [*pieces, ""]
    groups = [(f"g{next(_number)}", piece) for piece in middle]
    between = "".join(
        f"(?=(?P<{name}>.*?{piece}))(?P={name})" for name, piece in groups
    )  # (?>…) comes with Python 3.11
    try:
        return re.compile(f"(?s:{first}{between}{'.*' if len(pieces) > 1 else ''}{last})")
    except re.error:  # a range such as [z-a]
        return None


def _items(items: str) -> str:
    """What stands between the brackets of a class."""
    dash = "\\-" if "--" in items else "-"  # re keeps "--" for set differences
    return "".join(
        _NAMED.get(found["named"], "")
        if found["named"]
        else dash
        if found["plain"] == "-"
        else re.escape(found["escaped"] or found["plain"])
        for found in _ITEM.finditer(items)
    )


class Patterns:
    """The patterns of one file, the last of which that matches decides."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._all = patterns[::-1]
        self._with_folders = [each for each in self._all if not each.anywhere]
        anywhere = [each.names[0].pattern for each in self._all if each.anywhere and each.names[0]]
        self._name = re.compile("|".join(anywhere) or "(?!)")
        """Whether any pattern for names at every level matches: one look instead of a hundred."""

    def ignore(self, path: str, is_folder: bool) -> bool | None:
        """Whether the path is ignored, True or False; None where no pattern matches.

        Args:
            path: with ``/``, relative to the folder of the patterns.
            is_folder: whether it is one.
        """
        names = path.split("/")
        for each in self._all if self._name.fullmatch(names[-1]) else self._with_folders:
            if each.matches(names, is_folder):
                return not each.negated
        return None


@dataclass(frozen=True, slots=True)
class Rules:
    """The patterns of one folder, and the rules of the folders above.

    Attributes:
        base: the folder's path with a separator at its end; empty where the paths asked about are relative to it.
        own: its patterns.
        above: asked where none of them says anything.
    """

    base: str
    own: Patterns
    above: Rules | None = None

    def ignore(self, path: str, is_folder: bool) -> bool:
        """Whether a path below the folder is ignored by a pattern that matches it; that of a folder nearer to it wins.

        A folder that is ignored is not to be looked into: its content is ignored with it.
        """
        rules: Rules | None = self
        while rules:
            said = rules.own.ignore(path[len(rules.base) :].replace(os.sep, "/"), is_folder)
            if said is not None:
                return said
            rules = rules.above
        return False


def of_folder(folder: str, names: set[str], above: Rules | None) -> Rules | None:
    """The rules that hold in a folder; those from above end where another repository begins.

    Args:
        folder: its path without links.
        names: what lies in it.
        above: the rules of the folders above.
    """
    base = folder.rstrip(os.sep) + os.sep
    files = [Path(folder, ".gitignore")] if ".gitignore" in names else []
    if ".git" in names:
        above = None
        files.insert(0, _repository(Path(folder, ".git")) / "info" / "exclude")
    for file in files:
        patterns = _patterns(file)
        above = Rules(base, Patterns(patterns), above) if patterns else above
    return above


def of_folders_above(folder: str) -> Rules | None:
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
        rules = of_folder(str(outer), {name for name in (".git", ".gitignore") if _has(outer, name)}, rules)
        if rules and rules.ignore(str(inner), is_folder=True):
            return None
    return rules


def _has(folder: Path, name: str) -> bool:
    return os.path.lexists(folder / name)


def _patterns(path: Path) -> list[Pattern]:
    """The patterns of a file; none where it cannot be read, as for git."""
    data = read_bytes(str(path), 1_000_000)
    if not isinstance(data, bytes):
        return []
    lines = os.fsdecode(data.removeprefix(b"\xef\xbb\xbf")).split("\n")
    return [found for line in lines if (found := pattern(line.removesuffix("\r")))]


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
