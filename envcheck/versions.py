"""Versions that do not follow PEP 440, as tuples of integers: NVIDIA drivers, CUDA, glibc, compute capabilities."""

from __future__ import annotations

import re


def numbers(text: str) -> tuple[int, ...]:
    """The leading dotted integers of ``text``: ``(580, 65, 6)`` for "580.65.06"; empty when it starts otherwise.

    Drivers must be compared like this and never as decimals: 580.159 is newer than 580.65.
    """
    match = re.match(r"\d+(\.\d+)*", text.strip())
    return tuple(int(part) for part in match.group().split(".")) if match else ()


def at_least(found: str, floor: str) -> bool:
    """Whether ``found`` is ``floor`` or newer; missing parts count as zero."""
    left, right = numbers(found), numbers(floor)
    length = max(len(left), len(right))
    return left + (0,) * (length - len(left)) >= right + (0,) * (length - len(right))
