"""Saved models: whether the target loads them, and what they carry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Severity, check

if TYPE_CHECKING:
    from envcheck.verdicts.found import Code, Verdict


@check("MDL601", "saved models are in a format that the target loads", Severity.ERROR)
def formats(code: Code) -> Iterator[Finding]:
    """The target's Keras cannot load a saved model at all: load_model raises.

    Cause: a SavedModel folder of Keras 2 with Keras 3, a .keras archive with a Keras before 2.12, or a model of Keras 3
    with Keras 2.

    How to fix: load it with the Keras that wrote it and save it in a format that both know; or make the model in code and load
    the weights alone.

    Source: measured: models saved by ten releases, loaded by six (compat_matrix/saved_models.yaml).
    """
    yield from (_finding(verdict) for verdict in code.of("saved-format"))


@check("MDL602", "saved models have layers that the target has", Severity.ERROR)
def layers(code: Code) -> Iterator[Finding]:
    """A saved model has a layer, or another object of Keras, that the target lacks: load_model raises.

    Cause: the layer was removed (ThresholdedReLU, RandomHeight, LocallyConnected2D, the layers that Keras 2 made of TensorFlow
    operations), or came after the target.

    How to fix: load it with a release that has the layer; for another one, make the model again with a layer that it has.

    Source: the API history of every release, and compat_matrix/saved_models.yaml.
    """
    yield from (_finding(verdict) for verdict in code.of("saved-layer"))


@check("MDL603", "saved models have arguments that the target takes", Severity.ERROR)
def arguments(code: Code) -> Iterator[Finding]:
    """The config of a saved model gives a layer an argument, or a value, that the target's layer refuses: load_model raises.

    Cause: Keras 2 wrote time_major for LSTM or groups for Conv2DTranspose, which Keras 3 lacks; Keras 3 wrote arguments that
    an older one does not know.

    How to fix: make the model in code on the target, and load the weights alone.

    Source: the API history of every release, and compat_matrix/saved_models.yaml.
    """
    yield from (_finding(verdict) for verdict in code.of("saved-parameter"))


@check("MDL604", "saved models are made of objects of Keras", Severity.WARNING)
def custom(code: Code) -> Iterator[Finding]:
    """A saved model has layers or functions that are not Keras's own: without their code load_model raises.

    Cause: a custom layer, activation or loss. The file holds its name and config, not its code.

    How to fix: import the module that defines it before loading, with @keras.saving.register_keras_serializable() on it, or
    pass custom_objects to load_model.

    Source: measured on Keras 2.8 to 3.15: https://keras.io/guides/serialization_and_saving/.
    """
    yield from (_finding(verdict) for verdict in code.of("saved-custom"))


@check("MDL605", "saved models carry no Python bytecode", Severity.WARNING)
def bytecode(code: Code) -> Iterator[Finding]:
    """A saved model has a Lambda layer with Python bytecode: who loads it runs what the file says.

    Cause: Lambda(lambda x: …) is saved as marshalled bytecode. It loads on the Python series that wrote it alone, may do anything
    that Python can, and Keras's safe mode refuses it.

    How to fix: write a Layer with call(), or an operation of keras.ops, and save the model again. Pass safe_mode=False only for a
    file that you trust.

    Source: measured on Keras 2.8 to 3.15; https://keras.io/api/models/model_saving_apis/model_saving_and_loading/ (safe_mode).
    """
    yield from (_finding(verdict) for verdict in code.of("saved-code"))


@check("MDL606", "saved models are whole", Severity.WARNING)
def whole(code: Code) -> Iterator[Finding]:
    """A saved model holds what Keras does not write: somebody else made or changed it.

    Cause: an archive with a member whose name leads out of its folder: a trap for programs that unpack it.

    How to fix: take the file from where it comes from again; do not unpack it.

    Source: https://docs.python.org/3/library/zipfile.html#zipfile.ZipFile.extractall.
    """
    yield from (_finding(verdict) for verdict in code.of("saved-odd"))


def _finding(verdict: Verdict) -> Finding:
    message = f"{verdict.target}: {verdict.why}" if verdict.target else verdict.why
    return Finding(message, verdict.fix, verdict.location, verdict.symbol or None, verdict.evidence)
