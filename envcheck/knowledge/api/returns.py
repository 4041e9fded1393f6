"""What calls return and attributes hold: ``model = load_model(path)`` is a Keras model, ``model.fit(…)`` a History.

The rows are ``compat_matrix/api/returns.yaml``, which says what each column means.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from envcheck.knowledge.api.bounds import Bounds, holds, root_of
from envcheck.knowledge.api.history import Shelf
from envcheck.knowledge.api.named_rows import NamedRows
from envcheck.knowledge.api.replacements import KERAS_ROOTS
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import Source

Class = Annotated[str, msgspec.Meta(pattern=r"^(tensorflow|keras|builtins)(\.\w+)+$")]


class Returned(msgspec.Struct, frozen=True):
    """One row of ``returns.yaml``; exactly one of ``gives``, ``items`` and ``like`` is set."""

    names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    source: Source
    examples: tuple[str, ...] = ()
    gives: tuple[Class, ...] = ()
    items: tuple[Class, ...] = ()
    like: int | None = None
    exact: bool = False
    judged: bool = True
    releases: Bounds = {}
    note: str | None = None

    def __post_init__(self) -> None:
        """Refuse a row that says nothing or two things."""
        if [bool(self.gives), bool(self.items), self.like is not None].count(True) != 1:
            raise ValueError("names: one of gives, items and like says what comes back")


@dataclass(frozen=True, slots=True)
class Result:
    """What a call returns, or an attribute holds.

    Args:
        classes: whole names of classes; it is an instance of one of them or of a subclass. Those of Python itself open with
            ``builtins.``.
        items: the result is a list or tuple of such instances, and not one itself.
        like: the result is what the argument in this position is (or what its elements are); then there are no classes.
        exact: no subclass: what the classes lack, the result lacks. Without it, an attribute that they lack may stand in a
            subclass, and only one that a class itself had in another release is known to be gone.
        judged: whether its attributes may be judged at all; False: it is only to be followed further.
    """

    classes: tuple[str, ...] = ()
    items: bool = False
    like: int | None = None
    exact: bool = False
    judged: bool = True


class Returns:
    """The rows of ``compat_matrix/api/returns.yaml``, each read when its name is asked for.

    Args:
        folder: ``compat_matrix/api``.
        shelf: the recorded releases.
    """

    def __init__(self, folder: Path, shelf: Shelf) -> None:
        self.rows = NamedRows(folder / "returns.yaml", Returned)
        self._shelf = shelf
        self._known: dict[tuple[str, Target], Returned | None] = {}

    def gives(self, name: str, target: Target) -> Result | None:
        """What calling (or, for an attribute, reading) a name gives in a target.

        Args:
            name: a canonical name, ``tensorflow.keras.Model.fit``: a method under the class that gives it.
            target: the releases asked about.

        Returns:
            The classes in the words of the name's own root; None where no row tells, or it differs among the target's releases.

        Raises:
            EnvcheckError: the file is damaged.
        """
        row = self.row(name, target)
        if row is None:
            return None
        classes = tuple(_rooted(each, root_of(name)) for each in row.gives or row.items)
        return Result(classes, bool(row.items), row.like, row.exact, row.judged)

    def row(self, name: str, target: Target) -> Returned | None:
        """The row that holds for a canonical name in a target."""
        key = (name, target)
        if key not in self._known:
            own = keras_name(name) or name.replace("tensorflow.compat.v2.", "tensorflow.", 1)
            rows = (*self.rows.about(own), *self.rows.about(own.rpartition(".")[0] + ".*"))
            holding = (row for row in rows if holds(row.releases, root_of(name), target, self._shelf))
            self._known[key] = next(holding, None)
        return self._known[key]


def keras_name(name: str) -> str | None:
    """``keras.…`` for a name of any of Keras's roots, as rows about all of them are written; None for other names."""
    root = next((root for root in KERAS_ROOTS if name.startswith(root)), None)
    return None if root is None else "keras." + name[len(root) :]


def _rooted(name: str, root: str) -> str:
    """A row's class in the words of the root that was asked about."""
    return f"{root}.{name[len('keras.') :]}" if name.startswith("keras.") else name
