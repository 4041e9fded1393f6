"""Source that Python cannot parse, with the damaged statements left out and everything else as it was.

Statements are found by their logical lines and indentation; groups of them are parsed, and where a group fails, its
halves, down to one logical line. That line becomes ``pass``, or where it heads a block a head that keeps the block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from envcheck.source.edits import Shifts
from envcheck.source.logical import mask

_DEEPEST = 90
"""Levels of indentation that are kept apart; Python itself gives up at 100."""
_GROUP = 2_000
"""Characters of statements that are parsed together at first."""
_ROUNDS, _MORE, _PIECES = 3, 1_000_000, 20_000
"""Bounds on the time that hostile text takes: so many times its characters and so many more are parsed, in so many pieces."""
_EXHAUSTED = "too much around it is damaged"


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines from ``line`` to ``end_line`` (from 1) that do not parse; ``read`` where they were translated."""

    line: int
    end_line: int
    reason: str
    read: bool = False


@dataclass(slots=True)
class _Line:
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
class _Clause:
    """The head of a block, and the block; a plain statement is a head without a block."""

    head: _Line
    body: list[_Statement] = field(default_factory=list)


@dataclass(slots=True)
class _Statement:
    """One statement: its decorators, and its clauses (``if``, ``elif``, ``else``)."""

    decorators: list[_Line] = field(default_factory=list)
    clauses: list[_Clause] = field(default_factory=list)

    @property
    def first(self) -> int:
        return (self.decorators[0] if self.decorators else self.clauses[0].head).first

    @property
    def last(self) -> int:
        if not self.clauses:
            return self.decorators[-1].last
        clause = self.clauses[-1]
        return clause.body[-1].last if clause.body else clause.head.last


def mend(text: str, check: Callable[[str], str]) -> tuple[str, Shifts, list[Gap]]:
    r"""A text that parses, with as many lines; what was added before its lines' columns; and what was left out.

    Args:
        text: with lines ended by ``\n``.
        check: what is wrong with a text; empty where it parses.
    """
    mending = _Mending(text, check)
    mending.block(mending.top)
    return "\n".join(mending.rows), mending.shifts, mending.gaps


class _Mending:
    def __init__(self, text: str, check: Callable[[str], str]) -> None:
        self.rows = text.split("\n")
        self.shifts: dict[int, list[tuple[int, int]]] = {}
        self.gaps: list[Gap] = []
        self._check = check
        self._left = _ROUNDS * len(text) + _MORE
        self._pieces = _PIECES
        self.top = _blocks(_lines(text), self._indent)

    def block(self, statements: list[_Statement]) -> None:
        """Mends the statements of one block."""
        waiting = list(_groups(statements, self.rows))[::-1]
        while waiting:
            group = waiting.pop()
            error = self._wrong(self.rows[group[0].first - 1 : group[-1].last])
            if error and len(group) > 1:
                middle = len(group) // 2
                waiting += (group[middle:], group[:middle])
            elif error:
                self._statement(group[0], error)

    def _statement(self, statement: _Statement, error: str) -> None:
        """Mends one statement that does not parse."""
        plain = len(statement.clauses) == 1 and not statement.clauses[0].head.opens and not statement.decorators
        if self._exhausted or not statement.clauses or plain:
            self._leave_out(statement, error)
            return
        for clause in statement.clauses:
            if clause.head.opens and not clause.body:
                self._fill(clause.head)
        if self._wrong(self._skeleton(statement)):
            self._mend_heads(statement)
        for clause in statement.clauses:
            self.block(clause.body)

    def _mend_heads(self, statement: _Statement) -> None:
        """Puts something in place of the heads and decorators that do not parse; of all of them if they do not go together."""
        for decorator in statement.decorators:
            if wrong := self._wrong([*self._rows_of(decorator), f"{decorator.indent}def _(): pass"]):
                self._replace(decorator, "", wrong)
        for clause in statement.clauses:
            if wrong := self._wrong(_framed(clause, self._rows_of(clause.head))):
                self._replace(clause.head, _stand_in(clause), wrong)
        if wrong := self._wrong(self._skeleton(statement)):
            for decorator in statement.decorators:
                self._replace(decorator, "", wrong)
            for clause in statement.clauses:
                self._replace(clause.head, "if 1:" if clause.body else "pass", wrong)

    @property
    def _exhausted(self) -> bool:
        return self._left < 0 or self._pieces < 0

    def _skeleton(self, statement: _Statement) -> list[str]:
        """The statement with nothing in its blocks."""
        rows = [row for decorator in statement.decorators for row in self._rows_of(decorator)]
        for clause in statement.clauses:
            rows += self._rows_of(clause.head)
            if clause.body:
                rows.append(f"{clause.head.indent} pass")
        return rows

    def _rows_of(self, line: _Line) -> list[str]:
        return self.rows[line.first - 1 : line.last]

    def _wrong(self, rows: list[str]) -> str:
        """What is wrong with some rows of the same block."""
        text = "\n".join(rows)
        self._left -= len(text)
        self._pieces -= 1
        if self._exhausted:
            return _EXHAUSTED
        return self._check(f"if 1:\n{text}\n" if text[:1] in (" ", "\t", "\f") else f"{text}\n")

    def _indent(self, line: _Line, indent: str) -> None:
        """Gives a line the indentation of its block."""
        added = len(indent) - len(line.indent)
        row = self.rows[line.first - 1]
        self.rows[line.first - 1] = indent + row[len(line.indent) :]
        if added:
            self.shifts[line.first] = [(len(indent), added)]
            self.gaps.append(Gap(line.first, line.first, "indentation that fits no block", read=True))
        line.indent = indent

    def _replace(self, line: _Line, new: str, reason: str) -> None:
        """Puts something in a logical line's place."""
        self.rows[line.first - 1] = line.indent + new
        for row in range(line.first, line.last):
            self.rows[row] = ""
        self.shifts.pop(line.first, None)
        self.gaps.append(Gap(line.first, line.last, reason))

    def _fill(self, head: _Line) -> None:
        """Gives a head its missing block."""
        row = self.rows[head.last - 1]
        self.rows[head.last - 1] = f"{row[: len(row) - head.after]} pass"
        self.gaps.append(Gap(head.first, head.last, "its block is missing", read=True))

    def _leave_out(self, statement: _Statement, reason: str) -> None:
        head = statement.decorators[0] if statement.decorators else statement.clauses[0].head
        last = statement.last
        self._replace(head, "pass", reason)
        self.rows[head.last : last] = [""] * (last - head.last)
        self.gaps[-1] = Gap(head.first, last, reason)


