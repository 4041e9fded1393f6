"""The version window: the releases on which every reference of a file, a folder, or the tree exists."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator

from envcheck.findings import Bound, Location, Window
from envcheck.knowledge.api.answers import Api
from envcheck.source.names.uses import Use
from envcheck.verdicts.calls import releases
from envcheck.verdicts.found import Place

UNDER = "keras under tf.keras"
"""From TensorFlow 2.16 on the installed Keras decides what ``tf.keras`` has."""
Needs = dict[tuple[str, int], Bound]
"""For each package and set of its releases, the first reference that needs one of them."""


class Windows:
    """Collects what references need.

    Args:
        api: the history.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._files: dict[str, Needs] = {}
        self._masks: dict[tuple[str, str | None], tuple[tuple[str, int], ...]] = {}

    def add(self, path: str, use: Use, name: str, locate: Callable[[], Place]) -> None:
        """A reference that is not guarded, by its resolved name."""
        needs = self._files.setdefault(path, {})
        keywords = use.call.keywords if use.call is not None else ()
        for keyword in (None, *keywords):
            for key in self._needed(name, keyword):
                if key not in needs:
                    place = locate()
                    symbol = name if keyword is None else f"{name}({keyword}=)"
                    needs[key] = Bound(symbol, Location(place.path, place.line, place.column, place.cell))

    def _needed(self, name: str, keyword: str | None) -> tuple[tuple[str, int], ...]:
        key = (name, keyword)
        if key not in self._masks:
            self._masks[key] = tuple(self._find(name, keyword))
        return self._masks[key]

    def _find(self, name: str, keyword: str | None) -> Iterator[tuple[str, int]]:
        history = self._api.history(name)
        if history is None or history.unknown or not history.present:
            return
        mask = history.present
        if keyword is not None:
            taken = releases(history, keyword, self._api)
            mask = taken | self._api.more(history.found) | ~history.present if taken else 0
            if not mask:
                return
        everything = self._api.shelf.book(history.book).everything
        if history.book != "tensorflow.keras":
            yield history.book, mask & everything
            return
        place = self._api.shelf.seam[1]
        yield history.book, mask & ((1 << place) - 1)
        yield UNDER, mask & everything & (-1 << place)

    def all(self) -> Iterator[Window]:
        """The tree's windows first, then those of folders, then of files."""
        folders: dict[str, list[Needs]] = {}
        whole = posixpath.commonpath([posixpath.dirname(path) for path in self._files]) if self._files else ""
        for path, needs in self._files.items():
            above = posixpath.dirname(path)
            while above != whole and above != posixpath.dirname(above):
                folders.setdefault(above, []).append(needs)
                above = posixpath.dirname(above)
        yield from self._scope(".", list(self._files.values()))
        for folder in sorted(folders):
            if len(folders[folder]) > 1:
                yield from self._scope(folder, folders[folder])
        for path in sorted(self._files):
            yield from self._scope(path, [self._files[path]])

    def _scope(self, scope: str, files: list[Needs]) -> Iterator[Window]:
        merged: dict[tuple[str, int], Bound] = {}
        for needs in files:
            for key, bound in needs.items():
                merged.setdefault(key, bound)
        masks: dict[str, dict[int, Bound]] = {}
        for (package, mask), bound in merged.items():
            masks.setdefault(package, {})[mask] = bound
        inside = masks.pop("tensorflow.keras", {})
        under = masks.pop(UNDER, {})
        lasts: list[str | None] = [None]
        if inside or "tensorflow" in masks:
            window = self._tensorflow(scope, masks.pop("tensorflow", {}), inside, under)
            lasts = [last for _, last in window.releases]
            yield window
        first_late = self._api.shelf.seam[0]
        if under and any(last is None or self._late(last, first_late) for last in lasts):
            start = self._api.shelf.seam[1]
            yield self._window(scope, UNDER, "tensorflow.keras", under, -1 << start)
        for package in sorted(masks):
            yield self._window(scope, package, package, masks[package], -1)

    def _late(self, label: str, place: int) -> bool:
        return self._api.shelf.book("tensorflow").labels.index(label) >= place

    def _tensorflow(
        self, scope: str, own: dict[int, Bound], inside: dict[int, Bound], under: dict[int, Bound]
    ) -> Window:
        """TensorFlow's releases: up to the seam tf.keras is its own; past it some Keras must have what is used."""
        start, everything = self._api.shelf.seam[0], self._api.shelf.book("tensorflow").everything
        late = everything >> start << start
        common = -1
        for mask in under:
            common &= mask
        needs = dict(own)
        for mask, bound in inside.items():
            needs[mask | late] = bound
        if under and not common:
            blamed = next((bound for mask, bound in under.items() if not mask), next(iter(under.values())))
            needs[everything & ~late] = blamed
        return self._window(scope, "tensorflow", "tensorflow", needs, -1)

    def _window(self, scope: str, package: str, book: str, needs: dict[int, Bound], within: int) -> Window:
        shelf = self._api.shelf.book(book)
        whole = shelf.everything & within
        common = whole
        for mask in needs:
            common &= mask
        first = (whole & -whole).bit_length() - 1
        lower = upper = None
        if common:
            lowest = (common & -common).bit_length() - 1
            highest = common.bit_length() - 1
            if lowest > first:
                lower = next((bound for mask, bound in needs.items() if not mask >> (lowest - 1) & 1), None)
            if highest < whole.bit_length() - 1:
                upper = next((bound for mask, bound in needs.items() if not mask >> (highest + 1) & 1), None)
        elif 0 in needs:
            upper = needs[0]
        else:
            lower = max(needs.items(), key=lambda each: (each[0] & -each[0]).bit_length())[1]
            upper = min(needs.items(), key=lambda each: each[0].bit_length())[1]
        return Window(scope, package, tuple(shelf.intervals(common)), lower, upper)
