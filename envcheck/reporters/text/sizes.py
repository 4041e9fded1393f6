"""Amounts of memory in words."""

from __future__ import annotations


def size(amount: int | None) -> str:
    """Bytes in GiB: ``79.2 GiB``; ``unknown`` for None."""
    return "unknown" if amount is None else f"{amount / 2**30:.1f} GiB"
