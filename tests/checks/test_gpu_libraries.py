"""GPU207 to GPU212: which GPU libraries are found, from where, and whether they fit."""

from __future__ import annotations

import dataclasses
from typing import Any

import gpu_literals as given
import library_literals as libs
import literals
import pytest

from envcheck.checks.gpu_compiler import gpu_compiler
from envcheck.checks.gpu_cudnn import gpu_cudnn
from envcheck.checks.gpu_libraries import gpu_libraries
from envcheck.checks.gpu_library_places import gpu_libraries_proven, gpu_library_places
from envcheck.checks.gpu_nccl import gpu_nccl
from envcheck.findings import Check, Finding, Severity, Skip
from envcheck.inventory import Expectations, Unavailable
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.gpu_libraries import Candidate, GpuLibrariesFacts, Owner, Tool

MATRIX = load_matrix()
NO_GPU = Unavailable("no NVIDIA GPU or driver here", absent=True)
EVERY = (gpu_libraries, gpu_cudnn, gpu_library_places, gpu_compiler)


def judged(check: Check, facts: GpuLibrariesFacts, **more: Any) -> list[Finding]:
    wanted = {
        "gpu_libraries": facts,
        "tensorflow": libs.tensorflow(),
        "packages": libs.packages(),
        "python": literals.python(),
        "gpu": given.gpu(),
        "driver": given.driver(),
        "environment": literals.environment(),
        "expectations": Expectations(),
        "matrix": MATRIX,
        **more,
    }
    return list(check.judge(*(wanted[name] for name in check.facts)))


def only(check: Check, facts: GpuLibrariesFacts, **more: Any) -> Finding:
    (finding,) = judged(check, facts, **more)
    return finding


def commands(finding: Finding) -> tuple[str, ...]:
    assert finding.fix is not None
    return finding.fix.commands


# --- all of them


@pytest.mark.parametrize("check", [*EVERY, gpu_libraries_proven], ids=lambda check: check.code)
def test_with_all_libraries_found_nothing_is_said(check: Check) -> None:
    assert judged(check, libs.facts()) == []


@pytest.mark.parametrize("check", EVERY, ids=lambda check: check.code)
def test_on_the_cpu_by_wish_nothing_is_asked(check: Check) -> None:
    with pytest.raises(Skip, match="--device cpu"):
        judged(check, libs.facts(libs.lost("cudnn")), expectations=Expectations(device="cpu"))


BROKEN = {
    "GPU207": libs.facts(libs.lost("cudnn")),
    "GPU208": libs.facts(libs.library("cudnn", version="9.1.0")),
    "GPU210": libs.facts(ptxas=Tool("ptxas", ("/usr/local/cuda/bin",))),
}


@pytest.mark.parametrize("check", [gpu_libraries, gpu_cudnn], ids=lambda check: check.code)
@pytest.mark.parametrize(
    ("gpu", "require", "expected"),
    [(given.gpu(), False, Severity.ERROR), (NO_GPU, True, Severity.ERROR), (NO_GPU, False, Severity.WARNING)],
)
def test_it_is_as_grave_as_the_wish_for_a_gpu(check: Check, gpu: object, require: bool, expected: Severity) -> None:
    expectations = Expectations(require_gpu=require)
    assert only(check, BROKEN[check.code], gpu=gpu, expectations=expectations).severity is expected


@pytest.mark.parametrize("check", [gpu_libraries, gpu_cudnn, gpu_compiler], ids=lambda check: check.code)
def test_where_nobody_wants_a_gpu_it_is_not_asked(check: Check) -> None:
    facts = dataclasses.replace(BROKEN[check.code], wheels=())
    with pytest.raises(Skip) as caught:
        judged(check, facts, gpu=NO_GPU)
    assert not caught.value.unknown


def test_a_hidden_gpu_is_none() -> None:
    hidden = literals.environment(CUDA_VISIBLE_DEVICES="-1")
    assert only(gpu_libraries, BROKEN["GPU207"], environment=hidden).severity is Severity.WARNING


