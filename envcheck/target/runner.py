"""Runs a script in another interpreter: a deadline, its own process group, the answer through a file.

Whatever happens over there, a crash by signal, a hang, garbage, a non-zero exit, is a *value* with a name here, never
an exception.
"""

from __future__ import annotations

import collections
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from envcheck.target.ending import Ending, Kind, Record

__all__ = ["Child", "Ending", "Kind", "Record", "run", "run_script", "start", "start_script"]

GRACE = 5.0
"""Seconds that a killed child may take to disappear; after that it is blocked in the kernel or a driver."""
TAIL = 64 * 1024
"""Bytes of the child's output that are kept: the end of it, where the reason stands."""
MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer that are read at most."""


def script_path(script: str) -> Path:
    """The file of the script called ``script``."""
    return Path(__file__).with_name(f"{script}.py")


def start_script(
    python: str,
    script: str,
    request: Mapping[str, object],
    *,
    deadline: float,
    environ: Mapping[str, str],
    cwd: str | None = None,
    on_record: Callable[[Record], None] | None = None,
    flags: str = "",
    grace: float = GRACE,
) -> Child | Ending:
    """Start ``python SCRIPT ANSWER REQUEST`` with a temporary folder of its own; an Ending when that failed.

    It has ``deadline`` seconds from now, and ``grace`` seconds more to disappear once it is killed. ``on_record`` sees each
    line of the answer as soon as it is there. ``flags`` are further one-letter options of Python, such as ``S``.
    """
    try:
        # Errors of the clean-up are passed over: a child that cannot be killed may still be writing there.
        temporary = tempfile.TemporaryDirectory(prefix="envcheck-", ignore_cleanup_errors=True)
    except OSError as error:  # a container with a read-only root has no place for temporary files
        return Ending(Kind.NOT_STARTED, detail=f"there is no place for temporary files ({error})")
    folder = temporary.name
    answer, asked = Path(folder, "answer.jsonl"), Path(folder, "request.json")
    asked.write_text(json.dumps({**request, "deadline": deadline, "folder": folder, "cwd": cwd}), "utf-8")
    # -B: looking at an environment must not write into it.
    command = [python, f"-B{flags}", str(script_path(script)), str(answer), str(asked)]
    child = start(command, answer, deadline=deadline, environ=environ, cwd=cwd, on_record=on_record, grace=grace)
    if isinstance(child, Ending):
        temporary.cleanup()
    else:
        child.temporary = temporary
    return child


def run_script(python: str, script: str, request: Mapping[str, object], **options: Any) -> Ending:
    """Start a script as :func:`start_script` does, and wait for its ending.

    Nothing is left behind: no file, and no process but one that even SIGKILL cannot end.
    """
    child = start_script(python, script, request, **options)
    return child if isinstance(child, Ending) else child.finish()


def run(command: Sequence[str], answer: Path, **options: Any) -> Ending:
    """Start ``command`` as :func:`start` does, and wait for it."""
    child = start(command, answer, **options)
    return child if isinstance(child, Ending) else child.finish()


def start(
    command: Sequence[str],
    answer: Path,
    *,
    deadline: float,
    environ: Mapping[str, str],
    cwd: str | None = None,
    on_record: Callable[[Record], None] | None = None,
    kill: Callable[[subprocess.Popen[bytes]], None] | None = None,
    grace: float = GRACE,
) -> Child | Ending:
    """Start ``command`` in a process group of its own; it answers with JSON Lines in the file ``answer``."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environ),
            cwd=cwd,
            **_own_group(),
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Ending(Kind.NOT_STARTED, detail=reason)
    return Child(process, _AnswerReader(answer, on_record), deadline, kill or kill_group, grace)


