"""Follows expressions to the symbols that they name, and notes each use."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from .bound import local_names, parameters
from .guards import asks_for_version
from .values import OPAQUE, ROOTS, UNBOUND, UNKNOWN, Local, Reference, Scope, Symbol, Value

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Exports(Protocol):
    """What the expressions ask of the project that the file belongs to."""

    def attribute(self, module: Local, name: str) -> Value:
        """What a module of the project has under a name."""


class Expressions:
    """Evaluates the expressions of one file; ``references`` grows as uses are met.

    ``scope`` and ``guards`` are where the reader stands; :mod:`.statements` moves them.
    """

    def __init__(self, path: str, exports: Exports, local_roots: frozenset[str]) -> None:
        self.path = path
        self.cell: tuple[int, int] | None = None
        self.exports = exports
        self.local_roots = local_roots
        self.references: list[Reference] = []
        self.scope = Scope("module")
        self.guards: list[str] = []
        self.versions: set[str] = set()

    @contextmanager
    def guarded(self, reason: str | None) -> Iterator[None]:
        """Uses met inside are protected for ``reason`` (by nothing more where it is None)."""
        if reason is None:
            yield
            return
        self.guards.append(reason)
        yield
        self.guards.pop()

    @contextmanager
    def inside(self, scope: Scope) -> Iterator[None]:
        """Names are looked up in ``scope``."""
        before, self.scope = self.scope, scope
        yield
        self.scope = before

    def note(self, node: ast.AST, symbol: Symbol, kind: str, **details: Any) -> None:
        """Record one use of ``symbol`` at ``node``."""
        line = getattr(node, "lineno", 1)
        self.references.append(
            Reference(
                path=self.path,
                cell=self.cell,
                line=line,
                end=getattr(node, "end_lineno", None) or line,
                column=getattr(node, "col_offset", 0) + 1,
                symbol=symbol,
                kind=kind,
                guard=self.guards[-1] if self.guards else None,
                local=symbol.base.partition(".")[0] in self.local_roots,
                **details,
            )
        )

    def value(self, node: ast.expr | None) -> Value:
        """What an expression stands for; the uses in it are noted."""
        if node is None:
            return UNBOUND
        if isinstance(node, ast.Name):
            return self.named(node.id)
        if isinstance(node, ast.Attribute):
            return self._chain(node, "attribute")
        special: dict[type[ast.expr], Callable[[Any], Value]] = {
            ast.Call: self._call,
            ast.NamedExpr: self._walrus,
            ast.IfExp: self._conditional,
            ast.BoolOp: self._boolean,
            ast.Lambda: self._lambda,
            ast.ListComp: self._comprehension,
            ast.SetComp: self._comprehension,
            ast.DictComp: self._comprehension,
            ast.GeneratorExp: self._comprehension,
        }
        found = special.get(type(node))
        if found:
            return found(node)
        self.children(node)
        return UNKNOWN

    def children(self, node: ast.AST) -> None:
        """Follow every expression directly below ``node``."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child)
            elif not isinstance(child, ast.expr_context | ast.operator | ast.cmpop | ast.unaryop | ast.boolop):
                self.children(child)

    def named(self, name: str) -> Value:
        """What a name stands for, that of a star import too where nothing else binds it."""
        value = self.scope.lookup(name)
        stars = self.scope.module().stars
        if value or not stars or hasattr(builtins, name):
            return value
        given = {Symbol(f"from {star} import *", star, (name,)) for star in stars if star}
        return frozenset(given) | (UNKNOWN if "" in stars else UNBOUND)

    def _chain(self, node: ast.expr, kind: str, **details: Any) -> Value:
        """A name, or attributes of one: one use of the longest dotted name."""
        names: list[str] = []
        inner = node
        while isinstance(inner, ast.Attribute):
            names.insert(0, inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name):
            self.value(inner)
            return UNKNOWN
        found = self.named(inner.id)
        while names and any(isinstance(one, Local) for one in found):
            step: Value = UNBOUND
            for one in found:
                step |= self.exports.attribute(one, names[0]) if isinstance(one, Local) else UNKNOWN
            found, names = step, names[1:]
        result = frozenset(one.attribute(*names) if isinstance(one, Symbol) else OPAQUE for one in found)
        used = sorted((one for one in result if isinstance(one, Symbol)), key=lambda one: one.name)
        for symbol in used:
            if names or kind != "attribute" or symbol.star:
                self.note(node, symbol, kind, ambiguous=len(result) > 1, **details)
        return result

    def _call(self, node: ast.Call) -> Value:
        special = self._constant_access(node)
        if special is not None:
            return special
        if isinstance(node.func, ast.Name | ast.Attribute):
            starred = any(isinstance(argument, ast.Starred) for argument in node.args)
            keywords = {word.arg: literal(word.value) for word in node.keywords if word.arg is not None}
            positional = None if starred else len(node.args)
            self._chain(node.func, "call", keywords=keywords, positional=positional)
        else:
            self.value(node.func)
        for argument in node.args:
            self.value(argument)
        for word in node.keywords:
            self.value(word.value)
        return UNKNOWN

    def _constant_access(self, node: ast.Call) -> Value | None:
        """`getattr(x, "name")` and `import_module("name")`, as the attribute and the import that they are."""
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        plain_getattr = called == "getattr" and isinstance(node.func, ast.Name) and len(node.args) in {2, 3}
        position = 1 if plain_getattr else 0 if called == "import_module" and len(node.args) == 1 else None
        text = literal(node.args[position]) if position is not None else None
        if not isinstance(text, str) or not all(part.isidentifier() for part in text.split(".")):
            return None
        if plain_getattr:
            owner = self.value(node.args[0])
            symbols = [one.attribute(text) for one in owner if isinstance(one, Symbol)]
            with self.guarded("getattr default" if len(node.args) > 2 else None):
                for symbol in symbols:
                    self.note(node, symbol, "attribute", ambiguous=len(owner) > 1)
            return frozenset(symbols) or UNKNOWN
        if text.partition(".")[0] not in ROOTS:
            return None
        symbol = Symbol(f"import {text} as _", text)
        self.note(node, symbol, "import")
        return frozenset({symbol})

    def _walrus(self, node: ast.NamedExpr) -> Value:
        value = self.value(node.value)
        scope = self.scope
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        if isinstance(node.target, ast.Name):
            scope.bind(node.target.id, value)
        return value

    def _conditional(self, node: ast.IfExp) -> Value:
        self.value(node.test)
        with self.guarded("condition" if asks_for_version(node.test, self.versions) else None):
            return self.value(node.body) | self.value(node.orelse)

    def _boolean(self, node: ast.BoolOp) -> Value:
        asked = False
        result: Value = UNBOUND
        for part in node.values:
            with self.guarded("condition" if asked else None):
                result |= self.value(part)
            asked = asked or asks_for_version(part, self.versions)
        return result

    def _lambda(self, node: ast.Lambda) -> Value:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            self.value(default)
        scope = Scope("function", self.scope, local_names(node))
        for name in parameters(node.args):
            scope.bind(name, UNKNOWN)
        with self.inside(scope):
            self.value(node.body)
        return UNKNOWN

    def _comprehension(self, node: _Comprehension) -> Value:
        scope = Scope("comprehension", self.scope)
        for number, generator in enumerate(node.generators):
            if number == 0:  # evaluated where the comprehension stands
                self.value(generator.iter)
            with self.inside(scope):
                if number:
                    self.value(generator.iter)
                for inner in ast.walk(generator.target):
                    if isinstance(inner, ast.Name):
                        scope.bind(inner.id, UNKNOWN)
                for condition in generator.ifs:
                    self.value(condition)
        with self.inside(scope):
            if isinstance(node, ast.DictComp):
                self.value(node.key)
                self.value(node.value)
            else:
                self.value(node.elt)
        return UNKNOWN


def literal(node: ast.expr) -> Any:
    """The value of a literal that JSON can hold; None for any other expression."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    if isinstance(value, tuple | list):
        return value if all(isinstance(one, int | float | str | bool) for one in value) else None
    return value if isinstance(value, int | float | str | bool) and len(str(value)) < 40 else None
