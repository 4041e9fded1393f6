"""What a symbol is on one target: a name, or a member of the object that an expression gives."""

from __future__ import annotations

import builtins
from typing import NamedTuple

from envcheck.knowledge.api.answers import Answer, Api, Status
from envcheck.knowledge.api.history import CLASS, INTERNAL, MODULE, Found
from envcheck.knowledge.api.objects import Objects
from envcheck.knowledge.api.returns import Returns
from envcheck.knowledge.api.target import Target

OF_FUNCTIONAL = frozenset(("inputs", "outputs", "input_shape", "output_shape", "operations", "output_names"))
"""What ``Model(inputs, outputs)`` and ``Sequential`` have in Keras 3 and the class Model has not (measured: Keras 3.15.1)."""


class Seen(NamedTuple):
    """One symbol on one target.

    ``status``: None where the class of the object before the last dot is not known; ``name``: the dotted name that was asked,
    for a member its class and itself; ``missing``: where it is absent, the part of the symbol that is; ``member``: it is one.
    """

    status: Status | None
    name: str
    answer: Answer | None = None
    missing: str = ""
    member: bool = False


class Thing(NamedTuple):
    """An object: an instance of one of the classes.

    ``judged``: what they lack may be reported; ``exact``: also what no release of them had; ``items``: it is a list of such.
    """

    classes: tuple[str, ...]
    judged: bool = True
    exact: bool = False
    items: bool = False


