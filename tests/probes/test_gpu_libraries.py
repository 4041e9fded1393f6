"""The probe of the GPU libraries, on hollow ones that a real loader opens: the prediction and the proof agree."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import msgspec
import pytest
from cuda_wheels import FOLDERS, Environment, compiler, environment, whole

from envcheck.inventory import Unavailable
from envcheck.probes.gpu_libraries import GpuLibrariesFacts, Library
from envcheck.target.runner import Ending, Kind

__all__ = ["compiler", "environment", "whole"]  # fixtures

TENSORFLOWS_ORDER = ["cudart", "cuda", "cublas", "cublasLt", "cusolver", "cudnn", "nccl"]


def named(facts: GpuLibrariesFacts, name: str) -> Library:
    found = facts.find(name)
    assert found is not None
    return found


def failing(facts: GpuLibrariesFacts) -> list[str]:
    return [each.name for each in facts.libraries if not each.loads and each.name != "cuda"]


def agreed(facts: GpuLibrariesFacts) -> bool:
    """Whether the loader was heard on every library, and did what was foretold."""
    return not facts.unproven and all(
        each.proven is not None and each.predicted is None for each in facts.libraries if each.name != "cuda"
    )


def test_everything_is_found_and_tells_its_version(whole: Environment) -> None:
    facts = whole.facts()
    assert [each.name for each in facts.libraries] == TENSORFLOWS_ORDER
    assert (failing(facts), facts.unproven, facts.check) == ([], "", True)
    assert agreed(facts)
    versions = {each.name: each.version for each in facts.libraries}
    assert versions["cublas"] == "97.5.1"
    assert (versions["cudart"], versions["nccl"]) == ("97.5", "2.32.3")
    cudnn = named(facts, "cudnn")
    assert cudnn.path == str(whole.folder("cudnn") / "libcudnn.so.97")
    assert [(owner.name, owner.version) for owner in cudnn.owners] == [("nvidia-cudnn-cu97", "97.5.1")]
    assert cudnn.tried[-1].endswith("nvidia/cudnn/lib/libcudnn.so.97")
    assert len(facts.wheels) == 6
    assert msgspec.convert(msgspec.to_builtins(facts), GpuLibrariesFacts) == facts


def test_a_folder_that_is_not_on_the_run_path(environment: Environment) -> None:
    """TensorFlow 2.21.0: cuSOLVER is installed, and the caller's run path does not lead there."""
    environment.tensorflow(environment.compiler.framework(tuple(each for each in FOLDERS if each != "cusolver")))
    environment.wheels()
    facts = environment.facts()
    assert (failing(facts), facts.check) == (["cusolver"], False)
    assert agreed(facts)
    cusolver = named(facts, "cusolver")
    assert (cusolver.lacking, cusolver.path, cusolver.proven) == ("libcusolver.so.97", None, False)
    assert [each.path for each in cusolver.candidates] == [str(environment.folder("cusolver") / "libcusolver.so.97")]
    assert [place.how for place in cusolver.searched][:1] == ["run path"]
    assert "ld.so.cache" in [place.how for place in cusolver.searched]
    assert cusolver.mending == (str(environment.folder("cusolver")),)
    mended = environment.facts(LD_LIBRARY_PATH=str(environment.folder("cusolver")))
    assert (failing(mended), mended.check) == ([], True)
    assert agreed(mended)
    assert named(mended, "cusolver").from_place.how == "LD_LIBRARY_PATH"  # type: ignore[union-attr]


def test_a_library_path_that_mends_takes_what_is_needed_as_well(environment: Environment, tmp_path: Path) -> None:
    """cuSOLVER lies in a folder of its own, without a run path that leads to what it needs."""
    environment.tensorflow(environment.compiler.framework())
    environment.wheels("cusolver", "nvjitlink")
    toolkit = tmp_path / "toolkit" / "lib64"
    toolkit.mkdir(parents=True)
    inner = environment.compiler.wheel_library("nvJitLink")
    shutil.copy(environment.compiler.library("libcusolver.so.97", needed=(inner,)), toolkit)
    conda = tmp_path / "conda" / "lib"
    conda.mkdir(parents=True)
    shutil.copy(inner, conda)
    places = {"CUDA_HOME": str(tmp_path / "toolkit"), "CONDA_PREFIX": str(tmp_path / "conda")}
    cusolver = named(environment.facts(**places), "cusolver")
    assert {each.kind for each in cusolver.candidates} == {"toolkit"}
    assert cusolver.mending == (str(toolkit), str(conda))
    mended = environment.facts(**places, LD_LIBRARY_PATH=":".join(cusolver.mending))
    assert failing(mended) == []
    assert agreed(mended)
    (conda / "libnvJitLink.so.97").unlink()
    assert named(environment.facts(**places), "cusolver").mending == ()


