"""Questions and answers: is this name there, since when, with which parameters; in all releases or in one target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from pathlib import Path

from packaging.version import Version

from envcheck.knowledge.api.book import Fact, united
from envcheck.knowledge.api.history import ROOTS, UNKNOWN, Chosen, Found, Resolver, Shelf
from envcheck.knowledge.api.target import FIRST_OWN_KERAS, Target
from envcheck.knowledge.api.unseen import Unseen

DEEPEST = 20
"""Dots in the longest name that is looked at."""


KERAS_1 = frozenset(
    (
        *(
            "consume_less",
            "dropout",
            "filter_length",
            "init",
            "input_length",
            "kernel_dim1",
            "kernel_dim2",
            "kernel_dim3",
        ),
        *(
            "max_q_size",
            "nb_col",
            "nb_epoch",
            "nb_feature",
            "nb_filter",
            "nb_row",
            "nb_val_samples",
            "nb_worker",
            "output_dim",
        ),
        *(
            "U_regularizer",
            "p",
            "pickle_safe",
            "samples_per_epoch",
            "sigma",
            "stride",
            "subsample_length",
            "val_samples",
        ),
    )
)
"""Keywords of Keras 1 that ``keras/legacy/interfaces.py`` turned into those of Keras 2 (measured: keras 2.3.1)."""
WRAPPED = "*args **kwargs"
"""The signature of what a metaclass or a decorator stands before: its parameters are not told."""
LAST_TRANSLATOR = Version("2.4")
V1_OF_TF_KERAS = ("compat.v1.keras", "compat.v1.layers", "compat.v1.nn.rnn_cell")
"""What tf_keras brings back under TF_USE_LEGACY_KERAS=1, and only ``tf.keras`` itself was recorded with that."""


class Status(str, Enum):
    """What a name or a parameter is in one target."""

    PRESENT = "present"
    DEPRECATED = "deprecated"
    FOREIGN = "foreign"
    """There, and its objects are refused by the Keras that is installed."""
    IGNORED = "ignored"
    """A keyword that is taken and has no effect."""
    ABSENT = "absent"
    UNKNOWN = "unknown"
    """Outside of what was recorded."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter's releases: in the signature, taken through ``**kwargs``, taken and without effect."""

    named: int = 0
    taken: int = 0
    ignored: int = 0


