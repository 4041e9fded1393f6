"""Advice for models that work: nothing breaks, and Keras itself says how it would be better."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Severity, check

if TYPE_CHECKING:
    from envcheck.verdicts.found import Code, Verdict

SEVERITIES = {"raises": Severity.ERROR, "differs": Severity.WARNING, "works": Severity.NOTE}


@check("MDL501", "recurrent layers can take the kernel of cuDNN", Severity.NOTE)
def cudnn(code: Code) -> Iterator[Finding]:
    """An LSTM or GRU has an argument that cuDNN does not have: on a GPU it does not run on the fast implementation.

    Cause: another activation than tanh, another recurrent_activation than sigmoid, recurrent_dropout, unroll, no bias, or
    reset_after=False of a GRU. The results are the same. Keras 2 says it in its log on a machine with a GPU, Keras 3 says
    nothing. How much longer a step takes was not measured.

    How to fix: leave the argument at its default, if the model does not need it; dropout= (of the inputs) is no obstacle.

    Source: the class documentation of keras.layers.LSTM and GRU in Keras 2.6 to 2.15 and Keras 3, and what each asks before it
    takes the kernel (tests/model/advice.yaml).
    """
    for verdict in code.of("model-cudnn"):
        yield _finding(verdict)


@check("MDL502", "the output of a model with mixed precision is float32", Severity.NOTE)
def half(code: Code) -> Iterator[Finding]:
    """Under mixed_float16 the last layer gives float16, too, which ends at 65504 and has three digits.

    Cause: a policy applies to every layer that is made after it.

    How to fix: dtype='float32' for the last layer (for its activation, where that is a layer of its own).

    Source: https://www.tensorflow.org/guide/mixed_precision#building_the_model: the output should be float32; the dtype itself
    was measured on Keras 2.15 and Keras 3 (tests/model/advice.yaml).
    """
    for verdict in code.of("model-half"):
        yield _finding(verdict)


@check("MDL503", "training runs in a graph", Severity.NOTE)
def eagerly(code: Code) -> Iterator[Finding]:
    """compile(run_eagerly=True): every step of the training runs as plain Python.

    Cause: it was set to debug, and stayed.

    How to fix: leave it out for training.

    Source: the documentation of keras.Model.compile in Keras 2 and 3; seen in tests/model/advice.yaml.
    """
    for verdict in code.of("model-eagerly"):
        yield _finding(verdict)


@check("MDL504", "single samples are not predicted in a loop", Severity.NOTE)
def one_by_one(code: Code) -> Iterator[Finding]:
    """predict() of one sample stands in a loop: each call sets up a dataset and a loop, which takes longer than the model.

    Cause: predict is made for many samples at once.

    How to fix: model(x, training=False) for one sample, or one predict of all of them.

    Source: the documentation of keras.Model.predict in Keras 2 and 3; measured in tests/model/advice.yaml.
    """
    for verdict in code.of("model-predict"):
        yield _finding(verdict)


def _finding(verdict: Verdict) -> Finding:
    message = f"{verdict.symbol.rpartition('.')[2]}: {verdict.why}"
    return Finding(message, verdict.fix, verdict.location, verdict.symbol, verdict.evidence, SEVERITIES[verdict.runs])
