"""``envcheck healthcheck``: verdicts through the fake driver, the exit codes, the time, the size, and what it loads."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import FakeDriver
from hypothesis import given
from hypothesis import strategies as st

from envcheck.commands.healthcheck.counting import Expected, expected
from envcheck.commands.healthcheck.looking import Wanted, examine
from envcheck.commands.healthcheck.verdict import MOST, Verdict
from envcheck.commands.state import Package, State, write_state
from envcheck.host import Host
from envcheck.target.runner import Ending, Kind

NOW = 1_800_000_000.0
WHEN = "2027-01-15T07:00:00Z"  # an hour before NOW
GIB = 1 << 30
UUIDS = tuple(f"GPU-{number:08x}-0000-4000-8000-000000000000" for number in range(1, 9))
GOOD = State(WHEN, 0, "ok", device="GPU:0", gpus=UUIDS[:1])
UNHEALTHY_ENDINGS = (Kind.TIMED_OUT, Kind.UNKILLABLE, Kind.NOT_STARTED, Kind.EXITED, Kind.NO_ANSWER)


def nodes(count: int) -> dict[str, str]:
    """The files of a machine with so many GPUs."""
    return dict.fromkeys(("/dev/nvidiactl", "/dev/nvidia-uvm", *(f"/dev/nvidia{each}" for each in range(count))), "")


def recorded(tmp_path: Path, **changes: Any) -> str:
    """A state file."""
    file = str(tmp_path / "state.json")
    write_state(file, dataclasses.replace(GOOD, **changes))
    return file


def reasons(wanted: Wanted, host: Host) -> str:
    """Why it is unhealthy; empty when it is healthy."""
    return "; ".join(examine(wanted, host, NOW).reasons)


def envcheck(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "envcheck", "healthcheck", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **variables},
    )


# --- a machine in order


def test_a_gpu_that_is_well(fake_driver: FakeDriver) -> None:
    verdict = examine(Wanted(gpus=1, free=79 * GIB), fake_driver("", nodes(1)), NOW)
    assert verdict.line() == (
        "healthy: 1 GPU answers, 1 expected (--gpus 1), 79.5 GiB free (not looked at: whether TensorFlow computes, for want "
        "of --state)"
    )
    assert json.loads(verdict.json()) == {
        "schema_version": 1,
        "healthy": True,
        "reasons": [],
        "seen": list(verdict.seen),
        "unseen": list(verdict.unseen),
    }


def test_eight_gpus_and_a_smoke_run(fake_driver: FakeDriver, tmp_path: Path) -> None:
    metadata = tmp_path / "tensorflow-2.21.0.dist-info"
    metadata.mkdir()
    state = recorded(tmp_path, gpus=UUIDS, packages=(Package("tensorflow", "2.21.0", str(metadata)),))
    verdict = examine(Wanted(state=state), fake_driver("count=8", nodes(8)), NOW)
    assert verdict.line() == (
        "healthy: 8 GPUs answer, 8 expected (as the smoke run in the state file had), 79.5 GiB free on each at least; smoke "
        "run 60 minutes ago on GPU:0 with tensorflow 2.21.0"
    )


def test_no_gpu_where_none_is_expected(fake_driver: FakeDriver, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    verdict = examine(Wanted(), fake_driver("", {}, {"LD_LIBRARY_PATH": str(tmp_path / "none")}), NOW)
    assert verdict.line().startswith(
        "healthy: no NVIDIA GPU is expected, and no driver is here (not looked at: whether"
    )


def test_where_no_gpu_is_expected_the_driver_is_not_asked(fake_driver: FakeDriver) -> None:
    host = fake_driver("hang=nvmlInitWithFlags", nodes(1))
    verdict = examine(Wanted(gpus=0), host, NOW)
    assert verdict.healthy
    assert verdict.unseen[0] == "the GPU driver"


def test_a_driver_library_without_any_gpu_is_no_fault(fake_driver: FakeDriver) -> None:
    verdict = examine(Wanted(), fake_driver("nvmlInitWithFlags=9", {}), NOW)
    assert verdict.line().startswith(
        "healthy: no NVIDIA GPU is expected or here: NVML answers DRIVER_NOT_LOADED (9) in nvmlInit"
    )


# --- every way to be unhealthy


@pytest.mark.parametrize(
    ("steer", "words"),
    [
        ("nvmlInitWithFlags=9", "NVML answers DRIVER_NOT_LOADED (9) in nvmlInit"),
        ("nvmlInitWithFlags=18", "NVML answers LIB_RM_VERSION_MISMATCH (18) in nvmlInit"),
        ("nvmlInitWithFlags=999", "NVML answers UNKNOWN (999) in nvmlInit"),
        ("nvmlDeviceGetCount_v2=15", "NVML answers GPU_IS_LOST (15) in nvmlDeviceGetCount"),
        ("crash=nvmlDeviceGetCount_v2", "SIGSEGV"),
        ("hang=nvmlInitWithFlags", "NVML did not answer in nvmlInit within 1 s: the driver is stuck"),
        ("hang=nvmlDeviceGetMemoryInfo_v2@1", "NVML did not answer in nvmlDeviceGetMemoryInfo_v2 for GPU 1 within 1 s"),
        (
            "nvmlDeviceGetHandleByIndex_v2@1=15",
            "/dev/nvidia1 are here), and 1 answers; GPU 1 cannot be opened: NVML says GPU_IS_LOST",
        ),
        ("nvmlDeviceGetMemoryInfo_v2=999", "GPU 0, 1 do not answer: NVML says UNKNOWN on memory"),
        ("nvmlDeviceGetTotalEccErrors@1=16", "GPU 1 does not answer: NVML says RESET_REQUIRED on ecc_uncorrected"),
        ("ecc=3", "GPU 0, 1 had 3 uncorrected memory errors since the driver was loaded (0 are expected)"),
        ("count=1", "2 GPUs are expected (/dev/nvidia0, /dev/nvidia1 are here), and 1 answers"),
        ("count=0", "2 GPUs are expected (/dev/nvidia0, /dev/nvidia1 are here), and none answers"),
    ],
)
def test_a_driver_or_gpu_with_a_fault(steer: str, words: str, fake_driver: FakeDriver) -> None:
    assert words in reasons(Wanted(), fake_driver(f"{steer} count=2", nodes(2), timeout=1.0, grace=0.2))


def test_a_driver_that_hangs_is_the_one_reason(fake_driver: FakeDriver) -> None:
    host = fake_driver("count=2 hang=nvmlDeviceGetMemoryInfo_v2@1", nodes(2), timeout=1.0, grace=0.2)
    assert len(examine(Wanted(gpus=2, free=GIB), host, NOW).reasons) == 1


def test_rows_of_memory(fake_driver: FakeDriver) -> None:
    found = reasons(Wanted(), fake_driver("count=2 remap_failed=1", nodes(2)))
    assert found == "GPU 0, 1 could not replace failing memory rows: have the GPU exchanged"
    verdict = examine(Wanted(), fake_driver("count=2 remap_pending=1", nodes(2)), NOW)
    assert verdict.healthy
    assert verdict.seen[1] == "GPU 0, 1 should be reset when idle: a remapping of memory rows waits for it"


def test_what_a_gpu_does_not_count_is_said(fake_driver: FakeDriver) -> None:
    silent = "nvmlDeviceGetTotalEccErrors=3 nvmlDeviceGetRemappedRows=3"
    verdict = examine(Wanted(), fake_driver(silent, nodes(1)), NOW)
    assert verdict.healthy
    assert "memory errors, which are not counted here" in verdict.unseen


def test_memory(fake_driver: FakeDriver) -> None:
    wanted = Wanted(free=8 * GIB)
    none = reasons(wanted, fake_driver("nvmlInitWithFlags=12", {}))
    assert none.startswith("1 GPU is expected (--min-free-memory), and the NVML library of the driver cannot be loaded")
    found = reasons(wanted, fake_driver("total=8192 used=512", nodes(1)))
    assert found.startswith("GPU 0 has 7.5 GiB free, and 8.0 GiB are expected (--min-free-memory)")
    untold = fake_driver("nvmlDeviceGetMemoryInfo_v2=3 nvmlDeviceGetMemoryInfo=3", nodes(1))
    assert "how much memory is free is not told" in reasons(wanted, untold)


def test_a_gpu_of_somebody_else_is_no_fault(fake_driver: FakeDriver) -> None:
    host = fake_driver("count=2 nvmlDeviceGetHandleByIndex_v2@1=4", nodes(1))
    assert examine(Wanted(gpus=1), host, NOW).healthy
    assert "2 GPUs are expected (--gpus 2), and 1 answers" in reasons(Wanted(gpus=2), host)


def test_a_gpu_that_vanished_from_a_container(fake_driver: FakeDriver, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    gone = {"LD_LIBRARY_PATH": str(tmp_path / "none")}
    for host, wanted in (
        (fake_driver("", {}, {**gone, "NVIDIA_VISIBLE_DEVICES": "all"}), Wanted()),
        (fake_driver("", {}, gone), Wanted(gpus=1)),
        (fake_driver("", {}, gone), Wanted(state=recorded(tmp_path))),
    ):
        assert "the NVML library of the driver cannot be loaded" in reasons(wanted, host)
    # Handed in without the driver's libraries: the capability "compute" alone leaves NVML out.
    without = fake_driver("", nodes(1), {**gone, "NVIDIA_DRIVER_CAPABILITIES": "compute"})
    assert "needs NVIDIA_DRIVER_CAPABILITIES=compute,utility" in reasons(Wanted(), without)
    # The cgroup lost the device: the nodes are there, and opening one is refused.
    (tmp_path / "root/dev/nvidiactl").unlink()
    host = fake_driver("", {"/dev/nvidiactl/is-a-folder": ""})
    assert "/dev/nvidiactl cannot be opened (EISDIR): start the container again, or load the driver anew" in reasons(
        Wanted(), host
    )


def test_unified_memory_without_its_node(fake_driver: FakeDriver) -> None:
    host = fake_driver("", {"/dev/nvidiactl": "", "/dev/nvidia0": ""})
    assert "there is no /dev/nvidia-uvm, without which CUDA cannot start" in reasons(Wanted(), host)


@pytest.mark.parametrize("kind", UNHEALTHY_ENDINGS)
def test_a_driver_that_was_not_heard_is_never_healthy(kind: Kind, tmp_path: Path) -> None:
    ending = Ending(kind, detail="in this test", code=1 if kind is Kind.EXITED else None)
    host = Host(environ={}, root=tmp_path, system="Linux", run=lambda *_, **__: ending)
    assert reasons(Wanted(), host)


def test_elsewhere_than_linux_and_windows_gpus_are_not_covered(fake_driver: FakeDriver) -> None:
    host = fake_driver("", {}, system="Darwin")
    assert "GPUs are not covered on Darwin" in examine(Wanted(), host, NOW).line()
    assert "1 GPU is expected (--gpus 1), and GPUs are not covered on Darwin" in reasons(Wanted(gpus=1), host)


# --- how many are expected


@pytest.mark.parametrize(
    ("environ", "there", "count"),
    [
        ({}, 0, None),
        ({}, 2, 2),
        ({"NVIDIA_VISIBLE_DEVICES": "all"}, 0, 1),
        ({"NVIDIA_VISIBLE_DEVICES": "void"}, 0, None),
        ({"NVIDIA_VISIBLE_DEVICES": "none"}, 1, 1),
        ({"NVIDIA_VISIBLE_DEVICES": ""}, 0, None),
        ({"NVIDIA_VISIBLE_DEVICES": "0,3"}, 0, 2),
        ({"NVIDIA_VISIBLE_DEVICES": f"{UUIDS[0]},{UUIDS[1]}"}, 0, 2),
        ({"NVIDIA_VISIBLE_DEVICES": "nvidia.com/gpu=0"}, 0, 1),
        ({"NVIDIA_VISIBLE_DEVICES": "1:0,1:1"}, 0, 1),
        ({"NVIDIA_VISIBLE_DEVICES": "/var/run/nvidia-container-devices"}, 0, 1),
        ({"CUDA_VISIBLE_DEVICES": "", "NVIDIA_VISIBLE_DEVICES": "all"}, 4, 0),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, 4, 0),
        ({"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, 4, 0),
        ({"CUDA_VISIBLE_DEVICES": "0"}, 4, 1),
        ({"CUDA_VISIBLE_DEVICES": "2,3"}, 0, 4),
        ({"CUDA_VISIBLE_DEVICES": "0,1,-1,2"}, 0, 2),
        ({"CUDA_VISIBLE_DEVICES": f"{UUIDS[0]}, {UUIDS[1]}"}, 0, 2),
        ({"CUDA_VISIBLE_DEVICES": "MIG-1,MIG-2"}, 0, 1),
    ],
)
def test_what_says_how_many(environ: dict[str, str], there: int, count: int | None) -> None:
    found = expected(None, None, environ, [f"/dev/nvidia{each}" for each in range(there)])
    assert (found and found.count) == count
    assert expected(3, None, environ, []) == Expected(3, "--gpus 3", each=True)


def test_the_state_file_says_how_many() -> None:
    environ = {"NVIDIA_VISIBLE_DEVICES": "all"}
    eight = expected(None, dataclasses.replace(GOOD, gpus=UUIDS), environ, [])
    assert eight is not None
    assert eight.count == 8
    for gpus in ((), None):  # a smoke run without a GPU does not take back that one is wanted
        assert expected(None, dataclasses.replace(GOOD, gpus=gpus), environ, []) == Expected(
            1, "NVIDIA_VISIBLE_DEVICES=all"
        )
    on_purpose = dataclasses.replace(GOOD, gpus=None, wanted="cpu")
    assert expected(None, on_purpose, environ, []) == Expected(
        0, "the smoke run in the state file was asked for the CPU"
    )


@pytest.mark.parametrize(
    ("cuda", "gpus", "words"),
    [
        ("-1", 1, "1 GPU is expected (--gpus 1), and CUDA_VISIBLE_DEVICES=-1 leaves none of 2 to a program"),
        ("0", 2, "2 GPUs are expected (--gpus 2), and CUDA_VISIBLE_DEVICES=0 leaves 1 of 2 to a program"),
        ("0", 1, ""),
        ("MIG-x", 2, ""),
        ("0,0", None, "1 GPU is expected (CUDA_VISIBLE_DEVICES=0,0), and CUDA_VISIBLE_DEVICES=0,0 leaves none of 2"),
        ("4", None, "5 GPUs are expected (CUDA_VISIBLE_DEVICES=4), and 2 answer"),
        (f"{UUIDS[0]},GPU-ffff", None, "CUDA_VISIBLE_DEVICES names GPU-ffff, and no GPU here has that UUID"),
    ],
)
def test_what_cuda_visible_devices_hides(cuda: str, gpus: int | None, words: str, fake_driver: FakeDriver) -> None:
    found = reasons(Wanted(gpus=gpus), fake_driver("count=2", nodes(2), {"CUDA_VISIBLE_DEVICES": cuda}))
    assert found.startswith(words) if words else found == ""


# --- the last smoke run


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"when": "2027-01-14T07:00:00Z"}, "the last smoke run is 25 hours old, and 24 hours are accepted (--max-age)"),
        ({"when": "2027-01-15T08:04:00Z"}, ""),
        ({"when": "2027-01-15T09:00:00Z"}, "is dated 60 minutes in the future (2027-01-15T09:00:00Z): set the clock, then run"),
        ({"smoke": "failed", "reason": "SMK105: no", "exit_code": 1}, "the last smoke run, 60 minutes ago, failed (SMK105: no)"),
        ({"smoke": "not run", "reason": "--no-smoke"}, "the last run made no smoke run (--no-smoke)"),
        ({"exit_code": 1}, "the last run, 60 minutes ago, ended with exit code 1"),
        ({"device": "CPU:0"}, "and the last smoke run trained on CPU:0: run `envcheck smoke --device gpu --state"),
        ({"gpus": UUIDS[1:2]}, f"{UUIDS[1]} of the last smoke run is not here any more"),
        ({"gpus": UUIDS[:2]}, "2 GPUs are expected (as the smoke run in the state file had), and 1 answers"),
        ({"gpus": ()}, f"{UUIDS[0]} is here and was not when the last smoke run was made"),
        (
            {"packages": (Package("tensorflow", "2.20.0", "/gone/tensorflow-2.20.0.dist-info"),)},
            "tensorflow 2.20.0, with which the last smoke run was made, is no longer installed",
        ),
    ],
)  # fmt: skip
def test_the_last_smoke_run(changes: dict[str, Any], words: str, fake_driver: FakeDriver, tmp_path: Path) -> None:
    state = recorded(tmp_path, **changes)
    found = reasons(Wanted(state=state), fake_driver("", nodes(1)))
    assert words in found if words else found == ""
    assert not words or found.endswith(f"run `envcheck smoke --device gpu --state {state}`")


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"[]", b"{}", b'{"smoke": "ok"}', b"[" * 100_000])
def test_a_state_file_that_is_none(content: bytes | None, fake_driver: FakeDriver, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    if content is not None:
        file.write_bytes(content)
    found = reasons(Wanted(state=str(file)), fake_driver("", nodes(1)))
    assert found.startswith(f"the state file {file} ")
    assert found.endswith(f": run `envcheck smoke --state {file}`")


# --- the line


@given(st.lists(st.text(), max_size=5), st.lists(st.text(max_size=20_000), max_size=3), st.booleans())
def test_the_line_is_one_and_short(reasons: list[str], seen: list[str], wide: bool) -> None:
    verdict = Verdict(tuple(reasons), tuple(seen), ("\N{GRINNING FACE}" * 5000,) if wide else ())
    for line in (verdict.line(), verdict.json()):
        assert len(line.encode("utf-8")) <= MOST < 4096
        assert "\n" not in line
        assert "\r" not in line
    assert json.loads(verdict.json())["healthy"] is verdict.healthy


def test_a_hundred_gpus_with_a_fault_each_stay_below_4096_bytes(fake_driver: FakeDriver) -> None:
    lost = " ".join(f"nvmlDeviceGetHandleByIndex_v2@{index}={1 + index % 14}" for index in range(60))
    line = examine(Wanted(gpus=60), fake_driver(f"count=60 {lost}", nodes(60)), NOW).line()
    assert line.startswith("unhealthy: 60 GPUs are expected (--gpus 60), and none answers")
    assert len(line.encode()) < 4096


# --- the program


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--gpus", "many"), "Invalid value for '--gpus'"),
        (("--no-such-option",), "No such option"),
        (("extra",), "unexpected extra argument"),
        (("--timeout", "nan"), "'nan' is no time from 1s to 366d"),
        (("--timeout", "0s"), "'0s' is no time from 1s to 366d"),
        (("--max-age", "1h"), "--max-age is the age of what --state FILE recorded"),
        (("--state", ""), "--state is given and names no file"),
        (("--gpus", "0", "--min-free-memory", "1GiB"), "--gpus 0 contradicts --min-free-memory"),
        (("--min-free-memory", "much"), "'much' is no amount of memory"),
    ],
)
def test_wrong_usage_exits_with_1_since_docker_reserves_2(arguments: tuple[str, ...], words: str) -> None:
    done = envcheck(*arguments)
    assert done.returncode == 1
    assert done.stdout.startswith("unhealthy: this health check cannot be made: ")
    assert words in done.stdout
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_exit_codes(nvml_folder: Path, tmp_path: Path) -> None:
    variables = {"LD_LIBRARY_PATH": str(nvml_folder), "FAKE_NVML": "count=2"}
    done = envcheck("--gpus", "2", "--min-free-memory", "8GiB", **variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("healthy: 2 GPUs answer, 2 expected (--gpus 2), 79.5 GiB free on each at least")
    done = envcheck("--gpus", "3", "-f", "json", **variables)
    assert done.returncode == 1
    assert json.loads(done.stdout)["healthy"] is False
    assert envcheck("--help").returncode == 0


def test_a_driver_that_hangs_is_given_up_before_the_timeout(nvml_folder: Path) -> None:
    start = time.monotonic()
    done = envcheck("--timeout", "3s", LD_LIBRARY_PATH=str(nvml_folder), FAKE_NVML="hang=nvmlInitWithFlags")
    assert time.monotonic() - start < 3.0
    assert done.returncode == 1
    assert "NVML did not answer in nvmlInit" in done.stdout


HANGING = """
import sys, time
from envcheck.commands.healthcheck import looking
from envcheck.host import Host
def stuck(*_, **__):
    time.sleep(60)
