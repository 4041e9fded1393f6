"""Is a fault known of this TensorFlow that appears only on a GPU?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from packaging.version import Version

from envcheck.findings import Finding, Fix, Link, Location, Severity, Skip, check
from envcheck.inventory import Unavailable

if TYPE_CHECKING:
    from envcheck.knowledge.gpus import GpuKnot
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import GpuFacts
    from envcheck.probes.gpu_libraries import GpuLibrariesFacts
    from envcheck.probes.packages import Distribution, PackagesFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.tensorflow import TensorFlowFacts


@check(
    "GPU206",
    "No fault is known of this TensorFlow on this GPU",
    explains=("SMK107",),
    unless="SMK108",
    link=Link.CUDA_LIBRARIES,
)
def gpu_knots(
    tensorflow: TensorFlowFacts,
    packages: PackagesFacts,
    gpu: GpuFacts,
    environment: EnvironmentFacts,
    python: PythonFacts,
    matrix: Matrix,
    gpu_libraries: GpuLibrariesFacts | Unavailable,
) -> Iterator[Finding]:
    """A cuDNN that does not serve this GPU, or a released TensorFlow that is known not to open its CUDA libraries.

    Cause: the ranges of newer releases let pip install a cuDNN that has left older GPUs behind, and some wheels search too few
    of the folders that the nvidia packages fill. Neither stands in any metadata. Each known fault is one row in
    compat_matrix/gpu_knots.yaml. Where the libraries could be looked at, GPU207, GPU208 and GPU211 judge what is there, and
    this check leaves it to them; without (a saved inventory of an older envcheck) the rows stand in.

    How to fix: as the finding says: the release that is whole, the cuDNN that has the kernels, or the folder that is missing
    on LD_LIBRARY_PATH.

    Source: the rows name theirs; https://github.com/tensorflow/tensorflow/issues/63362
    """
    if not tensorflow.build.is_cuda:
        raise Skip("this TensorFlow is built without CUDA", unknown=tensorflow.build.is_cuda is None)
    if tensorflow.vendor != "pypi":
        raise Skip("the faults were seen in the wheels of the package index; this build is another one", unknown=True)
    visible = gpu.visible(environment.variables).devices
    if not visible:
        raise Skip("no GPU is visible to a program")
    cudnn = next((each for each in packages.distributions if each.key.startswith("nvidia-cudnn-cu")), None)
    capabilities = [device.compute_capability for device in visible if device.compute_capability]
    for knot in matrix.gpu_knots:
        if knot.extra is None and knot.cudnn is None:
            continue  # of a generation of GPUs as such: GPU205
        if knot.seen_by and not isinstance(gpu_libraries, Unavailable):
            continue  # another check saw the libraries themselves
        tied = knot.ties(
            Version(tensorflow.version),
            extra=packages.find("nvidia-cuda-runtime-cu12") is not None,
            cudnn=Version(cudnn.version) if cudnn else None,
            capabilities=capabilities,
            gpus=len(visible),
        )
        if tied and not _mended(knot, environment):
            yield _finding(knot, tensorflow, packages, cudnn, python)


def _mended(knot: GpuKnot, environment: EnvironmentFacts) -> bool:
    """Whether LD_LIBRARY_PATH already leads to the library."""
    folders = (environment.get("LD_LIBRARY_PATH") or "").split(":")
    library = "cudnn" if knot.library == "*" else knot.library
    return library is not None and any(folder.rstrip("/").endswith(f"nvidia/{library}/lib") for folder in folders)


def _finding(
    knot: GpuKnot, tensorflow: TensorFlowFacts, packages: PackagesFacts, cudnn: Distribution | None, python: PythonFacts
) -> Finding:
    commands = (python.install(*knot.install),) if knot.install else ()
    if knot.library:
        wheels = packages.find("nvidia-cuda-runtime-cu12")
        where = shlex.quote(wheels.location if wheels else "")
        line = f"export LD_LIBRARY_PATH=$(printf '%s:' {where}/nvidia/{knot.library}/lib)$LD_LIBRARY_PATH"
        commands = commands or (line,)
    named = f"{cudnn.name} {cudnn.version} with " if knot.cudnn and cudnn else ""
    return Finding(
        f"{named}TensorFlow {tensorflow.version}: {knot.consequence}",
        Fix(knot.fix, commands, "envcheck doctor --require-gpu"),
        Location(knot.source.path, knot.source.line),
        symbol="tensorflow",
        evidence={"knot": knot.id, "source": list(knot.source.sources)},
        severity=Severity(knot.severity),
    )
