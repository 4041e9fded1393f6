"""What the smoke run showed, as plain facts; and in which words a step that went wrong is told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from envcheck.findings import Finding, Fix, Skip

SAID = 1500
"""Characters of the run's output that a finding shows as evidence."""

_FATAL = re.compile(r"Fatal Python error|Check failed|terminate called|^F\d{4} |^F0000 |LLVM ERROR|what\(\):")
"""Where native code, or faulthandler, says that it is over."""
_SAYS_WHY = re.compile(r"Check failed|terminate called|what\(\):|LLVM ERROR|symbol lookup error|^F\d{4} ")


@dataclass(frozen=True, slots=True)
class Step:
    """One step and how it went.

    ``status`` is ``ok``, ``failed`` (it raised, or its result was wrong), ``crashed`` (the process ended in it),
    ``hung`` (it was still running at the deadline), ``skipped`` or ``not reached``; ``message`` says the result or the
    reason. ``device`` is where it really ran, as ``GPU:0``. ``error`` is the type of the exception; ``frames`` are the
    innermost frames, the innermost last, as "file:line in function: source line". ``first`` is how long its work took the
    first time, ``steady`` the quickest time after that, both in seconds. ``per_device`` has what went wrong on each device
    (nothing: an empty text) in the step that uses all of them.
    """

    name: str
    status: str
    seconds: float | None = None
    message: str = ""
    device: str = ""
    error: str = ""
    frames: tuple[str, ...] = ()
    first: float | None = None
    steady: float | None = None
    per_device: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """One GPU as NVML showed it while the smoke run held its memory.

    ``index`` is NVML's number, ``memory_used`` in bytes. ``own`` says that the smoke run is among its processes; in a
    container it cannot be told, for the driver has the host's process numbers. ``processes`` is how many it lists.
    """

    index: int
    uuid: str | None
    pci: str | None
    memory_used: int | None
    own: bool
    processes: int


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the framework's own log: where in its source it comes from, what it says, and how often.

    ``meaning`` is what compat_matrix/log_lines.yaml knows about it (its row is ``row``), empty where it knows nothing;
    ``harmless`` is None then. Probes leave these empty: they are added where the matrix is at hand.
    """

    level: str
    origin: str
    text: str
    count: int = 1
    row: str = ""
    meaning: str = ""
    harmless: bool | None = None


@dataclass(frozen=True, slots=True)
class SmokeFacts:
    """What the smoke run showed.

    ``framework`` is ``tensorflow``, ``jax``, ``torch`` (Keras 3 on either), ``keras`` (Keras 3 on a backend that cannot
    train) or empty when the run never began. ``versions`` and ``files`` are those of the packages that were really
    imported. ``wanted`` is the device asked for: ``auto``, ``cpu``, ``gpu`` or ``gpu:N``. ``ending`` stands after "it":
    ``answered``, ``was ended by …``; ``signal`` is a name such as ``SIGILL``, ``exit_code`` the code of a process that ended
    early. ``stopped_at`` is the Python line where a crash or a hang caught it, where that is known. ``output`` is the end of
    what was printed. ``seconds`` is the wall time of all of it, ``deadline`` what it was allowed. ``held`` are all GPUs as
    NVML showed them while the run held its own; None where that was not seen. ``placed`` has the PCI address of each GPU as
    TensorFlow numbers them (``GPU:0``). ``log`` are the lines of the framework's native log, each once.
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
    held: tuple[Held, ...] | None = None
    placed: dict[str, str] = field(default_factory=dict)
    log: tuple[LogLine, ...] = ()

    def step(self, name: str) -> Step:
        """The step called ``name``; one that an inventory of an older envcheck does not have was not reached."""
        return next((step for step in self.steps if step.name == name), Step(name, "skipped", message=_OLDER))

    def trouble(self, name: str) -> Trouble | None:
        """What went wrong in a step; None when it went well.

        Raises:
            Skip: there was nothing to ask, or the run ended before.
        """
        step = self.step(name)
        if step.status == "ok":
            return None
        if step.status == "skipped":
            raise Skip(step.message, unknown=step.message == _OLDER)
        if step.status == "not reached":
            last = next(each for each in self.steps if each.status in ("crashed", "hung"))
            raise Skip(f"not reached: the {last.name} step {last.status}", unknown=True)
        return Trouble(self, step)


_OLDER = "the inventory was made by an envcheck without this step"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A step of the smoke run that went wrong."""

    smoke: SmokeFacts
    step: Step

    @property
    def early(self) -> bool:
        """Whether the whole run ended in it."""
        return self.step.status in ("crashed", "hung")

    @property
    def said(self) -> list[str]:
        """The lines around what native code said last."""
        return said(self.smoke.output)

    @property
    def wrong(self) -> bool:
        """Whether it raised nothing: envcheck's own comparison did."""
        return self.step.error == "Wrong"

    @property
    def longer(self) -> float:
        """Seconds that a further try should be allowed: never less than the default."""
        return max(300, self.smoke.deadline * 3)

    @property
    def versions(self) -> dict[str, str]:
        """The versions of the packages that were imported."""
        return self.smoke.versions

    @property
    def told(self) -> str:
        """All in which a known symptom may be found."""
        smoke, step = self.smoke, self.step
        if not self.early:
            return step.message
        if not smoke.killable:
            return "unkillable"
        return f"{smoke.signal or step.status}\n{smoke.output}"

    @property
    def words(self) -> str:
        """How it went, as the end of a sentence."""
        smoke, step = self.smoke, self.step
        where = f"; the last Python line was {smoke.stopped_at}" if smoke.stopped_at else ""
        if step.status == "crashed":
            fatal = next((line.strip() for line in smoke.output.splitlines() if _SAYS_WHY.search(line)), "")
            return smoke.ending + where + (f"; it had printed: {fatal[:300]}" if fatal else "")
        if step.status == "hung":
            left = "" if smoke.killable else ", and could not be killed: it is blocked in the kernel or in a driver"
            return (
                f"was still running after {smoke.seconds:.0f} s, when the time for the smoke run was over{left}{where}"
            )
        frame = f" ({step.frames[-1]})" if step.frames else ""
        if self.wrong:
            return f"went wrong: {step.message}"
        return f"fails with {step.error}{': ' if step.message else ''}{step.message}{frame}"

    def finding(self, what: str, fix: Fix, **more: Any) -> Finding:
        """The finding; ``what`` is the subject of its sentence."""
        smoke = self.smoke
        return Finding(
            f"{what} {self.words}",
            fix,
            evidence={
                "framework": smoke.framework,
                "device_wanted": smoke.wanted,
                "versions": dict(smoke.versions),
                "files": dict(smoke.files),
                "frames": list(self.step.frames),
                "stopped_at": smoke.stopped_at,
                "output": "\n".join(self.said),
            },
            **more,
        )


def said(output: str) -> list[str]:
    """The lines around what native code said last, without the list of modules that faulthandler adds."""
    lines = [line for line in output.splitlines() if not line.startswith("Extension modules:")]
    first = next((place for place, line in enumerate(lines) if _FATAL.search(line)), len(lines))
    chosen, size = [], 0
    for line in lines[max(0, first - 4) :] if first < len(lines) else reversed(lines):
        size += len(line) + 1
        if size > SAID:
            break
        chosen.append(line)
    return chosen if first < len(lines) else chosen[::-1]
