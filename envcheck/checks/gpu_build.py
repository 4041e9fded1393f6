"""Is this TensorFlow built for GPUs, and is the driver new enough for its CUDA?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from packaging.version import Version

from envcheck.findings import Finding, Fix, Link, Severity, Skip, check
from envcheck.versions import at_least, numbers

if TYPE_CHECKING:
    from envcheck.inventory import Expectations
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.driver import DriverFacts
    from envcheck.probes.gpu import GpuFacts
    from envcheck.probes.host import HostFacts
    from envcheck.probes.keras import KerasFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.tensorflow import TensorFlowFacts


@check("GPU201", "TensorFlow is built for the GPU that is here", unless="SMK108", link=Link.CUDA_LIBRARIES)
def gpu_build(
    gpu: GpuFacts,
    tensorflow: TensorFlowFacts,
    keras: KerasFacts,
    host: HostFacts,
    python: PythonFacts,
    expectations: Expectations,
    matrix: Matrix,
) -> Iterator[Finding]:
    """There is an NVIDIA GPU, and the installed TensorFlow is a build without CUDA: it never looks for one.

    Cause: `tensorflow-cpu` or a CPU variant from conda was installed; on Windows no TensorFlow from 2.11 on supports
    GPUs; the PyPI wheels for ARM Linux have no CUDA. There is no message at run time: the list of GPUs is just empty.

    How to fix: on Linux x86-64, and in WSL 2, install `tensorflow[and-cuda]`; with conda ask for the CUDA variant; on
    ARM Linux use NVIDIA's container. Where the CPU is what you want, say `--device cpu`.

    Source: https://www.tensorflow.org/install/pip#windows-native, https://github.com/tensorflow/tensorflow/issues/26550
    """
    _need_tensorflow(keras)
    if not gpu.usable:
        raise Skip("no GPU can be opened")
    build = tensorflow.build
    if build.is_cuda is None:
        raise Skip(
            f"the files of {tensorflow.distribution} {tensorflow.version} do not say whether it is built for GPUs",
            unknown=True,
        )
    if build.is_cuda:
        return
    kind = "a build for AMD GPUs (ROCm)" if build.is_rocm else "a build without CUDA"
    chosen = tensorflow.cpu_on_purpose and not expectations.gpu_required
    yield Finding(
        f"{tensorflow.distribution} {tensorflow.version} is {kind}: it will use the CPU, although there is "
        f"{gpu.usable[0].label}",
        _gpu_build_fix(tensorflow, host, python, matrix),
        evidence={"distribution": tensorflow.distribution, "conda": tensorflow.conda},
        severity=Severity.WARNING if chosen else None,
    )


def _need_tensorflow(keras: KerasFacts) -> None:
    """Raises :class:`Skip` where training runs on another backend: TensorFlow's build says nothing about that one."""
    if keras.other_backend:
        raise Skip(f"Keras runs on {keras.other_backend} here")


def _gpu_build_fix(tensorflow: TensorFlowFacts, host: HostFacts, python: PythonFacts, matrix: Matrix) -> Fix:
    verify = "python -c 'import tensorflow as tf; print(tf.config.list_physical_devices(\"GPU\"))'"
    limit = next(
        (row for row in matrix.platforms if row.system == host.system == "Windows" and row.device == "gpu"), None
    )
    if host.system == "Windows":
        if limit is not None and limit.holds(tensorflow.version):
            return Fix(
                f"install it inside WSL 2: {limit.reason}",
                ("wsl --install", 'wsl python3 -m pip install "tensorflow[and-cuda]"'),
            )
        return Fix("install the GPU build", (python.install(f"tensorflow=={tensorflow.version}"),), verify=verify)
    if host.machine in ("aarch64", "arm64"):
        return Fix("use NVIDIA's TensorFlow container: the PyPI wheels for ARM Linux have no CUDA")
    if tensorflow.vendor == "conda":
        return Fix(
            "ask conda for the CUDA variant; where conda sees no driver (an image build, a login node) say which CUDA",
            ('CONDA_OVERRIDE_CUDA=12.0 conda install -c conda-forge "tensorflow=*=cuda*"',),
            verify=verify,
        )
    extra = "[and-cuda]" if matrix.has_extra(Version(tensorflow.version), "and-cuda", python.series) else ""
    removal = () if tensorflow.distribution == "tensorflow" else (python.uninstall(tensorflow.distribution),)
    return Fix(
        "install the GPU build of the same version in its place",
        (*removal, python.install(f"tensorflow{extra}=={tensorflow.version.partition('+')[0]}")),
        verify=verify,
    )


