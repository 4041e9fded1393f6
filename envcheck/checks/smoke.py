"""SMK101 and SMK102: the smoke run's import, and the devices that it found."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Link, Location, check
from envcheck.inventory import Unavailable

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import GpuFacts
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.smoke import SmokeFacts, Trouble
    from envcheck.probes.tensorflow import TensorFlowFacts

_PLUGIN_MAKERS = (
    "tensorflow-metal",
    "tensorflow-directml-plugin",
    "intel-extension-for-tensorflow",
    "intel-extension-for-tensorflow-lib",
)
"""Distributions that put a library into ``tensorflow-plugins``: https://github.com/tensorflow/community/pull/262"""


@check("SMK101", "TensorFlow and Keras can be imported")
def import_(
    smoke: SmokeFacts,
    python: PythonFacts,
    packages: PackagesFacts,
    tensorflow: TensorFlowFacts | Unavailable,
    matrix: Matrix,
) -> Iterator[Finding]:
    """`import tensorflow` (or Keras on its other backends) fails, crashes or hangs.

    Cause: envcheck imports what your script would import, from the folder where it was started. An exception names what
    is missing or does not fit: a module or a shared library that is not installed, NumPy 2 under a TensorFlow that was
    built for NumPy 1, a protobuf that is too new, a file of yours with the name of a package. A crash has a signal:
    SIGILL is an instruction that this processor does not have, SIGKILL is nearly always the kernel out of memory,
    SIGABRT and SIGSEGV are native libraries that do not fit together. A hang is mostly a slow network file system or a
    GPU driver that does not answer; the Python line where it hung is named where it is known.

    How to fix: Follow the message; the other checks of `envcheck doctor` look for these causes one by one. A slow file
    system needs more time: `envcheck smoke --timeout 900`.

    Source: https://www.tensorflow.org/install/errors; https://docs.python.org/3/library/faulthandler.html;
    signal(7), https://man7.org/linux/man-pages/man7/signal.7.html
    """
    trouble = smoke.trouble("import")
    if trouble is None:
        return
    plugins = () if isinstance(tensorflow, Unavailable) else tensorflow.plugins
    if plugins and _in_plugin(smoke):
        yield _plugin(trouble, python, packages, plugins)
        return
    name = "keras" if smoke.framework in ("jax", "torch", "keras") else "tensorflow"
    yield trouble.finding(f"`import {name}`", matrix.remedy(trouble, python))


def _in_plugin(smoke: SmokeFacts) -> bool:
    """Whether TensorFlow was loading a library from a folder then: its load_library.py does nothing else."""
    frames = smoke.step("import").frames
    return "framework/load_library.py" in (smoke.stopped_at or (frames[-1] if frames else ""))


def _plugin(trouble: Trouble, python: PythonFacts, packages: PackagesFacts, plugins: tuple[str, ...]) -> Finding:
    folder = plugins[0].rpartition("/")[0]
    owners = [name for name in _PLUGIN_MAKERS if packages.find(name)]
    command = python.uninstall(*owners) if owners else shlex.join(["mv", folder, f"{folder}.off"])
    names = ", ".join(plugin.rpartition("/")[2] for plugin in plugins)
    return Finding(
        f"`import tensorflow` {trouble.words}: TensorFlow was loading its plug-ins ({names}), which must be built for its "
        f"very release",
        Fix(
            f"Take {' and '.join(owners) or folder} away, or install the release of it that fits this TensorFlow.",
            (command,),
            "envcheck smoke",
        ),
        Location(folder),
        evidence={
            "plugins": list(plugins),
            "output": "\n".join(trouble.said),
            "stopped_at": trouble.smoke.stopped_at,
        },
    )


@check("SMK102", "The framework can use the device that is asked for", link=Link.DEVICES)
def devices(
    smoke: SmokeFacts,
    gpu: GpuFacts | Unavailable,
    environment: EnvironmentFacts,
    python: PythonFacts,
    matrix: Matrix,
) -> Iterator[Finding]:
    """The framework finds no GPU although one is asked for, or finds one and cannot use it.

    Cause: To use a GPU, the framework must be a build for GPUs, find the NVIDIA driver and the CUDA libraries of its own
    release, and support the GPU's compute capability. TensorFlow treats a missing GPU as normal, and trains slowly on
    the CPU, with no more than a line in its log ("Cannot dlopen some GPU libraries. Skipping registering GPU
    devices...").

    How to fix: The GPU findings of `envcheck doctor` name the first part that is missing. TensorFlow on Linux brings its
    CUDA libraries along as `tensorflow[and-cuda]` from 2.14 on; `tensorflow-cpu`, and `tensorflow` on Windows from 2.11
    on, have no GPU support. The number in `--device gpu:N` is the framework's, of what CUDA_VISIBLE_DEVICES leaves.

    Source: https://www.tensorflow.org/install/pip; https://www.tensorflow.org/guide/gpu;
    https://docs.jax.dev/en/latest/installation.html
    """
    trouble = smoke.trouble("devices")
    if trouble is not None:
        fix = _without_gpu(smoke, gpu, environment) or matrix.remedy(trouble, python)
        yield trouble.finding("Asking for the devices", fix)


def _without_gpu(smoke: SmokeFacts, gpu: GpuFacts | Unavailable, environment: EnvironmentFacts) -> Fix | None:
    """What to do where a GPU is asked for and nothing of the framework is to blame."""
    if not smoke.wanted.startswith("gpu"):
        return None
    if isinstance(gpu, Unavailable):
        first = gpu.reason[:1].upper() + gpu.reason[1:]
        what = (
            "run it on a machine that has one, or say `--device cpu`"
            if gpu.absent
            else "the GPU findings say what to do"
        )
        return Fix(f"{first}: {what}.")
    if not gpu.visible(environment.variables).devices:
        value = environment.variables.get("CUDA_VISIBLE_DEVICES", "")
        return Fix(f"CUDA_VISIBLE_DEVICES={value!r} hides every GPU: unset it.", ("unset CUDA_VISIBLE_DEVICES",))
    return None
