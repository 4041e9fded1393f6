"""Does this TensorFlow carry code that the GPU can run?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from packaging.version import Version

from envcheck.findings import Finding, Fix, Link, Severity, Skip, check
from envcheck.versions import at_least, numbers

if TYPE_CHECKING:
    from envcheck.knowledge.gpus import GpuKnot
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.driver import DriverFacts
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import GpuFacts, Group
    from envcheck.probes.host import HostFacts
    from envcheck.probes.keras import KerasFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.tensorflow import TensorFlowFacts

TEGRA = ((5, 3), (6, 2), (7, 2), (8, 7))
"""The compute capabilities of Jetsons, which have machine code of their own."""


def _code(tensorflow: TensorFlowFacts, matrix: Matrix, host: HostFacts) -> tuple[Sequence[str], Sequence[str]]:
    """The compute capabilities with machine code and with PTX: the build's own word, else the matrix's.

    Raises:
        Skip: it is no CUDA build, or neither knows.
    """
    build = tensorflow.build
    if build.is_cuda is False:
        raise Skip("this TensorFlow is built without CUDA")
    if build.sass or build.ptx:
        return build.sass, build.ptx
    row = matrix.series(Version(tensorflow.version))
    if row and row.sass and tensorflow.vendor == "pypi" and (host.system, host.machine) == ("Linux", "x86_64"):
        return row.sass, row.ptx or ()
    raise Skip("the files of this TensorFlow do not say which GPUs it has code for", unknown=True)


def _runs(capability: str, sass: Sequence[str], ptx: Sequence[str]) -> str:
    """``sass``, ``ptx`` or nothing: what the GPU can run.

    Machine code runs on the same major with the same or a newer minor, except to and from a Jetson; PTX on anything
    newer. A letter (``9.0a``) ties either to exactly that capability. Source: the CUDA programming guide, and the comment
    in tensorflow/.bazelrc.
    """
    wanted = numbers(capability)
    for entry in sass:
        found = numbers(entry)
        carried = found[:1] == wanted[:1] and found <= wanted and not {found, wanted} & set(TEGRA)
        if found == wanted or (carried and not _tied(entry)):
            return "sass"
    return (
        "ptx"
        if any(numbers(entry) == wanted or (numbers(entry) < wanted and not _tied(entry)) for entry in ptx)
        else ""
    )


def _tied(entry: str) -> bool:
    return bool(re.search(r"[a-z]$", entry))


def _groups(gpu: GpuFacts, environment: EnvironmentFacts, keras: KerasFacts) -> list[Group]:
    """The visible GPUs whose compute capability is known, by that capability.

    Raises:
        Skip: there is none, or training does not run on TensorFlow.
    """
    if keras.other_backend:
        raise Skip(f"Keras runs on {keras.other_backend} here")
    devices = gpu.need_visible(environment.variables).devices
    known = [device for device in devices if device.compute_capability]
    if not known:
        raise Skip("the driver does not tell the GPU's compute capability", unknown=True)
    return gpu.grouped(known, lambda device: device.compute_capability)


@check(
    "GPU203",
    "TensorFlow has code for this GPU",
    explains=("SMK107",),
    unless="SMK108",
    link=Link.CAPABILITY,
)
def code_for_gpu(
    gpu: GpuFacts,
    tensorflow: TensorFlowFacts,
    keras: KerasFacts,
    environment: EnvironmentFacts,
    matrix: Matrix,
    host: HostFacts,
    python: PythonFacts,
) -> Iterator[Finding]:
    """The installed TensorFlow carries neither machine code nor PTX that this GPU can run.

    Cause: a wheel holds machine code (SASS) for some compute capabilities. It runs on GPUs of the same major version
    with the same or a higher minor version; PTX can be compiled for newer GPUs, never for older ones. A GPU older than
    the oldest entry is passed over by TensorFlow ("Ignoring visible gpu device"), or fails at the first operation.

    How to fix: install the last TensorFlow whose wheels have code for it, build TensorFlow for it, or use a newer GPU.

    Source: the fatbin headers of the released wheels; https://developer.nvidia.com/cuda-gpus
    """
    groups = _groups(gpu, environment, keras)
    sass, ptx = _code(tensorflow, matrix, host)
    left_out = [group for group in groups if not _runs(_capability(group), sass, ptx)]
    for group in left_out:
        capability = _capability(group)
        older = next(
            (row for row in matrix.rows if row.sass and _runs(capability, row.sass, row.ptx or ()) == "sass"), None
        )
        yield Finding(
            f"{_said(group)}; {tensorflow.distribution} {tensorflow.version} has code "
            f"for {', '.join(sass)}" + (f" and PTX for {', '.join(ptx)} and newer" if ptx else " only"),
            _older_series(older.series, older.python, python, matrix)
            if older
            else Fix("build TensorFlow for this compute capability, or use another GPU"),
            evidence=_evidence(group, sass, ptx),
            severity=None if len(left_out) == len(groups) else Severity.WARNING,
        )


def _capability(group: Group) -> str:
    return group.devices[0].compute_capability or ""


def _said(group: Group) -> str:
    return f"{group.label} {group.verb('has', 'have')} compute capability {_capability(group)}"


def _evidence(group: Group, sass: Sequence[str], ptx: Sequence[str]) -> dict[str, object]:
    return {"compute_capability": _capability(group), "gpus": group.indexes, "sass": list(sass), "ptx": list(ptx)}


def _older_series(series: str, pythons: Sequence[str], python: PythonFacts, matrix: Matrix) -> Fix:
    summary = f"TensorFlow {series} is the newest series whose wheels have code for this GPU"
    if python.series not in pythons:
        return Fix(f"{summary}; it needs Python {pythons[0]} to {pythons[-1]}, this is {python.series}")
    extra = "[and-cuda]" if matrix.has_extra(Version(series), "and-cuda", python.series) else ""
    return Fix(f"{summary}: install it", (python.install(f"tensorflow{extra}=={series}.*"),))


@check(
    "GPU204",
    "TensorFlow has machine code for this GPU",
    Severity.WARNING,
    explains=("SMK109",),
    link=Link.CAPABILITY,
)
def machine_code_for_gpu(
    gpu: GpuFacts,
    driver: DriverFacts,
    tensorflow: TensorFlowFacts,
    keras: KerasFacts,
    environment: EnvironmentFacts,
    matrix: Matrix,
    host: HostFacts,
) -> Iterator[Finding]:
    """The GPU is newer than the machine code in TensorFlow: the driver must compile the PTX first.

    Cause: no entry of the wheel has the GPU's major version. The driver then compiles every kernel when it is first
    used, which takes minutes up to half an hour and looks like a hang. It keeps the result in ~/.nv/ComputeCache, whose
    256 MiB are too few for TensorFlow, and which a container loses. The driver must be as new as the CUDA toolkit that
    made the PTX: minor-version compatibility does not cover it.

    How to fix: install a newer TensorFlow; else enlarge and keep the cache: CUDA_CACHE_MAXSIZE=4294967296, and
    CUDA_CACHE_PATH on a volume that stays.

    Source: https://github.com/tensorflow/tensorflow/issues/62320,
    https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
    """
    groups = _groups(gpu, environment, keras)
    sass, ptx = _code(tensorflow, matrix, host)
    for group in groups:
        capability = _capability(group)
        if _runs(capability, sass, ptx) != "ptx" or _reported(capability, tensorflow, matrix):
            continue
        found = f"{_said(group)}; {tensorflow.distribution} {tensorflow.version} has no "
        found += f"machine code for it (only for {', '.join(sass)})" if sass else "machine code"
        evidence = _evidence(group, sass, ptx)
        # The drivers of Jetsons are numbered in another way.
        floor = None if driver.tegra else _toolkit_floor(tensorflow, matrix, host)
        if floor and driver.version and not at_least(driver.version, floor):
            yield Finding(
                f"{found}, and the driver {driver.version} cannot compile its PTX: that needs {floor}, the driver of "
                f"CUDA {tensorflow.build.cuda}",
                Fix(
                    f"update the NVIDIA driver to {floor} or newer, or install a TensorFlow with machine code for the GPU"
                ),
                evidence={**evidence, "driver": driver.version, "floor": floor},
                severity=Severity.ERROR,
            )
            continue
        off = environment.get("CUDA_CACHE_DISABLE") == "1"
        every = "at every start, because CUDA_CACHE_DISABLE=1 is set" if off else "at the first start"
        yield Finding(
            f"{found}: the driver compiles its PTX {every}, which can take half an hour",
            Fix(
                "install a TensorFlow with machine code for the GPU; else give the cache room and keep it",
                (*(("unset CUDA_CACHE_DISABLE",) if off else ()), "export CUDA_CACHE_MAXSIZE=4294967296"),
            ),
            evidence=evidence,
        )


def _toolkit_floor(tensorflow: TensorFlowFacts, matrix: Matrix, host: HostFacts) -> str | None:
    row = matrix.toolkit_driver(tensorflow.build.cuda) if tensorflow.build.cuda else None
    return row.on("Windows" if host.wsl else host.system) if row else None


@check(
    "GPU205",
    "TensorFlow runs on a Blackwell GPU",
    explains=("SMK107",),
    unless="SMK108",
    link=Link.CAPABILITY,
)
def blackwell(
    gpu: GpuFacts,
    tensorflow: TensorFlowFacts,
    keras: KerasFacts,
    environment: EnvironmentFacts,
    matrix: Matrix,
    host: HostFacts,
) -> Iterator[Finding]:
    """The GPU is of the Blackwell generation (compute capability 10.0 and newer), and TensorFlow has no code for it.

    Cause: the released wheels up to 2.21 end at 9.0. On paper the driver compiles their PTX; users report, for
    compute capability 12.0 (GeForce RTX 50) with 2.16 to 2.20 and nightlies of 2.21, that the first operation fails with
    CUDA_ERROR_INVALID_PTX and CUDA_ERROR_INVALID_HANDLE. For 10.0 to 11.0 no report is known either way, so
    that is a warning.

    How to fix: use NVIDIA's TensorFlow container, which users report to work, or build TensorFlow for the GPU. Let the
    smoke run show whether your combination works.

    Source: https://github.com/tensorflow/tensorflow/issues/101746, https://github.com/tensorflow/tensorflow/issues/99592,
    https://github.com/tensorflow/tensorflow/issues/97387, and the fatbin headers of the wheels
    """
    groups = _groups(gpu, environment, keras)
    sass, ptx = _code(tensorflow, matrix, host)
    for group in groups:
        capability = _capability(group)
        knot = _reported(capability, tensorflow, matrix)
        if _runs(capability, sass, ptx) != "ptx" or knot is None:
            continue
        yield Finding(
            f"{_said(group)}, and {tensorflow.distribution} {tensorflow.version} machine code up to "
            f"{sass[-1] if sass else 'none'}: {knot.consequence}",
            Fix(knot.fix, ("envcheck smoke --device gpu",)),
            evidence={**_evidence(group, sass, ptx), "knot": knot.id},
            severity=Severity(knot.severity),
            url=knot.source.sources[0],
        )


def _reported(capability: str, tensorflow: TensorFlowFacts, matrix: Matrix) -> GpuKnot | None:
    """The fault that is known of this generation of GPUs as such, with any libraries."""
    version = Version(tensorflow.version)
    for knot in matrix.gpu_knots:
        alone = knot.capability and knot.extra is None and knot.cudnn is None
        if alone and knot.ties(version, extra=False, cudnn=None, capabilities=[capability], gpus=1):
            return knot
    return None
