"""Python's own functions, as far as shapes depend on them.

Source: https://docs.python.org/3/library/functions.html
"""

from __future__ import annotations

import math
from collections.abc import Callable

from envcheck.model.attributes import attribute, set_attribute
from envcheck.model.comprehensions import iterated
from envcheck.model.core import LONGEST, Call
from envcheck.model.events import Array, Dataset, KerasTensor, Made
from envcheck.model.functions import super_of
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import Dict, LayerObject, List, ModelObject, Partial, Value

Handler = Callable[[Call], Value]


def _len(call: Call) -> Value:
    value = call.get("obj", 0, UNKNOWN)
    if isinstance(value, Array):
        first = value.shape[0] if isinstance(value.shape, tuple) and value.shape else UNKNOWN
        return first if type(first) is int else UNKNOWN
    if isinstance(value, range):
        return len(value)
    if isinstance(value, str):
        return len(value)
    items = iterated(value)
    return UNKNOWN if items is None else len(items)


def _range(call: Call) -> Value:
    given = call.positional
    if not call.complete or not 1 <= len(given) <= 3 or any(type(each) is not int for each in given):
        return UNKNOWN
    return range(*given) if len(given) < 3 or given[2] else UNKNOWN


def _number(kind: Callable[[float], Value]) -> Handler:
    def made(call: Call) -> Value:
        value = call.get("x", 0, UNKNOWN)
        if not isinstance(value, (int, float)) or len(call.positional) > 1:
            return UNKNOWN
        try:
            found = kind(value)
        except (ValueError, OverflowError):
            return UNKNOWN
        return UNKNOWN if isinstance(found, int) and abs(found) >= 1 << 60 else found

    return made


def _text(call: Call) -> Value:
    value = call.get("object", 0, UNKNOWN)
    return str(value) if type(value) in (int, str, bool, float) else UNKNOWN


def _list(call: Call) -> Value:
    if not call.positional:
        return List(items=() if call.complete else UNKNOWN)
    value = call.positional[0]
    if isinstance(value, Array):
        return value
    items = iterated(value)
    return List(items=UNKNOWN if items is None or len(items) > LONGEST else items)


def _tuple(call: Call) -> Value:
    if not call.positional:
        return () if call.complete else UNKNOWN
    items = iterated(call.positional[0])
    return UNKNOWN if items is None or len(items) > LONGEST else items


def _dict(call: Call) -> Value:
    start: dict[Value, Value] | None = {}
    if call.positional:
        first = call.positional[0]
        start = first.mapping() if isinstance(first, Dict) else None
    if start is None or not call.complete:
        return Dict(items=UNKNOWN)
    return Dict(items=tuple({**start, **call.keywords}.items()))


def _zip(call: Call) -> Value:
    each = [iterated(one) for one in call.positional]
    known = [one for one in each if one is not None]
    return List(items=tuple(zip(*known, strict=False)) if len(known) == len(each) and call.complete else UNKNOWN)


def _enumerate(call: Call) -> Value:
    items, start = iterated(call.get("iterable", 0, UNKNOWN)), call.get("start", 1, 0)
    return List(items=UNKNOWN if items is None or type(start) is not int else tuple(enumerate(items, start)))


def _reversed(call: Call) -> Value:
    items = iterated(call.get("sequence", 0, UNKNOWN))
    return List(items=UNKNOWN if items is None else items[::-1])


def _sorted(call: Call) -> Value:
    items = iterated(call.get("iterable", 0, UNKNOWN))
    plain = items is not None and all(type(each) is int for each in items) and not call.keywords
    return List(items=tuple(sorted(items)) if plain and items is not None else UNKNOWN)


def _folded(kind: Callable[[list[float]], float]) -> Handler:
    def made(call: Call) -> Value:
        given = iterated(call.positional[0]) if len(call.positional) == 1 else call.positional
        numbers = given is not None and bool(given) and all(isinstance(each, (int, float)) for each in given)
        return kind(list(given or ())) if numbers and call.complete and not call.keywords else UNKNOWN

    return made


def _getattr(call: Call) -> Value:
    name = call.get("name", 1, UNKNOWN)
    if not isinstance(name, str) or len(call.positional) > 2:
        return UNKNOWN
    return attribute(call.machine, call.get("object", 0, UNKNOWN), name)


def _setattr(call: Call) -> Value:
    owner, name = call.get("obj", 0, UNKNOWN), call.get("name", 1, UNKNOWN)
    if isinstance(name, str):
        set_attribute(call.machine, owner, name, call.get("value", 2, UNKNOWN))
    else:
        call.machine.taint(owner)
    return None


def _isinstance(call: Call) -> Value:
    """Only what is certain: a number or a tensor is no list, a list is no number."""
    value, kind = call.get("obj", 0, UNKNOWN), getattr(call.get("kind", 1, UNKNOWN), "name", "")
    if isinstance(value, (KerasTensor, Made, LayerObject, ModelObject)):
        return (
            False
            if kind in ("builtins.tuple", "builtins.list", "builtins.dict", "builtins.int", "builtins.str")
            else UNKNOWN
        )
    named = {"int": int, "float": float, "str": str, "bool": bool, "tuple": tuple}
    plain = isinstance(value, (int, float, str, tuple, type(None)))
    if plain and kind.removeprefix("builtins.") in named:
        return isinstance(value, named[kind.removeprefix("builtins.")])
    if kind in ("builtins.list", "builtins.dict") and (plain or isinstance(value, (List, Dict))):
        return isinstance(value, List if kind == "builtins.list" else Dict)
    return UNKNOWN


def _super(call: Call) -> Value:
    return super_of(call.machine)


def _partial(call: Call) -> Value:
    if not call.positional or not call.complete:
        return UNKNOWN
    return Partial(call.positional[0], call.positional[1:], call.keywords)


def _anything(call: Call) -> Value:
    """``exec`` and its like: any name may stand for anything now."""
    machine = call.machine
    scope = machine.scope
    while scope is not None:
        for name in list(scope.state):
            machine.state.write(scope, name, UNKNOWN)
        if scope.parent is None:
            break
        scope = scope.parent
    return UNKNOWN


def _copied(call: Call) -> Value:
    value = call.get("x", 0, UNKNOWN)
    if isinstance(value, (List, Dict)) and call.name.endswith(".copy"):
        return type(value)(items=value.items)
    return value if isinstance(value, (Array, Dataset, int, float, str, tuple)) else UNKNOWN


def _quiet(_: Call) -> Value:
    return None


FUNCTIONS: dict[str, Handler] = {
    "builtins.len": _len,
    "builtins.range": _range,
    "builtins.int": _number(int),
    "builtins.float": _number(float),
    "builtins.abs": _number(abs),
    "builtins.round": _number(round),
    "math.ceil": _number(math.ceil),
    "math.floor": _number(math.floor),
    "math.sqrt": _number(math.sqrt),
    "math.log2": _number(math.log2),
    "builtins.str": _text,
    "builtins.list": _list,
    "builtins.set": _list,
    "builtins.tuple": _tuple,
    "builtins.dict": _dict,
    "builtins.zip": _zip,
    "builtins.enumerate": _enumerate,
    "builtins.reversed": _reversed,
    "builtins.sorted": _sorted,
    "builtins.max": _folded(max),
    "builtins.min": _folded(min),
    "builtins.sum": _folded(sum),
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.isinstance": _isinstance,
    "builtins.super": _super,
    "functools.partial": _partial,
    "builtins.exec": _anything,
    "builtins.globals": _anything,
    "copy.copy": _copied,
    "copy.deepcopy": _copied,
    "builtins.print": _quiet,
}
