"""The smoke run: a tiny model in the target interpreter, step by step, on the device that is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from envcheck.host import Host
from envcheck.inventory import Unavailable
from envcheck.probes.python import PythonFacts
from envcheck.target.runner import Ending, Kind, Record

STEPS = ("import", "devices", "matmul", "convolution", "fit", "xla", "save_load")
"""The steps in their order; ``envcheck/target/smoke_steps.py`` has the same."""
OUTPUT = 4000
"""Characters at the end of what the run printed that the facts keep."""

# What Python's faulthandler prints: https://docs.python.org/3/library/faulthandler.html
_STACK = re.compile(r"^(Current thread|Thread) 0x.*\(most recent call first\):\n((?:  File .*\n?)+)", re.MULTILINE)
_FRAME = re.compile(r'  File "(?P<file>[^"]*)", line (?P<line>\d+) in (?P<name>.*)')


@dataclass(frozen=True, slots=True)
class Step:
    """One step and how it went.

    ``status`` is ``ok``, ``failed`` (it raised, or its result was wrong), ``crashed`` (the process ended in it),
    ``hung`` (it was still running at the deadline), ``skipped`` or ``not reached``; ``message`` says the result or the
    reason. ``device`` is where it really ran, as ``GPU:0``. ``error`` is the type of the exception; ``frames`` are the
    innermost frames, the innermost last, as "file:line in function: source line".
    """

    name: str
    status: str
    seconds: float | None = None
    message: str = ""
    device: str = ""
    error: str = ""
    frames: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SmokeFacts:
    """What the smoke run showed.

    ``framework`` is ``tensorflow``, ``jax``, ``torch`` (Keras 3 on either), ``keras`` (Keras 3 on a backend that cannot
    train) or empty when the run never began. ``versions`` and ``files`` are those of the packages that were really
    imported. ``wanted`` is the device asked for: ``auto``, ``cpu`` or ``gpu``. ``ending`` stands after "it": ``answered``,
    ``was ended by …``; ``signal`` is a name such as ``SIGILL``, ``exit_code`` the code of a process that ended early.
    ``stopped_at`` is the Python line where a crash or a hang caught it, where that is known. ``output`` is the end of
    what was printed. ``seconds`` is the wall time of all of it, ``deadline`` what it was allowed.
    """

    framework: str
    wanted: str
    ending: str
    seconds: float
    deadline: float
    steps: tuple[Step, ...]
    versions: dict[str, str]
    files: dict[str, str]
    signal: str | None = None
    exit_code: int | None = None
    killable: bool = True
    stopped_at: str = ""
    output: str = ""

    def step(self, name: str) -> Step:
        """The step called ``name``."""
        return next(step for step in self.steps if step.name == name)


def begin(host: Host) -> None:
    """Start it: it takes longer than everything else together."""
    host.begin("smoke", {"device": host.expectations.device}, **_options(host))


def _options(host: Host) -> dict[str, Any]:
    def tell(record: Record) -> None:
        if record.get("status") == "running":
            host.progress(f"smoke run: {record['step']}")

    # The framework's own messages are the evidence: which library it could not open, which GPU it left out.
    environ = {**host.environ, "TF_CPP_MIN_LOG_LEVEL": "0"}
    return {"deadline": host.timeout, "environ": environ, "on_record": tell}


def collect(host: Host, python: PythonFacts) -> SmokeFacts | Unavailable:
    """Run it. However it ends, that is a fact; only without TensorFlow and Keras there is nothing to run."""
    wanted = host.expectations.device
    ending = host.ask("smoke", {"device": wanted}, **_options(host))
    ended = {record["step"]: record for record in ending.records if "step" in record and record["status"] != "running"}
    begun = next((record for record in ending.records if "framework" in record), {})
    imported = ended.get("import", {})
    if imported.get("missing") == "tensorflow" and begun["framework"] == "tensorflow" and not begun["keras"]:
        return Unavailable(f"neither TensorFlow nor Keras is installed in {python.prefix}", absent=True)
    return SmokeFacts(
        framework=begun.get("framework", ""),
        wanted=wanted,
        ending=ending.words(),
        seconds=round(ending.seconds, 2),
        deadline=host.timeout,
        steps=_steps(ending, ended),
        versions=imported.get("versions", {}),
        files=imported.get("files", {}),
        signal=ending.signal,
        exit_code=ending.code,
        killable=ending.kind is not Kind.UNKILLABLE,
        stopped_at="" if ending.answered else stopped_at(ending.output),
        output=ending.output[-OUTPUT:],
    )


def _steps(ending: Ending, ended: dict[str, Record]) -> tuple[Step, ...]:
    steps = []
    stopped = ending.answered
    for name in STEPS:
        if name in ended:
            steps.append(_step(ended[name]))
        elif stopped:
            steps.append(Step(name, "not reached"))
        else:
            stopped = True
            steps.append(_unfinished(name, ending))
    if not stopped:  # it ended after its last step, and before it could say that this was all
        steps[-1] = _unfinished(STEPS[-1], ending)
    return tuple(steps)


def _unfinished(name: str, ending: Ending) -> Step:
    hung = ending.kind in (Kind.TIMED_OUT, Kind.UNKILLABLE)
    return Step(name, "hung" if hung else "crashed", message=f"it {ending.words()}")


def _step(record: dict[str, Any]) -> Step:
    return Step(
        name=record["step"],
        status=record["status"],
        seconds=record.get("seconds"),
        message=record.get("message", ""),
        device=record.get("device", ""),
        error=record.get("error", ""),
        frames=tuple(record.get("frames", ())),
    )


def stopped_at(output: str) -> str:
    """The innermost Python line in the last stack that Python's faulthandler printed, as "file:line in function"."""
    stacks = _STACK.findall(output)
    # After a fatal signal the thread that caught it is called current; at a deadline the main thread is the last one.
    marked = [stack for whose, stack in stacks if whose == "Current thread"]
    stack = (marked or [stack for _, stack in stacks] or [""])[-1]
    for frame in _FRAME.finditer(stack):
        if not frame["file"].startswith("<frozen"):
            return f"{frame['file']}:{frame['line']} in {frame['name']}"
    return ""
