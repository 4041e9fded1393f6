"""Does XLA find the compiler's tools that it needs?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from envcheck.findings import Finding, Fix, Severity, Skip, check
from envcheck.inventory import Unavailable

if TYPE_CHECKING:
    from envcheck.inventory import Expectations
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import GpuFacts
    from envcheck.probes.gpu_libraries import GpuLibrariesFacts, Tool
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.tensorflow import TensorFlowFacts

WHEEL = "nvidia/cuda_nvcc/"


@check("GPU210", "XLA finds libdevice and ptxas", Severity.WARNING, explains=("SMK107",))
def gpu_compiler(
    gpu_libraries: GpuLibrariesFacts,
    tensorflow: TensorFlowFacts,
    packages: PackagesFacts,
    python: PythonFacts,
    gpu: GpuFacts | Unavailable,
    environment: EnvironmentFacts,
    expectations: Expectations,
    matrix: Matrix,
) -> Iterator[Finding]:
    """XLA compiles for a GPU with NVIDIA's libdevice and ptxas, and does not find one of them, or finds one it refuses.

    Cause: the package nvidia-cuda-nvcc is not installed, XLA_FLAGS=--xla_gpu_cuda_data_dir names a folder without
    nvvm/libdevice, or the release does not look into the nvidia packages. Compiled models (`jit_compile=True`, which Keras 3
    chooses by itself on a GPU) then fail with "libdevice not found at ./libdevice.10.bc", or are compiled by the driver.

    How to fix: install the package, or name the folder of CUDA in XLA_FLAGS, as the finding says.

    Source: cuda_root_path.cc and subprocess_compilation.cc of XLA; https://github.com/tensorflow/tensorflow/issues/58681
    """
    if expectations.device == "cpu":
        raise Skip("no GPU is wanted: --device cpu")
    visible = not isinstance(gpu, Unavailable) and bool(gpu.visible(environment.variables).devices)
    if gpu_libraries.stakes(visible=visible, required=expectations.gpu_required) is None:
        raise Skip("no GPU is here or required")
    in_wheels = any(row.need == "compiler" and row.holds(tensorflow.version) for row in matrix.gpu_libraries)
    tools = [tool for tool in (gpu_libraries.libdevice, gpu_libraries.ptxas) if tool]
    lost = [tool for tool in tools if _lost(tool, in_wheels)]
    if not lost:
        return
    names = " and ".join(tool.name for tool in lost)
    flag = gpu_libraries.data_dir
    named = f"; XLA_FLAGS names {flag}, which has none" if flag else ""
    places = ", ".join(place for place in lost[0].searched if in_wheels or WHEEL not in f"{place}/")
    yield Finding(
        f"XLA does not find {names}{named}: models that it compiles (jit_compile=True, which Keras 3 chooses by itself on a "
        f"GPU) fail or fall back to the driver's compiler. Searched, in this order: {places}",
        _fix(gpu_libraries, tensorflow, packages, python, in_wheels=in_wheels),
        symbol=lost[0].name,
        evidence={tool.name: list(tool.searched) for tool in lost},
    )


def _lost(tool: Tool, in_wheels: bool) -> bool:
    return tool.path is None or (not in_wheels and WHEEL in tool.path)


def _fix(
    facts: GpuLibrariesFacts,
    tensorflow: TensorFlowFacts,
    packages: PackagesFacts,
    python: PythonFacts,
    *,
    in_wheels: bool,
) -> Fix:
    verify = "envcheck doctor --select GPU2"
    found = [tool.path for tool in (facts.libdevice, facts.ptxas) if tool and tool.path and WHEEL in tool.path]
    if found and not in_wheels:
        root = found[0].partition(WHEEL)[0] + WHEEL.rstrip("/")
        return Fix(
            "name the folder of the nvidia package, into which this release does not look by itself",
            (f"export XLA_FLAGS=--xla_gpu_cuda_data_dir={root}",),
            verify,
        )
    dist = packages.find(tensorflow.distribution)
    for text in dist.requires if dist else ():
        requirement = Requirement(text)
        if requirement.name.startswith("nvidia-cuda-nvcc"):
            command = python.install(f"{requirement.name}{requirement.specifier}")
            return Fix("install the package that brings them", (command,), verify)
    return Fix(
        f"install the CUDA toolkit {tensorflow.build.cuda} and name its folder: "
        "XLA_FLAGS=--xla_gpu_cuda_data_dir=/usr/local/cuda",
        verify=verify,
    )
