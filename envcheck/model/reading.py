"""Reading the models of a module: what would happen to layers and models if it ran. Nothing of it is run or imported."""

from __future__ import annotations

import ast
from collections.abc import Callable

from envcheck.model.classes import stranger
from envcheck.model.core import MOST_LATER, MOST_STEPS, Cut
from envcheck.model.events import LayerCalled, ModelMade, Reading
from envcheck.model.functions import alone, blocks
from envcheck.model.machine import Machine
from envcheck.model.source import Source
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import Function, Instance

MOST_EVENTS = 20_000


def read_models(tree: ast.Module, keras: int, source: Source) -> Reading:
    """The events of a module.

    The module's own statements come first, as when it is run as a program. Functions that they do not call are run at the
    end, with parameters of which nothing is known, unless they name no layer or model.

    Args:
        tree: The parsed file, or a notebook's cells as one.
        keras: The major version of Keras that would run it: 2 or 3.
        source: What was parsed.
    """
    machine = Machine(keras, source, rebound(tree, source))
    machine.unfinished = _cut(machine, MOST_STEPS, lambda: machine.run(tree.body))
    cut = _cut(machine, MOST_LATER, lambda: _rest(machine))
    machine.end()
    return _reading(machine, cut or machine.unfinished)


def _cut(machine: Machine, most: int, run: Callable[[], object]) -> bool:
    """Run a part of the program; whether that took more steps than it may."""
    machine.limit = machine.steps + most
    try:
        run()
    except (Cut, RecursionError):
        machine.stop()
        return True
    return False


def _reading(machine: Machine, cut: bool) -> Reading:
    calls = [each for each in machine.events if isinstance(each, LayerCalled)]
    known = sum(each.output is not UNKNOWN or each.refused is not None for each in calls)
    made = {(each.where.line, each.where.column) for each in machine.events if isinstance(each, ModelMade)}
    return Reading(
        tuple(machine.events[:MOST_EVENTS]), len(made), known, len(calls) - known, cut, tuple(machine.broken)
    )


def rebound(tree: ast.Module, source: Source) -> frozenset[str]:
    """Names that a function declares global or nonlocal."""
    found: set[str] = set()
    if not source.declares:
        return frozenset()
    for node in blocks(tree.body, inner=True):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            found.update(node.names)
    return frozenset(found)


def _calls_layers(function: Function) -> bool:
    """Whether a function is the ``call`` of a layer or model: what it calls may be named in ``__init__`` alone."""
    owner = function.owner
    return owner is not None and owner.defined is not None and getattr(function.node, "name", "") == "call"


def _rest(machine: Machine) -> None:
    """Functions and methods that the module does not call itself."""
    machine.late = True
    strangers: dict[int, Instance] = {}
    done = 0
    while done < len(machine.functions):
        each = machine.functions[done]
        done += 1
        owner = each.owner
        if id(each.node) in machine.entered or not (machine.source.tells(each.node) or _calls_layers(each)):
            continue
        if owner is not None and id(owner) not in strangers:
            strangers[id(owner)] = stranger(machine, owner)
        if id(each.node) not in machine.entered:
            alone(machine, each, strangers.get(id(owner)))
