"""The libraries that TensorFlow opens for a GPU: where the loader looks for each, which file wins, and whether it loads.

It is told twice. The *prediction* reads the files and follows glibc's rules for the very object that calls dlopen,
``libtensorflow_framework.so``. The *proof* lets that object open them, in a child; no GPU is needed for either. That the
copy of the loader function in libtensorflow_framework is the one that runs, where other objects have one too, was seen with
``LD_DEBUG=bindings`` on an import of TensorFlow 2.16.1.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from envcheck.host import Host
from envcheck.inventory import Unavailable
from envcheck.probes.environment import EnvironmentFacts
from envcheck.probes.gpu_libraries.asking import CRASHED, Proof, Proven, prove
from envcheck.probes.gpu_libraries.candidates import Candidate, Owner, Shelves
from envcheck.probes.gpu_libraries.elf import Elf, exported, read
from envcheck.probes.gpu_libraries.facts import GpuLibrariesFacts, Library
from envcheck.probes.gpu_libraries.loader import Caller, Loader, Place, Process, Search
from envcheck.probes.gpu_libraries.xla import Tool, Tools, look, ptxas_version
from envcheck.probes.packages import PackagesFacts
from envcheck.probes.python import PythonFacts
from envcheck.probes.tensorflow import TensorFlowFacts

__all__ = ["Candidate", "GpuLibrariesFacts", "Library", "Owner", "Place", "Tool", "collect"]

_HANDLES = {
    "cudart": "CudaRuntime",
    "cuda": "CudaDriver",
    "cublas": "Cublas",
    "cublasLt": "CublasLt",
    "cufft": "Cufft",
    "curand": "Curand",
    "cusolver": "Cusolver",
    "cusparse": "Cusparse",
    "cudnn": "Cudnn",
    "nccl": "Nccl",
    "cupti": "Cupti",
}
"""What opens each library, ``DsoLoader::Get…DsoHandle``, in the order in which TensorFlow opens them (dso_loader.cc)."""
_NCCL_CALL, _NCCL_INSIDE = "ncclGetUniqueId", "ncclDebugLevel"
"""A function that NCCL offers, and a variable of its own. Where both are exported NCCL itself is linked in, and where the
second is not the first only opens libnccl: seen by calling ncclGetVersion in the wheels 2.18.1 and 2.20.0, which answer
without it, and 2.21.0, which searches for it."""
_NAMESPACES = ("N3tsl8internal9DsoLoader", "N15stream_executor8internal9DsoLoader")
DRIVER = "libcuda.so.1"
_NCCL_HEADERS = (
    "include/external/local_config_nccl/nccl_config.h",
    "include/external/nccl_archive/nccl_config.h",
    "include/third_party/nccl/nccl_config.h",
)
_CUDA_HEADER = "include/third_party/gpus/cuda/cuda_config.h"
MOST_FOLDERS = 4
"""Folders that are tried together, at most, to make a library load."""
_MACHINES = {62: "x86_64", 183: "aarch64"}


def collect(
    host: Host,
    python: PythonFacts,
    packages: PackagesFacts,
    tensorflow: TensorFlowFacts,
    environment: EnvironmentFacts,
) -> GpuLibrariesFacts | Unavailable:
    """Predict, then prove."""
    reason = _out_of_scope(host, python, tensorflow)
    if reason is not None:
        return reason
    folder = tensorflow.folder or ""
    name = next((each for each in host.names(folder) if re.fullmatch(r"libtensorflow_framework\.so\.\d+", each)), None)
    path = f"{folder}/{name}"
    elf = read(host.path(path)) if name else None
    if not isinstance(elf, Elf):
        why = f"is {elf.reason}" if elf else "is not there"
        return Unavailable(f"libtensorflow_framework, which opens the GPU libraries, {why} in {folder}")
    wanted = list(_wanted(host, folder, path, tensorflow.build.sonames))
    if not any(each == "cudart" for each, _ in wanted):
        return Unavailable(f"which libraries it opens is not known: {folder}/{_CUDA_HEADER} does not say")
    variables = environment.variables
    process = Process(host, Caller(elf, folder), _main(host, python), variables)
    loader = process.loader()
    shelves = Shelves(host, packages, loader, elf, python.prefix, variables)
    found = [(each, sonames, *_first(loader, sonames)) for each, sonames in wanted]
    tools = look(host, folder, _toolkit(host, folder), variables, host.environ.get("PATH", ""))
    if _MACHINES.get(elf.machine) not in (None, host.machine):
        proof = Proof(f"this TensorFlow is built for {_MACHINES[elf.machine]}, and this is {host.machine}")
    else:
        proof = prove(host, path, [(each, names, search.path) for each, names, _, search in found], tools.ptxas.path)
    order = [soname for _, _, soname, _ in found]
    return GpuLibrariesFacts(
        caller=path,
        libraries=tuple(
            _library(host, shelves, proof, each, soname, search, mending)
            for each, _, soname, search in found
            for mending in [() if search.loads else _mending(process, shelves, order, soname)]
        ),
        unproven=proof.trouble,
        check=proof.check,
        cudnn_parts=proof.cudnn,
        library_path=loader.library_path,
        cache_trouble=loader.cache_trouble,
        wheels=shelves.wheels,
        libdevice=tools.libdevice,
        ptxas=_told(tools, proof),
        data_dir=tools.data_dir,
    )


def _out_of_scope(host: Host, python: PythonFacts, tensorflow: TensorFlowFacts) -> Unavailable | None:
    if tensorflow.build.is_cuda is False:
        return Unavailable("this TensorFlow is built without CUDA", absent=True)
    if tensorflow.build.is_cuda is None or tensorflow.folder is None:
        return Unavailable("whether this TensorFlow is built for CUDA is not known")
    if host.system != "Linux" or python.libc not in ("glibc", ""):
        where = host.system if host.system != "Linux" else python.libc
        return Unavailable(f"only glibc's loader is covered, and this is {where}")
    return None


def _wanted(host: Host, folder: str, framework: str, sonames: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The libraries that this build opens, and the sonames of each in the order of trying, as its own headers say."""
    versions = dict(re.findall(r"lib(\w+)\.so\.(\S+)", "\n".join(sonames)))
    if "cublas" in versions:
        versions["cublasLt"] = versions["cublas"]
    header = next((text for text in (host.read(f"{folder}/{name}") for name in _NCCL_HEADERS) if text), "")
    nccl = re.search(r'TF_NCCL_VERSION\s+"([^"]+)"', header)
    if nccl:
        versions["nccl"] = nccl[1]
    symbols = {
        f"_Z{space}{len(handle) + 12}Get{handle}DsoHandleEv": name
        for name, handle in _HANDLES.items()
        for space in _NAMESPACES
    }
    found = exported(host.path(framework), (*symbols, _NCCL_CALL, _NCCL_INSIDE))
    opened = {symbols[symbol] for symbol in found if symbol in symbols}
    if not (_NCCL_CALL in found and _NCCL_INSIDE not in found):
        opened.discard("nccl")
    for name in _HANDLES:
        if name == "cuda":
            yield name, (DRIVER,)
        elif name in versions and (name in opened or (not opened and name not in ("cublasLt", "nccl"))):
            exact = f"lib{name}.so.{versions[name]}"
            yield name, (exact, f"lib{name}.so") if name == "cupti" else (exact,)


