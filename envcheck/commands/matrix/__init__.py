"""``envcheck matrix``: look at the compatibility matrix, check it, and make CI jobs of it."""

from __future__ import annotations

import click

from envcheck.cli import LazyGroup

SUBCOMMANDS = {
    "show": "The rows: every series, or one release in full.",
    "explain": "Where a row comes from: its columns, how each is known, its sources.",
    "validate": "Check the matrix, or a file of your own rows.",
    "ci": "The job matrix for CI: TensorFlow × Python, only what was released.",
}


@click.group("matrix", cls=LazyGroup, summaries=SUBCOMMANDS, package=__name__)
def command() -> None:
    """The compatibility matrix: which versions belong together, and where that is known from."""
