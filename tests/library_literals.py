"""Literal facts of the GPU libraries: TensorFlow 2.21.0 with all of NVIDIA's packages found, for tests to change."""

from __future__ import annotations

import dataclasses
from typing import Any

import gpu_literals as given
import literals

from envcheck.probes.gpu_libraries import Candidate, GpuLibrariesFacts, Library, Owner, Place, Tool
from envcheck.probes.packages import PackagesFacts
from envcheck.probes.tensorflow import TensorFlowFacts

SITE = "/srv/site-packages"
CALLER = f"{SITE}/tensorflow/libtensorflow_framework.so.2"
WHEELS = {
    "cudart": ("libcudart.so.12", "nvidia-cuda-runtime-cu12", "cuda_runtime", "12.9"),
    "cublas": ("libcublas.so.12", "nvidia-cublas-cu12", "cublas", "12.9.1"),
    "cublasLt": ("libcublasLt.so.12", "nvidia-cublas-cu12", "cublas", "12.9.1"),
    "cufft": ("libcufft.so.11", "nvidia-cufft-cu12", "cufft", "11.4.1"),
    "cusolver": ("libcusolver.so.11", "nvidia-cusolver-cu12", "cusolver", "11.7.5"),
    "cusparse": ("libcusparse.so.12", "nvidia-cusparse-cu12", "cusparse", "12.5.10"),
    "cudnn": ("libcudnn.so.9", "nvidia-cudnn-cu12", "cudnn", "9.10.2"),
    "nccl": ("libnccl.so.2", "nvidia-nccl-cu12", "nccl", "2.27.7"),
}
REQUIRES = (
    "numpy>=1.26",
    *(f'{wheel}<99,>=1.2; extra == "and-cuda"' for wheel in dict.fromkeys(each[1] for each in WHEELS.values())),
    'nvidia-nvjitlink-cu12<13.0,>=12.5.82; extra == "and-cuda"',
    'nvidia-cuda-nvcc-cu12<13.0,>=12.5.82; extra == "and-cuda"',
)
NOWHERE = (
    Place("run path", f"{SITE}/nvidia/cublas/lib/X", "not there"),
    Place("run path", "/srv/nvidia/cublas/lib/X", "no such folder"),
    Place("ld.so.cache", "/etc/ld.so.cache", "it does not list it"),
    Place("default folder", "/lib/x86_64-linux-gnu/X", "not there"),
)


def path(name: str) -> str:
    """Where the wheels have a library."""
    soname, _, folder, _ = WHEELS[name]
    return f"{SITE}/nvidia/{folder}/lib/{soname}"


def wheel_file(name: str, **changes: Any) -> Candidate:
    """A library of the wheels as a candidate."""
    _, wheel, _, version = WHEELS[name]
    return dataclasses.replace(Candidate(path(name), "wheel", None, (Owner(wheel, version),)), **changes)


def library(name: str, /, **changes: Any) -> Library:
    """One library, found in the wheels and proven."""
    soname, wheel, _, version = WHEELS[name]
    found = Library(
        name=name,
        soname=soname,
        searched=(Place("run path", path(name), "found"),),
        path=path(name),
        owners=(Owner(wheel, version),),
        version=version,
        proven=True,
        candidates=(wheel_file(name),),
    )
    return dataclasses.replace(found, **changes)


def lost(name: str, /, *candidates: Candidate, lacking: str | None = None, **changes: Any) -> Library:
    """A library that is not loaded: its own file, or one that it needs, is not found."""
    soname = WHEELS[name][0]
    own = lacking is None
    return library(
        name,
        **{
            "searched": NOWHERE,
            "path": None if own else path(name),
            "owners": (),
            "version": None,
            "error": "no file of that name in any of them" if own else f"it needs {lacking}: no file of that name",
            "lacking": lacking or soname,
            "proven": False,
            "candidates": candidates,
            **changes,
        },
    )


def facts(*changed: Library, without: tuple[str, ...] = (), **more: Any) -> GpuLibrariesFacts:
    """All the libraries, these ones in place of the usual."""
    instead = {each.name: each for each in changed}
    libraries = tuple(instead.pop(name) if name in instead else library(name) for name in WHEELS if name not in without)
    given_ = {
        "check": True,
        "wheels": (Owner("nvidia-cublas-cu12", "12.9.1"),),
        "libdevice": Tool(
            "libdevice", ("/usr/local/cuda/nvvm/libdevice",), f"{SITE}/nvidia/cuda_nvcc/nvvm/libdevice/x.bc"
        ),
        "ptxas": Tool("ptxas", ("/usr/local/cuda/bin",), f"{SITE}/nvidia/cuda_nvcc/bin/ptxas", "12.9.86"),
        **more,
    }
    return GpuLibrariesFacts(CALLER, (*libraries, *instead.values()), **given_)


def tensorflow(version: str = "2.21.0", **changes: Any) -> TensorFlowFacts:
    """The TensorFlow that is installed."""
    return given.tensorflow(version, **changes)


def packages(version: str = "2.21.0", requires: tuple[str, ...] = REQUIRES, *others: Any) -> PackagesFacts:
    """TensorFlow with its extra."""
    return literals.packages(literals.tensorflow(version, requires=requires), *others)