def _first(loader: Loader, sonames: tuple[str, ...]) -> tuple[str, Search]:
    """The first soname that loads, and its search; the first of all where none does."""
    searches = [(soname, loader.load(soname)) for soname in sonames]
    return next((each for each in searches if each[1].loads), searches[0])


def _mending(process: Process, shelves: Shelves, order: Sequence[str], wanted: str) -> tuple[str, ...]:
    """The folders that make ``wanted`` load where all are opened in ``order``; none where it does, or no folder helps."""
    folders: list[str] = []
    for _ in range(MOST_FOLDERS):
        loader = process.loader(folders)
        searches = {soname: loader.load(soname) for soname in order}
        if searches[wanted].loads:
            return tuple(folders)
        there = [each.path for each in shelves.of(searches[wanted].lacking) if not each.trouble]
        if not there or posixpath.dirname(there[0]) in folders:
            break
        folders.append(posixpath.dirname(there[0]))
    return ()


def _main(host: Host, python: PythonFacts) -> Caller | None:
    # The executable itself, behind the links of a virtual environment: conda's Python has a DT_RPATH.
    try:
        real = host.path(python.executable).resolve(strict=True)
        folder = Path("/") / real.parent.relative_to(host.root.resolve())
    except (OSError, RuntimeError, ValueError):
        return None
    elf = read(real)
    return Caller(elf, str(folder)) if isinstance(elf, Elf) else None


def _toolkit(host: Host, folder: str) -> str | None:
    found = re.search(r'TF_CUDA_TOOLKIT_PATH\s+"([^"]+)"', host.read(f"{folder}/{_CUDA_HEADER}") or "")
    return found[1] if found else None


def _library(
    host: Host, shelves: Shelves, proof: Proof, name: str, soname: str, search: Search, mending: tuple[str, ...]
) -> Library:
    """The prediction and the proof of one library put together: where the loader spoke, its word counts."""
    proven = proof.libraries.get(name, Proven())
    path, error, lacking = search.path, search.error, search.lacking
    predicted = None
    if proven.loaded is not None:
        predicted = _difference(host, search, proven)
        if proven.loaded:
            path, error, lacking = proven.path or search.path, "", ""
        elif search.loads:
            error, lacking = proven.error or "the loader refuses it", _named(proven.error) or soname
        elif proven.error.startswith(CRASHED):
            error = f"{search.error}; {proven.error}"
    return Library(
        name=name,
        soname=soname,
        searched=search.places,
        path=path,
        owners=shelves.owners(path) if path else (),
        version=proven.version,
        error=error,
        lacking=lacking,
        proven=proven.loaded,
        predicted=predicted,
        tried=proof.tried.get(soname, ()),
        built_for_cuda=proven.built_for_cuda,
        candidates=shelves.of(lacking or soname),
        mending=mending,
    )


def _difference(host: Host, search: Search, proven: Proven) -> str | None:
    """What was predicted, where the loader did otherwise."""
    if search.loads != proven.loaded:
        return f"{search.path} would be loaded" if search.loads else search.error
    if search.loads and search.path and proven.path and not _same(host, search.path, proven.path):
        return f"{search.path} would be loaded"
    return None


def _same(host: Host, predicted: str, real: str) -> bool:
    try:
        return host.path(predicted).samefile(real)
    except (OSError, ValueError):
        return posixpath.normpath(predicted) == posixpath.normpath(real)


def _named(error: str) -> str:
    """The library that dlerror names as missing: ``libnvJitLink.so.12: cannot open shared object file: …``."""
    match = re.match(r"(lib[^\s:/]+): cannot open shared object file", error)
    return match[1] if match else ""


def _told(tools: Tools, proof: Proof) -> Tool:
    ptxas = tools.ptxas
    return Tool(ptxas.name, ptxas.searched, ptxas.path, ptxas_version(proof.ptxas))