@pytest.mark.parametrize(
    ("left_out", "fail", "lacking"),
    [
        ("cuda_runtime", ["cudart"], "libcudart.so.97"),
        ("cudnn", ["cudnn"], "libcudnn.so.97"),
        ("nvjitlink", ["cusolver"], "libnvJitLink.so.97"),
        ("cublas", ["cublas", "cublasLt", "cusolver"], "libcublas.so.97"),
        ("nccl", ["nccl"], "libnccl.so.97"),
    ],
)
def test_a_package_that_is_not_installed(
    environment: Environment, left_out: str, fail: list[str], lacking: str
) -> None:
    environment.tensorflow(environment.compiler.framework())
    environment.wheels(left_out)
    facts = environment.facts()
    assert failing(facts) == fail
    assert agreed(facts)
    assert facts.check is (left_out == "nccl")
    assert lacking in {named(facts, each).lacking for each in fail}
    assert named(facts, fail[-1]).candidates == ()


def test_a_library_path_comes_before_the_run_path(whole: Environment, tmp_path: Path) -> None:
    elsewhere = tmp_path / "cuda-98" / "lib64"
    elsewhere.mkdir(parents=True)
    shutil.copy(whole.compiler.wheel_library("cudnn", "98,0,1", cudart="98000"), elsewhere)
    facts = whole.facts(LD_LIBRARY_PATH=f"{tmp_path}/nowhere:{elsewhere}")
    cudnn = named(facts, "cudnn")
    assert (cudnn.path, cudnn.version, cudnn.built_for_cuda) == (str(elsewhere / "libcudnn.so.97"), "98.0.1", "98.0")
    assert {each.kind for each in cudnn.candidates} == {"wheel", "LD_LIBRARY_PATH"}
    assert agreed(facts)


def test_an_rpath_comes_before_the_library_path(environment: Environment, tmp_path: Path) -> None:
    """As in the wheels up to 2.6; it counts for what the libraries need in turn as well."""
    environment.tensorflow(environment.compiler.framework(rpath=f"$ORIGIN/:{tmp_path}/mine"))
    environment.wheels("cublas")
    (tmp_path / "mine").mkdir()
    for name in ("cublas", "cublasLt"):
        shutil.copy(environment.compiler.wheel_library(name), tmp_path / "mine")
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(environment.compiler.wheel_library("cublasLt"), other)
    facts = environment.facts(LD_LIBRARY_PATH=str(other))
    assert named(facts, "cublas").path == str(tmp_path / "mine" / "libcublas.so.97")
    assert named(facts, "cublasLt").path == str(
        tmp_path / "other" / "libcublasLt.so.97"
    )  # libcublas has a run path of its own
    assert agreed(facts)


def test_the_rpath_of_the_interpreter_counts_for_old_releases(environment: Environment, tmp_path: Path) -> None:
    """conda's Python has one: so its CUDA libraries are found by the wheels up to 2.6, and by no later one."""
    root = tmp_path / "conda"
    for folder in ("bin", "lib"):
        (root / folder).mkdir(parents=True)
    main = environment.compiler.library("python", rpath="$ORIGIN/../lib")
    shutil.copy(main, root / "bin" / "python")
    shutil.copy(environment.compiler.wheel_library("cudnn"), root / "lib")
    python = {"executable": str(root / "bin" / "python"), "prefix": str(root)}
    never = {"run": lambda *_, **__: Ending(Kind.NOT_STARTED, detail="hollow")}
    for rpath, found in (("$ORIGIN/", True), (None, False)):
        environment.tensorflow(environment.compiler.framework(("cublas",), rpath=rpath))
        facts = environment.probe(python=python, host=never)
        assert isinstance(facts, GpuLibrariesFacts)
        assert named(facts, "cudnn").loads is found
        shutil.rmtree(environment.site / "tensorflow")
        shutil.rmtree(environment.site / "tensorflow-2.21.0.dist-info")


BROKEN = {
    "empty": b"",
    "short": b"\x7fELF\x02\x01\x01",
    "text": b"INPUT(libcudnn.so.98)\n" * 10,
}


