"""Options that several commands share, and what they mean in the nouns of envcheck."""

from __future__ import annotations

import math
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from envcheck.commands.output import formats
from envcheck.errors import UsageError

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class Memory(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic in the stubs of click 8.3 only
    """An amount of memory in bytes, written like ``8GiB``, ``8G`` (the same) or ``8GB`` (8 × 10⁹)."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes from the text."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)(B?)", str(value).strip(), re.IGNORECASE)
        if not match or not match[2]:
            self.fail(f"{value!r} is no amount of memory; write for example 8GiB or 500MiB", param, ctx)
        unit = match[2].upper()
        decimal = bool(match[4]) and not match[3]
        factor = 1000 ** "KMGT".index(unit) * 1000 if decimal else _UNITS[unit]
        return int(float(match[1]) * factor)


class Device(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic in the stubs of click 8.3 only
    """Where to run: ``auto``, ``cpu``, ``gpu``, or ``gpu:N`` with the framework's number of a GPU."""

    name = "device"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The device, in lower case and without leading zeros."""
        text = str(value).strip().lower()
        if text in ("auto", "cpu", "gpu"):
            return text
        match = re.fullmatch(r"gpu:([0-9]{1,4})", text)
        if match is None:
            self.fail(f"{value!r} is no device; say auto, cpu, gpu, or gpu:N for one of several (gpu:0)", param, ctx)
        return f"gpu:{int(match[1])}"


class Seconds(click.FloatRange):
    """A number of seconds; what is no number (``nan``) is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds from the text."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return seconds


def target_options(command: CommandT) -> CommandT:
    """``--python``, ``--device`` and ``--timeout``: what is looked at, and for how long at most."""
    for option in (
        click.option(
            "--timeout",
            type=Seconds(min=1, max=86400),
            default=300.0,
            show_default=True,
            metavar="SECONDS",
            help="Deadline of the smoke run; the GPU driver has at most 30 of them.",
        ),
        click.option(
            "--device",
            type=Device(),
            default="auto",
            show_default=True,
            metavar="auto|cpu|gpu|gpu:N",
            help="Where the smoke run must run; auto takes a GPU when there is one.",
        ),
        click.option(
            "--python",
            metavar="PATH",
            help="The Python to inspect: an interpreter or an environment's folder. Default: the one envcheck runs on.",
        ),
    ):
        command = option(command)
    return command


def output_options(default: str) -> Callable[[CommandT], CommandT]:
    """``--format``, ``--output``, ``-v`` and ``-q``."""

    def decorate(command: CommandT) -> CommandT:
        for option in (
            click.option("-q", "--quiet", is_flag=True, help="Findings and the verdict only; no progress."),
            click.option("-v", "--verbose", is_flag=True, help="Every check, passed and skipped ones too."),
            click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the report to a file."),
            click.option("-f", "--format", "format_", metavar="NAME", default=default, help=_format_help(default)),
        ):
            command = option(command)
        return command

    return decorate


def judging_options(command: CommandT) -> CommandT:
    """``--select``, ``--ignore``, ``--fail-on`` and ``--strict``: what is judged, and what fails."""
    for option in (
        click.option("--strict", is_flag=True, help="A check that could not be made counts as a failure."),
        click.option(
            "--fail-on",
            type=click.Choice(["error", "warning", "note", "never"]),
            default="error",
            show_default=True,
            help="The least severity that makes the exit code 1.",
        ),
        click.option("--ignore", metavar="CODES", help="Leave out codes that start so: ENV2,GPU301."),
        click.option("--select", metavar="CODES", help="Only codes that start so: GPU,SMK1."),
    ):
        command = option(command)
    return command


def state_option(command: CommandT) -> CommandT:
    """``--state``: where the result of the smoke run is left for ``envcheck healthcheck``."""
    return click.option(
        "--state",
        type=click.Path(),
        metavar="FILE",
        help="Record how the smoke run went, for `envcheck healthcheck --state FILE`.",
    )(command)


def matrix_option(command: CommandT) -> CommandT:
    """``--matrix``: a team's own rows over the compatibility matrix; ``settings.chosen_matrix`` reads them."""
    return click.option(
        "--matrix",
        type=click.Path(),
        metavar="FILE",
        help="Your own rows over the matrix.  [default: matrix under [tool.envcheck] in pyproject.toml]",
    )(command)


def codes(option: str, text: str | None) -> tuple[str, ...]:
    """The code prefixes in a comma-separated option; none when it is not given.

    Raises:
        UsageError: it is given and empty, as from a variable of CI that is not set.
    """
    if text is None:
        return ()
    found = tuple(part.strip().upper() for part in text.split(",") if part.strip())
    if not found:
        raise UsageError(f"{option} is given and names no code")
    return found


def interpreter(path: str | None) -> str:
    """The interpreter that ``--python`` names: a file, an environment's folder, or a command on PATH.

    Raises:
        UsageError: there is none.
    """
    if path is None:
        return sys.executable
    try:
        return _interpreter(path)
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: ~nobody-of-that-name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"--python {path[:200]}: {reason}") from None


def _interpreter(path: str) -> str:
    where = Path(path).expanduser()
    if where.is_dir():
        for inside in ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe"):
            if (where / inside).exists():
                return str((where / inside).absolute())
            if (where / inside).is_symlink():
                broken = where / inside
                raise UsageError(
                    f"{broken} is a broken link to {broken.readlink()}: its Python is gone; make the environment again"
                )
        raise UsageError(f"{path} is a folder without a Python in it (looked for bin/python)")
    if where.is_symlink() and not where.exists():
        raise UsageError(f"{path} is a broken link to {where.readlink()}: the Python it was made from is gone")
    if where.exists():
        # Not resolved: a virtual environment is told by the path of its own link.
        return str(where.absolute())
    if found := shutil.which(path):
        return found
    raise UsageError(f"--python {path}: there is no such file, folder or command")


def _format_help(default: str) -> str:
    *names, last = formats()
    return f"Format of the report: {', '.join(names)} or {last}.  [default: {default}]"
