"""Layers and models that the code writes itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Severity, check

if TYPE_CHECKING:
    from envcheck.verdicts.found import Code, Verdict

SEVERITIES = {"raises": Severity.ERROR, "differs": Severity.WARNING, "works": Severity.NOTE}


@check("MDL401", "constructors call super().__init__()", Severity.ERROR)
def constructors(code: Code) -> Iterator[Finding]:
    """__init__ of a layer or model never calls super().__init__(): Keras raises as soon as the object is used.

    Cause: the call was forgotten; Keras makes there what tracks weights and layers. That it stands after other lines is no
    mistake.

    How to fix: call super().__init__(**kwargs) first.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (no-super-init);
    https://keras.io/guides/making_new_layers_and_models_via_subclassing/.
    """
    for verdict in code.of("model-super"):
        yield _finding(verdict)


@check("MDL402", "layers have a call() that returns something", Severity.ERROR)
def calls(code: Code) -> Iterator[Finding]:
    """A layer of the code has no call(), or one that returns nothing: Keras 3 raises, Keras 2 goes on in silence.

    Cause: another name, as PyTorch's forward(); a forgotten return.

    How to fix: define call(self, inputs) and return its result.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (call-missing, call-returns-none).
    """
    for verdict in code.of("model-call"):
        yield _finding(verdict)


@check("MDL403", "saved layers can be made again", Severity.WARNING)
def configs(code: Code) -> Iterator[Finding]:
    """A model is saved with a layer that Keras 3 cannot make again when it loads it.

    Cause: the layer has no get_config(), and its __init__ takes no **kwargs: Keras 3 hands it trainable= and dtype=. Keras
    2.15 makes it from the arguments that it noted.

    How to fix: take **kwargs, hand them to super().__init__(), and return all parameters from get_config().

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (get-config-missing-model);
    https://github.com/keras-team/keras/issues/20167.
    """
    for verdict in code.of("model-config"):
        yield _finding(verdict)


@check("MDL404", "call() makes no weights", Severity.WARNING)
def weights(code: Code) -> Iterator[Finding]:
    """call() makes a layer or a weight each time it runs: Keras raises in fit, for a variable may be made only once.

    Cause: layers were made where they are used, as functions are in other libraries. Outside of fit, evaluate and predict
    nothing raises and nothing is learned; only where the layer keeps what it makes (self.add_weight, self.inner = Dense(4))
    does Keras 3 raise whenever it is called.

    How to fix: make them in __init__ or build().

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (weights-in-call,
    weights-in-call-kept, weights-in-call-kept-on-data).
    """
    for verdict in code.of("model-weights-in-call"):
        yield _finding(verdict)


@check("MDL405", "gradients reach the weights", Severity.ERROR)
def gradients(code: Code) -> Iterator[Finding]:
    """An operation without a gradient stands between every weight and the output: fit finds no gradients and raises.

    Cause: argmax, round, floor, ceil, one_hot or stop_gradient in the model itself.

    How to fix: keep them for predictions; in the model use softmax, or a straight-through estimator.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (non-differentiable).
    """
    for verdict in code.of("model-gradients"):
        yield _finding(verdict)


@check("MDL406", "loaded weights are of this architecture", Severity.ERROR)
def loaded(code: Code) -> Iterator[Finding]:
    """Weights that the program saved from one model are loaded into one with other sizes: Keras raises.

    Cause: the number of classes or units was changed in between.

    How to fix: load into the architecture that saved them, or skip that layer and train it again.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (weights-shape-mismatch).
    """
    for verdict in code.of("model-weights"):
        yield _finding(verdict)


def _finding(verdict: Verdict) -> Finding:
    name = verdict.symbol.rpartition(".")[2]
    message = f"{name}: {verdict.why}"
    return Finding(message, verdict.fix, verdict.location, verdict.symbol, verdict.evidence, SEVERITIES[verdict.runs])
