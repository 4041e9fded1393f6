"""The installed TensorFlow: which distribution, and what its files say about how it was built. Nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from packaging.version import Version

from envcheck.host import Host
from envcheck.inventory import Unavailable
from envcheck.probes.environment import EnvironmentFacts
from envcheck.probes.packages import Distribution, PackagesFacts
from envcheck.probes.python import PythonFacts

_SONAMES = {
    "TF_CUDART_VERSION": "libcudart.so",
    "TF_CUBLAS_VERSION": "libcublas.so",
    "TF_CUSOLVER_VERSION": "libcusolver.so",
    "TF_CURAND_VERSION": "libcurand.so",
    "TF_CUFFT_VERSION": "libcufft.so",
    "TF_CUSPARSE_VERSION": "libcusparse.so",
    "TF_CUDNN_VERSION": "libcudnn.so",
    "TF_CUPTI_VERSION": "libcupti.so",
}
_HEADERS = ("include/third_party/gpus/cuda/cuda_config.h", "include/external/local_config_cuda/cuda/cuda/cuda_config.h")


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """What ``build_info.py`` and ``cuda_config.h`` inside the package say; None and empty where they say nothing.

    ``sass`` are the compute capabilities with machine code, ``ptx`` those with intermediate code: an entry
    ``compute_90`` of the build configuration makes both, ``sm_80`` only the former (tensorflow/.bazelrc). A letter
    (``9.0a``) marks code for that very architecture.
    """

    is_cuda: bool | None = None
    is_rocm: bool | None = None
    cuda: str | None = None
    cudnn: str | None = None
    tensorrt: bool | None = None
    sass: tuple[str, ...] = ()
    ptx: tuple[str, ...] = ()
    sonames: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Copy:
    """One distribution that brings the import package ``tensorflow``."""

    name: str
    version: str
    location: str


@dataclass(frozen=True, slots=True)
class TensorFlowFacts:
    """The TensorFlow that ``import tensorflow`` finds.

    ``distribution`` is its normalized name, as in ``tensorflow-cpu``. ``folder`` is its package folder; None when the
    distribution is there and the folder is not. ``copies`` are all the distributions that bring ``tensorflow``, this one
    included. ``conda`` is the conda package that installed it, with its build string. ``vendor`` is ``ngc`` for NVIDIA's
    container build, ``conda``, ``pypi`` or ``unknown``. ``plugins`` are the libraries in ``tensorflow-plugins`` beside the
    package, all of which TensorFlow loads when it is imported.
    """

    distribution: str
    version: str
    location: str
    installer: str
    vendor: str
    folder: str | None
    wheel_tags: tuple[str, ...] = ()
    conda: str | None = None
    copies: tuple[Copy, ...] = ()
    build: BuildFacts = field(default_factory=BuildFacts)
    plugins: tuple[str, ...] = ()

    @property
    def cpu_on_purpose(self) -> bool:
        """Whether the distribution's very name says that GPUs are not wanted."""
        return self.distribution in ("tensorflow-cpu", "tensorflow-intel", "tensorflow-cpu-aws")

    def __post_init__(self) -> None:
        """Refuse a version that nobody can compare, from a saved inventory."""
        Version(self.version)


def collect(
    host: Host, python: PythonFacts, packages: PackagesFacts, environment: EnvironmentFacts
) -> TensorFlowFacts | Unavailable:
    """Find the distribution and read its build facts as text."""
    copies = (*packages.providers("tensorflow"), *(d for d in packages.shadowed if "tensorflow" in d.modules))
    if not copies:
        return Unavailable("TensorFlow is not installed here", absent=True)
    order = {folder: place for place, folder in enumerate(python.sys_path)}
    damage = {(d.name, d.version, d.location): d.missing + d.altered for d in packages.damaged}
    # Python takes the first folder; where two distributions share it, the one whose files are on disk is the real one.
    used = min(
        copies, key=lambda dist: (order.get(dist.location, 0), damage.get((dist.name, dist.version, dist.location), 0))
    )
    folder = _package_folder(host, used)
    conda = _conda_package(host, python.prefix)
    return TensorFlowFacts(
        distribution=used.key,
        version=used.version,
        location=used.location,
        installer=used.installer,
        vendor=_vendor(used, conda, environment),
        folder=f"{used.location}/{folder}" if folder else None,
        wheel_tags=used.wheel_tags,
        conda=conda,
        copies=tuple(Copy(dist.key, dist.version, dist.location) for dist in copies),
        build=_build(host, f"{used.location}/{folder}") if folder else BuildFacts(),
        plugins=tuple(
            f"{used.location}/tensorflow-plugins/{name}"
            for name in host.names(f"{used.location}/tensorflow-plugins")
            if name.endswith((".so", ".dylib", ".dll"))
        ),
    )