# --- GPU207


def test_a_plain_tensorflow_without_a_gpu_is_told_what_one_would_need() -> None:
    with pytest.raises(Skip) as caught:
        judged(gpu_libraries, dataclasses.replace(BROKEN["GPU207"], wheels=()), gpu=NO_GPU)
    assert caught.value.reason == (
        "the CUDA libraries are not installed, and no GPU is here or required; to use one, install TensorFlow together with "
        "NVIDIA's packages: /srv/venv/bin/python -m pip install 'tensorflow[and-cuda]==2.21.0'"
    )


def test_a_library_that_lies_where_nobody_looks() -> None:
    finding = only(gpu_libraries, libs.facts(libs.lost("cusolver", libs.wheel_file("cusolver"))))
    assert finding.message == (
        "TensorFlow 2.21.0 does not find libcusolver.so.11: it lies in …/nvidia/cusolver/lib, brought by nvidia-cusolver-cu12 "
        "11.7.5, and no place that is searched leads there; without it TensorFlow uses no GPU and trains on the CPU. "
        "Searched, in this order: LD_LIBRARY_PATH (not set); the run path of libtensorflow_framework.so.2 "
        "(…/nvidia/cublas/lib, 1 that do not exist); ld.so.cache (it does not list it); default folder "
        "(/lib/x86_64-linux-gnu). (… is /srv/site-packages)"
    )
    assert commands(finding) == (
        "export LD_LIBRARY_PATH=/srv/site-packages/nvidia/cusolver/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}",
    )
    assert finding.evidence["libraries"]["libcusolver.so.11"]["candidates"] == [libs.path("cusolver")]


def test_several_that_lie_where_nobody_looks_are_one_finding() -> None:
    names = ("cublas", "cublasLt", "cufft", "cudnn")
    finding = only(gpu_libraries, libs.facts(*(libs.lost(name, libs.wheel_file(name)) for name in names)))
    assert "libcublas.so.12, libcublasLt.so.12, libcufft.so.11 and libcudnn.so.9" in finding.message
    (line,) = commands(finding)
    assert line.count("/nvidia/") == 3


def test_one_package_that_is_not_installed() -> None:
    finding = only(gpu_libraries, libs.facts(libs.lost("cublas"), libs.lost("cublasLt")))
    assert "does not find libcublas.so.12 and libcublasLt.so.12: no such file is on this machine" in finding.message
    assert commands(finding) == ("/srv/venv/bin/python -m pip install 'nvidia-cublas-cu12<99,>=1.2'",)


def test_a_library_that_others_need() -> None:
    lost = (libs.lost("cusolver", lacking="libnvJitLink.so.12"), libs.lost("cusparse", lacking="libnvJitLink.so.12"))
    finding = only(gpu_libraries, libs.facts(*lost))
    assert "does not find libnvJitLink.so.12, which libcusolver.so.11 and libcusparse.so.12 need" in finding.message
    assert commands(finding) == ("/srv/venv/bin/python -m pip install 'nvidia-nvjitlink-cu12<13.0,>=12.5.82'",)


def test_two_causes_are_two_findings() -> None:
    found = judged(gpu_libraries, libs.facts(libs.lost("cusolver", libs.wheel_file("cusolver")), libs.lost("cudnn")))
    assert [finding.symbol for finding in found] == ["libcusolver.so.11", "libcudnn.so.9"]


def test_without_any_package_the_whole_extra_is_the_fix() -> None:
    facts = libs.facts(*(libs.lost(name) for name in libs.WHEELS if name != "nccl"), wheels=())
    assert commands(only(gpu_libraries, facts)) == (
        "/srv/venv/bin/python -m pip install 'tensorflow[and-cuda]==2.21.0'",
    )


