"""Builds a TensorFlow and NVIDIA's packages that are hollow, and real to a dynamic loader: small libraries made by gcc.

Their sonames end in 97, so that no CUDA of the machine can stand in for them.
"""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gpu_literals as given
import literals
import pytest
import site_packages

from envcheck.host import Host
from envcheck.inventory import Unavailable
from envcheck.probes.gpu_libraries import GpuLibrariesFacts, collect
from envcheck.probes.tensorflow import TensorFlowFacts

FAKES = Path(__file__).with_name("fakes")
LOADER = "_ZN3tsl8internal18LoadDynamicLibraryEPKcPPv"
WHEELS = {
    "cudart": ("nvidia-cuda-runtime-cu97", "cuda_runtime", "NUMBER=cudaRuntimeGetVersion", "97050"),
    "cublasLt": ("nvidia-cublas-cu97", "cublas", "PROPERTY=cublasLtGetProperty", "97,5,1"),
    "cublas": ("nvidia-cublas-cu97", "cublas", "PROPERTY=cublasGetProperty", "97,5,1"),
    "nvJitLink": ("nvidia-nvjitlink-cu97", "nvjitlink", "", "0"),
    "cusolver": ("nvidia-cusolver-cu97", "cusolver", "PROPERTY=cusolverGetProperty", "97,6,2"),
    "cudnn": ("nvidia-cudnn-cu97", "cudnn", "PROPERTY=cudnnGetProperty", "97,3,0"),
    "nccl": ("nvidia-nccl-cu97", "nccl", "NUMBER=ncclGetVersion", "23203"),
}
"""By library: its distribution, its folder below ``nvidia``, the function that tells its version, and that version."""
NEEDED = {"cublas": ("cublasLt",), "cusolver": ("nvJitLink", "cublas")}
RUNPATHS = {"cublas": "$ORIGIN", "cusolver": "$ORIGIN:$ORIGIN/../../cublas/lib:$ORIGIN/../../nvjitlink/lib"}
FOLDERS = ("cuda_runtime", "cublas", "cusolver", "cudnn", "nccl")
HEADER = '#define TF_CUDA_TOOLKIT_PATH "/usr/local/cuda-97.5"\n'


def soname(name: str) -> str:
    """The soname of a library."""
    return f"lib{name}.so.97"


@dataclass
class Compiler:
    """Compiles each shared library once; ``folder`` keeps them."""

    folder: Path
    command: str
    made: dict[tuple[object, ...], Path] = field(default_factory=dict)

    def library(
        self,
        name: str,
        *,
        source: str = "cuda_library.c",
        defines: tuple[str, ...] = (),
        needed: tuple[Path, ...] = (),
        runpath: str | None = None,
        rpath: str | None = None,
        link: tuple[str, ...] = (),
    ) -> Path:
        """The file of a library with this soname."""
        key = (name, source, defines, needed, runpath, rpath, link)
        if key not in self.made:
            path = self.folder / str(len(self.made)) / name
            path.parent.mkdir()
            tags = [f"-Wl,-rpath,{runpath}", "-Wl,--enable-new-dtags"] if runpath is not None else []
            tags += [f"-Wl,-rpath,{rpath}", "-Wl,--disable-new-dtags"] if rpath is not None else []
            options = [
                "-shared",
                "-fPIC",
                f"-Wl,-soname,{name}",
                "-Wl,--no-as-needed",
                *(f"-D{each}" for each in defines),
            ]
            subprocess.run([self.command, *options, *tags, "-o", path, FAKES / source, *needed, *link], check=True)
            self.made[key] = path
        return self.made[key]

    def wheel_library(self, name: str, version: str | None = None, cudart: str | None = None) -> Path:
        """A library of NVIDIA's packages."""
        _, _, function, usual = WHEELS[name]
        defines: tuple[str, ...] = (function, f"VERSION={version or usual}") if function else ()
        defines += (f"CUDART={cudart}",) if cudart else ()
        needed = tuple(self.wheel_library(each) for each in NEEDED.get(name, ()))
        return self.library(soname(name), defines=defines, needed=needed, runpath=RUNPATHS.get(name))

    def framework(
        self, folders: tuple[str, ...] = FOLDERS, rpath: str | None = None, defines: tuple[str, ...] = ()
    ) -> Path:
        """A libtensorflow_framework whose run path leads to these folders of the nvidia packages."""
        runpath = ":".join(f"$ORIGIN/../nvidia/{each}/lib" for each in folders) if rpath is None else None
        return self.library(
            "libtensorflow_framework.so.2",
            source="tensorflow_framework.c",
            defines=(f"LOADER={LOADER}", *defines),
            runpath=runpath,
            rpath=rpath,
            link=("-ldl",),
        )