def _groups(statements: list[_Statement], rows: list[str]) -> Iterable[list[_Statement]]:
    """Statements that follow each other, in groups of some size."""
    group: list[_Statement] = []
    size = 0
    for statement in statements:
        group.append(statement)
        size += sum(map(len, rows[statement.first - 1 : statement.last]))
        if size >= _GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group


_WORD = re.compile(r"(?:async\s+)?(\w*)")
_COMPOUND = {"if", "elif", "else", "for", "while", "try", "except", "finally", "with", "def", "class", "match", "case"}
_FOLLOWS = {
    "elif": {"if", "elif"},
    "else": {"if", "elif", "for", "while", "try", "except"},
    "except": {"try", "except"},
    "finally": {"try", "except", "else"},
}
"""What a clause may stand after."""


def _lines(text: str) -> list[_Line]:
    """The logical lines of a text that have code."""
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
            lines.append(_Line(first, last, indent, stripped, len(code) - len(code.rstrip()), word, opens))
        offset += len(code) + 1
        first = last + 1
    return lines


@dataclass(slots=True)
class _Open:
    """A block that lines may still join."""

    width: int
    indent: str
    statements: list[_Statement]


def _blocks(lines: list[_Line], indent: Callable[[_Line, str], None]) -> list[_Statement]:
    """The statements of a text by their indentation; a line whose indentation fits no block joins the nearest one."""
    top: list[_Statement] = []
    stack = [_Open(0, "", top)]
    before: _Clause | None = None
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


def _joined(block: list[_Statement], line: _Line) -> _Clause | None:
    """The clause that a line heads, in the block that it belongs to; None for a decorator."""
    last = block[-1] if block else None
    decorated = last is not None and not last.clauses
    follows = last is not None and last.clauses and last.clauses[-1].head.word in _FOLLOWS.get(line.word, ())
    if last is None or not (decorated or follows):
        last = _Statement()
        block.append(last)
    statement = last
    if line.code.startswith("@") and not statement.clauses:
        statement.decorators.append(line)
        return None
    clause = _Clause(line)
    statement.clauses.append(clause)
    return clause


def _framed(clause: _Clause, rows: list[str]) -> list[str]:
    """A clause's head with what it needs around it to be parsed alone."""
    head = clause.head
    own, inner = head.indent, f"{head.indent} pass"
    before = {
        "elif": [f"{own}if 1:", inner],
        "else": [f"{own}if 1:", inner],
        "except": [f"{own}try:", inner],
        "finally": [f"{own}try:", inner],
    }.get(head.word, [])
    after = [f"{own}finally:", inner] if head.word == "try" else []
    return [*before, *rows, *([inner] if clause.body else []), *after]


_NAME = re.compile(r"(async\s+)?(def|class)\s+([^\W\d]\w*)")


def _stand_in(clause: _Clause) -> str:
    """A head that keeps the block, and its scope, of one that does not parse."""
    found = _NAME.match(clause.head.code)
    if found:
        head = f"{found[2]} {found[3]}{'()' if found[2] == 'def' else ''}:"
    else:
        heads = {
            "elif": "elif 1:",
            "else": "else:",
            "except": "except ():",
            "finally": "finally:",
            "try": "try:",
        }
        head = heads.get(clause.head.word, "if 1:")
    return head if clause.body else f"{head} pass"