@pytest.mark.parametrize("how", [*BROKEN, "folder", "truncated"])
def test_a_file_that_is_none_stops_the_search(whole: Environment, tmp_path: Path, how: str) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    path = folder / "libcudnn.so.97"
    if how == "folder":
        path.mkdir()
    elif how == "truncated":
        path.write_bytes(whole.compiler.wheel_library("cudnn").read_bytes()[:4096])
    else:
        path.write_bytes(BROKEN[how])
    facts = whole.facts(LD_LIBRARY_PATH=str(folder))
    cudnn = named(facts, "cudnn")
    assert (failing(facts), cudnn.path, cudnn.lacking) == (["cudnn"], str(path), "libcudnn.so.97")
    assert cudnn.error
    # The loader maps a file that is cut short and dies of it, as TensorFlow would: nothing after it was tried.
    assert agreed(facts) or (how == "truncated" and "SIGBUS" in facts.unproven)


def test_a_damaged_file_of_a_library_that_is_needed(whole: Environment) -> None:
    (whole.folder("nvjitlink") / "libnvJitLink.so.97").write_bytes(b"")
    facts = whole.facts()
    cusolver = named(facts, "cusolver")
    assert (failing(facts), cusolver.lacking) == (["cusolver"], "libnvJitLink.so.97")
    assert "libnvJitLink.so.97 is an empty file" in cusolver.error
    assert [each.trouble for each in cusolver.candidates] == ["an empty file"]
    assert agreed(facts)


@pytest.mark.parametrize("how", ["32 bit", "loop", "dangling", "unreadable"])
def test_a_file_that_is_passed_over(whole: Environment, tmp_path: Path, how: str) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    path = folder / "libcudnn.so.97"
    if how == "32 bit":
        data = bytearray(whole.compiler.wheel_library("cudnn").read_bytes())
        data[4] = 1
        path.write_bytes(data)
    elif how == "unreadable":
        if os.geteuid() == 0:
            pytest.skip("root may read everything")
        path.write_bytes(b"")
        path.chmod(0)
    else:
        path.symlink_to(path if how == "loop" else folder / "gone")
    facts = whole.facts(LD_LIBRARY_PATH=str(folder))
    assert failing(facts) == []
    assert named(facts, "cudnn").path == str(whole.folder("cudnn") / "libcudnn.so.97")
    assert agreed(facts)


def test_links_without_end_end_the_list_that_they_are_in(whole: Environment, tmp_path: Path) -> None:
    loop, other = tmp_path / "loop", tmp_path / "other"
    loop.mkdir()
    other.mkdir()
    (loop / "libcudnn.so.97").symlink_to(loop / "libcudnn.so.97")
    shutil.copy(whole.compiler.wheel_library("cudnn", "98,0,0"), other)
    facts = whole.facts(LD_LIBRARY_PATH=f"{loop}:{other}")
    assert agreed(facts)
    assert named(facts, "cudnn").path == str(whole.folder("cudnn") / "libcudnn.so.97")


@pytest.mark.parametrize(("how", "words"), [("crash", "segmentation fault"), ("hang", "did not end within")])
def test_a_library_that_takes_the_process_with_it(whole: Environment, how: str, words: str) -> None:
    start = time.monotonic()
    found = whole.probe(host={"timeout": 3.0}, variables={"FAKE_LOADER": f"{how}=libcublas.so.97"})
    assert isinstance(found, GpuLibrariesFacts)
    assert time.monotonic() - start < 8
    assert "load cublas" in found.unproven
    cublas = named(found, "cublas")
    assert cublas.proven is False
    assert words in cublas.error
    assert named(found, "cudart").proven is True
    assert named(found, "cudnn").proven is None
    assert named(found, "cudnn").loads  # by its files: said to be unproven


def test_where_the_loader_does_otherwise_it_is_said(whole: Environment) -> None:
    facts = whole.facts(FAKE_LOADER="refuse=libcudnn.so.97")
    cudnn = named(facts, "cudnn")
    assert not cudnn.loads
    assert cudnn.predicted == f"{whole.folder('cudnn')}/libcudnn.so.97 would be loaded"


