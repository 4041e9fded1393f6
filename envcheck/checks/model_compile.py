"""What compile() is given, and whether it is called: loss, optimizer, metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Severity, check

if TYPE_CHECKING:
    from envcheck.verdicts.found import Code, Verdict

SEVERITIES = {"raises": Severity.ERROR, "differs": Severity.WARNING, "works": Severity.NOTE}


@check("MDL201", "models are compiled with a loss before they are trained", Severity.ERROR)
def compiled(code: Code) -> Iterator[Finding]:
    """A model is trained or evaluated without having been compiled, or without any loss: Keras raises.

    Cause: compile() was forgotten, stands after fit(), or got no loss, and no layer adds one.

    How to fix: call model.compile(optimizer, loss) first.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (not-compiled, no-loss).
    """
    for verdict in code.of("model-compiled"):
        yield _finding(verdict)


@check("MDL202", "the loss goes with the last layer's activation", Severity.WARNING)
def losses(code: Code) -> Iterator[Finding]:
    """The loss expects something else than the last layer gives: nothing raises, and the model learns badly or not at all.

    Cause: softmax over one unit is always 1, even while the loss falls: a crossentropy takes the number behind the softmax. A
    crossentropy without from_logits cuts off numbers outside of 0 to 1. A note only: from_logits=True after a softmax or
    sigmoid, and sigmoid with categorical_crossentropy. There Keras on TensorFlow takes the logits behind the activation, so
    that training is the same; on JAX and PyTorch the activation counts twice.

    How to fix: softmax with (sparse_)categorical_crossentropy, sigmoid with binary_crossentropy, or no activation with
    from_logits=True.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (softmax-on-one-unit,
    from-logits-with-softmax, logits-without-from-logits, sigmoid-with-categorical) and of tests/model/advice.yaml.
    """
    for verdict in code.of("model-loss"):
        yield _finding(verdict)


@check("MDL203", "learning rates can train", Severity.WARNING)
def learning_rates(code: Code) -> Iterator[Finding]:
    """The learning rate is so large that training diverges, or so small that no weight changes; nothing raises.

    Cause: a typing mistake, or a rate for another optimizer.

    How to fix: start from 0.01 (SGD) or 0.001 (Adam and the others), and scale the inputs.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (learning-rate-too-high,
    learning-rate-too-low).
    """
    for verdict in code.of("model-learning-rate"):
        yield _finding(verdict)


@check("MDL204", "metrics go with the loss", Severity.WARNING)
def metrics(code: Code) -> Iterator[Finding]:
    """A regression is measured by accuracy, which asks whether 'output > 0.5' equals the label: only 0 and 1 can be right.

    Cause: metrics=['accuracy'] was copied from a classifier. For one output unit Keras makes binary_accuracy of it. It is
    told where the labels of a fit or evaluate are known to be others than 0 and 1.

    How to fix: metrics=['mae'] for a regression.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (accuracy-for-regression,
    accuracy-for-regression-of-counts).
    """
    for verdict in code.of("model-metrics"):
        yield _finding(verdict)


@check("MDL205", "something is trainable", Severity.WARNING)
def frozen(code: Code) -> Iterator[Finding]:
    """Every layer with weights has trainable=False, and the model is trained: nothing changes and nothing raises.

    Cause: a base model was frozen and no layer was put behind it, or the model itself was set to trainable=False. Keras 2 looks
    at it in compile(), Keras 3 in the first step after it.

    How to fix: leave the new layers trainable, and compile again after changing it.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (all-frozen,
    all-frozen-at-compile, all-frozen-after-compile).
    """
    for verdict in code.of("model-frozen"):
        yield _finding(verdict)


def _finding(verdict: Verdict) -> Finding:
    name = verdict.symbol.rpartition(".")[2]
    message = f"{name}: {verdict.why}"
    return Finding(message, verdict.fix, verdict.location, verdict.symbol, verdict.evidence, SEVERITIES[verdict.runs])
