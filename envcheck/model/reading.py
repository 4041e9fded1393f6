"""Reading the models of a module: what would happen to layers and models if it ran. Nothing of it is run or imported."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from envcheck.model.classes import stranger
from envcheck.model.core import Cut
from envcheck.model.events import LayerCalled, ModelMade, Reading
from envcheck.model.functions import alone, blocks, telling
from envcheck.model.machine import Machine
from envcheck.model.names import KERAS_ROOTS, tells
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import Function, Instance

MOST_EVENTS = 20_000


def worth_reading(text: str) -> bool:
    """Whether a file may define a model: a cheap look at its words."""
    return any(each in text for each in KERAS_ROOTS) and tells(text)


def read_models(
    tree: ast.Module | Sequence[ast.Module], keras: int, texts: str | Sequence[str] | None = None
) -> Reading:
    """The events of a module, or of a notebook's cells in their order.

    The module's own statements come first, as when it is run as a program. Functions that they do not call are run at the
    end, with parameters of which nothing is known.

    Args:
        tree: The parsed file, or the parsed cells.
        keras: The major version of Keras that would run it: 2 or 3.
        texts: What was parsed. With it, functions that nothing calls and that name no layer or model are passed over.

    Returns:
        The reading; an empty one for a file that does not import Keras or TensorFlow.
    """
    trees = [tree] if isinstance(tree, ast.Module) else list(tree)
    parts = [texts] if isinstance(texts, str) else texts
    if not any(imports_keras(each.body) for each in trees) or (
        parts is not None and not any(map(worth_reading, parts))
    ):
        return Reading()
    machine = Machine(keras, rebound(trees))
    machine.lines = None if parts is None else [each.split("\n") for each in parts]
    cut = False
    try:
        for part, each in enumerate(trees):
            machine.part = part
            machine.run(each.body)
        _rest(machine)
    except (Cut, RecursionError):
        cut = True
    return _reading(machine, cut)


def _reading(machine: Machine, cut: bool) -> Reading:
    calls = [each for each in machine.events if isinstance(each, LayerCalled)]
    known = sum(each.output is not UNKNOWN or each.refused is not None for each in calls)
    made = {
        (each.where.part, each.where.line, each.where.column) for each in machine.events if isinstance(each, ModelMade)
    }
    return Reading(
        tuple(machine.events[:MOST_EVENTS]), len(made), known, len(calls) - known, cut, tuple(machine.broken)
    )


def imports_keras(body: list[ast.stmt], depth: int = 0) -> bool:
    """Whether statements, those in branches and functions too, import TensorFlow or Keras."""
    for each in body:
        if isinstance(each, ast.Import):
            if any(alias.name.partition(".")[0] in KERAS_ROOTS for alias in each.names):
                return True
        elif isinstance(each, ast.ImportFrom):
            if each.level == 0 and (each.module or "").partition(".")[0] in KERAS_ROOTS:
                return True
        elif depth < 8 and isinstance(each, (ast.If, ast.Try, ast.With, ast.FunctionDef, ast.ClassDef)):
            blocks = [each.body]
            if isinstance(each, (ast.If, ast.Try)):
                blocks.append(each.orelse)
            if isinstance(each, ast.Try):
                blocks += [handler.body for handler in each.handlers]
            if any(imports_keras(block, depth + 1) for block in blocks):
                return True
    return False


def rebound(trees: list[ast.Module]) -> frozenset[str]:
    """Names that a function declares global or nonlocal."""
    found: set[str] = set()
    for tree in trees:
        for node in blocks(tree.body, inner=True):
            if isinstance(node, (ast.Global, ast.Nonlocal)):
                found.update(node.names)
    return frozenset(found)


def _names_any(machine: Machine, function: Function) -> bool:
    machine.part = function.part
    return telling(machine, function.node)


def _rest(machine: Machine) -> None:
    """Functions and methods that the module does not call itself."""
    machine.late = True
    strangers: dict[int, Instance] = {}
    done = 0
    while done < len(machine.functions):
        each = machine.functions[done]
        done += 1
        if id(each.node) in machine.entered or not _names_any(machine, each):
            continue
        owner = each.owner
        if owner is not None and id(owner) not in strangers:
            strangers[id(owner)] = stranger(machine, owner)
        if id(each.node) not in machine.entered:
            alone(machine, each, strangers.get(id(owner)))
