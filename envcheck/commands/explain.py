"""``envcheck explain``: what a code means."""

from __future__ import annotations

import inspect

import click

from envcheck.commands.options import matrix_option
from envcheck.commands.output import write
from envcheck.commands.settings import chosen_matrix
from envcheck.errors import UsageError
from envcheck.findings import Check
from envcheck.knowledge.knots import Knot
from envcheck.registry import checks


@click.command("explain")
@click.argument("code", required=False)
@matrix_option
def command(code: str | None, matrix: str | None) -> int:
    """Say what CODE means: its cause, how to fix it, and where that is known from. Without CODE, list them all."""
    every = checks()
    if code is None:
        write("".join(f"{check.code}  {check.severity.value:<8} {check.title}\n" for check in every), None)
        return 0
    for check in every:
        if check.code == code.upper():
            write(_check(check), None)
            return 0
    rows = chosen_matrix(matrix)
    for knot in rows.knots:
        if knot.id == code.lower():
            write(_knot(knot), None)
            return 0
    for own in rows.overrides:  # a row that adds or changes a knot was found above
        if (own.table, own.row) == ("knots", code.lower()):
            write(f"{own.row} is taken away by {own.file}:{own.line}: {own.reason}\n", None)
            return 0
    near = [check.code for check in every if check.code.startswith(code.upper()[:3])]
    hint = f"; there are {', '.join(near)}" if near else "; `envcheck explain` lists them all"
    raise UsageError(f"there is no code {code!r}{hint}")


def _check(check: Check) -> str:
    return f"{check.code}: {check.title} ({check.severity.value})\n\n{inspect.cleandoc(check.doc)}\n"


def _knot(knot: Knot) -> str:
    when = " and ".join(f"{name} {wanted}" for name, wanted in knot.when.items())
    sources = "\n".join(f"        {source}" for source in knot.source.sources)
    return (
        f"{knot.id} ({knot.severity})\n\nWhen {when}: {knot.consequence}\n\nHow to fix: {knot.fix}\n\n"
        f"Source ({knot.source.known}, checked {knot.source.checked}):\n{sources}\n"
    )
