"""Models: what making one, changing one and calling one gives."""

from __future__ import annotations

from envcheck.model.attributes import INPUT_LAYER
from envcheck.model.core import Call, Core
from envcheck.model.events import Array, KerasTensor, LayerCalled, ModelChanged, ModelMade, Where
from envcheck.model.graphs import MOST_LAYERS, arguments, flat, register
from envcheck.model.input_shapes import first_shape
from envcheck.model.layer_calls import connect, eager
from envcheck.model.publish import public, snapshot
from envcheck.model.tensors import UNKNOWN, Dimension, Refused, Shape, Tensor, Unknown, text
from envcheck.model.values import Instance, LayerObject, List, ModelObject, Value


def sequential(call: Call) -> Value:
    """``keras.Sequential(layers)``."""
    model = register(call.machine, "sequential", "keras.Sequential", call.where)
    fill(model, call)
    call.machine.emit(ModelMade(snapshot(call.machine, model), arguments(call), call.where))
    return model


def fill(model: ModelObject, call: Call) -> None:
    """The layers that a ``Sequential`` is made with."""
    machine = call.machine
    given = call.get("layers", 0)
    items = given.items if isinstance(given, List) else () if given is None else given
    if not isinstance(items, tuple):
        forget(machine, model)
        return
    for each in items:
        add(machine, model, each, call.where)


def forget(machine: Core, model: ModelObject) -> None:
    """Nothing is known of a model's graph any more."""
    for key in ("layers", "inputs", "outputs", "built"):
        machine.state.write(model, key, UNKNOWN)


def add(machine: Core, model: ModelObject, item: Value, where: Where) -> None:
    """One more layer of a ``Sequential``."""
    write, state = machine.state.write, model.state
    layers = state["layers"]
    if not isinstance(layers, tuple) or len(layers) >= MOST_LAYERS:
        forget(machine, model)
        return
    write(model, "layers", (*layers, item))
    if not layers:
        _first(machine, model, item, where)
    elif isinstance(state["outputs"], tuple) and len(state["outputs"]) == 1:
        write(model, "outputs", _outputs(apply(machine, item, state["outputs"][0], where)))
    elif state["outputs"] is not UNKNOWN and not usable(item):
        write(model, "outputs", UNKNOWN)


def usable(item: Value) -> bool:
    """Whether something is a layer for sure."""
    return isinstance(item, (LayerObject, ModelObject, Instance))


def _outputs(found: Value) -> Value:
    return (found,) if isinstance(found, KerasTensor) else UNKNOWN


def _first(machine: Core, model: ModelObject, item: Value, where: Where) -> None:
    write = machine.state.write
    if isinstance(item, KerasTensor):
        tensor = item if item.made_by is None else KerasTensor(Tensor())
        for key, value in (("inputs", (tensor,)), ("outputs", (tensor,)), ("built", True)):
            write(model, key, value)
        return
    shape, dtype = _brought(machine, item)
    if shape is None:
        return
    first = isinstance(item, LayerObject) and item.made.name == INPUT_LAYER
    if shape is UNKNOWN and not first:
        write(model, "inputs", UNKNOWN)
        write(model, "built", UNKNOWN)
        if isinstance(item, (ModelObject, LayerObject)):
            write(model, "outputs", _outputs(apply(machine, item, KerasTensor(Tensor()), where)))
        else:
            write(model, "outputs", UNKNOWN)
        return
    tensor = KerasTensor(Tensor(shape, dtype), None, ())
    write(model, "inputs", (tensor,))
    write(model, "built", True)
    write(model, "outputs", (tensor,) if first else _outputs(apply(machine, item, tensor, where)))


def _brought(machine: Core, item: Value) -> tuple[Value, str | Unknown]:
    """The batch shape and dtype that a first layer brings; None where it brings no shape."""
    if isinstance(item, LayerObject):
        given = item.made.keywords.get("dtype")
        plain = given if isinstance(given, str) and "mixed" not in given else UNKNOWN
        return first_shape(item.made, machine.keras), "float32" if given is None else plain
    if isinstance(item, ModelObject):
        inputs = item.state["inputs"]
        if isinstance(inputs, tuple) and len(inputs) == 1:
            return inputs[0].tensor.shape, inputs[0].tensor.dtype
        return (None if inputs == () else UNKNOWN), UNKNOWN
    if isinstance(item, Instance) and isinstance(item.core, LayerObject) and item.state.get("keras arguments"):
        return first_shape(item.core.made, machine.keras), "float32"
    return UNKNOWN, UNKNOWN


def apply(machine: Core, item: Value, tensor: KerasTensor, where: Where) -> Value:
    """A layer of a model meets the tensor before it."""
    if isinstance(item, LayerObject):
        return connect(machine, item, tensor, machine.here(item.made.where))
    if isinstance(item, ModelObject):
        return on_tensors(machine, item, tensor, where)
    if isinstance(item, Instance):
        own = machine.here(item.core.made.where) if isinstance(item.core, LayerObject) else where
        return machine.call(item, Call(machine, "", (tensor,), {}, True, own))
    return UNKNOWN


