"""Weights that are asked for before there are any, and files of weights whose names Keras does not take."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from envcheck.model.events import Made, Model, ModelUsed
from envcheck.model.layers import find
from envcheck.verdicts.models.faults import Fault, fault, line_of, short
from envcheck.verdicts.models.told import Told

UNBUILT = {
    2: frozenset(("summary", "count_params", "get_weights", "set_weights")),
    3: frozenset(("count_params", "save_weights", "load_weights")),
}
"""Methods that raise on a Sequential that is not built (measured on Keras 2.15 and Keras 3)."""
ENDINGS = {"load_weights": (".weights.h5", ".keras", ".h5", ".hdf5"), "save_weights": (".weights.h5",)}
"""The names of files that Keras 3 takes (measured): it looks at the name before it looks at the model."""


def used(told: Told, event: ModelUsed) -> Iterator[Fault]:
    """A model without an input shape whose weights are asked for before there is data."""
    model = event.model
    if (
        model.kind != "sequential"
        or model.built is not False
        or model.own is not None
        or not isinstance(model.layers, tuple)
    ):
        return
    if event.method not in UNBUILT[told.keras] or not all(_plain(each) for each in model.layers):
        return
    why = f"the model ({line_of(model.where)}) has no input shape, so no weights yet"
    advice = "make keras.Input(shape) its first layer, or call build() before"
    ending = _refused_ending(told, event) if told.keras == 3 else ""
    if ending:
        allowed = ENDINGS[event.method][0]
        why = f"the file's name ends in '{ending}', and Keras 3 takes {_listed(ENDINGS[event.method])}; besides, {why}"
        advice = f"name the file 'name{allowed}', and {advice}"
    yield fault(
        "model-unbuilt",
        event.where,
        f"keras.Model.{event.method}",
        f"{why}: Keras {told.keras} raises in {event.method}()",
        advice,
        stage="build",
        row="unbuilt-save-weights" if event.method == "save_weights" and not ending else "",
    )


def _plain(layer: object) -> bool:
    """Whether a layer of a Sequential certainly brings no input shape of its own."""
    if not isinstance(layer, Made) or layer.own is not None or not layer.complete or find(layer.name) is None:
        return False
    nested = any(isinstance(each, (Made, Model, list, tuple)) for each in layer.positional)
    adapted = short(layer.name) in ("Normalization", "Discretization", "TextVectorization") or layer.name.endswith(
        "Lookup"
    )
    return not nested and not adapted


def _listed(endings: tuple[str, ...]) -> str:
    return endings[0] if len(endings) == 1 else f"{', '.join(endings[:-1])} and {endings[-1]}"


def _refused_ending(told: Told, event: ModelUsed) -> str:
    """The last part of a path whose ending Keras 3 does not take; empty where it does, or that cannot be told."""
    if event.method not in ENDINGS:
        return ""
    call = told.once(_calls).get((event.where.line, event.where.column))
    path = "" if call is None else _last_text(call)
    name = path.replace("\\", "/").rpartition("/")[2]
    return "" if not name or name.endswith(ENDINGS[event.method]) else name


def _calls(tree: ast.Module) -> Mapping[tuple[int, int], ast.Call]:
    """Calls of these methods by place."""
    return {
        (each.lineno, each.col_offset): each
        for each in ast.walk(tree)
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in ENDINGS
    }


def _last_text(call: ast.Call) -> str:
    """How the path that a call is given ends, as far as it is written there."""
    node: ast.expr | None = call.args[0] if call.args else None
    node = next((each.value for each in call.keywords if each.arg == "filepath"), node)
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "join" and node.args:
        node = node.args[-1]
    elif isinstance(node, ast.BinOp):
        node = node.right
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
