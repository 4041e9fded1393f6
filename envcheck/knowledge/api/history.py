"""Where a dotted name leads in each release: through modules, aliases, classes and their bases, from one root to another."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from packaging.version import Version

from envcheck.knowledge.api.book import Book, Entry, Modules, united

Chosen = Callable[[str], int]
ROOTS = {"tensorflow": "tensorflow", "tf": "tensorflow", "keras": "keras", "tf_keras": "tf_keras"}
"""What a name may open with, and the root meant."""
SEAM = Version("2.16")
"""From this TensorFlow on, ``tensorflow.keras`` is the installed Keras 3: its history goes on with Keras's releases."""
ONLY_TF_KERAS = ("__version__", "protobuf", "src")
"""What tf_keras has and ``tf.keras`` has not where TF_USE_LEGACY_KERAS makes it tf_keras (measured from 2.15 to 2.21)."""
SWITCHED = "keras.src.backend.numpy"
"""As an attribute of its package it is the chosen backend's own module ``numpy``; an import finds the backend for NumPy."""
TWO = 2
COPIES = ("compat.v1.compat.v", "compat.v2.compat.v")
COPY_OF_TF_KERAS = "keras._tf_keras.keras."
"""What ``tf.keras`` is under Keras 3; its modules come from all over Keras, so their own files do not tell what is bound."""
MODULE, INTERNAL, CLASS, UNKNOWN = "module", "internal", "class", "unknown"


def is_private(module: str, name: str) -> bool:
    """Whether a name is a private one that is not recorded: only Keras's modules are read for those, dunders nowhere."""
    return name.startswith("__") or (name.startswith("_") and "keras" not in module.split("."))


def left_out(name: str) -> bool:
    """Whether a name of a module is not recorded, for it says nothing and would fill the files."""
    return name in ("absolute_import", "division", "print_function") or name.startswith(("_tfmw_", "_dw_"))


@dataclass(frozen=True, slots=True)
class Found:
    """What a name is in some releases of a book.

    Args:
        book: the book's title.
        mask: the releases.
        kind: ``module``, ``internal`` (a module known from its source alone), ``class``, ``function``, ``callable``, ``data``,
            ``method``, ``property``, ``attribute`` (set on instances), ``name`` (in an internal module), or ``unknown``.
        path: the canonical name without the root; of an internal module the whole dotted name.
        entry: what is recorded of it.
        imported: those of the releases in which attribute access finds it only after an import of its module.
        marks: the releases in which the name itself, not its object, is deprecated.
        member: it is a member of a class; then ``path`` is the class that gives it, and ``asked`` the one that was asked.
    """

    book: str
    mask: int
    kind: str
    path: str
    entry: Entry | None = None
    imported: int = 0
    marks: int = 0
    member: bool = False
    asked: str = ""

    @property
    def name(self) -> str:
        """The canonical name with its root."""
        return self.path if self.path.startswith(f"{self.book}.") else f"{self.book}.{self.path}"


