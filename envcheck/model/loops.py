"""Loops: turn by turn where the items are known, else what holds after any number of turns."""

from __future__ import annotations

import ast
from collections.abc import Callable

from envcheck.model.comprehensions import iterated
from envcheck.model.core import Core, Loop
from envcheck.model.events import Array
from envcheck.model.functions import blocks
from envcheck.model.operators import truth
from envcheck.model.state import Snapshot
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import Value

MOST_TURNS = 128
"""Turns of a loop over known items that are run one by one."""
LONGEST_LOOP = 5_000
"""Steps after which the rest of its turns are taken together."""


def for_(machine: Core, node: ast.For | ast.AsyncFor) -> bool:
    """Turn by turn where the items are known and few."""
    value = machine.value(node.iter)
    items = iterated(value) if isinstance(node, ast.For) else None
    if isinstance(value, range) and len(value) > MOST_TURNS:
        items = None
    if items is None or len(items) > MOST_TURNS:
        return _unknown_loop(machine, node, lambda: machine.assign(node.target, _some(value)))
    if not _leaves(node):
        start = machine.steps
        for item in items:
            if machine.steps - start > LONGEST_LOOP:
                return _unknown_loop(machine, node, lambda: machine.assign(node.target, UNKNOWN))
            machine.assign(node.target, item)
            if not machine.run(node.body):
                return False
        return machine.run(node.orelse)
    return _known_loop(machine, node, items)


def _some(value: Value) -> Value:
    """Any one item of a value."""
    if isinstance(value, Array) and isinstance(value.shape, tuple) and len(value.shape) > 1:
        return Array(value.shape[1:], value.dtype, value.library)
    return UNKNOWN


def _leaves(node: ast.For | ast.AsyncFor | ast.While) -> bool:
    """Whether a loop has a ``break`` or ``continue``."""
    known = getattr(node, "envcheck_leaves", None)
    if known is None:
        known = any(isinstance(each, (ast.Break, ast.Continue)) for each in blocks(node.body))
        node.envcheck_leaves = known  # type: ignore[union-attr]
    return bool(known)


def _turn(machine: Core, loop: Loop, body: list[ast.stmt]) -> list[Snapshot]:
    """One turn of a loop, taken back: the states from which a next one could start."""
    loop.turn = machine.state.begin()
    loop.continued = []
    try:
        if machine.run(body):
            loop.continued.append(machine.state.since(loop.turn))
    finally:
        machine.state.undo(loop.turn)
    return loop.continued


def _known_loop(machine: Core, node: ast.For | ast.AsyncFor, items: tuple[Value, ...]) -> bool:
    mark = machine.state.mark()
    loop = Loop(machine.state.begin())
    machine.loops.append(loop)
    goes_on = True
    try:
        for item in items:
            machine.assign(node.target, item)
            turn = machine.state.mark()
            ends = _turn(machine, loop, node.body)
            if not ends:
                goes_on = False
                break
            machine.state.settle(ends, turn)
    finally:
        machine.loops.pop()
    if goes_on and machine.run(node.orelse):
        loop.broken.append(machine.state.since(loop.depth))
    machine.state.undo(loop.depth)
    if loop.broken:
        machine.state.settle(loop.broken, mark)
    return bool(loop.broken)


def _turns_of(machine: Core, node: ast.stmt) -> int:
    """How often the body of an unknown loop is looked at: again with what is known after a turn, unless it makes no model."""
    return 3 if len(machine.loops) == 1 and machine.source.tells(node) else 1


def _unknown_loop(machine: Core, node: ast.For | ast.AsyncFor | ast.While, start: Callable[[], None]) -> bool:
    """A loop that turns any number of times, or not at all."""
    mark = machine.state.mark()
    loop = Loop(machine.state.begin())
    machine.loops.append(loop)
    try:
        with machine.maybe():
            for attempt in range(_turns_of(machine, node)):
                turn = machine.state.mark()
                before = machine.state.begin()
                start()
                ends = _turn(machine, loop, node.body)
                if ends:
                    machine.state.settle(ends, turn)
                turned = machine.state.undo(before)
                if not machine.state.settle([turned, {}] if ends else [{}], turn):
                    break
                if attempt or len(machine.loops) > 1 or not machine.source.tells(node):
                    machine.state.forget(machine.state.since(loop.depth).values())
    finally:
        machine.loops.pop()
    loop.broken.append(machine.state.since(loop.depth))
    machine.state.undo(loop.depth)
    machine.state.settle(loop.broken, mark)
    return machine.run(node.orelse)


def while_(machine: Core, node: ast.While) -> bool:
    """Any number of turns, unless the condition is false at once."""
    test = truth(machine.value(node.test))
    if test is False:
        return machine.run(node.orelse)
    return _unknown_loop(machine, node, lambda: None)


def break_(machine: Core, node: ast.Break | ast.Continue) -> bool:
    """``break`` or ``continue``: the path goes on elsewhere."""
    if machine.loops:
        loop = machine.loops[-1]
        if isinstance(node, ast.Break):
            loop.broken.append(machine.state.since(loop.depth))
        else:
            loop.continued.append(machine.state.since(loop.turn))
    return False