def build(machine: Core, model: ModelObject, tensor: Tensor) -> None:
    """A ``Sequential`` without an input shape meets data or is told a shape: now it has weights."""
    layers = model.state["layers"]
    if model.kind != "sequential" or model.state["inputs"] != () or not isinstance(layers, tuple) or not layers:
        return
    if not all(usable(each) for each in layers):
        return
    before, machine.stage = machine.stage, "use"
    first = KerasTensor(tensor, None, ())
    out: Value = first
    for each in layers:
        out = apply(machine, each, out if isinstance(out, KerasTensor) else KerasTensor(Tensor()), model.where)
    machine.stage = before
    machine.state.write(model, "inputs", (first,))
    machine.state.write(model, "outputs", _outputs(out))
    machine.state.write(model, "built", True)


def rehearse(machine: Core, model: ModelObject) -> None:
    """What the layers of a ``Sequential`` without an input shape would do with data of which nothing is known.

    That is enough to see one recurrent layer after another without ``return_sequences``.
    """
    depth = machine.state.begin()
    build(machine, model, Tensor())
    machine.state.undo(depth)


def pop(machine: Core, model: ModelObject) -> None:
    """The last layer of a ``Sequential`` goes."""
    state, write = model.state, machine.state.write
    layers = state["layers"]
    if not isinstance(layers, tuple) or not layers:
        forget(machine, model)
        return
    write(model, "layers", layers[:-1])
    outputs = state["outputs"]
    if len(layers) == 1:
        for key, value in (("inputs", ()), ("outputs", ()), ("built", False)):
            write(model, key, value)
    elif outputs != ():
        last = outputs[0] if isinstance(outputs, tuple) else None
        known = isinstance(last, KerasTensor) and isinstance(last.inputs, tuple) and len(last.inputs) == 1
        write(model, "outputs", (last.inputs[0],) if known and last is not None else UNKNOWN)


def changed(call: Call, model: ModelObject, method: str) -> Value:
    """``model.add(layer)`` or ``model.pop()``."""
    machine = call.machine
    item = call.get("layer", 0, UNKNOWN) if method == "add" else None
    if method == "add":
        add(machine, model, item, call.where)
    else:
        pop(machine, model)
    machine.emit(ModelChanged(model.number, method, public(machine, item), call.where))
    return None if method == "add" else UNKNOWN


def on_tensors(machine: Core, model: ModelObject, given: Value, where: Where) -> Value:
    """A model is called as a layer."""
    machine.step()
    tensors = flat(given)
    if isinstance(given, Array):
        tensors = (eager(given),)
    if isinstance(tensors, Unknown):
        tensors = (KerasTensor(Tensor()),)
    if len(tensors) == 1:
        build(machine, model, Tensor(tensors[0].tensor.shape, tensors[0].tensor.dtype))
    refused = _mismatch(model, tensors)
    own, outputs = model.state["inputs"], model.state["outputs"]
    same = isinstance(own, tuple) and [each.tensor.shape for each in own] == [each.tensor.shape for each in tensors]
    calls = model.state["calls"]
    machine.state.write(model, "calls", calls + 1 if isinstance(calls, int) else UNKNOWN)
    now = snapshot(machine, model)
    batch = _batch(tensors)
    output: Tensor | tuple[Tensor, ...] | Unknown = UNKNOWN
    result: Value = UNKNOWN
    if isinstance(outputs, tuple) and outputs:
        found = tuple(Tensor(_output(each.tensor.shape, batch, same), each.tensor.dtype) for each in outputs)
        output = found[0] if len(found) == 1 else found
        results = tuple(KerasTensor(each, now, tensors) for each in found)
        result = results[0] if len(results) == 1 else List(items=results)
    machine.emit(LayerCalled(now, tuple(e.tensor for e in tensors), output, refused, None, machine.stage, where))
    if isinstance(given, Array):
        return Array(output.shape, output.dtype, "tensorflow") if isinstance(output, Tensor) else UNKNOWN
    return result


def _batch(tensors: tuple[KerasTensor, ...]) -> Dimension:
    shape = tensors[0].tensor.shape if tensors else UNKNOWN
    return UNKNOWN if isinstance(shape, Unknown) or not shape else shape[0]


def _output(shape: Shape, batch: Dimension, same: bool) -> Shape:
    if same or isinstance(shape, Unknown) or not shape:
        return shape
    return (batch, *(UNKNOWN if each is None else each for each in shape[1:]))


def _mismatch(model: ModelObject, tensors: tuple[KerasTensor, ...]) -> Refused | None:
    """Why a model refuses the tensors it is called on, where it has an input of a fixed shape.

    Of another rank it takes many: Keras 2 checks the axes that both have, and both versions add or take an axis of length 1.
    """
    own = model.state["inputs"]
    if model.kind not in ("functional", "sequential") or not isinstance(own, tuple) or not own:
        return None
    if len(own) != len(tensors):
        return None
    for mine, other in zip(own, tensors, strict=True):
        a, b = mine.tensor.shape, other.tensor.shape
        if isinstance(a, Unknown) or isinstance(b, Unknown):
            continue
        if len(a) != len(b):
            continue
        if any(isinstance(x, int) and isinstance(y, int) and x != y for x, y in zip(a[1:], b[1:], strict=True)):
            return Refused("call", f"the model takes {text(a)} and is called on {text(b)}")
    return None
