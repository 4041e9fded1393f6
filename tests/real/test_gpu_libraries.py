"""The GPU libraries of a real TensorFlow whose CUDA libraries are hollow: its own loader opens them, and says which fail."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import site_packages
from cuda_wheels import Compiler, compiler
from real.environments import Release, parameters

from envcheck.host import Host
from envcheck.probes.gpu_libraries.asking import prove

pytestmark = pytest.mark.real

__all__ = ["compiler"]  # a fixture

CUDA_12 = {
    "cuda_runtime": ("nvidia-cuda-runtime-cu12", ("libcudart.so.12",)),
    "cublas": ("nvidia-cublas-cu12", ("libcublas.so.12", "libcublasLt.so.12")),
    "cufft": ("nvidia-cufft-cu12", ("libcufft.so.11",)),
    "cusolver": ("nvidia-cusolver-cu12", ("libcusolver.so.11",)),
    "cusparse": ("nvidia-cusparse-cu12", ("libcusparse.so.12",)),
    "cudnn": ("nvidia-cudnn-cu12", ("libcudnn.so.8",)),
}


def linked(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another file system
        shutil.copy2(source, target, follow_symlinks=False)


def copied(release: Release, tmp_path: Path) -> Path:
    """A copy of its environment, of hard links; the interpreter in it."""
    folder = tmp_path / "env"
    shutil.copytree(release.interpreter().parent.parent, folder, symlinks=True, copy_function=linked)
    return folder / "bin/python"


def judged(python: Path, tmp_path: Path, **variables: str) -> dict[str, dict[str, Any]]:
    """The outcomes of the GPU library checks by code, and the facts."""
    environ = {"PATH": os.defpath, "HOME": str(tmp_path), **variables}
    command = [sys.executable, "-m", "envcheck", "doctor", "--python", str(python), "--no-smoke", "-f", "json"]
    done = subprocess.run(
        [*command, "--select", "GPU207,GPU208,GPU209,GPU210,GPU212"],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    return {**{each["code"]: each for each in report["outcomes"]}, "facts": report["inventory"]["gpu_libraries"]}


@pytest.mark.parametrize("on", parameters("tf2.16"))
def test_its_own_loader_and_the_prediction_agree(on: Release, compiler: Compiler, tmp_path: Path) -> None:
    python = copied(on, tmp_path)
    found = judged(python, tmp_path)
    assert found["GPU207"]["status"] == "not_applicable"
    assert "tensorflow[and-cuda]" in found["GPU207"]["reason"]
    assert found["GPU212"]["status"] == "passed"
    (site,) = (tmp_path / "env/lib").glob("python*/site-packages")
    for folder, (distribution, names) in CUDA_12.items():
        files = {f"nvidia/{folder}/lib/{name}": "" for name in names}
        site_packages.install(site, distribution, "12.3.1", files=files)
        for name in names:
            made = compiler.library(name)
            (site / f"nvidia/{folder}/lib/{name}").unlink()
            shutil.copy(made, site / f"nvidia/{folder}/lib/{name}")
    found = judged(python, tmp_path)
    assert (found["GPU207"]["status"], found["GPU212"]["status"]) == ("passed", "passed")
    assert (found["facts"]["check"], found["facts"]["unproven"]) == (True, "")
    (site / "nvidia/cufft/lib/libcufft.so.11").unlink()
    found = judged(python, tmp_path)
    (finding,) = found["GPU207"]["findings"]
    assert "does not find libcufft.so.11: no such file is on this machine" in finding["message"]
    assert (found["facts"]["check"], found["GPU212"]["status"]) == (False, "passed")


@pytest.mark.parametrize("on", parameters("tf2.21", "tf2.15", "tf2.8", "tf2.3", "tf1.15"))
def test_the_loader_function_of_each_release_can_be_called(on: Release, compiler: Compiler, tmp_path: Path) -> None:
    """The wheels without CUDA have it too: what it returns is read as it is meant, in old releases and in new ones."""
    python = on.interpreter()
    (framework,) = python.parent.parent.glob("lib/python*/site-packages/tensorflow*/libtensorflow_framework.so.*")
    shutil.copy(compiler.wheel_library("cudnn"), tmp_path)
    shutil.copy(compiler.wheel_library("cudart"), tmp_path)
    environ = {"PATH": os.defpath, "HOME": str(tmp_path), "LD_LIBRARY_PATH": str(tmp_path)}
    wanted = [(name, (f"lib{name}.so.97",), None) for name in ("cudart", "cublas", "cudnn")]
    proof = prove(Host(python=str(python), environ=environ, cwd=tmp_path), str(framework), wanted, None)
    assert proof.trouble == ""
    loaded = {name: (each.loaded, each.version) for name, each in proof.libraries.items()}
    assert loaded == {"cudart": (True, "97.5"), "cublas": (False, None), "cudnn": (True, "97.3.0")}
    assert proof.libraries["cudnn"].path == str(tmp_path / "libcudnn.so.97")
    assert proof.tried["libcublas.so.97"]