def test_a_release_without_the_extra() -> None:
    facts = libs.facts(libs.lost("cudnn"), wheels=())
    tensorflow, packages = libs.tensorflow("2.11.0", cuda="11.2", cudnn="8"), libs.packages("2.11.0", ())
    finding = only(gpu_libraries, facts, tensorflow=tensorflow, packages=packages)
    assert finding.fix is not None
    assert "install CUDA 11.2 and cuDNN 8" in finding.fix.summary


def test_conda_installs_by_its_own_names() -> None:
    finding = only(gpu_libraries, BROKEN["GPU207"], tensorflow=libs.tensorflow(vendor="conda"))
    assert commands(finding) == ("conda install --prefix /srv/venv --channel conda-forge cudnn",)


def test_a_damaged_file_of_a_package_is_put_back() -> None:
    why = f"{libs.path('cudnn')} is an empty file"
    broken = libs.lost("cudnn", libs.wheel_file("cudnn", trouble="an empty file"), path=libs.path("cudnn"), error=why)
    finding = only(gpu_libraries, libs.facts(broken))
    assert finding.message.startswith(why)
    assert commands(finding) == (
        "/srv/venv/bin/python -m pip install --force-reinstall --no-deps nvidia-cudnn-cu12==9.10.2",
    )


def test_a_damaged_file_that_another_library_needs_is_put_back() -> None:
    file = "/srv/site-packages/nvidia/nvjitlink/lib/libnvJitLink.so.12"
    bad = Candidate(file, "wheel", None, (Owner("nvidia-nvjitlink-cu12", "12.9.86"),), "an empty file")
    lost = [libs.lost(name, bad, lacking="libnvJitLink.so.12") for name in ("cusolver", "cusparse")]
    finding = only(gpu_libraries, libs.facts(*lost))
    assert finding.message.startswith(
        f"{file} is an empty file: TensorFlow 2.21.0 cannot load libcusolver.so.11 and libcusparse.so.12"
    )
    assert commands(finding)[0].endswith("--no-deps nvidia-nvjitlink-cu12==12.9.86")


@pytest.mark.parametrize(
    ("library_path", "line"),
    [(("/opt/x",), "unset LD_LIBRARY_PATH"), (("/a b", "/opt/x"), "export LD_LIBRARY_PATH='/a b'")],
)
def test_a_damaged_file_on_the_library_path_is_left_out(library_path: tuple[str, ...], line: str) -> None:
    there = "/opt/x/libcudnn.so.9"
    other = Candidate(there, "LD_LIBRARY_PATH", trouble="a folder")
    broken = libs.lost("cudnn", other, libs.wheel_file("cudnn"), path=there, error=f"{there} is a folder")
    assert commands(only(gpu_libraries, libs.facts(broken, library_path=library_path))) == (line,)


def test_what_the_loader_refuses_is_told_in_its_words() -> None:
    why = "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.99' not found"
    refused = libs.library("cudnn", error=why, lacking="libcudnn.so.9", proven=False, predicted="it would be loaded")
    finding = only(gpu_libraries, libs.facts(refused))
    assert why in finding.message
    assert "nvidia-cudnn-cu12==9.10.2" in commands(finding)[0]


def test_libraries_for_the_profiler_and_several_gpus_are_not_required() -> None:
    assert judged(gpu_libraries, libs.facts(libs.lost("nccl"))) == []


# --- GPU208


@pytest.mark.parametrize(
    ("loaded", "compiled", "old"),
    [
        ("9.3.0", "9", False),
        ("9.28.0", "9", False),
        ("9.2.9", "9", True),
        ("8.9.7", "9", True),
        ("9.1.0", "9.0.1", False),
    ],
)
def test_a_cudnn_must_not_be_older_than_compiled(loaded: str, compiled: str, old: bool) -> None:
    facts = libs.facts(libs.library("cudnn", version=loaded))
    found = judged(gpu_cudnn, facts, tensorflow=libs.tensorflow(cudnn=compiled))
    assert bool(found) is old
    if old:
        assert f"compiled with cuDNN 9.3 and would load cuDNN {loaded} from {libs.path('cudnn')}" in found[0].message
        assert commands(found[0]) == ("/srv/venv/bin/python -m pip install 'nvidia-cudnn-cu12<99,>=1.2'",)


