"""The whole of the reader: expressions, statements and calls put together."""

from __future__ import annotations

import ast

from envcheck.model import statements
from envcheck.model.calls import call_value
from envcheck.model.core import Core, Cut
from envcheck.model.expressions import KINDS, lookup
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import Class, Symbol, Value


class Machine(Core):
    """Runs a module without running it."""

    def value(self, node: ast.expr) -> Value:
        """What an expression stands for; what it calls is run."""
        self.steps += 1
        if self.steps > self.limit:
            raise Cut
        return KINDS[type(node)](self, node)

    call = call_value
    run = statements.run
    assign = statements.assign

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
