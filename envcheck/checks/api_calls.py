"""Calls that the target refuses: keywords that it lacks, arguments too many, values that it does not take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Severity, check

if TYPE_CHECKING:
    from envcheck.verdicts.found import Code, Verdict

SEVERITIES = {"raises": Severity.ERROR, "differs": Severity.WARNING, "warns": Severity.WARNING, "works": Severity.NOTE}


@check("API201", "keyword arguments are taken", Severity.ERROR)
def keywords(code: Code) -> Iterator[Finding]:
    """The code gives a function, class or method a keyword that the target's does not take: the call raises.

    Cause: the parameter was removed or renamed (``Adam(lr=)``), or is not there yet. Where ``**kwargs`` decides, keywords were
    tried on the real object; what was not tried is not judged.

    How to fix: the parameter that the finding names, or leave it out.

    Source: the signatures of the packages themselves: ``envcheck api NAME``.
    """
    for verdict in code.of("absent-parameter"):
        yield _finding(verdict, f"{verdict.symbol}() takes no {verdict.parameter}= in {verdict.target}: {verdict.why}")


@check("API202", "no call has too many arguments by position", Severity.ERROR)
def positions(code: Code) -> Iterator[Finding]:
    """The code gives more arguments by position than the target's signature takes: the call raises TypeError.

    Cause: parameters became keyword-only, or were removed.

    How to fix: give them by keyword.

    Source: the signatures of the packages themselves: ``envcheck api NAME``.
    """
    for verdict in code.of("positional"):
        yield _finding(verdict, f"{verdict.symbol}() in {verdict.target}: {verdict.why}")


@check("API203", "argument values are taken", Severity.ERROR)
def values(code: Code) -> Iterator[Finding]:
    """The code gives an argument a value that the target refuses, ignores, or takes for something else.

    Cause: ``model.save("folder")`` without ``.keras`` or ``.h5``, ``save_format="tf"``, ``save_weights`` without
    ``.weights.h5`` and their like. Only literals and the ends of paths are looked at.

    How to fix: what the finding names.

    Source: measured on Keras 2.15 and Keras 3; each row of ``compat_matrix/api/values.yaml`` names its releases.
    """
    for verdict in code.of("value"):
        yield _finding(verdict, f"{verdict.symbol}() in {verdict.target}: {verdict.why}")


@check("API204", "string identifiers are known", Severity.ERROR)
def identifiers(code: Code) -> Iterator[Finding]:
    """The code names an optimizer, loss, metric, activation or initializer by a string that the target does not know.

    Cause: the identifier was removed, is not there yet, or names an object that nobody registered.

    How to fix: a string that the target knows, or the object itself.

    Source: tried on the packages themselves; ``compat_matrix/api/identifiers/`` names the releases.
    """
    for verdict in code.of("identifier"):
        yield _finding(verdict, f"{verdict.target} {verdict.why}")


def _finding(verdict: Verdict, message: str) -> Finding:
    severity = SEVERITIES[verdict.runs]
    return Finding(message, verdict.fix, verdict.location, verdict.symbol, verdict.evidence, severity)
