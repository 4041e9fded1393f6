"""Expressions: what each stands for, and the references in it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Container
from typing import Any

from envcheck.source.names.conditions import compared, hinted, negated, part, version
from envcheck.source.names.uses import Call, Condition, Use
from envcheck.source.names.values import (
    Class,
    Constant,
    Function,
    Instance,
    Scope,
    Super,
    Tail,
    Test,
    Value,
    Version,
    called,
    lineage,
    merged,
    written,
)

ROOTS = ("tensorflow", "keras", "tf_keras")
BUILTINS = frozenset(dir(__builtins__) if not isinstance(__builtins__, dict) else __builtins__)
MOST_DOTS = 40


class Expressions:
    """Reads expressions; statements are read by the subclass.

    Args:
        project: the first parts of the module names that the scanned project has.
    """

    def __init__(self, project: Container[str]) -> None:
        self.project = project
        self.scope = Scope({})
        self.module = self.scope
        self.uses: list[Use] = []
        self.conditions: tuple[Condition, ...] = ()
        self.guards: dict[tuple[Condition, ...], int] = {(): 0}
        self.guard = 0
        self.stars: list[str] = []
        self.inside: list[Function] = []
        self._kinds: dict[type, Callable[[Any], Value]] = {
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Call: self._call,
            ast.Constant: self._constant,
            ast.Tuple: self._tuple,
            ast.List: self._tuple,
            ast.Lambda: self._lambda,
            ast.ListComp: self._comprehension,
            ast.SetComp: self._comprehension,
            ast.GeneratorExp: self._comprehension,
            ast.DictComp: self._comprehension,
            ast.IfExp: self._choice,
            ast.BoolOp: self._both,
            ast.Compare: self._compare,
            ast.UnaryOp: self._unary,
            ast.BinOp: self._binary,
            ast.NamedExpr: self._walrus,
            ast.Subscript: self._subscript,
            ast.JoinedStr: self._joined,
            ast.Await: lambda node: self.value(node.value),
        }

    def value(self, node: ast.expr) -> Value:
        """What an expression stands for; the references in it are noted."""
        kind = self._kinds.get(type(node))
        if kind is not None:
            return kind(node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child)
            else:
                self._inner(child)
        return None

    def _inner(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child)

    def note(self, value: Value, node: Any, how: str, call: Call | None = None) -> None:
        """Note a reference, where the value is one."""
        symbol = written(value)
        if symbol is None or symbol.count(".") > MOST_DOTS or ("." not in symbol and call is None):
            return
        cut = symbol.find("__version__.")
        if cut >= 0:
            symbol, call = symbol[: cut + 11], None
        end = node.end_col_offset if node.end_lineno == node.lineno else -1
        self.uses.append(Use(sys.intern(symbol), how, node.lineno, node.col_offset, end, self.guard, call))

    def lookup(self, name: str) -> Value:
        """What a name is bound to here; a name that nothing binds may come from a star import."""
        scope: Scope | None = self.scope
        if scope is not None and name in scope.outer:
            return scope.outer[name].names.get(name)
        first = True
        while scope is not None:
            if (first or scope.kind != "class") and name in scope.names:
                return scope.names[name]
            first = False
            scope = scope.parent
        if self.stars and name not in BUILTINS:
            return f"*{','.join(self.stars)}:{name}"
        return None

    def load(self, node: ast.expr) -> Value:
        """As :meth:`value`, but a reference that is the whole of the expression is not noted: it goes on."""
        if isinstance(node, ast.Name):
            return self.lookup(node.id)
        if not isinstance(node, ast.Attribute):
            return self.value(node)
        names = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            names.append(inner.attr)
            inner = inner.value
        found = self.lookup(inner.id) if isinstance(inner, ast.Name) else self.value(inner)
        for name in reversed(names):
            found = self.member(found, name)
        return found

    def member(self, value: Value, name: str) -> Value:
        """What an attribute of a value is."""
        if value is None:
            return None
        if isinstance(value, str):
            return f"{value}.{name}"
        if isinstance(value, tuple):
            return tuple(f"{one}.{name}" for one in value)
        if isinstance(value, Version):
            known = {"release": "numbers", "version": "numbers", "major": "major", "minor": "minor"}
            inner = known.get(name) if value.form == "parsed" else None
            return Version(value.symbol, inner or f".{name}")
        if isinstance(value, (Instance, Super)):
            return self.of_class(value.owner, name, own=isinstance(value, Instance), end="()")
        if isinstance(value, Class):
            return self.of_class(value, name, own=True, end="")
        return None

    def of_class(self, owner: Class, name: str, *, own: bool, end: str) -> Value:
        """A member of a class of the file: its own, else that of its first base that can be told."""
        for each in list(lineage(owner))[0 if own else 1 :]:
            if isinstance(each, Class):
                if name in each.members:
                    return each.members[name]
                if self.assigned(each, name):
                    return each.members.get(name)
            elif isinstance(each, (str, tuple)):
                return self.member(tuple(one + end for one in each) if isinstance(each, tuple) else each + end, name)
            else:
                return None
        return None

    def assigned(self, owner: Class, name: str) -> bool:
        """Whether a method of the class assigns the attribute; the method is read then, so that its value is known."""
        raise NotImplementedError

    def call_function(self, function: Function, arguments: list[Value], named: dict[str, Value], me: Value) -> Value:
        """What calling a function of the file gives."""
        raise NotImplementedError

    def _name(self, node: ast.Name) -> Value:
        found = self.lookup(node.id)
        if isinstance(found, str) and found[0] == "*":
            self.note(found, node, "attribute")
        return found

    def _attribute(self, node: ast.Attribute) -> Value:
        found = self.load(node)
        if isinstance(found, (str, tuple)):
            self.note(found, node, "attribute")
        return found

    def _constant(self, node: ast.Constant) -> Value:
        value = node.value
        return Constant(value) if isinstance(value, (str, int, float, bool)) or value is None else None

    def _tuple(self, node: ast.Tuple | ast.List) -> Value:
        values = [self.value(each) for each in node.elts]
        plain = [each.value for each in values if isinstance(each, Constant)]
        return Constant(tuple(plain)) if values and len(plain) == len(values) <= 20 else None

    def _lambda(self, node: ast.Lambda) -> Value:
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                self.value(default)
        self.enter("function")
        arguments = node.args
        for each in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]:
            if each is not None:
                self.scope.names[each.arg] = None
        self.value(node.body)
        self.leave()
        return None

    def enter(self, kind: str) -> None:
        """Open a scope."""
        self.scope = Scope({}, self.scope, kind)

    def leave(self) -> None:
        """Close it."""
        assert self.scope.parent is not None
        self.scope = self.scope.parent

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        self.enter("function")
        numbers = None
        for each in node.generators:
            numbers = version_numbers(self.value(each.iter))
            self.bind(each.target, None)
            for test in each.ifs:
                self.value(test)
        if isinstance(node, ast.DictComp):
            self.value(node.key)
            self.value(node.value)
        else:
            self.value(node.elt)
        self.leave()
        return numbers if isinstance(node, (ast.ListComp, ast.GeneratorExp)) else None

    def bind(self, target: ast.expr, value: Value) -> None:
        """Assign a value to a target."""
        raise NotImplementedError

    def _choice(self, node: ast.IfExp) -> Value:
        test = self.test(node.test)
        return merged([self.under(test, node.body), self.under(test and negated(test), node.orelse)])

    def under(self, condition: Condition | None, node: ast.expr) -> Value:
        """An expression that is run only where a condition holds."""
        if condition is None:
            return self.value(node)
        before = self.conditions
        self.guarded((*before, condition))
        found = self.value(node)
        self.guarded(before)
        return found

    def guarded(self, conditions: tuple[Condition, ...]) -> None:
        """From here on, these conditions hold."""
        self.conditions = conditions
        self.guard = self.guards.setdefault(conditions, len(self.guards))

    def test(self, node: ast.expr) -> Condition | None:
        """What a test asks, where it is about releases; its references are noted."""
        if isinstance(node, ast.BoolOp):
            return self._tests(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.test(node.operand)
            return inner and negated(inner)
        found = self.value(node)
        if isinstance(found, Test):
            return found.condition
        if isinstance(node, ast.Name) and isinstance(found, (str, tuple)):
            if node.id == "TYPE_CHECKING" or written(found) == "typing.TYPE_CHECKING":
                return ("never",)
            symbol = written(found) or ""
            return ("flag", symbol) if symbol.startswith("@") else ("has", symbol)
        if isinstance(node, (ast.Name, ast.Attribute)) and dotted(node) in (
            "TYPE_CHECKING",
            "typing.TYPE_CHECKING",
        ):
            return ("never",)
        return ("opaque",) if hinted(node) else None

    def _tests(self, node: ast.BoolOp) -> Condition | None:
        """The parts of ``a and b``: the second one is only asked where the first one holds."""
        found, before = [], self.conditions
        both = isinstance(node.op, ast.And)
        for each in node.values:
            condition = self.test(each)
            if condition is not None:
                found.append(condition)
                self.guarded((*self.conditions, condition if both else negated(condition)))
        self.guarded(before)
        if not found:
            return None
        if not both and len(found) < len(node.values):  # the other part may hold on any release
            return ("opaque",)
        return ("and" if both else "or", *found) if len(found) > 1 else found[0]

    def _both(self, node: ast.BoolOp) -> Value:
        condition = self._tests(node)
        return Test(condition) if condition is not None else None

    def _compare(self, node: ast.Compare) -> Value:
        left = self.value(node.left)
        found: list[Condition] = []
        for operator, right in zip(node.ops, node.comparators, strict=True):
            value = self.value(right)
            test = compared(left, operator, value) or self._is_there(left, operator, value)
            if test is not None:
                found.append(test.condition)
            left = value
        if len(found) == len(node.ops):
            return Test(("and", *found) if len(found) > 1 else found[0])
        return Test(("opaque",)) if found or hinted(node) else None

    def _is_there(self, left: Value, operator: ast.cmpop, right: Value) -> Test | None:
        """``x is not None``, where x is a name of TensorFlow that an ``except`` sets to None."""
        none = isinstance(right, Constant) and right.value is None
        symbol = written(left)
        if not none or symbol is None or "()" in symbol or symbol[0] in "@*":
            return None
        if isinstance(operator, (ast.IsNot, ast.NotEq)):
            return Test(("has", symbol))
        return Test(("not", ("has", symbol))) if isinstance(operator, (ast.Is, ast.Eq)) else None

    def _unary(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            condition = self.test(node.operand)
            return Test(negated(condition)) if condition is not None else None
        found = self.value(node.operand)
        if isinstance(node.op, ast.USub) and isinstance(found, Constant) and type(found.value) in (int, float):
            return Constant(-found.value)
        return None

    def _binary(self, node: ast.BinOp) -> Value:
        last: Value = None
        first = True
        inner: ast.expr = node
        while isinstance(inner, ast.BinOp):  # a chain of a thousand + is no nest of a thousand calls
            found = self.value(inner.right)
            if first:
                last, first = found, False
            inner = inner.left
        left = self.value(inner)
        if isinstance(node.op, (ast.Add, ast.Div)) and isinstance(last, (Constant, Tail)):
            text = last.value if isinstance(last, Constant) else last.text
            if isinstance(text, str) and text:
                both = (
                    isinstance(left, Constant) and isinstance(left.value, str) and not isinstance(node.left, ast.BinOp)
                )
                return Constant(left.value + text) if both and isinstance(node.op, ast.Add) else Tail(text)
        return None

    def _walrus(self, node: ast.NamedExpr) -> Value:
        found = self.value(node.value)
        self.bind(node.target, found)
        return found

    def _subscript(self, node: ast.Subscript) -> Value:
        found = self.value(node.value)
        seen = version(found)
        if seen is not None:
            return part(seen, node.slice)
        key = self.value(node.slice)
        if isinstance(found, (str, tuple)) and isinstance(key, Constant) and isinstance(key.value, str):
            self.note(found, node, "item", Call(1, (), False, ((0, "constant", key.value),)))
        if isinstance(found, (str, tuple)) and isinstance(key, Constant) and isinstance(key.value, int):
            return called(self.member(found, "__getitem__"))
        return None

    def _joined(self, node: ast.JoinedStr) -> Value:
        for each in node.values:
            if isinstance(each, ast.FormattedValue):
                self.value(each)
        last = node.values[-1] if node.values else None
        return Tail(last.value) if isinstance(last, ast.Constant) and isinstance(last.value, str) else None

    def _call(self, node: ast.Call) -> Value:
        raise NotImplementedError


def dotted(node: ast.expr) -> str:
    """``a.b.c`` as it is written; of anything else the last names."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        names.append(node.id)
    return ".".join(reversed(names))


def version_numbers(value: Value) -> Version | None:
    """``[int(x) for x in tf.__version__.split(".")]``, and the same by ``map``."""
    if isinstance(value, Version) and value.form.startswith("parts"):
        return Version(value.symbol, "numbers" + value.form[5:])
    return None
