"""Records made into one history a root: for each name, each fact with the releases in which it holds."""

import builtins
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from envcheck.knowledge.api.history import left_out

Record = dict[str, Any]
COPIED = (".api.", "tensorflow.python.ops.standard_ops.", ".schema_py_generated.")
"""Modules that hold other modules' names once more, or generated ones by the thousand: their names are left out."""
LEAKY = ("contrib.quantization",)
"""A module of TensorFlow 1 that imports hundreds of names from elsewhere with a star; its source tells which."""
Facts = dict[tuple[str, str], list[int]]
"""(mark, value) → the columns in which it holds; the marks are those of compat_matrix/api/README.md."""


@dataclass
class Entry:
    """One name's facts, and those of the members that its class adds to its bases."""

    facts: Facts = field(default_factory=lambda: defaultdict(list))
    members: dict[str, Facts] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))


@dataclass
class Book:
    """The history of one root.

    Args:
        title: `keras`.
        labels: the releases, oldest first, as they are written: `2.15`, `2.2.4`.
        versions: the exact version recorded for each.
    """

    title: str
    labels: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=lambda: defaultdict(Entry))
    modules: dict[str, Entry] = field(default_factory=lambda: defaultdict(Entry))


class Slice:
    """One release of one book: a record seen through the names that the book is about.

    Args:
        record: what the extractor wrote.
        inside: the part of the root that the book is about, "keras" for `tensorflow.keras`; "" for all of it.
        outside: a part that another book is about, or "".
    """

    def __init__(self, record: Record, inside: str = "", outside: str = "") -> None:
        self.record, self.inside, self.outside = record, inside, outside
        self.objects: list[Record] = record["objects"]

    def local(self, name: str) -> str | None:
        """A name as this book writes it, or None where it is not its business."""
        if self.inside:
            return name[len(self.inside) + 1 :] if name.startswith(self.inside + ".") else None
        if self.outside and (name == self.outside or name.startswith(self.outside + ".")):
            return None
        return name

    def foreign(self, name: str) -> str:
        """A name of the root as this book refers to it: its own in short, another book's as `/keras.layers.Dense`."""
        local = self.local(name)
        return local if local is not None else "/" + name

    def names(self) -> Iterator[tuple[str, Any]]:
        """(name as this book writes it, what the record says)."""
        for name, value in self.record["names"].items():
            local = self.local(name)
            if local:
                yield local, value

    def canonical(self, settled: set[str]) -> dict[int, str]:
        """{object: its one name in the root}: outside compat and contrib, the one that stays, named like the object."""
        groups: dict[int, list[str]] = defaultdict(list)
        for name, value in self.record["names"].items():
            if isinstance(value, int):
                groups[value].append(name)
        chosen = {}
        for number, names in groups.items():
            own = self.objects[number].get("origin", "").rpartition(":")[2]
            chosen[number] = min(names, key=lambda name: rank(name, own, settled))
        return chosen


def rank(name: str, own: str, settled: set[str]) -> tuple[Any, ...]:
    """The order in which an object's names are preferred."""
    parts = name.split(".")
    return (
        "compat" in parts,
        "contrib" in parts,
        name not in settled,
        parts[-1] != own,
        "experimental" in parts,
        len(parts),
        len(name),
        name,
    )


def fill(book: Book, column: int, part: Slice, settled: set[str]) -> None:
    """Enter one release into a book; columns are entered newest first, so that names settle on today's."""
    canonical = part.canonical(settled)
    settled.update(canonical.values())
    _Column(book, column, part, canonical).enter()
    modules = part.record["modules"]
    for module, facts in modules.items():
        entry = book.modules[module].facts
        entry[":", ""].append(column)
        copied = any(part in f"{module}." for part in COPIED)
        for name in () if copied else facts["names"]:
            submodule = f"{module}.{name}" in modules and name not in facts["public"]
            if not left_out(name) and not submodule:
                entry["", _module_name(part, module, name, facts["public"].get(name))].append(column)
        if facts["open"] or copied:
            entry["*", ""].append(column)
    for module in set(modules).intersection(part.record["bound"]):
        book.modules[module].facts["^", ""].append(column)


def _module_name(part: Slice, module: str, name: str, public: str | None) -> str:
    """A name in a module: `Dense=layers.` for one whose public name is layers.Dense, `old=layers.New` for another."""
    if public is None or public.startswith(LEAKY) or f"{module.partition('.')[2]}.{name}" == public:
        return name
    whole = part.foreign(public)
    return f"{name}={whole[: -len(name)] or '.'}" if whole == name or whole.endswith(f".{name}") else f"{name}={whole}"


