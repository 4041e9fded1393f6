"""Expressions: what each stands for."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from typing import Any

from envcheck.model.attributes import attribute
from envcheck.model.comprehensions import comprehension, dict_comprehension, iterated
from envcheck.model.core import LONGEST, Call, Core
from envcheck.model.guards import asks_surroundings
from envcheck.model.names import harmless
from envcheck.model.operators import binary, compared, subscript, truth, unary
from envcheck.model.state import join
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import Class, Dict, Function, List, Method, Scope, Symbol, Value

BUILTINS = frozenset(dir(builtins))
LONGEST_TEXT = 500
LARGEST = 1 << 60


def other(machine: Core, node: ast.expr) -> Value:
    """An expression of a kind of which nothing is known; what it calls is run."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            machine.value(child)
    return UNKNOWN


def lookup(machine: Core, name: str) -> Value:
    """What a name stands for here."""
    if name in machine.rebound:
        return UNKNOWN
    scope: Scope | None = machine.scope
    first = True
    while scope is not None:
        if (first or scope.kind != "class") and name in scope.state:
            value = scope.state[name]
            changes = machine.late and scope.kind == "module" and (machine.unfinished or name in scope.often)
            # Which of its values it had then cannot be told.
            return UNKNOWN if changes and not isinstance(value, (Symbol, Function, Class)) else value
        first = first and scope.kind == "comprehension"
        scope = scope.parent
    return Symbol(f"builtins.{name}") if name in BUILTINS else UNKNOWN


def _constant(_: Core, node: ast.Constant) -> Value:
    value: Any = node.value
    kind = type(value)
    if kind is str or kind is bytes:
        return UNKNOWN if len(value) > LONGEST_TEXT else value
    return UNKNOWN if kind is int and not -LARGEST < value < LARGEST else value


def _name(machine: Core, node: ast.Name) -> Value:
    name, scope = node.id, machine.scope
    if scope.kind == "function" and name in scope.state and name not in machine.rebound:
        return scope.state[name]
    return lookup(machine, name)


def _attribute(machine: Core, node: ast.Attribute) -> Value:
    owner = machine.value(node.value)
    return UNKNOWN if owner is UNKNOWN else attribute(machine, owner, node.attr)


def spread(machine: Core, nodes: list[ast.expr]) -> tuple[Value, ...] | None:
    """The items of a list, tuple or call; None where a ``*`` brings an unknown number of them."""
    value = machine.value
    items: list[Value] = []
    known = True
    for each in nodes:
        if type(each) is ast.Starred:
            more = iterated(value(each.value))
            known = known and more is not None
            items += more or ()
        else:
            items.append(value(each))
    return tuple(items) if known and len(items) <= LONGEST else None


def _tuple(machine: Core, node: ast.Tuple) -> Value:
    items = spread(machine, node.elts)
    return UNKNOWN if items is None else items


def _list(machine: Core, node: ast.List | ast.Set) -> Value:
    if len(node.elts) > LONGEST:
        return List(items=UNKNOWN)
    items = spread(machine, node.elts)
    return List(items=UNKNOWN if items is None else items)


def _dict(machine: Core, node: ast.Dict) -> Value:
    found: dict[Value, Value] = {}
    known = len(node.keys) <= LONGEST
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            more = machine.value(value)
            inner = more.mapping() if isinstance(more, Dict) else None
            known = known and inner is not None
            found.update(inner or {})
            continue
        name, content = machine.value(key), machine.value(value)
        if isinstance(name, (str, int, bool, type(None))):
            found[name] = content
        else:
            known = False
    return Dict(items=tuple(found.items()) if known else UNKNOWN)


def _call(machine: Core, node: ast.Call) -> Value:
    callee = machine.value(node.func)
    positional = spread(machine, node.args)
    complete = positional is not None
    if positional is None:
        positional = ()
    keywords: dict[str, Value] = {}
    for each in node.keywords:
        value = machine.value(each.value)
        if each.arg is not None:
            keywords[each.arg] = value
            continue
        inner = value.mapping() if isinstance(value, Dict) else None
        if inner is None or not all(isinstance(key, str) for key in inner):
            complete = False
        else:
            keywords.update(inner)
    name = callee.name if isinstance(callee, Symbol) else ""
    return machine.call(callee, Call(machine, name, positional, keywords, complete, node))


def _lambda(machine: Core, node: ast.Lambda) -> Value:
    return function(machine, node)


