"""Looks and judges within the time that is given: the driver is asked in a child, which is left behind when it hangs."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from envcheck.commands.healthcheck.counting import Expected, expected
from envcheck.commands.healthcheck.verdict import Verdict, together
from envcheck.commands.state import State, UnusableStateError, read_state
from envcheck.host import Host
from envcheck.probes import driver as driver_probe

ASKING, KILLING, LAST = 0.75, 0.1, 0.96
"""Shares of the time that is left: for the driver's answer, for a child that is killed to disappear, and when all is given
up."""

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for. ``free`` is in bytes, ``max_age`` in seconds."""

    gpus: int | None = None
    free: int | None = None
    state: str | None = None
    max_age: float = DAY


def here(seconds: float) -> Host:
    """This machine, on which a child that hangs is given up within so many seconds."""
    return Host(timeout=seconds * ASKING, grace=seconds * KILLING)


def left_of(timeout: float) -> float:
    """Seconds that are left of ``timeout``, counted from the start of this process: on a busy machine Python itself takes a
    second. Where the start cannot be seen (outside of Linux) all of it; half of it at least."""
    if sys.platform != "linux":
        return timeout
    try:
        # The 22nd field; the second is a name in brackets, with spaces in it: proc_pid_stat(5).
        ticks = int(Path("/proc/self/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19])
        gone = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return timeout
    return max(timeout / 2, timeout - gone) if gone >= 0 else timeout


def examine(wanted: Wanted, host: Host, now: float | None = None) -> Verdict:
    """Look at what is asked for and judge it; ``now`` is the time in seconds since the epoch."""
    state, unusable = _state(wanted)
    asked = expected(wanted.gpus, state, host.environ, _nodes(host), wanted.free)
    ask = asked is None or asked.count > 0
    if ask:
        driver_probe.begin(host, brief=True)
    # Loaded while the child loads NVML.
    from envcheck.commands.healthcheck import freshness  # noqa: PLC0415

    if ask:
        verdict, there = _gpus(wanted, host, asked)
    else:
        assert asked is not None
        verdict, there = Verdict(seen=(f"no GPU is expected ({asked.why})",), unseen=("the GPU driver",)), None
    moment = time.time() if now is None else now
    if state is not None:
        last = freshness.of_state(state, wanted.state or "", there, asked, wanted.max_age, moment)
    elif wanted.state is not None:
        last = Verdict((f"the state file {wanted.state} {unusable}: run {freshness.smoke_command(wanted.state)}",))
    else:
        last = Verdict(unseen=("whether TensorFlow computes, for want of --state",))
    return together((verdict, last))


def _state(wanted: Wanted) -> tuple[State | None, str]:
    """The state, or why there is none."""
    if wanted.state is None:
        return None, ""
    try:
        return read_state(wanted.state), ""
    except UnusableStateError as reason:
        return None, str(reason)


def _nodes(host: Host) -> list[str]:
    numbers = [int(name[6:]) for name in host.names("/dev") if re.fullmatch(r"nvidia[0-9]{1,4}", name)]
    return [f"/dev/nvidia{number}" for number in sorted(numbers)]


def _gpus(wanted: Wanted, host: Host, asked: Expected | None) -> tuple[Verdict, tuple[str, ...] | None]:
    """The verdict on driver and GPUs, and the UUIDs that a program gets; None where that is not known."""
    from envcheck.commands.healthcheck import gpus  # noqa: PLC0415 - loaded while the child loads NVML
    from envcheck.probes import gpu as gpu_probe  # noqa: PLC0415

    driver = driver_probe.collect(host)
    verdict = gpus.of_driver(driver, asked)
    if not driver.nvml.ok:  # what is missing of the GPUs then follows from that
        return verdict, None
    gpu = gpu_probe.collect(host, driver)
    if not isinstance(gpu, gpu_probe.GpuFacts):
        gpu = gpu_probe.GpuFacts(0, ())
    found = gpus.of_gpus(gpu, host.environ, asked, wanted.free)
    return together((verdict, found)), tuple(each.uuid for each in gpu.usable if each.uuid)


@contextlib.contextmanager
def ended_by(seconds: float, give_up: Callable[[], None]) -> Iterator[None]:
    """End this process with code 1 after so many seconds, whatever it waits for then; ``give_up`` is called before.

    A thread, because a read that hangs in the kernel (a state file on a network file system) heeds no Python signal handler.
    """

    def end() -> None:
        give_up()
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
