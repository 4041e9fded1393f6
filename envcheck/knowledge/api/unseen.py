"""Keywords that ``**kwargs`` takes and nothing else tells of: ``compat_matrix/api/keywords.yaml``."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import msgspec
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.errors import EnvcheckError
from envcheck.knowledge.api.target import KERAS_3
from envcheck.knowledge.rows import Damage, Source, listed, read, typed


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What classes take in some releases.

    Args:
        releases: specifiers by package.
        words: keywords, for all classes or (``Class.keyword``) for one.
        closed: classes that refuse every other keyword, though none could be tried on them alone.
        source: where that stands.
    """

    releases: dict[str, str]
    words: frozenset[str]
    source: Source
    closed: frozenset[str] = frozenset()

    def holds(self, title: str, release: Version) -> bool:
        """Whether it speaks of a release of a book."""
        package = "tensorflow" if title == "tensorflow.keras" else title
        if title == "tensorflow.keras" and release >= KERAS_3:
            package = "keras"
        bounds = self.releases.get(package)
        return bounds is not None and SpecifierSet(bounds).contains(release, prereleases=True)

    def takes(self, name: str, keyword: str) -> bool:
        """Whether the class of that name, or any class, may take the keyword."""
        return keyword in self.words or f"{name}.{keyword}" in self.words


class Unseen:
    """The rows of the file, read when one is first asked for.

    Args:
        path: ``compat_matrix/api/keywords.yaml``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[tuple[str, Version], Row | None] = {}

    def row(self, title: str, release: Version) -> Row | None:
        """What is known of one release of a book; None: nothing.

        Raises:
            EnvcheckError: the file is damaged.
        """
        key = (title, release)
        if key not in self._found:
            self._found[key] = next((row for row in self._rows if row.holds(title, release)), None)
        return self._found[key]

    @cached_property
    def _rows(self) -> tuple[Row, ...]:
        name = f"api/{self._path.name}"
        try:
            return tuple(typed(row, Row, name) for row in listed(read(self._path), None, name))
        except Damage as damage:
            raise EnvcheckError(f"envcheck's own data is damaged: {damage}") from None
