"""Python source to a syntax tree; of a text that Python cannot parse, the tree of what can still be read.

The parser is the standard library's ``ast``: ``benchmarks/README.md`` ("Which parser") has the figures.
"""

from __future__ import annotations

import ast
import gc
import re
import sys
import warnings
from dataclasses import dataclass

from envcheck.source.edits import Edit, apply, unshift
from envcheck.source.idioms import foreign_idioms, unreadable_characters
from envcheck.source.logical import mask
from envcheck.source.mending import Gap, mend

if sys.version_info < (3, 11):
    import symtable

LARGEST = 4_000_000
"""Characters of the largest text that is parsed: about 50,000 lines."""
DENSEST = 300_000
"""Dots, commas, opening brackets and equals signs of the densest text that is parsed: that of 80,000 lines as people write
them. Each costs up to 1,400 bytes of memory (measured on Python 3.11), also in a table of numbers that is called a program."""
LARGEST_MENDED = 500_000
"""Characters of the largest text that is mended where Python cannot parse it: about 12,000 lines."""


@dataclass(frozen=True, slots=True)
class Unparsed:
    """Lines that Python cannot parse.

    Attributes:
        line: the first one, from 1, in the text.
        end_line: the last one.
        reason: what is wrong there, in a few words.
        read: whether the lines stand in the tree all the same, because what was meant is clear (``print x`` of Python 2).
    """

    line: int
    end_line: int
    reason: str
    read: bool = False


def parse(text: str) -> tuple[ast.Module, tuple[Unparsed, ...]]:
    """The syntax tree of a Python text, and what of the text Python cannot parse, by line. Never raises.

    Lines are those of the text; columns are, as ``ast`` has them, bytes of UTF-8 in the line. What is not in the tree was
    replaced by ``pass``, and a damaged ``if``, ``for`` or ``with`` by ``if 1:``, so that its block is read. A tree can be deep (a
    sum of 2,900 terms is 2,900 levels): who walks it by recursion must be ready for ``RecursionError``.
    """
    if words := _too_large(text):
        return _nothing(text, words)
    tree, error = _tree(text)
    if tree is not None:
        return tree, ()
    if len(text) > LARGEST_MENDED:
        return _nothing(text, f"{error}; a text of more than {LARGEST_MENDED:,} characters is not read in part")
    return _recovered(text, error)


def check(text: str) -> str:
    """What Python finds wrong with a text, in its words and without line numbers; empty where it parses."""
    return _too_large(text) or _tree(text)[1]


def _too_large(text: str) -> str:
    """Which limit a text exceeds; empty where none."""
    if len(text) > LARGEST:
        return f"{len(text):,} characters are more than the limit of {LARGEST:,} for one file"
    if len(text) > DENSEST and sum(map(text.count, ".,(=")) > DENSEST:
        return f"more than {DENSEST:,} dots, commas, opening brackets and equals signs, the limit for one file"
    return ""


def _recovered(text: str, error: str) -> tuple[ast.Module, tuple[Unparsed, ...]]:
    """What can be read of a text that does not parse: other dialects translated first, then damaged statements left out."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    unreadable = unreadable_characters(text)
    cleaned, _ = apply(text, unreadable)  # as many bytes: no shifts
    idioms = foreign_idioms(cleaned, mask(cleaned))
    translated, first = apply(cleaned, idioms)
    gaps = _gaps(text, unreadable) + _gaps(cleaned, idioms)
    tree, _ = _tree(translated) if translated != text else (None, error)
    if tree is None:
        mended, second, found = mend(translated, check)
        gaps += found
        tree, _ = _tree(mended)
        if tree is None:
            return _nothing(text, error)
        unshift(tree, second)
    unshift(tree, first)
    return tree, _merged(gaps) or (Unparsed(1, text.count("\n") + 1, error, read=True),)


def _tree(text: str) -> tuple[ast.Module | None, str]:
    """The tree, or what is wrong."""
    collecting = gc.isenabled()
    gc.disable()  # a tree has no cycles, and looking for them took two thirds of the time on 10 MB
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in somebody's string is not our warning
            if sys.version_info < (3, 11) and len(text) > 20_000:
                # There ast.parse itself has no bound on depth, and ends the process at 200,000 levels; this one has.
                symtable.symtable(text, "", "exec")
            return ast.parse(text), ""
    except SyntaxError as error:
        return None, _words(error)
    except (RecursionError, MemoryError):
        return None, "nested too deeply"
    except ValueError:
        return None, "characters that no Python source may have"
    finally:
        if collecting:
            gc.enable()


_ELSEWHERE = re.compile(r"\s*\(detected at line \d+\)| on line \d+")
"""Python counts lines in what it was given, here a piece of the text."""


def _words(error: SyntaxError) -> str:
    return _ELSEWHERE.sub("", str(error.msg)).splitlines()[0][:200]


def _nothing(text: str, reason: str) -> tuple[ast.Module, tuple[Unparsed, ...]]:
    return ast.Module([], []), (Unparsed(1, text.count("\n") + 1, reason),)


def _gaps(text: str, edits: list[Edit]) -> list[Gap]:
    """The lines of edits; edits come in the order of the text."""
    gaps = []
    line, offset = 1, 0
    for edit in edits:
        line += text.count("\n", offset, edit.start)
        offset = edit.start
        gaps.append(Gap(line, line, edit.reason, read=True))
    return gaps


def _merged(gaps: list[Gap]) -> tuple[Unparsed, ...]:
    """Sorted; lines that follow each other and have one reason are one; of a line that was left out, only that is said."""
    lost = {line for gap in gaps if not gap.read for line in range(gap.line, gap.end_line + 1)}
    merged: list[Unparsed] = []
    for gap in sorted(gaps, key=lambda gap: (gap.line, gap.end_line)):
        if gap.read and gap.line in lost:
            continue
        last = merged[-1] if merged else None
        if last and gap.line <= last.end_line + 1 and (gap.reason, gap.read) == (last.reason, last.read):
            merged[-1] = Unparsed(last.line, max(last.end_line, gap.end_line), last.reason, last.read)
        elif not (last and last.read and gap.read and gap.line == last.line):
            merged.append(Unparsed(gap.line, gap.end_line, gap.reason, gap.read))
    return tuple(merged)
