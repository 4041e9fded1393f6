"""Source that Python cannot parse, with the damaged statements left out and everything else as it was.

Statements are found by their logical lines and indentation; groups of them are parsed, and where a group fails, its
halves, down to one logical line. That line becomes ``pass``, or where it heads a block a head that keeps the block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from envcheck.source.blocks import Clause, Line, Statement, logical_lines, statements
from envcheck.source.edits import Shifts

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
        self.top = statements(logical_lines(text), self._indent)

    def block(self, block: list[Statement]) -> None:
        """Mends the statements of one block."""
        waiting = list(_groups(block, self.rows))[::-1]
        while waiting:
            group = waiting.pop()
            error = self._wrong(self.rows[group[0].first - 1 : group[-1].last])
            if error and len(group) > 1:
                middle = len(group) // 2
                waiting += (group[middle:], group[:middle])
            elif error:
                self._statement(group[0], error)

    def _statement(self, statement: Statement, error: str) -> None:
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

    def _mend_heads(self, statement: Statement) -> None:
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

    def _skeleton(self, statement: Statement) -> list[str]:
        """The statement with nothing in its blocks."""
        rows = [row for decorator in statement.decorators for row in self._rows_of(decorator)]
        for clause in statement.clauses:
            rows += self._rows_of(clause.head)
            if clause.body:
                rows.append(f"{clause.head.indent} pass")
        return rows

    def _rows_of(self, line: Line) -> list[str]:
        return self.rows[line.first - 1 : line.last]

    def _wrong(self, rows: list[str]) -> str:
        """What is wrong with some rows of the same block."""
        text = "\n".join(rows)
        self._left -= len(text)
        self._pieces -= 1
        if self._exhausted:
            return _EXHAUSTED
        return self._check(f"if 1:\n{text}\n" if text[:1] in (" ", "\t", "\f") else f"{text}\n")

    def _indent(self, line: Line, indent: str) -> None:
        """Gives a line the indentation of its block."""
        added = len(indent) - len(line.indent)
        row = self.rows[line.first - 1]
        self.rows[line.first - 1] = indent + row[len(line.indent) :]
        if added:
            self.shifts[line.first] = [(len(indent), added)]
            self.gaps.append(Gap(line.first, line.first, "indentation that fits no block", read=True))
        line.indent = indent

    def _replace(self, line: Line, new: str, reason: str) -> None:
        """Puts something in a logical line's place."""
        self.rows[line.first - 1] = line.indent + new
        for row in range(line.first, line.last):
            self.rows[row] = ""
        self.shifts.pop(line.first, None)
        self.gaps.append(Gap(line.first, line.last, reason))

    def _fill(self, head: Line) -> None:
        """Gives a head its missing block."""
        row = self.rows[head.last - 1]
        self.rows[head.last - 1] = f"{row[: len(row) - head.after]} pass"
        self.gaps.append(Gap(head.first, head.last, "its block is missing", read=True))

    def _leave_out(self, statement: Statement, reason: str) -> None:
        head = statement.decorators[0] if statement.decorators else statement.clauses[0].head
        last = statement.last
        self._replace(head, "pass", reason)
        self.rows[head.last : last] = [""] * (last - head.last)
        self.gaps[-1] = Gap(head.first, last, reason)


def _groups(block: list[Statement], rows: list[str]) -> Iterable[list[Statement]]:
    """Statements that follow each other, in groups of some size."""
    group: list[Statement] = []
    size = 0
    for statement in block:
        group.append(statement)
        size += sum(map(len, rows[statement.first - 1 : statement.last]))
        if size >= _GROUP:
            yield group
            group, size = [], 0
    if group:
        yield group


def _framed(clause: Clause, rows: list[str]) -> list[str]:
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


def _stand_in(clause: Clause) -> str:
    """A head that keeps the block, and its scope, of one that does not parse."""
    found = _NAME.match(clause.head.code)
    if found:
        head = f"{found[2]} {found[3]}{'()' if found[2] == 'def' else ''}:"
    else:
        heads = {
            "elif": "elif 1:",
            "else": "else:",
            "except": "except Exception:",
            "finally": "finally:",
            "try": "try:",
        }
        head = heads.get(clause.head.word, "if 1:")
    return head if clause.body else f"{head} pass"
