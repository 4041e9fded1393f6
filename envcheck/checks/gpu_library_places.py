"""Do the GPU libraries come from where they are meant to come from?"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Link, Severity, Skip, check
from envcheck.inventory import Unavailable
from envcheck.versions import numbers

if TYPE_CHECKING:
    from envcheck.inventory import Expectations
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.driver import DriverFacts
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import GpuFacts
    from envcheck.probes.gpu_libraries import GpuLibrariesFacts, Library
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.tensorflow import TensorFlowFacts

VERIFY = "envcheck doctor --select GPU2"


@check(
    "GPU209",
    "No GPU library comes from a place that is not meant",
    Severity.WARNING,
    explains=("SMK107",),
    link=Link.CUDA_LIBRARIES,
)
def gpu_library_places(
    gpu_libraries: GpuLibrariesFacts,
    tensorflow: TensorFlowFacts,
    packages: PackagesFacts,
    python: PythonFacts,
    driver: DriverFacts | Unavailable,
    gpu: GpuFacts | Unavailable,
    environment: EnvironmentFacts,
    expectations: Expectations,
) -> Iterator[Finding]:
    """A library is found, and it is the wrong one: a stub, one for another CUDA, or one that hides the nvidia packages'.

    Cause: LD_LIBRARY_PATH is searched before the folders of the nvidia packages, and what a profile, a module system or a
    container image put there wins: a CUDA toolkit of another version, its `stubs` folder (made for linking; every call in it
    answers CUDA_ERROR_STUB_LIBRARY), or cuda-compat's libcuda, which may be older than the driver. Or two packages write
    the same file, as nvidia-cudnn-cu12 and nvidia-cudnn-cu13 do when torch for CUDA 13 stands beside TensorFlow.

    How to fix: take the folder off LD_LIBRARY_PATH, or keep TensorFlow and torch in environments of their own.

    Source: ld.so(8); cuda.h (CUDA_ERROR_STUB_LIBRARY, CUDA_ERROR_SYSTEM_DRIVER_MISMATCH);
    https://docs.nvidia.com/deploy/cuda-compatibility/; file lists of nvidia-cudnn-cu12 and nvidia-cudnn-cu13
    """
    if expectations.device == "cpu":
        raise Skip("no GPU is wanted: --device cpu")
    visible = not isinstance(gpu, Unavailable) and bool(gpu.visible(environment.variables).devices)
    stakes = gpu_libraries.stakes(visible=visible, required=expectations.gpu_required)
    if stakes is None:
        raise Skip("no GPU is here or required")
    loaded = [library for library in gpu_libraries.libraries if library.loads and library.path]
    yield from _stubs(loaded, gpu_libraries, Severity(stakes))
    yield from _compat(loaded, gpu_libraries, driver, Severity(stakes))
    foreign = [library for library in loaded if _foreign(library, tensorflow)]
    for library in foreign:
        yield _of_another_cuda(library, gpu_libraries, tensorflow, packages, python, Severity(stakes))
    hidden = [library for library in loaded if library not in foreign and _hides(library, gpu_libraries)]
    if hidden:
        yield _shadowed(hidden, gpu_libraries)


def _stubs(loaded: list[Library], facts: GpuLibrariesFacts, severity: Severity) -> Iterator[Finding]:
    for library in loaded:
        if "/stubs/" in (library.path or ""):
            yield Finding(
                f"{library.soname} is loaded from {library.path}, a stub for linking: every call of it answers "
                "CUDA_ERROR_STUB_LIBRARY, so no GPU is seen",
                _off_the_path(facts, [library.path or ""]),
                symbol=library.soname,
                evidence={"path": library.path},
                severity=severity,
            )


def _compat(
    loaded: list[Library], facts: GpuLibrariesFacts, driver: DriverFacts | Unavailable, severity: Severity
) -> Iterator[Finding]:
    """The forward-compatibility libcuda: it serves when it is newer than the driver, and on data-center GPUs."""
    library = next((each for each in loaded if each.name == "cuda"), None)
    if library is None or "/compat/" not in (library.path or "") or isinstance(driver, Unavailable):
        return
    own = next((each.version for each in library.candidates if each.path == library.path), None)
    kernel = driver.kernel_version
    if own is None or kernel is None or numbers(own) >= numbers(kernel):
        return
    yield Finding(
        f"libcuda.so.1 is loaded from {library.path} (cuda-compat, of driver {own}), which is older than the driver "
        f"itself ({kernel}): CUDA then answers CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
        _off_the_path(facts, [library.path or ""]),
        symbol=library.soname,
        evidence={"path": library.path, "compat": own, "driver": kernel},
        severity=severity,
    )


def _foreign(library: Library, tensorflow: TensorFlowFacts) -> bool:
    """Whether a library says that it was built with another CUDA major than TensorFlow."""
    ours = numbers(tensorflow.build.cuda or "")[:1]
    theirs = numbers(library.built_for_cuda or "")[:1]
    return bool(ours and theirs) and ours != theirs


def _of_another_cuda(
    library: Library,
    facts: GpuLibrariesFacts,
    tensorflow: TensorFlowFacts,
    packages: PackagesFacts,
    python: PythonFacts,
    severity: Severity,
) -> Finding:
    said = (
        f"{library.soname} is loaded from {library.path}, which was built with CUDA {library.built_for_cuda}; TensorFlow "
        f"{tensorflow.version} is built with CUDA {tensorflow.build.cuda} and loads the other libraries of that"
    )
    ours = posixpath.dirname(library.path or "") not in facts.library_path
    fix = _one_of_two(library, tensorflow, packages, python) if ours else _off_the_path(facts, [library.path or ""])
    twice = (
        f": {' and '.join(f'{o.name} {o.version}' for o in library.owners)} both write it" if library.owners[1:] else ""
    )
    return Finding(
        said + twice,
        fix,
        symbol=library.soname,
        evidence={"path": library.path, "built_for_cuda": library.built_for_cuda},
        severity=severity,
    )


def _one_of_two(library: Library, tensorflow: TensorFlowFacts, packages: PackagesFacts, python: PythonFacts) -> Fix:
    """Put the files of TensorFlow's own package back; torch, which brought the other, needs an environment of its own."""
    major = numbers(tensorflow.build.cuda or "")[:1]
    own = next((o for o in library.owners if major and o.name.endswith(f"-cu{major[0]}")), None)
    torch = packages.find("torch")
    apart = (
        f"; torch {torch.version}, which needs the other one, belongs into an environment of its own" if torch else ""
    )
    commands = (python.reinstall(f"{own.name}=={own.version}"),) if own else ()
    return Fix(f"put the library for CUDA {major[0] if major else ''} back{apart}", commands, VERIFY)


