"""The state file: written in one step, read defensively, and true to what the run found."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import gpu_literals
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from literals import distribution, packages

from envcheck.commands.recording import recorded
from envcheck.commands.state import Package, State, UnusableStateError, check_state, read_state, write_state
from envcheck.engine import Facts
from envcheck.errors import UsageError
from envcheck.findings import Finding, Outcome, Severity, Status
from envcheck.inventory import Unavailable
from envcheck.probes.gpu import GpuFacts
from envcheck.registry import probes

SCHEMA = json.loads((Path(__file__).parents[2] / "envcheck/schemas/state.schema.json").read_text("utf-8"))
STATE = State(
    "2026-11-21T12:00:00Z",
    0,
    "ok",
    device="GPU:0",
    gpus=("GPU-1",),
    packages=(Package("tensorflow", "2.21.0", "/site/tensorflow-2.21.0.dist-info"),),
    tool_version="0.1.0",
)
times = st.datetimes().map(lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0"))
states = st.builds(
    State,
    when=times,
    exit_code=st.integers(),
    smoke=st.sampled_from(["ok", "failed", "not run"]),
    gpus=st.none() | st.lists(st.text()).map(tuple),
    packages=st.lists(st.builds(Package, st.text(), st.text(), st.text())).map(tuple),
)


@given(states)
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, state: State) -> None:
    file = str(tmp_path_factory.getbasetemp() / "round-trip.json")
    write_state(file, state)
    assert read_state(file) == state
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(Path(file).read_text("utf-8")))


@given(st.binary() | st.recursive(st.none() | st.floats() | st.text(), lambda inner: st.dictionaries(st.sampled_from(
    ["when", "exit_code", "smoke", "gpus", "packages", "schema_version", "name"]), inner | st.lists(inner))).map(
    lambda value: json.dumps(value).encode()
))  # fmt: skip
def test_no_bytes_are_more_than_unusable(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.json"
    file.write_bytes(content)
    with pytest.raises(UnusableStateError):
        read_state(str(file))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema_version": 2, "smoke": "in words of tomorrow"}, "newer envcheck (schema 2, this one reads 1)"),
        ({"when": "yesterday"}, "no state of envcheck"),
        ({"exit_code": float("inf")}, "no state of envcheck"),
        ({"gpus": "GPU-1"}, "a list is expected, not str"),
        ({"device": 7}, "text is expected, not int"),
    ],
)
def test_what_says_nothing_that_can_be_used(changes: dict[str, object], words: str, tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text(json.dumps({**dataclasses.asdict(STATE), **changes}))
    with pytest.raises(UnusableStateError) as caught:
        read_state(str(file))
    assert words in str(caught.value)


def test_keys_of_a_later_envcheck_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text(json.dumps({**dataclasses.asdict(STATE), "mood": "good"}))
    assert read_state(str(file)) == STATE


def test_files_that_are_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "large").write_bytes(b" " * (2 << 20))
    for name, words in (
        ("pipe", "no ordinary file"),
        ("gone", "No such file"),
        ("loop", "symbolic links"),
        ("large", "larger than 1 MiB"),
        ("", "no ordinary file"),
        ("a\0b", "no name of a file"),
    ):
        with pytest.raises(UnusableStateError, match=words):
            read_state(str(tmp_path / name))


def test_where_none_can_be_written(tmp_path: Path) -> None:
    check_state(None)
    check_state(str(tmp_path / "new.json"))
    for name, words in (
        ("gone/state.json", "there is no folder"),
        ("", "no ordinary file"),
        ("new/", "no ordinary file"),
        ("/dev/null", "no ordinary file"),
        ("a\0b", "null"),
    ):
        with pytest.raises(UsageError, match=words):
            check_state(str(tmp_path / name) + ("/" if name.endswith("/") else ""))
    with pytest.raises(UsageError, match=r"cannot write .*gone/state.json: No such file"):
        write_state(str(tmp_path / "gone/state.json"), STATE)


def test_a_link_stays_and_nothing_is_left_beside(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    link = tmp_path / "state.json"
    link.symlink_to("data/real.json")
    for code in (0, 1):
        write_state(str(link), dataclasses.replace(STATE, exit_code=code))
        assert link.is_symlink()
        assert read_state(str(link)).exit_code == code
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["real.json"]


def test_a_reader_never_sees_a_part(tmp_path: Path) -> None:
    file = str(tmp_path / "state.json")
    sizes = (0, 3000)
    write_state(file, STATE)
    seen, stop = set(), threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.add(len(read_state(file).reason))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for turn in range(100):
            write_state(file, dataclasses.replace(STATE, reason="x" * sizes[turn % 2]))
    finally:
        stop.set()
        reader.join()
    assert seen <= set(sizes)
    assert seen


# --- what is recorded


def facts(**changes: object) -> Facts:
    tensorflow = gpu_literals.tensorflow()
    dist = distribution("tensorflow", tensorflow.version, location=tensorflow.location, modules=("tensorflow",))
    known: dict[str, object] = {
        "smoke": dataclasses.replace(gpu_literals.smoke("GPU:0"), versions={"tensorflow": "2.21.0"}),
        "gpu": GpuFacts(1, (gpu_literals.device(),)),
        "driver": gpu_literals.driver(),
        "tensorflow": tensorflow,
        "packages": packages(dist),
        **changes,
    }
    return Facts({name: fact for name, fact in known.items() if fact is not None}, probes())


def test_a_run_that_went_well() -> None:
    state = recorded(facts(), (), 0, STATE.when)
    assert (state.smoke, state.reason, state.device) == ("ok", "", "GPU:0")
    assert state.gpus == (gpu_literals.device().uuid,)
    assert [package.name for package in state.packages] == ["tensorflow"]
    assert state.packages[0].metadata.endswith("/tensorflow-2.21.0.dist-info")


def test_the_device_is_that_of_the_training() -> None:
    smoke = gpu_literals.smoke("CPU:0")
    mixed = tuple(dataclasses.replace(step, device="GPU:1") if step.name == "fit" else step for step in smoke.steps)
    for steps, device in ((mixed, "GPU:1"), (mixed[:1], "CPU:0"), ((), "")):
        state = recorded(facts(smoke=dataclasses.replace(smoke, steps=steps)), (), 0, STATE.when)
        assert state.device == device


def test_a_run_that_failed() -> None:
    finding = Finding("Training failed: no")
    outcome = Outcome("SMK105", "It trains", Severity.ERROR, Status.FAILED, None, 0.1, (finding,))
    state = recorded(facts(), (outcome,), 1, STATE.when)
    assert (state.smoke, state.reason, state.exit_code) == ("failed", "SMK105: Training failed: no", 1)
    broken = gpu_literals.smoke("GPU:0")
    steps = tuple(dataclasses.replace(step, status="hung", message="too long") for step in broken.steps)
    state = recorded(facts(smoke=dataclasses.replace(broken, steps=steps)), (), 0, STATE.when)
    assert (state.smoke, state.reason) == ("failed", "the step import: hung, too long")


def test_a_run_that_was_not_made() -> None:
    for smoke, reason in ((None, "it was not asked for"), (Unavailable("--no-smoke"), "--no-smoke")):
        state = recorded(facts(smoke=smoke), (), 0, STATE.when)
        assert (state.smoke, state.reason, state.packages) == ("not run", reason, ())
    assert recorded(facts(gpu=Unavailable("the driver reports no GPU", absent=True)), (), 0, STATE.when).gpus == ()
    assert recorded(facts(gpu=Unavailable("NVML hangs")), (), 0, STATE.when).gpus is None


def envcheck(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "envcheck", *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def test_the_command_line(tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    file = str(tmp_path / "state.json")
    done = envcheck("doctor", "--no-smoke", "--python", str(environment), "--state", file)
    state = read_state(file)
    assert (state.exit_code, state.smoke) == (done.returncode, "not run")
    assert state.reason.startswith("--no-smoke")
    done = envcheck("smoke", "--python", str(environment), "--state", file)
    assert read_state(file).smoke == "not run"
    assert "neither TensorFlow nor Keras is installed" in read_state(file).reason
    done = envcheck("healthcheck", "--gpus", "0", "--state", file)
    assert done.returncode == 1
    assert "the last run made no smoke run (neither TensorFlow nor Keras is installed" in done.stdout
    for arguments, words in (
        (("doctor", "--from", file, "--state", file), "--state records what is found here"),
        (("doctor", "--state", str(tmp_path)), "no ordinary file"),
        (("doctor", "--no-smoke", "-o", f"{tmp_path}/reports/"), f"cannot write {tmp_path}/reports/: Is a directory"),
        (("inventory", "-o", f"{tmp_path}/reports/"), f"cannot write {tmp_path}/reports/: Is a directory"),
    ):
        done = envcheck(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "reports").exists()
