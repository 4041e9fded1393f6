"""What argument values, calls and attributes do in a release, where names and parameters alone do not tell.

The rows are ``compat_matrix/api/values.yaml``, which says what each column means. A row speaks only where the code's own
literals decide; whatever is computed is never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from envcheck.knowledge.api.bounds import Bounds, holds, root_of
from envcheck.knowledge.api.history import Shelf
from envcheck.knowledge.api.named_rows import NamedRows
from envcheck.knowledge.api.returns import keras_name
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import Source

Constant = bool | int | float | str | None
Outcome = Literal["raises", "may-raise", "ignored", "differs", "deprecated"]


@dataclass(frozen=True, slots=True)
class Text:
    """A string known in parts, such as an f-string: its constant pieces in order, None for what is computed."""

    pieces: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of one of these classes, by their whole names."""

    classes: tuple[str, ...]


class Other(Enum):
    """Arguments that are no constants."""

    NUMBERS = "numbers"
    """A list or tuple of nothing but numbers, or of such lists."""
    TEXTS = "texts"
    """A list or tuple of nothing but strings."""
    COMPUTED = "computed"


Argument = Constant | Text | Instance | Other


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of one call.

    Args:
        positional: those without a name, up to the first ``*``.
        keywords: those with one.
        more: whether ``*args`` or ``**kwargs`` may bring others.
    """

    positional: tuple[Argument, ...] = ()
    keywords: Mapping[str, Argument] = field(default_factory=dict)
    more: bool = False

    def argument(self, name: str, position: int | None) -> tuple[int | str, Argument] | None:
        """An argument, and whether it was given by position or name; None where the call itself does not give it."""
        if name in self.keywords:
            return name, self.keywords[name]
        if position is not None and position < len(self.positional):
            return position, self.positional[position]
        return None

    def everything(self) -> Iterator[tuple[int | str, Argument]]:
        """Every argument, by position or name."""
        yield from enumerate(self.positional)
        yield from self.keywords.items()


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a value must be: all that is set."""

    equals: tuple[Constant, ...] = ()
    has_suffix: tuple[str, ...] = ()
    lacks_suffix: tuple[str, ...] = ()
    lacks_prefix: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    matches: str | None = None
    kind: str | None = msgspec.field(default=None, name="is")

    def fits(self, value: Argument) -> bool:
        """Whether a value surely is so; of a text known in parts, only what the known parts decide."""
        pieces = _pieces(value)
        return (
            (not self.equals or any(_same(value, one) for one in self.equals))
            and (not self.has_suffix or _ends(pieces, self.has_suffix) is True)
            and (not self.lacks_suffix or _ends(pieces, self.lacks_suffix) is False)
            and (not self.lacks_prefix or _begins(pieces, self.lacks_prefix) is False)
            and (not self.contains or any(text in piece for piece in pieces if piece for text in self.contains))
            and (self.matches is None or any(re.search(self.matches, piece) for piece in pieces if piece))
            and (self.kind is None or self._is(value))
        )

    def _is(self, value: Argument) -> bool:
        if self.kind == "text":
            return isinstance(value, (str, Text))
        if self.kind == "bool":
            return isinstance(value, bool)
        if self.kind == "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        if self.kind in ("numbers", "texts"):
            return value is Other(self.kind)
        if not isinstance(value, Instance) or not value.classes:
            return False
        return all(self.kind in (one, one.rpartition(".")[0] + ".*") for one in map(_own, value.classes))


