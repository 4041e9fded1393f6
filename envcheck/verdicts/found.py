"""The nouns: what was found about references, for checks to judge and reporters to tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from envcheck.findings import Fix, Location


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reference stands: ``line`` from 1, ``column`` from 1 in characters, ``width`` in characters (0: unknown)."""

    path: str
    line: int
    column: int
    cell: int | None = None
    width: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one reference on one target, where that is worth saying.

    Args:
        kind: ``absent-name``, ``absent-module``, ``absent-parameter``, ``positional``, ``moved``, ``not-yet``, ``deprecated``,
            ``foreign``, ``private``, ``behaviour``, ``method``, ``identifier``, ``value``, ``mixed``.
        symbol: the dotted name, with its whole root.
        target: the target in words.
        place: where it stands.
        why: what is known about it: the releases that have it, what the release does instead.
        use: what to write instead; None where there is nothing to name.
        advice: what to do, in words.
        example: a line of Python.
        parameter: the keyword it is about.
        runs: what happens when the line runs: ``raises``, ``differs``, ``warns``, ``works``.
        folded: the uses that fail only because this import fails.
        sources: how it is known.
        asked: the form of the reference: import, from, attribute, call, base.
    """

    kind: str
    symbol: str
    target: str
    place: Place
    why: str
    use: str | None = None
    advice: str | None = None
    example: str | None = None
    parameter: str | None = None
    runs: str = "raises"
    folded: int = 0
    sources: tuple[str, ...] = ()
    asked: str = "attribute"
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def location(self) -> Location:
        """Where the reference stands."""
        return Location(self.place.path, self.place.line, self.place.column, self.place.cell)

    @property
    def evidence(self) -> dict[str, Any]:
        """What machines want to know, as JSON values."""
        told = {
            "kind": self.kind,
            "parameter": self.parameter,
            "target": self.target,
            "width": self.place.width,
            **self.details,
        }
        if self.use is not None:
            told["use"] = self.use
        if self.folded:
            told["folded"] = self.folded
        return told

    @property
    def fix(self) -> Fix | None:
        """What to write instead, where that is known."""
        words = []
        if self.use:
            keyword = self.parameter is not None and self.use.isidentifier()
            words.append(f"write {self.use}{'=' if keyword else ''}")
        if self.advice:
            words.append(self.advice)
        if self.example:
            words.append(f"for example: {self.example}")
        return Fix("; ".join(word.rstrip(".") for word in words)) if words else None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A file, or a part of one, that could not be read: ``line`` and ``end`` where it is a part."""

    path: str
    reason: str
    line: int | None = None
    end: int | None = None
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """All that is known about the scanned code: the facts that the API checks judge.

    Args:
        verdicts: what is worth saying, by file and line.
        troubles: files and parts of files that could not be read.
    """

    verdicts: tuple[Verdict, ...] = ()
    troubles: tuple[Trouble, ...] = ()

    def of(self, *kinds: str) -> tuple[Verdict, ...]:
        """The verdicts of some kinds."""
        return tuple(verdict for verdict in self.verdicts if verdict.kind in kinds)
