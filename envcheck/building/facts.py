"""What building a model showed, as plain facts; and in which words a step that went wrong is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from envcheck.findings import Finding, Fix, Location, Skip

SAID = 1500
"""Characters of what was printed that a finding shows as evidence."""


@dataclass(frozen=True, slots=True)
class FailedLayer:
    """The innermost layer that raised. ``way`` are the names from the model down to it, ``inputs`` what reached it."""

    name: str
    type: str
    way: tuple[str, ...]
    inputs: str

    @property
    def words(self) -> str:
        """``layer dense_1 (Dense, in the model net), which got (2, 3) float32``."""
        inside = f", in {' > '.join(self.way[:-1])}" if len(self.way) > 1 else ""
        return f"layer {self.name} ({self.type}{inside}), which got {self.inputs}"


@dataclass(frozen=True, slots=True)
class BuildStep:
    """One step: ``ok``, ``failed``, ``crashed`` (the process ended in it), ``hung``, ``skipped`` or ``not reached``.

    ``error`` is the type of the exception; ``Wrong`` where nothing raised and envcheck itself says so. ``place`` is the
    innermost line of the user's own code, ``frames`` are the innermost frames, ``more`` is what the step tells besides.
    """

    name: str
    status: str
    message: str = ""
    error: str = ""
    seconds: float | None = None
    frames: tuple[str, ...] = ()
    layer: FailedLayer | None = None
    place: tuple[str, int] | None = None
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Need:
    """The bytes that a training step needs.

    ``tensors`` are those of ``batch`` samples that live at the same time beside the variables; they grow by ``per_sample``
    with each further one. None where they could not be counted. ``left_out`` names what is not in it.
    """

    weights: int
    gradients: int
    slots: int
    optimizer: str
    batch: int
    tensors: int | None = None
    per_sample: int | None = None
    left_out: tuple[str, ...] = ()

    @property
    def fixed(self) -> int:
        """What is needed however small the batch is: the weights and what the optimizer keeps."""
        return self.weights + self.slots

    def total(self, batch: int | None = None) -> int | None:
        """The bytes in all for a batch; None where the tensors were not counted."""
        if self.tensors is None or self.per_sample is None:
            return None
        more = ((self.batch if batch is None else batch) - self.batch) * self.per_sample
        return self.fixed + max(self.tensors + more, self.gradients)

    def largest(self, free: int) -> int | None:
        """The largest batch that fits into ``free`` bytes; 0 where not even one sample does; None if it cannot be told."""
        if self.tensors is None or not self.per_sample:
            return None
        room = free - self.fixed - self.tensors
        batch = self.batch + room // self.per_sample
        least = self.total(1)
        return 0 if batch < 1 or (least is not None and least > free) else batch


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """What ``envcheck build`` saw. ``ending`` stands after "it"; ``output`` is the end of what the user's code printed."""

    file: str
    object: str
    device: str
    ending: str
    seconds: float
    deadline: float
    steps: tuple[BuildStep, ...]
    stopped_at: str = ""
    output: str = ""
    exit_code: int | None = None

    def step(self, name: str) -> BuildStep:
        """The step called ``name``."""
        return next(step for step in self.steps if step.name == name)

    @property
    def need(self) -> Need | None:
        """The memory of a step, as far as it was counted."""
        more = self.step("memory").more
        if "weights" not in more:
            return None
        return Need(
            **{name: more[name] for name in ("weights", "gradients", "slots", "optimizer", "batch")},
            tensors=more.get("tensors"),
            per_sample=more.get("per_sample"),
            left_out=tuple(more.get("left_out", ())),
        )

    def reached(self, name: str) -> BuildStep:
        """A step that was tried.

        Raises:
            Skip: it was not, or there was nothing to try.
        """
        step = self.step(name)
        if step.status in ("skipped", "not reached"):
            raise Skip(step.message, unknown=True)
        return step

    def trouble(self, step: BuildStep, what: str, fix: Fix, **more: Any) -> Finding:
        """The finding about a step that went wrong; ``what`` is the subject of its sentence."""
        return Finding(
            f"{what} {self.words(step)}",
            fix,
            Location(*step.place) if step.place is not None else Location(self.file),
            evidence={
                "step": step.name,
                "layer": None
                if step.layer is None
                else {
                    "name": step.layer.name,
                    "type": step.layer.type,
                    "way": list(step.layer.way),
                    "inputs": step.layer.inputs,
                },
                "frames": list(step.frames),
                "stopped_at": self.stopped_at,
                "output": self.output[-SAID:],
            },
            **more,
        )

    def words(self, step: BuildStep) -> str:
        """How a step went wrong, as the end of a sentence."""
        at = f"; the last Python line was {self.stopped_at}" if self.stopped_at else ""
        if step.status == "crashed":
            return f"ends the process, which {self.ending}{at}"
        if step.status == "hung":
            return f"was still running after {self.seconds:.0f} s, when the time was over{at}"
        if step.error == "Wrong":
            return f"goes wrong: {step.message}"
        where = f" in {step.layer.words}" if step.layer is not None else ""
        return f"fails{where} with {step.error}{': ' if step.message else ''}{step.message}"
