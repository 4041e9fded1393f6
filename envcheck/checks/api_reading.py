"""Code that could not be read, and pins that disagree with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Location, Severity, check

if TYPE_CHECKING:
    from envcheck.verdicts.found import Code


@check("API401", "the project's pins and its code agree", Severity.WARNING)
def pins(code: Code) -> Iterator[Finding]:
    """A requirement of the project allows no release of TensorFlow or Keras that has all its code uses, or also others (a note).

    Cause: the code was changed and the pin was not, or the other way round; or a pin without an upper bound came to
    allow newer releases.

    How to fix: pin what the code needs, or change the code that bounds it; the finding names both.

    Source: the API of every recorded release, and the project's requirements files, pyproject.toml, setup.cfg, setup.py,
    environment.yml, Pipfile, lock files and Dockerfiles.
    """
    for verdict in code.of("pin"):
        severity = Severity.NOTE if verdict.runs == "works" else None
        yield Finding(
            f"{verdict.symbol}: {verdict.why}", verdict.fix, verdict.location, None, verdict.evidence, severity
        )


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
