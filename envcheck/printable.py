"""Text of unknown origin, fit for a terminal: a file name or a child's output could clear the screen or set its title."""

from __future__ import annotations


def printable(text: str) -> str:
    """``text`` on one line, other white space as spaces and control characters replaced."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else " " if char.isspace() else "\N{REPLACEMENT CHARACTER}" for char in text
    )