with looking.ended_by(0.3, lambda: sys.stdout.write("given up\\n") and sys.stdout.flush()):
    looking.examine(looking.Wanted(), Host(environ={}, system="Linux", run=stuck))
"""


def test_what_hangs_in_its_own_process_is_ended_too() -> None:
    done = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (1, "given up\n")


def test_a_signal_ends_it_as_the_shell_has_it(nvml_folder: Path) -> None:
    environ = {**os.environ, "LD_LIBRARY_PATH": str(nvml_folder), "FAKE_NVML": "hang=nvmlInitWithFlags"}
    command = [sys.executable, "-m", "envcheck", "healthcheck", "--timeout", "60s"]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        status = Path(f"/proc/{process.pid}/status")  # proc_pid_status(5): the signals that are caught
        while not int(status.read_text().partition("SigCgt:")[2].split()[0], 16) >> (signal.SIGTERM - 1) & 1:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 143


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_where_nobody_can_read_it_the_exit_code_stands() -> None:
    command = [sys.executable, "-m", "envcheck", "healthcheck", "--gpus", "0"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    closed = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *command], stderr=subprocess.PIPE, check=False)
    assert (closed.returncode, closed.stderr) == (0, b"")


def test_it_loads_little(nvml_folder: Path, tmp_path: Path) -> None:
    state = recorded(tmp_path, when=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    code = (
        "import sys\nfrom envcheck.cli import group\n"
        f"code = group.main(['healthcheck', '--state', {state!r}], standalone_mode=False)\n"
        "heavy = ('yaml', 'rich', 'msgspec', 'importlib_metadata', 'importlib.metadata', 'packaging', 'pynvml', 'tensorflow',"
        " 'keras', 'numpy', 'asyncio', 'email', 'envcheck.registry', 'envcheck.engine', 'envcheck.knowledge',"
        " 'envcheck.source', 'envcheck.commands.judging')\n"
        "sys.exit(str([name for name in heavy if name in sys.modules] or code))"
    )
    environ = {**os.environ, "LD_LIBRARY_PATH": str(nvml_folder), "FAKE_NVML": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environ)
    assert done.stderr == "0\n", done.stdout
