"""Methods of models and layers: compile, fit, save and the others."""

from __future__ import annotations

from envcheck.model.core import Call, Core
from envcheck.model.data.literals import literal
from envcheck.model.events import Array, Compilation, Compiled, Dataset, KerasTensor, ModelUsed, Trained
from envcheck.model.graphs import arguments, flat
from envcheck.model.input_shapes import dimensions
from envcheck.model.layer_calls import eager
from envcheck.model.models import build, changed, rehearse
from envcheck.model.names import words
from envcheck.model.publish import public, snapshot
from envcheck.model.tensors import UNKNOWN, Shape, Tensor
from envcheck.model.values import Instance, LayerObject, List, ModelObject, Value

_COMPILE = ("optimizer", "loss", "metrics", "loss_weights", "weighted_metrics", "run_eagerly", "steps_per_execution")
_DATA: dict[str, tuple[str, ...]] = {
    "fit": ("x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split", "validation_data", "shuffle"),
    "evaluate": ("x", "y", "batch_size", "verbose", "sample_weight", "steps"),
    "predict": ("x", "batch_size", "verbose", "steps"),
    "train_on_batch": ("x", "y", "sample_weight", "class_weight"),
    "test_on_batch": ("x", "y", "sample_weight"),
    "predict_on_batch": ("x",),
    "fit_generator": ("generator", "steps_per_epoch", "epochs"),
    "evaluate_generator": ("generator", "steps"),
    "predict_generator": ("generator", "steps"),
}


_USES = words(
    "summary save save_weights load_weights get_weights set_weights count_params to_json to_yaml get_config build get_layer "
    "compute_output_shape export add_loss add_metric predict_classes predict_proba reset_states"
)
"""Methods that are events."""


def method(machine: Core, model: ModelObject, name: str, call: Call) -> Value:
    """``model.name(…)``."""
    if name in ("add", "pop") and model.kind == "sequential":
        return changed(call, model, name)
    if name == "compile":
        return _compile(machine, model, call)
    if name in _DATA:
        return _train(machine, model, name, call)
    if name not in _USES:
        return UNKNOWN
    if name == "build":
        _build(machine, model, call)
    elif name == "add_loss":
        machine.state.write(model, "own_losses", True)
    result: Value = UNKNOWN
    if name == "get_layer":
        result = _layer(model, call)
    machine.emit(ModelUsed(snapshot(machine, model), name, arguments(call), call.where))
    if name in ("load_weights", "set_weights") and model.state["built"] is False:
        machine.state.write(model, "built", UNKNOWN)
    return result


def _compile(machine: Core, model: ModelObject, call: Call) -> Value:
    found = {name: public(machine, each) for name, each in zip(_COMPILE, call.positional, strict=False)}
    found.update({name: public(machine, each) for name, each in call.keywords.items()})
    machine.state.write(model, "compiled", Compilation(found, call.complete, call.where))
    rehearse(machine, model)
    machine.emit(Compiled(snapshot(machine, model), call.where))
    return None


def _train(machine: Core, model: ModelObject, name: str, call: Call) -> Value:
    names = _DATA[name]
    given = dict(zip(names, call.positional, strict=False))
    given.update(call.keywords)
    if len(call.positional) > len(names):
        given = {}
    missing = None if call.complete and given else UNKNOWN
    x, y = given.pop("x", given.pop("generator", missing)), given.pop("y", missing)
    was_built = model.state["built"]
    sample = _sample(x)
    if sample is not None:
        _meet(machine, model, sample)
    elif was_built is False:
        machine.state.write(model, "built", True if isinstance(model.state["layers"], tuple) else UNKNOWN)
    others = {key: public(machine, each) for key, each in given.items()}
    if not call.complete:
        others["**"] = UNKNOWN
    now = snapshot(machine, model)
    machine.emit(Trained(name, now, was_built, data(machine, x), data(machine, y), others, call.where))
    return _predicted(model, x) if name in ("predict", "predict_on_batch") else UNKNOWN


def data(machine: Core, value: Value) -> object:
    """Data as an event holds it; a plain list of numbers is an array of its own kind."""
    if isinstance(value, List):
        from_list = literal(value)
        if from_list is not None:
            return from_list
    return public(machine, value)


def _sample(x: Value) -> Tensor | None:
    """What one step of training gives a model with one input; None where that cannot be told."""
    if isinstance(x, Dataset):
        element = x.element[0] if isinstance(x.element, tuple) and x.element else x.element
        if not isinstance(element, Array) or not isinstance(element.shape, tuple) or x.batched is UNKNOWN:
            return None
        shape: Shape = (None, *element.shape[1:]) if x.batched else element.shape
        return Tensor(shape, eager(element).tensor.dtype)
    if isinstance(x, Array) and isinstance(x.shape, tuple) and x.shape:
        rest = x.shape[1:] or (1,)  # Keras makes a column of a one-dimensional array
        return Tensor((None, *rest), eager(x).tensor.dtype)
    return None


def _meet(machine: Core, model: ModelObject, sample: Tensor) -> None:
    """Data reaches a model that has no weights yet."""
    owner = model.state.get("owner")
    if model.kind == "sequential":
        build(machine, model, sample)
    elif model.kind == "subclass" and isinstance(owner, Instance) and model.state["built"] is False:
        before, machine.stage = machine.stage, "use"
        tensor = KerasTensor(sample, None, ())
        out = machine.call(owner, Call(machine, "", (tensor,), {}, True, model.where))
        machine.stage = before
        found = flat(out)
        machine.state.write(model, "inputs", (tensor,))
        machine.state.write(model, "outputs", found)
        machine.state.write(model, "built", True)


def _predicted(model: ModelObject, x: Value) -> Value:
    outputs = model.state["outputs"]
    if not isinstance(outputs, tuple) or len(outputs) != 1 or not isinstance(outputs[0].tensor.shape, tuple):
        return Array() if isinstance(outputs, tuple) and len(outputs) == 1 else UNKNOWN
    count = x.shape[0] if isinstance(x, Array) and isinstance(x.shape, tuple) and x.shape else UNKNOWN
    rest = tuple(UNKNOWN if each is None else each for each in outputs[0].tensor.shape[1:])
    return Array((count, *rest), outputs[0].tensor.dtype)


def _build(machine: Core, model: ModelObject, call: Call) -> None:
    shape = dimensions(call.get("input_shape", 0, UNKNOWN))
    if model.kind == "sequential" and isinstance(shape, tuple):
        build(machine, model, Tensor(shape, "float32"))
    elif model.state["built"] is False:
        machine.state.write(model, "built", UNKNOWN if shape is UNKNOWN else True)


def _layer(model: ModelObject, call: Call) -> Value:
    """``model.get_layer("name")``, where the source gave one layer this name."""
    wanted = call.get("name", 0)
    layers = model.state["layers"]
    if not isinstance(wanted, str) or not isinstance(layers, tuple):
        return UNKNOWN
    found = []
    for each in layers:
        core = each.core if isinstance(each, Instance) else each
        if isinstance(core, LayerObject) and core.made.keywords.get("name") == wanted:
            found.append(each)
    return found[0] if len(found) == 1 else UNKNOWN


def layer_method(machine: Core, layer: LayerObject, name: str, call: Call) -> Value:
    """``layer.name(…)``."""
    if name == "build" and layer.state["built_on"] is None:
        shape = dimensions(call.get("input_shape", 0, UNKNOWN))
        machine.state.write(layer, "built_on", (Tensor(shape),))
    elif name in ("call", "__call__"):
        return machine.call(layer, call)
    elif name == "adapt":
        machine.state.write(layer, "set", True)
    return UNKNOWN
