"""Follows the statements of one file in the order in which they run; functions after the module that holds them."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from .bound import local_names, parameters
from .guards import asks_for_version, handler_guard, version_names
from .imports import Imports, Modules
from .values import UNKNOWN, Scope, Value, joined

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Body = Sequence[ast.stmt]


class Statements(Imports):
    """Goes through the statements of one file without running anything."""

    def __init__(self, path: str, modules: Modules, local_roots: frozenset[str]) -> None:
        super().__init__(path, modules, local_roots)
        self._later: list[tuple[_Function, Scope, list[str], tuple[int, int] | None]] = []

    def read(self, tree: ast.Module, cell: tuple[int, int] | None) -> None:
        """Run one part: a file, or the next cell of a notebook."""
        self.cell = cell
        self.versions |= version_names(tree)
        self.block(tree.body)

    def finish(self) -> None:
        """Run the functions, when all that the module binds is bound."""
        while self._later:
            node, scope, guards, cell = self._later.pop(0)
            self.cell = cell
            self.guards = guards
            own = Scope("function", scope, local_names(node))
            for name in parameters(node.args):
                own.bind(name, UNKNOWN)
            with self.inside(own):
                self.block(node.body)
            self.guards = []

    def block(self, body: _Body) -> bool:
        """Run statements in order; False when the last one leaves the block (return, raise)."""
        guarded = 0
        alive = True
        for statement in body:
            alive = self.statement(statement)
            if not alive:
                break
            left_early = isinstance(statement, ast.If) and _leaves(statement.body)
            if left_early and asks_for_version(statement.test, self.versions):  # type: ignore[attr-defined]
                self.guards.append("after early return")
                guarded += 1
        del self.guards[len(self.guards) - guarded :]
        return alive

    def statement(self, node: ast.stmt) -> bool:
        """Run one statement; False when nothing after it runs."""
        run = getattr(self, "_" + type(node).__name__.lower(), None)
        if run is None:
            self.children(node)
            return not isinstance(node, ast.Return | ast.Raise)
        return run(node) is not False

    def _assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self._bind(target, node.value, value)

    def _annassign(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        if node.value is not None:
            self._bind(node.target, node.value, self.value(node.value))

    def _annotation(self, node: ast.expr | None) -> None:
        with self.guarded(None if self.annotations_run else "annotation"):
            self.value(node)

    def _augassign(self, node: ast.AugAssign) -> None:
        self.value(node.value)
        self._bind(node.target, None, UNKNOWN)

    def _bind(self, target: ast.expr, source: ast.expr | None, value: Value) -> None:
        """Bind a target of any form; a tuple of targets takes the values of a tuple one by one."""
        if isinstance(target, ast.Name):
            self.scope.bind(target.id, value or UNKNOWN)
        elif isinstance(target, ast.Tuple | ast.List):
            parts = source.elts if isinstance(source, ast.Tuple | ast.List) else []
            pairs = len(parts) == len(target.elts)
            for number, one in enumerate(target.elts):
                part = parts[number] if pairs else None
                known = self._plain(part) if part is not None else UNKNOWN
                self._bind(one, part, known)
        elif isinstance(target, ast.Starred):
            self._bind(target.value, None, UNKNOWN)
        elif isinstance(target, ast.Attribute):
            self.value(target.value)
        else:
            self.children(target)

    def _plain(self, node: ast.expr) -> Value:
        """The value of an expression whose uses are noted already."""
        noted = len(self.references)
        value = self.value(node)
        del self.references[noted:]
        return value

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.scope.names.pop(target.id, None)
            else:
                self.value(getattr(target, "value", None))

    def _global(self, node: ast.Global | ast.Nonlocal) -> None:
        for name in node.names:
            scope = self.scope.module() if isinstance(node, ast.Global) else self.scope.parent
            while scope is not None and isinstance(node, ast.Nonlocal) and name not in scope.own:
                scope = scope.parent
            if scope is not None and scope is not self.scope:
                self.scope.elsewhere[name] = scope

    _nonlocal = _global

    def _if(self, node: ast.If) -> bool:
        self.value(node.test)
        before = dict(self.scope.names)
        with self.guarded("condition" if asks_for_version(node.test, self.versions) else None):
            first = self.block(node.body)
            after_first, self.scope.names = self.scope.names, before
            second = self.block(node.orelse)
        branches = [names for names, alive in ((after_first, first), (self.scope.names, second)) if alive]
        self.scope.names = joined(*branches) if branches else joined(after_first, self.scope.names)
        return first or second

    def _while(self, node: ast.While) -> None:
        self.value(node.test)
        self._loop(node.body, node.orelse)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self.value(node.iter)
        self._bind(node.target, None, UNKNOWN)
        self._loop(node.body, node.orelse)

    _asyncfor = _for

    def _loop(self, body: _Body, orelse: _Body) -> None:
        before = dict(self.scope.names)
        self.block(body)
        self.scope.names = joined(before, self.scope.names)
        self.block(orelse)

    def _with(self, node: ast.With | ast.AsyncWith) -> bool:
        for item in node.items:
            self.value(item.context_expr)
            if item.optional_vars is not None:
                self._bind(item.optional_vars, None, UNKNOWN)
        return self.block(node.body)

    _asyncwith = _with

    def _try(self, node: ast.Try) -> bool:
        before = dict(self.scope.names)
        with self.guarded(handler_guard(node)):
            alive = self.block(node.body)
        broken = joined(before, self.scope.names)
        if alive:
            alive = self.block(node.orelse)
        ends = [self.scope.names] if alive else []
        for handler in node.handlers:
            self.scope.names = dict(broken)
            self.value(handler.type)
            if handler.name:
                self.scope.bind(handler.name, UNKNOWN)
            with self.guarded("handler"):
                if self.block(handler.body):
                    ends.append(self.scope.names)
        self.scope.names = joined(*ends) if ends else broken
        return self.block(node.finalbody) and bool(ends)

    _trystar = _try

    def _match(self, node: ast.Match) -> None:
        self.value(node.subject)
        before = dict(self.scope.names)
        ends = [before]
        for case in node.cases:
            self.scope.names = dict(before)
            for inner in ast.walk(case.pattern):
                captured = getattr(inner, "name", None) or getattr(inner, "rest", None)
                if isinstance(captured, str):
                    self.scope.bind(captured, UNKNOWN)
                if isinstance(inner, ast.MatchValue | ast.MatchClass):
                    self.value(inner.value if isinstance(inner, ast.MatchValue) else inner.cls)
            self.value(case.guard)
            self.block(case.body)
            ends.append(self.scope.names)
        self.scope.names = joined(*ends)

    def _functiondef(self, node: _Function) -> None:
        for decorator in node.decorator_list:
            self.value(decorator)
        arguments = node.args
        for default in (*arguments.defaults, *arguments.kw_defaults):
            self.value(default)
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for one in named:
            self._annotation(one.annotation if one else None)
        self._annotation(node.returns)
        self.scope.bind(node.name, UNKNOWN)
        asked = any(asks_for_version(decorator, self.versions) for decorator in node.decorator_list)
        kept = [
            guard for guard in self.guards if guard not in {"try", "reraised"}
        ]  # it runs when the `try` is long over
        self._later.append((node, self.scope, [*kept, *(["decorator"] if asked else [])], self.cell))

    _asyncfunctiondef = _functiondef

    def _classdef(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.value(decorator)
        for base in node.bases:
            if isinstance(base, ast.Name | ast.Attribute):
                self._chain(base, "base")
            else:
                self.value(base)
        for word in node.keywords:
            self.value(word.value)
        with self.inside(Scope("class", self.scope)):
            self.block(node.body)
        self.scope.bind(node.name, UNKNOWN)


def _leaves(body: _Body) -> bool:
    """Whether a block ends by leaving: return, raise, continue, or the end of the program."""
    last = body[-1]
    if isinstance(last, ast.Return | ast.Raise | ast.Continue):
        return True
    called = last.value.func if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) else None
    return getattr(called, "attr", getattr(called, "id", "")) in {"exit", "skip", "skipTest"}
