"""SMK101 to SMK107: what the smoke run showed, one check for each of its steps."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from envcheck.findings import Finding, Fix, Location, Severity, Skip, check
from envcheck.inventory import Unavailable

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.smoke import SmokeFacts, Step
    from envcheck.probes.tensorflow import TensorFlowFacts

_SAID = 1500
"""Characters of the run's output that a finding shows as evidence."""


_FATAL = re.compile(r"Fatal Python error|Check failed|terminate called|^F\d{4} |^F0000 |LLVM ERROR|what\(\):")
"""Where native code, or faulthandler, says that it is over."""
_SAYS_WHY = re.compile(r"Check failed|terminate called|what\(\):|LLVM ERROR|symbol lookup error|^F\d{4} ")
_PLUGIN_MAKERS = (
    "tensorflow-metal",
    "tensorflow-directml-plugin",
    "intel-extension-for-tensorflow",
    "intel-extension-for-tensorflow-lib",
)
"""Distributions that put a library into ``tensorflow-plugins``: https://github.com/tensorflow/community/pull/262"""
_MEMORY = re.compile(r"pthread_create\(\) failed|failed to map segment|bad_alloc|Cannot allocate memory")


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
    plugins = () if isinstance(tensorflow, Unavailable) else tensorflow.plugins
    if smoke.step("import").status != "ok" and plugins and _in_plugin(smoke):
        yield _plugin(smoke, python, packages, plugins)
        return
    yield from _judge(smoke, python, matrix, "import")


def _in_plugin(smoke: SmokeFacts) -> bool:
    """Whether TensorFlow was loading a library from a folder then: its load_library.py does nothing else."""
    frames = smoke.step("import").frames
    return "framework/load_library.py" in (smoke.stopped_at or (frames[-1] if frames else ""))


def _plugin(smoke: SmokeFacts, python: PythonFacts, packages: PackagesFacts, plugins: tuple[str, ...]) -> Finding:
    folder = plugins[0].rpartition("/")[0]
    owners = [name for name in _PLUGIN_MAKERS if packages.find(name)]
    command = python.uninstall(*owners) if owners else shlex.join(["mv", folder, f"{folder}.off"])
    names = ", ".join(plugin.rpartition("/")[2] for plugin in plugins)
    return Finding(
        f"`import tensorflow` {_how(smoke, smoke.step('import'))}: TensorFlow was loading its plug-ins ({names}), "
        f"which must be built for its very release",
        Fix(
            f"Take {' and '.join(owners) or folder} away, or install the release of it that fits this TensorFlow.",
            (command,),
            "envcheck smoke",
        ),
        Location(folder),
        evidence={"plugins": list(plugins), "output": "\n".join(_told(smoke.output)), "stopped_at": smoke.stopped_at},
    )


@check("SMK102", "The framework can use the device that is asked for")
def devices(smoke: SmokeFacts, python: PythonFacts, matrix: Matrix) -> Iterator[Finding]:
    """The framework finds no GPU although one is asked for, or finds one and cannot use it.

    Cause: To use a GPU, the framework must be a build for GPUs, find the NVIDIA driver and the CUDA libraries of its own
    release, and support the GPU's compute capability. TensorFlow treats a missing GPU as normal, and trains slowly on
    the CPU, with no more than a line in its log ("Cannot dlopen some GPU libraries. Skipping registering GPU
    devices...").

    How to fix: `envcheck doctor --select GPU` names the missing part. TensorFlow on Linux brings its CUDA libraries
    along as `tensorflow[and-cuda]` from 2.14 on; `tensorflow-cpu`, and `tensorflow` on Windows from 2.11 on, have no
    GPU support.

    Source: https://www.tensorflow.org/install/pip; https://www.tensorflow.org/guide/gpu;
    https://docs.jax.dev/en/latest/installation.html
    """
    yield from _judge(smoke, python, matrix, "devices")


@check("SMK103", "A matrix product is computed correctly")
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
    yield from _judge(smoke, python, matrix, "matmul")