class Value(msgspec.Struct, frozen=True):
    """One row of ``values.yaml``."""

    names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    outcome: Outcome
    message: str
    trial: str
    source: Source
    of: Literal["call", "read", "item"] = "call"
    but: tuple[str, ...] = ()
    instance: bool = False
    parameter: str | None = None
    position: int | None = None
    named: bool = True
    when: When | None = None
    beside: Mapping[str, tuple[Constant, ...]] = {}
    without: Mapping[str, tuple[Constant, ...]] = {}
    positions: Mapping[str, int] = {}
    metrics: str | None = None
    unless: tuple[str, ...] = ()
    releases: Bounds = {}
    use: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A row that speaks of something in the code, and of which argument: its position or name; None: of the whole."""

    row: Value
    argument: int | str | None = None


class Values:
    """The rows of ``compat_matrix/api/values.yaml``, each read when its name is asked for.

    Args:
        folder: ``compat_matrix/api``.
        shelf: the recorded releases.
    """

    def __init__(self, folder: Path, shelf: Shelf) -> None:
        self.rows = NamedRows(folder / "values.yaml", Value)
        self._shelf = shelf
        self._known: dict[tuple[tuple[str, ...], Target], tuple[Value, ...]] = {}

    def of_call(self, names: Sequence[str], call: Call, target: Target, *, instance: bool = False) -> list[Judged]:
        """What a call does in a target that its names and parameters do not tell.

        Args:
            names: the whole name as the code has it, and the canonical ones.
            call: its arguments.
            target: the releases asked about.
            instance: whether it is a method of an object that a call made (not of self inside a class).

        Raises:
            EnvcheckError: the file is damaged.
        """
        rows = (row for row in self._about(names, target) if row.of == "call" and (instance or not row.instance))
        return [judged for row in rows for judged in _judged(row, call)]

    def of_read(self, names: Sequence[str], target: Target) -> list[Judged]:
        """What reading an attribute does in a target."""
        return [Judged(row) for row in self._about(names, target) if row.of == "read"]

    def of_item(self, names: Sequence[str], key: Argument, target: Target) -> list[Judged]:
        """What a constant in brackets behind an attribute does in a target."""
        rows = (row for row in self._about(names, target) if row.of == "item")
        return [Judged(row) for row in rows if row.when is None or row.when.fits(key)]

    def _about(self, names: Sequence[str], target: Target) -> tuple[Value, ...]:
        """The rows that speak of one of the names and hold in the target."""
        key = (tuple(names), target)
        if key not in self._known:
            found = {id(row): row for name in names for row in self._of(name, target)}
            self._known[key] = tuple(found.values())
        return self._known[key]

    def _of(self, name: str, target: Target) -> Iterator[Value]:
        own, root = _own(name), root_of(name)
        rows = (*self.rows.about(own), *self.rows.about(own.rpartition(".")[0] + ".*"))
        yield from (row for row in rows if own not in row.but and holds(row.releases, root, target, self._shelf))


def _own(name: str) -> str:
    return keras_name(name) or name


def _judged(row: Value, call: Call) -> Iterator[Judged]:
    if not _beside(row, call):
        return
    if row.parameter is not None:
        found = call.argument(row.parameter, row.position)
        if (
            found is not None
            and (row.named or found[0] != row.parameter)
            and (row.when is None or row.when.fits(found[1]))
        ):
            yield Judged(row, found[0])
    elif row.when is None:
        yield Judged(row)
    else:
        yield from (Judged(row, place) for place, value in call.everything() if row.when.fits(value))


def _beside(row: Value, call: Call) -> bool:
    """Whether the other arguments are surely what the row wants."""
    for name, wanted in row.beside.items():
        found = call.argument(name, row.positions.get(name))
        if found is None or not any(_same(found[1], one) for one in wanted):
            return False
    for name, unwanted in row.without.items():
        found = call.argument(name, row.positions.get(name))
        if call.more if found is None else not _differs(found[1], unwanted):
            return False
    return True


def _same(value: Argument, constant: Constant) -> bool:
    """Equal and of the same type: True is not 1."""
    return type(value) is type(constant) and value == constant


def _differs(value: Argument, constants: Sequence[Constant]) -> bool:
    """Whether a value is a constant, and none of these."""
    constant = value is None or isinstance(value, (bool, int, float, str))
    return constant and not any(_same(value, one) for one in constants)


def _pieces(value: Argument) -> tuple[str | None, ...]:
    return (value,) if isinstance(value, str) else value.pieces if isinstance(value, Text) else ()


def _ends(pieces: tuple[str | None, ...], suffixes: Sequence[str]) -> bool | None:
    """Whether a text has one of the suffixes; None where its known end does not tell."""
    if len(pieces) == 1 and pieces[0] is not None:
        return pieces[0].endswith(tuple(suffixes))
    end = pieces[-1] if pieces else None
    if not end:
        return None
    if end.endswith(tuple(suffixes)):
        return True
    return None if any(suffix.endswith(end) for suffix in suffixes) else False


def _begins(pieces: tuple[str | None, ...], prefixes: Sequence[str]) -> bool | None:
    """Whether a text has one of the prefixes; None where its known begin does not tell.

    A computed begin counts as without: it is a folder far more often than an address.
    """
    begin = pieces[0] if pieces else None
    return bool(begin) and str(begin).startswith(tuple(prefixes))
