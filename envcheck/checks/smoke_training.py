"""SMK105, SMK107 and SMK111: the tiny model of the smoke run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Link, Severity, check

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.smoke import SmokeFacts


@check("SMK105", "A tiny Keras model can be trained", link=Link.OPERATION)
def fit(smoke: SmokeFacts, python: PythonFacts, matrix: Matrix) -> Iterator[Finding]:
    """Two steps of `model.fit` on a tiny model fail, leave the weights as they were, or do not run on the GPU.

    Cause: What single operations do not show: the graph of a training step, the optimizer, and on a GPU under Keras 3
    XLA, which `jit_compile="auto"` switches on ("libdevice not found" comes from there). Training that crashes here and
    not before points to packages of different releases: Keras, tf_keras and TensorFlow have to fit each other.

    Keras 3 on NumPy or OpenVINO computes and cannot train at all.

    How to fix: Follow the message. If XLA is the reason, install the CUDA compiler (it is part of
    `tensorflow[and-cuda]`), or train with `model.compile(..., jit_compile=False)`.

    Source: https://keras.io/getting_started/#compatibility-matrix; https://keras.io/api/models/model_training_apis/
    """
    trouble = smoke.trouble("fit")
    if trouble is not None:
        yield trouble.finding("Training a tiny Keras model", matrix.remedy(trouble, python))


@check("SMK107", "A model can be saved and loaded")
def save_load(smoke: SmokeFacts, python: PythonFacts, matrix: Matrix) -> Iterator[Finding]:
    """A saved model cannot be loaded, or predicts something else than before.

    Cause: The formats `.keras` and `.h5` need h5py; before TensorFlow 2.5, h5py 3 breaks loading ("'str' object has no
    attribute 'decode'"). A full or read-only temporary folder ends saving. envcheck saves as `.keras` from Keras 2.12
    on, as `.h5` before where h5py is installed, and as a SavedModel otherwise.

    How to fix: Install h5py (below 3 for TensorFlow before 2.5), and see that the temporary folder (TMPDIR) has room.

    Source: https://keras.io/guides/serialization_and_saving/;
    https://github.com/tensorflow/tensorflow/issues/44467
    """
    trouble = smoke.trouble("save_load")
    if trouble is not None:
        yield trouble.finding("Saving and loading a tiny Keras model", matrix.remedy(trouble, python))


@check("SMK111", "A tiny Keras model can be trained in mixed precision", Severity.WARNING, link=Link.OPERATION)
def mixed(smoke: SmokeFacts, python: PythonFacts, matrix: Matrix) -> Iterator[Finding]:
    """Two steps of training under `mixed_bfloat16` or `mixed_float16` fail, or leave the weights as they were.

    Cause: Under a mixed policy, layers compute in a type of 16 bits and keep their weights in float32; `mixed_float16` scales
    the loss as well. GPUs from compute capability 7.0 on are made for float16, from 8.0 on for bfloat16; on the CPU,
    bfloat16 is tried. Kernels of these types are missing in some builds, and a cuDNN that is too old fails here first.

    How to fix: Train without the policy, or in another release; nothing else of the smoke run depends on it.

    Source: https://www.tensorflow.org/guide/mixed_precision; https://keras.io/api/mixed_precision/policy/
    """
    trouble = smoke.trouble("mixed")
    if trouble is not None:
        yield trouble.finding("Training in mixed precision", matrix.remedy(trouble, python))
