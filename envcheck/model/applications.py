"""Models that come from elsewhere: ``keras.applications``, files, clones."""

from __future__ import annotations

from envcheck.model.core import Call
from envcheck.model.events import KerasTensor, ModelMade
from envcheck.model.graphs import arguments, register
from envcheck.model.input_shapes import dimensions
from envcheck.model.models import forget
from envcheck.model.publish import snapshot
from envcheck.model.tensors import UNKNOWN, Shape, Tensor
from envcheck.model.values import ModelObject, Value


def application(name: str, call: Call) -> Value:
    """A network of ``keras.applications``: its input is known, of its output only the rank and the number of classes."""
    machine = call.machine
    model = register(machine, "application", name, call.where)
    top = call.get("include_top", 0, True)
    tensor = call.get("input_tensor")
    shape = dimensions(call.get("input_shape"))
    pooling, classes = call.get("pooling"), call.get("classes", default=1000)
    if isinstance(tensor, KerasTensor):
        first = tensor
    elif isinstance(shape, tuple):
        first = KerasTensor(Tensor((None, *shape), "float32"), None, ())
    elif call.get("input_shape") is None and top is False and tensor is None and name not in _FIXED:
        first = KerasTensor(Tensor((None, None, None, 3), "float32"), None, ())
    else:
        first = KerasTensor(Tensor((None, UNKNOWN, UNKNOWN, UNKNOWN), "float32"), None, ())
    out: Shape = UNKNOWN
    if top is True:
        out = (None, classes if type(classes) is int else UNKNOWN)
    elif top is False and pooling in ("avg", "max"):
        out = (None, UNKNOWN)
    elif top is False and pooling is None:
        out = (None, UNKNOWN, UNKNOWN, UNKNOWN)
    write = machine.state.write
    for key, value in (("layers", UNKNOWN), ("inputs", (first,)), ("built", True)):
        write(model, key, value)
    machine_made = KerasTensor(Tensor(out, "float32" if machine.policy_known else UNKNOWN))
    write(model, "outputs", (machine_made,))
    machine.emit(ModelMade(snapshot(machine, model), arguments(call), call.where))
    write(model, "outputs", (KerasTensor(machine_made.tensor, snapshot(machine, model), (first,)),))
    return model


_FIXED = frozenset(
    f"keras.applications.{name}" for name in ("NASNetLarge", "NASNetMobile", "MobileNetV3Small", "MobileNetV3Large")
)


def loaded(call: Call) -> Value:
    """``keras.models.load_model``: a model of which nothing is known but whether it is compiled."""
    machine = call.machine
    model = register(machine, "loaded", "keras.Model", call.where)
    forget(machine, model)
    compiled = None if call.get("compile", default=True) is False else UNKNOWN
    machine.state.write(model, "compiled", compiled)
    machine.state.write(model, "own_losses", UNKNOWN)
    machine.emit(ModelMade(snapshot(machine, model), arguments(call), call.where))
    return model


def copied(call: Call) -> Value:
    """``keras.models.clone_model``: the same graph, not compiled; the clone's own layers are not told apart."""
    other = call.get("model", 0, UNKNOWN)
    machine = call.machine
    model = register(machine, other.kind if isinstance(other, ModelObject) else "loaded", "keras.Model", call.where)
    forget(machine, model)
    return model
