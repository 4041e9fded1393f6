"""The environment variables that matter to TensorFlow, Keras and CUDA: an allow-list, so that no secret can slip in."""

from __future__ import annotations

from dataclasses import dataclass, field

from envcheck.host import Host

NAMES = (
    # Python: https://docs.python.org/3/using/cmdline.html#environment-variables
    "PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONPATH", "PYTHONSAFEPATH", "PYTHONSTARTUP", "PYTHONUSERBASE",
    "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV",
    # Keras: keras/src/backend/config.py; TensorFlow: tensorflow/__init__.py
    "KERAS_BACKEND", "KERAS_HOME", "TF_USE_LEGACY_KERAS", "TF2_BEHAVIOR",
    # TensorFlow: https://www.tensorflow.org/api_docs/python/tf/config and the sources
    "TF_CPP_MIN_LOG_LEVEL", "TF_CPP_MAX_VLOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS", "TF_FORCE_GPU_ALLOW_GROWTH",
    "TF_GPU_ALLOCATOR", "TF_GPU_THREAD_MODE", "TF_MIN_GPU_MULTIPROCESSOR_COUNT", "TF_XLA_FLAGS", "XLA_FLAGS",
    "TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC", "OMP_NUM_THREADS",
    "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION",
    # CUDA: https://docs.nvidia.com/cuda/cuda-c-programming-guide/#cuda-environment-variables
    "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "CUDA_HOME", "CUDA_PATH", "CUDA_CACHE_DISABLE", "CUDA_CACHE_MAXSIZE",
    "CUDA_CACHE_PATH", "CUDA_LAUNCH_BLOCKING", "CUDA_MODULE_LOADING", "CUDA_FORCE_PTX_JIT", "CUDA_MPS_PIPE_DIRECTORY",
    "LD_LIBRARY_PATH", "LD_PRELOAD", "NVIDIA_TF32_OVERRIDE",
    # Containers and hosted notebooks
    "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "NVIDIA_DISABLE_REQUIRE", "NVIDIA_TENSORFLOW_VERSION",
    "COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE", "SLURM_JOB_ID",
    # The other backends of Keras 3
    "JAX_PLATFORMS", "XLA_PYTHON_CLIENT_PREALLOCATE", "XLA_PYTHON_CLIENT_MEM_FRACTION", "PYTORCH_CUDA_ALLOC_CONF",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class EnvironmentFacts:
    """The allowed variables that are set, by name; an empty value is a value."""

    variables: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """The value of a variable; None when it is not set."""
        return self.variables.get(name)


def collect(host: Host) -> EnvironmentFacts:
    """Read the allowed variables."""
    # Bytes that are no UTF-8 stand in the environment as lone surrogates, which no report could be written with.
    return EnvironmentFacts(
        {name: host.environ[name].encode("utf-8", "replace").decode("utf-8") for name in NAMES if name in host.environ}
    )
