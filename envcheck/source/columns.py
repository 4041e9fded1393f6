"""Columns as people and editors count them: ``ast`` counts bytes of UTF-8."""

from __future__ import annotations


def in_characters(line: str, column: int, end: int) -> tuple[int, int]:
    """The columns of a piece of a line, counted in characters.

    Args:
        line: The line.
        column: Where the piece begins, from 0, in bytes of UTF-8.
        end: Where it ends; a negative one, which stands for another line, stays.
    """
    if line.isascii():
        return column, end
    encoded = line.encode("utf-8", "surrogatepass")
    start, stop = (len(encoded[: max(0, place)].decode("utf-8", "ignore")) for place in (column, end))
    return start, stop if end >= 0 else -1
