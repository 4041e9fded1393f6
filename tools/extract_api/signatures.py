"""What a callable may be called with, as one line of text.

The line is what Python would show between the parentheses, without annotations and with defaults cut to `=`:
`units activation= *args name= **kwargs`. A lone `*` opens the keyword-only parameters and a lone `/` closes the positional-only
ones. None stands for a callable that does not say (most C++ ones).
"""

import functools
import inspect


def of(thing, bound):
    """The line for a function or any other callable; `bound` drops the first parameter (self or cls).

    Args:
        thing: the callable.
        bound: whether the first parameter is filled in by Python.

    Returns: the line, or None where the callable does not say.
    """
    try:
        parameters = list(inspect.signature(original(thing)).parameters.values())
    except (TypeError, ValueError, AttributeError, NameError, RuntimeError):
        return None
    if (
        bound
        and parameters
        and parameters[0].kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.KEYWORD_ONLY)
    ):
        parameters = parameters[1:]
    return line(parameters)


def line(parameters):
    """`inspect.Parameter`s as one line."""
    words, last, starred = [], None, False
    for parameter in parameters:
        if last is inspect.Parameter.POSITIONAL_ONLY and parameter.kind is not last:
            words.append("/")
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            starred = True
            words.append("*" + parameter.name)
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
            words.append("**" + parameter.name)
        else:
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not starred:
                starred = True
                words.append("*")
            words.append(parameter.name + ("" if parameter.default is inspect.Parameter.empty else "="))
        last = parameter.kind
    if last is inspect.Parameter.POSITIONAL_ONLY:
        words.append("/")
    return " ".join(words)


def original(thing):
    """The function behind Keras 2.0-2.3's legacy interfaces, which hide it behind `(*args, **kwargs)`.

    Their wrapper is keras/legacy/interfaces.py; it keeps the function it wraps as `_original_function`.
    """
    seen = 0
    while seen < 10:
        inner = getattr(thing, "_original_function", None)
        if inner is None or not callable(inner):
            return thing
        thing, seen = inner, seen + 1
    return thing


def of_class(cls):
    """The line for calling a class: its `__init__`, or its `__new__` where that comes first and `__init__` does not.

    Enumerations and classes whose constructors are C++ give None.
    """
    for owner in cls.__mro__:
        own = vars(owner)
        for name in ("__init__", "__new__"):
            maker = own.get(name)
            if isinstance(maker, staticmethod):
                maker = maker.__func__
            if maker is None or owner is object:
                continue
            if name == "__new__" and "__init__" not in own and is_bare(maker) and owner is not cls.__mro__[-2]:
                continue  # Keras 3 Operation.__new__ only remembers the arguments; __init__ decides
            return of(maker, bound=True)
    return "" if cls.__init__ is object.__init__ and cls.__new__ is object.__new__ else None


def is_bare(maker):
    """Whether a function takes just anything: `(cls, *args, **kwargs)`."""
    text = of(maker, bound=True)
    return text is not None and [word[0] for word in text.split()] == ["*", "*"]


def of_member(static):
    """The line for a method as it is called on an instance (or on the class, where it is a class or static method)."""
    if isinstance(static, staticmethod):
        return of(static.__func__, bound=False)
    if isinstance(static, classmethod):
        return of(static.__func__, bound=True)
    if isinstance(static, functools.partial) or inspect.isbuiltin(static):
        return None
    if inspect.isfunction(static) or hasattr(static, "__wrapped__"):
        return of(static, bound=True)
    return None
