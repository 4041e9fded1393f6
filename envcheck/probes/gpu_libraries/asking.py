"""The proof: TensorFlow's own loader opens its libraries in a child of the target interpreter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from envcheck.host import Host
from envcheck.probes.gpu_libraries.trace import tried
from envcheck.target.runner import Ending, Kind, Record

DEADLINE = 30.0
"""Seconds; on a warm disk it takes half of one, and the libraries are 3 GB."""
LOADERS = (
    "_ZN3tsl8internal18LoadDynamicLibraryEPKcPPv",
    "_ZN10tensorflow8internal18LoadDynamicLibraryEPKcPPv",
    "_ZN10tensorflow8internal11LoadLibraryEPKcPPv",
)
"""TensorFlow's loader function, by its names in the releases: ``Status LoadDynamicLibrary(const char*, void**)``."""
CHECKS = (
    "_ZN3tsl8internal9DsoLoader22TryDlopenCUDALibrariesEv",
    "_ZN15stream_executor8internal9DsoLoader22TryDlopenCUDALibrariesEv",
)
"""The check after which TensorFlow leaves all GPUs out: ``Status TryDlopenCUDALibraries()``."""
_PROPERTIES = ("cublas", "cublasLt", "cufft", "curand", "cusolver", "cusparse", "cudnn")
_NUMBERS = {
    "cudart": ("cudaRuntimeGetVersion", "number"),
    "nccl": ("ncclGetVersion", "number"),
}
CRASHED = "the process that loaded it"
_CUDNN_CUDART = "cudnnGetCudartVersion"


@dataclass(frozen=True, slots=True)
class Proven:
    """What the child saw of one library: None where it came to no answer."""

    loaded: bool | None = None
    path: str | None = None
    version: str | None = None
    error: str = ""
    built_for_cuda: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What the child answered. ``trouble`` is why it did not get through to the end; empty when it did.

    ``check`` is the verdict of TensorFlow's own check. ``tried`` are the files that glibc tried, by soname. ``cudnn`` are
    the libraries of cuDNN that were loaded in the end.
    """

    trouble: str = ""
    check: bool | None = None
    tried: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cudnn: tuple[str, ...] = ()
    ptxas: str = ""
    libraries: Mapping[str, Proven] = field(default_factory=dict)


def prove(
    host: Host, caller: str, libraries: Iterable[tuple[str, tuple[str, ...], str | None]], ptxas: str | None
) -> Proof:
    """Ask for the libraries: name, sonames to try, and the file that the prediction expects."""
    host.progress("opening the CUDA libraries as TensorFlow does")
    request = {
        "caller": str(host.path(caller)),
        "loaders": LOADERS,
        "checks": CHECKS,
        "ptxas": None if ptxas is None else str(host.path(ptxas)),
        "libraries": [
            {
                "name": name,
                "sonames": sonames,
                "versions": _versions(name),
                "file": None if file is None else str(host.path(file)),
            }
            for name, sonames, file in libraries
        ],
    }
    return understood(host.ask("gpu_libraries", request, deadline=min(DEADLINE, host.timeout)))


def _versions(name: str) -> list[dict[str, str]]:
    if name in _NUMBERS:
        function, kind = _NUMBERS[name]
        return [{"function": function, "kind": kind}]
    asked = [{"function": f"{name}GetProperty", "kind": "property"}] if name in _PROPERTIES else []
    if name == "cudnn":
        asked.append({"function": _CUDNN_CUDART, "kind": "returned"})
    return asked


def understood(ending: Ending) -> Proof:
    """The child's answer; nonsense in it counts as no answer."""
    found: dict[str, dict[str, Any]] = {}
    whole: dict[str, Any] = {}
    last: Record = {}
    for record in ending.records:
        if "call" in record:
            last = record
            continue
        library = record.get("library")
        if isinstance(library, str):
            _note(found.setdefault(library, {}), record)
        else:
            whole |= record
    trouble = ""
    if whole.get("opened") is not True:
        trouble = _unopened(ending, whole)
    elif not ending.answered:
        where = f"{last.get('call', '')} {last.get('library', '')}".strip()
        trouble = f"the process that opened them {ending.words()} (at: {where})"
    crashed = str(last.get("library", "")) if ending.kind in (Kind.SIGNALLED, Kind.TIMED_OUT, Kind.EXITED) else ""
    if crashed and last.get("call") == "load":
        found.setdefault(crashed, {}).update(loaded=False, error=f"{CRASHED} {ending.words()}")
    files = whole.get("mapped")
    check = whole.get("check")
    return Proof(
        trouble=trouble,
        check=check if isinstance(check, bool) else None,
        tried=tried(str(whole.get("trace", ""))),
        cudnn=tuple(map(str, files)) if isinstance(files, list) else (),
        ptxas=str(whole.get("ptxas", "")),
        libraries={name: Proven(**values) for name, values in found.items()},
    )


def _unopened(ending: Ending, whole: Mapping[str, Any]) -> str:
    if "error" in whole:
        return f"TensorFlow's loader cannot be opened: {whole['error']}"
    return f"the process that was to open TensorFlow's loader {ending.words()}"


def _note(values: dict[str, Any], record: Record) -> None:
    if isinstance(record.get("loaded"), bool):
        values["loaded"] = record["loaded"]
        if isinstance(record.get("path"), str):
            values["path"] = record["path"]
    if isinstance(record.get("error"), str):
        values["error"] = " ".join(record["error"].split())
    version, number = record.get("version"), record.get("number")
    if isinstance(version, list) and all(type(part) is int for part in version):
        values["version"] = ".".join(map(str, version))
    if type(number) is int and number > 0:
        if record.get("of") == _CUDNN_CUDART:
            values["built_for_cuda"] = runtime(number)
        else:
            values["version"] = runtime(number) if record.get("of") == "cudaRuntimeGetVersion" else nccl(number)


def runtime(number: int) -> str:
    """``12.9`` for 12090: cuda_runtime_api.h, CUDART_VERSION."""
    return f"{number // 1000}.{number % 1000 // 10}"


def nccl(number: int) -> str:
    """``2.32.3`` for 23203, and ``2.7.8`` for 2708: nccl.h, NCCL_VERSION."""
    major = 10000 if number >= 10000 else 1000
    return f"{number // major}.{number % major // 100}.{number % 100}"
