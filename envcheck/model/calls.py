"""Calls: who is called, and by which rule the result is told."""

from __future__ import annotations

from collections.abc import Callable

from envcheck.model import builtin, functions
from envcheck.model.applications import application, copied, loaded
from envcheck.model.classes import called, instantiate
from envcheck.model.core import Call, Core
from envcheck.model.data import keras_datasets, numpy, pipelines, sklearn, tensorflow
from envcheck.model.events import Array, Made, ObjectMade
from envcheck.model.expressions import unknown_call
from envcheck.model.graphs import functional
from envcheck.model.input_shapes import input_tensor
from envcheck.model.layer_calls import make, merge, on_tensors
from envcheck.model.methods import call_method
from envcheck.model.models import on_tensors as model_on_tensors
from envcheck.model.models import sequential
from envcheck.model.names import MERGING, canonical, writes
from envcheck.model.operations import known, operate, symbolic
from envcheck.model.publish import public
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import (
    Bound,
    Class,
    Function,
    Instance,
    LayerObject,
    Method,
    ModelObject,
    Partial,
    Symbol,
    Value,
)

_KINDS = frozenset(
    f"keras.{each}"
    for each in (
        *("optimizers", "optimizers.schedules", "losses", "metrics", "initializers", "regularizers", "constraints"),
        "callbacks",
    )
)


def call_value(machine: Core, callee: Value, call: Call) -> Value:
    """What a call gives."""
    machine.steps += 1
    handler = _KIND_OF_CALLEE.get(type(callee))
    return unknown_call(call, callee) if handler is None else handler(machine, callee, call)


def _symbol(machine: Core, callee: Symbol, call: Call) -> Value:
    name = canonical(callee.name)
    call.name = name
    tensors = symbolic(call)
    if tensors and known(name):
        return operate(call, tensors)
    if name.startswith("numpy."):
        machine.taint(call.keywords.get("out"))
        if writes(name):
            machine.taint(call.get("arr", 0, call.get("a", default=call.get("dst", default=None))))
    handler = FUNCTIONS.get(name)
    if handler is not None:
        return handler(call)
    place, _, last = name.rpartition(".")
    if place == "keras.layers":
        if last in MERGING:
            return merge(machine, last, call)
        if last[:1].isupper():
            return make(machine, name, call)
    if place in _KINDS and last[:1].isupper():
        return _object(call)
    if place == "keras.applications" and last[:1].isupper():
        return application(name, call)
    return unknown_call(call)


def _object(call: Call) -> Value:
    machine = call.machine
    positional = tuple(public(machine, each) for each in call.positional)
    keywords = {key: public(machine, each) for key, each in call.keywords.items()}
    made = Made(call.name, positional, keywords, call.complete, call.where)
    machine.emit(ObjectMade(made, call.where))
    return made


def _function(machine: Core, callee: Function, call: Call) -> Value:
    return functions.run(machine, callee, call)


def _bound(machine: Core, callee: Bound, call: Call) -> Value:
    return functions.run(machine, callee.function, call, callee.first)


def _partial(machine: Core, callee: Partial, call: Call) -> Value:
    keywords = {**callee.keywords, **call.keywords}
    name = callee.function.name if isinstance(callee.function, Symbol) else ""
    return machine.call(callee.function, call.but(callee.positional + call.positional, keywords, name))


def _model(machine: Core, callee: ModelObject, call: Call) -> Value:
    given = call.get("inputs", 0, UNKNOWN)
    if callee.kind == "subclass":
        return UNKNOWN
    return model_on_tensors(machine, callee, given, call.where)


def _made(_machine: Core, _callee: Made, _call: Call) -> Value:
    return UNKNOWN  # what a loss or an initializer gives


_KIND_OF_CALLEE: dict[type, Callable[[Core, object, Call], Value]] = {
    Symbol: _symbol,  # type: ignore[dict-item]
    Function: _function,  # type: ignore[dict-item]
    Bound: _bound,  # type: ignore[dict-item]
    Class: instantiate,  # type: ignore[dict-item]
    Method: call_method,  # type: ignore[dict-item]
    LayerObject: on_tensors,  # type: ignore[dict-item]
    ModelObject: _model,  # type: ignore[dict-item]
    Instance: called,  # type: ignore[dict-item]
    Partial: _partial,  # type: ignore[dict-item]
    Made: _made,  # type: ignore[dict-item]
}


def _image_data_format(call: Call) -> Value:
    return "channels_last" if call.machine.channels_known else UNKNOWN


def _set_channels(call: Call) -> Value:
    if call.get("data_format", 0, call.get("dim_ordering", default=UNKNOWN)) not in ("channels_last", "tf"):
        call.machine.channels_known = False
    return None


def _set_policy(call: Call) -> Value:
    if call.get("policy", 0, UNKNOWN) != "float32":
        call.machine.policy_known = False
    return None


def _floatx(call: Call) -> Value:
    return "float32" if call.machine.policy_known else UNKNOWN


def _quiet(_: Call) -> Value:
    return UNKNOWN


def _shape_of_data(call: Call) -> Value:
    value = call.get("x", 0, call.get("input", default=UNKNOWN))
    return value.shape if isinstance(value, Array) else UNKNOWN


FUNCTIONS: dict[str, Callable[[Call], Value]] = {
    **builtin.FUNCTIONS,
    **numpy.FUNCTIONS,
    **tensorflow.FUNCTIONS,
    **keras_datasets.FUNCTIONS,
    **pipelines.FUNCTIONS,
    **sklearn.FUNCTIONS,
    "keras.Input": input_tensor,
    "keras.Sequential": sequential,
    "keras.Model": functional,
    "keras.models.load_model": loaded,
    "keras.saving.load_model": loaded,
    "keras.models.model_from_json": loaded,
    "keras.models.clone_model": copied,
    "keras.backend.image_data_format": _image_data_format,
    "keras.config.image_data_format": _image_data_format,
    "keras.backend.set_image_data_format": _set_channels,
    "keras.config.set_image_data_format": _set_channels,
    "keras.backend.set_image_dim_ordering": _set_channels,
    "keras.backend.set_floatx": _set_policy,
    "keras.config.set_floatx": _set_policy,
    "keras.backend.floatx": _floatx,
    "keras.mixed_precision.set_global_policy": _set_policy,
    "keras.mixed_precision.set_dtype_policy": _set_policy,
    "keras.config.set_dtype_policy": _set_policy,
    "keras.mixed_precision.experimental.set_policy": _set_policy,
    "keras.utils.set_random_seed": _quiet,
    "keras.utils.plot_model": _quiet,
    "keras.backend.int_shape": _shape_of_data,
    "numpy.shape": _shape_of_data,
}
