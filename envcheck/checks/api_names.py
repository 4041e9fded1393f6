"""Names that model code uses and the target lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Severity, check

if TYPE_CHECKING:
    from envcheck.verdicts.found import Code, Verdict


@check("API101", "imported modules are there", Severity.ERROR)
def modules(code: Code) -> Iterator[Finding]:
    """The code imports a module, or uses one, that the target does not have.

    Cause: modules such as ``tensorflow.contrib``, ``keras.layers.merge`` or ``keras.utils.np_utils`` went away; some, such as
    ``tensorflow.distribute`` before 2.2, are there as an attribute and cannot be imported by that path.

    How to fix: import the public name that the finding gives, or pin the releases that have the module.

    Source: the packages themselves, release by release: ``envcheck api NAME``.
    """
    yield from (_finding(verdict, "has no module") for verdict in code.of("absent-module"))


@check("API102", "names are there", Severity.ERROR)
def names(code: Code) -> Iterator[Finding]:
    """The code uses a function, class or constant that the target does not have.

    Cause: it was removed, or never was there. A name that only an import of its module brings, such as
    ``tf.keras.saving`` with Keras 3, is absent too until something imports it.

    How to fix: what the finding names; without a replacement, pin the releases that have the name.

    Source: the packages themselves, release by release: ``envcheck api NAME``.
    """
    yield from (_finding(verdict, "has no") for verdict in code.of("absent-name"))


@check("API103", "names are where the code looks for them", Severity.ERROR)
def moved(code: Code) -> Iterator[Finding]:
    """The code uses a name that the target has elsewhere or under another name.

    Cause: the name moved, as ``tf.Session`` to ``tf.compat.v1.Session``, or its module was renamed.

    How to fix: write the new name.

    Source: the packages themselves: both names stand for the same object, or for one and its successor.
    """
    yield from (_finding(verdict, "has no") for verdict in code.of("moved"))


@check("API104", "names are there already", Severity.ERROR)
def not_yet(code: Code) -> Iterator[Finding]:
    """The code uses a name that only newer releases than the target have.

    Cause: the code was written for a newer TensorFlow or Keras.

    How to fix: upgrade to a release that has it, or write what the target has instead.

    Source: the packages themselves, release by release: ``envcheck api NAME``.
    """
    yield from (_finding(verdict, "has no", later="not yet: ") for verdict in code.of("not-yet"))


@check("API105", "objects have the methods and attributes that are used", Severity.ERROR)
def methods(code: Code) -> Iterator[Finding]:
    """The code uses a method or attribute of a model, layer, optimizer or other object that its class has lost.

    Cause: ``model.fit_generator``, ``model.predict_classes``, ``optimizer.lr`` and their like. The class is told from how the
    object was made; where that cannot be told nothing is said.

    How to fix: what the finding names.

    Source: the packages themselves, release by release: ``envcheck api NAME``.
    """
    yield from (_finding(verdict, "has no") for verdict in code.of("method"))


def _finding(verdict: Verdict, lacks: str, *, later: str = "") -> Finding:
    """A name that is absent, as a finding."""
    more = (
        f"; {verdict.folded} more use{'s' if verdict.folded != 1 else ''} of it in this file fail with it"
        if verdict.folded
        else ""
    )
    message = f"{verdict.target} {lacks} {verdict.symbol}: {later}{verdict.why}{more}"
    return Finding(message, verdict.fix, verdict.location, verdict.symbol, verdict.evidence)
