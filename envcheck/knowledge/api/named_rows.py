"""A YAML file of rows about names: a name finds its rows, and only those are parsed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from envcheck.errors import EnvcheckError
from envcheck.knowledge.rows import Damage, folder, listed, parse, typed

T = TypeVar("T", bound=msgspec.Struct)


class NamedRows(Generic[T]):
    """The rows of one file, each of which opens with ``- names:``, a list in brackets or one name a line.

    Parsing all of such a file takes longer than scanning a file of Python, and a scan meets few of its names.

    Args:
        path: the file, in ``compat_matrix/api/``.
        kind: what a row is.
    """

    def __init__(self, path: Path, kind: type[T]) -> None:
        self._path = path
        self._kind = kind
        self._parsed: dict[int, T] = {}

    def all(self) -> Iterator[T]:
        """Every row, typed.

        Raises:
            EnvcheckError: the file is damaged.
        """
        yield from (self._row(place) for place in range(len(self._texts)))

    def about(self, name: str) -> tuple[T, ...]:
        """The rows that speak of a name as it is written in them, in the order of the file.

        Raises:
            EnvcheckError: the file is damaged.
        """
        return tuple(self._row(place) for place in self._places.get(name, ()))

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name that a row speaks of."""
        return frozenset(self._places)

    @cached_property
    def _texts(self) -> list[tuple[int, str]]:
        """The text of each row, and the lines before it."""
        try:
            text = self._path.read_text("utf-8")
        except (OSError, UnicodeError) as error:
            raise EnvcheckError(f"envcheck's own data is damaged: {error}") from None
        starts = [match.start() for match in re.finditer(r"^- ", text, re.M)]
        ends = [*starts[1:], len(text)]
        lines = accumulate(text.count("\n", start, end) for start, end in zip([0, *starts], starts, strict=False))
        return [(line, text[start:end]) for line, start, end in zip(lines, starts, ends, strict=True)]

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for place, (_, text) in enumerate(self._texts):
            names = re.match(r"- names:((?:\s*\[[^\]]*\])|(?:\n    - \S+)*)", text)
            for name in re.findall(r"[\w.*]+", names[1].replace("- ", "")) if names else ():
                found.setdefault(name, []).append(place)
        return found

    def _row(self, place: int) -> T:
        if place not in self._parsed:
            line, text = self._texts[place]
            name = (
                self._path.relative_to(folder()).as_posix() if self._path.is_relative_to(folder()) else self._path.name
            )
            try:
                (row,) = listed(parse(text, name, line), None, name)
                self._parsed[place] = typed(row, self._kind, name)
            except Damage as damage:
                raise EnvcheckError(f"envcheck's own data is damaged: {damage}") from None
        return self._parsed[place]
