"""Branches of which one runs, and blocks in which an error may be caught: what is known where they meet."""

from __future__ import annotations

import ast

from envcheck.model.core import Core
from envcheck.model.expressions import BUILTINS
from envcheck.model.guards import asks_surroundings
from envcheck.model.names import words
from envcheck.model.operators import truth
from envcheck.model.state import Snapshot
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import List, Value


def _branch(
    machine: Core, statements: list[ast.stmt], refine: tuple[str, Value] | None = None
) -> tuple[bool, Snapshot]:
    depth = machine.state.begin()
    goes_on = False
    try:
        with machine.maybe():
            if refine is not None:
                machine.store(*refine)
            goes_on = machine.run(statements)
    finally:
        end = machine.state.undo(depth)
    return goes_on, end


def if_(machine: Core, node: ast.If) -> bool:
    """Both sides, where the source does not decide."""
    test = truth(machine.value(node.test)) if not _main(node.test) else True
    if test is not None:
        return machine.run(node.body if test else node.orelse)
    then, otherwise = refinements(machine, node.test)
    mark = machine.state.mark()
    with machine.trying(asks_surroundings(node.test)):
        branches = [_branch(machine, node.body, then), _branch(machine, node.orelse, otherwise)]
    return meet(machine, branches, mark)


def meet(machine: Core, branches: list[tuple[bool, Snapshot]], mark: int) -> bool:
    """Go on after branches of which one runs; whether any goes on."""
    ends = [end for goes_on, end in branches if goes_on]
    if ends:
        machine.state.settle(ends, mark)
    return bool(ends)


def _main(test: ast.expr) -> bool:
    """``__name__ == "__main__"``: the file is what is run."""
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def refinements(machine: Core, test: ast.expr) -> tuple[tuple[str, Value] | None, tuple[str, Value] | None]:
    """What ``x == 3`` or ``x is None`` says of ``x``, where it holds and where it does not."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return refinements(machine, test.operand)[::-1]
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.left, ast.Name):
        return None, None
    other = test.comparators[0]
    if not isinstance(other, ast.Constant) or machine.value(test.left) is not UNKNOWN or test.left.id in BUILTINS:
        return None, None
    says = (test.left.id, other.value)
    if isinstance(test.ops[0], (ast.Eq, ast.Is)):
        return says, None
    return (None, says) if isinstance(test.ops[0], (ast.NotEq, ast.IsNot)) else (None, None)


_ELSEWHERE = words(
    "ImportError ModuleNotFoundError KeyboardInterrupt FileNotFoundError FileExistsError IOError OSError KeyError IndexError "
    "AttributeError NameError StopIteration SystemExit UnicodeDecodeError JSONDecodeError ConnectionError"
)
"""Exceptions that are not those of a model that does not fit."""


def _catches(handlers: list[ast.ExceptHandler]) -> bool:
    """Whether one of them may take what a layer or model raises."""
    for each in handlers:
        kinds = each.type.elts if isinstance(each.type, ast.Tuple) else [each.type]
        for one in kinds:
            name = one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "")
            if name not in _ELSEWHERE:
                return True
    return False


def try_(machine: Core, node: ast.Try) -> bool:
    """The body is taken to succeed; a handler's own changes count where it goes on."""
    mark = machine.state.mark()
    start = machine.state.begin()
    with machine.trying(_catches(node.handlers)):
        goes_on = machine.run(node.body)
    if goes_on:
        goes_on = machine.run(node.orelse)
    body = machine.state.undo(start)
    ends: list[Snapshot] = [body] if goes_on else []
    for handler in node.handlers:
        outer = machine.state.begin()
        machine.state.forget(body.values())
        inner = machine.state.begin()
        with machine.maybe():
            if handler.name:
                machine.store(handler.name, UNKNOWN)
            reached = machine.run(handler.body)
        end = machine.state.undo(inner)
        before = machine.state.undo(outer)
        if reached:
            ends.append({**(body if goes_on else before), **end})
    if ends:
        machine.state.settle(ends, mark)
    return machine.run(node.finalbody) and bool(ends)


def with_(machine: Core, node: ast.With | ast.AsyncWith) -> bool:
    """The block; in ``pytest.raises`` and its like an error is expected."""
    expects = False
    for item in node.items:
        called = item.context_expr.func if isinstance(item.context_expr, ast.Call) else item.context_expr
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        expects = expects or name.startswith(("assertRaises", "raises", "suppress", "assertWarns", "assertLogs"))
        value = machine.value(item.context_expr)
        if item.optional_vars is not None:
            machine.assign(item.optional_vars, value if isinstance(value, List) else UNKNOWN)
    with machine.trying(expects):
        return machine.run(node.body) or expects


def match_(machine: Core, node: ast.Match) -> bool:
    """Any one of the cases, or none."""
    machine.taint(machine.value(node.subject))
    branches, mark = [], machine.state.mark()
    for case in node.cases:
        depth = machine.state.begin()
        with machine.maybe():
            for each in ast.walk(case.pattern):
                name = getattr(each, "name", None) or getattr(each, "rest", None)
                if isinstance(name, str):
                    machine.store(name, UNKNOWN)
            goes_on = machine.run(case.body)
        branches.append((goes_on, machine.state.undo(depth)))
    return meet(machine, [*branches, (True, {})], mark)
