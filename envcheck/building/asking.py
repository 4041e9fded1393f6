"""Has the target interpreter build the user's model, and folds its records into facts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from envcheck.building.facts import BuildFacts, BuildStep, FailedLayer
from envcheck.host import Host
from envcheck.probes.smoke import stopped_at
from envcheck.target.build_order import STEPS
from envcheck.target.runner import Ending, Kind, Record

OUTPUT = 4000
"""Characters at the end of what the user's code printed that the facts keep."""
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
"""Keras 3 writes the words of an error in bold."""
TOLD = ("step", "status", "message", "error", "seconds", "frames", "missing", "layer", "place")
"""What every record has; the rest is the step's own."""


def build(host: Host, file: str, name: str, inputs: Sequence[Mapping[str, object]], batch_size: int) -> BuildFacts:
    """Run it. However it ends, that is a fact.

    Args:
        host: whose interpreter, deadline and device are used.
        file: the absolute path of the user's module.
        name: the object in it, dotted for what lies inside another.
        inputs: ``{"shape": [28, 28, 1], "dtype": "float32"}`` without the batch; none for the model's own.
        batch_size: samples of the training step.
    """

    def tell(record: Record) -> None:
        if record.get("status") == "running":
            host.progress(f"build: {record['step']}")

    device = host.expectations.device
    request = {"file": file, "object": name, "inputs": list(inputs), "batch_size": batch_size, "device": device}
    # Its log of every start is not the user's output.
    environ = {"TF_CPP_MIN_LOG_LEVEL": "1", **host.environ}
    ending = host.ask("build", request, deadline=host.timeout, environ=environ, on_record=tell)
    return BuildFacts(
        file=file,
        object=name,
        device=device,
        ending=ending.words(),
        seconds=round(ending.seconds, 2),
        deadline=host.timeout,
        steps=tuple(_steps(ending)),
        stopped_at="" if ending.answered else stopped_at(ending.output),
        output=ending.output[-OUTPUT:],
        exit_code=ending.code,
    )


def _steps(ending: Ending) -> list[BuildStep]:
    ended = {record["step"]: record for record in ending.records if record.get("status") not in (None, "running")}
    steps: list[BuildStep] = []
    stopped = ""
    for name in STEPS:
        if name in ended:
            steps.append(_step(ended[name]))
        elif stopped:
            steps.append(BuildStep(name, "not reached", f"not reached: the {stopped} step did not end"))
        else:
            stopped = name
            hung = ending.kind in (Kind.TIMED_OUT, Kind.UNKILLABLE)
            steps.append(BuildStep(name, "hung" if hung else "crashed"))
    return steps


def _step(record: Record) -> BuildStep:
    layer: dict[str, Any] | None = record.get("layer")
    place = record.get("place")
    return BuildStep(
        name=record["step"],
        status=record["status"],
        message=COLOURS.sub("", record.get("message", "")),
        error=record.get("error", ""),
        seconds=record.get("seconds"),
        frames=tuple(record.get("frames", ())),
        layer=None
        if layer is None
        else FailedLayer(layer["name"], layer["type"], tuple(layer["way"]), layer["inputs"]),
        place=None if place is None else (place[0], place[1]),
        more={key: value for key, value in record.items() if key not in TOLD},
    )