class Names:
    """Asks the history about symbols, each once.

    Args:
        api: the history.
        returns: what calls give.
        objects: what objects have and their classes do not show.
        target: the releases asked about.
    """

    def __init__(self, api: Api, returns: Returns, objects: Objects, target: Target) -> None:
        self.api = api
        self._objects = objects
        self.target = target
        self._returns = returns
        self._seen: dict[str, Seen] = {}
        self._things: dict[str, Thing | None] = {}
        self._importable: dict[str, Status] = {}

    def see(self, symbol: str) -> Seen:
        """A symbol without alternatives."""
        if symbol not in self._seen:
            self._seen[symbol] = self._see(symbol)
        return self._seen[symbol]

    def _see(self, symbol: str) -> Seen:
        head, call, _ = symbol.rpartition("()")
        if not call:
            answer = self.api.ask(symbol, self.target)
            module, _, last = symbol.rpartition(".")
            if answer.status in (Status.ABSENT, Status.UNKNOWN) and module and self.in_file(module, last):
                return Seen(Status.PRESENT, symbol, Answer(Status.PRESENT))
            return Seen(answer.status, symbol, answer, self._missing(symbol) if answer.status is Status.ABSENT else "")
        rest = symbol[len(head) + 2 :]
        if not rest:  # the call itself: it was seen where it is called
            return Seen(None, symbol)
        owner = self.see(head)
        if owner.status is Status.ABSENT:
            return owner._replace(missing=owner.missing or head, member=True)
        thing = self.thing(head + "()")
        names = rest[1:].split(".")
        for place, name in enumerate(names):
            if thing is None:
                return Seen(None, symbol)
            seen = self._member(thing, name, symbol)
            if place == len(names) - 1 or seen.status not in (Status.PRESENT, Status.DEPRECATED):
                return seen
            thing = self._gives(seen)
        return Seen(None, symbol)

    def _member(self, thing: Thing, name: str, symbol: str) -> Seen:
        """A member of an object; absent where no class of it has it and some release has."""
        if thing.items:
            element = name == "__getitem__"
            return Seen(Status.PRESENT if element else None, f"{symbol}", None, member=True)
        answers = [(f"{one}.{name}", self._ask(f"{one}.{name}")) for one in thing.classes]
        for status in (Status.PRESENT, Status.DEPRECATED, Status.FOREIGN, Status.UNKNOWN):
            for full, answer in answers:
                if answer.status is status:
                    return Seen(None if status is Status.UNKNOWN else status, full, answer, member=True)
        if name in OF_FUNCTIONAL and any(one.endswith((".Model", ".Sequential")) for one in thing.classes):
            return Seen(None, symbol)
        if thing.judged and not any(self._has(one, name) for one in thing.classes):
            for full, answer in answers:
                history = self.api.history(full)
                if thing.exact or (history is not None and history.present):
                    return Seen(Status.ABSENT, full, answer, symbol, member=True)
        return Seen(None, answers[0][0], answers[0][1], member=True)

    def _ask(self, name: str) -> Answer:
        """A member by its whole name; those of Python's own classes are what this Python has."""
        if not name.startswith("builtins."):
            return self.api.ask(name, self.target)
        _, owner, member = name.split(".", 2)
        return Answer(Status.UNKNOWN if hasattr(getattr(builtins, owner), member) else Status.ABSENT)

    def _has(self, owner: str, name: str) -> bool:
        """Whether an object of a recorded class has an attribute that the history lacks."""
        return not owner.startswith("builtins.") and self._objects.has(f"{owner}.{name}", self.target)

    def thing(self, symbol: str) -> Thing | None:
        """What an expression that ends in a call gives; None where that is not known."""
        if symbol not in self._things:
            self._things[symbol] = None
            self._things[symbol] = self._thing(symbol[:-2])
        return self._things[symbol]

    def _thing(self, called: str) -> Thing | None:
        if called.endswith("()"):  # an object is called: a layer, most often
            owner = self.thing(called)
            return self._of_classes(owner, "__call__") if owner else None
        if called.endswith(".__getitem__"):
            holder = self._holder(called[: -len(".__getitem__")])
            if holder is not None and holder.items:
                return holder._replace(items=False)
        seen = self.see(called)
        if seen.answer is None or seen.status not in (Status.PRESENT, Status.DEPRECATED, Status.FOREIGN):
            return None
        if seen.member and called.endswith(".__enter__"):
            return self._gives(seen) or self.thing(called[: -len(".__enter__")])
        kinds = {one.kind for one in seen.answer.found}
        return self._gives(seen) or (Thing((seen.name,)) if kinds == {CLASS} else None)

    def _holder(self, symbol: str) -> Thing | None:
        """The list that an expression is: what a call gives, or an attribute of an object holds."""
        if symbol.endswith("()"):
            return self.thing(symbol)
        seen = self.see(symbol)
        return self._gives(seen) if seen.answer is not None and seen.status is not Status.ABSENT else None

    def _of_classes(self, thing: Thing, name: str) -> Thing | None:
        for one in thing.classes:
            found = self._gives(Seen(Status.PRESENT, f"{one}.{name}", self.api.ask(f"{one}.{name}", self.target)))
            if found is not None:
                return found
        return None

    def _gives(self, seen: Seen) -> Thing | None:
        canonical = (one.name for one in seen.answer.found) if seen.answer else ()
        for name in dict.fromkeys([seen.name, *canonical]):
            result = self._returns.gives(name, self.target)
            if result is not None:
                return Thing(result.classes, result.judged, result.exact, result.items) if result.classes else None
        return None

    def _missing(self, name: str) -> str:
        """The shortest part of a dotted name that is absent."""
        parts = name.split(".")
        for length in range(1, len(parts)):
            part = ".".join(parts[:length])
            if self.api.ask(part, self.target).status is Status.ABSENT:
                return part
        return name

    def importable(self, module: str) -> Status:
        """Whether ``import module`` works: attribute access finds modules that an import does not, and the other way round."""
        if module not in self._importable:
            self._importable[module] = self._import(module)
        return self._importable[module]

    def _import(self, module: str) -> Status:
        if "." not in module:
            return self.see(module).status or Status.UNKNOWN
        if self.in_file(module) is not None:
            return Status.PRESENT
        root, path = self.api.split(module) or ("", "")
        answer = self.see(module).answer
        if answer is None or answer.status in (Status.ABSENT, Status.UNKNOWN):
            return answer.status if answer else Status.UNKNOWN
        if all(self._is_module(one, root, path) for one in answer.found):
            return answer.status
        return Status.ABSENT

    def in_file(self, module: str, name: str = "") -> bool | None:
        """Whether an importable module of the target binds a name at its top level; None where the module is not recorded.

        Attribute access may lead elsewhere: ``keras.layers.merging.add`` is a function, and a module for an import.
        """
        root = module.partition(".")[0]
        mask = self.api.chosen(self.target)[0](root)
        recorded = self.api.shelf.modules(root).module(module) if mask else None
        if recorded is None or recorded.mask & mask != mask:
            return None
        return any(releases & mask == mask for releases, _ in recorded.names.get(name, ()))

    def _is_module(self, found: Found, root: str, path: str) -> bool:
        if found.kind not in (MODULE, INTERNAL, "name"):
            return False
        keras = path.partition(".")[0] == "keras" and root == "tensorflow"
        title, inner = (found.book, path.partition(".")[2]) if keras else (root, path)
        if keras and not inner:
            return True
        entry = self.api.shelf.book(title).entry(inner)
        if entry is not None and found.kind != "name":
            mask = found.mask if found.book == title else self.api.chosen(self.target)[0](title)
            works = 0
            for fact in entry.holding(">", mask):
                works |= fact.mask
            if works & mask == mask:
                return True
        return False
