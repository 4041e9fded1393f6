"""The probe of the CUDA driver against a libcuda that answers, errs, hangs and crashes as it is told."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gpu_literals as given
import literals
import msgspec
import pytest
from machines.workshop import put

from envcheck.checks.gpu_cuda import cuda_starts
from envcheck.findings import Finding
from envcheck.host import Host
from envcheck.inventory import Expectations, Unavailable
from envcheck.knowledge.matrix import load_matrix
from envcheck.knowledge.nvidia import CudaCode
from envcheck.probes.cuda import CudaFacts, begin, collect
from envcheck.probes.driver import DriverFacts, NvmlState
from envcheck.target.runner import Ending, Kind, script_path

MATRIX = load_matrix()
FakeCuda = Callable[..., Host]


@pytest.fixture
def fake_cuda(cuda_folder: Path, tmp_path: Path) -> FakeCuda:
    """Makes a host whose CUDA driver is the fake one, steered by its first argument."""

    def make(steer: str, *folders: Path, environ: dict[str, str] | None = None, **more: Any) -> Host:
        path = ":".join(map(str, folders or (cuda_folder,)))
        variables = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": path, "FAKE_CUDA": steer, **(environ or {})}
        return Host(root=tmp_path, environ=variables, **{"system": "Linux", "machine": "x86_64", **more})

    return make


def asked(host: Host) -> CudaFacts:
    facts = collect(host, given.driver())
    assert isinstance(facts, CudaFacts)
    return facts


def judge(cuda: CudaFacts, **host: Any) -> list[Finding]:
    """What GPU110 says of a machine on which everything else is right."""
    environment = literals.environment()
    return list(
        cuda_starts.judge(cuda, given.driver(), given.gpu(), environment, literals.host(**host), Expectations(), MATRIX)
    )


def test_a_driver_that_works(fake_cuda: FakeCuda, cuda_folder: Path) -> None:
    cuda = asked(fake_cuda("version=12040"))
    assert cuda.ok
    assert cuda.library == str(cuda_folder / "libcuda.so.1")
    assert (cuda.version, cuda.count) == ("12.4", 1)
    (gpu,) = cuda.devices
    assert (gpu.ordinal, gpu.name, gpu.compute_capability, gpu.pci) == (0, "Fake H100", "9.0", "0000:01:00.0")
    assert (gpu.memory_total, gpu.compute_mode, gpu.integrated, gpu.errors) == (80 << 30, "default", False, {})
    assert gpu.is_uuid("GPU-00000001-0000-4000-8000-000000000000")
    assert not gpu.is_uuid("GPU-00000002-0000-4000-8000-000000000000")
    assert not gpu.is_uuid(None)
    assert judge(cuda) == []
    assert msgspec.convert(msgspec.to_builtins(cuda), CudaFacts) == cuda


def test_cuda_s_own_order(fake_cuda: FakeCuda) -> None:
    cuda = asked(fake_cuda("count=3 order=2,0,1"))
    assert [gpu.pci for gpu in cuda.devices] == ["0000:03:00.0", "0000:01:00.0", "0000:02:00.0"]
    assert [(gpu.uuid or "")[:8] for gpu in cuda.devices] == ["00000003", "00000001", "00000002"]


@pytest.mark.parametrize("row", MATRIX.cuda_codes, ids=lambda row: row.name)
def test_every_code_of_cuinit_has_its_own_words_and_remedy(row: CudaCode, fake_cuda: FakeCuda) -> None:
    cuda = asked(fake_cuda(f"cuInit={row.code}"))
    assert (cuda.status, cuda.state.code, cuda.state.call, cuda.count) == ("error", row.code, "cuInit", None)
    (finding,) = judge(cuda)
    assert finding.message.startswith(f"cuInit answers {row.name} ({row.code}): {row.meaning}")
    assert finding.fix is not None
    assert finding.fix.summary == row.remedy
    (inside,) = judge(cuda, container="docker")
    assert inside.fix is not None
    assert inside.fix.summary == (row.container or row.remedy)
    assert inside.fix.commands == ()


def test_no_two_codes_share_a_meaning() -> None:
    rows = MATRIX.cuda_codes
    assert len({row.meaning for row in rows}) == len({row.code for row in rows}) == len(rows) == 35
    assert all(row.remedy and row.source.sources for row in rows)


def test_the_codes_are_those_of_the_header() -> None:
    """The part of CUresult in cuda.h that can be answered before there is a context, spot-checked by number."""
    named = {row.code: row.name for row in MATRIX.cuda_codes}
    for code, name in ((34, "STUB_LIBRARY"), (46, "DEVICE_UNAVAILABLE"), (803, "SYSTEM_DRIVER_MISMATCH")):
        assert named[code] == f"CUDA_ERROR_{name}"


def test_counting_may_fail_as_well(fake_cuda: FakeCuda) -> None:
    cuda = asked(fake_cuda("cuDeviceGetCount=3"))
    (finding,) = judge(cuda)
    assert finding.message.startswith("cuDeviceGetCount answers CUDA_ERROR_NOT_INITIALIZED (3)")


def test_a_code_nobody_knows(fake_cuda: FakeCuda) -> None:
    cuda = asked(fake_cuda("cuInit=4242"))
    (finding,) = judge(cuda)
    assert finding.message.startswith(
        "cuInit answers CUDA_ERROR_OF_THE_FAKE (4242): a code that envcheck does not know"
    )
    nameless = asked(fake_cuda("cuInit=4711"))
    (finding,) = judge(nameless)
    assert finding.message.startswith("cuInit answers 4711: a code that envcheck does not know")


@pytest.mark.parametrize("call", ["cuInit", "cuDriverGetVersion", "cuDeviceGetCount", "cuDeviceGetName@1"])
def test_a_hang_ends_at_the_deadline_and_says_where(call: str, fake_cuda: FakeCuda) -> None:
    start = time.monotonic()
    cuda = asked(fake_cuda(f"count=2 hang={call}", timeout=1.0))
    assert time.monotonic() - start < 5
    function, _, device = call.partition("@")
    assert (cuda.status, cuda.state.call, cuda.state.device) == ("hung", function, int(device) if device else None)
    (finding,) = judge(cuda)
    assert f"stuck: CUDA did not answer in {function}" in finding.message
    if device:
        assert cuda.count == 2
        assert [gpu.name for gpu in cuda.devices] == ["Fake H100", None]


@pytest.mark.parametrize(("how", "said"), [("crash", "SIGSEGV"), ("abort", "SIGABRT"), ("exit", "exit code 7")])
def test_a_crash_is_a_value(how: str, said: str, fake_cuda: FakeCuda) -> None:
    cuda = asked(fake_cuda(f"{how}=cuInit"))
    assert cuda.status == "crashed"
    assert cuda.library is not None  # which library it was is known all the same
    (finding,) = judge(cuda)
    assert "broken" in finding.message
    assert said in finding.message


def test_a_child_that_cannot_be_killed(fake_cuda: FakeCuda) -> None:
    ending = Ending(Kind.UNKILLABLE, ({"call": "cuInit", "device": None},), seconds=30.0)
    cuda = asked(fake_cuda("", run=lambda *_, **__: ending))
    assert cuda.status == "unkillable"
    assert "cannot be killed" in judge(cuda)[0].message


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (Ending(Kind.NOT_STARTED, detail="no such file"), "could not be started: no such file"),
        (Ending(Kind.SIGNALLED, ({"call": "cuInit", "device": None},), signal="SIGKILL"), "SIGKILL"),
        (Ending(Kind.UNPARSABLE, detail="cut short"), "cut short"),
    ],
)
def test_what_is_not_the_drivers_fault(ending: Ending, said: str, fake_cuda: FakeCuda) -> None:
    cuda = asked(fake_cuda("", run=lambda *_, **__: ending))
    assert cuda.status == "not asked"
    assert said in cuda.words


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("directory", "directory"),
        ("loop", "a link that leads nowhere"),
        ("empty", "file too short"),
        ("text", "file too short"),
        ("truncated", "file too short"),
        ("32-bit", "wrong ELF class"),
        ("another processor", "not for this processor"),
    ],
)
def test_what_is_no_library(kind: str, said: str, fake_cuda: FakeCuda, tmp_path: Path) -> None:
    folder = tmp_path / "lib"
    folder.mkdir()
    put(kind, folder)
    cuda = asked(fake_cuda("", folder))
    assert cuda.status == "no library"
    assert said in cuda.state.detail
    assert str(folder / "libcuda.so.1") in cuda.state.detail


def test_a_library_that_lacks_a_function(fake_cuda: FakeCuda, tmp_path: Path) -> None:
    source = tmp_path / "bare.c"
    source.write_text("int cuDriverGetVersion(int *to) { *to = 1; return 0; }\n", "ascii")
    library = tmp_path / "libcuda.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    cuda = asked(fake_cuda("", tmp_path))
    assert (cuda.status, cuda.state.detail) == ("no library", "it has no function cuInit")


@pytest.mark.parametrize(("folder", "kind"), [("stubs", "stub"), ("compat", "compat"), ("x86_64-linux-gnu", "")])
def test_which_library_won_and_what_it_is(
    folder: str, kind: str, fake_cuda: FakeCuda, tmp_path: Path, cuda_folder: Path
) -> None:
    place = tmp_path / folder
    place.mkdir()
    (place / "libcuda.so.1").symlink_to(cuda_folder / "libcuda.so.1")
    cuda = asked(fake_cuda("cuInit=34", place, cuda_folder))
    assert (cuda.library, cuda.file) == (str(place / "libcuda.so.1"), str(cuda_folder / "libcuda.so.1"))
    assert cuda.kind == kind
    assert f"libcuda is {place}/libcuda.so.1 -> {cuda.file}" in judge(cuda)[0].message


def test_a_path_that_is_no_utf_8(fake_cuda: FakeCuda, tmp_path: Path, cuda_folder: Path) -> None:
    place = tmp_path / os.fsdecode(b"caf\xe9")
    place.mkdir()
    (place / "libcuda.so.1").symlink_to(cuda_folder / "libcuda.so.1")
    cuda = asked(fake_cuda("", place))
    assert cuda.ok
    assert cuda.library is not None
    cuda.library.encode("utf-8")


def test_names_that_are_no_utf_8(fake_cuda: FakeCuda) -> None:
    (gpu,) = asked(fake_cuda("name=raw")).devices
    assert gpu.name == "\ufffd\ufffd GPU"


def test_128_devices(fake_cuda: FakeCuda) -> None:
    start = time.monotonic()
    cuda = asked(fake_cuda("count=128"))
    assert time.monotonic() - start < 10
    assert (cuda.count, len(cuda.devices)) == (128, 128)
    assert len({gpu.uuid for gpu in cuda.devices}) == 128


@pytest.mark.parametrize(("count", "asked_for"), [("2147483647", 256), ("-1", 0)])
def test_a_count_that_is_none(count: str, asked_for: int, fake_cuda: FakeCuda) -> None:
    cuda = asked(fake_cuda(f"count={count}", timeout=20.0))
    assert cuda.ok
    assert (cuda.count, len(cuda.devices)) == (int(count), asked_for)


def test_one_question_that_fails_is_no_end(fake_cuda: FakeCuda) -> None:
    cuda = asked(fake_cuda("count=2 cuDeviceGetUuid_v2=801 cuDeviceTotalMem_v2@1=999 cuDeviceGet@0=101"))
    assert cuda.ok
    first, second = cuda.devices
    assert (first.name, first.errors) == (None, {"handle": "CUDA_ERROR_OF_THE_FAKE"})
    assert second.errors == {"uuid": "CUDA_ERROR_OF_THE_FAKE", "memory": "CUDA_ERROR_OF_THE_FAKE"}
    assert second.name == "Fake H100"


def test_elsewhere_it_is_not_covered() -> None:
    driver = DriverFacts(NvmlState("not covered", detail="on Darwin"))
    found = collect(Host(system="Darwin"), driver)
    assert isinstance(found, Unavailable)
    assert "Darwin" in found.reason


def test_nothing_is_started_where_the_cpu_is_wanted(fake_cuda: FakeCuda) -> None:
    host = fake_cuda("hang=cuInit", expectations=Expectations(device="cpu"))
    begin(host)
    assert not host._begun
    wanted = fake_cuda("")
    begin(wanted)
    assert "cuda" in wanted._begun
    assert asked(wanted).ok


@pytest.mark.skipif(not Path.home().joinpath(".pyenv/versions").is_dir(), reason="other Pythons are not here")
@pytest.mark.parametrize("version", ["3.6", "3.7", "3.8", "3.13"])
def test_it_runs_in_old_and_new_interpreters(version: str, fake_cuda: FakeCuda) -> None:
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    if not found:
        pytest.skip(f"Python {version} is not here")
    assert asked(fake_cuda("count=2", python=str(found[-1]))).count == 2


def test_no_module_of_the_current_folder_stands_for_a_standard_one(fake_cuda: FakeCuda, tmp_path: Path) -> None:
    (tmp_path / "ctypes.py").write_text("raise SystemExit('wrong ctypes')", "ascii")
    cuda = asked(fake_cuda("", cwd=tmp_path, environ={"PYTHONPATH": ""}))
    assert cuda.ok


def test_the_script_says_what_it_does_without_a_driver(tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    done = subprocess.run(
        [sys.executable, "-B", script_path("cuda"), answer, "x"],
        env={"LD_LIBRARY_PATH": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0
    assert answer.read_text("utf-8").endswith('{"done": true}\n')