@check(
    "GPU202",
    "The NVIDIA driver is new enough for TensorFlow's CUDA",
    explains=("GPU204",),
    unless="SMK108",
    link=Link.CUDA_LIBRARIES,
)
def driver_floor(
    driver: DriverFacts,
    tensorflow: TensorFlowFacts,
    keras: KerasFacts,
    matrix: Matrix,
    host: HostFacts,
    python: PythonFacts,
) -> Iterator[Finding]:
    """The driver is older than the CUDA that TensorFlow was built with can run on.

    Cause: every CUDA major version has an oldest driver (minor-version compatibility); containers bring their own CUDA
    and use the driver of the host. TensorFlow then fails with "CUDA driver version is insufficient for CUDA runtime
    version", or trains on the CPU. The "CUDA Version" that `nvidia-smi` prints is the newest the driver supports, not
    an installed one.

    How to fix: update the driver (in WSL: the one of Windows; for a container: the one of its host), or install a
    TensorFlow that was built with an older CUDA. On data centre GPUs the package cuda-compat is a third way.

    Source: https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
    """
    _need_tensorflow(keras)
    build = tensorflow.build
    if not build.cuda:
        raise Skip("this TensorFlow names no CUDA that it was built with", unknown=build.is_cuda is not False)
    if driver.tegra:
        raise Skip("this is a Jetson, whose drivers are numbered in another way", unknown=True)
    if driver.version is None:
        if driver.nvml.status == "no library" and not driver.hardware:
            raise Skip("no NVIDIA GPU or driver here")
        raise Skip("the version of the driver is not known", unknown=True)
    system = "Windows" if host.wsl else host.system  # in WSL the driver is the one of Windows
    row = matrix.driver_floor(build.cuda)
    floor = row.on(system) if row else None
    if row is None or floor is None:
        raise Skip(f"the oldest driver for CUDA {build.cuda} on {system} is not known", unknown=True)
    if at_least(driver.version, floor):
        return
    if _compat(driver, build.cuda, matrix):
        return
    older = next((r for r in matrix.rows if r.cuda and _served(matrix, r.cuda, system, driver.version)), None)
    where = "of Windows" if host.wsl else "of the container's host" if host.container else ""
    commands: tuple[str, ...] = ()
    if older and python.series in older.python:
        extra = "[and-cuda]" if matrix.has_extra(Version(older.series), "and-cuda", python.series) else ""
        commands = (python.install(f"tensorflow{extra}=={older.series}.*"),)
    yield Finding(
        f"the NVIDIA driver {driver.version} is older than {floor}, the oldest that runs CUDA {build.cuda}, which "
        f"{tensorflow.distribution} {tensorflow.version} was built with",
        Fix(
            " ".join(f"update the NVIDIA driver {where} to {floor} or newer".split())
            + (f"; or install TensorFlow {older.series} (CUDA {older.cuda}), which this driver runs" if older else ""),
            commands,
            verify="nvidia-smi",
        ),
        evidence={"driver": driver.version, "floor": floor, "cuda": build.cuda, "source": list(row.source.sources)},
        url=row.source.sources[0] if row.source.sources[0].startswith("https:") else None,
    )


def _compat(driver: DriverFacts, cuda: str, matrix: Matrix) -> bool:
    """Whether the loader finds a newer libcuda than the driver's own (cuda-compat), new enough for ``cuda``."""
    if not driver.cuda_version or not driver.version:
        return False
    branch = driver.version.partition(".")[0]
    own = next((row.cuda for row in matrix.branches if row.branch == branch), None)
    foreign = own is None or numbers(driver.cuda_version) > numbers(own)
    return foreign and numbers(driver.cuda_version)[:1] >= numbers(cuda)[:1]


def _served(matrix: Matrix, cuda: str, system: str, version: str) -> bool:
    row = matrix.driver_floor(cuda) if numbers(cuda) else None
    floor = row.on(system) if row else None
    return floor is not None and at_least(version, floor)
