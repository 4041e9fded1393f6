"""SMK103, SMK104, SMK106, SMK110 and SMK112: single operations of the smoke run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Link, Severity, check

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.smoke import SmokeFacts


@check("SMK103", "A matrix product is computed correctly", link=Link.OPERATION)
def matmul(smoke: SmokeFacts, python: PythonFacts, matrix: Matrix) -> Iterator[Finding]:
    """Multiplying two matrices fails, gives wrong numbers, or does not run on the GPU.

    Cause: This is the first kernel that runs on the device. On a GPU it loads cuBLAS and the kernels for this compute
    capability: CUBLAS_STATUS_NOT_INITIALIZED mostly means that the GPU's memory is taken by another process,
    CUDA_ERROR_NO_BINARY_FOR_GPU or "no kernel image is available" that the build has no code for this GPU. The factors
    are small whole numbers, whose products and sums are exact in float32 and in TensorFloat-32, so a result that differs
    from NumPy's is a defect, not rounding (tolerance 1e-5 of the largest value).

    How to fix: See with `nvidia-smi` who else uses the GPU. Install a release that was built for the GPU; where numbers
    are wrong, test the GPU (`dcgmi diag -r 2`) and the machine's memory.

    Source: https://docs.nvidia.com/cuda/cublas/#cublasstatus-t;
    https://blogs.nvidia.com/blog/tensorfloat-32-precision-format/
    """
    trouble = smoke.trouble("matmul")
    if trouble is not None:
        yield trouble.finding("A matrix product", matrix.remedy(trouble, python))


@check("SMK104", "A convolution and its gradient are computed correctly", link=Link.OPERATION)
def convolution(smoke: SmokeFacts, python: PythonFacts, matrix: Matrix) -> Iterator[Finding]:
    """A convolution or its gradient fails, gives wrong numbers, or does not run on the GPU.

    Cause: Convolutions run in cuDNN, which is loaded only now, so that everything before can go well. "DNN library is
    not found" and CUDNN_STATUS_NOT_INITIALIZED mean a cuDNN that is missing, older than the one that the framework was
    built with, or shadowed by another one in LD_LIBRARY_PATH; or a GPU without free memory. On a GPU, the tolerance is
    1e-2 of the largest value, because cuDNN may choose an algorithm (Winograd, FFT) that goes through fractions which
    TensorFloat-32 rounds to 1e-3; on the CPU it is 1e-5.

    How to fix: Install the cuDNN that the release asks for (GPU208 of `envcheck doctor` says which), unset
    LD_LIBRARY_PATH, and free the GPU's memory.

    Source: https://www.tensorflow.org/install/source#gpu;
    https://docs.nvidia.com/deeplearning/cudnn/latest/reference/support-matrix.html
    """
    trouble = smoke.trouble("convolution")
    if trouble is not None:
        yield trouble.finding("A convolution", matrix.remedy(trouble, python))


@check("SMK106", "XLA can compile a function", Severity.WARNING, link=Link.OPERATION)
def xla(smoke: SmokeFacts, python: PythonFacts, matrix: Matrix) -> Iterator[Finding]:
    """A function compiled by XLA (`jit_compile=True`) fails, gives wrong numbers, or does not run on the GPU.

    Cause: On a GPU, XLA needs two files of the CUDA toolkit that running alone does not need: libdevice.10.bc and ptxas.
    An installation of the run-time libraries only has neither. Flags in XLA_FLAGS that this release does not know end
    the process. Models are compiled with XLA where `jit_compile=True` says so, and by Keras 3 on GPUs by default.

    How to fix: Install `tensorflow[and-cuda]` (from 2.14 on; it brings both along), or set
    XLA_FLAGS=--xla_gpu_cuda_data_dir to the folder that has nvvm/libdevice; or train with `jit_compile=False`.

    Source: https://openxla.org/xla/tf2xla; https://github.com/tensorflow/tensorflow/issues/58681;
    https://github.com/tensorflow/tensorflow/issues/56927
    """
    trouble = smoke.trouble("xla")
    if trouble is not None:
        yield trouble.finding("A function compiled by XLA", matrix.remedy(trouble, python))


@check("SMK110", "A recurrent layer and its gradient are computed correctly", link=Link.OPERATION)
def rnn(smoke: SmokeFacts, python: PythonFacts, matrix: Matrix) -> Iterator[Finding]:
    """An LSTM layer of Keras or its gradient fails, gives wrong numbers, or does not run on the GPU.

    Cause: On a GPU, Keras runs LSTM and GRU layers with their usual arguments in cuDNN, by other functions than convolutions:
    "Fail to find the dnn implementation", "Could not create cudnn handle" and CUDNN_STATUS_EXECUTION_FAILED come from there. The
    result is compared with the same layer in NumPy, and the gradients by all weights along one direction with a difference
    quotient, both in float64: 1e-4 of the largest value is allowed in float32, and 1e-2 on a GPU, where TensorFloat-32
    rounds every factor to 5e-4.

    How to fix: Install the cuDNN that the release asks for, and free the GPU's memory. A layer with `recurrent_dropout`, or with
    `use_cudnn=False` in Keras 3, does without cuDNN, more slowly.

    Source: https://keras.io/api/layers/recurrent_layers/lstm/; https://github.com/tensorflow/tensorflow/issues/36508;
    https://blogs.nvidia.com/blog/tensorfloat-32-precision-format/
    """
    trouble = smoke.trouble("rnn")
    if trouble is not None:
        yield trouble.finding("An LSTM layer", matrix.remedy(trouble, python))


@check(
    "SMK112",
    "Matrix products are right in every type that models are trained in",
    Severity.WARNING,
    link=Link.OPERATION,
)
def dtypes(smoke: SmokeFacts, python: PythonFacts, matrix: Matrix) -> Iterator[Finding]:
    """A product of matrices in float32, bfloat16 or float16 fails, or is further off than rounding explains.

    Cause: Each type has kernels of its own. The product of two matrices of fractions is compared with NumPy in float64: each
    value may be off by (length of the sum + 2) times the type's unit round-off (float32 6e-8, float16 5e-4, bfloat16 4e-3), as
    a part of the product of absolute values; float32 on a GPU by twice TensorFloat-32's 5e-4 besides. Numbers beyond that are
    a defect of the hardware or the build: an error. A type that has no kernel in this build is a warning.

    How to fix: Train in float32 (no `mixed_…` policy), or use another release. Where numbers are wrong, test the GPU
    (`dcgmi diag -r 2`) and the machine's memory.

    Source: N. Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 3.1;
    https://blogs.nvidia.com/blog/tensorfloat-32-precision-format/; https://www.tensorflow.org/guide/mixed_precision
    """
    trouble = smoke.trouble("dtypes")
    if trouble is not None:
        severity = Severity.ERROR if trouble.wrong or trouble.early else None
        yield trouble.finding("A matrix product", matrix.remedy(trouble, python), severity=severity)