@check("SMK104", "A convolution and its gradient are computed correctly")
def convolution(smoke: SmokeFacts, python: PythonFacts, matrix: Matrix) -> Iterator[Finding]:
    """A convolution or its gradient fails, gives wrong numbers, or does not run on the GPU.

    Cause: Convolutions run in cuDNN, which is loaded only now, so that everything before can go well. "DNN library is
    not found" and CUDNN_STATUS_NOT_INITIALIZED mean a cuDNN that is missing, older than the one that the framework was
    built with, or shadowed by another one in LD_LIBRARY_PATH; or a GPU without free memory. On a GPU, the tolerance is
    1e-2 of the largest value, because cuDNN may choose an algorithm (Winograd, FFT) that goes through fractions which
    TensorFloat-32 rounds to 1e-3; on the CPU it is 1e-5.

    How to fix: Install the cuDNN that the release asks for (`envcheck doctor --select GPU` says which), unset
    LD_LIBRARY_PATH, and free the GPU's memory.

    Source: https://www.tensorflow.org/install/source#gpu;
    https://docs.nvidia.com/deeplearning/cudnn/latest/reference/support-matrix.html
    """
    yield from _judge(smoke, python, matrix, "convolution")


@check("SMK105", "A tiny Keras model can be trained")
def fit(smoke: SmokeFacts, python: PythonFacts, matrix: Matrix) -> Iterator[Finding]:
    """Two steps of `model.fit` on a tiny model fail, leave the weights as they were, or do not run on the GPU.

    Cause: What single operations do not show: the graph of a training step, the optimizer, and on a GPU under Keras 3
    XLA, which `jit_compile="auto"` switches on ("libdevice not found" comes from there). Training that crashes here and
    not before points to packages of different releases: Keras, tf_keras and TensorFlow have to fit each other.

    How to fix: Follow the message. If XLA is the reason, install the CUDA compiler (it is part of
    `tensorflow[and-cuda]`), or train with `model.compile(..., jit_compile=False)`.

    Source: https://keras.io/getting_started/#compatibility-matrix; https://keras.io/api/models/model_training_apis/
    """
    yield from _judge(smoke, python, matrix, "fit")


@check("SMK106", "XLA can compile a function", Severity.WARNING)
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
    yield from _judge(smoke, python, matrix, "xla")


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
    yield from _judge(smoke, python, matrix, "save_load")


_NAMES = {
    "import": "`import tensorflow`",
    "devices": "Asking for the devices",
    "matmul": "A matrix product",
    "convolution": "A convolution",
    "fit": "Training a tiny Keras model",
    "xla": "A function compiled by XLA",
    "save_load": "Saving and loading a tiny Keras model",
}


def _judge(smoke: SmokeFacts, python: PythonFacts, matrix: Matrix, name: str) -> Iterator[Finding]:
    step = smoke.step(name)
    if step.status == "ok":
        return
    if step.status == "skipped":
        raise Skip(step.message)
    if step.status == "not reached":
        last = next(each for each in smoke.steps if each.status in ("crashed", "hung"))
        raise Skip(f"not reached: the {last.name} step {last.status}", unknown=True)
    what = "`import keras`" if name == "import" and smoke.framework in ("jax", "torch", "keras") else _NAMES[name]
    yield Finding(
        f"{what} {_how(smoke, step)}",
        fix=_ended_early(smoke, python) if step.status in ("crashed", "hung") else _raised(smoke, python, step, matrix),
        evidence={
            "framework": smoke.framework,
            "device_wanted": smoke.wanted,
            "versions": dict(smoke.versions),
            "files": dict(smoke.files),
            "frames": list(step.frames),
            "stopped_at": smoke.stopped_at,
            "output": "\n".join(_told(smoke.output)),
        },
    )


def _told(output: str) -> list[str]:
    """The lines around what native code said last, without the list of modules that faulthandler adds."""
    lines = [line for line in output.splitlines() if not line.startswith("Extension modules:")]
    first = next((place for place, line in enumerate(lines) if _FATAL.search(line)), len(lines))
    chosen, size = [], 0
    for line in lines[max(0, first - 4) :] if first < len(lines) else reversed(lines):
        size += len(line) + 1
        if size > _SAID:
            break
        chosen.append(line)
    return chosen if first < len(lines) else chosen[::-1]


def _how(smoke: SmokeFacts, step: Step) -> str:
    where = f"; the last Python line was {smoke.stopped_at}" if smoke.stopped_at else ""
    if step.status == "crashed":
        fatal = next((line.strip() for line in smoke.output.splitlines() if _SAYS_WHY.search(line)), "")
        return smoke.ending + where + (f"; it had printed: {fatal[:300]}" if fatal else "")
    if step.status == "hung":
        left = "" if smoke.killable else ", and could not be killed: it is blocked in the kernel or in a driver"
        return f"was still running after {smoke.seconds:.0f} s, when the time for the smoke run was over{left}{where}"
    frame = f" ({step.frames[-1]})" if step.frames else ""
    if step.error == "Wrong":  # it raised nothing: envcheck's own comparison did
        return f"went wrong: {step.message}"
    return f"fails with {step.error}{': ' if step.message else ''}{step.message}{frame}"


