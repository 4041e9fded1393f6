"""Fixtures that more than one test module needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envcheck.host import Host

FAKES = Path(__file__).with_name("fakes")
FakeDriver = Callable[..., Host]


@pytest.fixture(scope="session")
def nvml_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ``libnvidia-ml.so.1`` that FAKE_NVML steers: see ``fakes/libnvidia_ml.c``."""
    return _compiled("libnvidia_ml.c", "libnvidia-ml.so.1", tmp_path_factory.mktemp("nvml"))


@pytest.fixture(scope="session")
def cuda_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ``libcuda.so.1`` that FAKE_CUDA steers: see ``fakes/libcuda.c``."""
    return _compiled("libcuda.c", "libcuda.so.1", tmp_path_factory.mktemp("cuda"))


@pytest.fixture(scope="session")
def denying(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library for LD_PRELOAD that refuses files as a device control group does: see ``fakes/denied.c``."""
    return _compiled("denied.c", "libdenied.so", tmp_path_factory.mktemp("denied")) / "libdenied.so"


def _compiled(source: str, name: str, folder: Path) -> Path:
    """The folder with the shared library made of one of the fakes."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("the fakes are Linux shared libraries and need a C compiler (cc)")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / name, FAKES / source], check=True)
    return folder


@pytest.fixture
def fake_driver(nvml_folder: Path, tmp_path: Path) -> FakeDriver:
    """Makes a host whose NVIDIA driver is the fake one: ``fake_driver("count=8 hang=nvmlDeviceGetMemoryInfo@3")``.

    ``files`` are the host's files by path (directories are made), ``environ`` further variables, the rest fields of
    :class:`Host`. Only what is given exists on it.
    """

    def make(
        steer: str, files: dict[str, str] | None = None, environ: dict[str, str] | None = None, **more: Any
    ) -> Host:
        root = tmp_path / "root"
        root.mkdir(exist_ok=True)
        for name, content in (files or {}).items():
            path = root / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
        variables = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": str(nvml_folder), "FAKE_NVML": steer}
        return Host(
            root=root, environ={**variables, **(environ or {})}, **{"system": "Linux", "machine": "x86_64", **more}
        )

    return make
