"""One history of names as it lies in ``compat_matrix/api/``: sorted text; a name's block is parsed when it is asked for.

Sets of releases are bit masks over the book's columns, oldest release first, so that they are united and cut at no cost.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from packaging.version import Version

from envcheck.errors import EnvcheckError


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: its mark (see ``compat_matrix/api/README.md``), the releases in which it holds, and its text."""

    mark: str
    mask: int
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What is recorded of one name: its kinds (``=other.name`` where it is an alias), facts, and own members."""

    kinds: tuple[tuple[str, int], ...]
    facts: tuple[Fact, ...]
    members: Mapping[str, Entry]

    @property
    def mask(self) -> int:
        """The releases that have the name."""
        return united(mask for _, mask in self.kinds)

    def holding(self, mark: str, mask: int) -> Iterator[Fact]:
        """The facts of one mark in some of the releases of ``mask``, cut down to them."""
        for fact in self.facts:
            if fact.mark == mark and fact.mask & mask:
                yield Fact(mark, fact.mask & mask, fact.text)


def united(masks: Iterator[int]) -> int:
    """The union of sets of releases."""
    everything = 0
    for mask in masks:
        everything |= mask
    return everything


class Text:
    """A file of blocks: a head line that opens with a name, and indented lines that belong to it."""

    def __init__(self, path: Path) -> None:
        try:
            text = path.read_text("ascii")
        except (OSError, UnicodeError) as error:
            raise EnvcheckError(f"envcheck's own data is damaged: {path.name}: {error}") from None
        # Sorted by name in the file; a blank sorts before all that a name can hold, so the blocks are sorted too.
        self._blocks = [block for block in re.split(r"\n(?! )", text) if block]
        comments = dict(block[2:].partition(" ")[::2] for block in self._blocks[:5] if block[0] == "#")
        pairs = [pair.partition("=") for pair in comments.get("releases", "").split()]
        self.labels = tuple(label for label, _, _ in pairs)
        self.versions = tuple(Version(version) for _, _, version in pairs)
        self._places = {label: place for place, label in enumerate(self.labels)}
        self._masks: dict[str, int] = {}
        if not self.labels:
            raise EnvcheckError(f"envcheck's own data is damaged: {path.name} names no releases")

    @property
    def everything(self) -> int:
        """All releases."""
        return (1 << len(self.labels)) - 1

    @cached_property
    def names(self) -> list[str]:
        """Every name that has a block, sorted."""
        return [block.partition(" ")[0] for block in self._blocks if block[0] != "#"]

    def block(self, name: str) -> str | None:
        """The block of a name."""
        head = f"{name} "
        place = bisect_left(self._blocks, head)
        found = self._blocks[place] if place < len(self._blocks) else ""
        return found if found.startswith(head) and name[:1] != "#" else None

    def below(self, prefix: str) -> Iterator[str]:
        """The names that are ``prefix`` and one more word; all first words for an empty prefix."""
        start = prefix + "." if prefix else ""
        place = bisect_left(self.names, start)
        while place < len(self.names) and self.names[place].startswith(start):
            if "." not in self.names[place][len(start) :]:
                yield self.names[place]
            place += 1

    def mask(self, releases: str) -> int:
        """``1.13-2.3,2.6-`` as a set; what reaches the newest release is left open."""
        if releases not in self._masks:
            found = 0
            for part in releases.split(","):
                first, dash, last = part.partition("-")
                start = self._places[first]
                end = self._places[last] if last else len(self.labels) - 1 if dash else start
                found |= (1 << (end + 1)) - (1 << start)
            self._masks[releases] = found
        return self._masks[releases]

    def intervals(self, mask: int) -> list[tuple[str, str | None]]:
        """A set as intervals of labels; the last is None where it reaches the newest release."""
        found: list[tuple[str, str | None]] = []
        place = 0
        while mask >> place:
            if mask >> place & 1:
                start = place
                while mask >> (place + 1) & 1:
                    place += 1
                found.append((self.labels[start], None if place == len(self.labels) - 1 else self.labels[place]))
            place += 1
        return found

    def columns(self, version: Version) -> int:
        """The columns that tell of a release: its own, else its minor's; two where it lies between two recorded patches.

        Nothing (0) for a minor that is not recorded: what it has is not known.
        """
        same = [place for place, other in enumerate(self.versions) if other.release[:2] == version.release[:2]]
        if not same or version.is_devrelease or version.is_prerelease:
            return 0
        older = [place for place in same if self.versions[place] <= version]
        newer = [place for place in same if self.versions[place] >= version]
        return united(1 << place for place in {older[-1] if older else newer[0], newer[0] if newer else older[-1]})


class Book(Text):
    """The names of one root, ``tensorflow.keras`` for one, with what is recorded of each."""

    def __init__(self, title: str, path: Path) -> None:
        super().__init__(path)
        self.title = title
        self._entries: dict[str, Entry | None] = {}

    def entry(self, name: str) -> Entry | None:
        """What is recorded of a name, which is written without the root."""
        if name not in self._entries:
            block = self.block(name)
            self._entries[name] = None if block is None else self._parse(block.split("\n"))
        return self._entries[name]

    def mask_of(self, name: str) -> int:
        """The releases that have a name under a block of its own."""
        entry = self.entry(name)
        return entry.mask if entry else 0

    def alias_mask(self, name: str, target: str) -> int:
        """The releases in which a name stands for ``target``."""
        entry = self.entry(name)
        return united(mask for kind, mask in entry.kinds if kind == f"={target}") if entry else 0

    def alias_heads(self) -> Iterator[tuple[str, list[str]]]:
        """Every name that is an alias in some releases, and of what."""
        for block in self._blocks:
            head = block.partition("\n")[0]
            if " =" in head:
                name, *words = head.split(" ")
                yield name, [word[1:] for word in words[::2] if word.startswith("=")]

    def _parse(self, lines: list[str]) -> Entry:
        members: dict[str, list[str]] = {}
        plain: dict[str, tuple[str, int]] = {}
        facts = []
        current: list[str] = []
        for line in lines[1:]:
            if line.startswith("  "):
                current.append(line[1:])
            elif line.startswith(" ."):
                name, _, kinds = line[2:].partition(" ")
                current = members.setdefault(name, [f"{name} {kinds}"])
            elif line.startswith(" , "):
                _, _, kind, releases, names = line.split(" ", 4)
                plain.update(dict.fromkeys(names.split(" "), (kind, self.mask(releases))))
            else:
                facts.append(self._fact(line))
        parsed = {name: self._member(rows) for name, rows in members.items()}
        parsed.update((name, Entry((kind,), (), {})) for name, kind in plain.items())
        return Entry(self._kinds(lines[0]), tuple(facts), parsed)

    def _fact(self, line: str) -> Fact:
        mark, releases, text = [*line[1:].split(" ", 2), ""][:3]
        return Fact(mark, self.mask(releases), text)

    def _kinds(self, head: str) -> tuple[tuple[str, int], ...]:
        words = head.split(" ")[1:]
        return tuple((kind, self.mask(releases)) for kind, releases in zip(words[::2], words[1::2], strict=False))

    def _member(self, lines: list[str]) -> Entry:
        facts = tuple(self._fact(line) for line in lines[1:])
        kinds = self._kinds(lines[0].rstrip()) or (("method", united(fact.mask for fact in facts if fact.mark == "(")),)
        return Entry(kinds, facts, {})


class Modules(Text):
    """The importable modules of one root, public or not, and the names at the top level of each."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._parsed: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        """A module by its full dotted name."""
        if name not in self._parsed:
            block = self.block(name)
            self._parsed[name] = None if block is None else self._module(block.split("\n"))
        return self._parsed[name]

    def _module(self, lines: list[str]) -> Module:
        names: dict[str, list[tuple[int, str]]] = {}
        bound = unread = 0
        for line in lines[1:]:
            first, _, rest = line[1:].partition(" ")
            if first == "^":
                bound = self.mask(rest)
            elif first == "*":
                unread = self.mask(rest)
            else:
                mask = self.mask(first)
                for word in rest.split(" "):
                    name, _, public = word.partition("=")
                    whole = public if not public.endswith(".") else f"{public}{name}".lstrip(".")
                    names.setdefault(name, []).append((mask, whole))
        return Module(self.mask(lines[0].split(" ")[1]), bound, unread, names)


@dataclass(frozen=True, slots=True)
class Module:
    """One importable module.

    ``bound``: where a bare import of the root already binds it; ``unread``: where reading its source cannot tell all its
    names; ``names``: each name's releases, with its public name where it has one.
    """

    mask: int
    bound: int
    unread: int
    names: Mapping[str, list[tuple[int, str]]]
