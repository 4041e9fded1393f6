"""Values of the reader as the nouns of events, and as arguments for the rules of layers."""

from __future__ import annotations

from dataclasses import replace

from envcheck.model.core import Core
from envcheck.model.events import Array, Compilation, Dataset, KerasTensor, Made, Model, Reference
from envcheck.model.names import canonical
from envcheck.model.tensors import UNKNOWN, Layer, Unknown
from envcheck.model.values import (
    Bound,
    Class,
    Dict,
    Function,
    Instance,
    LayerObject,
    List,
    ModelObject,
    Symbol,
    Value,
)

_PLAIN = (int, float, str, bool, bytes, type(None), KerasTensor, Made, Compilation)
_DEEPEST = 6
_MOST = 20_000
"""Values in one value: a list of lists of lists can hold more than anybody wrote."""


def public(machine: Core, value: Value, depth: int = 0) -> object:
    """A value as events hold it."""
    machine.published = machine.published + 1 if depth else 0
    if value is UNKNOWN or isinstance(value, _PLAIN):
        return value
    if depth > _DEEPEST or machine.published > _MOST:
        return UNKNOWN
    if isinstance(value, tuple):
        return tuple(public(machine, each, depth + 1) for each in value)
    if isinstance(value, range):
        return tuple(value) if len(value) < 100 else UNKNOWN
    if isinstance(value, List):
        return UNKNOWN if value.items is UNKNOWN else [public(machine, each, depth + 1) for each in value.items]
    if isinstance(value, Dict):
        content = value.mapping()
        return UNKNOWN if content is None else {key: public(machine, each, depth + 1) for key, each in content.items()}
    if isinstance(value, LayerObject):
        return value.made
    if isinstance(value, ModelObject):
        return snapshot(machine, value, depth + 1)
    if isinstance(value, Instance):
        return UNKNOWN if value.core is None else public(machine, value.core, depth + 1)
    return _data(machine, value, depth) if isinstance(value, (Array, Dataset)) else _reference(value)


def _data(machine: Core, value: Array | Dataset, depth: int) -> object:
    return (
        value.now() if isinstance(value, Array) else replace(value, element=public(machine, value.element, depth + 1))
    )


def _reference(value: Value) -> object:
    if isinstance(value, Symbol):
        return Reference(canonical(value.name))
    if isinstance(value, Class):
        return Reference(value.node.name, "class")
    function = value.function if isinstance(value, Bound) else value
    if isinstance(function, Function):
        name = getattr(function.node, "name", "")
        return Reference(name, "function" if name else "lambda")
    return UNKNOWN


def layer(made: Made) -> Layer:
    """A layer as its rule wants it."""
    keywords = {name: plain(each) for name, each in made.keywords.items()}
    return Layer(made.name, tuple(plain(each) for each in made.positional), keywords)


def plain(value: object) -> object:
    """An argument as a rule may see it: Python's own values, other layers, else UNKNOWN."""
    if isinstance(value, (list, tuple)):
        return type(value)(plain(each) for each in value)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, Made):
        return (
            layer(value) if value.complete and value.own is None and value.name.startswith("keras.layers.") else UNKNOWN
        )
    return value if isinstance(value, (int, float, str, bool, type(None))) else UNKNOWN


def snapshot(machine: Core, model: ModelObject, depth: int = 0) -> Model:
    """A model as it is now."""
    machine.published = machine.published if depth else 0
    state = model.state
    layers = state["layers"] if model.kind != "subclass" else _attributes(state.get("owner", UNKNOWN))
    known = machine.trainable_known and isinstance(layers, tuple)
    trainable = tuple(_trainable(each) for each in layers) if known else UNKNOWN
    now = tuple(state[key] for key in _SEEN)
    seen, flags, last = machine.snapshots.get(model.number, ((), UNKNOWN, None))
    same = last is not None and flags == trainable and model.kind != "subclass"
    if same and last is not None and all(one is two for one, two in zip(seen, now, strict=True)):
        return last
    found = tuple(public(machine, each, depth + 1) for each in layers) if isinstance(layers, tuple) else UNKNOWN
    made = _snapshot(model, found, trainable)
    machine.snapshots[model.number] = (now, trainable, made)
    return made


_SEEN = ("layers", "inputs", "outputs", "built", "compiled", "own_losses")


def _snapshot(
    model: ModelObject, layers: tuple[object, ...] | Unknown, trainable: tuple[bool | Unknown, ...] | Unknown
) -> Model:
    state = model.state
    return Model(
        model.number,
        model.kind,
        model.name,
        layers,
        state["inputs"],
        state["outputs"],
        state["built"],
        state["compiled"],
        trainable,
        state["own_losses"],
        model.where,
        model.own,
    )


def _trainable(value: Value) -> Value:
    core = value.core if isinstance(value, Instance) else value
    return core.state["trainable"] if isinstance(core, (LayerObject, ModelObject)) else UNKNOWN


def _attributes(owner: Value) -> Value:
    """The layers that a subclassed model holds, in the order in which they were set; UNKNOWN where one may hide."""
    if not isinstance(owner, Instance):
        return UNKNOWN
    found: list[Value] = []
    for value in owner.state.values():
        each = value.items if isinstance(value, List) else value
        if each is UNKNOWN or isinstance(each, Dict):
            return UNKNOWN
        for one in each if isinstance(each, tuple) else (each,):
            if isinstance(one, (LayerObject, ModelObject)) or (isinstance(one, Instance) and one.core is not None):
                found.append(one)
            elif one is UNKNOWN:
                return UNKNOWN
    return tuple(found)
