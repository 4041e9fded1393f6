"""Ranges of versions as Poetry and Pipfiles write them, in the spelling of PEP 440.

Source: https://python-poetry.org/docs/dependency-specification/#version-constraints
"""

from __future__ import annotations

import re

from packaging.version import InvalidVersion, Version

from envcheck.source.pins.pin import Unclear, checked


def specifier(text: str) -> str:
    """``^2.4`` is ``<3.0,>=2.4``, ``~2.4.1`` is ``<2.5,>=2.4.1``, ``2.4`` is ``==2.4``.

    Raises:
        Unclear: it is no range, or several.
    """
    if "|" in text:
        raise Unclear(f"these versions are not one range: {text[:80]}")
    clauses = re.split(r"\s*,\s*|\s+(?=[\^~<>=!])", text.strip())
    return checked(",".join(_clause(clause.strip()) for clause in clauses if clause.strip() != "*"))


def _clause(clause: str) -> str:
    found = re.fullmatch(r"(\^|~(?!=))\s*(.*)", clause)
    if found is None:
        return f"=={clause}" if re.match(r"v?\d", clause) else re.sub(r"^([<>]=?\s*[\w.]+?)\.\*$", r"\1", clause)
    try:
        lowest = Version(found[2])
    except (InvalidVersion, ValueError):
        raise Unclear(f"this is no range of versions: {clause[:80]}") from None
    release = lowest.release
    if found[1] == "^":
        place = next((index for index, number in enumerate(release) if number), len(release) - 1)
    else:
        place = min(1, len(release) - 1)
    above = ".".join(str(number) for number in (*release[:place], release[place] + 1))
    return f">={lowest},<{above}"
