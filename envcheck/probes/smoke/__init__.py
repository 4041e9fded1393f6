"""The smoke run: a tiny model in the target interpreter, step by step, on the device that is asked for."""

from __future__ import annotations

from typing import Any

from envcheck.host import Host
from envcheck.inventory import Unavailable
from envcheck.probes.python import PythonFacts
from envcheck.probes.smoke.facts import Held, LogLine, SmokeFacts, Step, Trouble
from envcheck.probes.smoke.look import look
from envcheck.probes.smoke.printed import log_lines, placed, stopped_at
from envcheck.target.runner import Ending, Kind, Record
from envcheck.target.smoke_steps import STEPS

__all__ = ["STEPS", "Held", "LogLine", "SmokeFacts", "Step", "Trouble", "begin", "collect", "stopped_at"]

OUTPUT = 4000
"""Characters at the end of what the run printed that the facts keep."""


def begin(host: Host) -> None:
    """Start it: it takes longer than everything else together."""
    host.begin("smoke", {"device": host.expectations.device}, **_options(host))


def _options(host: Host) -> dict[str, Any]:
    def tell(record: Record) -> None:
        if record.get("status") == "running":
            host.progress(f"smoke run: {record['step']}")
            if record["step"] == "process" and host.expectations.device != "cpu":
                look(host, record["folder"])

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
        held=_held(ended.get("process", {})),
        placed=placed(ending.output),
        log=log_lines(ending.output),
    )


def _held(record: Record) -> tuple[Held, ...] | None:
    return tuple(Held(**each) for each in record["held"]) if "held" in record else None


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
        first=record.get("first"),
        steady=record.get("steady"),
        per_device=record.get("per_device", {}),
    )
