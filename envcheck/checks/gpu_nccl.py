"""Is NCCL there where several GPUs are to train together?"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from envcheck.findings import Finding, Fix, Severity, Skip, check

if TYPE_CHECKING:
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import GpuFacts
    from envcheck.probes.gpu_libraries import GpuLibrariesFacts, Library
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.tensorflow import TensorFlowFacts


@check("GPU211", "NCCL is found where there are several GPUs", Severity.WARNING)
def gpu_nccl(
    gpu_libraries: GpuLibrariesFacts,
    gpu: GpuFacts,
    environment: EnvironmentFacts,
    tensorflow: TensorFlowFacts,
    packages: PackagesFacts,
    python: PythonFacts,
) -> Iterator[Finding]:
    """Several GPUs are visible, and TensorFlow does not find NCCL, with which they exchange gradients.

    Cause: newer releases open libnccl.so.2 when several GPUs train together; older ones have NCCL linked in. On one GPU it
    does not matter, and TensorFlow's own check of its libraries does not look for it.

    How to fix: put the folder of libnccl.so.2 on LD_LIBRARY_PATH, or install the package.

    Source: ncclGetVersion, called in libtensorflow_framework.so.2 of the wheels 2.18.1, 2.20.0 and 2.21.0
    """
    count = len(gpu.visible(environment.variables).cuda)
    if count < 2:
        raise Skip("NCCL is for several GPUs, and there is one at most")
    library = gpu_libraries.find("nccl")
    if library is None:
        raise Skip("NCCL is linked into this TensorFlow")
    if library.loads:
        return
    yield Finding(
        f"{count} GPUs are visible, and TensorFlow {tensorflow.version} does not find {library.soname}"
        + (f", which lies in {posixpath.dirname(library.usable[0].path)}" if library.usable else "")
        + ": training on several GPUs (MirroredStrategy) fails or uses one",
        _fix(library, tensorflow, packages, python),
        symbol=library.soname,
        evidence={"searched": [[place.how, place.path, place.outcome] for place in library.searched]},
    )


def _fix(library: Library, tensorflow: TensorFlowFacts, packages: PackagesFacts, python: PythonFacts) -> Fix:
    verify = "envcheck doctor --select GPU2"
    if library.usable:
        folder = shlex.quote(posixpath.dirname(library.usable[0].path))
        line = f"export LD_LIBRARY_PATH={folder}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
        return Fix("put the folder on LD_LIBRARY_PATH before Python starts", (line,), verify, safe=True)
    dist = packages.find(tensorflow.distribution)
    for text in dist.requires if dist else ():
        requirement = Requirement(text)
        if requirement.name.startswith("nvidia-nccl"):
            line = python.install(f"{requirement.name}{requirement.specifier}")
            return Fix("install the package that brings it", (line,), verify)
    return Fix("install NCCL for the CUDA of this TensorFlow, where the loader looks", verify=verify)
