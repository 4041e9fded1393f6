"""Which keywords a callable takes: its signature, else what it says when it is called with them."""

from __future__ import annotations

import inspect
import re
from typing import Any

from . import cheap

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_INNER = (
    "layer",
    "cell",
    "cells",
    "forward_layer",
    "wrapped_layer",
    "model",
)  # what `cheap.guess` makes for a class of layers
_POSITIONAL = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
_REFUSED = re.compile(
    r"unexpected keyword|not understood|unrecogni[sz]ed|not recogni[sz]ed|invalid keyword|no longer supported|is deprecated|"
    r"has no \"|not supported|is not a valid|invalid argument|unsupported (keyword|argument)|unknown (keyword|argument)|"
    r"passed to optimizer|extra keyword",
    re.IGNORECASE,
)


def signature(value: Any) -> inspect.Signature | None:
    """The signature of a function, or of a class's `__init__` (else `__new__`) without self; None where there is none to see."""
    try:
        if not inspect.isclass(value):
            return inspect.signature(value)
        made = value.__init__ if value.__init__ is not object.__init__ else value.__new__
        found = inspect.signature(made)
        return found.replace(parameters=list(found.parameters.values())[1:])
    except (TypeError, ValueError):
        return None


def keyword(value: Any, name: str, examples: list[Any], seen_calls: list[Any]) -> tuple[str, str]:
    """`(status, how)`: ``accepted``, ``rejected`` or ``unknown``, and by what it was decided.

    ``examples`` are literals that scanned files pass for it, ``seen_calls`` whole calls of theirs that pass it: the count of
    positional arguments and the keywords.
    """
    if value is None or not callable(value):
        return "unknown", "not callable"
    seen = signature(value)
    if seen is None:
        return tried_class(value, name, examples, seen_calls) if inspect.isclass(value) else ("unknown", "no signature")
    parameters = seen.parameters
    if name in parameters and parameters[name].kind in _NAMED:
        return "accepted", "signature"
    takes_any = any(one.kind == one.VAR_KEYWORD for one in parameters.values())
    if inspect.isclass(value):
        if takes_any or is_wrapped(value.__init__) or has_own_call(value):
            return tried_class(value, name, examples, seen_calls)
        return "rejected", "signature"
    if not takes_any and not is_wrapped(value):
        return "rejected", "signature"
    return tried_function(value, seen, name)


def is_wrapped(function: Any) -> bool:
    """Whether a decorator stands before the function whose signature is shown."""
    return hasattr(function, "__wrapped__") or hasattr(function, "_tf_decorator")


def has_own_call(cls: type) -> bool:
    """Whether a metaclass decides what making an instance takes."""
    return type(cls).__call__ is not type.__call__


def tried_class(cls: type, name: str, examples: list[Any], seen_calls: list[Any]) -> tuple[str, str]:
    """Make one as scanned files do; else one without the keyword, then with it."""
    if name in ("input", "inputs", "output", "outputs") and cls.__name__ in ("Model", "Functional"):
        return tried_model(cls, name)
    for count, keywords in seen_calls:
        if not isinstance(cheap.as_written(cls, count, keywords), Exception):
            return "accepted", "made as it is written"
    plain = cheap.instance(cls)
    said = text = ""
    values = [tuple(one) if isinstance(one, list) else one for one in examples]
    for example in [*values, None, 1, 0.5, "same", True, (1,), (1, 1)]:
        outcome = cheap.instance(cls, **{name: example})
        if not isinstance(outcome, Exception):
            return "accepted", f"made with {example!r}"
        text = str(outcome)
        if name in text and _REFUSED.search(text) and isinstance(outcome, (TypeError, ValueError)):
            said = said or text
        elif name in text and not isinstance(plain, Exception):
            return "accepted", f"asks for another value: {text[:200]}"
    return ("rejected", said[:300]) if said else ("unknown", f"cannot be made: {text[:200]}")


def tried_model(cls: type, name: str) -> tuple[str, str]:
    """Make a model of a layer: under old names of its ends where ``name`` is one."""
    plural = "s" if name.endswith("s") else ""
    try:
        first, last = cheap.ends(cls)
        cls(**{"input" + plural: first, "output" + plural: last})
    except Exception as error:
        text = str(error)
        refused = isinstance(error, (TypeError, ValueError)) and _REFUSED.search(text)
        return ("rejected" if refused and name in text else "unknown"), text[:300]
    return "accepted", "made"


def tried_function(function: Any, seen: inspect.Signature, name: str) -> tuple[str, str]:
    """Call it with the keyword and none of the arguments that it requires: it refuses one or the other before it runs."""
    if getattr(function, "__name__", "") == "Input":  # makes a symbolic tensor, nothing else
        try:
            function(**{"shape": (1,), name: (1, 1) if "batch" in name else None})
        except Exception as error:
            return ("rejected" if _REFUSED.search(str(error)) and name in str(error) else "unknown"), str(error)[:300]
        return "accepted", "made"
    needed = required(seen, name)
    if not needed:
        return "unknown", "no required argument: a call would run it"
    try:
        function(**{name: None}, **asked_by_wrapper(function, name))
    except TypeError as error:
        text = str(error)
        if "unexpected keyword" in text and name in text:
            return "rejected", text[:300]
        if "missing" in text and any(one in text for one in needed):
            return "accepted", text[:300]
        return "unknown", text[:300]
    except Exception as error:
        return "unknown", f"{type(error).__name__}: {str(error)[:200]}"
    return "unknown", "it ran"


def required(seen: inspect.Signature, but: str) -> list[str]:
    """The parameters without a default, but one."""
    return [
        one.name
        for one in seen.parameters.values()
        if one.default is one.empty and one.kind in _POSITIONAL and one.name != but
    ]


def asked_by_wrapper(function: Any, name: str) -> dict[str, Any]:
    """Something for what a decorator's own function asks for before it hands keywords on to the function that it wraps.

    Without them it would complain of those alone, as `save_wrapper(obj, filepath, ...)` of Keras 2.3 does.
    """
    try:
        own = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        return {}
    if not hasattr(function, "__wrapped__") or name in own.parameters:
        return {}
    return {one: cheap.guess(type(function), one) for one in required(own, name) if one not in _INNER}


def positional(value: Any, count: int) -> str:
    """`ok`, `too many` or `unknown` for that many positional arguments."""
    seen = signature(value) if value is not None and callable(value) else None
    if seen is None:
        return "unknown"
    parameters = seen.parameters.values()
    if any(one.kind == one.VAR_POSITIONAL for one in parameters):
        return "ok"
    if count <= sum(one.kind in _POSITIONAL for one in parameters):
        return "ok"
    wrapped = (has_own_call(value) or is_wrapped(value.__init__)) if inspect.isclass(value) else is_wrapped(value)
    return "unknown" if wrapped else "too many"