def function(machine: Core, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Function:
    """A function, with the defaults as they are now."""
    defaults = tuple(machine.value(each) for each in node.args.defaults)
    keyword = tuple(UNKNOWN if each is None else machine.value(each) for each in node.args.kw_defaults)
    machine.homes.append(machine.scope)
    return Function(node, machine.scope, defaults, keyword)


def _choice(machine: Core, node: ast.IfExp) -> Value:
    test = truth(machine.value(node.test))
    if test is not None:
        return machine.value(node.body if test else node.orelse)
    ends, values, mark = [], [], machine.state.mark()
    guarded = asks_surroundings(node.test)
    for each in (node.body, node.orelse):
        depth = machine.state.begin()
        with machine.maybe(), machine.trying(guarded):
            values.append(machine.value(each))
        ends.append(machine.state.undo(depth))
    machine.state.settle(ends, mark)
    return join(values)


def _both(machine: Core, node: ast.BoolOp) -> Value:
    stops = isinstance(node.op, ast.Or)
    for each in node.values:
        value = machine.value(each)
        test = truth(value)
        if test is None:
            return UNKNOWN
        if test is stops:
            return value
    return value


def _compare(machine: Core, node: ast.Compare) -> Value:
    left = machine.value(node.left)
    met: Value = True
    for kind, each in zip(node.ops, node.comparators, strict=True):
        right = machine.value(each)
        found = compared(kind, left, right)
        if found is UNKNOWN:
            met = UNKNOWN
        elif found is False and met is not UNKNOWN:
            return False
        left = right
    return met


def _binary(machine: Core, node: ast.BinOp) -> Value:
    terms: list[tuple[ast.operator, ast.expr]] = []
    left: ast.expr = node
    while isinstance(left, ast.BinOp):  # a sum of a thousand terms is a thousand levels
        terms.append((left.op, left.right))
        left = left.left
    value = machine.value(left)
    for kind, right in reversed(terms):
        value = binary(machine, kind, value, machine.value(right), node)
    return value


def _unary(machine: Core, node: ast.UnaryOp) -> Value:
    return unary(machine, node.op, machine.value(node.operand), node)


def _subscript(machine: Core, node: ast.Subscript) -> Value:
    return subscript(machine, machine.value(node.value), machine.value(node.slice), node)


def _slice(machine: Core, node: ast.Slice) -> Value:
    ends = [None if each is None else machine.value(each) for each in (node.lower, node.upper, node.step)]
    if any(each is not None and type(each) is not int for each in ends):
        return slice(UNKNOWN, UNKNOWN, None if ends[2] is None else UNKNOWN)
    return slice(*ends)


def _joined(machine: Core, node: ast.JoinedStr) -> Value:
    text = ""
    for each in node.values:
        if isinstance(each, ast.FormattedValue):
            value = machine.value(each.value)
            if each.format_spec is not None or each.conversion != -1 or type(value) not in (str, int, float, bool):
                return UNKNOWN
            text += str(value)
        elif isinstance(each, ast.Constant):
            text += str(each.value)
    return text if len(text) <= LONGEST_TEXT else UNKNOWN


def _walrus(machine: Core, node: ast.NamedExpr) -> Value:
    value = machine.value(node.value)
    machine.assign(node.target, UNKNOWN if machine.scope.kind == "comprehension" else value)
    return value


def _passing(machine: Core, node: ast.Await | ast.Starred) -> Value:
    machine.value(node.value)
    return UNKNOWN


def _yield(machine: Core, node: ast.Yield | ast.YieldFrom) -> Value:
    if node.value is not None:
        machine.taint(machine.value(node.value))
    return UNKNOWN


class _Kinds(dict[type, Callable[[Core, Any], Value]]):
    """By the type of a node, what it stands for."""

    def __missing__(self, _: type) -> Callable[[Core, Any], Value]:
        return other


KINDS = _Kinds(
    {
        ast.Constant: _constant,
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Call: _call,
        ast.Tuple: _tuple,
        ast.List: _list,
        ast.Set: _list,
        ast.Dict: _dict,
        ast.Lambda: _lambda,
        ast.ListComp: comprehension,
        ast.SetComp: comprehension,
        ast.GeneratorExp: comprehension,
        ast.DictComp: dict_comprehension,
        ast.IfExp: _choice,
        ast.BoolOp: _both,
        ast.Compare: _compare,
        ast.BinOp: _binary,
        ast.UnaryOp: _unary,
        ast.Subscript: _subscript,
        ast.Slice: _slice,
        ast.JoinedStr: _joined,
        ast.NamedExpr: _walrus,
        ast.Await: _passing,
        ast.Starred: _passing,
        ast.Yield: _yield,
        ast.YieldFrom: _yield,
    }
)


def unknown_call(call: Call, owner: Value = None) -> Value:
    """A call of something that is not known: what it got may have changed."""
    if not call.name or not harmless(call.name):
        machine = call.machine
        for each in (owner, *call.everything()):
            if each is not UNKNOWN:
                machine.taint(each.owner if isinstance(each, Method) else each)
    return UNKNOWN


def items(call: Call) -> Iterator[Value]:
    """The items of a call's first argument; none where they are not known."""
    yield from iterated(call.get("iterable", 0)) or ()
