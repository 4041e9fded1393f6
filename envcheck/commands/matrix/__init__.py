"""``envcheck matrix``: look at the compatibility matrix, check it, and make CI jobs of it."""

from __future__ import annotations

import importlib

import click

SUBCOMMANDS = {
    "show": "The rows: every series, or one release in full.",
    "explain": "Where a row comes from: its columns, how each is known, its sources.",
    "validate": "Check the matrix, or a file of your own rows.",
    "ci": "The job matrix for CI: TensorFlow × Python, only what was released.",
}


class Subcommands(click.Group):
    """Loads a subcommand's module only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002, D102 - click's interface
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002, D102
        if cmd_name not in SUBCOMMANDS:
            return None
        found: click.Command = importlib.import_module(f"envcheck.commands.matrix.{cmd_name}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002, D102
        with formatter.section("Commands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))


@click.group("matrix", cls=Subcommands)
def command() -> None:
    """The compatibility matrix: which versions belong together, and where that is known from."""
