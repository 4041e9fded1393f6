r"""Logical lines of Python source, also of source that does not parse: where each statement's text begins and ends."""

from __future__ import annotations

import re

_TOKEN = re.compile(r'"""|\'\'\'|"|\'|#[^\n]*|[(\[{]|[)\]}]|\\\n|\n')
_CLOSE = {
    '"""': re.compile(r'\\.|"""', re.DOTALL),
    "'''": re.compile(r"\\.|'''", re.DOTALL),
    '"': re.compile(r'\\.|["\n]', re.DOTALL),
    "'": re.compile(r"\\.|['\n]", re.DOTALL),
}
_NEVER_IN_BRACKETS = re.compile(
    r"[ \t]*(?:(?:def|class|import|return|raise|while|with|try|except|finally|elif|del|global|nonlocal|assert|pass|break"
    r"|continue)\b|from\s+[\w.]+\s+import\b)"
)
"""A line that begins so begins a statement: an open bracket before it was never closed."""


def mask(text: str, foreign: re.Pattern[str] | None = None) -> str:
    r"""The text's code alone: as long as the text, with strings as ``_`` between their quotes and comments as spaces.

    Every ``\n`` left in it ends a logical line: those inside of brackets and after a backslash are ``\r``, in strings ``_``.

    Args:
        text: with lines ended by ``\n``.
        foreign: matches, at the beginning of a logical line, a line in another language; it comes out as ``\x00``.
    """
    parts: list[str] = []
    done = depth = position = 0
    if foreign:
        done = position = _passed_over(text, 0, foreign, parts)
    while found := _TOKEN.search(text, position):
        token, start, position = found[0], found.start(), found.end()
        first = token[0]
        if first in "([{":
            depth += 1
            continue
        if first in ")]}":
            depth = max(depth - 1, 0)
            continue
        parts.append(text[done:start])
        if first in "\"'":
            position = _end_of_string(text, token, position)
            parts.append(_hidden(text, token, start, position))
        elif first == "#":
            parts.append(" " * len(token))
        elif first == "\\":
            parts.append(" \r")
        elif depth and not _NEVER_IN_BRACKETS.match(text, position):
            parts.append("\r")
        else:
            depth = 0
            parts.append("\n")
            if foreign:
                position = _passed_over(text, position, foreign, parts)
        done = position
    parts.append(text[done:])
    return "".join(parts)


def _passed_over(text: str, position: int, foreign: re.Pattern[str], parts: list[str]) -> int:
    """The end of the foreign line that begins here; here where there is none."""
    found = foreign.match(text, position)
    if not found:
        return position
    parts.append("\0" * (found.end() - position))
    return found.end()


def _end_of_string(text: str, quote: str, position: int) -> int:
    """Where a string ends; one in single quotes at the latest with its line, another with the text."""
    for found in _CLOSE[quote].finditer(text, position):
        if found[0] == "\n":
            return found.start()
        if found[0][0] != "\\":
            return found.end()
    return len(text)


def _hidden(text: str, quote: str, start: int, end: int) -> str:
    inside = end - start - 2 * len(quote)
    if inside < 0 or not text.endswith(quote, start, end):
        return quote + "_" * (end - start - len(quote))
    return quote + "_" * inside + quote
