"""Words with the releases in which each holds, grouped: what strings Keras takes, what attributes live objects have.

A head line opens with a name and the releases of all its words; each indented line is releases, and words that share them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from envcheck.knowledge.api.book import Text

NOTHING: Mapping[str, int] = {}


class Words(Text):
    """One file of words, a name's block parsed when it is asked for."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._parsed: dict[str, Mapping[str, int]] = {}

    def of(self, name: str) -> Mapping[str, int]:
        """The words of a name and the releases of each; none for a name that has no block."""
        if name not in self._parsed:
            block = self.block(name)
            self._parsed[name] = NOTHING if block is None else self._words(block)
        return self._parsed[name]

    def _words(self, block: str) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for line in block.split("\n")[1:]:
            releases, *words = line.split()
            found.update(dict.fromkeys(words, self.mask(releases)))
        return found