class _Column:
    """One release of one book while it is entered."""

    def __init__(self, book: Book, column: int, part: Slice, canonical: dict[int, str]) -> None:
        self.book, self.column, self.part, self.canonical = book, column, part, canonical
        self.resolver = Resolver(part.objects)

    def enter(self) -> None:
        """Enter every name."""
        flags = {
            "^": {self.part.local(name) for name in self.part.record["imported"]},
            ">": {self.part.local(name) for name in self.part.record["importable"]},
        }
        dead = _endpoints(self.part)
        for name, value in self.part.names():
            if (isinstance(value, dict) and "raises" in value) or name.startswith(
                tuple(f"{leaky}." for leaky in LEAKY)
            ):
                continue
            self.name(name, value)
            for mark, names in flags.items():
                if name in names:
                    self.note(name, mark, "")
            if name in dead:
                self.note(name, "!", "name")

    def note(self, name: str, mark: str, text: str) -> None:
        """One fact of a name holds in this release."""
        self.book.entries[name].facts[mark, text].append(self.column)

    def name(self, name: str, value: Any) -> None:
        """One name: an alias, a module, a constant, or the canonical name of an object."""
        if isinstance(value, int):
            target = self.part.foreign(self.canonical[value])
            self.note(name, ":", f"={target}" if target != name else self.part.objects[value]["kind"])
            if target == name:
                self.describe(name, value)
        elif "same" in value:
            self.note(name, ":", "=" + self.part.foreign(value["same"]))
        elif "data" in value:
            self.note(name, ":", "data")
        else:
            entered = value["entered"] and name not in LEAKY
            self.note(name, ":", "module" if entered else "internal")
            if not entered and value["module"] != f"{self.part.record['root']}.{name}":
                self.note(name, "@", value["module"])

    def describe(self, name: str, number: int) -> None:
        """What is recorded of an object, under its canonical name."""
        thing = self.part.objects[number]
        if "call" in thing:
            self.note(name, "(", "?" if thing["call"] is None else thing["call"])
        if thing.get("bases"):
            bases = [
                base if isinstance(base, str) else self.part.foreign(self.canonical[base]) for base in thing["bases"]
            ]
            self.note(name, "<", " ".join(bases))
        if "getattr" in thing:
            self.note(name, "*", "")
        for text in marks(thing.get("deprecated", {})):
            self.note(name, "!", text)
        if "keywords" in thing:
            self.keywords(name, thing)
        for member, facts in thing.get("members", {}).items():
            inherited = self.resolver.inherited(number, member)
            if inherited is None or not same(inherited, facts):
                for mark, text in member_facts(facts):
                    self.book.entries[name].members[member][mark, text].append(self.column)

    def keywords(self, name: str, thing: Record) -> None:
        """What trying keywords told; where nonsense is rejected, only the exceptions are kept, and what stayed unknown."""
        tried = thing["keywords"]
        self.note(name, "?", tried["other"] or "unknown")
        known = {word for outcome in ("accepted", "ignored", "rejected") for word in tried[outcome]}
        outcomes = {"+": tried["accepted"], "~": tried["ignored"]}
        if tried["other"] == "rejected":
            explicit = {word.strip("*").rstrip("=") for word in thing["call"].split()}
            outcomes["u"] = sorted(ALL_TRIED - known - explicit)
        else:
            outcomes["x"] = tried["rejected"]
        for mark, words in outcomes.items():
            for word in words:
                self.note(name, mark, word)


def _endpoints(part: Slice) -> set[str]:
    """The names that their own object calls deprecated endpoints; a release of TensorFlow 2 means its compat.v1 names."""
    found = set()
    for name, value in part.record["names"].items():
        ends = part.objects[value].get("endpoints", ()) if isinstance(value, int) else ()
        if ends and name.removeprefix("compat.v1.") in ends:
            found.add(part.local(name) or "")
    return found


ALL_TRIED: set[str] = set()
"""The keywords that the extractor tries; set before filling."""


def member_facts(facts: Record) -> Iterator[tuple[str, str]]:
    """A member's facts as marks and values."""
    yield ":", facts["kind"]
    if "call" in facts:
        yield "(", "?" if facts["call"] is None else facts["call"]
    for text in marks(facts.get("deprecated", {})):
        yield "!", text


def marks(deprecated: Record) -> Iterator[str]:
    """A deprecation's facts in words: `after=2020-07-01 instead=tf.x`, `arguments=dim`, or `yes`."""
    if deprecated.get("marked"):
        words = [f"after={deprecated['after']}"] if "after" in deprecated else []
        words += [f"instead={','.join(deprecated['instead'])}"] if "instead" in deprecated else []
        yield " ".join(words) or "yes"
    if "arguments" in deprecated:
        yield "arguments=" + ",".join(deprecated["arguments"])


def same(one: Record, other: Record) -> bool:
    """Whether two members' facts are written alike; a builtin base's member says nothing but that it is there."""
    if one.get("builtin"):
        return other.get("call") is None and other["kind"] in ("method", "data", "property")
    return list(member_facts(one)) == list(member_facts(other))


class Resolver:
    """What a class's public bases give it, found as the reader of the history finds it."""

    def __init__(self, objects: list[Record]) -> None:
        self.objects = objects

    def inherited(self, number: int, member: str) -> Record | None:
        """A member as the first base that has it gives it, or None."""
        for base in self.objects[number].get("bases", ()):
            if isinstance(base, str):
                if member in dir(getattr(builtins, base[1:])):
                    return {"builtin": True}
            elif member in self.objects[base].get("members", {}):
                found: Record = self.objects[base]["members"][member]
                return found
        return None
