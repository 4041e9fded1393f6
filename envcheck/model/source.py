"""The words of a source: a cheap look that spares the dear one."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Iterable
from functools import cached_property

from envcheck.model.names import KERAS_ROOTS, MENTIONED, TELLING, USING

_CAPITALIZED = re.compile(r"[A-Z]\w*")
"""No look behind: without one the search runs four times as fast."""
_LOWER = frozenset(each for each in MENTIONED if not each[0].isupper())


class Source:
    """The text of a file, or of a notebook's cells as one; its lines are those of the tree."""

    def __init__(self, text: str) -> None:
        self.text = text

    def defines_models(self, tree: ast.Module) -> bool:
        """Whether the file imports Keras or TensorFlow, and names a layer or model."""
        text = self.text
        return (
            any(each in text for each in KERAS_ROOTS)
            and _imports_keras(tree.body)
            and any(word in TELLING for _, word in self.mentions)
        )

    @cached_property
    def mentions(self) -> list[tuple[int, str]]:
        """Where layers, models and what is done with them are named, comments and texts too: offset and word, in order."""
        text = self.text
        found = [(each.start(), each[0]) for each in _CAPITALIZED.finditer(text) if each[0] in MENTIONED]
        lower = [each for each in _LOWER if each in text]
        if lower:
            found += [(each.start(), each[0]) for each in re.finditer(rf"(?:{'|'.join(lower)})\b", text)]
            found.sort()
        return [each for each in found if not text[each[0] - 1 : each[0]].isidentifier()]

    @property
    def declares(self) -> bool:
        """Whether it may declare a name global or nonlocal."""
        return "global " in self.text or "nonlocal " in self.text

    def tells(self, node: ast.stmt | ast.expr) -> bool:
        """Whether a layer or model, or what is done with one, is named in the lines of a node."""
        return _within(self._telling, node)

    def yields(self, node: ast.stmt | ast.expr) -> bool:
        """Whether ``yield`` stands in the lines of a node."""
        return _within(self._yielding, node)

    @cached_property
    def _telling(self) -> list[int]:
        return self._lines(offset for offset, word in self.mentions if word in USING)

    @cached_property
    def _yielding(self) -> list[int]:
        return self._lines(each.start() for each in re.finditer("yield", self.text))

    def _lines(self, offsets: Iterable[int]) -> list[int]:
        """The lines, from 1, of offsets that are in order."""
        found: list[int] = []
        line, seen = 1, 0
        for each in offsets:
            line += self.text.count("\n", seen, each)
            seen = each
            found.append(line)
        return found


def _within(lines: list[int], node: ast.stmt | ast.expr) -> bool:
    at = bisect_left(lines, node.lineno)
    return at < len(lines) and lines[at] <= (node.end_lineno or node.lineno)


def _imports_keras(body: list[ast.stmt], depth: int = 0) -> bool:
    """Whether statements, those in branches and functions too, import TensorFlow or Keras."""
    for each in body:
        if isinstance(each, ast.Import):
            if any(alias.name.partition(".")[0] in KERAS_ROOTS for alias in each.names):
                return True
        elif isinstance(each, ast.ImportFrom):
            if each.level == 0 and (each.module or "").partition(".")[0] in KERAS_ROOTS:
                return True
        elif depth < 8 and isinstance(each, (ast.If, ast.Try, ast.With, ast.FunctionDef, ast.ClassDef)):
            blocks = [each.body]
            if isinstance(each, (ast.If, ast.Try)):
                blocks.append(each.orelse)
            if isinstance(each, ast.Try):
                blocks += [handler.body for handler in each.handlers]
            if any(_imports_keras(block, depth + 1) for block in blocks):
                return True
    return False
