"""Which releases of Keras refuse a mistake in a layer, where not all of a major version do: ``refusals.yaml``.

A shape rule names the row; the head of the file says what the columns mean.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from envcheck.errors import EnvcheckError
from envcheck.knowledge.rows import Damage, Source, listed, read, typed

FILE = "refusals.yaml"


class Refusal(msgspec.Struct, frozen=True):
    """One row.

    Raises:
        ValueError: a range of versions is none.
    """

    id: str
    mistake: str
    refused: str
    source: Source
    otherwise: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no range of versions."""
        try:
            _ranges(self.refused)
        except InvalidSpecifier as error:
            raise ValueError(str(error)) from None

    def holds(self, keras: Version) -> bool:
        """Whether this release of Keras (or of tf_keras) raises."""
        return any(each.contains(keras, prereleases=True) for each in _ranges(self.refused))


class Refusals:
    """The rows by name.

    Args:
        folder: ``compat_matrix``.
    """

    def __init__(self, folder: Path) -> None:
        try:
            rows = [typed(row, Refusal, FILE) for row in listed(read(folder / FILE), None, FILE)]
        except Damage as damage:
            raise EnvcheckError(f"envcheck's own data is damaged: {damage}") from None
        self.rows = {row.id: row for row in rows}
        if len(self.rows) != len(rows):
            raise EnvcheckError(f"envcheck's own data is damaged: {FILE}: two rows of one id")

    def holds(self, name: str, keras: Version) -> bool:
        """Whether a release raises; so does every one where no row is named. Raises :class:`KeyError` for a strange name."""
        return not name or self.rows[name].holds(keras)

    def otherwise(self, name: str) -> str | None:
        """What the releases do that do not raise, where nobody can want it."""
        return self.rows[name].otherwise


@cache
def _ranges(text: str) -> tuple[SpecifierSet, ...]:
    return tuple(SpecifierSet(part) for part in text.split(" or "))