def _package_folder(host: Host, dist: Distribution) -> str | None:
    # 1.15 and 2.0 keep their files in tensorflow_core; tensorflow/__init__.py forwards to it.
    for name in ("tensorflow_core", "tensorflow"):
        if host.exists(f"{dist.location}/{name}/python/platform"):
            return name
    return None


def _vendor(dist: Distribution, conda: str | None, environment: EnvironmentFacts) -> str:
    if "+nv" in dist.version or environment.get("NVIDIA_TENSORFLOW_VERSION"):
        return "ngc"
    if dist.installer == "conda" or (conda and dist.installer not in ("pip", "uv")):
        return "conda"
    return "pypi" if dist.wheel_tags else "unknown"


def _conda_package(host: Host, prefix: str) -> str | None:
    names = [name.removesuffix(".json") for name in host.names(f"{prefix}/conda-meta")]
    # The build string (cpu_py311…, cuda120py311…) stands at the end; tensorflow-base carries the files.
    for wanted in (r"tensorflow-base-\d", r"tensorflow-\d"):
        for name in names:
            if re.match(wanted, name):
                return name
    return None


def _build(host: Host, folder: str) -> BuildFacts:
    info = _assignments(host.read(f"{folder}/python/platform/build_info.py") or "")
    header = next((text for text in (host.read(f"{folder}/{name}") for name in _HEADERS) if text), "")
    defined = dict(re.findall(r'#define\s+(TF_\w+)\s+"([^"]*)"', header))
    capabilities = info.get("cuda_compute_capabilities") or []
    is_cuda = _truth(info.get("is_cuda_build"))
    return BuildFacts(
        is_cuda=is_cuda,
        is_rocm=_truth(info.get("is_rocm_build")),
        cuda=_text(info.get("cuda_version")) or (defined.get("TF_CUDA_VERSION") or None if is_cuda else None),
        cudnn=_text(info.get("cudnn_version")) or (defined.get("TF_CUDNN_VERSION") or None if is_cuda else None),
        tensorrt=_truth(info.get("is_tensorrt_build")),
        sass=_capabilities(capabilities, ("sm_", "compute_")),
        ptx=_capabilities(capabilities, ("compute_",)),
        sonames=tuple(
            f"{library}.{defined[name]}" for name, library in _SONAMES.items() if is_cuda and defined.get(name)
        ),
    )


def _assignments(source: str) -> dict[str, object]:
    """The constants in ``build_info.py``: single assignments up to 2.2, one ``build_info`` mapping from 2.3 on."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[str, object] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = node.value.args[0] if isinstance(node.value, ast.Call) and node.value.args else node.value
            try:
                constant = ast.literal_eval(value)
            except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                continue
            if node.targets[0].id == "build_info":
                found.update(_pairs(constant))
            else:
                found[node.targets[0].id] = constant
    return found


def _pairs(constant: object) -> dict[str, object]:
    try:
        return {str(key): value for key, value in dict(constant).items()}  # type: ignore[call-overload]
    except (TypeError, ValueError):
        return {}


def _capabilities(entries: object, kinds: Sequence[str]) -> tuple[str, ...]:
    found = []
    for entry in entries if isinstance(entries, (list, tuple)) else ():
        match = re.fullmatch(r"(sm_|compute_)(\d+)(\d)([af]?)", str(entry))
        if match and match[1] in kinds:
            found.append(f"{match[2]}.{match[3]}{match[4]}")
    return tuple(found)


def _text(value: object) -> str | None:
    return str(value) if value else None


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