@dataclass(frozen=True, slots=True)
class History:
    """All that is recorded of one name.

    Args:
        name: the name with its whole root, ``tensorflow.keras.layers.Dense``.
        root: the package it was asked of.
        book: whose releases the masks count.
        present: the releases that have it.
        unknown: the releases in which that cannot be told.
        imported: those in which an import of its module must come first.
        deprecated: those in which it is deprecated.
        foreign: those in which it belongs to TensorFlow's old copy of Keras, whose objects the installed Keras refuses.
        found: what it is, in each part of its history.
    """

    name: str
    root: str
    book: str
    present: int
    unknown: int
    imported: int
    deprecated: int
    foreign: int
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a name is in one target, and why where that cannot be told."""

    status: Status
    reason: str | None = None
    found: tuple[Found, ...] = ()
    imported: bool = False
    """Attribute access finds it only after an import of its module."""


class Api:
    """The API of every recorded release.

    Args:
        folder: ``compat_matrix/api``.
    """

    def __init__(self, folder: Path) -> None:
        self.shelf = Shelf(folder)
        self._targets: dict[Target, tuple[Chosen, Resolver]] = {}
        self._aliases: dict[str, dict[str, list[str]]] = {}
        self._foreign: dict[str, int] = {}
        self._unseen = Unseen(folder / "keywords.yaml")

    @cached_property
    def _all(self) -> Resolver:
        return Resolver(self.shelf)

    def split(self, name: str) -> tuple[str, str] | None:
        """(root, the rest) of a dotted name; None where it is no name of TensorFlow or Keras."""
        first, _, rest = name.partition(".")
        root = ROOTS.get(first)
        if root is None or name.count(".") > DEEPEST or not all(part.isidentifier() for part in name.split(".")):
            return None
        return root, rest

    def history(self, name: str) -> History | None:
        """A name over all releases; None where it is no name of TensorFlow or Keras."""
        parts = self.split(name)
        if parts is None:
            return None
        root, path = parts
        found = self._all.names(root, path, self.shelf.book(root).everything)
        whole = f"{root}.{path}" if path else root
        book = root
        if root == "tensorflow" and (
            path.partition(".")[0] == "keras" or any(self._past_the_seam(one) for one in found)
        ):
            book = "tensorflow.keras"
            found = tuple(self._moved(one) for one in found)
        return History(
            whole,
            root,
            book,
            united(one.mask for one in found if one.kind != UNKNOWN),
            united(one.mask for one in found if one.kind == UNKNOWN),
            united(one.imported for one in found),
            united(fact.mask for one in found for fact in deprecations(one)),
            united(one.mask for one in found if root == "tensorflow" and _is_old_copy(path, one))
            & self._foreign_from(book),
            found,
        )

    def _foreign_from(self, book: str) -> int:
        if book not in self._foreign:
            versions = self.shelf.book(book).versions
            self._foreign[book] = sum(
                1 << place for place, release in enumerate(versions) if release >= FIRST_OWN_KERAS
            )
        return self._foreign[book]

    def _past_the_seam(self, found: Found) -> bool:
        """Whether Keras's releases decide about it from TensorFlow 2.16 on, as they do about tf.losses."""
        return found.book == "tensorflow.keras" and bool(found.mask >> self.shelf.seam[1])

    def _moved(self, found: Found) -> Found:
        """What was found among TensorFlow's releases, in those of tf.keras: up to the seam, both books have the same columns."""
        if found.book != "tensorflow":
            return found
        common = (1 << self.shelf.seam[0]) - 1
        mask, imported, marks = (each & common for each in (found.mask, found.imported, found.marks))
        return replace(found, mask=mask, imported=imported, marks=marks)

    def chosen(self, target: Target) -> tuple[Chosen, Resolver]:
        """The releases that tell of a target, and what follows names in them."""
        if target not in self._targets:
            chosen = target.chosen(self.shelf)
            self._targets[target] = chosen, Resolver(self.shelf, chosen)
        return self._targets[target]

    def ask(self, name: str, target: Target) -> Answer:
        """Whether a target has a name."""
        parts = self.split(name)
        if parts is None:
            return Answer(Status.UNKNOWN, "it is no name of tensorflow, keras or tf_keras")
        root, path = parts
        chosen, resolver = self.chosen(target)
        book = self._book(root, path, target)
        if not chosen(book):
            return Answer(Status.UNKNOWN, target.why(book, self.shelf))
        found = resolver.names(root, path, chosen(root) if book == root else 1)  # 1: another book decides
        answer = _judged(found, path, chosen, target, self.shelf)
        if answer.status is Status.ABSENT and target.through_tf_keras and path.startswith(V1_OF_TF_KERAS):
            return Answer(Status.UNKNOWN, "what TensorFlow's v1 API gives with tf_keras is not recorded")
        return answer

    def _book(self, root: str, path: str, target: Target) -> str:
        if root == "tensorflow" and path.partition(".")[0] == "keras":
            return "tf_keras" if target.through_tf_keras else "tensorflow.keras"
        return root

    def parameters(self, found: Iterable[Found]) -> dict[str, Parameter]:
        """The parameters of what was found with their releases, in the order of the newest signature."""
        named: dict[str, int] = {}
        taken: dict[str, int] = {}
        ignored: dict[str, int] = {}
        for one in sorted(found, key=lambda one: -one.mask):
            for fact in sorted(one.entry.holding("(", one.mask), key=lambda fact: -fact.mask) if one.entry else ():
                for word in keywords(fact.text):
                    named[word] = named.get(word, 0) | fact.mask
            for mark, words in (("+", taken), ("~", ignored)):
                for fact in one.entry.holding(mark, one.mask) if one.entry else ():
                    for word in fact.text.split(" "):
                        words[word] = words.get(word, 0) | fact.mask
        names = dict.fromkeys([*named, *taken, *ignored])
        return {name: Parameter(named.get(name, 0), taken.get(name, 0), ignored.get(name, 0)) for name in names}

    def aliases(self, title: str, path: str, mask: int | None = None) -> list[str]:
        """The other names of a book that stood for the object whose canonical name is ``path``, the plainest first.

        Args:
            title: the book.
            path: the canonical name.
            mask: only names that do so in all of these releases; None: in any.
        """
        if title not in self._aliases:
            found: dict[str, list[str]] = {}
            for name, targets in self.shelf.book(title).alias_heads():
                for target in targets:
                    found.setdefault(target, []).append(name)
            self._aliases[title] = found
        names = sorted(
            set(self._aliases[title].get(path, ())),
            key=lambda name: ("compat" in name, name.count("."), len(name), name),
        )
        return [name for name in names if mask is None or self.shelf.book(title).alias_mask(name, path) & mask == mask]

    def more(self, found: Iterable[Found]) -> int:
        """The releases in which a call may take more keywords than are recorded: through ``**kwargs``, or it does not tell."""
        calls = [fact for one in found if one.entry for fact in one.entry.holding("(", one.mask)]
        return united(fact.mask for fact in calls if fact.text == "?" or "**" in fact.text)

    def keyword(self, name: str, keyword: str, target: Target) -> Answer:
        """Whether the call of a name takes a keyword in a target: present, ignored, absent (it raises), or unknown."""
        answer = self.ask(name, target)
        if answer.status in (Status.ABSENT, Status.UNKNOWN):
            return Answer(Status.UNKNOWN, answer.reason or f"{name} itself is absent")
        outcomes = {self._taken(one, keyword, bit) for one in answer.found for bit in bits(one.mask)}
        if len(outcomes) != 1:
            return Answer(Status.UNKNOWN, "the releases that the target allows differ")
        return Answer(outcomes.pop(), None, answer.found)

    def untold(self, found: Iterable[Found], keyword: str) -> bool:
        """Whether there are releases of which it cannot be told whether a call takes a keyword."""
        return any(self._taken(one, keyword, bit) is Status.UNKNOWN for one in found for bit in bits(one.mask))

    def _taken(self, found: Found, keyword: str, mask: int) -> Status:
        if found.entry is None or (keyword in KERAS_1 and self._translates(found.book, mask)):
            return Status.UNKNOWN
        for mark, status in (("+", Status.PRESENT), ("~", Status.IGNORED), ("x", Status.ABSENT), ("u", Status.UNKNOWN)):
            if any(keyword in fact.text.split(" ") for fact in found.entry.holding(mark, mask)):
                return status
        calls = [fact.text for fact in found.entry.holding("(", mask)]
        if len(calls) != 1 or calls[0] == "?":
            return Status.UNKNOWN
        if keyword in keywords(calls[0]):
            return Status.PRESENT
        if "**" not in calls[0]:
            return Status.ABSENT
        book = self.shelf.book(found.book)
        unseen = self._unseen.row(found.book, book.versions[mask.bit_length() - 1])
        name = found.path.rpartition(".")[2]
        if calls[0] == WRAPPED or unseen is None or unseen.takes(name, keyword):
            return Status.UNKNOWN
        closed = any(fact.text == "rejected" for fact in found.entry.holding("?", mask))
        if not closed and name not in unseen.closed:
            return Status.UNKNOWN
        # A class hands on to its bases what it does not name itself; of one that was tried, their outcomes are its own.
        handed_on = self._of_base(found, keyword, mask, marks="" if closed else "+~u")
        return Status.UNKNOWN if handed_on else Status.ABSENT

    def _of_base(self, found: Found, keyword: str, mask: int, marks: str) -> bool:
        """Whether a base class has a keyword in its signature, or under one of the marks."""
        assert found.entry is not None
        for fact in found.entry.holding("<", mask):
            for base in fact.text.split(" "):
                for one in self._all.names(found.book, base, mask) if base[:1] not in "/!" else ():
                    if one.entry is not None and (
                        any(keyword in keywords(call.text) for call in one.entry.holding("(", mask))
                        or any(
                            keyword in fact.text.split(" ") for mark in marks for fact in one.entry.holding(mark, mask)
                        )
                        or self._of_base(one, keyword, mask, marks)
                    ):
                        return True
        return False

    def _translates(self, title: str, mask: int) -> bool:
        """Whether a release of standalone Keras takes what Keras 1 took, which trying beside the new names does not show."""
        return title == "keras" and self.shelf.book(title).versions[mask.bit_length() - 1] < LAST_TRANSLATOR