def test_a_cudnn_that_does_not_tell_its_version_is_unknown() -> None:
    with pytest.raises(Skip) as caught:
        judged(gpu_cudnn, libs.facts(libs.library("cudnn", version=None, owners=())))
    assert caught.value.unknown


def test_without_a_cudnn_there_is_no_question() -> None:
    with pytest.raises(Skip, match="no cuDNN is loaded"):
        judged(gpu_cudnn, libs.facts(libs.lost("cudnn")))


def test_two_cudnns() -> None:
    parts = ("/usr/lib/x86_64-linux-gnu/libcudnn_graph.so.9.1.0", libs.path("cudnn"))
    finding = only(gpu_cudnn, libs.facts(cudnn_parts=parts))
    assert "two cuDNNs are mixed" in finding.message
    assert "/usr/lib/x86_64-linux-gnu" in finding.message


# --- GPU209


def driver_library(path: str, version: str | None) -> Any:
    own = Candidate(path, "system", version)
    return libs.library("cudart", name="cuda", soname="libcuda.so.1", path=path, owners=(), candidates=(own,))


def test_a_stub() -> None:
    folder = "/usr/local/cuda/lib64/stubs"
    facts = libs.facts(driver_library(f"{folder}/libcuda.so.1", None), library_path=(folder, "/opt/y"))
    finding = only(gpu_library_places, facts)
    assert "a stub for linking" in finding.message
    assert (finding.severity, commands(finding)) == (Severity.ERROR, ("export LD_LIBRARY_PATH=/opt/y",))


@pytest.mark.parametrize(("compat", "finds"), [("535.104", True), ("560.28.03", False), (None, False)])
def test_forward_compatibility_that_is_older_than_the_driver(compat: str | None, finds: bool) -> None:
    facts = libs.facts(driver_library("/usr/local/cuda-12.2/compat/libcuda.so.1", compat))
    found = judged(gpu_library_places, facts)
    assert bool(found) is finds
    if finds:
        assert "of driver 535.104), which is older than the driver itself (550.54.14)" in found[0].message
        assert found[0].fix is not None
        assert "/etc/ld.so.conf.d" in found[0].fix.summary


def test_two_packages_that_write_one_file() -> None:
    owners = (Owner("nvidia-cudnn-cu12", "9.28.0.42"), Owner("nvidia-cudnn-cu13", "9.20.0.48"))
    facts = libs.facts(libs.library("cudnn", owners=owners, built_for_cuda="13.2"))
    packages = libs.packages("2.21.0", libs.REQUIRES, literals.distribution("torch", "2.12.0"))
    finding = only(gpu_library_places, facts, packages=packages)
    assert "built with CUDA 13.2" in finding.message
    assert "nvidia-cudnn-cu12 9.28.0.42 and nvidia-cudnn-cu13 9.20.0.48 both write it" in finding.message
    assert finding.fix is not None
    assert "torch 2.12.0" in finding.fix.summary
    assert "nvidia-cudnn-cu12==9.28.0.42" in finding.fix.commands[0]


def test_a_toolkit_of_another_cuda_on_the_library_path() -> None:
    folder = "/usr/local/cuda-13.0/lib64"
    there = f"{folder}/libcudnn.so.9"
    changed = libs.library("cudnn", path=there, owners=(), built_for_cuda="13.0")
    facts = libs.facts(changed, library_path=(folder,))
    finding = only(gpu_library_places, facts)
    assert there in finding.message
    assert commands(finding) == ("unset LD_LIBRARY_PATH",)


