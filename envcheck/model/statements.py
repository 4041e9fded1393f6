"""Statements: branches that may run, loops that may turn, and what is known where they meet."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from envcheck.model.attributes import set_attribute
from envcheck.model.branches import if_, match_, try_, with_
from envcheck.model.classes import define
from envcheck.model.comprehensions import iterated
from envcheck.model.core import LONGEST, Core
from envcheck.model.events import Array
from envcheck.model.expressions import function
from envcheck.model.guards import returns
from envcheck.model.imports import import_from, import_module
from envcheck.model.loops import break_, for_, while_
from envcheck.model.operators import binary
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import Dict, List, Method, Symbol, Value


def run(machine: Core, statements: list[ast.stmt]) -> bool:
    """Run statements; whether what follows them is reached."""
    for each in statements:
        machine.steps += 1
        handler = _HANDLERS.get(type(each))
        if handler is not None and handler(machine, each) is False:
            return False
    return True


def assign(machine: Core, target: ast.expr, value: Value) -> None:
    """Give a value to a target."""
    if isinstance(target, ast.Name):
        machine.store(target.id, value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        _unpack(machine, target.elts, value)
    elif isinstance(target, ast.Starred):
        assign(machine, target.value, UNKNOWN)
    elif isinstance(target, ast.Attribute):
        set_attribute(machine, machine.value(target.value), target.attr, value)
    elif isinstance(target, ast.Subscript):
        _set_item(machine, machine.value(target.value), machine.value(target.slice), value)


def _unpack(machine: Core, targets: list[ast.expr], value: Value) -> None:
    items = iterated(value)
    if items is None and isinstance(value, Array) and value.library != "list":
        items = (UNKNOWN,) * len(targets)
    if items is None or len(items) != len(targets) or any(isinstance(each, ast.Starred) for each in targets):
        items = (UNKNOWN,) * len(targets)
    for target, item in zip(targets, items, strict=True):
        assign(machine, target, item)


def _set_item(machine: Core, owner: Value, key: Value, value: Value) -> None:
    write = machine.state.write
    if isinstance(owner, Dict):
        content = owner.mapping()
        if content is None or not isinstance(key, (str, int, bool, type(None))) or len(content) > LONGEST:
            write(owner, "items", UNKNOWN)
        else:
            write(owner, "items", tuple({**content, key: value}.items()))
    elif isinstance(owner, List):
        items = owner.items
        if isinstance(items, tuple) and type(key) is int and -len(items) <= key < len(items):
            at = key % len(items)
            write(owner, "items", (*items[:at], value, *items[at + 1 :]))
        else:
            write(owner, "items", UNKNOWN)
    elif isinstance(owner, Array):
        machine.written(owner)
    elif owner is UNKNOWN or isinstance(owner, (Method, Symbol)):
        machine.taint(value)
        machine.taint(owner.owner if isinstance(owner, Method) else None)  # y.flat[3] = 0


def _assign(machine: Core, node: ast.Assign) -> None:
    value = machine.value(node.value)
    for target in node.targets:
        assign(machine, target, value)


def _annotated(machine: Core, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assign(machine, node.target, machine.value(node.value))


def _augmented(machine: Core, node: ast.AugAssign) -> None:
    if isinstance(node.target, ast.Name):
        before = machine.value(ast.Name(node.target.id, ast.Load()))
        after = machine.value(node.value)
        if isinstance(before, List):
            more = iterated(after)
            items = before.items
            known = isinstance(items, tuple) and more is not None and isinstance(node.op, ast.Add)
            machine.state.write(before, "items", items + more if known and more is not None else UNKNOWN)
            return
        found = binary(machine, node.op, before, after, node.target)
        machine.taint(before if isinstance(before, Array) else None)  # in place, and so for every view of it
        machine.store(node.target.id, found)
        return
    value = machine.value(node.value)
    machine.taint(value)
    if isinstance(node.target, ast.Attribute):
        before = machine.value(node.target)
        machine.taint(before if isinstance(before, Array) else None)
    assign(machine, node.target, UNKNOWN)


def _expression(machine: Core, node: ast.Expr) -> bool:
    machine.value(node.value)
    return returns(node.value)


def _function(machine: Core, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    made = function(machine, node)
    made.kind = kind(machine, node.decorator_list)
    (machine.frames[-1].nested if machine.frames else machine.functions).append(made)
    machine.store(node.name, made)


_SAME = ("tensorflow.function", "wraps", "override", "abstractmethod", "register_keras_serializable", "deprecated")


def kind(machine: Core, decorators: list[ast.expr]) -> str:
    """What decorators make of a function."""
    found = "plain"
    for each in decorators:
        value = machine.value(each.func if isinstance(each, ast.Call) else each)
        name = value.name if isinstance(value, Symbol) else ""
        if name in ("builtins.staticmethod", "builtins.classmethod", "builtins.property"):
            found = {"staticmethod": "static", "classmethod": "class", "property": "property"}[name[9:]]
        elif not name.endswith(_SAME):
            return "unknown"
    return found


def _class(machine: Core, node: ast.ClassDef) -> None:
    machine.store(node.name, define(machine, node))


def _return(machine: Core, node: ast.Return) -> bool:
    value = None if node.value is None else machine.value(node.value)
    if machine.frames:
        machine.frames[-1].end(value, machine.state, not machine.attempted)
    return False


def _raise(machine: Core, node: ast.Raise) -> bool:
    if node.exc is not None:
        machine.value(node.exc)
    return False


def _delete(machine: Core, node: ast.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ast.Subscript):
            machine.taint(machine.value(target.value))
        elif not isinstance(target, ast.Name):
            assign(machine, target, UNKNOWN)
        elif target.id in machine.scope.state:
            machine.store(target.id, UNKNOWN)


def _nothing(_: Core, __: ast.stmt) -> None:
    return None


_HANDLERS: dict[type, Callable[[Core, Any], bool | None]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.If: if_,
    ast.Try: try_,
    ast.With: with_,
    ast.AsyncWith: with_,
    ast.For: for_,
    ast.AsyncFor: for_,
    ast.While: while_,
    ast.Break: break_,
    ast.Continue: break_,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Delete: _delete,
    ast.Match: match_,
    ast.Import: import_module,
    ast.ImportFrom: import_from,
    ast.Global: _nothing,
    ast.Nonlocal: _nothing,
}
if hasattr(ast, "TryStar"):
    _HANDLERS[ast.TryStar] = try_
