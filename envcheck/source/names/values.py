"""What a name may stand for while a file is read; a symbol is a plain string, alternatives are a tuple, None is anything else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from envcheck.source.names.uses import Condition

Value = Any
"""None, a symbol (str), a tuple of values, or one of the classes below."""
LONGEST_LINE = 30
"""Bases of a class that are followed."""
LONGEST = 200
"""Characters of a string that are kept."""
MOST = 4
"""Alternatives that are kept."""


@dataclass(slots=True)
class Constant:
    """A literal: number, string, bool, None, or a tuple of strings."""

    value: Any


@dataclass(slots=True)
class Tail:
    """A string of which only the end is known."""

    text: str


@dataclass(slots=True)
class Version:
    """A version string, or a part of it: ``form`` is ``text``, ``parsed``, ``major`` (int), ``first`` (str), ``numbers``…"""

    symbol: str
    form: str


@dataclass(slots=True)
class Test:
    """A truth value that was understood."""

    condition: Condition


@dataclass(slots=True, eq=False)
class Scope:
    """Names bound in a module, function or class body."""

    names: dict[str, Value]
    parent: Scope | None = None
    kind: str = "module"
    outer: dict[str, Scope] = field(default_factory=dict)
    """Names declared global or nonlocal, and where they live."""


@dataclass(slots=True, eq=False)
class Function:
    """A function of the file; read when it is first called, or at the end."""

    node: ast.FunctionDef | ast.AsyncFunctionDef
    scope: Scope
    guards: tuple[Condition, ...]
    owner: Class | None = None
    state: str = "waiting"
    returns: Value = None


@dataclass(slots=True, eq=False)
class Class:
    """A class of the file."""

    node: ast.ClassDef
    bases: list[Value]
    members: dict[str, Value]
    assigned: dict[str, list[str]] | None = None
    """The attributes that methods assign on their first parameter, and which methods; None: not looked at yet."""


@dataclass(slots=True, eq=False)
class Instance:
    """An object of a class of the file."""

    owner: Class


@dataclass(slots=True, eq=False)
class Super:
    """``super()`` in a method."""

    owner: Class


def merged(values: list[Value]) -> Value:
    """What a name stands for where branches meet: what cannot be told, and None, say nothing against what can."""
    kept: list[Value] = []
    for value in values:
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None and not (isinstance(one, Constant) and one.value is None) and one not in kept:
                kept.append(one)
    symbols = [one for one in kept if isinstance(one, str)]
    if symbols and len(symbols) < len(kept):
        kept = symbols  # a class of the file in another branch: the symbol's branch can still be judged
    if not kept:
        return None
    if all(isinstance(one, str) for one in kept):
        return tuple(kept[:MOST]) if len(kept) > 1 else kept[0]
    return kept[0] if len(kept) == 1 else None


def called(value: Value) -> Value:
    """What calling a symbol gives."""
    if isinstance(value, str):
        return value + "()"
    return tuple(one + "()" for one in value) if isinstance(value, tuple) else None


def written(value: Value) -> str | None:
    """A value as a symbol; None where it is none."""
    if isinstance(value, str):
        return value
    return "|".join(value) if isinstance(value, tuple) else None


def lineage(owner: Class) -> Iterator[Value]:
    """A class and its bases, the first ones first: classes of the file, symbols, None for what cannot be told."""
    waiting: list[Value] = [owner]
    for _ in range(LONGEST_LINE):
        if not waiting:
            return
        each = waiting.pop(0)
        yield each
        if isinstance(each, Class):
            waiting = [*each.bases, *waiting]
    yield None


def plain(value: Any) -> bool:
    """Whether a literal is small and plain enough to be kept: no lone surrogates, no numbers of a thousand digits."""
    if isinstance(value, str):
        return len(value) <= LONGEST and (value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value))
    if isinstance(value, tuple):
        return all(plain(each) for each in value)
    return not isinstance(value, int) or abs(value) < 1 << 53
