"""What glibc wrote down of a search (``LD_DEBUG=libs,files``): which files it tried, for which soname.

Source: ld.so(8), LD_DEBUG; the words are those of ``elf/dl-load.c``.
"""

from __future__ import annotations

import re

_LINE = re.compile(r"^\s*\d+:\t(?P<words>.*)$")
_FIND = re.compile(r"find library=(?P<soname>\S+) \[\d+\]; searching")
_TRY = re.compile(r"\s+trying file=(?P<path>.+)")


def tried(text: str) -> dict[str, tuple[str, ...]]:
    """The files tried by soname, in order; each soname as it was searched last. Folders known to be missing are left out."""
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.splitlines():
        match = _LINE.match(line)
        if not match:
            continue
        words = match["words"]
        start, trial = _FIND.match(words), _TRY.match(words)
        if start:
            current = found[start["soname"]] = []
        elif trial and current is not None:
            current.append(trial["path"])
    return {soname: tuple(paths) for soname, paths in found.items()}
