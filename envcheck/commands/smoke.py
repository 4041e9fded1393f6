"""``envcheck smoke``: the tiny model on the device, step by step."""

from __future__ import annotations

import click

from envcheck.commands.judging import Wanted, judge
from envcheck.commands.options import matrix_option, output_options, state_option, target_options
from envcheck.inventory import Expectations


@click.command("smoke")
@target_options
@matrix_option
@state_option
@output_options("text")
def command(
    python: str | None,
    device: str,
    timeout: float,
    matrix: str | None,
    state: str | None,
    format_: str,
    output: str | None,
    verbose: bool,
    quiet: bool,
) -> int:
    """Import TensorFlow (or Keras with its backend), compute, train two steps, save and load: each step says where it ran."""
    return judge(
        Wanted(
            Expectations(device),
            python=python,
            timeout=timeout,
            must_run=True,
            selected=("SMK",),
            matrix=matrix,
            state=state,
            format=format_,
            output=output,
            verbose=verbose,
            quiet=quiet,
        )
    )
