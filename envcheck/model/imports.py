"""Imports: what they bind, as far as it is of use here."""

from __future__ import annotations

import ast

from envcheck.model.core import Core
from envcheck.model.names import KERAS_ROOTS, ROOTS, STARS, canonical
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import Class, Function, Symbol


def import_module(machine: Core, node: ast.Import) -> None:
    """``import a.b as c``."""
    for alias in node.names:
        root = alias.name.partition(".")[0]
        name = alias.name if alias.asname else root
        machine.store(alias.asname or root, Symbol(name))


def import_from(machine: Core, node: ast.ImportFrom) -> None:
    """``from a import b as c``; what lies in the project's own modules is not known."""
    module = node.module or ""
    known = node.level == 0 and module.partition(".")[0] in ROOTS
    for alias in node.names:
        if alias.name != "*":
            machine.store(alias.asname or alias.name, Symbol(f"{module}.{alias.name}") if known else UNKNOWN)
        elif known:
            _star(machine, module)
        else:
            _unknown_star(machine)


def _star(machine: Core, module: str) -> None:
    names = STARS.get(canonical(module), frozenset())
    if module.partition(".")[0] not in KERAS_ROOTS:
        names = frozenset()
    for name in sorted(names):
        machine.store(name, Symbol(f"{module}.{name}"))


def _unknown_star(machine: Core) -> None:
    """A star import of something unknown may bind anything; what was imported or defined here is taken to stay."""
    for name, value in list(machine.scope.state.items()):
        if not isinstance(value, (Symbol, Function, Class)):
            machine.store(name, UNKNOWN)
