"""``envcheck doctor``: look, run the tiny model, judge, report."""

from __future__ import annotations

import click

from envcheck.commands.judging import Wanted, judge
from envcheck.commands.options import (
    Memory,
    codes,
    judging_options,
    matrix_option,
    output_options,
    state_option,
    target_options,
)
from envcheck.errors import UsageError
from envcheck.inventory import Expectations


@click.command("doctor")
@click.argument("paths", nargs=-1, metavar="[PATH]…")
@target_options
@click.option("--no-smoke", is_flag=True, help="Do not run TensorFlow at all: then its import is not checked.")
@click.option("--require-gpu", is_flag=True, help="No usable GPU is an error.")
@click.option("--min-gpu-memory", type=Memory(), metavar="SIZE", help="A GPU with less free memory is an error: 8GiB.")
@click.option(
    "--from",
    "source",
    type=click.Path(),
    metavar="FILE",
    help="Judge a saved inventory instead; - reads it from stdin.",
)
@judging_options
@matrix_option
@state_option
@output_options("text")
def command(
    paths: tuple[str, ...],
    python: str | None,
    device: str,
    timeout: float,
    no_smoke: bool,
    require_gpu: bool,
    min_gpu_memory: int | None,
    source: str | None,
    select: str | None,
    ignore: str | None,
    fail_on: str,
    strict: bool,
    matrix: str | None,
    state: str | None,
    format_: str,
    output: str | None,
    verbose: bool,
    quiet: bool,
) -> int:
    """Inventory the environment, check it, and run a tiny model on the device.

    One command before training: it names the one cause and the one fix, and says what it did not look at. PATH is model code,
    which is scanned for the releases that are installed, as `envcheck scan` does.
    """
    if source and python:
        raise UsageError("--from judges a saved inventory; --python looks at an interpreter: give one of them")
    if source and state:
        raise UsageError("--state records what is found here; --from judges what was found elsewhere: give one of them")
    if device == "cpu" and (require_gpu or min_gpu_memory is not None):
        raise UsageError("--device cpu contradicts --require-gpu and --min-gpu-memory")
    return judge(
        Wanted(
            Expectations(device, require_gpu, min_gpu_memory, whole_environment=verbose),
            paths=paths,
            python=python,
            source=source,
            timeout=timeout,
            smoke=not no_smoke,
            selected=codes("--select", select),
            ignored=codes("--ignore", ignore),
            fail_on=fail_on,
            strict=strict,
            matrix=matrix,
            state=state,
            format=format_,
            output=output,
            verbose=verbose,
            quiet=quiet,
        )
    )
