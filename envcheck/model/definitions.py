"""Layer and model classes of the file as they are written: methods, attributes, what ``call`` returns."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from envcheck.model.attributes import lineage, member
from envcheck.model.core import Core
from envcheck.model.events import Assigned, ClassDefined
from envcheck.model.functions import blocks, generates, own_nodes
from envcheck.model.names import canonical
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import Class, Function, Symbol, Value

_MAKING = frozenset(("add_weight", "add_variable", "Variable"))
_CONTAINERS: dict[type, str] = {
    ast.List: "list",
    ast.ListComp: "list",
    ast.Tuple: "tuple",
    ast.Dict: "dict",
    ast.DictComp: "dict",
    ast.Set: "set",
}


def describe(machine: Core, owner: Class, kind: str) -> ClassDefined:
    """What can be told of a class from its text and that of its bases in the file."""
    node = owner.node
    line = list(lineage(owner))
    outside = tuple(canonical(each.name) for each in line if isinstance(each, Symbol))
    methods: dict[str, int] = {}
    for each in line:
        if isinstance(each, Class):
            for name, value in each.scope.state.items():
                if isinstance(value, Function):
                    methods.setdefault(name, value.node.lineno)
    own_init = next((e for e in node.body if isinstance(e, ast.FunctionDef) and e.name == "__init__"), None)
    init, _ = member(owner, "__init__")
    call = _function(owner, "call")
    return ClassDefined(
        name=node.name,
        kind=kind,
        bases=outside,
        bases_known=UNKNOWN not in line and not node.keywords,
        methods=methods,
        own_init=own_init is not None,
        calls_super=None if own_init is None else _super_line(own_init) is not None,
        parameters=_parameters(init.node) if isinstance(init, Function) else (),
        assigned=tuple(_assigned(machine, owner)),
        weights_in_call=tuple(machine.where(each) for each in _weights(machine, call)) if call is not None else (),
        call_returns="" if call is None else returned(machine, call),
        call_parameters=() if call is None else _parameters(call),
        decorated=tuple(_names(node.decorator_list)),
        where=machine.where(node),
        takes_more=not isinstance(init, Function) or init.node.args.kwarg is not None,
    )


def _names(nodes: list[ast.expr]) -> Iterator[str]:
    for each in nodes:
        called = each.func if isinstance(each, ast.Call) else each
        yield called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def _function(owner: Class, name: str) -> ast.FunctionDef | None:
    found, _ = member(owner, name)
    return found.node if isinstance(found, Function) and isinstance(found.node, ast.FunctionDef) else None


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> tuple[str, ...]:
    arguments = node.args
    return tuple(each.arg for each in [*arguments.posonlyargs, *arguments.args][1:] + arguments.kwonlyargs)


def _super_line(init: ast.FunctionDef) -> int | None:
    """The line in which ``__init__`` calls that of a base: ``super().__init__`` or ``Base.__init__(self)``."""
    for each in own_nodes(init):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr == "__init__":
            return each.lineno
    return None


def _assigned(machine: Core, owner: Class) -> Iterator[Assigned]:
    for method in owner.node.body:
        if not isinstance(method, ast.FunctionDef) or not method.args.args:
            continue
        first = method.args.args[0].arg
        line = _super_line(method) if method.name == "__init__" else None
        found = [each for each in blocks(method.body) if isinstance(each, (ast.Assign, ast.AnnAssign)) and each.value]
        for each in sorted(found, key=lambda node: (node.lineno, node.col_offset)):
            targets = each.targets if isinstance(each, ast.Assign) else [each.target]
            for target in targets:
                inner = target
                while isinstance(inner, ast.Subscript):
                    inner = inner.value
                if (
                    not isinstance(inner, ast.Attribute)
                    or not isinstance(inner.value, ast.Name)
                    or inner.value.id != first
                ):
                    continue
                assert each.value is not None
                holds, container = _holds(machine, each.value)
                container = "dict" if inner is not target and holds else container
                early = line is not None and each.lineno < line
                yield Assigned(inner.attr, method.name, holds, container, early, machine.where(each))


def _holds(machine: Core, value: ast.expr) -> tuple[tuple[str, ...], str]:
    """The layers that an expression makes, and what they lie in."""
    if isinstance(value, (ast.Name, ast.Constant, ast.Attribute)):
        return (), ""
    found = [
        name
        for each in ast.walk(value)
        if isinstance(each, ast.Call) and (name := layer_name(machine, machine.peek(each.func)))
    ]
    if not found:
        return (), ""
    kind = _CONTAINERS.get(type(value), "")
    inner = [
        each
        for each in ast.walk(value)
        if each is not value and type(each) in _CONTAINERS and _layers_in(machine, each)
    ]
    if kind:
        return tuple(found), "nested" if inner else kind
    direct = isinstance(value, ast.Call) and layer_name(machine, machine.peek(value.func))
    return tuple(found), "" if direct else "call"


def _layers_in(machine: Core, node: ast.AST) -> bool:
    return any(isinstance(each, ast.Call) and layer_name(machine, machine.peek(each.func)) for each in ast.walk(node))


def layer_name(machine: Core, value: Value) -> str:
    """The name of a layer's class; empty for anything else."""
    del machine
    if isinstance(value, Symbol):
        name = canonical(value.name)
        return name if name.startswith("keras.layers.") and name[13:14].isupper() else ""
    return value.node.name if isinstance(value, Class) and value.defined is not None else ""


def _weights(machine: Core, call: ast.FunctionDef) -> Iterator[ast.Call]:
    """Calls that make weights, and layers that are made, in ``call``; not what stands under an ``if``."""
    made = [each for each in own_nodes(call, but=ast.If) if isinstance(each, ast.Call)]
    for each in sorted(made, key=lambda node: (node.lineno, node.col_offset)):
        name = each.func.attr if isinstance(each.func, ast.Attribute) else getattr(each.func, "id", "")
        if name in _MAKING or layer_name(machine, machine.peek(each.func)):
            yield each


def returned(machine: Core, node: ast.FunctionDef) -> str:
    """What a function returns: ``value``, ``nothing``, ``some`` or ``raises``."""
    if generates(machine, node):
        return "value"
    values = [each for each in blocks(node.body) if isinstance(each, ast.Return)]
    given = [each for each in values if each.value is not None and not _is_none(each.value)]
    falls = _falls(node.body)
    if not given:
        return "nothing" if falls or values else "raises"
    return "value" if not falls and len(given) == len(values) else "some"


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _falls(body: list[ast.stmt]) -> bool:
    """Whether the end of a block may be reached."""
    for each in body:
        if isinstance(each, (ast.Return, ast.Raise, ast.Continue, ast.Break)):
            return False
        if isinstance(each, ast.If) and each.orelse and not _falls(each.body) and not _falls(each.orelse):
            return False
        if isinstance(each, (ast.With, ast.AsyncWith)) and not _falls(each.body):
            return False
        if isinstance(each, ast.Try):
            if each.finalbody and not _falls(each.finalbody):
                return False
            ends = [
                each.orelse if each.orelse and _falls(each.body) else each.body,
                *(one.body for one in each.handlers),
            ]
            if not any(_falls(one) for one in ends):
                return False
        if isinstance(each, ast.While) and isinstance(each.test, ast.Constant) and each.test.value:
            return False
    return True