@pytest.fixture(scope="session")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Compiler:
    """A compiler for hollow libraries; skips where there is none."""
    command = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if sys.platform != "linux" or command is None:
        pytest.skip("hollow CUDA libraries are Linux shared libraries and need a C compiler (cc)")
    return Compiler(tmp_path_factory.mktemp("libraries"), command)


@dataclass
class Environment:
    """A ``site-packages`` with a hollow TensorFlow and hollow nvidia packages in it."""

    site: Path
    compiler: Compiler
    extra: tuple[str, ...] = ()

    def tensorflow(self, framework: Path) -> None:
        """Install TensorFlow, with this libtensorflow_framework."""
        names = ("CUDART", "CUBLAS", "CUSOLVER", "CUDNN")
        text = HEADER + "".join(f'#define TF_{name}_VERSION "97"\n' for name in names)
        files = {
            "tensorflow/include/third_party/gpus/cuda/cuda_config.h": text,
            "tensorflow/include/external/local_config_nccl/nccl_config.h": '#define TF_NCCL_VERSION "97"\n',
            "tensorflow/python/platform/build_info.py": "",
        }
        requires = tuple(f"{wheel}<98,>=97.1; extra == 'and-cuda'" for wheel, *_ in WHEELS.values())
        site_packages.install(self.site, "tensorflow", "2.21.0", files=files, requires=tuple(dict.fromkeys(requires)))
        shutil.copy(framework, self.site / "tensorflow" / framework.name)

    def wheel(self, distribution: str, libraries: dict[str, Path], version: str = "97.5.1") -> None:
        """Install one of NVIDIA's packages: its libraries by their path below ``nvidia``."""
        files = {f"nvidia/{where}/{path.name}": "" for where, path in libraries.items()}
        site_packages.install(self.site, distribution, version, files=files)
        for where, path in libraries.items():
            target = self.site / "nvidia" / where / path.name
            target.unlink()
            shutil.copy(path, target)

    def wheels(self, *left_out: str) -> None:
        """Install all of NVIDIA's packages but those whose folder is ``left_out``."""
        bundles: dict[str, list[str]] = {}
        for name, (distribution, folder, _, _) in WHEELS.items():
            if folder not in left_out:
                bundles.setdefault(distribution, []).append(name)
        for distribution, names in bundles.items():
            folder = WHEELS[names[0]][1]
            files = [self.compiler.wheel_library(name) for name in names]
            info = site_packages.install(
                self.site, distribution, "97.5.1", files={f"nvidia/{folder}/lib/{file.name}": "" for file in files}
            )
            assert info
            for file in files:
                target = self.site / "nvidia" / folder / "lib" / file.name
                target.unlink()
                shutil.copy(file, target)

    def folder(self, name: str) -> Path:
        """The folder of libraries of one nvidia package."""
        return self.site / "nvidia" / name / "lib"

    def facts(self, **variables: str) -> GpuLibrariesFacts:
        """What the probe sees."""
        found = self.probe(variables=variables)
        assert isinstance(found, GpuLibrariesFacts), found
        return found

    def probe(
        self,
        build: dict[str, Any] | None = None,
        host: dict[str, Any] | None = None,
        python: dict[str, Any] | None = None,
        variables: dict[str, str] | None = None,
    ) -> GpuLibrariesFacts | Unavailable:
        """What the probe answers; ``build``, ``host`` and ``python`` change TensorFlow's build facts, and the others."""
        variables = variables or {}
        environ = {"PATH": "/usr/bin:/bin", **variables}
        tensorflow = self.tensorflow_facts(**(build or {}))
        packages = site_packages.read(self.site)
        facts = literals.python(
            **{"executable": sys.executable, "prefix": str(self.site), "sys_path": (str(self.site),), **(python or {})}
        )
        made = Host(environ=environ, **{"system": "Linux", **(host or {})})
        return collect(made, facts, packages, tensorflow, literals.environment(**variables))

    def tensorflow_facts(self, **build: Any) -> TensorFlowFacts:
        """The facts of the TensorFlow installed here."""
        sonames = tuple(soname(name) for name in ("cudart", "cublas", "cusolver", "cudnn"))
        facts = given.tensorflow(**{"cuda": "97.5.1", "cudnn": "97", "sonames": sonames, **build})
        return dataclasses.replace(facts, location=str(self.site), folder=str(self.site / "tensorflow"))


@pytest.fixture
def environment(compiler: Compiler, tmp_path: Path) -> Environment:
    """An empty environment."""
    site = tmp_path / "env" / "lib" / "site-packages"
    site.mkdir(parents=True)
    return Environment(site, compiler)


@pytest.fixture
def whole(environment: Environment) -> Environment:
    """An environment in which everything is found."""
    environment.tensorflow(environment.compiler.framework())
    environment.wheels()
    return environment
