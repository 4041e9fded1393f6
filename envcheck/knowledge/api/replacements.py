"""What to write instead of a name or a keyword that is gone: by people in YAML, else what the history itself tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

import msgspec

from envcheck.knowledge.api.answers import Answer, Api, History, Status
from envcheck.knowledge.api.named_rows import NamedRows
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import Source

Dotted = Annotated[str, msgspec.Meta(pattern=r"^(tensorflow|keras|tf_keras)(\.\w+)*(\.\*)?$")]
KERAS_ROOTS = ("tensorflow.keras.", "tf_keras.", "keras.")


class Replacement(msgspec.Struct, frozen=True):
    """One row of ``compat_matrix/api/replacements/``.

    ``names``: whom it is about; one that ends in ``.*`` speaks for all below it, and ``keras.…`` for tf.keras and tf_keras too.
    ``parameter``: it is about this keyword of theirs. ``use``: the name, or the keyword, to write instead; None: there is none.
    ``example``: a line of Python. ``note``: what differs. ``changed``: since when (package → specifier) the name is still
    there and does something else.
    """

    names: Annotated[tuple[Dotted, ...], msgspec.Meta(min_length=1)]
    source: Source
    use: str | None = None
    parameter: str | None = None
    example: str | None = None
    note: str | None = None
    changed: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do instead.

    Args:
        use: the name to write; None: there is none, and the note says what to do.
        example: a line of Python, where there is one.
        note: what differs.
        sources: how it is known.
        written: a person wrote it; else the history tells it.
    """

    use: str | None
    example: str | None
    note: str | None
    sources: tuple[str, ...]
    written: bool


class Replacements:
    """The rows in ``folder``, read when first asked for, and what the history tells where there is none."""

    def __init__(self, folder: Path, api: Api) -> None:
        self._folder = folder
        self._api = api

    def rows(self) -> Iterator[Replacement]:
        """Every row, typed; for tests and schemas: a question reads the rows that it needs.

        Raises:
            EnvcheckError: a file is damaged.
        """
        for file in self._files:
            yield from file.all()

    @cached_property
    def _files(self) -> tuple[NamedRows[Replacement], ...]:
        return tuple(NamedRows(path, Replacement) for path in sorted(self._folder.glob("*.yaml")))

    def _find(self, name: str, parameter: str | None, *, changed: bool) -> Replacement | None:
        rows = (row for file in self._files for row in file.about(name))
        return next((row for row in rows if row.parameter == parameter and bool(row.changed) == changed), None)

    def row(self, name: str, parameter: str | None = None, *, changed: bool = False) -> Replacement | None:
        """The row about exactly this name."""
        found = (self._find(variant, parameter, changed=changed) for variant in _variants(name))
        return next((row for row in found if row is not None), None)

    def row_above(self, name: str) -> Replacement | None:
        """The row of the nearest name above that speaks for all below it."""
        above = name
        while "." in above:
            above = above.rpartition(".")[0]
            for variant in _variants(above):
                found = self._find(f"{variant}.*", None, changed=False)
                if found is not None:
                    return found
        return None

    def written(self, history: History, parameter: str | None = None, *, changed: bool = False) -> Replacement | None:
        """The row about a name or the object it stands for."""
        for name in dict.fromkeys([history.name, *canonical(history)]):
            found = self.row(name, parameter, changed=changed)
            if found is not None:
                return found
        return None

    def advice(self, history: History, target: Target) -> Advice | None:
        """What to write instead of a name that a target lacks; None where neither people nor the history tell.

        A row about the name comes first, then another name of the same object, then a row about all below some name above.
        """
        row = self.written(history)
        same = None if row else self._first(self._same(history), history, target)
        row = row or (None if same else self.row_above(history.name))
        if row is not None:
            use = _rooted(row.use, history.name, self._api, target)
            return Advice(use, row.example, row.note, row.source.sources, written=True)
        name = same or self._first(self._successors(history), history, target)
        sources = ("the API history: the same object or its successor by name",)
        return Advice(name, None, None, sources, written=False) if name else None

    def _first(self, names: Iterator[str], history: History, target: Target) -> str | None:
        return next((name for name in names if name != history.name and self._has(name, target)), None)

    def _has(self, name: str, target: Target) -> bool:
        answer: Answer = self._api.ask(name, target)
        return answer.status is Status.PRESENT and not answer.imported

    def _same(self, history: History) -> Iterator[str]:
        """The other names of the same object, the public name of a private one among them."""
        yield from canonical(history)
        for one in history.found:
            if one.path:
                yield from (f"{one.book}.{other}" for other in self._api.aliases(one.book, one.path))
        last = history.name.rpartition(".")[2]
        private = any(one.kind in ("name", "internal") for one in history.found)
        if (
            private and history.name.startswith("keras.") and last[:1].isupper()
        ):  # classes keep their names, functions do not
            parts = ("layers", "models", "utils", "optimizers", "callbacks", "losses", "metrics", "initializers")
            yield from (f"keras.{part}.{last}" for part in parts)

    def _successors(self, history: History) -> Iterator[str]:
        """What its deprecation named, and its name in compat.v1."""
        for one in history.found:
            for fact in one.entry.holding("!", one.mask) if one.entry else ():
                for word in fact.text.split(" "):
                    if word.startswith("instead="):
                        yield from (_whole(name, history) for name in word[8:].split(","))
        if history.root == "tensorflow" and not history.name.startswith("tensorflow.compat."):
            yield "tensorflow.compat.v1." + history.name.partition(".")[2]


def canonical(history: History) -> list[str]:
    """The names with their roots of what a name stands for, the newest first."""
    return [one.name for one in sorted(history.found, key=lambda one: -one.mask) if one.path]


def _variants(name: str) -> Iterator[str]:
    yield name
    for root in KERAS_ROOTS[:2]:
        if name.startswith(root):
            yield "keras." + name[len(root) :]
    if name in ("tensorflow.keras", "tf_keras"):
        yield "keras"


def _rooted(use: str | None, asked: str, api: Api, target: Target) -> str | None:
    """``keras.…`` under the root that was asked about, where that has it."""
    root = next((root for root in KERAS_ROOTS if asked.startswith(root)), "keras.")
    if use is None or not use.startswith("keras.") or root == "keras.":
        return use
    own = root + use[len("keras.") :]
    return own if api.ask(own, target).status is Status.PRESENT else use


def _whole(name: str, history: History) -> str:
    """A name as a release's own advice writes it, with its root."""
    first = name.partition(".")[0]
    if first == "tf":
        return "tensorflow" + name[2:]
    return name if first in ("keras", "tensorflow", "tf_keras") else f"{history.name.rpartition('.')[0]}.{name}"
