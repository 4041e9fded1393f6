"""Classes of the file: what defining one, making an object and calling it gives."""

from __future__ import annotations

import ast

from envcheck.model.attributes import lineage, member
from envcheck.model.core import Call, Core
from envcheck.model.definitions import describe
from envcheck.model.events import Array, KerasTensor, LayerCalled, LayerMade, Made, ModelMade
from envcheck.model.expressions import unknown_call
from envcheck.model.functions import blocks
from envcheck.model.graphs import arguments, connected, flat
from envcheck.model.layer_calls import eager, tensors
from envcheck.model.models import fill
from envcheck.model.names import canonical
from envcheck.model.publish import public, snapshot
from envcheck.model.tensors import UNKNOWN, Tensor, Unknown
from envcheck.model.values import (
    Bound,
    Class,
    Function,
    Instance,
    LayerObject,
    List,
    ModelObject,
    Scope,
    Symbol,
    Value,
)

MODELS = frozenset(("keras.Model", "keras.Sequential"))


def define(machine: Core, node: ast.ClassDef) -> Value:
    """A class statement."""
    for each in node.decorator_list:
        machine.value(each)
    bases = tuple(machine.value(each) for each in node.bases)
    scope = Scope(machine.scope, "class")
    before, machine.scope = machine.scope, scope
    try:
        machine.run(node.body)
    finally:
        machine.scope = before
    made = Class(node, scope, bases)
    for value in scope.state.values():
        if isinstance(value, Function) and value.owner is None:
            value.owner = made
    kind = family(made)
    if kind:
        made.defined = describe(machine, made, kind)
        machine.emit(made.defined)
    machine.classes.append(made)
    return made


def family(owner: Class) -> str:
    """``layer`` or ``model`` for classes that come from Keras's; empty for others."""
    for each in lineage(owner):
        name = canonical(each.name) if isinstance(each, Symbol) else ""
        if name in MODELS:
            return "model"
        if name.startswith("keras.layers.") and name[13:14].isupper():
            return "layer"
    return ""


def instantiate(machine: Core, owner: Class, call: Call) -> Value:
    """``Class(…)``."""
    kind = owner.defined.kind if owner.defined is not None else ""
    instance = Instance(owner, _core(machine, owner, kind, call))
    init, found = member(owner, "__init__")
    if found and isinstance(init, Function):
        machine.call(Bound(init, instance), call.but(call.positional))
    elif not found and not kind and owner.bases:
        unknown_call(call)
    elif kind == "model" and instance.core is not None:
        base_init(call, instance)
    core = instance.core
    if isinstance(core, ModelObject):
        machine.emit(ModelMade(snapshot(machine, core), arguments(call), call.where))
    elif isinstance(core, LayerObject):
        machine.emit(LayerMade(core.made, None, call.where))
    return instance


def stranger(machine: Core, owner: Class) -> Instance:
    """An object that something outside of the file made: with arguments and attributes of which nothing is known."""
    call = Call(machine, "", (), {}, False, machine.where(owner.node))
    instance = Instance(owner, _core(machine, owner, owner.defined.kind if owner.defined is not None else "", call))
    init, found = member(owner, "__init__")
    if found and isinstance(init, Function):
        machine.call(Bound(init, instance), call)
    for name in changed_later(owner):
        machine.state.write(instance, name, UNKNOWN)
    if isinstance(instance.core, ModelObject):
        for key in ("compiled", "built", "own_losses"):
            machine.state.write(instance.core, key, UNKNOWN)
    return instance


def changed_later(owner: Class) -> set[str]:
    """Attributes that methods other than ``__init__`` set."""
    found: set[str] = set()
    for each in lineage(owner):
        for method in each.node.body if isinstance(each, Class) else ():
            if isinstance(method, ast.FunctionDef) and method.name != "__init__":
                found |= _stored(method)
    return found


def _stored(node: ast.FunctionDef) -> frozenset[str]:
    """Attributes that a method's statements set, of whatever object."""
    known: frozenset[str] | None = getattr(node, "envcheck_stored", None)
    if known is None:
        targets = [each for statement in blocks(node.body) for each in _targets(statement)]
        known = frozenset(each.attr for each in targets if isinstance(each, ast.Attribute))
        node.envcheck_stored = known  # type: ignore[attr-defined]
    return known


def _targets(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        found = list(node.targets)
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.For)):
        found = [node.target]
    elif isinstance(node, ast.With):
        found = [each.optional_vars for each in node.items if each.optional_vars is not None]
    else:
        return []
    for each in found:  # it grows
        if isinstance(each, (ast.Tuple, ast.List)):
            found += each.elts
        elif isinstance(each, (ast.Starred, ast.Subscript)):
            found.append(each.value)
    return found


def _core(machine: Core, owner: Class, kind: str, call: Call) -> LayerObject | ModelObject | None:
    name = owner.node.name
    if kind == "layer":
        positional = tuple(public(machine, each) for each in call.positional)
        keywords = {key: public(machine, each) for key, each in call.keywords.items()}
        layer = LayerObject(Made(name, positional, keywords, call.complete, call.where, owner.defined))
        machine.objects[id(layer.made)] = layer
        return layer
    if kind == "model":
        sequential = any(isinstance(e, Symbol) and canonical(e.name) == "keras.Sequential" for e in lineage(owner))
        number = machine.number()
        model = ModelObject(number, "sequential" if sequential else "subclass", name, call.where, owner.defined)
        machine.objects[number] = model
        return model
    return None