class Shelf:
    """All books, each read when first asked for.

    Args:
        folder: ``compat_matrix/api``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._books: dict[str, Book] = {}
        self._modules: dict[str, Modules] = {}

    def book(self, title: str) -> Book:
        """One of ``tensorflow``, ``tensorflow.keras``, ``keras``, ``tf_keras``."""
        if title not in self._books:
            self._books[title] = Book(title, self._folder / f"{title}.txt")
        return self._books[title]

    def modules(self, root: str) -> Modules:
        """The importable modules of ``tensorflow``, ``keras`` or ``tf_keras``."""
        if root not in self._modules:
            self._modules[root] = Modules(self._folder / f"{root}.modules.txt")
        return self._modules[root]

    @cached_property
    def seam(self) -> tuple[int, int]:
        """The place of the first release past the seam in ``tensorflow``, and in ``tensorflow.keras``."""
        own, keras = self.book("tensorflow").versions, self.book("tensorflow.keras").versions
        place = next(place for place, release in enumerate(own) if release >= SEAM)
        return place, next(place for place, release in enumerate(keras) if release >= SEAM)

    @cached_property
    def ones(self) -> int:
        """The releases of TensorFlow 1."""
        return sum(1 << place for place, release in enumerate(self.book("tensorflow").versions) if release.major < TWO)

    def cross(self, title: str, other: str, mask: int) -> int:
        """Releases of one book as those of another, on either side of ``tensorflow.keras``."""
        here, there = self.seam if title == "tensorflow" else self.seam[::-1]
        common = mask & ((1 << here) - 1)
        return common | (self.book(other).everything >> there << there if mask >> here else 0)


class Resolver:
    """Follows names through the books.

    Args:
        shelf: the books.
        chosen: for a target, the releases of a book that it is about (0: none is known); None: all.
    """

    def __init__(self, shelf: Shelf, chosen: Chosen | None = None) -> None:
        self.shelf = shelf
        self._chosen = chosen
        self._known: dict[tuple[str, str, int], tuple[Found, ...]] = {}

    def names(self, title: str, path: str, mask: int) -> tuple[Found, ...]:
        """What ``path`` is in the releases ``mask`` of a book; releases in none of the answers do not have it."""
        key = (title, path, mask)
        if key not in self._known:
            self._known[key] = ()  # an alias of itself leads nowhere
            self._known[key] = tuple(self._names(title, path, mask)) if mask else ()
        return self._known[key]

    def _names(self, title: str, path: str, mask: int) -> Iterator[Found]:
        if not path:
            yield Found(title, mask, MODULE, "")
            return
        if title == "tensorflow" and (path == "keras" or path.startswith("keras.")):
            yield from self.other("tensorflow", path, mask)
            return
        if title == "tensorflow" and path.startswith(COPIES):  # the same names over again, which are not recorded
            old = self.shelf.ones & mask
            if old:  # in TensorFlow 1 they hold less, and which is not recorded
                yield Found(title, old, UNKNOWN, path)
            yield from self.names(title, "compat." + path.partition(".compat.")[2], mask & ~old)
            return
        entry = self.shelf.book(title).entry(path)
        if entry is not None:
            yield from self._recorded(title, path, entry, mask)
            mask &= ~entry.mask
        if mask:
            parent, _, last = path.rpartition(".")
            for found in self.names(title, parent, mask):
                yield from self._below(title, path, found, last)

    def _recorded(self, title: str, path: str, entry: Entry, mask: int) -> Iterator[Found]:
        late = united(fact.mask for fact in entry.holding("^", mask))
        named = united(fact.mask for fact in entry.holding("!", mask) if fact.text == "name")
        for kind, releases in entry.kinds:
            common = releases & mask
            if common and kind.startswith("="):
                for found in self._alias(title, kind[1:], common):
                    same = found.mask if found.book == title else 0
                    yield replace(found, imported=late & same, marks=named & same)
            elif common and kind == INTERNAL:
                yield from self._internal(title, path, entry, common, late)
            elif common:
                yield Found(title, common, kind, path, entry, late & common, named & common)

    def other(self, title: str, path: str, mask: int) -> tuple[Found, ...]:
        """A name of the whole root ``tensorflow``, asked from one of its books, wherever its history lies."""
        part = path.partition(".")
        target = "tensorflow.keras" if part[0] == "keras" else "tensorflow"
        inner = part[2] if part[0] == "keras" else path
        if target == title:
            return self.names(target, inner, mask)
        if self._chosen is not None:
            if target == "tensorflow.keras" and not self._chosen(target) and self._chosen("tf_keras"):
                return () if inner.partition(".")[0] in ONLY_TF_KERAS else self._of_target("tf_keras", inner)
            return self._of_target(target, inner)
        return self.names(target, inner, self.shelf.cross(title, target, mask))

    def _of_target(self, title: str, path: str) -> tuple[Found, ...]:
        """A name in the releases of a book that the target is about; unknown where that is none."""
        assert self._chosen is not None
        mask = self._chosen(title)
        return self.names(title, path, mask) if mask else (Found(title, 0, UNKNOWN, path),)

    def _internal(self, title: str, path: str, entry: Entry, mask: int, late: int) -> Iterator[Found]:
        """A module that was not walked, under its own dotted name."""
        for fact in entry.holding("@", mask):
            yield Found(title, fact.mask, INTERNAL, fact.text, imported=late & fact.mask)
            mask &= ~fact.mask
        if mask:
            yield Found(title, mask, INTERNAL, f"{title}.{path}", imported=late & mask)

    def _alias(self, title: str, target: str, mask: int) -> tuple[Found, ...]:
        return self.other(title, target[1:], mask) if target.startswith("/") else self.names(title, target, mask)

    def _below(self, title: str, path: str, parent: Found, last: str) -> Iterator[Found]:
        if parent.kind == CLASS:
            yield from (replace(found, asked=f"{parent.path}.{last}") for found in self.member(parent, last))
        elif parent.kind not in (MODULE, INTERNAL):  # what an object holds is not recorded
            yield replace(parent, kind=UNKNOWN, path=f"{parent.path}.{last}", entry=None)
        elif (parent.book, f"{parent.path}.{last}".lstrip(".")) == (title, path):
            yield from self._submodule(parent, path)
        else:
            yield from self._elsewhere(title, path, parent, last)

    def _elsewhere(self, title: str, path: str, parent: Found, last: str) -> Iterator[Found]:
        """A name in a module that attribute access reaches under another name; an import goes by this very one."""
        if parent.kind == INTERNAL:
            found = tuple(self._inside(parent, last))
        else:
            found = self.names(parent.book, f"{parent.path}.{last}".lstrip("."), parent.mask)
            home = self.names(parent.book, parent.path, parent.mask)  # its own module may need an import, this one not
            spared = united(one.imported for one in home if one.book == parent.book) & ~parent.imported
            if spared:
                found = tuple(
                    replace(one, imported=one.imported & ~spared) if one.book == parent.book else one for one in found
                )
        if title == "tensorflow" and parent.book == "tensorflow.keras":  # compat.v1.keras: Keras 3 is no module there
            late = -1 << self.shelf.seam[1]
            found = tuple(replace(one, mask=one.mask & ~(one.imported & late)) for one in found)
        yield from (one for one in found if one.mask or one.kind == UNKNOWN)
        rest = parent.mask & ~united(one.mask for one in found if one.book == title)
        literal = f"{title}.{path.rpartition('.')[0]}"
        if parent.book == title != "tensorflow.keras" and rest and literal != parent.path:
            module = self.shelf.modules(title).module(literal)
            if module is not None and module.mask & rest:
                common = module.mask & rest
                yield from self._inside(Found(title, common, INTERNAL, literal, imported=common & ~module.bound), last)

    def _submodule(self, parent: Found, path: str) -> Iterator[Found]:
        """A module that attribute access does not find, and an import does."""
        if parent.book == "tensorflow.keras":
            if path.rpartition(".")[2].startswith("_"):
                yield Found(parent.book, parent.mask, UNKNOWN, path)
            return
        full = f"{parent.book}.{path}"
        module = self.shelf.modules(parent.book).module(full)
        if module is not None and module.mask & parent.mask:
            common = module.mask & parent.mask
            yield Found(parent.book, common, INTERNAL, full, imported=common & ~module.bound)
        elif full.endswith("_test"):  # unit tests are not recorded
            yield Found(parent.book, parent.mask, UNKNOWN, full)
        elif path.rpartition(".")[2].startswith("_"):  # the public walk passes private names over
            whole = f"{parent.book}.{parent.path}" if parent.path else parent.book
            yield from self._inside(replace(parent, kind=INTERNAL, path=whole), path.rpartition(".")[2])

    def _inside(self, parent: Found, last: str) -> Iterator[Found]:
        """A name in a module that is known from its source."""
        recorded = parent.book != "tensorflow.keras" and parent.path.startswith(f"{parent.book}.")
        if not recorded:  # a module of another package
            yield replace(parent, kind=UNKNOWN, path=f"{parent.path}.{last}", entry=None)
            return
        modules, full = self.shelf.modules(parent.book), f"{parent.path}.{last}"
        module, deeper, rest = modules.module(parent.path), modules.module(full), parent.mask
        for mask, public in module.names.get(last, ()) if module else ():
            common = mask & rest
            rest &= ~mask
            if common and public:
                yield from (self._through(parent, found, common) for found in self._alias(parent.book, public, common))
            elif common:
                yield replace(parent, mask=common, kind="name", path=full, imported=parent.imported & common)
        if deeper is not None and deeper.mask & rest:
            common = deeper.mask & rest
            late = self._late_in_tf_keras(full) if full.startswith(COPY_OF_TF_KERAS) else ~deeper.bound
            yield Found(parent.book, common, INTERNAL, full, imported=(parent.imported | late) & common)
            rest &= ~deeper.mask
        unrecorded = (
            module is None
            or parent.path == SWITCHED
            or "pywrap_" in parent.path
            or parent.path.endswith("_pb2")
            or last.endswith("_test")
            or left_out(last)
            or is_private(parent.path, last)
        )
        unread = rest if unrecorded or module is None else rest & module.unread
        if unread:
            yield replace(parent, mask=unread, kind=UNKNOWN, path=full)

    def _late_in_tf_keras(self, full: str) -> int:
        """The releases of Keras in which ``tf.keras.x`` needs an import, for ``keras._tf_keras.keras.x`` is that very module."""
        book = self.shelf.book("tensorflow.keras")
        entry = book.entry(full.removeprefix(COPY_OF_TF_KERAS))
        late = united(fact.mask for fact in entry.holding("^", book.everything)) if entry else 0
        places = {label: place for place, label in enumerate(book.labels)}
        labels = enumerate(self.shelf.book("keras").labels)
        return sum(1 << place for place, label in labels if label in places and late >> places[label] & 1)

    def _through(self, parent: Found, found: Found, mask: int) -> Found:
        """A public object reached through an internal module: where that must be imported, so must this."""
        late = parent.imported & mask
        if found.book == parent.book:
            return replace(found, imported=late & found.mask)
        if {found.book, parent.book} == {"tensorflow", "tensorflow.keras"}:
            before = (1 << self.shelf.seam[0]) - 1  # up to the seam, both books have the same columns
            late = late & before | (~before if late & ~before else 0)
            return replace(found, imported=late & found.mask)
        return replace(found, imported=found.mask if late else 0)

    def member(self, owner: Found, name: str) -> Iterator[Found]:
        """A member of a class: its own, else that of the first base that has it; private ones are not recorded."""
        mask = owner.mask
        if (name.startswith("_") and name != "__call__") or owner.member:  # nor are those of a class in a class
            yield replace(owner, kind=UNKNOWN, path=f"{owner.path}.{name}", entry=None)
            return
        assert owner.entry is not None
        own = owner.entry.members.get(name)
        if own is not None:
            for kind, releases in own.kinds:
                if releases & mask:
                    yield Found(
                        owner.book,
                        releases & mask,
                        kind,
                        f"{owner.path}.{name}",
                        own,
                        owner.imported & releases,
                        member=True,
                    )
            mask &= ~own.mask
        for fact in owner.entry.holding("<", mask):
            left = fact.mask & mask
            for base in fact.text.split(" "):
                for found in self._from_base(owner, base, name, left):
                    yield found
                    left &= ~found.mask if found.book == owner.book else 0
                if not left:
                    break
            mask &= ~fact.mask | left
        yield from self._unlisted(owner, owner.entry, name, mask)

    def _unlisted(self, owner: Found, entry: Entry, name: str, mask: int) -> Iterator[Found]:
        """Classes that do not list all their members: those of newer protobuf messages, and enumerations but for their values."""
        described = entry.members.get("DESCRIPTOR")
        left = mask & described.mask if described is not None else mask if self._is_enum(entry) else 0
        if left:
            yield replace(owner, mask=left, kind=UNKNOWN, path=f"{owner.path}.{name}", entry=None)

    def _is_enum(self, entry: Entry) -> bool:
        members = entry.members.values()
        return bool(entry.members) and all(kind == "data" for each in members for kind, _ in each.kinds)

    def _from_base(self, owner: Found, base: str, name: str, mask: int) -> Iterator[Found]:
        if base.startswith("!"):
            if hasattr(getattr(builtins, base[1:]), name):
                yield Found(owner.book, mask, "method", f"{owner.path}.{name}", member=True)
            return
        for found in self._alias(owner.book, base, mask):
            if found.kind == CLASS:
                yield from self.member(found, name)
