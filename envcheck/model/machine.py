"""The whole of the reader: expressions, statements and calls put together."""

from __future__ import annotations

import ast

from envcheck.model import statements
from envcheck.model.calls import call_value
from envcheck.model.core import Call, Core, Cut
from envcheck.model.expressions import KINDS, lookup, other
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import Class, Symbol, Value


class Machine(Core):
    """Runs a module without running it."""

    def value(self, node: ast.expr) -> Value:
        """What an expression stands for; what it calls is run."""
        self.steps += 1
        if self.steps > self.limit:
            raise Cut
        kind = KINDS.get(type(node))
        return kind(self, node) if kind is not None else other(self, node)

    def call(self, callee: Value, call: Call) -> Value:
        """What a call gives."""
        return call_value(self, callee, call)

    def run(self, statements_: list[ast.stmt]) -> bool:
        """Run statements; whether what follows them is reached."""
        return statements.run(self, statements_)

    def assign(self, target: ast.expr, value: Value) -> None:
        """Give a value to a target."""
        statements.assign(self, target, value)

    def peek(self, node: ast.expr) -> Value:
        """What a plain dotted name stands for; nothing is run or noted."""
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return UNKNOWN
        value = lookup(self, node.id)
        if not names:
            return value if isinstance(value, (Symbol, Class)) else UNKNOWN
        return Symbol(".".join([value.name, *reversed(names)])) if isinstance(value, Symbol) else UNKNOWN
