"""Which Keras loads which saved models: the rows of ``saved_models.yaml``, all measured by writing and loading them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from envcheck.errors import EnvcheckError
from envcheck.knowledge.rows import Damage, Source, listed, read, typed

FILE = "saved_models.yaml"


class Row(msgspec.Struct, frozen=True):
    """What one Keras does with what another wrote; the head of the file says what the columns mean.

    Raises:
        ValueError: a range of versions is none.
    """

    id: str
    forms: tuple[Literal["keras", "hdf5", "hdf5-as-keras", "saved-model"], ...]
    read: str
    outcome: Literal["raises", "loads"]
    why: str
    source: Source
    written: str = ""
    classes: tuple[str, ...] = ()
    parameter: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()
    lists: bool = False
    mappings: bool = False
    trait: str = ""
    having: tuple[str, ...] = ()
    use: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no range of versions."""
        for text in (self.written, self.read):
            try:
                SpecifierSet(text)
            except InvalidSpecifier as error:
                raise ValueError(str(error)) from None

    def holds(self, form: str, written: Version | None, reading: Version) -> bool:
        """Whether it speaks of a format, the Keras that wrote (None: not known) and the one that reads."""
        if form not in self.forms or not SpecifierSet(self.read).contains(reading, prereleases=True):
            return False
        if not self.written:
            return True
        return written is not None and SpecifierSet(self.written).contains(written, prereleases=True)

    def about(self, class_name: str, values: Mapping[str, Any], traits: Collection[str] = ()) -> str | None:
        """The parameter of an object that it speaks of (empty: the object itself); None where it does not speak of it."""
        if not self.classes or (class_name not in self.classes and self.classes != ("*",)):
            return None
        if self.trait and self.trait not in traits:
            return None
        if not self.parameter:
            return ""
        for name in self.parameter:
            if name in values and self._speaks_of(values[name]):
                return name
        return None

    def _speaks_of(self, value: Any) -> bool:
        if self.lists:
            return isinstance(value, list)
        if self.mappings:
            return isinstance(value, dict)
        return not self.values or value in self.values


class SavedModels:
    """The rows, in the order of the file.

    Args:
        folder: ``compat_matrix``.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self.rows = tuple(typed(row, Row, FILE) for row in listed(read(folder / FILE), None, FILE))
        except Damage as damage:
            raise EnvcheckError(f"envcheck's own data is damaged: {damage}") from None

    def of(self, form: str, written: Version | None, reading: Version) -> Iterator[Row]:
        """The rows about one format, writer and reader."""
        yield from (row for row in self.rows if row.holds(form, written, reading))


def version(text: str | None) -> Version | None:
    """The release that a file names: ``2.2.4-tf`` is 2.2.4; None where it names none."""
    try:
        return Version((text or "").removesuffix("-tf"))
    except InvalidVersion:
        return None
