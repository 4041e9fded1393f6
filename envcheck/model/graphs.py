"""Functional models: the graph between inputs and outputs."""

from __future__ import annotations

from envcheck.model.core import Call, Core
from envcheck.model.events import KerasTensor, Made, Model, ModelMade, Where
from envcheck.model.publish import public, snapshot
from envcheck.model.tensors import UNKNOWN, Unknown
from envcheck.model.values import Dict, LayerObject, List, ModelObject, Value

MOST_LAYERS = 2000


def arguments(call: Call) -> dict[str, object]:
    """A call's arguments for an event; positional ones have the names ``0``, ``1``…"""
    found = {str(number): public(call.machine, each) for number, each in enumerate(call.positional)}
    found.update({key: public(call.machine, each) for key, each in call.keywords.items()})
    return found


def register(machine: Core, kind: str, name: str, where: Where) -> ModelObject:
    """A new model without layers."""
    model = ModelObject(machine.number(), kind, name, where)
    machine.objects[model.number] = model
    return model


def flat(value: Value, depth: int = 0) -> tuple[KerasTensor, ...] | Unknown:
    """All tensors of a tensor, list or dict of tensors; UNKNOWN where there is anything else."""
    if isinstance(value, KerasTensor):
        return (value,)
    if isinstance(value, Dict):
        content = value.mapping()
        value = UNKNOWN if content is None else tuple(content.values())
    items = value.items if isinstance(value, List) else value
    if not isinstance(items, tuple) or depth > 3:
        return UNKNOWN
    found: list[KerasTensor] = []
    for each in items:
        inner = flat(each, depth + 1) if len(found) < MOST_LAYERS else UNKNOWN
        if isinstance(inner, Unknown):
            return UNKNOWN
        found += inner
    return tuple(found)


def functional(call: Call) -> Value:
    """``keras.Model(inputs, outputs)``."""
    model = register(call.machine, "functional", "keras.Model", call.where)
    connected(model, call)
    call.machine.emit(ModelMade(snapshot(call.machine, model), arguments(call), call.where))
    return model


def connected(model: ModelObject, call: Call) -> None:
    """The graph of a functional model."""
    machine, write = call.machine, call.machine.state.write
    inputs = flat(call.get("inputs", 0, call.get("input", default=UNKNOWN)))
    outputs = flat(call.get("outputs", 1, call.get("output", default=UNKNOWN)))
    write(model, "inputs", inputs)
    write(model, "outputs", outputs)
    write(model, "built", True)
    write(model, "layers", _between(machine, inputs, outputs))


def _between(machine: Core, inputs: Value, outputs: Value) -> Value:
    """The layers that lead from inputs to outputs, as they were called; UNKNOWN where a part of the graph is."""
    if not isinstance(inputs, tuple) or not isinstance(outputs, tuple):
        return UNKNOWN
    order: dict[int, LayerObject | ModelObject] = {}
    done = {id(each) for each in inputs}
    waiting: list[tuple[KerasTensor, bool]] = [(each, False) for each in reversed(outputs)]
    while waiting:
        tensor, entered = waiting.pop()
        maker = tensor.made_by
        if entered:
            key = id(maker) if isinstance(maker, Made) else maker.number if isinstance(maker, Model) else 0
            if key in machine.objects:
                order[key] = machine.objects[key]
            continue
        if id(tensor) in done:
            continue
        done.add(id(tensor))
        if maker is UNKNOWN or isinstance(tensor.inputs, Unknown) or len(done) > MOST_LAYERS:
            return UNKNOWN
        waiting.append((tensor, True))
        waiting += [(each, False) for each in reversed(tensor.inputs)]
    return tuple(order.values())