def test_an_object_without_the_loader_leaves_the_prediction(environment: Environment) -> None:
    hollow = environment.compiler.library("libtensorflow_framework.so.2", runpath="$ORIGIN/../nvidia/cudnn/lib")
    environment.tensorflow(hollow)
    environment.wheels()
    facts = environment.facts()
    assert "it has no loader function" in facts.unproven
    assert named(facts, "cudnn").loads
    assert named(facts, "cudnn").proven is None
    assert failing(facts) == ["cudart", "cublas", "cusolver"]  # and no cublasLt: nothing says that it opens one


def test_a_child_that_cannot_be_started_leaves_the_prediction(whole: Environment) -> None:
    never = {"run": lambda *_, **__: Ending(Kind.NOT_STARTED, detail="no such interpreter")}
    found = whole.probe(host=never)
    assert isinstance(found, GpuLibrariesFacts)
    assert "no such interpreter" in found.unproven
    assert failing(found) == []


def test_a_build_for_another_processor_is_not_opened(whole: Environment) -> None:
    found = whole.probe(host={"machine": "aarch64" if os.uname().machine == "x86_64" else "x86_64"})
    assert isinstance(found, GpuLibrariesFacts)
    assert "is built for" in found.unproven


@pytest.mark.parametrize(
    ("build", "absent", "words"),
    [
        ({"is_cuda": False}, True, "built without CUDA"),
        ({"is_cuda": None}, False, "is not known"),
        ({"sonames": ()}, False, "cuda_config.h"),
    ],
)
def test_what_is_not_looked_at(whole: Environment, build: dict[str, object], absent: bool, words: str) -> None:
    found = whole.probe(build)
    assert isinstance(found, Unavailable)
    assert (found.absent, found.broken) == (absent, False)
    assert words in found.reason


def test_other_loaders_are_not_covered(whole: Environment) -> None:
    for system, libc in (("Darwin", ""), ("Linux", "musl")):
        found = whole.probe(host={"system": system}, python={"libc": libc})
        assert isinstance(found, Unavailable)
        assert "only glibc's loader is covered" in found.reason


def test_a_framework_that_is_no_library(whole: Environment) -> None:
    path = whole.site / "tensorflow" / "libtensorflow_framework.so.2"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n" * 3)
    found = whole.probe()
    assert isinstance(found, Unavailable)
    assert "is no ELF file" in found.reason
    path.unlink()
    found = whole.probe()
    assert isinstance(found, Unavailable)
    assert "is not there" in found.reason


@pytest.mark.parametrize("define", ["NCCL_LINKED_IN", "NCCL_LINKED_IN_NOT_AT_ALL"])
def test_nccl_that_is_linked_in_is_not_opened(environment: Environment, define: str) -> None:
    """2.20.0 exports what opens libnccl.so.2, and has NCCL itself inside: nothing ever opens it."""
    environment.tensorflow(environment.compiler.framework(defines=(define,)))
    environment.wheels("nccl")
    assert environment.facts().find("nccl") is None


def test_where_xla_looks(whole: Environment, tmp_path: Path) -> None:
    facts = whole.facts()
    nvcc = f"{whole.site}/nvidia/cuda_nvcc"
    assert facts.libdevice is not None
    assert facts.libdevice.searched[0] == "/usr/local/cuda-97.5/nvvm/libdevice"
    assert f"{nvcc}/nvvm/libdevice" in facts.libdevice.searched
    mine = tmp_path / "mine"
    (mine / "nvvm/libdevice").mkdir(parents=True)
    (mine / "nvvm/libdevice/libdevice.10.bc").write_bytes(b"BC")
    (mine / "bin").mkdir()
    ptxas = mine / "bin" / "ptxas"
    ptxas.write_text("#!/bin/sh\necho 'Cuda compilation tools, release 97.5, V97.5.82'\n")
    ptxas.chmod(0o755)
    facts = whole.facts(XLA_FLAGS=f"--xla_dump_to=/tmp/x --xla_gpu_cuda_data_dir={mine}")
    assert facts.data_dir == str(mine)
    assert facts.libdevice is not None
    assert facts.libdevice.path == str(mine / "nvvm/libdevice/libdevice.10.bc")
    assert facts.ptxas is not None
    assert (facts.ptxas.path, facts.ptxas.version) == (str(ptxas), "97.5.82")
    # The first folder counts, even when the file is not in it.
    (mine / "nvvm/libdevice/libdevice.10.bc").unlink()
    facts = whole.facts(XLA_FLAGS=f"--xla_gpu_cuda_data_dir={mine}")
    assert facts.libdevice is not None
    assert facts.libdevice.path is None
