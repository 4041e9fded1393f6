"""The blocks of Python source by its logical lines and indentation, also of source that does not parse."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from envcheck.source.logical import mask

_DEEPEST = 90
"""Levels of indentation that are kept apart; Python itself gives up at 100."""


@dataclass(slots=True)
class Line:
    """One logical line.

    Attributes:
        first, last: its physical lines, from 1.
        indent: its indentation.
        code: the rest, without comment.
        after: how many characters of comment and space follow the code.
        word: its first word.
        opens: whether a block has to follow.
    """

    first: int
    last: int
    indent: str
    code: str
    after: int
    word: str
    opens: bool


@dataclass(slots=True)
class Clause:
    """The head of a block, and the block; a plain statement is a head without a block."""

    head: Line
    body: list[Statement] = field(default_factory=list)


@dataclass(slots=True)
class Statement:
    """One statement: its decorators, and its clauses (``if``, ``elif``, ``else``)."""

    decorators: list[Line] = field(default_factory=list)
    clauses: list[Clause] = field(default_factory=list)

    @property
    def first(self) -> int:
        """Its first physical line."""
        return (self.decorators[0] if self.decorators else self.clauses[0].head).first

    @property
    def last(self) -> int:
        """Its last physical line."""
        if not self.clauses:
            return self.decorators[-1].last
        clause = self.clauses[-1]
        return clause.body[-1].last if clause.body else clause.head.last


_WORD = re.compile(r"(?:async\s+)?(\w*)")
_COMPOUND = {"if", "elif", "else", "for", "while", "try", "except", "finally", "with", "def", "class", "match", "case"}
_FOLLOWS = {
    "elif": {"if", "elif"},
    "else": {"if", "elif", "for", "while", "try", "except"},
    "except": {"try", "except"},
    "finally": {"try", "except", "else"},
}
"""What a clause may stand after."""


def logical_lines(text: str) -> list[Line]:
    r"""The logical lines of a text (with lines ended by ``\n``) that have code."""
    lines = []
    offset, first = 0, 1
    for code in mask(text).split("\n"):
        last = first + text.count("\n", offset, offset + len(code))
        stripped = code.strip(" \t\f")
        if stripped:
            indent = code[: len(code) - len(code.lstrip(" \t\f"))]
            found = _WORD.match(stripped)
            word = found[1] if found else ""
            opens = stripped.endswith(":") and word in _COMPOUND
            lines.append(Line(first, last, indent, stripped, len(code) - len(code.rstrip()), word, opens))
        offset += len(code) + 1
        first = last + 1
    return lines


@dataclass(slots=True)
class _Open:
    """A block that lines may still join."""

    width: int
    indent: str
    statements: list[Statement]


def statements(lines: list[Line], indent: Callable[[Line, str], None]) -> list[Statement]:
    """The statements of a text by their indentation; a line whose indentation fits no block joins the nearest one.

    Args:
        lines: all of a text.
        indent: called with a line that is not indented as its block, and the indentation of that.
    """
    top: list[Statement] = []
    stack = [_Open(0, "", top)]
    before: Clause | None = None
    for line in lines:
        width = len(line.indent.expandtabs(8).rpartition("\f")[2])
        if before and before.head.opens and width > stack[-1].width and len(stack) < _DEEPEST:
            deeper = line.indent if line.indent.startswith(stack[-1].indent) else stack[-1].indent + "    "
            deeper = deeper if len(deeper) > len(stack[-1].indent) else stack[-1].indent + "    "
            stack.append(_Open(width, deeper, before.body))
        elif width < stack[-1].width:
            left = stack[-1]
            while width < stack[-1].width and len(stack) > 1:
                left = stack.pop()
            if width > stack[-1].width:
                stack.append(left)
        if line.indent != stack[-1].indent:
            indent(line, stack[-1].indent)
        before = _joined(stack[-1].statements, line)
    return top


def _joined(block: list[Statement], line: Line) -> Clause | None:
    """The clause that a line heads, in the block that it belongs to; None for a decorator."""
    last = block[-1] if block else None
    decorated = last is not None and not last.clauses
    follows = last is not None and last.clauses and last.clauses[-1].head.word in _FOLLOWS.get(line.word, ())
    if last is None or not (decorated or follows):
        last = Statement()
        block.append(last)
    statement = last
    if line.code.startswith("@") and not statement.clauses:
        statement.decorators.append(line)
        return None
    clause = Clause(line)
    statement.clauses.append(clause)
    return clause
