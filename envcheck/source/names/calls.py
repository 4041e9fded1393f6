"""Calls: what each gives, and how it is written."""

from __future__ import annotations

import ast
from typing import Any

from envcheck.source.names.conditions import VERSION, parsed, version
from envcheck.source.names.expressions import ROOTS, Expressions, dotted, version_numbers
from envcheck.source.names.uses import Call
from envcheck.source.names.values import (
    LONGEST,
    Class,
    Constant,
    Function,
    Instance,
    Super,
    Tail,
    Test,
    Value,
    Version,
    called,
    plain,
    written,
)

SPECIAL = frozenset(("hasattr", "getattr", "super", "__import__", "map", "int", "float", "str", "tuple", "list"))
"""Builtins that look names up, or that take a version apart."""


class Calls(Expressions):
    """Reads calls."""

    def _call(self, node: ast.Call) -> Value:
        if isinstance(node.func, ast.Name) and node.func.id in SPECIAL and self.lookup(node.func.id) is None:
            return self._builtin(node.func.id, node)
        target = self.load(node.func)
        arguments = [self.value(each.value if isinstance(each, ast.Starred) else each) for each in node.args]
        named = {each.arg: self.value(each.value) for each in node.keywords}
        if isinstance(target, (str, tuple)):
            return self._symbol_called(node, target, arguments, named)
        if isinstance(target, Version):
            return self._version_called(target, arguments)
        if isinstance(target, Function):
            me = self.receiver(node.func)
            return self.call_function(target, arguments, {key: each for key, each in named.items() if key}, me)
        if isinstance(target, Class):
            first = target.members.get("__init__")
            if isinstance(first, Function):
                known = {key: each for key, each in named.items() if key}
                self.call_function(first, arguments, known, Instance(target))
            return Instance(target)
        if isinstance(node.func, (ast.Attribute, ast.Name)):
            return self._plain_called(node.func, arguments)
        return None

    def receiver(self, function: ast.expr) -> Value:
        """What a method is called on, where that is an object of a class of the file."""
        if not isinstance(function, ast.Attribute):
            return None
        uses = len(self.uses)
        found = self.load(function.value)
        del self.uses[uses:]  # noted already
        return found if isinstance(found, Instance) else Instance(found.owner) if isinstance(found, Super) else None

    def _symbol_called(
        self, node: ast.Call, target: Value, arguments: list[Value], named: dict[str | None, Value]
    ) -> Value:
        symbol = target if isinstance(target, str) else target[0]
        last = symbol.rpartition(".")[2]
        if VERSION.search(symbol.rpartition(".")[0]):
            seen = Version(symbol.rpartition(".")[0], f".{last}")
            self.note(seen.symbol, node.func, "attribute")
            return self._version_called(seen, arguments)
        if symbol[0] == "@" and symbol.endswith((":import_module", ":partial", ":suppress")):
            return None
        starred = any(isinstance(each, ast.Starred) for each in node.args)
        call = Call(
            -1 if starred else len(arguments),
            tuple(key for key in named if key is not None),
            None in named,
            tuple(known(arguments, named, starred)),
        )
        self.note(target, node.func, "call", call)
        return parsed(last, arguments[0]) if arguments and version(arguments[0]) else called(target)

    def _plain_called(self, function: ast.expr, arguments: list[Value]) -> Value:
        """Functions of other packages that matter here."""
        name = dotted(function)
        last = name.rpartition(".")[2]
        first = arguments[0] if arguments else None
        if last == "import_module":
            return self._import_call(function, first, whole=True)
        if last == "partial" and isinstance(first, (str, tuple)):
            return first
        if last in ("join", "Path", "format") and arguments and isinstance(arguments[-1], (Constant, Tail)):
            text = arguments[-1].value if isinstance(arguments[-1], Constant) else arguments[-1].text
            return Tail(text) if isinstance(text, str) and text else None
        if arguments and version(first):
            return parsed(name, first)
        return first if last in ("parse", "Version", "LooseVersion", "StrictVersion", "parse_version") else None

    def _version_called(self, target: Version, arguments: list[Value]) -> Value:
        """``x.split(".")``, ``x.startswith("2")``, on a version string."""
        literal = arguments[0].value if arguments and isinstance(arguments[0], Constant) else None
        if target.form == ".split":
            return Version(target.symbol, "parts") if literal == "." else None
        if target.form == ".startswith" and literal:
            return Test(("version", target.symbol, "text", "startswith", literal))
        return None

    def _builtin(self, name: str, node: ast.Call) -> Value:
        """Builtins that look names up, or that take a version apart."""
        arguments = [self.value(each) for each in node.args if not isinstance(each, ast.Starred)]
        for keyword in node.keywords:
            self.value(keyword.value)
        first = arguments[0] if arguments else None
        attribute = arguments[1].value if len(arguments) > 1 and isinstance(arguments[1], Constant) else None
        if name in ("hasattr", "getattr") and isinstance(attribute, str) and attribute.isidentifier():
            found = self.member(first, attribute)
            symbol = written(found)
            if name == "hasattr":
                return Test(("has", symbol) if symbol else ("opaque",)) if symbol or first is not None else None
            if len(arguments) == 2:
                self.note(found, node, "attribute")
                return found
            if symbol:
                before = self.conditions
                self.guarded((*before, ("has", symbol)))
                self.note(found, node, "attribute")
                self.guarded(before)
            other = arguments[2] if len(arguments) > 2 else None
            return found if isinstance(other, Constant) and other.value is None else None
        if name == "super":
            return self._super()
        if name == "__import__":
            return self._import_call(node, first, whole=False)
        if name == "map" and len(arguments) == 2:
            return version_numbers(arguments[1])
        if first is not None and version(first):
            return parsed(name, first)
        return None

    def _import_call(self, node: ast.expr, name: Value, *, whole: bool) -> Value:
        """``importlib.import_module("keras.layers")`` gives that module, ``__import__`` its root."""
        if (
            not isinstance(name, Constant)
            or not isinstance(name.value, str)
            or name.value.partition(".")[0] not in ROOTS
        ):
            return None
        self.note(name.value, node, "import", Call(0, (), False, ()) if "." not in name.value else None)
        return name.value if whole else name.value.partition(".")[0]

    def _super(self) -> Value:
        owner = next((each.owner for each in reversed(self.inside) if each.owner is not None), None)
        return Super(owner) if owner is not None else None


def known(arguments: list[Value], named: dict[str | None, Value], starred: bool) -> list[tuple[int | str, str, Any]]:
    """The arguments of a call of which something is known."""
    places: list[tuple[int | str, Value]] = [] if starred else list(enumerate(arguments))
    places += [(key, each) for key, each in named.items() if key is not None]
    found: list[tuple[int | str, str, Any]] = []
    for place, each in places:
        symbol = written(each)
        if symbol is not None:
            found.append((place, "symbol", symbol))
        elif isinstance(each, Tail):
            if plain(each.text[-LONGEST:]):
                found.append((place, "tail", each.text[-LONGEST:]))
        elif isinstance(each, Constant) and plain(each.value):
            found.append((place, "constant", each.value))
    return found
