"""``envcheck smoke``: the tiny model on the device, step by step."""

from __future__ import annotations

import click

from envcheck.commands.doctor import judge
from envcheck.commands.options import output_options, target_options
from envcheck.commands.output import check_format
from envcheck.inventory import Expectations


@click.command("smoke")
@target_options
@output_options("text")
def command(
    python: str | None,
    device: str,
    timeout: float,
    format_: str,
    output: str | None,
    verbose: bool,
    quiet: bool,
) -> int:
    """Import TensorFlow (or Keras with its backend), compute, train two steps, save and load: each step says where it ran."""
    check_format(format_)
    return judge(
        Expectations(device),
        source=None,
        python=python,
        timeout=timeout,
        smoke=True,
        selected=["SMK"],
        ignored=[],
        fail_on="error",
        strict=False,
        format_=format_,
        output=output,
        verbose=verbose,
        quiet=quiet,
    )
