"""One public object as plain data: kind, where it is defined, how it is called, what its class holds, deprecations."""

import builtins
import inspect
import sys
import types

from . import deprecations, signatures


class Describe:
    """Turns objects into dicts, each object once; classes name their public bases by number.

    Args:
        objects: the public objects, each once, in a fixed order. An object's number is its place there.
        sources: parsed source files.
    """

    def __init__(self, objects, sources):
        self._numbers = {id(thing): number for number, thing in enumerate(objects)}
        self._objects = objects
        self._sources = sources

    def all(self):
        """A dict for every object, in order."""
        return [self.one(thing) for thing in self._objects]

    def one(self, thing):
        """kind; and where they apply: origin, call, deprecated, endpoints, bases, members, getattr."""
        facts = {"kind": kind(thing)}
        where = origin(thing)
        if where:
            facts["origin"] = where
        if inspect.isclass(thing):
            facts.update(self.class_facts(thing))
        elif callable(thing):
            facts["call"] = signatures.of(thing, bound=False)
            mark = self.function_marks(thing)
            if mark:
                facts["deprecated"] = mark
        ends = deprecations.endpoints(thing)
        if ends:
            facts["endpoints"] = ends
        return facts

    def function_marks(self, thing):
        """Deprecation marks of a function: its docstring's, else its body's."""
        marks = deprecations.in_docstring(doc(thing))
        if not marks.get("marked"):
            inner = inspect.unwrap(signatures.original(thing)) if callable(thing) else thing
            code = getattr(inner, "__code__", None)
            node = self._sources.function(code) if code is not None else None
            if node is not None and deprecations.in_body(node):
                marks["marked"] = True
        return marks

    def class_facts(self, cls):
        """What a class adds to its nearest public bases."""
        bases = self.bases(cls)
        facts = {"call": signatures.of_class(cls)}
        mark = deprecations.in_docstring(doc(cls))
        if not mark.get("marked"):
            maker = next((vars(owner)["__init__"] for owner in cls.__mro__ if "__init__" in vars(owner)), None)
            if inspect.isfunction(maker) and maker.__module__ == cls.__module__:
                inner = self.function_marks(maker)
                mark = inner if inner.get("marked") else dict(inner, **mark)
        if mark:
            facts["deprecated"] = mark
        facts["bases"] = [base if isinstance(base, str) else self._numbers[id(base)] for base in bases]
        if any("__getattr__" in vars(owner) for owner in cls.__mro__ if owner.__module__ != "builtins"):
            facts["getattr"] = True
        facts["members"] = self.members(cls)
        return facts

    def bases(self, cls):
        """The public classes nearest to a class in its method resolution order; builtin ones as `!name`."""
        kept = []
        for owner in cls.__mro__[1:]:
            if owner is object:
                continue
            if any(not isinstance(base, str) and issubclass(base, owner) for base in kept):
                continue
            if owner.__module__ == "builtins" and getattr(builtins, owner.__name__, None) is owner:
                if not any(isinstance(base, str) and issubclass(getattr(builtins, base[1:]), owner) for base in kept):
                    kept.append("!" + owner.__name__)
            elif id(owner) in self._numbers:
                kept.append(owner)
        return kept

    def members(self, cls):
        """{name: {kind, call, deprecated}} of every public member, inherited ones included: merging takes those out."""
        members = {}
        for name in sorted(set(dir(cls)) - set(dir(object))):
            if name.startswith("_") and name != "__call__":
                continue
            static = inspect.getattr_static(cls, name, None)
            if static is None and not _has(cls, name):
                continue
            members[name] = self.member(static)
        for owner in cls.__mro__:
            module = sys.modules.get(owner.__module__)
            path = getattr(module, "__file__", None)
            if path and path.endswith(".py") and "site-packages" in path:
                for name in self._sources.attributes(path, owner.__name__):
                    members.setdefault(name, {"kind": "attribute"})
        return members

    def member(self, static):
        """One member's kind; and where they apply: call, deprecated."""
        if isinstance(static, property) or type(static).__name__ in ("cached_property", "AutoCastProperty"):
            marks = self.function_marks(static.fget) if isinstance(static, property) and static.fget is not None else {}
            return dict({"kind": "property"}, **({"deprecated": marks} if marks else {}))
        if inspect.isclass(static):
            return {"kind": "class"}
        if not (callable(static) or isinstance(static, (staticmethod, classmethod))):
            return {"kind": "data"}
        facts = {"kind": "method", "call": signatures.of_member(static)}
        inner = static.__func__ if isinstance(static, (staticmethod, classmethod)) else static
        marks = self.function_marks(inner)
        if marks:
            facts["deprecated"] = marks
        return facts


def kind(thing):
    """module, class, function, callable or data."""
    if isinstance(thing, types.ModuleType):
        return "module"
    if inspect.isclass(thing):
        return "class"
    if inspect.isroutine(thing):
        return "function"
    return "callable" if callable(thing) else "data"


def origin(thing):
    """`module:qualified name` of what has one."""
    module, name = _own(thing, "__module__"), _own(thing, "__qualname__") or _own(thing, "__name__")
    if not module or not name or isinstance(thing, types.ModuleType) or "<" in name:
        return None
    return module.replace("tensorflow_core", "tensorflow") + ":" + name


def doc(thing):
    """An object's own docstring; a class's is never its base's."""
    if inspect.isclass(thing):
        return vars(thing).get("__doc__")
    value = getattr(thing, "__doc__", None)
    return value if isinstance(value, str) else None


def _own(thing, name):
    try:
        value = getattr(thing, name, None)
    except Exception:  # a dispatching proxy may raise anything
        return None
    return value if isinstance(value, str) else None


def _has(thing, name):
    try:
        getattr(thing, name)
    except Exception:
        return False
    return True
