"""Code that could not be read, and pins that disagree with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Location, Severity, check

if TYPE_CHECKING:
    from envcheck.verdicts.found import Code


@check("API901", "all code could be read", Severity.WARNING)
def readable(code: Code) -> Iterator[Finding]:
    """A file, or a part of one, could not be read or is no Python 3: what stands there was not judged.

    Cause: Python 2 code, a conflict marker, a cut-off file, a notebook that is not JSON, a file without read permission.

    How to fix: mend the file, or leave it out with ``--exclude``.

    Source: what reading and parsing the file said.
    """
    for trouble in code.troubles:
        where = Location(trouble.path, trouble.line, None, trouble.cell)
        part = (
            ""
            if trouble.line is None
            else f"line {trouble.line}: "
            if trouble.end in (None, trouble.line)
            else f"lines {trouble.line}-{trouble.end}: "
        )
        cell = f"cell {trouble.cell}, " if trouble.cell is not None else ""
        yield Finding(
            f"{cell}{part}not judged: {trouble.reason}",
            None,
            where,
            evidence={"kind": "unparsed", "target": None, "parameter": None},
        )