def _judged(found: tuple[Found, ...], path: str, chosen: Chosen, target: Target, shelf: Shelf) -> Answer:
    known = [one for one in found if one.kind != UNKNOWN]
    if not found:
        return Answer(Status.ABSENT)
    if len(known) < len(found):
        missing = next((one.book for one in found if one.kind == UNKNOWN and not one.mask), None)
        return Answer(
            Status.UNKNOWN, target.why(missing, shelf) if missing else "what lies below this name is not recorded"
        )
    # A target is one release of each book, unless it names no Keras or a patch between two recorded ones.
    for title in dict.fromkeys(one.book for one in known):
        if united(one.mask for one in known if one.book == title) != chosen(title):
            return Answer(Status.UNKNOWN, target.why(title, shelf))
    imported = any(one.imported for one in known)
    status = Status.DEPRECATED if all(_deprecated(one) for one in known) else Status.PRESENT
    if _is_foreign(path, known, target):
        status = Status.FOREIGN
    return Answer(status, None, found, imported)


def bits(mask: int) -> Iterator[int]:
    """Each release of a set, as a set of its own."""
    while mask:
        yield mask & -mask
        mask &= mask - 1


def keywords(call: str) -> list[str]:
    """The parameters of a signature that may be given by keyword; none of one that is not known."""
    words = call.split(" ")
    if "/" in words:
        words = words[words.index("/") + 1 :]
    return [word.rstrip("=") for word in words if word and word[0] not in "*?"]


def deprecations(found: Found) -> list[Fact]:
    """What the releases say of it themselves: the marks of the name, and of the object."""
    marks = [
        fact
        for fact in (found.entry.holding("!", found.mask) if found.entry else ())
        if not fact.text.startswith("arguments=")
    ]
    marks = [fact for fact in marks if fact.text != "name"]
    return [*marks, *([Fact("!", found.marks, "name")] if found.marks else [])]


def _deprecated(found: Found) -> bool:
    return united(fact.mask for fact in deprecations(found)) & found.mask == found.mask


def _is_foreign(path: str, found: list[Found], target: Target) -> bool:
    """TensorFlow 2.6 and newer still ship their old copy of Keras, and it is no part of the installed one."""
    old = all(_is_old_copy(path, one) for one in found)
    return old and target.tensorflow is not None and target.tensorflow >= FIRST_OWN_KERAS


def _is_old_copy(path: str, found: Found) -> bool:
    return path.startswith("python.keras") and found.kind in ("internal", "name")
