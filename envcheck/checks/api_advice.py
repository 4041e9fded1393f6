"""Names that are there, and trouble all the same: old copies, private names, changed behaviour, mixed packages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Severity, check

if TYPE_CHECKING:
    from envcheck.verdicts.found import Code, Verdict


@check("API301", "nothing silently does something else", Severity.NOTE)
def behaviour(code: Code) -> Iterator[Finding]:
    """The code uses a name or keyword that is still there and does something else than it did.

    Cause: ``Adam(lr=0.1)`` is taken and ignored by Keras 2.11 to 2.15, ``hard_sigmoid`` computes other numbers in Keras 3…

    How to fix: what the finding says.

    Source: measured; each row of ``compat_matrix/api/replacements/changed.yaml`` names its releases.
    """
    for verdict in code.of("behaviour"):
        what = f"{verdict.symbol}({verdict.parameter}=)" if verdict.parameter else verdict.symbol
        severity = Severity.WARNING if verdict.parameter else None
        yield _finding(verdict, f"{what} in {verdict.target}: {verdict.why}", severity)


@check("API302", "nothing deprecated is used", Severity.NOTE)
def deprecated(code: Code) -> Iterator[Finding]:
    """The code uses a name that the target still has and calls deprecated.

    Cause: the release itself marks it; a later one may not have it.

    How to fix: what the finding names, before the name goes.

    Source: the marks that TensorFlow and Keras themselves put on the name.
    """
    for verdict in code.of("deprecated"):
        yield _finding(verdict, f"{verdict.symbol} is deprecated in {verdict.target}: {verdict.why}")


@check("API303", "only public names are used", Severity.NOTE)
def private(code: Code) -> Iterator[Finding]:
    """The code uses a name of the implementation (``keras.src``, ``keras.engine``, ``tensorflow.python``).

    Cause: such names move and go without notice, most often in a minor release.

    How to fix: the public name, where there is one.

    Source: https://www.tensorflow.org/guide/versions#what_is_covered
    """
    for verdict in code.of("private"):
        yield _finding(verdict, f"{verdict.symbol} in {verdict.target}: {verdict.why}")


@check("API304", "no foreign Keras objects are used", Severity.WARNING)
def foreign(code: Code) -> Iterator[Finding]:
    """The code uses ``tensorflow.python.keras``: TensorFlow's old copy of Keras.

    Cause: it still imports, and the installed Keras takes its layers, models and optimizers for objects that it does not know
    ("Only instances of keras.Layer can be added").

    How to fix: ``tensorflow.keras`` or ``keras``.

    Source: measured on TensorFlow 2.6 to 2.21.
    """
    for verdict in code.of("foreign"):
        yield _finding(verdict, f"{verdict.symbol} in {verdict.target}: {verdict.why}")


@check("API305", "keras and tf.keras are not mixed in one model", Severity.ERROR)
def mixed(code: Code) -> Iterator[Finding]:
    """The code gives an object of one Keras to a model or layer of another one.

    Cause: up to TensorFlow 2.5 the package ``keras`` and ``tf.keras`` are two libraries, and so they are where
    ``TF_USE_LEGACY_KERAS=1`` makes ``tf.keras`` tf_keras; their layers, models and optimizers refuse each other.

    How to fix: import all of it from one of them.

    Source: measured on TensorFlow 1.15 with Keras 2.3, and TensorFlow 2.16 with Keras 3 and tf_keras.
    """
    for verdict in code.of("mixed"):
        yield _finding(verdict, f"{verdict.symbol} in {verdict.target}: {verdict.why}")


def _finding(verdict: Verdict, message: str, severity: Severity | None = None) -> Finding:
    return Finding(message, verdict.fix, verdict.location, verdict.symbol, verdict.evidence, severity)