def _ended_early(smoke: SmokeFacts, python: PythonFacts) -> Fix:
    look = f"{shlex.quote(python.executable)} -X faulthandler -c 'import tensorflow'"
    seconds = max(300, smoke.deadline * 3)  # never less than the default
    longer = f"envcheck smoke --python {shlex.quote(python.executable)} --timeout {seconds:.0f}"
    if not smoke.killable:
        return Fix(
            "The driver does not answer. Look for its errors (Xid) in the kernel's log; a reset of the GPU or a reboot "
            "ends the process that is left.",
            commands=("dmesg --ctime | grep -i -e xid -e nvrm",),
        )
    if _MEMORY.search(smoke.output):
        return _NO_MEMORY
    if smoke.signal is None and smoke.exit_code is None:
        return Fix(
            "Give it more time: a first import from a network file system takes minutes, and so does the first use of a "
            "GPU that is newer than the build, whose code the driver then compiles. If it hangs again, the Python line "
            "above says in what; `nvidia-smi` that hangs as well means the driver.",
            commands=(longer,),
            safe=True,
        )
    by_signal = {
        "SIGILL": Fix(
            "The build uses instructions that this processor does not have, mostly AVX or AVX2. Run it on another "
            "processor, let the virtual machine pass the processor through (QEMU: `-cpu host`), or use a build "
            "for this processor, such as conda-forge's.",
            verify="grep -c avx /proc/cpuinfo",
        ),
        "SIGKILL": Fix(
            "Look in the kernel's log whether memory ran out; give the container or the job more memory (Docker: "
            "`--memory`, Kubernetes: resources.limits.memory, Slurm: `--mem`).",
            commands=("dmesg --ctime | grep -i -e oom -e 'out of memory'",),
            safe=True,
        ),
        "SIGBUS": Fix(
            "Look for a full /dev/shm or a full disk; a file of the installation that was cut short by it must be "
            "installed again.",
            commands=("df -h /dev/shm /tmp",),
            safe=True,
        ),
        "SIGTERM": Fix(
            "Somebody ended it: a job scheduler at its time limit, or a container that was stopped.", safe=True
        ),
    }
    return by_signal.get(smoke.signal or "") or Fix(
        "The message says why, where native code said anything. Native libraries that do not fit "
        "together are the usual reason: packages of another release, two copies of one library (LD_LIBRARY_PATH, "
        "LD_PRELOAD), conda and pip mixed. A fresh environment separates them from the rest.",
        commands=(look,),
        safe=True,
    )


_NO_MEMORY = Fix(
    "Memory or address space ran out: raise the limit. `ulimit -v` (SGE: h_vmem) counts address space, of which "
    "TensorFlow reserves many times what it uses; it should be unlimited.",
    commands=("ulimit -a",),
    safe=True,
)


def _raised(smoke: SmokeFacts, python: PythonFacts, step: Step, matrix: Matrix) -> Fix:
    verify = f"envcheck smoke --python {shlex.quote(python.executable)}"
    if _MEMORY.search(step.message):
        return _NO_MEMORY
    for row in matrix.symptoms:
        match = re.search(row.pattern, step.message)
        if match:
            wanted = _requirement(
                smoke, python, (row.install or "").replace("{}", (match.groups() or ("",))[0] or ""), matrix
            )
            return Fix(row.remedy, commands=(python.install(wanted),) if wanted else (), verify=verify)
    return Fix(
        "The message and its frames say what failed: envcheck knows no special reason for it. Compare the versions in "
        "the evidence, or try a fresh environment.",
        verify=verify,
    )


def _requirement(smoke: SmokeFacts, python: PythonFacts, name: str, matrix: Matrix) -> str:
    """The extra ``and-cuda`` is asked for in the very version that is there, where that has it."""
    if name != "tensorflow[and-cuda]":
        return name
    version = smoke.versions.get("tensorflow", "")
    try:
        known = matrix.has_extra(Version(version), "and-cuda", python.series)
    except InvalidVersion:
        known = False
    return f"{name}=={version}" if known else ""
