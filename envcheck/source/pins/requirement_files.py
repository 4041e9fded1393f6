"""Pins in requirements and constraints files, which may include others.

Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envcheck.source.pins.match_specs import match_spec
from envcheck.source.pins.pin import Include, Pin, Told, Unclear, pinned, unclear_at

_INCLUDE = re.compile(r"(?:-r|--requirement|-c|--constraint)(?:\s*=\s*|\s*)(\S.*)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s*=\s*|\s+)")
_EXPORTED = re.compile(r"[\w.-]+=[\w.]+=\w+")
"""A line that ``conda list --export`` wrote."""


def read(path: str, text: str) -> Iterator[Told]:
    """What a requirements file says."""
    for line, words in logical_lines(text):
        yield from requirement_line(path, line, words)


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """The logical lines of a requirements file with the number (from 1) of their first line, without comments and hashes."""
    held, start = "", 0
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        start = start or number
        held += line
        if held.endswith("\\"):
            held = held[:-1]
            if number < len(lines):
                continue
        found = re.sub(r"(^|\s)#.*", "", held)
        found = re.split(r"\s--hash", found)[0].strip()
        if found:
            yield start, found
        held, start = "", 0


def requirement_line(path: str, line: int, words: str, group: str = "") -> Iterator[Told]:
    """What one logical line says."""
    include = _INCLUDE.match(words)
    if include is not None:
        yield Include(include[1].strip("\"'"), line)
        return
    if _EXPORTED.fullmatch(words):
        yield from conda_spec(path, line, words, group)
        return
    words = re.split(r"\s--[a-z]", _EDITABLE.sub("", words))[0]
    if not words.startswith("-"):
        yield from pinned(words, path, line, group)


def conda_spec(path: str, line: int, words: str, group: str) -> Iterator[Told]:
    """What one match specification of conda says."""
    try:
        found = match_spec(words)
    except Unclear as unclear:
        yield unclear_at(path, line, unclear)
        return
    if found is not None:
        yield Pin(*found, path, line, group)