def test_a_toolkit_that_hides_the_packages_is_a_warning() -> None:
    folder = "/usr/local/cuda-12.2/lib64"
    changed = [libs.library(name, path=f"{folder}/{libs.WHEELS[name][0]}", owners=()) for name in ("cudart", "cublas")]
    finding = only(gpu_library_places, libs.facts(*changed, library_path=(folder,)))
    assert (finding.severity, gpu_library_places.severity) == (None, Severity.WARNING)
    assert f"{folder} (CUDA 12.2) before the nvidia packages" in finding.message
    assert "libcudart.so.12, libcublas.so.12 are loaded from there" in finding.message


def test_a_toolkit_without_packages_hides_nothing() -> None:
    folder = "/usr/local/cuda-12.2/lib64"
    there = f"{folder}/libcublas.so.12"
    changed = libs.library("cublas", path=there, owners=(), candidates=(Candidate(there, "LD_LIBRARY_PATH"),))
    assert judged(gpu_library_places, libs.facts(changed, library_path=(folder,))) == []


# --- GPU210


def test_a_missing_ptxas() -> None:
    finding = only(gpu_compiler, BROKEN["GPU210"])
    assert finding.message.startswith("XLA does not find ptxas: ")
    assert commands(finding) == ("/srv/venv/bin/python -m pip install 'nvidia-cuda-nvcc-cu12<13.0,>=12.5.82'",)


def test_a_folder_in_xla_flags_that_has_none() -> None:
    facts = libs.facts(libdevice=Tool("libdevice", ("/x/nvvm/libdevice",)), data_dir="/x")
    assert "XLA_FLAGS names /x, which has none" in only(gpu_compiler, facts).message


def test_an_old_release_does_not_look_into_the_packages() -> None:
    finding = only(gpu_compiler, libs.facts(), tensorflow=libs.tensorflow("2.12.0"))
    assert "XLA does not find libdevice and ptxas" in finding.message
    assert commands(finding) == ("export XLA_FLAGS=--xla_gpu_cuda_data_dir=/srv/site-packages/nvidia/cuda_nvcc",)


# --- GPU211


TWO = given.gpu(given.device(0), given.device(1))


def test_nccl_matters_from_two_gpus_on() -> None:
    with pytest.raises(Skip, match="one at most"):
        judged(gpu_nccl, libs.facts(libs.lost("nccl")))
    with pytest.raises(Skip, match="linked into"):
        judged(gpu_nccl, libs.facts(without=("nccl",)), gpu=TWO)
    assert judged(gpu_nccl, libs.facts(), gpu=TWO) == []


def test_nccl_that_is_not_found() -> None:
    finding = only(gpu_nccl, libs.facts(libs.lost("nccl")), gpu=TWO)
    assert "2 GPUs are visible, and TensorFlow 2.21.0 does not find libnccl.so.2: training" in finding.message
    assert commands(finding) == ("/srv/venv/bin/python -m pip install 'nvidia-nccl-cu12<99,>=1.2'",)
    finding = only(gpu_nccl, libs.facts(libs.lost("nccl", libs.wheel_file("nccl"))), gpu=TWO)
    assert "which lies in /srv/site-packages/nvidia/nccl/lib" in finding.message
    assert "/srv/site-packages/nvidia/nccl/lib" in commands(finding)[0]


# --- GPU212


def test_a_loader_that_does_otherwise() -> None:
    found = judged(gpu_libraries_proven, libs.facts(libs.library("cudnn", predicted="/opt/x would be loaded")))
    assert [finding.message for finding in found] == [
        f"libcudnn.so.9: by its files, /opt/x would be loaded; the loader loads {libs.path('cudnn')}"
    ]
    assert gpu_libraries_proven.severity is Severity.NOTE


def test_a_loader_that_was_not_heard_is_said_to_be() -> None:
    with pytest.raises(Skip, match="it has no loader function") as caught:
        judged(gpu_libraries_proven, libs.facts(unproven="it has no loader function"))
    assert caught.value.unknown


def test_tensorflows_own_check_that_disagrees() -> None:
    finding = only(gpu_libraries_proven, libs.facts(check=False))
    assert "TensorFlow's own check" in finding.message
