"""``envcheck healthcheck``: for Docker and Kubernetes; one line, exit code 0 or 1, within its time."""

from __future__ import annotations

import contextlib
import math
import os
import re
import sys
from typing import Any

import click

from envcheck.commands.options import Memory
from envcheck.errors import FINDINGS, OK, EnvcheckError, UsageError

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
LEAST, LONGEST = 1.0, 366 * 86400.0


class Duration(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic in the stubs of click 8.3 only
    """A time in seconds, written like ``90``, ``90s``, ``15m``, ``24h`` or ``7d``."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds from the text."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([smhd]?)", str(value).strip())
        seconds = float(match[1]) * _UNITS[match[2]] if match else math.nan
        if not LEAST <= seconds <= LONGEST:
            self.fail(
                f"{str(value)[:80]!r} is no time from 1s to 366d; write for example 5s, 15m, 24h or 7d", param, ctx
            )
        return seconds


class HealthCommand(click.Command):
    """Exits with 0 or 1, whatever happens: to Docker, 2 is reserved. Signals end it as they end every command."""

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        """Parse the command line; one that cannot be carried out is unhealthy too."""
        try:
            return super().make_context(*arguments, **more)
        except click.UsageError as error:
            say(f"unhealthy: this health check cannot be made: {error.format_message()}")
            raise click.exceptions.Exit(FINDINGS) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; what goes wrong in envcheck itself is no health."""
        try:
            return super().invoke(ctx)
        except EnvcheckError as error:
            say(f"unhealthy: this health check cannot be made: {error}")
        except (Exception, MemoryError) as error:
            if os.environ.get("ENVCHECK_TRACEBACK"):
                raise
            say(f"unhealthy: a bug in envcheck: {type(error).__name__}: {error}")
        return FINDINGS


@click.command("healthcheck", cls=HealthCommand)
@click.option(
    "--gpus",
    type=click.IntRange(0, 4096),
    metavar="N",
    help="At least so many GPUs must answer; with 0 the driver is not asked. Default: as many as the state file recorded, else "
    "as CUDA_VISIBLE_DEVICES or NVIDIA_VISIBLE_DEVICES names, else as there are device nodes.",
)
@click.option(
    "--min-free-memory", "free", type=Memory(), metavar="SIZE", help="Free memory that each GPU must have: 8GiB."
)
@click.option(
    "--state",
    metavar="FILE",
    help="The smoke run that `doctor --state FILE` or `smoke --state FILE` recorded must be good and of this environment.",
)
@click.option(
    "--max-age", type=Duration(), metavar="TIME", help="How old that may be: 90s, 15m, 24h, 7d.  [default: 24h]"
)
@click.option("--timeout", type=Duration(), default="5s", show_default=True, metavar="TIME", help="It ends before.")
@click.option(
    "--format",
    "-f",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to say it.",
)
def command(
    gpus: int | None, free: int | None, state: str | None, max_age: float | None, timeout: float, format_: str
) -> int:
    """Say in one line whether GPUs and driver are healthy, and whether the last smoke run is recent: exit code 0 or 1.

    TensorFlow is not imported: let `envcheck smoke --state FILE` run now and then. What was not looked at is said.
    """
    from envcheck.commands.healthcheck.looking import DAY, LAST, Wanted, ended_by, examine, here, left_of  # noqa: PLC0415
    from envcheck.commands.healthcheck.verdict import Verdict  # noqa: PLC0415

    if state is None and max_age is not None:
        raise UsageError("--max-age is the age of what --state FILE recorded: give --state")
    if state is not None and not state.strip():
        raise UsageError("--state is given and names no file")
    if gpus == 0 and free is not None:
        raise UsageError("--gpus 0 contradicts --min-free-memory")

    def tell(verdict: Verdict) -> None:
        say(verdict.json() if format_ == "json" else verdict.line())

    late = Verdict((f"it was not ended within {timeout:g} s: a file system or the driver hangs",))
    seconds = left_of(timeout)
    with ended_by(seconds * LAST, lambda: tell(late)):
        verdict = examine(Wanted(gpus, free, state, max_age or DAY), here(seconds))
    tell(verdict)
    return OK if verdict.healthy else FINDINGS


def say(line: str) -> None:
    """One line to stdout, and not a byte of it later: stdout may be closed or full, and the exit code stands all the same."""
    from envcheck.commands.healthcheck.verdict import MOST, cut  # noqa: PLC0415

    if sys.stdout is None:
        return
    with contextlib.suppress(OSError, ValueError):
        data = f"{cut(line, MOST)}\n".encode(sys.stdout.encoding or "utf-8", "replace")
        os.write(sys.stdout.fileno(), data)
