"""What a name of a scanned file may stand for, and a reference to TensorFlow or Keras found in it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOTS = ("tensorflow", "keras", "tf_keras")


class Opaque(enum.Enum):
    """A value that the oracle does not follow."""

    OPAQUE = "opaque"


OPAQUE = Opaque.OPAQUE


@dataclass(frozen=True, slots=True)
class Symbol:
    """What an import statement binds, and the attributes taken of it.

    ``statement`` binds it to the name ``_`` (or, of a star import, binds ``attributes[0]`` itself); ``base`` is its dotted
    name. Both together let a real package be asked the very question that the file asks.
    """

    statement: str
    base: str
    attributes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The dotted name: ``tensorflow.keras.layers.Dense``."""
        return ".".join((self.base, *self.attributes))

    @property
    def star(self) -> bool:
        """Whether a star import gave it."""
        return self.statement.endswith("*")

    def attribute(self, *names: str) -> Symbol:
        """That of its attributes."""
        return Symbol(self.statement, self.base, (*self.attributes, *names))


@dataclass(frozen=True, slots=True)
class Local:
    """A module or package of the scanned project itself."""

    path: Path


# Alternatives: a name bound in two branches stands for both. Empty: not bound.
Value = frozenset[Symbol | Local | Opaque]
UNBOUND: Value = frozenset()
UNKNOWN: Value = frozenset({OPAQUE})


@dataclass(slots=True)
class Reference:
    """One use of a symbol at one place.

    ``cell`` is as in :class:`.documents.Part`. ``line`` and ``end`` (from 1, inclusive) are the lines of the
    expression, ``column`` (from 1) its start. ``kind`` is ``import``, ``star`` (of a module's whole content),
    ``attribute``, ``call`` or ``base`` (of a class). ``keywords`` maps each keyword to its literal value, or to None
    where it is none. ``positional`` is None where ``*arguments`` hide the count. ``guard`` says what protects it;
    ``ambiguous`` that the name stands for something else as well; ``local`` that the project has a top-level package
    of that name itself.
    """

    path: str
    cell: tuple[int, int] | None
    line: int
    end: int
    column: int
    symbol: Symbol
    kind: str
    keywords: dict[str, Any] = field(default_factory=dict)
    positional: int | None = 0
    guard: str | None = None
    ambiguous: bool = False
    local: bool = False

    def row(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "path": self.path,
            "cell": self.cell,
            "line": self.line,
            "end": self.end,
            "column": self.column,
            "name": self.symbol.name,
            "statement": self.symbol.statement,
            "attributes": list(self.symbol.attributes),
            "kind": self.kind,
            "keywords": self.keywords,
            "positional": self.positional,
            "guard": self.guard,
            "ambiguous": self.ambiguous,
            "local": self.local,
        }


class Scope:
    """The names of one module, class, function or comprehension. ``own`` are a function's local names."""

    def __init__(self, kind: str, parent: Scope | None = None, own: frozenset[str] = frozenset()) -> None:
        self.kind = kind
        self.parent = parent
        self.own = own
        self.names: dict[str, Value] = {}
        self.stars: list[str] = []
        self.elsewhere: dict[str, Scope] = {}

    def module(self) -> Scope:
        """The module that it lies in."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def bind(self, name: str, value: Value) -> None:
        """Give ``name`` a value, in another scope where `global` or `nonlocal` says so."""
        other = self.elsewhere.get(name)
        if other is None:
            self.names[name] = value
        else:  # nobody knows when the function runs
            other.names[name] = other.names.get(name, UNBOUND) | value

    def lookup(self, name: str) -> Value:
        """What the name stands for here, by Python's rules of scope."""
        if name in self.names:
            return self.names[name]
        scope: Scope | None = self
        while scope is not None:
            if (scope is self or scope.kind != "class") and name in scope.names:
                return scope.names[name]
            if name in scope.own:
                return UNBOUND
            scope = scope.parent
        return UNBOUND


def joined(*branches: dict[str, Value]) -> dict[str, Value]:
    """The names after branches that met again: each stands for whatever it was in any of them."""
    together: dict[str, Value] = {}
    for branch in branches:
        for name, value in branch.items():
            together[name] = together.get(name, UNBOUND) | value
    return together
