"""Blocks: which run, under which conditions, and what a name stands for where they meet."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from envcheck.source.names.bindings import Bindings
from envcheck.source.names.conditions import ends, negated
from envcheck.source.names.expressions import dotted
from envcheck.source.names.uses import Condition
from envcheck.source.names.values import Constant, Test, Value, called, merged

IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "AttributeError", "NameError"}
ANY_ERRORS = {"Exception", "BaseException", "TypeError", "ValueError", "NotImplementedError", "RuntimeError"}
SHORT = 3
"""Statements in a ``try`` whose ``except Exception`` is taken to be about them, not about the run of a whole program."""
MOST_FAILED = 30


class Branches(Bindings):
    """Reads compound statements."""

    too_deep: list[int]
    _statements: dict[type, Callable[[Any], None]]

    def block(self, statements: list[ast.stmt]) -> None:
        """Statements in order; after ``if old: raise`` the rest runs only where that does not hold."""
        before = self.conditions
        for each in statements:
            handler = self._statements.get(type(each))
            try:
                if handler is not None:
                    handler(each)
                else:
                    self._inner(each)
            except RecursionError:
                self.too_deep.append(each.lineno)
        if self.conditions is not before:
            self.guarded(before)

    def _under(self, condition: Condition | None, statements: list[ast.stmt]) -> None:
        if condition is None:
            self.block(statements)
            return
        before = self.conditions
        self.guarded((*before, condition))
        self.block(statements)
        self.guarded(before)

    def _branches(self, runs: list[tuple[Condition | None, list[ast.stmt]]]) -> None:
        """Blocks of which one runs; after them a name stands for what any of those that go on gave it."""
        before = self.scope.names
        ends_with: list[dict[str, Value]] = []
        for condition, statements in runs:
            self.scope.names = dict(before)
            self._under(condition, statements)
            if not ends(statements):
                ends_with.append(self.scope.names)
        if len(ends_with) == 1:
            self._become(before, ends_with[0])
        elif ends_with:
            names = dict.fromkeys(name for each in ends_with for name in each)
            met = {name: self._met([each[name] for each in ends_with if name in each]) for name in names}
            self._become(before, met)
        else:
            self.scope.names = before

    def _become(self, names: dict[str, Value], after: dict[str, Value]) -> None:
        """The scope keeps its dictionary: classes share it."""
        names.clear()
        names.update(after)
        self.scope.names = names

    def _met(self, values: list[Value]) -> Value:
        first = values[0]
        return first if all(each is first for each in values[1:]) else merged(values)

    def _if(self, node: ast.If) -> None:
        condition = self.test(node.test)
        self._branches([(condition, node.body), (condition and negated(condition), node.orelse)])
        if condition is not None and ends(node.body) and not ends(node.orelse):
            self.guarded((*self.conditions, negated(condition)))
        elif condition is not None and node.orelse and ends(node.orelse):
            self.guarded((*self.conditions, condition))

    def _assert(self, node: ast.Assert) -> None:
        condition = self.test(node.test)
        if node.msg is not None:
            self.value(node.msg)
        if condition is not None:
            self.guarded((*self.conditions, condition))

    def _try(self, node: ast.Try) -> None:
        first, before = len(self.uses), self.scope.names
        caught = self._caught(node)
        self.scope.names = dict(before)
        self._under(("try",) if caught else None, node.body)
        failed = (
            "failed",
            tuple(dict.fromkeys(use.symbol for use in self.uses[first:] if use.how != "set"))[:MOST_FAILED],
        )
        if caught:
            self._under(negated(failed), node.orelse)
        else:
            self.block(node.orelse)
        ended = [] if ends(node.orelse or node.body) else [self.scope.names]
        for handler in node.handlers:
            self.scope.names = dict(before)
            if handler.type is not None:
                self.value(handler.type)
            if handler.name:
                self.scope.names[handler.name] = None
            self._under(failed if caught else None, handler.body)
            if not ends(handler.body):
                ended.append(self.scope.names)
        met: dict[str, Value] = {}
        for name in dict.fromkeys(name for each in ended for name in each):
            values = [each[name] for each in ended if name in each]
            flags = [each.value for each in values if isinstance(each, Constant)]
            if caught and len(flags) == len(values) == 2 and set(map(repr, flags)) == {"True", "False"}:
                met[name] = Test(negated(failed) if flags[0] is True else failed)
            else:
                met[name] = self._met(values)
        self._become(before, met if ended else dict(before))
        self.block(node.finalbody)

    def _caught(self, node: ast.Try) -> bool:
        """Whether the handlers are there for names that a release lacks, and let the program go on."""
        for handler in node.handlers:
            kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            names = {
                each.attr if isinstance(each, ast.Attribute) else each.id if isinstance(each, ast.Name) else ""
                for each in kinds
                if each
            }
            raises = handler.body and isinstance(handler.body[-1], ast.Raise)
            if names & IMPORT_ERRORS and not raises:
                return True
            if handler.type is None or names & ANY_ERRORS:
                imports = any(isinstance(each, (ast.Import, ast.ImportFrom)) for each in node.body)
                if not raises and (imports or len(node.body) <= SHORT):
                    return True
        return False

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        found = self._first_of(node.iter)
        self.bind(node.target, found)
        self._branches([(None, node.body), (None, [])])
        self.block(node.orelse)

    def _first_of(self, node: ast.expr) -> Value:
        """What a loop over a written-out list of classes or objects runs over."""
        if isinstance(node, (ast.List, ast.Tuple)) and len(node.elts) <= 8:
            return merged([self.value(each) for each in node.elts])
        found = self.value(node)
        return called(self.member(found, "__getitem__")) if isinstance(found, (str, tuple)) else None

    def _while(self, node: ast.While) -> None:
        condition = self.test(node.test)
        self._branches([(condition, node.body), (None, [])])
        self.block(node.orelse)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        before = self.conditions
        for item in node.items:
            found = self.value(item.context_expr)
            name = dotted(item.context_expr.func) if isinstance(item.context_expr, ast.Call) else ""
            if name.rpartition(".")[2] in ("suppress", "raises", "assertRaises", "assertRaisesRegex"):
                self.guarded((*self.conditions, ("try",)))
            if item.optional_vars is not None:
                entered = called(self.member(found, "__enter__")) if isinstance(found, (str, tuple)) else found
                self.bind(item.optional_vars, entered)
        self.block(node.body)
        self.guarded(before)

    def _match(self, node: ast.Match) -> None:
        self.value(node.subject)
        runs = [(None, case.body) for case in node.cases]
        for case in node.cases:
            for inner in ast.walk(case.pattern):
                name = getattr(inner, "name", None)
                if isinstance(name, str):
                    self.scope.names[name] = None
            if case.guard is not None:
                self.value(case.guard)
        self._branches([*runs, (None, [])])
