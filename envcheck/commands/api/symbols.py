"""One symbol as it is answered: plain data, the same for text and JSON."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

from envcheck.knowledge.api.answers import Answer, Api, History, deprecations
from envcheck.knowledge.api.near import near
from envcheck.knowledge.api.replacements import Advice, Replacements, canonical
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import folder

NEAR_AT_MOST = 50
"""For how many unknown names near ones are looked for: it takes milliseconds each."""
Releases = list[tuple[str, str]]
"""Intervals of releases, first and last included; the labels are minors, or patches where one changed the API."""


class Instead(msgspec.Struct, frozen=True):
    """What to write instead. ``written``: by a person; else the history tells it."""

    use: str | None
    example: str | None
    note: str | None
    sources: tuple[str, ...]
    written: bool


class Change(msgspec.Struct, frozen=True):
    """What a name does differently since some release, while it is still there."""

    since: dict[str, str]
    use: str | None
    note: str | None
    sources: tuple[str, ...]


class Symbol(msgspec.Struct, frozen=True):
    """The answer about one name.

    ``package`` is the root it was asked of; None: it is no name of TensorFlow or Keras. ``counted``: whose releases
    the intervals are: ``tensorflow``, ``keras``, ``tf_keras``, or ``tensorflow.keras`` (TensorFlow's up to 2.15, then
    Keras's from 3.0 on). ``recorded``: the first and the last recorded of them. ``unknown``: where it cannot be told.
    ``needs_import``: where attribute access finds it only after an import of its module. ``foreign``: where it is TensorFlow's
    old copy of Keras, whose objects the installed Keras refuses. ``parameters``: the releases whose
    call takes each by name or through ``**kwargs``; ``ignored_parameters``: those that take it and do nothing with it.
    ``more_parameters``: where the call has ``**kwargs`` or does not tell its parameters, so that it may take others besides.
    ``present`` (None: unknown), ``status`` and ``reason`` are about the target, and left out where none is named.
    """

    name: str
    package: str | None
    canonical: str | None
    kind: str | None
    counted: str | None
    recorded: tuple[str, str] | None
    releases: Releases
    unknown: Releases
    needs_import: Releases
    deprecated: Releases
    foreign: Releases
    parameters: dict[str, Releases]
    ignored_parameters: dict[str, Releases]
    more_parameters: Releases
    aliases: tuple[str, ...]
    replacement: Instead | None
    changes: tuple[Change, ...]
    near: tuple[str, ...]
    present: bool | None = None
    status: str | None = None
    reason: str | None = None


class Library:
    """Everything that questions need, read once.

    Args:
        target: the text of ``--target``, or None.

    Raises:
        UsageError: the target is none.
    """

    def __init__(self, target: str | None) -> None:
        self.target = Target.parse(target) if target is not None else None
        self.api = Api(folder() / "api")
        self.replacements = Replacements(folder() / "api" / "replacements", self.api)
        self._looked = 0

    @cached_property
    def newest(self) -> Target:
        """The newest recorded releases: what a replacement must be good for where no target is named."""
        return Target(self.api.shelf.book("tensorflow").versions[-1], self.api.shelf.book("keras").versions[-1])

    def symbol(self, name: str) -> Symbol:
        """The answer about one name."""
        history = self._history(name)
        answer = self.api.ask(name, self.target) if self.target else None
        if history is None:
            said = _said(answer)
            return Symbol(name, None, None, None, None, None, [], [], [], [], [], {}, {}, [], (), None, (), (), *said)
        book = self.api.shelf.book(history.book)
        whole = canonical(history)
        parameters = self.api.parameters(history.found)
        return Symbol(
            name,
            history.root,
            asked(history) or (whole[0] if whole else None),
            max(history.found, key=lambda one: one.mask).kind if history.found else None,
            history.book,
            (book.labels[0], book.labels[-1]),
            self._releases(history, history.present),
            self._releases(history, history.unknown),
            self._releases(history, history.imported),
            self._releases(history, history.deprecated),
            self._releases(history, history.foreign),
            {
                name: self._releases(history, one.named | one.taken)
                for name, one in parameters.items()
                if one.named | one.taken
            },
            {name: self._releases(history, one.ignored) for name, one in parameters.items() if one.ignored},
            self._releases(history, self.api.more(history.found)),
            tuple(self._aliases(history)),
            self._instead(history, answer),
            self._changes(history),
            () if history.present or history.unknown else self._near(history.name),
            *_said(answer),
        )

    def _history(self, name: str) -> History | None:
        """A name's history; that of ``tf.keras`` is tf_keras's where the target makes it that."""
        parts = self.api.split(name)
        if (
            self.target
            and self.target.through_tf_keras
            and parts
            and parts[0] == "tensorflow"
            and parts[1].startswith("keras.")
        ):
            return self.api.history("tf_keras" + parts[1][len("keras") :])
        return self.api.history(name)

    def _releases(self, history: History, mask: int) -> Releases:
        book = self.api.shelf.book(history.book)
        parts = [mask]
        if history.book == "tensorflow.keras":  # TensorFlow's releases, then Keras's: no interval spans both
            before = (1 << self.api.shelf.seam[1]) - 1
            parts = [mask & before, mask & ~before]
        spans = [span for part in parts for span in book.intervals(part)]
        return [(first, last or book.labels[-1]) for first, last in spans]

    def _aliases(self, history: History) -> list[str]:
        """The other names of the object in the newest release that has it."""
        newest = max(history.found, key=lambda one: one.mask, default=None)
        if newest is None or not newest.path or newest.member or newest.kind in ("name", "internal", "unknown"):
            return []
        last = 1 << (newest.mask.bit_length() - 1)
        names = (newest.path, *self.api.aliases(newest.book, newest.path, last))
        whole = [f"{newest.book}.{name}" for name in names]
        return [name for name in whole if name != history.name]

    def _instead(self, history: History, answer: Answer | None) -> Instead | None:
        book = self.api.shelf.book(history.book)
        newest = 1 << (len(book.labels) - 1)
        if answer is not None:
            wanted = answer.status.value in ("absent", "deprecated", "foreign")
        else:
            wanted = not history.present & newest or bool(history.deprecated & newest)
        if not wanted:
            return None
        found: Advice | None = self.replacements.advice(history, self.target or self.newest)
        return Instead(found.use, found.example, found.note, found.sources, found.written) if found else None

    def _changes(self, history: History) -> tuple[Change, ...]:
        row = self.replacements.written(history, changed=True)
        return (Change(dict(row.changed), row.use, row.note, row.source.sources),) if row else ()

    def _near(self, name: str) -> tuple[str, ...]:
        self._looked += 1
        return tuple(near(self.api, name)) if self._looked <= NEAR_AT_MOST else ()

    def everything(self, symbol: Symbol) -> Releases:
        """All recorded releases of those that a symbol's are counted in."""
        history = self._history(symbol.name)
        assert history is not None
        return self._releases(history, self.api.shelf.book(history.book).everything)

    def after(self, symbol: Symbol) -> str:
        """The first release after the last one that has a symbol."""
        labels: tuple[str, ...] = self.api.shelf.book(symbol.counted or "").labels
        return labels[labels.index(symbol.releases[-1][1]) + 1]

    def marks(self, history: History) -> list[str]:
        """What the releases' own deprecation notices say: dates and names."""
        return list(
            dict.fromkeys(
                fact.text for one in history.found for fact in deprecations(one) if fact.text not in ("yes", "name")
            )
        )


def asked(history: History) -> str | None:
    """The canonical name of a member: of the class that was asked, which may override what a base gives."""
    newest = max(history.found, key=lambda one: one.mask, default=None)
    return f"{newest.book}.{newest.asked}" if newest and newest.asked else None


def _said(answer: Answer | None) -> tuple[bool | None, str | None, str | None]:
    if answer is None:
        return None, None, None
    status = answer.status.value
    return {"absent": False, "unknown": None}.get(status, True), status, answer.reason


def as_json(symbols: list[Symbol]) -> str:
    """An array, one object a name in the order asked; its JSON Schema ships as ``schemas/api.schema.json``."""
    rows: list[dict[str, Any]] = [msgspec.to_builtins(symbol) for symbol in symbols]
    for row in rows:
        if row["status"] is None:
            for key in ("present", "status", "reason"):
                del row[key]
    return msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n"
