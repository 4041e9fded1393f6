"""Does the cuDNN that is loaded serve this TensorFlow?"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.version import Version

from envcheck.findings import Finding, Fix, Link, Severity, Skip, check
from envcheck.inventory import Unavailable
from envcheck.versions import numbers

if TYPE_CHECKING:
    from envcheck.inventory import Expectations
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import GpuFacts
    from envcheck.probes.gpu_libraries import GpuLibrariesFacts, Library
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.tensorflow import TensorFlowFacts


@check(
    "GPU208",
    "The cuDNN that is loaded is one, and not older than the one compiled with",
    unless="SMK108",
    explains=("SMK107",),
    link=Link.CUDA_LIBRARIES,
)
def gpu_cudnn(
    gpu_libraries: GpuLibrariesFacts,
    tensorflow: TensorFlowFacts,
    packages: PackagesFacts,
    python: PythonFacts,
    gpu: GpuFacts | Unavailable,
    environment: EnvironmentFacts,
    expectations: Expectations,
    matrix: Matrix,
) -> Iterator[Finding]:
    """The cuDNN that the loader takes is older than the one TensorFlow was compiled with, or its parts are of two cuDNNs.

    Cause: another package (torch, often) or a system installation brought its own cuDNN, pip moved it down, or a folder on
    LD_LIBRARY_PATH comes before it. TensorFlow then says "Loaded runtime CuDNN library: A but source was compiled with: B"
    and fails at the first convolution: the major versions must be equal, and the minor version loaded not smaller.

    How to fix: install the cuDNN that this TensorFlow asks for, with the command of the finding.

    Source: IsSourceCompatibleWithCudnnLibrary in XLA's cuda_dnn.cc; the version is the library's own word
    (cudnnGetProperty, asked in a child)
    """
    if expectations.device == "cpu":
        raise Skip("no GPU is wanted: --device cpu")
    library = gpu_libraries.find("cudnn")
    if library is None or not library.loads:
        raise Skip("no cuDNN is loaded")
    visible = not isinstance(gpu, Unavailable) and bool(gpu.visible(environment.variables).devices)
    stakes = gpu_libraries.stakes(visible=visible, required=expectations.gpu_required)
    if stakes is None:
        raise Skip("no GPU is here or required")
    version = library.version or next((owner.version for owner in library.owners), None)
    compiled = _compiled(tensorflow, matrix)
    if version is None or compiled is None:
        which = "loaded" if version is None else "compiled with"
        raise Skip(f"the version of the cuDNN that is {which} is not known", unknown=True)
    here, wanted = numbers(version), numbers(compiled)
    if here[:1] != wanted[:1] or here[:2] < wanted[:2]:
        yield Finding(
            f"TensorFlow {tensorflow.version} was compiled with cuDNN {compiled} and would load cuDNN {version} from "
            f"{library.path}{_owners(library)}: it refuses a cuDNN of another major version or a smaller minor one, so "
            "convolutions and recurrent layers fail on a GPU",
            _fix(tensorflow, packages, python, compiled),
            symbol=library.soname,
            evidence={"loaded": version, "compiled": compiled, "path": library.path, "proven": library.proven},
            severity=Severity(stakes),
        )
    folders = {posixpath.dirname(path) for path in gpu_libraries.cudnn_parts}
    if len(folders) > 1:
        yield Finding(
            f"two cuDNNs are mixed: {library.soname} is loaded from {library.path}, and its parts from "
            f"{' and '.join(sorted(folders))}; parts of different versions do not work together",
            _fix(tensorflow, packages, python, compiled),
            symbol=library.soname,
            evidence={"parts": list(gpu_libraries.cudnn_parts)},
            severity=Severity(stakes),
        )


def _compiled(tensorflow: TensorFlowFacts, matrix: Matrix) -> str | None:
    """The cuDNN of the build: its own word where that has a minor version, else what is known of the released wheels."""
    own = tensorflow.build.cudnn
    if own and len(numbers(own)) > 1:
        return own
    row = matrix.series(Version(tensorflow.version)) if tensorflow.vendor == "pypi" else None
    return (row.cudnn if row else None) or own


def _owners(library: Library) -> str:
    return f" ({', '.join(f'{owner.name} {owner.version}' for owner in library.owners)})" if library.owners else ""


def _fix(tensorflow: TensorFlowFacts, packages: PackagesFacts, python: PythonFacts, compiled: str) -> Fix:
    """The cuDNN that the extra of this TensorFlow asks for; without one, words."""
    dist = packages.find(tensorflow.distribution)
    for text in dist.requires if dist else ():
        try:
            requirement = Requirement(text)
        except ValueError:
            continue
        if requirement.name.startswith("nvidia-cudnn-cu"):
            command = python.install(f"{requirement.name}{requirement.specifier}")
            return Fix("install the cuDNN that this TensorFlow asks for", (command,), "envcheck doctor --select GPU2")
    major = numbers(compiled)[0]
    summary = f"install cuDNN {compiled} or a later {major}.x where it is found first"
    return Fix(summary, verify="envcheck doctor --select GPU2")
