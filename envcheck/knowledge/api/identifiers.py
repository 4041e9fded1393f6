"""Which strings Keras takes for an object (``optimizer="adam"``) in each release, and which arguments take such strings.

Measured: every name that the modules of ``optimizers``, ``losses`` and so on have had in any release, in several spellings, was
given to ``get`` of every recorded release (``python -m tools.try_identifiers``; ``compat_matrix/api/identifiers/``).
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec

from envcheck.knowledge.api.answers import Status
from envcheck.knowledge.api.book import united
from envcheck.knowledge.api.history import Shelf
from envcheck.knowledge.api.named_rows import NamedRows
from envcheck.knowledge.api.returns import keras_name
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.api.words import Words
from envcheck.knowledge.rows import Source

Kind = Literal["optimizer", "loss", "metric", "activation", "initializer", "regularizer", "constraint"]
KINDS: tuple[Kind, ...] = get_args(Kind)
COMPILED = "compiled"
"""Under this kind stands what ``compile(metrics=…)`` reads itself, besides what ``metrics.get`` takes."""
BOOKS = ("keras", "tensorflow.keras", "tf_keras")


class Taking(msgspec.Struct, frozen=True):
    """One row of ``identifiers.yaml``: the parameters (``*_initializer``: all that end so) of these names that take identifiers.

    ``positions``: where they may stand without their names, in all releases.
    """

    names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    parameters: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    kind: Kind
    source: Source
    positions: dict[str, int] = {}


class Identifiers:
    """What each release takes.

    Args:
        folder: ``compat_matrix/api``.
        shelf: the recorded releases.
    """

    def __init__(self, folder: Path, shelf: Shelf) -> None:
        self.rows = NamedRows(folder / "identifiers.yaml", Taking)
        self._folder = folder / "identifiers"
        self._shelf = shelf

    def accepts(self, kind: Kind, text: str, root: str, target: Target) -> Status | None:
        """Whether a string is taken for an object of a kind.

        Args:
            kind: what it should name.
            text: the string; of optimizers' names Keras reads any case.
            root: whose Keras: ``keras``, ``tensorflow.keras`` or ``tf_keras``.
            target: the releases asked about.

        Returns:
            PRESENT, ABSENT (another release takes it), UNKNOWN (the target does not tell, or its releases differ), or
            None: no recorded release takes it, so that it is a mistake or an object that the code registers itself.

        Raises:
            EnvcheckError: the data is damaged.
        """
        title = "tf_keras" if root == "tensorflow.keras" and target.through_tf_keras else root
        taken = self._mask(title, kind, text)
        if not taken and not any(self._mask(other, kind, text) for other in BOOKS if other != title):
            return None
        chosen = target.chosen(self._shelf)(title)
        if not chosen or taken & chosen not in (0, chosen):
            return Status.UNKNOWN
        return Status.PRESENT if taken & chosen else Status.ABSENT

    def kind(self, name: str, parameter: str) -> Kind | None:
        """What an argument of a call names where it is a string; None where it is no identifier.

        Args:
            name: the callable's canonical name.
            parameter: the parameter's name.
        """
        own = keras_name(name) or name
        for row in (*self.rows.about(own), *self.rows.about(own.rpartition(".")[0] + ".*")):
            for wanted in row.parameters:
                if parameter == wanted or (wanted[0] == "*" and parameter.endswith(wanted[1:])):
                    return row.kind
        return None

    def at(self, name: str, position: int) -> tuple[str, Kind] | None:
        """The parameter at a position (from 0) that stands there in all releases, and its kind; None where none is known.

        Where the position of a parameter depends on the release, its signature tells it, and :meth:`kind` the rest.
        """
        own = keras_name(name) or name
        for row in (*self.rows.about(own), *self.rows.about(own.rpartition(".")[0] + ".*")):
            for parameter, place in row.positions.items():
                if place == position:
                    return parameter, row.kind
        return None

    def known(self, kind: Kind, root: str, target: Target) -> list[str]:
        """Every string of a kind that a target surely takes, for advice."""
        title = "tf_keras" if root == "tensorflow.keras" and target.through_tf_keras else root
        chosen = target.chosen(self._shelf)(title)
        words = self._words[title].of(kind)
        return [word for word, releases in words.items() if chosen and releases & chosen == chosen]

    def _mask(self, title: str, kind: str, text: str) -> int:
        """The releases of a book that take a string."""
        spellings = (text, text.lower()) if kind == "optimizer" else (text,)
        kinds = (kind, COMPILED) if kind == "metric" else (kind,)
        words = [self._words[title].of(one) for one in kinds]
        return united(each.get(spelling, 0) for each in words for spelling in spellings)

    @cached_property
    def _words(self) -> dict[str, Words]:
        return {title: Words(self._folder / f"{title}.txt") for title in BOOKS}
