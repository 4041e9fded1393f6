"""Methods of values that are no objects of the file: lists, dictionaries, texts, arrays, tensors, datasets, ``super()``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from envcheck.model.classes import base_init, own_weight
from envcheck.model.comprehensions import iterated
from envcheck.model.core import LONGEST, Call, Core
from envcheck.model.data.arrays import METHODS as ARRAY_METHODS
from envcheck.model.data.pipelines import method as dataset_method
from envcheck.model.events import Array, Dataset, KerasTensor, Made
from envcheck.model.expressions import unknown_call
from envcheck.model.operations import operate
from envcheck.model.tensors import UNKNOWN
from envcheck.model.usage import layer_method
from envcheck.model.usage import method as model_method
from envcheck.model.values import Dict, Instance, LayerObject, List, Method, ModelObject, Super, Value


def call_method(machine: Core, bound: Method, call: Call) -> Value:
    """``owner.name(…)``."""
    owner, name = bound.owner, bound.name
    if isinstance(owner, (LayerObject, ModelObject)) and name in ("add_weight", "add_variable"):
        return own_weight(call)
    handler = _BY_KIND.get(type(owner))
    if handler is not None:
        return handler(machine, owner, name, call)
    return unknown_call(call, None if isinstance(owner, Made) else owner)


def _array(machine: Core, owner: Array, name: str, call: Call) -> Value:
    machine.taint(call.keywords.get("out"))
    handler = ARRAY_METHODS.get(name)
    if handler is not None:
        return handler(owner, call.but(call.positional, name=f"array.{name}"))
    machine.written(owner)
    if name == "resize" or owner.library == "list":
        machine.reshaped()
    return UNKNOWN


def _dataset(_: Core, owner: Dataset, name: str, call: Call) -> Value:
    return dataset_method(owner, name, call)


def _list(machine: Core, owner: List, name: str, call: Call) -> Value:
    write, items = machine.state.write, owner.items
    if name == "copy":
        return List(items=items)
    if name in ("count", "index"):
        return UNKNOWN
    if isinstance(items, tuple) and call.complete and len(items) < LONGEST:
        if name in ("append", "add"):
            return write(owner, "items", (*items, call.get("object", 0, UNKNOWN)))
        if name == "extend":
            more = iterated(call.get("iterable", 0, UNKNOWN))
            return write(owner, "items", UNKNOWN if more is None else (items + more)[:LONGEST])
        if name in ("insert", "pop"):
            return _at(machine, owner, name, call)
        if name == "reverse":
            return write(owner, "items", items[::-1])
        if name == "clear":
            return write(owner, "items", ())
    machine.taint(call.everything())
    return write(owner, "items", UNKNOWN)


def _at(machine: Core, owner: List, name: str, call: Call) -> Value:
    """``insert`` and ``pop``."""
    at = call.get("index", 0, -1 if name == "pop" else UNKNOWN)
    changed = list(owner.items)
    found: Value = None
    if type(at) is not int or (name == "pop" and not -len(changed) <= at < len(changed)):
        machine.state.write(owner, "items", UNKNOWN)
        return UNKNOWN
    if name == "pop":
        found = changed.pop(at)
    else:
        changed.insert(at, call.get("object", 1, UNKNOWN))
    machine.state.write(owner, "items", tuple(changed))
    return found


def _dict(machine: Core, owner: Dict, name: str, call: Call) -> Value:
    content = owner.mapping()
    key = call.get("key", 0, UNKNOWN)
    plain = isinstance(key, (str, int, bool, type(None)))
    if name == "copy":
        return Dict(items=owner.items)
    if name == "get":
        return content.get(key, call.get("default", 1)) if content is not None and plain else UNKNOWN
    if name in ("items", "keys", "values"):
        if content is None:
            return List(items=UNKNOWN)
        found = {"items": tuple(content.items()), "keys": tuple(content), "values": tuple(content.values())}
        return List(items=found[name])
    if content is not None and call.complete:
        if name == "update" and len(call.positional) <= 1:
            more = call.positional[0].mapping() if call.positional and isinstance(call.positional[0], Dict) else {}
            if more is not None and (not call.positional or isinstance(call.positional[0], Dict)):
                return machine.state.write(owner, "items", tuple({**content, **more, **call.keywords}.items()))
        if name in ("pop", "setdefault") and plain:
            default = call.get("default", 1, UNKNOWN if name == "pop" else None)
            changed = dict(content)
            found_value = changed.pop(key, default) if name == "pop" else changed.setdefault(key, default)
            machine.state.write(owner, "items", tuple(changed.items()))
            return found_value
    machine.taint(call.everything())
    machine.state.write(owner, "items", UNKNOWN)
    return UNKNOWN


def _tuple(_: Core, owner: tuple[Value, ...], name: str, __: Call) -> Value:
    if name in ("as_list", "tolist"):
        return List(items=owner)
    return UNKNOWN


def _text(_: Core, owner: str, name: str, call: Call) -> Value:
    if name in ("lower", "upper", "strip", "title", "capitalize") and not call.everything():
        changed: Callable[[], str] = getattr(owner, name)
        return changed()
    if name == "format" and all(type(each) in (str, int) for each in call.everything()) and call.complete:
        plain = all(part[:1] in ("}", "") or part.partition("}")[0].isidentifier() for part in owner.split("{")[1:])
        try:
            return owner.format(*call.positional, **call.keywords) if plain and len(owner) < 200 else UNKNOWN
        except (LookupError, ValueError):
            return UNKNOWN
    if name in ("startswith", "endswith") and len(call.positional) == 1 and isinstance(call.positional[0], str):
        return owner.startswith(call.positional[0]) if name == "startswith" else owner.endswith(call.positional[0])
    return UNKNOWN


def _tensor(_: Core, owner: KerasTensor, name: str, call: Call) -> Value:
    if name == "get_shape":
        return owner.tensor.shape
    if name in ("set_shape", "_keras_history", "name"):
        return UNKNOWN
    return operate(call.but((owner, *call.positional), name=f"method.{name}"), (owner,))


def _super(_: Core, owner: Super, name: str, call: Call) -> Value:
    if name == "__init__":
        return base_init(call, owner.first)
    if name == "get_config":
        return Dict(items=UNKNOWN)
    core = owner.first.core if isinstance(owner.first, Instance) else None
    if core is not None and name in ("compile", "fit", "evaluate", "predict", "summary", "build", "add_weight", "add"):
        if name == "build" or (name == "compile" and isinstance(core, LayerObject)):
            return UNKNOWN
        return call_method(call.machine, Method(core, name), call)
    return UNKNOWN


_BY_KIND: dict[type, Callable[[Core, Any, str, Call], Value]] = {
    ModelObject: model_method,
    LayerObject: layer_method,
    List: _list,
    Dict: _dict,
    Array: _array,
    Dataset: _dataset,
    KerasTensor: _tensor,
    Super: _super,
    tuple: _tuple,
    str: _text,
}