def _hides(library: Library, facts: GpuLibrariesFacts) -> bool:
    """Whether a folder on LD_LIBRARY_PATH wins over the file of an nvidia package."""
    folder = posixpath.dirname(library.path or "")
    if library.owners or folder not in facts.library_path or "/stubs/" in (library.path or ""):
        return False
    return any(each.kind == "wheel" and not each.trouble for each in library.candidates)


def _shadowed(hidden: list[Library], facts: GpuLibrariesFacts) -> Finding:
    folders = list(dict.fromkeys(posixpath.dirname(each.path or "") for each in hidden))
    versions = sorted(
        {match[1] for folder in folders for match in [re.search(r"cuda-(\d+(?:\.\d+)?)", folder)] if match}
    )
    of = f" (CUDA {', '.join(versions)})" if versions else ""
    names = ", ".join(each.soname for each in hidden)
    return Finding(
        f"LD_LIBRARY_PATH leads to {' and '.join(folders)}{of} before the nvidia packages of this environment: {names} "
        f"{'are' if len(hidden) > 1 else 'is'} loaded from there, and the others of the same CUDA from the packages",
        _off_the_path(facts, [each.path or "" for each in hidden]),
        symbol=hidden[0].soname,
        evidence={"loaded": {each.soname: each.path for each in hidden}},
    )


def _off_the_path(facts: GpuLibrariesFacts, paths: list[str]) -> Fix:
    """The line that leaves the folders of these files out."""
    folders = list(dict.fromkeys(map(posixpath.dirname, paths)))
    if not set(folders) & set(facts.library_path):
        return Fix(f"remove {' and '.join(folders)} from where the loader looks (/etc/ld.so.conf.d)", verify=VERIFY)
    left = [each for each in facts.library_path if each not in folders]
    line = f"export LD_LIBRARY_PATH={shlex.quote(':'.join(left))}" if left else "unset LD_LIBRARY_PATH"
    return Fix("take the folder off LD_LIBRARY_PATH", (line,), VERIFY, safe=True)


@check("GPU212", "What the loader did with the GPU libraries is what their files promise", Severity.NOTE)
def gpu_libraries_proven(
    gpu_libraries: GpuLibrariesFacts, tensorflow: TensorFlowFacts, matrix: Matrix
) -> Iterator[Finding]:
    """The dynamic loader took another file than reading the files foretold, or TensorFlow's own check disagrees.

    Cause: something takes part that envcheck does not read: a preloaded library, processor-specific subfolders, a symbol that
    a library lacks, a file that another file system shows in another way.

    How to fix: nothing by itself; the verdicts follow the loader. The difference helps when a verdict surprises.

    Source: ld.so(8); both are in the inventory (`envcheck inventory`), under gpu_libraries
    """
    if gpu_libraries.unproven:
        raise Skip(f"the loader was not heard to the end: {gpu_libraries.unproven}", unknown=True)
    required = [
        library
        for library in gpu_libraries.libraries
        for row in [matrix.gpu_library(library.soname, tensorflow.version)]
        if row is not None and row.need == "gpu"
    ]
    if gpu_libraries.check is not None and gpu_libraries.check is not all(library.loads for library in required):
        said = "finds all of them" if gpu_libraries.check else "does not find all of them"
        yield Finding(
            f"TensorFlow's own check of its GPU libraries {said}, and opening them one by one came out otherwise: "
            + ", ".join(f"{library.soname} {'loads' if library.loads else 'fails'}" for library in required),
            evidence={"check": gpu_libraries.check},
        )
    for library in gpu_libraries.libraries:
        if library.predicted is not None:
            did = f"loads {library.path}" if library.loads else f"does not load it ({library.error})"
            yield Finding(
                f"{library.soname}: by its files, {library.predicted}; the loader {did}",
                symbol=library.soname,
                evidence={"predicted": library.predicted, "path": library.path, "error": library.error},
            )
