"""The objects in a Keras config: JSON written by any Keras since 2.0, read with limits on depth and number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from envcheck.saved import structure
from envcheck.saved.found import Code, Part

DEEPEST = 200
"""Levels of the deepest config that is read: nested models are some ten levels each."""
MOST = 200_000
"""Values of the largest config that is read."""
LONGEST = 200
"""Characters of a name that is kept."""
MODELS = frozenset(("Functional", "Model", "Sequential"))
PLAIN_WRAPPERS = frozenset(
    ("__tensor__", "__numpy__", "__complex__", "__bytes__", "__slice__", "__ellipsis__", "__keras_tensor__")
)
"""How Keras 3 writes values that JSON lacks: no objects of their own."""


class Damaged(Exception):  # noqa: N818 - it is turned into a value
    """A config that cannot be read; the text ends the sentence "its config …"."""


@dataclass
class Contents:
    """What a walk found; filled as it goes."""

    parts: list[Part] = field(default_factory=list)
    code: list[Code] = field(default_factory=list)
    values: int = 0
    traits: dict[int, set[str]] = field(default_factory=dict)
    """Of objects that are still to come, by the identity of their mappings."""


def parsed(text: str | bytes) -> Any:
    """JSON text as Python values.

    Raises:
        Damaged: it is none, or nests too deep.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise Damaged("nests too deep") from None
    except ValueError:
        raise Damaged("is no JSON") from None


def read(config: Any, compiled: Any = None) -> Contents:
    """The parts and the code of a model.

    Args:
        config: the value of ``config.json`` or ``model_config``.
        compiled: the value of ``training_config``, which HDF5 keeps beside it.

    Raises:
        Damaged: it is no config of a model, or too large.
    """
    contents = Contents()
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise Damaged("describes no model")
    _walk(config, contents, "", 0)
    if contents.parts:
        whole = contents.parts[0]
        kind = "layer" if whole.kind == "object" else whole.kind  # it is a model, of a class of its own
        contents.parts[0] = replace(whole, kind=kind, traits=whole.traits | {structure.WHOLE})
    if isinstance(compiled, dict):
        _walk(compiled, contents, "compile()", 0)
    return contents


def _walk(value: Any, contents: Contents, where: str, depth: int) -> None:
    contents.values += 1
    if depth > DEEPEST:
        raise Damaged(f"nests deeper than {DEEPEST} levels")
    if contents.values > MOST:
        raise Damaged(f"holds more than {MOST} values")
    if isinstance(value, list):
        for each in value:
            _walk(each, contents, where, depth + 1)
    elif isinstance(value, dict):
        where = _object(value, contents, where)
        for key, each in _inner(value):
            _walk(each, contents, "compile()" if key == "compile_config" else where, depth + 1)


def _inner(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What lies below: not the bytecode of a lambda, nor the tensors that a layer is called with."""
    if value.get("class_name") in ("__lambda__", *PLAIN_WRAPPERS):
        return
    for key, each in value.items():
        if key not in ("build_config", "input_layers", "output_layers") and isinstance(each, (dict, list)):
            yield key, each


def _object(value: dict[str, Any], contents: Contents, where: str) -> str:
    """Takes the object that a mapping describes, if it does; in words, where its values stand."""
    name, config = value.get("class_name"), value.get("config")
    if not isinstance(name, str):
        return where
    module = _text(value.get("module"))
    if name == "__lambda__":
        contents.code.append(Code("lambda", "", where))
        return where
    if name in PLAIN_WRAPPERS:
        return where
    if name == "function":
        function = config if isinstance(config, str) else (config or {}).get("name") if isinstance(config, dict) else ""
        contents.code.append(Code("function", _text(function), where, module))
        return where
    values = config if isinstance(config, dict) else {}
    for inner, trait in structure.traits(value):
        contents.traits.setdefault(id(inner), set()).add(trait)
    traits = contents.traits.pop(id(value), set()) | {structure.MODULE if module else structure.PLAIN}
    part = Part(
        name[:LONGEST],
        module,
        _text(value.get("registered_name")),
        _text(value.get("name")) or _text(values.get("name")),
        {key: each for key, each in values.items() if isinstance(key, str)},
        _kind(name, value, module),
        frozenset(traits),
    )
    contents.parts.append(part)
    if name == "Lambda":
        _old_lambda(values, contents, part.words)
    return part.words


def _kind(name: str, value: dict[str, Any], module: str) -> str:
    """What sort of object it is: formats before ``.keras`` tell layers by what stands beside them only."""
    if name in MODELS:
        return "model"
    if "inbound_nodes" in value or ".layers" in f".{module}":
        return "layer"
    config = value.get("config")
    # Layers and optimizers alone write their name into their config; only layers can be trainable.
    return "layer" if isinstance(config, dict) and {"name", "trainable"} <= config.keys() else "object"


def _old_lambda(values: dict[str, Any], contents: Contents, where: str) -> None:
    """Bytecode as HDF5 keeps it: ``function_type`` is lambda, ``function`` a list of base64 text, defaults and closure."""
    if values.get("function_type") == "lambda":
        contents.code.append(Code("lambda", "", where))
    elif values.get("function_type") == "function":
        contents.code.append(Code("function", _text(values.get("function")), where, _text(values.get("module"))))


def _text(value: Any) -> str:
    return value[:LONGEST] if isinstance(value, str) else ""
