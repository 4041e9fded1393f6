"""Every way in which a child can end, with real children; what is left behind; what is seen meanwhile."""

from __future__ import annotations

import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envcheck.target import runner
from envcheck.target.runner import Ending, Kind, run, run_script

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the children are shell scripts")

DONE = """echo '{"done": true}' >> "$ANSWER"\n"""


@pytest.fixture
def sh(tmp_path: Path) -> Callable[..., Ending]:
    """Run a shell script that finds the path of its answer in ``$ANSWER``."""

    def start(script: str, *, deadline: float = 20.0, **more: Any) -> Ending:
        answer = tmp_path / "answer.jsonl"
        environ = {"PATH": os.environ["PATH"], "ANSWER": str(answer), "HERE": str(tmp_path)}
        return run(["/bin/sh", "-c", script], answer, deadline=deadline, environ=environ, cwd=str(tmp_path), **more)

    return start


def is_gone(pid: int, within: float = 5.0) -> bool:
    """Whether a process has ended; a zombie that nobody collects has ended too."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
            status = Path(f"/proc/{pid}/stat")
            if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False


# --- the kinds of ending


def test_answered(sh: Callable[..., Ending]) -> None:
    ending = sh(
        """echo '{"a": 1}' > "$ANSWER"; echo '{"b": [2]}' >> "$ANSWER"\n""" + DONE + "echo said; echo aside >&2"
    )
    assert ending.kind is Kind.ANSWERED
    assert ending.answered
    assert ending.records == ({"a": 1}, {"b": [2]})
    assert ending.output == "said\naside\n"
    assert (ending.code, ending.signal) == (None, None)


@pytest.mark.parametrize(("last", "code", "signal"), [("exit 3", 3, None), ("kill -SEGV $$", None, "SIGSEGV")])
def test_answered_and_then_crashed(sh: Callable[..., Ending], last: str, code: int | None, signal: str | None) -> None:
    ending = sh(DONE + last)
    assert ending.answered
    assert (ending.code, ending.signal) == (code, signal)


def test_exited(sh: Callable[..., Ending]) -> None:
    ending = sh("""echo '{"a": 1}' > "$ANSWER"; echo reason; exit 7""")
    assert (ending.kind, ending.code, ending.signal) == (Kind.EXITED, 7, None)
    assert ending.records == ({"a": 1},)
    assert ending.output == "reason\n"
    assert ending.words() == "ended with exit code 7"


@pytest.mark.parametrize("name", ["ILL", "SEGV", "ABRT", "KILL", "BUS", "FPE", "TERM"])
def test_signalled(sh: Callable[..., Ending], name: str) -> None:
    ending = sh(f"ulimit -c 0; kill -{name} $$")
    assert (ending.kind, ending.signal) == (Kind.SIGNALLED, f"SIG{name}")
    assert f"SIG{name}" in ending.words()


def test_a_shell_s_way_of_reporting_a_signal(sh: Callable[..., Ending]) -> None:
    ending = sh("exit 132")
    assert (ending.kind, ending.signal) == (Kind.SIGNALLED, "SIGILL")


def test_an_exit_code_above_128_that_is_no_signal(sh: Callable[..., Ending]) -> None:
    ending = sh("exit 255")
    assert (ending.kind, ending.code) == (Kind.EXITED, 255)


def test_timed_out_with_all_that_it_started(sh: Callable[..., Ending], tmp_path: Path) -> None:
    script = """echo '{"a": 1}' > "$ANSWER"
        (trap '' TERM HUP; sleep 60 & echo $! > "$HERE/grandchild"; wait) & echo $! > "$HERE/child"; echo waiting; wait"""
    ending = sh(script, deadline=0.5)
    assert ending.kind is Kind.TIMED_OUT
    assert ending.records == ({"a": 1},)
    assert ending.output == "waiting\n"
    assert 0.5 <= ending.seconds < 5
    assert "was killed" in ending.words()
    for name in ("child", "grandchild"):
        assert is_gone(int((tmp_path / name).read_text()))


def test_an_answer_does_not_excuse_a_hang(sh: Callable[..., Ending]) -> None:
    ending = sh("""echo '{"a": 1}' > "$ANSWER"\n""" + DONE + "sleep 60", deadline=0.5)
    assert ending.kind is Kind.TIMED_OUT
    assert ending.records == ({"a": 1},)


def test_what_outlives_its_parent_is_ended(sh: Callable[..., Ending], tmp_path: Path) -> None:
    ending = sh('sleep 60 & echo $! > "$HERE/left"\n' + DONE)
    assert ending.answered
    assert ending.seconds < 10
    assert is_gone(int((tmp_path / "left").read_text()))


def test_unkillable(sh: Callable[..., Ending]) -> None:
    left: list[Any] = []
    try:
        ending = sh("sleep 60", deadline=0.2, kill=left.append, grace=0.2)
        assert ending.kind is Kind.UNKILLABLE
        assert ending.seconds < 5
        assert "could not be killed" in ending.words()
    finally:
        for process in left:
            runner.kill_group(process)
            process.wait()


def test_no_answer(sh: Callable[..., Ending]) -> None:
    assert sh("echo nothing to say").kind is Kind.NO_ANSWER
    assert sh("""echo '{"a": 1}' > "$ANSWER" """).kind is Kind.NO_ANSWER


@pytest.mark.parametrize(
    "content",
    ["hello", "", "[1]", "null", '{"a": }', "'" * 3, '{"a": 1} {"b": 2}', "[" * 100_000],
    ids=["word", "blank", "list", "null", "broken", "quotes", "two", "deep"],
)
def test_unparsable(tmp_path: Path, content: str) -> None:
    answer = tmp_path / "answer.jsonl"
    answer.write_text(f'{{"first": 1}}\n{content}\n{{"done": true}}\n')
    ending = run(["/bin/sh", "-c", ":"], answer, deadline=20, environ={})
    assert ending.kind is Kind.UNPARSABLE
    assert ending.records == ({"first": 1},)
    assert ending.detail
    assert "\n" not in ending.words()


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    answer = tmp_path / "answer.jsonl"
    answer.write_bytes(b'{"a": "\xff\xfe"}\n{"done": true}\n')
    assert run(["/bin/sh", "-c", "printf '\\377'"], answer, deadline=20, environ={}).kind is Kind.UNPARSABLE


def test_lone_surrogates_become_text_that_can_be_written(tmp_path: Path) -> None:
    answer = tmp_path / "answer.jsonl"
    answer.write_text('{"path": "/caf\\udce9", "smile": "\\ud83d\\ude00"}\n{"done": true}\n')
    (record,) = run(["/bin/sh", "-c", ":"], answer, deadline=20, environ={}).records
    assert record == {"path": "/caf?", "smile": "\N{GRINNING FACE}"}


def test_cut_short(sh: Callable[..., Ending]) -> None:
    ending = sh("""printf '{"a": 1}\\n{"b": ' > "$ANSWER" """)
    assert (ending.kind, ending.detail) == (Kind.UNPARSABLE, "its last line is cut short")
    assert ending.records == ({"a": 1},)


def test_what_comes_after_the_end_is_not_read(sh: Callable[..., Ending]) -> None:
    ending = sh(DONE + """echo garbage >> "$ANSWER"; echo '{"late": 1}' >> "$ANSWER" """)
    assert ending.answered
    assert ending.records == ()


@pytest.mark.parametrize("kind", ["missing", "folder", "not executable", "no program", "no folder", "zero byte"])
def test_not_started(tmp_path: Path, kind: str) -> None:
    plain, garbage = tmp_path / "plain", tmp_path / "garbage"
    plain.write_text("#!/bin/sh\n")
    garbage.write_bytes(b"\0\1\2")
    garbage.chmod(0o755)
    command = {
        "missing": str(tmp_path / "missing"),
        "folder": str(tmp_path),
        "not executable": str(plain),
        "no program": str(garbage),
        "no folder": "/bin/sh",
        "zero byte": "/bin/\0sh",
    }[kind]
    cwd = str(tmp_path / "missing") if kind == "no folder" else None
    ending = run([command], tmp_path / "answer", deadline=20, environ={}, cwd=cwd)
    assert ending.kind is Kind.NOT_STARTED
    assert ending.words().startswith("could not be started: ")
    assert ending.detail


def test_every_kind_has_words() -> None:
    for kind in Kind:
        assert Ending(kind, signal="SIGUSR1", detail="why").words().strip()


# --- output and records


def test_output_without_end_neither_blocks_nor_fills_memory(sh: Callable[..., Ending]) -> None:
    tracemalloc.start()
    try:
        ending = sh("head -c 50000000 /dev/zero | tr '\\0' x; echo; echo the end\n" + DONE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert ending.answered
    assert ending.output.endswith("x\nthe end\n")
    assert len(ending.output) == runner.TAIL
    assert peak < 4 * 1024 * 1024


def test_an_answer_without_end_is_cut(sh: Callable[..., Ending], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "MAX_ANSWER", 1000)
    ending = sh("""yes '{"a": 1}' | head -n 500 > "$ANSWER"\n""" + DONE)
    assert ending.kind is Kind.UNPARSABLE
    assert len(ending.records) == 1000 // len('{"a": 1}\n')


def test_records_are_seen_as_they_come(sh: Callable[..., Ending], tmp_path: Path) -> None:
    seen: list[Any] = []

    def on_record(record: Any) -> None:
        seen.append(record)
        (tmp_path / f"saw{len(seen)}").touch()

    script = """
        for n in 1 2; do
            printf '{"n": ' >> "$ANSWER"; sleep 0.05; echo "$n}" >> "$ANSWER"
            while [ ! -e "$HERE/saw$n" ]; do sleep 0.02; done
        done
    """
    ending = sh(script + DONE, on_record=on_record)  # the child goes on only when its record was seen
    assert ending.answered
    assert seen == [{"n": 1}, {"n": 2}]


def test_an_interruption_ends_the_child(sh: Callable[..., Ending], tmp_path: Path) -> None:
    def interrupt(_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sh("""echo $$ > "$HERE/pid"; echo '{"a": 1}' > "$ANSWER"; sleep 60""", on_record=interrupt)
    assert is_gone(int((tmp_path / "pid").read_text()))


# --- scripts


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which temporary folders are made."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def interpreter(tmp_path: Path, script: str) -> str:
    """A program that is started as if it were Python: ``-B SCRIPT ANSWER REQUEST``."""
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("""cat "$4" > "$3"; echo >> "$3"; echo '{"done": true}' >> "$3" """, Kind.ANSWERED),
        ("kill -KILL $$", Kind.SIGNALLED),
        ("exit 1", Kind.EXITED),
        (":", Kind.NO_ANSWER),
        ("sleep 60", Kind.TIMED_OUT),
        ("""mkdir -p "$(dirname "$3")/deep/er"; touch "$(dirname "$3")/deep/er/file" """, Kind.NO_ANSWER),
        ("""rm -r "$(dirname "$3")" """, Kind.NO_ANSWER),
    ],
)
def test_a_script_leaves_nothing_behind(tmp_path: Path, temporary: Path, script: str, kind: Kind) -> None:
    python = interpreter(tmp_path, script)
    ending = run_script(python, "describe", {"x": 1}, deadline=0.7, environ=os.environ, cwd=str(tmp_path))
    assert ending.kind is kind
    assert list(temporary.iterdir()) == []
    if kind is Kind.ANSWERED:
        (request,) = ending.records
        assert request.pop("folder").startswith(str(temporary))
        assert request == {"x": 1, "deadline": 0.7, "cwd": str(tmp_path)}


def test_no_place_for_temporary_files(tmp_path: Path, temporary: Path) -> None:
    temporary.rmdir()
    ending = run_script(sys.executable, "describe", {}, deadline=20, environ=os.environ)
    assert ending.kind is Kind.NOT_STARTED
    assert str(temporary) in ending.detail


def test_looking_writes_no_bytecode(tmp_path: Path, temporary: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import beside\n")
    (tmp_path / "beside.py").write_text("")
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    assert run_script(sys.executable, "describe", {}, deadline=60, environ=environ).answered
    assert not (tmp_path / "__pycache__").exists()
