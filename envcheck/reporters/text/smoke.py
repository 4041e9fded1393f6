"""The smoke run in the text report: a line for each step, and the framework's log explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from envcheck.inventory import Inventory, Unavailable

if TYPE_CHECKING:
    from envcheck.probes.smoke import LogLine, SmokeFacts, Step

LONGEST = 110
"""Characters of a log line that are shown before its meaning."""
_ON_GPUS_ONLY = ("each_device", "all_reduce", "process")
_LEFT_OUT = ("skipped", "not reached")
_LEVELS = {"I": "information", "W": "warning", "E": "error", "F": "fatal"}


def ran(inventory: Inventory, *, everything: bool) -> list[str]:
    """What the report says of the smoke run before it says what was found; no line where nobody asked for one."""
    facts = inventory.facts.get("smoke")
    if facts is None or isinstance(facts, Unavailable):
        return [facts.reason] if isinstance(facts, Unavailable) else []
    smoke = cast("SmokeFacts", facts)
    return [*_steps(smoke, verbose=everything), *_log(smoke, verbose=everything)]


def _steps(smoke: SmokeFacts, *, verbose: bool) -> Iterator[str]:
    """A line for each step. Without ``verbose`` there is none for what only a GPU, or several, could show, and one for all
    steps that were left out for the same reason."""
    if verbose:
        yield from (_line(step, verbose=True) for step in smoke.steps)
        return
    shown = [s for s in smoke.steps if s.name not in _ON_GPUS_ONLY or s.status not in _LEFT_OUT]
    reasons = Counter(step.message for step in shown if step.status in _LEFT_OUT)
    for step in shown:
        if step.status not in _LEFT_OUT or reasons[step.message] == 1:
            yield _line(step, verbose=False)
    for reason, count in reasons.items():
        if count > 1:
            names = ", ".join(s.name for s in shown if s.status in _LEFT_OUT and s.message == reason)
            yield f"skipped: {names} ({reason})" if reason else f"not reached: {names}"


def _line(step: Step, *, verbose: bool) -> str:
    where = f" on {step.device}" if step.device else ""
    seconds = f"{step.seconds:.2f} s" if step.seconds is not None else ""
    message = f"  {step.message}" if step.message and (step.status != "ok" or verbose) else ""
    timed = ""
    if step.first is not None and step.steady is not None and (verbose or step.device.startswith("GPU")):
        timed = f" (first {_short(step.first)}, then {_short(step.steady)})"
    return f"{step.name:<12} {step.status:<8} {seconds:>8}{where}{timed}{message}"


def _short(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.{0 if seconds >= 0.01 else 2}f} ms"


def _log(smoke: SmokeFacts, *, verbose: bool) -> Iterator[str]:
    """The lines of the log that matter, with what they mean; with ``verbose`` all, the harmless ones labelled so."""
    calm = [line for line in smoke.log if line.harmless]
    trouble = [line for line in smoke.log if line.harmless is False]
    other = [line for line in smoke.log if line.harmless is None]
    yield from _by_meaning("log", trouble)
    if verbose:
        yield from _by_meaning("log, harmless", calm)
        for line in other:
            yield f"log, not known to envcheck ({_LEVELS.get(line.level, line.level)}): {_quoted(line)}"
    else:
        unknown = sum(line.level in "EF" for line in other)
        told = [f"{len(calm)} harmless line{'' if len(calm) == 1 else 's'}"] if calm else []
        told += [f"{unknown} error line{'' if unknown == 1 else 's'} unknown to envcheck"] if unknown else []
        if told:
            yield f"log: {' and '.join(told)} (-v shows them)"


def _by_meaning(label: str, lines: list[LogLine]) -> Iterator[str]:
    """The first line of each meaning, and how many more there are of it."""
    rows: dict[str, list[LogLine]] = {}
    for line in lines:
        rows.setdefault(line.row, []).append(line)
    for same in rows.values():
        more = f" and {len(same) - 1} more of the kind" if len(same) > 1 else ""
        yield f"{label}: {_quoted(same[0])}{more}: {same[0].meaning}"


def _quoted(line: LogLine) -> str:
    text = line.text if len(line.text) <= LONGEST else line.text[: LONGEST - 1] + "…"
    times = f" ({line.count} times)" if line.count > 1 else ""
    return f'"{text}"{times}'
