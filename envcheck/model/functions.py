"""Functions of the file: what calling one with these arguments gives."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace

from envcheck.model.core import DEEPEST, DEEPEST_ALONE, MOST_ALONE, Call, Core, Cut, Frame
from envcheck.model.expressions import unknown_call
from envcheck.model.guards import skipped
from envcheck.model.state import join
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import Dict, Function, Scope, Super, Value

MOST_TURNS = 2
"""How often one function may stand among those that are being run: recursion."""


def run(machine: Core, function: Function, call: Call, first: Value = None) -> Value:
    """Run a function of the file.

    Args:
        machine: The program's state.
        function: The function.
        call: Its arguments.
        first: What ``self`` or ``cls`` is, for a method.
    """
    node = function.node
    if not _followed(machine, function):
        unknown_call(call, first)
        return UNKNOWN
    machine.entered.add(id(node))
    scope = Scope(function.scope, "function")
    bind(scope, function, call, first)
    if isinstance(node, ast.Lambda):
        return _inside(machine, scope, lambda: machine.value(node.body))
    return _inside(machine, scope, lambda: _body(machine, function, node))


def _followed(machine: Core, function: Function) -> bool:
    """Whether a call of a function is run, and not just taken to do anything."""
    if function.kind == "unknown" or len(machine.frames) >= (DEEPEST_ALONE if machine.late else DEEPEST):
        return False
    turns = sum(frame.name == _name(function) for frame in machine.frames)
    return turns < MOST_TURNS and not generates(machine, function.node) and not _idle(machine, function)


def alone(machine: Core, function: Function, first: Value = None) -> None:
    """Run a function that something outside of the file may call: with arguments of which nothing is known."""
    if skipped(function):
        return
    depth = machine.state.begin()
    plain = replace(function, kind="plain")
    outer = machine.limit
    machine.limit = min(outer, machine.steps + MOST_ALONE)
    try:
        run(machine, plain, Call(machine, "", (), {}, False, machine.where(function.node)), first)
    except Cut:
        if machine.limit == outer:
            raise
        machine.stop()
    finally:
        machine.limit = outer
        machine.state.undo(depth)


def _idle(machine: Core, function: Function) -> bool:
    """Whether a function has nothing to tell, when nothing is known of what calls it."""
    return machine.late and bool(machine.frames) and not machine.source.tells(function.node)


def _name(function: Function) -> str:
    return getattr(function.node, "name", "") or f"<lambda {function.node.lineno}>"


def _inside(machine: Core, scope: Scope, body: Callable[[], Value]) -> Value:
    before, machine.scope = machine.scope, scope
    loops, machine.loops = machine.loops, []
    try:
        return body()
    finally:
        machine.scope, machine.loops = before, loops


def _body(machine: Core, function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Value:
    mark = machine.state.mark()
    frame = Frame(_name(function), machine.state.begin())
    machine.frames.append(frame)
    try:
        if machine.run(node.body):
            frame.end(None, machine.state, True)
        for each in frame.nested:
            if id(each.node) not in machine.entered and each.owner is None:
                alone(machine, each)
    except BaseException:
        machine.state.keep(frame.depth)
        raise
    finally:
        machine.frames.pop()
    if frame.straight:
        machine.state.keep(frame.depth)
        return frame.ends[0][0]
    if len(frame.ends) == 1:
        value, end = frame.ends[0]
        machine.state.undo(frame.depth)
        for cell, key, content in end.values():
            machine.state.write(cell, key, content)
        return value
    machine.state.undo(frame.depth)
    if not frame.ends:
        return UNKNOWN  # it always raises, as far as can be told
    machine.state.settle([end for _, end in frame.ends], mark)
    return join([value for value, _ in frame.ends])


def bind(scope: Scope, function: Function, call: Call, first: Value = None) -> None:
    """Give the parameters of a function their values; what cannot be told is UNKNOWN."""
    arguments = function.node.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    positional = list(call.positional)
    if first is not None and names:
        scope.state[names[0]] = first
        scope.state["__first__"] = first
        names = names[1:]
    if function.owner is not None:
        scope.state["__class__"] = function.owner
    keywords = dict(call.keywords)
    defaults = function.defaults[-len(names) :] if names else ()
    missing: Value = UNKNOWN
    for number, name in enumerate(names):
        at = number - (len(names) - len(defaults))
        if number < len(positional):
            value = positional[number]
        elif name in keywords:
            value = keywords.pop(name)
        else:
            value = defaults[at] if at >= 0 and call.complete else missing
        scope.state[name] = value
    for each, default in zip(arguments.kwonlyargs, function.keyword_defaults, strict=True):
        scope.state[each.arg] = keywords.pop(each.arg, default if call.complete else missing)
    if arguments.vararg is not None:
        scope.state[arguments.vararg.arg] = tuple(positional[len(names) :]) if call.complete else UNKNOWN
    if arguments.kwarg is not None:
        scope.state[arguments.kwarg.arg] = Dict(items=tuple(keywords.items()) if call.complete else UNKNOWN)


def own_nodes(node: ast.AST, but: type = ast.ClassDef) -> Iterator[ast.AST]:
    """The nodes of a function's body, without those of functions and classes defined in it, and of another kind."""
    waiting = list(ast.iter_child_nodes(node))
    while waiting:
        each = waiting.pop()
        yield each
        if not isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, but)):
            waiting += ast.iter_child_nodes(each)


def blocks(body: list[ast.stmt], inner: bool = False) -> Iterator[ast.stmt]:
    """Statements and those in them; with ``inner`` those of functions and classes defined in them, too."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not inner and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for name in ("body", "orelse", "finalbody"):
            waiting += getattr(node, name, ())
        for block in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            waiting += block.body


def generates(machine: Core, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    """Whether calling a function runs none of it: a generator or coroutine."""
    if isinstance(node, ast.AsyncFunctionDef):
        return True
    if isinstance(node, ast.Lambda) or not machine.source.yields(node):
        return False
    return any(isinstance(each, (ast.Yield, ast.YieldFrom)) for each in own_nodes(node))


def super_of(machine: Core) -> Value:
    """``super()`` or ``super(Class, self)`` in a method."""
    scope: Scope | None = machine.scope
    while scope is not None:
        if "__class__" in scope.state and "__first__" in scope.state:
            return Super(scope.state["__class__"], scope.state["__first__"])
        scope = scope.parent
    return UNKNOWN
