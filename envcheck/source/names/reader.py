"""A module as a whole: functions and classes in the order in which they run, and what the module gives others."""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterator
from typing import Any

from envcheck.source.names.branches import Branches
from envcheck.source.names.expressions import dotted
from envcheck.source.names.uses import Condition, Export, Reading
from envcheck.source.names.values import (
    Class,
    Constant,
    Function,
    Instance,
    Scope,
    Test,
    Value,
    called,
    lineage,
    merged,
    written,
)

NOWHERE = Scope({})


def read(tree: ast.Module, project: Container[str] = frozenset()) -> Reading:
    """The references of a module.

    Args:
        tree: the parsed file.
        project: the first parts of the module names that the scanned project has; relative imports are always its own.

    Returns:
        The reading; columns count UTF-8 bytes, as ``ast`` does.
    """
    return Reader(project).read(tree)


class Reader(Branches):
    """Reads the statements of one module."""

    def __init__(self, project: Container[str]) -> None:
        super().__init__(project)
        self.waiting: list[Function] = []
        self.functions: list[Function] = []
        self.classes: list[Class] = []
        self.too_deep: list[int] = []
        self._statements: dict[type, Callable[[Any], None]] = {
            ast.Expr: lambda node: self.value(node.value),
            ast.Assign: self._assign,
            ast.AnnAssign: self._annotated,
            ast.AugAssign: self._augmented,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.ClassDef: self._class,
            ast.If: self._if,
            ast.Try: self._try,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.While: self._while,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.Return: self._return,
            ast.Global: self._global,
            ast.Nonlocal: self._nonlocal,
            ast.Assert: self._assert,
            ast.Match: self._match,
        }
        if hasattr(ast, "TryStar"):
            self._statements[ast.TryStar] = self._try

    def read(self, tree: ast.Module) -> Reading:
        """Everything in the module."""
        self.block(tree.body)
        while self.waiting:
            self.run(self.waiting.pop(0), {}, None)
        guards = tuple(sorted(self.guards, key=lambda each: self.guards[each]))
        exports = {name: found for name, value in self.module.names.items() if (found := self._export(value))}
        self._forget()
        return Reading(tuple(self.uses), guards, exports, tuple(self.project_stars), tuple(self.too_deep))

    def _forget(self) -> None:
        """Untie what holds each other, so that the syntax tree is freed at once and not by the garbage collector."""
        for function in self.functions:
            function.scope.names.clear()
            function.scope, function.owner = NOWHERE, None
        for each in self.classes:
            each.members.clear()
        self.module.names.clear()
        self._kinds.clear()
        self._statements.clear()

    def _export(self, value: Value) -> Export | None:
        symbol = written(value)
        if symbol is not None:
            return Export("value", symbol)
        if isinstance(value, Class):
            names: set[str] = set()
            bases: list[str | None] = []
            for each in lineage(value):  # what bases of the same file have is its own too
                if isinstance(each, Class):
                    self._look_at(each)
                    names.update(each.members, each.assigned or ())
                else:
                    bases.append(written(each))
            return Export("class", bases=tuple(bases), names=frozenset(names))
        if isinstance(value, Function):
            found = value.returns
            if isinstance(found, Instance):
                found = called(self._base(found.owner))
            return Export("function", written(found) or "") if written(found) else None
        if isinstance(value, Test):
            return Export("condition", test=value.condition)
        return None

    def _base(self, value: Value) -> str | None:
        """The first base outside of the file."""
        found = lineage(value) if isinstance(value, Class) else iter([value])
        return next((written(each) for each in found if not isinstance(each, Class)), None)

    def _return(self, node: ast.Return) -> None:
        found = self.value(node.value) if node.value is not None else None
        if self.inside:
            self.inside[-1].returns = merged([self.inside[-1].returns, found])

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        before = self.conditions
        for decorator in node.decorator_list:
            if not isinstance(decorator, ast.Call):
                self.value(decorator)
                continue
            condition = self._decorator(decorator)
            if condition is not None:
                self.guarded((*self.conditions, condition))
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                self.value(default)
        self._annotation(node.returns)
        function = Function(node, self.scope, self.conditions)
        self._set(node.name, function)
        self.waiting.append(function)
        self.functions.append(function)
        self.guarded(before)

    def _decorator(self, node: ast.Call) -> Condition | None:
        """``@unittest.skipIf(tf.__version__ < "2", …)`` guards; every other one is only read."""
        first = len(self.uses)
        self.value(node)
        name = dotted(node.func).lower()
        about = any("__version__" in use.symbol for use in self.uses[first:])
        return ("opaque",) if "skip" in name or ("parameterize" in name and about) else None

    def call_function(self, function: Function, arguments: list[Value], named: dict[str, Value], me: Value) -> Value:
        """What calling a function of the file gives; its body is read with what the first call gives it."""
        if function.state == "waiting":
            names = [each.arg for each in [*function.node.args.posonlyargs, *function.node.args.args]]
            bound = isinstance(me, Instance) and function.owner is not None
            given = dict(zip(names[1:] if bound else names, arguments, strict=False))
            given.update(named)
            function.guards = tuple(dict.fromkeys([*function.guards, *self.conditions]))
            self.run(function, given, me)
        return function.returns

    def run(self, function: Function, given: dict[str, Value], me: Value) -> None:
        """Read the body of a function, once."""
        if function.state != "waiting":
            return
        function.state = "running"
        kept = self.scope, self.conditions
        self.scope = Scope({}, function.scope, "function")
        self.guarded(function.guards)
        self._parameters(function, given, me)
        self.inside.append(function)
        self.block(function.node.body)
        self.inside.pop()
        self.scope = kept[0]
        self.guarded(kept[1])
        function.state = "read"

    def _parameters(self, function: Function, given: dict[str, Value], me: Value) -> None:
        arguments = function.node.args
        places = [*arguments.posonlyargs, *arguments.args]
        defaults: dict[str, ast.expr | None] = dict(
            zip([each.arg for each in places][len(places) - len(arguments.defaults) :], arguments.defaults, strict=True)
        )
        defaults.update(
            (each.arg, default) for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        )
        for each in [*places, *arguments.kwonlyargs]:
            kind = self._annotation(each.annotation)
            default = defaults.get(each.arg)
            fallback = (
                Constant(default.value)
                if isinstance(default, ast.Constant) and not isinstance(default.value, (bytes, complex))
                else None
            )
            self.scope.names[each.arg] = given.get(each.arg) or kind or fallback
        for extra in (arguments.vararg, arguments.kwarg):
            if extra is not None:
                self._annotation(extra.annotation)
                self.scope.names[extra.arg] = None
        if function.owner is not None and places:
            marks = {dotted(mark) for mark in function.node.decorator_list}
            if "classmethod" in marks:
                self.scope.names[places[0].arg] = function.owner
            elif "staticmethod" not in marks:
                self.scope.names[places[0].arg] = me if isinstance(me, Instance) else Instance(function.owner)

    def _class(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.value(decorator)
        bases = []
        for base in node.bases:
            found = self.load(base)
            self.note(found, base, "base")
            bases.append(found)
        for keyword in node.keywords:
            self.value(keyword.value)
        found = Class(node, bases, {})
        self.classes.append(found)
        self._set(node.name, found)
        self.scope = Scope(found.members, self.scope, "class")
        first = len(self.waiting)
        self.block(node.body)
        found.members = self.scope.names
        self.leave()
        own = [each for each in self.waiting[first:] if each.scope.names is found.members]
        for each in own:
            each.owner = found
        own.sort(key=lambda each: each.node.name != "__init__")
        others = [each for each in self.waiting[first:] if each not in own]
        self.waiting[first:] = [*own, *others]

    def assigned(self, owner: Class, name: str) -> bool:
        """Whether a method of the class assigns the attribute; the method is read then, so that its value is known."""
        self._look_at(owner)
        methods = (owner.assigned or {}).get(name)
        if methods is None:
            return False
        for method in methods:
            function = owner.members.get(method)
            if isinstance(function, Function) and len(self.inside) < 20:
                self.run(function, {}, None)
        return True

    def _look_at(self, owner: Class) -> None:
        """Which methods assign which attributes on their first parameter."""
        if owner.assigned is not None:
            return
        found: dict[str, list[str]] = {}
        for method in owner.node.body:
            if not isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            places = [*method.args.posonlyargs, *method.args.args]
            if not places:
                continue
            for name in stored(method.body, places[0].arg):
                found.setdefault(name, []).append(method.name)
        owner.assigned = found


def stored(statements: list[ast.stmt], me: str) -> Iterator[str]:
    """The attributes that statements assign on a name, in blocks of all depths; expressions cannot, so they are not entered."""
    for each in statements:
        for target in _targets(each):
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == me:
                yield target.attr
        for name in ("body", "orelse", "finalbody"):
            yield from stored(getattr(each, name, None) or [], me)
        for inner in [*getattr(each, "handlers", ()), *getattr(each, "cases", ())]:
            yield from stored(inner.body, me)


def _targets(statement: ast.stmt) -> Iterator[ast.expr]:
    """What a statement assigns to, the parts of tuples one by one."""
    if isinstance(statement, (ast.Assign, ast.Delete)):
        left = list(statement.targets)
    elif isinstance(statement, (ast.AugAssign, ast.AnnAssign, ast.For, ast.AsyncFor)):
        left = [statement.target]
    elif isinstance(statement, (ast.With, ast.AsyncWith)):
        left = [item.optional_vars for item in statement.items if item.optional_vars is not None]
    else:
        return
    while left:
        target = left.pop()
        if isinstance(target, (ast.Tuple, ast.List)):
            left.extend(target.elts)
        else:
            yield target
