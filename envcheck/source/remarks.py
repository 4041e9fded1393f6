"""Comments by which a file says what is not to be reported in it: ``# envcheck: ignore[API001] reason``."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from envcheck.source.logical import mask

_REMARK = re.compile(r"#[ \t]*envcheck[ \t]*:[ \t]*([^#\n]*)")
_IGNORE = re.compile(r"(ignore|ignore-file)(?![\w-])[ \t]*(?:\[([^\]]*)\])?[ \t:–—-]*(.*)", re.DOTALL)
_CODE = re.compile(r"[A-Z]{1,3}|[A-Z]{3}\d{1,3}")


class Ignore(NamedTuple):
    """One comment: nothing whose code begins with one of ``codes`` is to be reported where it holds.

    Args:
        codes: prefixes of codes; empty for every code.
        reason: what stands behind; may be empty.
        line: the comment's own, from 1, in its cell.
        until: the last line it holds for: that of the statement, where it stands on the statement's first line, else its own.
        file: it holds for the whole file: ``ignore-file`` on a line of its own.
        cell: the notebook's cell that it stands in; None in a file.
    """

    codes: tuple[str, ...]
    reason: str
    line: int
    until: int
    file: bool = False
    cell: int | None = None


class Misread(NamedTuple):
    """A comment for envcheck that hides nothing because it is not written as one: its place, and what is wrong with it."""

    reason: str
    line: int
    cell: int | None = None


class Remarks(NamedTuple):
    """The comments for envcheck in a text or file."""

    ignores: tuple[Ignore, ...] = ()
    misread: tuple[Misread, ...] = ()


def remarks(text: str, cell: int | None = None) -> Remarks:
    r"""The comments for envcheck in a Python text, also in one that does not parse. Most texts have none, and cost one search.

    A comment holds for its line; one on the first line of a statement (of the head, where the statement has a body) for
    all of the statement's lines; ``ignore-file`` for the file.

    Args:
        text: with lines ended by ``\n``.
        cell: the notebook's cell that the text is.
    """
    if "envcheck" not in text or not _REMARK.search(text):
        return Remarks()
    place = _Places(text)
    told = [
        _told(found, place)._replace(cell=cell) for found in _REMARK.finditer(text) if place.is_comment(found.start())
    ]
    ignores = tuple(each for each in told if isinstance(each, Ignore))
    return Remarks(ignores, tuple(each for each in told if isinstance(each, Misread)))


def _told(found: re.Match[str], place: _Places) -> Ignore | Misread:
    """What one comment says."""
    words = found[1].strip()
    line = place.line(found.start())
    ignore = _IGNORE.fullmatch(words)
    if ignore is None:
        return Misread(
            f"{words[:40]!r} is nothing that envcheck knows: there is ignore, ignore[CODE] and ignore-file[CODE]", line
        )
    kind, listed, reason = ignore.groups()
    if listed is None and re.match(r"\[|[A-Z]{3}\d", reason):
        return Misread(f"{words[:40]!r}: codes stand between brackets, as in {kind}[API101]", line)
    codes = tuple(part.strip().upper() for part in listed.split(",")) if listed is not None else ()
    wrong = next((each for each in codes if not _CODE.fullmatch(each)), None)
    if wrong is not None:
        return Misread(f"{wrong[:20]!r} is no code: API101 is one, and API1 the beginning of some", line)
    if kind == "ignore":
        return Ignore(codes, reason.strip(), line, place.until(line))
    if place.has_code(line):
        return Misread("ignore-file stands on a line of its own", line)
    return Ignore(codes, reason.strip(), line, line, file=True)


class _Places:
    """Lines and statements of a text. Each is found in about the same time, however long the text's lines and statements are."""

    def __init__(self, text: str) -> None:
        self._code = mask(text)
        self._ends = [found.start() for found in re.finditer("\n", text)] + [len(text)]
        """Where each line ends."""
        self._last = [self.line(found.start()) for found in re.finditer("\n", self._code)] + [len(self._ends)]
        """The last line of each statement."""
        self._blank: dict[int, bool] = {}

    def is_comment(self, position: int) -> bool:
        """Whether the ``#`` there begins a comment, or stands in one: in code it always does, so else it is in a string."""
        return self._code[position] == " "

    def line(self, position: int) -> int:
        """The line, from 1."""
        return bisect_left(self._ends, position) + 1

    def until(self, line: int) -> int:
        """The last line of the statement that begins on a line; the line itself where none does."""
        statement = bisect_left(self._last, line)
        first = self._last[statement - 1] + 1 if statement else 1
        return self._last[statement] if line == first else line

    def has_code(self, line: int) -> bool:
        """Whether more than a comment stands on a line."""
        if line not in self._blank:
            begin = self._ends[line - 2] + 1 if line > 1 else 0
            self._blank[line] = not self._code[begin : self._ends[line - 1]].strip()
        return not self._blank[line]


def unknown(ignore: Ignore, known: Collection[str]) -> tuple[str, ...]:
    """Those of its prefixes with which no known code begins."""
    return tuple(prefix for prefix in ignore.codes if not any(code.startswith(prefix) for code in known))


_Place = tuple[int | None, int]
_FILE: _Place = (None, 0)
"""The place of what holds for the whole file: no line has the number 0."""


class Sieve:
    """Holds findings back as the comments of one file (``ignores``) say, and knows which comments never did."""

    def __init__(self, ignores: Iterable[Ignore]) -> None:
        self.ignores = tuple(ignores)
        self._used: set[tuple[Ignore, str]] = set()
        self._first: dict[_Place, _Place] = {}
        """For the lines of statements with a comment on their first line: that line."""
        self._held: dict[_Place, dict[str, Ignore]] = {}
        """The first comment for each prefix of a code on a line."""
        for ignore in self.ignores:
            place = _FILE if ignore.file else (ignore.cell, ignore.line)
            if place not in self._held and ignore.until > ignore.line:
                self._first |= {(ignore.cell, line): place for line in range(ignore.line, ignore.until + 1)}
            held = self._held.setdefault(place, {})
            for prefix in ignore.codes or ("",):
                held.setdefault(prefix, ignore)

    def holds(self, code: str, line: int | None, cell: int | None = None) -> bool:
        """Whether a finding of ``code`` is held back.

        Args:
            code: the finding's, such as ``API101``.
            line: the finding's, in its cell; None where it has none.
            cell: the notebook's cell.
        """
        place = (cell, line or 0)
        found = {
            (ignore, code[:length])
            for each in (place, self._first.get(place, place), _FILE)
            for length in range(len(code) + 1)
            if (ignore := self._held.get(each, {}).get(code[:length])) is not None
        }
        self._used |= found
        return bool(found)

    def unused(self, judged: Collection[str]) -> Iterator[tuple[Ignore, str]]:
        """The comments that held nothing back, each with the prefix that it could do without; empty: the whole comment.

        Args:
            judged: the codes that were looked for: of the others nothing is known.
        """
        for ignore in self.ignores:
            for prefix in ignore.codes or ("",):
                if (ignore, prefix) not in self._used and any(code.startswith(prefix) for code in judged):
                    yield ignore, prefix
