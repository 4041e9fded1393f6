"""What a name may stand for while a module is read.

Python's own numbers, texts, ``None``, tuples and ranges stand for themselves; UNKNOWN is anything. What a program can
change in place is a :class:`~envcheck.model.cells.Cell`; every change to one goes through
:class:`envcheck.model.state.State`, so that it can be undone where a branch ends.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from envcheck.model.cells import Cell
from envcheck.model.events import ClassDefined, Made, Where

Value: TypeAlias = Any
"""A Python constant, tuple or range, UNKNOWN, a noun of ``events`` (Array, Dataset, KerasTensor, Made) or a class below."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """Something outside of the file, by its dotted name as it is reached: ``tensorflow.keras.layers``, ``builtins.len``."""

    name: str


class Scope(Cell):
    """Names bound in the module, a function, a class body or a comprehension."""

    __slots__ = ("kind", "often", "parent")

    def __init__(self, parent: Scope | None = None, kind: str = "module") -> None:
        super().__init__()
        self.parent = parent
        self.kind = kind
        self.often: set[str] = set()
        """Names of the module that are bound more than once."""


class List(Cell):
    """A list or set; ``items`` is a tuple, or UNKNOWN."""

    __slots__ = ()

    @property
    def items(self) -> Value:
        """A tuple of values, or UNKNOWN."""
        return self.state["items"]


class Dict(Cell):
    """A dictionary; ``items`` is a tuple of pairs of a constant key and a value, or UNKNOWN."""

    __slots__ = ()

    @property
    def items(self) -> Value:
        """A tuple of pairs, or UNKNOWN."""
        return self.state["items"]

    def mapping(self) -> dict[Value, Value] | None:
        """The content; None where it cannot be told."""
        return dict(self.items) if isinstance(self.items, tuple) else None


class LayerObject(Cell):
    """A layer. State: ``built_on`` (inputs of the first call), ``output``, ``calls`` (how many), ``trainable``."""

    __slots__ = ("made",)

    def __init__(self, made: Made, trainable: Value = True) -> None:
        super().__init__(built_on=None, output=None, calls=0, trainable=trainable)
        self.made = made


class ModelObject(Cell):
    """A model. State: ``layers``, ``inputs``, ``outputs``, ``built``, ``compiled``, ``trainable``, ``own_losses``."""

    __slots__ = ("kind", "name", "number", "own", "where")

    def __init__(self, number: int, kind: str, name: str, where: Where, own: ClassDefined | None = None) -> None:
        super().__init__(
            layers=(), inputs=(), outputs=(), built=False, compiled=None, trainable=True, own_losses=False, calls=0
        )
        self.number = number
        self.kind = kind
        self.name = name
        self.where = where
        self.own = own


@dataclass(slots=True, eq=False)
class Class:
    """A class of the file. ``defined`` is set for layers and models."""

    node: ast.ClassDef
    scope: Scope
    """The names of its body."""
    bases: tuple[Value, ...]
    defined: ClassDefined | None = None


class Instance(Cell):
    """An object of a class of the file; its attributes are its state.

    ``core`` is the layer or model it is, where its class comes from Keras.
    """

    __slots__ = ("core", "owner")

    def __init__(self, owner: Class, core: LayerObject | ModelObject | None = None) -> None:
        super().__init__()
        self.owner = owner
        self.core = core


@dataclass(slots=True, eq=False)
class Function:
    """A function or lambda of the file."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    defaults: tuple[Value, ...] = ()
    keyword_defaults: tuple[Value, ...] = ()
    kind: str = "plain"
    """``plain``, ``static``, ``class``, ``property``, or ``unknown`` behind a decorator that may do anything."""
    owner: Class | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A function of the file with its first argument."""

    function: Function
    first: Value


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """A method of something that is no object of a class of the file."""

    owner: Value
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Super:
    """``super()`` in a method."""

    owner: Class
    first: Value


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """``functools.partial``."""

    function: Value
    positional: tuple[Value, ...]
    keywords: dict[str, Value] = field(default_factory=dict)
