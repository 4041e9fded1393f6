"""TensorFlow with NVIDIA's real packages: gigabytes, and no GPU is needed. ENVCHECK_TEST_WHEELS=1 runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from real.environments import environment
from real.test_gpu_libraries import judged, linked

pytestmark = [
    pytest.mark.wheels,
    pytest.mark.skipif(os.environ.get("ENVCHECK_TEST_WHEELS") != "1", reason="runs with ENVCHECK_TEST_WHEELS=1"),
]

SERIES = {"2.21.0": "3.12", "2.20.0": "3.12", "2.18.1": "3.11", "2.15.1": "3.11"}
REQUIRED = {
    "nvidia-cuda-runtime-cu12": "libcudart.so.12",
    "nvidia-cublas-cu12": "libcublas.so.12 and libcublasLt.so.12",
    "nvidia-cufft-cu12": "libcufft.so.11",
    "nvidia-cusolver-cu12": "libcusolver.so.11",
    "nvidia-cusparse-cu12": "libcusparse.so.12",
    "nvidia-cudnn-cu12": "libcudnn.so.",
    "nvidia-nvjitlink-cu12": "libnvJitLink.so.12, which libcusolver.so.11 and libcusparse.so.12 need",
}
NOT_REQUIRED = ("nvidia-curand-cu12", "nvidia-nccl-cu12", "nvidia-cuda-cupti-cu12", "nvidia-cuda-nvrtc-cu12")


class Wheels:
    """A copy of an environment with ``tensorflow[and-cuda]``, to break."""

    def __init__(self, version: str, tmp_path: Path) -> None:
        python = environment(f"wheels-{version}", SERIES[version], f"tensorflow[and-cuda]=={version}")
        self.folder, self.tmp_path = tmp_path / "env", tmp_path
        shutil.copytree(python.parent.parent, self.folder, symlinks=True, copy_function=linked)
        self.python = self.folder / "bin/python"
        (self.site,) = self.folder.glob("lib/python*/site-packages")

    def uv(self, *words: str) -> None:
        command = [sys.executable, "-m", "uv", "pip", words[0], "--quiet", "--python", str(self.python), *words[1:]]
        subprocess.run(command, check=True)

    def findings(self, **variables: str) -> dict[str, list[dict[str, Any]]]:
        """The findings by code; the loader itself was heard on all, and did what was foretold."""
        found = judged(self.python, self.tmp_path, **variables)
        assert found["facts"]["unproven"] == ""
        assert found["GPU212"]["status"] == "passed", found["GPU212"]
        return {code: each["findings"] for code, each in found.items() if code != "facts" and each["findings"]}


@pytest.fixture
def wheels(request: pytest.FixtureRequest, tmp_path: Path) -> Wheels:
    return Wheels(request.param, tmp_path)


def on(*versions: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("wheels", versions, indirect=True)


@on("2.20.0", "2.18.1", "2.15.1")
def test_releases_that_find_their_libraries(wheels: Wheels) -> None:
    assert wheels.findings() == {}


@on("2.21.0")
def test_2_21_does_not_find_cusolver_and_the_line_mends_it(wheels: Wheels) -> None:
    ((finding,),) = wheels.findings().values()
    assert (
        "does not find libcusolver.so.11: it lies in …/nvidia/cusolver/lib, brought by nvidia-cusolver-cu12"
        in (finding["message"])
    )
    assert "the run path of libtensorflow_framework.so.2 (…/nvidia/nccl/lib, " in finding["message"]
    (line,) = finding["fix"]["commands"]
    done = subprocess.run(
        ["sh", "-c", f'{line}; printf %s "$LD_LIBRARY_PATH"'], capture_output=True, text=True, check=True
    )
    assert wheels.findings(LD_LIBRARY_PATH=done.stdout) == {}


@on(*SERIES)
@pytest.mark.parametrize("package", REQUIRED)
def test_one_package_less_is_named(wheels: Wheels, package: str) -> None:
    wheels.uv("uninstall", package)
    path = {"LD_LIBRARY_PATH": str(wheels.site / "nvidia/cusolver/lib")}
    ((finding,),) = wheels.findings(**path).values()
    assert f"does not find {REQUIRED[package]}" in finding["message"]
    assert package in finding["fix"]["commands"][0]


@on("2.20.0")
@pytest.mark.parametrize("package", NOT_REQUIRED)
def test_one_that_it_does_not_need_is_not_missed(wheels: Wheels, package: str) -> None:
    wheels.uv("uninstall", package)
    assert wheels.findings() == {}


@on("2.20.0")
def test_a_torch_that_brings_an_older_cudnn(wheels: Wheels) -> None:
    wheels.uv("install", "torch==2.4.1")
    ((finding,),) = wheels.findings().values()
    assert "compiled with cuDNN 9.3 and would load cuDNN 9.1.0" in finding["message"]
    wheels.uv("install", finding["fix"]["commands"][0].split("'")[1])
    assert wheels.findings() == {}


@on("2.20.0")
def test_a_torch_for_cuda_13_writes_over_cudnn(wheels: Wheels) -> None:
    wheels.uv("install", "torch==2.12.0")
    found = wheels.findings()
    assert list(found) == ["GPU209"]
    assert "nvidia-cudnn-cu13" in found["GPU209"][0]["message"]


@on("2.18.1")
def test_a_cudnn_older_than_compiled(wheels: Wheels) -> None:
    wheels.uv("install", "nvidia-cudnn-cu12==9.1.1.17")
    ((finding,),) = wheels.findings().values()
    assert "would load cuDNN 9.1.1" in finding["message"]
    assert "nvidia-cudnn-cu12==9.3.0.75" in finding["fix"]["commands"][0]