def base_init(call: Call, first: Value) -> Value:
    """``super().__init__(…)`` where the base is one of Keras's."""
    core = first.core if isinstance(first, Instance) else None
    machine = call.machine
    if isinstance(first, Instance):
        machine.state.write(first, "keras arguments", call.complete)
        if isinstance(core, ModelObject):
            machine.state.write(core, "owner", first)
    if not isinstance(core, ModelObject):
        if isinstance(core, LayerObject) and isinstance(call.get("trainable", default=True), bool):
            machine.state.write(core, "trainable", call.get("trainable", default=True))
        return None
    if core.kind == "sequential":
        fill(core, call)
    elif core.kind == "subclass" and ("inputs" in call.keywords or len(call.positional) > 1):
        core.kind = "functional"
        connected(core, call)
    return None


def called(machine: Core, instance: Instance, call: Call) -> Value:
    """An object is called: a layer or model of the file, or anything with ``__call__``."""
    core = instance.core
    if core is None:
        method, found = member(instance.owner, "__call__")
        if found and isinstance(method, Function):
            return machine.call(Bound(method, instance), call)
        return unknown_call(call, instance)
    method, found = member(instance.owner, "call")
    own = tensors(call.positional[0]) if call.positional else None
    inputs = flat(own) if own is not None else UNKNOWN
    if isinstance(inputs, Unknown):
        inputs = ()
    given = tuple(each.tensor for each in inputs)
    result: Value = UNKNOWN
    before = (machine.inside, machine.depth)
    if isinstance(core, ModelObject) and core.kind != "subclass":
        method = UNKNOWN
    if found and isinstance(method, Function) and machine.depth < 5:
        machine.inside, machine.depth = instance.owner.node.name, machine.depth + 1
        try:
            if inputs:
                _build(machine, instance, core, inputs)
            result = machine.call(Bound(method, instance), _inner(call))
        finally:
            machine.inside, machine.depth = before
    maker = core.made if isinstance(core, LayerObject) else snapshot(machine, core)
    built_on = core.state.get("built_on")
    output, outside = _results(result, maker, inputs)
    machine.emit(LayerCalled(maker, given, output, None, built_on, machine.stage, call.where))
    if isinstance(core, LayerObject):
        if built_on is None:
            machine.state.write(core, "built_on", given)
        calls = core.state["calls"]
        machine.state.write(core, "calls", calls + 1 if isinstance(calls, int) else UNKNOWN)
        machine.state.write(core, "output", outside)
    else:
        machine.state.write(core, "built", True)
    if call.positional and isinstance(call.positional[0], Array):
        return Array(output.shape, output.dtype, "tensorflow") if isinstance(output, Tensor) else UNKNOWN
    return outside


def _inner(call: Call) -> Call:
    """The call of ``call``: arrays are tensors there, and what Keras may fill in is not known."""
    positional = tuple(eager(each) if isinstance(each, Array) else each for each in call.positional)
    keywords = dict(call.keywords)
    keywords.setdefault("training", UNKNOWN)
    keywords.setdefault("mask", UNKNOWN)
    return call.but(positional, keywords)


def _build(machine: Core, instance: Instance, core: LayerObject | ModelObject, inputs: tuple[KerasTensor, ...]) -> None:
    method, found = member(instance.owner, "build")
    if not found or not isinstance(method, Function) or core.state.get("built_on") is not None:
        return
    shapes = tuple(each.tensor.shape for each in inputs)
    shape: Value = shapes[0] if len(shapes) == 1 else List(items=shapes)
    machine.call(Bound(method, instance), Call(machine, "", (shape,), {}, True, machine.where(method.node)))


def _results(
    result: Value, maker: object, inputs: tuple[KerasTensor, ...]
) -> tuple[Tensor | tuple[Tensor, ...] | Unknown, Value]:
    """What comes out, for the event and for the program: tensors that know the layer they come from."""
    assert maker is not None
    if isinstance(result, KerasTensor):
        return result.tensor, KerasTensor(result.tensor, maker, inputs or UNKNOWN)  # type: ignore[arg-type]
    several = flat(result) if isinstance(result, (tuple, List)) else UNKNOWN
    if isinstance(several, Unknown) or not several:
        return UNKNOWN, UNKNOWN
    out = tuple(KerasTensor(each.tensor, maker, inputs or UNKNOWN) for each in several)  # type: ignore[arg-type]
    return tuple(each.tensor for each in out), List(items=out) if isinstance(result, List) else out


def own_weight(call: Call) -> Value:
    """``self.add_weight(…)``: a tensor of the shape that is asked for."""
    shape = call.keywords.get("shape")
    if shape is None:
        shape = next((each for each in call.positional if isinstance(each, (tuple, List))), UNKNOWN)
    items = shape.items if isinstance(shape, List) else shape
    if not isinstance(items, tuple):
        return Array(UNKNOWN, UNKNOWN, "tensorflow")
    return Array(tuple(each if type(each) is int else UNKNOWN for each in items), UNKNOWN, "tensorflow")
