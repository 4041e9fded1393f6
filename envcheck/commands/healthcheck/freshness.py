"""The last smoke run: how it went, how old it is, and whether it still speaks of this environment."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from envcheck.commands.healthcheck.counting import Expected
from envcheck.commands.healthcheck.verdict import Verdict
from envcheck.commands.state import NOT_RUN, OK, State

SKEW = 300
"""Seconds that the clock of the machine that wrote the state file may be ahead."""


def of_state(
    state: State, file: str, gpus: tuple[str, ...] | None, expected: Expected | None, oldest: float, now: float
) -> Verdict:
    """What the last smoke run says, and whether it still speaks of this environment.

    ``gpus`` are the UUIDs that are here now, None where nobody looked; ``oldest`` is the age in seconds that is accepted,
    ``now`` the time in seconds since the epoch.
    """
    age = now - state.at.timestamp()
    reasons, first = [], ""
    if state.smoke == NOT_RUN:
        reasons.append(f"the last run made no smoke run{_because(state.reason)}")
    elif state.smoke != OK:
        reasons.append(f"the last smoke run, {_ago(age)}, failed{_because(state.reason)}")
        first = "mend that, then "
    elif state.exit_code:
        reasons.append(f"the last run, {_ago(age)}, ended with exit code {state.exit_code}")
        first = "mend that, then "
    if age > oldest:
        reasons.append(f"the last smoke run is {_span(age)} old, and {_span(oldest)} are accepted (--max-age)")
    elif age < -SKEW:
        reasons.append(f"the last smoke run is dated {_span(-age)} in the future ({state.when})")
        first = "set the clock, then "
    gpu_wanted = expected is not None and expected.count > 0
    if expected is not None and gpu_wanted and state.smoke == OK and not state.device.startswith("GPU"):
        reasons.append(f"{expected.words}, and the last smoke run trained on {state.device or 'no device'}")
    reasons += _changed(state, gpus)
    if reasons:
        return Verdict((f"{'; '.join(reasons)}: {first}run {smoke_command(file, state.python, gpu_wanted)}",))
    told = ", ".join(f"{package.name} {package.version}" for package in state.packages)
    seen = f"smoke run {_ago(age)} on {state.device}{f' with {told}' if told else ''}"
    return Verdict(
        seen=(seen,), unseen=() if told else ("whether another TensorFlow was installed since the smoke run",)
    )


def smoke_command(file: str, python: str = "", gpu: bool = False) -> str:
    """The command that makes the smoke run again."""
    words = ["envcheck", "smoke", *(("--python", python) if python else ()), *(("--device", "gpu") if gpu else ())]
    return f"`{shlex.join([*words, '--state', file])}`"


def _changed(state: State, gpus: tuple[str, ...] | None) -> Iterator[str]:
    for package in state.packages:
        if not _exists(package.metadata):
            yield (
                f"{package.name} {package.version}, with which the last smoke run was made, is no longer installed "
                f"({package.metadata} is gone)"
            )
    if gpus is None or state.gpus is None:
        return
    gone = [each for each in state.gpus if each not in gpus]
    new = [each for each in gpus if each not in state.gpus]
    if gone:
        yield f"{_uuids(gone)} of the last smoke run {'is' if len(gone) == 1 else 'are'} not here any more"
    elif new:
        yield f"{_uuids(new)} {'is' if len(new) == 1 else 'are'} here and was not when the last smoke run was made"


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def _uuids(uuids: list[str]) -> str:
    return ", ".join(uuids[:3]) + (f" and {len(uuids) - 3} more" if len(uuids) > 3 else "")


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""


def _ago(seconds: float) -> str:
    return f"{_span(max(0.0, seconds))} ago"


def _span(seconds: float) -> str:
    """``3 hours``, ``26 hours``, ``2 days``: in the largest unit of which there are at least two."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
