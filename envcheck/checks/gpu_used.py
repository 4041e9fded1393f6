"""Did the tiny model run on the GPU that is there?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from packaging.version import Version

from envcheck.findings import Finding, Fix, Link, Skip, check
from envcheck.inventory import Unavailable

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import GpuFacts
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.smoke import SmokeFacts
    from envcheck.probes.tensorflow import TensorFlowFacts


@check("SMK108", "Training runs on the GPU that is there", link=Link.DEVICES)
def gpu_used(
    smoke: SmokeFacts,
    gpu: GpuFacts,
    environment: EnvironmentFacts,
    packages: PackagesFacts,
    python: PythonFacts,
    tensorflow: TensorFlowFacts | Unavailable,
    matrix: Matrix,
) -> Iterator[Finding]:
    """The driver reports a usable GPU, nothing hides it, and the tiny model still trained on the CPU.

    Cause: TensorFlow treats a GPU that it cannot use as normal: a build without CUDA, a CUDA library that it could not
    open, a GPU too old for the build. It says so in one line of its log at most, and training is merely slow.

    How to fix: `pip install "tensorflow[and-cuda]"` on Linux, or what the GPU findings of the same report say. Where the
    CPU is meant, say `--device cpu`.

    Source: https://www.tensorflow.org/install/pip; https://github.com/tensorflow/tensorflow/issues/63362
    """
    if smoke.wanted == "cpu":
        raise Skip("--device cpu says where it must run")
    visible = gpu.visible(environment.variables).devices
    if not visible:
        raise Skip("no GPU is visible to a program")
    fit = smoke.step("fit")
    if fit.status != "ok" or not fit.device:
        raise Skip("the tiny model did not train")
    if fit.device.startswith("CPU"):
        yield Finding(
            f"{smoke.framework} trained on {fit.device} although the driver reports {visible[0].label}: "
            f"{smoke.step('devices').message or 'it lists no GPU'}",
            _fix(packages, python, tensorflow, matrix),
            evidence={"log": _log(smoke.output)},
        )


def _fix(
    packages: PackagesFacts, python: PythonFacts, tensorflow: TensorFlowFacts | Unavailable, matrix: Matrix
) -> Fix:
    found = packages.find("tensorflow")
    bundled = any(dist.key.startswith("nvidia-cudnn-cu") for dist in packages.distributions)
    extra = found is not None and matrix.has_extra(Version(found.version), "and-cuda", python.series)
    if found is not None and not bundled and extra and python.platform == "linux":
        wanted = f"tensorflow[and-cuda]=={found.version}"
        return Fix(
            "Install the CUDA libraries that this TensorFlow was built with; none came from a wheel here.",
            (python.install(wanted),),
            "envcheck doctor --require-gpu",
        )
    sonames = () if isinstance(tensorflow, Unavailable) else tensorflow.build.sonames
    named = f" It opens {', '.join(sonames)}." if sonames else ""
    # Some releases look in fewer folders than their wheels fill: https://github.com/tensorflow/tensorflow/issues/63362
    wheels = next((dist.location for dist in packages.distributions if dist.key.startswith("nvidia-cudnn-cu")), None)
    command = f"export LD_LIBRARY_PATH=$(printf '%s:' {shlex.quote(wheels or '')}/nvidia/*/lib)$LD_LIBRARY_PATH"
    return Fix(
        f"Make the framework find its CUDA libraries, or say `--device cpu` where the CPU is meant.{named}",
        (command,) if wheels else (),
        "envcheck doctor --require-gpu",
    )


def _log(output: str) -> str:
    """The lines of TensorFlow's log that speak of the GPU."""
    words = ("dlopen", "GPU", "cuda", "CUDA", "cuInit", "dso_loader")
    return "\n".join(line for line in output.splitlines() if any(word in line for word in words))[-1500:]
