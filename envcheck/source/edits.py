"""Edits of a text that keep its lines, and the columns of its syntax tree as they were before the edits."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Edit:
    """A piece of text and what stands for it: ``text[start:end]`` becomes ``new``. It adds no lines and removes none."""

    start: int
    end: int
    new: str
    reason: str


Shifts: TypeAlias = Mapping[int, Sequence[tuple[int, int]]]
"""By line, from 1: (column of the edited text from which on it holds, bytes that the edit added before it)."""


def apply(text: str, edits: Sequence[Edit]) -> tuple[str, Shifts]:
    """The edited text, and what the edits added to its lines.

    Args:
        text: what the offsets of the edits count in.
        edits: in the order of the text, none inside of another.
    """
    parts: list[str] = []
    shifts: dict[int, list[tuple[int, int]]] = {}
    done, line, grown = 0, 1, 0
    for edit in edits:
        passed = text.count("\n", done, edit.start)
        line, grown = line + passed, 0 if passed else grown
        parts += (text[done : edit.start], edit.new)
        done = edit.end
        added = in_bytes(edit.new) - in_bytes(text[edit.start : edit.end])
        if added:
            row = text.rfind("\n", 0, edit.start) + 1
            column = in_bytes(text[row : edit.start]) + grown + in_bytes(edit.new)
            shifts.setdefault(line, []).append((column, added))
            grown += added
    parts.append(text[done:])
    return "".join(parts), shifts


def unshift(tree: ast.Module, shifts: Shifts) -> None:
    """Sets the columns of every node to those before the edits.

    Args:
        tree: changed in place.
        shifts: what was added to which lines, as ``apply`` gives it.
    """
    if not shifts:
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.stmt, ast.expr, ast.arg, ast.keyword, ast.alias, ast.excepthandler, ast.pattern)):
            node.col_offset = _before(shifts, node.lineno, node.col_offset)
            if node.end_lineno is not None and node.end_col_offset is not None:
                node.end_col_offset = _before(shifts, node.end_lineno, node.end_col_offset)


def _before(shifts: Shifts, line: int, column: int) -> int:
    added = sum(added for at, added in shifts.get(line, ()) if column >= at)
    return max(column - added, 0)


def in_bytes(text: str) -> int:
    """How many bytes of UTF-8 a text takes: what ``ast`` counts columns in."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def blank(text: str) -> str:
    """Spaces that take as many bytes as a text, on as many lines."""
    return "".join(char if char == "\n" else " " * in_bytes(char) for char in text)
