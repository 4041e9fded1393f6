"""Comprehensions, and what a loop over a value would give."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from envcheck.model.core import LONGEST, Core
from envcheck.model.operators import truth
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import Dict, List, Scope, Value


def iterated(value: Value) -> tuple[Value, ...] | None:
    """What a loop over a value would give, where that is known and short."""
    if isinstance(value, List):
        value = value.items
    elif isinstance(value, Dict):
        inner = value.mapping()
        return tuple(inner) if inner is not None else None
    if isinstance(value, tuple):
        return value
    if isinstance(value, (range, str)) and len(value) <= LONGEST:
        return tuple(value)
    return None


def comprehension(machine: Core, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
    """A list, set or generator."""
    items: list[Value] = []
    known = _generated(machine, node.generators, lambda: items.append(machine.value(node.elt)))
    return List(items=tuple(items) if known and len(items) <= LONGEST else UNKNOWN)


def dict_comprehension(machine: Core, node: ast.DictComp) -> Value:
    """A dictionary."""
    items: list[tuple[Value, Value]] = []
    known = _generated(
        machine, node.generators, lambda: items.append((machine.value(node.key), machine.value(node.value)))
    )
    known = known and all(isinstance(key, (str, int)) for key, _ in items) and len(items) <= LONGEST
    return Dict(items=tuple(dict(items).items()) if known else UNKNOWN)


def _generated(machine: Core, generators: list[ast.comprehension], each: Callable[[], Any]) -> bool:
    """Run an expression for each turn of ``for … in … if …``; whether all turns are known."""
    before = machine.scope
    machine.scope = Scope(before, "comprehension")
    try:
        return _turns(machine, generators, each)
    finally:
        machine.scope = before


def _turns(machine: Core, generators: list[ast.comprehension], each: Callable[[], Any]) -> bool:
    if not generators:
        each()
        return True
    first, rest = generators[0], generators[1:]
    items = iterated(machine.value(first.iter))
    known = items is not None and len(items) <= LONGEST
    if not known:
        depth = machine.state.begin()
        with machine.maybe():
            machine.assign(first.target, UNKNOWN)
            _turns(machine, rest, each)
        machine.state.forget(machine.state.undo(depth).values())
        return False
    for item in items or ():
        machine.assign(first.target, item)
        truths = [truth(machine.value(test)) for test in first.ifs]
        if any(each_truth is None for each_truth in truths):
            known = False
        if False not in truths:
            known = _turns(machine, rest, each) and known
    return known
