"""Models that Keras does not make: arguments, shapes between layers, graphs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Severity, check

if TYPE_CHECKING:
    from envcheck.verdicts.found import Code, Verdict

SEVERITIES = {"raises": Severity.ERROR, "differs": Severity.WARNING, "works": Severity.NOTE}


@check("MDL101", "arguments of layers are in range", Severity.ERROR)
def arguments(code: Code) -> Iterator[Finding]:
    """A layer is made with an argument that Keras refuses: it raises when the layer is made.

    Cause: units or filters of zero, below zero or with a fraction, Dropout(50) for Dropout(0.5), strides together with a
    dilation, groups that do not divide the filters. Keras 3 refuses more than Keras 2; the finding names the version.

    How to fix: correct the argument; where it is computed, max(1, int(n)) keeps it a whole number.

    Source: shape rules compared with the real layers of Keras 2.15 and Keras 3 (tools/try_layers);
    https://keras.io/api/layers/.
    """
    for verdict in code.of("model-arguments"):
        yield _finding(verdict)


@check("MDL102", "each layer takes the shape that reaches it", Severity.ERROR)
def shapes(code: Code) -> Iterator[Finding]:
    """A layer is called on a tensor whose rank or size it does not take: Keras raises when the model is built.

    Cause: images without a channel axis, two-dimensional data in a recurrent layer, a recurrent layer before it without
    return_sequences=True, a feature map in an LSTM, a kernel that is larger than what poolings left, Dense after an axis
    without a size.

    How to fix: what the finding names: a channel axis, Reshape, Flatten or a global pooling, padding='same',
    return_sequences=True.

    Source: shape rules compared with the real layers of Keras 2.15 and Keras 3 (tools/try_layers); the input_spec of each
    layer, https://keras.io/api/layers/.
    """
    for verdict in code.of("model-inputs"):
        yield _finding(verdict)


@check("MDL103", "merged tensors fit together", Severity.ERROR)
def merges(code: Code) -> Iterator[Finding]:
    """Tensors of shapes that do not fit are added, multiplied or concatenated: Keras raises when the model is built.

    Cause: branches with different padding or strides; a U-Net whose input size is not divided by all its poolings.

    How to fix: bring the branches to one shape: padding='same', Cropping or ZeroPadding, a 1×1 convolution for the channels;
    an input size that 2**depth divides.

    Source: shape rules compared with the real layers of Keras 2.15 and Keras 3 (tools/try_layers);
    https://keras.io/api/layers/merging_layers/.
    """
    for verdict in code.of("model-merge"):
        yield _finding(verdict)


@check("MDL104", "a model's outputs depend on its inputs alone", Severity.ERROR)
def graph(code: Code) -> Iterator[Finding]:
    """A functional model has an output that depends on an Input that is not among its inputs: Keras raises (graph disconnected).

    Cause: a variable was assigned twice, another model's tensor was used, or an input was left out.

    How to fix: name all Inputs in inputs=, and use tensors of this model.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (graph-disconnected).
    """
    for verdict in code.of("model-graph"):
        yield _finding(verdict)


@check("MDL105", "models consist of layers", Severity.ERROR)
def items(code: Code) -> Iterator[Finding]:
    """A Sequential gets something that is no layer: a class without parentheses, a function, a text, a list. Keras raises.

    Cause: missing parentheses (layers.Flatten), an activation by name or function, a list that was not unpacked.

    How to fix: make a layer of it: Flatten(), Activation('relu'), Lambda(function), *layers.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (class-instead-of-instance).
    """
    for verdict in code.of("model-items"):
        yield _finding(verdict)


@check("MDL106", "names of layers are defined", Severity.ERROR)
def names(code: Code) -> Iterator[Finding]:
    """A layer, model or function of Keras is used by a name that nothing in the file defines or imports: NameError.

    Cause: the import was forgotten, or lies in another file. Files with star imports, exec or the like are not judged, nor
    are notebooks.

    How to fix: import it: from tensorflow.keras.layers import Dense.

    Source: Python's rules for names: https://docs.python.org/3/reference/executionmodel.html#naming-and-binding.
    """
    for verdict in code.of("model-names"):
        yield _finding(verdict)


@check("MDL107", "weights are there when they are asked for", Severity.ERROR)
def unbuilt(code: Code) -> Iterator[Finding]:
    """A model without an input shape is asked for its weights before it saw data: Keras raises.

    Cause: a Sequential without Input or input_shape has no weights until fit, build or a call. Keras 2 raises in summary(),
    count_params() and get_weights(), Keras 3 in count_params(), save_weights() and load_weights().

    How to fix: make keras.Input(shape) its first layer.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (missing-input-shape).
    """
    for verdict in code.of("model-unbuilt"):
        yield _finding(verdict)


@check("MDL108", "symbolic tensors are not asked for numbers", Severity.ERROR)
def symbolic(code: Code) -> Iterator[Finding]:
    """A layer's call() asks a symbolic tensor for its numbers: Keras raises when the layer is called on an Input.

    Cause: .numpy() works on eager tensors alone; in the functional API, in a Sequential and in fit there are none.

    How to fix: compute with the functions of keras.ops or TensorFlow.

    Source: measured on Keras 2.15 and Keras 3: each program of tests/model/failures.yaml (compute-output-shape-missing).
    """
    for verdict in code.of("model-symbolic"):
        yield _finding(verdict)


def _finding(verdict: Verdict) -> Finding:
    name = verdict.symbol.rpartition(".")[2]
    message = f"{name}: {verdict.why}"
    return Finding(message, verdict.fix, verdict.location, verdict.symbol, verdict.evidence, SEVERITIES[verdict.runs])