class Child:
    """A child that was started: :meth:`finish` waits for its ending, :meth:`close` ends it unasked."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: _AnswerReader,
        deadline: float,
        kill: Callable[[subprocess.Popen[bytes]], None],
        grace: float,
    ) -> None:
        assert process.stdout is not None
        self.temporary: tempfile.TemporaryDirectory[str] | None = None
        self._process = process
        self._reader = reader
        self._tail = _Tail(process.stdout)
        self._start = time.monotonic()
        self._deadline = deadline
        self._kill = kill
        self._grace = grace
        self._gone = False

    def finish(self) -> Ending:
        """Wait until it ended, at most until its deadline, counted from its start; then end what is left of it."""
        timed_out = True
        try:
            timed_out = not _wait(self._process, self._start + self._deadline, self._reader)
        finally:
            self.close()
        return self._ending(timed_out)

    def close(self) -> None:
        """End it and all that it started, and remove its folder. Harmless when that is done."""
        try:
            self._kill(self._process)
            self._gone = _wait(self._process, time.monotonic() + self._grace, self._reader)
            self._reader.poll()
        finally:
            if self.temporary is not None:
                self.temporary.cleanup()

    def _ending(self, timed_out: bool) -> Ending:
        output = self._tail.text(min(1.0, self._grace))
        seconds = time.monotonic() - self._start
        records, complete, trouble = self._reader.finish()

        def ending(kind: Kind, **rest: Any) -> Ending:
            return Ending(kind, records, output=output, seconds=seconds, **rest)

        code = self._process.returncode
        if complete and not timed_out:
            return ending(Kind.ANSWERED, code=code if code and code > 0 else None, signal=_signal_name(code))
        if timed_out:
            return ending(Kind.TIMED_OUT if self._gone else Kind.UNKILLABLE)
        if _signal_name(code):
            return ending(Kind.SIGNALLED, signal=_signal_name(code))
        if trouble:
            return ending(Kind.UNPARSABLE, detail=trouble)
        if code:
            return ending(Kind.EXITED, code=code)
        return ending(Kind.NO_ANSWER)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the child and all that it started. Harmless when it is gone already."""
    if sys.platform == "win32":
        try:
            subprocess.run(
                ["taskkill", "/T", "/F", "/PID", str(process.pid)],  # noqa: S607 - a system tool
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
                timeout=GRACE,
            )
        except (OSError, subprocess.TimeoutExpired):
            process.kill()
    else:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
            return


def _own_group() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _wait(process: subprocess.Popen[bytes], until: float, reader: _AnswerReader) -> bool:
    """Wait for the child until the time ``until``; whether it ended."""
    pause = 0.001
    while True:
        try:
            process.wait(timeout=max(0.0, min(pause, until - time.monotonic())))
            return True
        except subprocess.TimeoutExpired:
            reader.poll()
            if time.monotonic() >= until:
                return False
            pause = min(pause * 2, 0.05)


def _signal_name(code: int | None) -> str | None:
    """The signal behind a return code: Python says -4, a shell or ``env`` wrapper in between says 132."""
    if code is None or (0 <= code <= 128) or sys.platform == "win32":
        return None
    try:
        return signal.Signals(-code if code < 0 else code - 128).name
    except ValueError:
        return None


class _Tail:
    """Drains a pipe in a thread and keeps the end of it, so that a child can neither block nor fill our memory."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._chunks: collections.deque[bytes] = collections.deque()
        self._size = 0
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        with self._pipe:
            while chunk := os.read(self._pipe.fileno(), 65536):
                self._chunks.append(chunk)
                self._size += len(chunk)
                while len(self._chunks) > 1 and self._size - len(self._chunks[0]) >= TAIL:
                    self._size -= len(self._chunks.popleft())

    def text(self, patience: float = 1.0) -> str:
        """What was printed last, at most :data:`TAIL` bytes of it, after ``patience`` seconds for its end."""
        self._thread.join(timeout=patience)  # an unkillable child may hold the pipe open for ever
        return b"".join(list(self._chunks))[-TAIL:].decode("utf-8", "replace")


class _AnswerReader:
    """Reads JSON Lines while they are being written."""

    def __init__(self, path: Path, on_record: Callable[[Record], None] | None) -> None:
        self._path = path
        self._on_record = on_record
        self._offset = 0
        self._rest = b""
        self._records: list[Record] = []
        self._complete = False
        self._trouble = ""

    def poll(self) -> None:
        """Read what is new."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                # read(n) reserves n bytes at once: it is told how many there are.
                size = os.fstat(file.fileno()).st_size
                new = file.read(max(0, min(size, MAX_ANSWER) - self._offset))
        except OSError:
            return  # not written yet; the ending says so if it never is
        self._offset += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        if self._trouble or self._complete:
            return
        try:
            record = json.loads(line)
            if b"\\ud" in line:
                # The bytes of a file name that are no UTF-8 arrive as lone surrogates, which no report could be written
                # with: they become "?".
                record = json.loads(json.dumps(record, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError) as error:
            self._trouble = str(error)
            return
        if not isinstance(record, dict):
            self._trouble = "not an object"
        elif record.get("done") is True:
            self._complete = True
        else:
            self._records.append(record)
            if self._on_record:
                self._on_record(record)

    def finish(self) -> tuple[tuple[Record, ...], bool, str]:
        """All records, whether the answer is complete, and what was wrong with it."""
        self.poll()
        if self._rest and not self._trouble:
            self._trouble = "its last line is cut short"
        return tuple(self._records), self._complete, self._trouble
