"""``envcheck inventory``: the facts alone."""

from __future__ import annotations

import contextlib
import json

import click

from envcheck import __version__
from envcheck.codec import encode_inventory
from envcheck.commands.judging import make_host, now
from envcheck.commands.options import target_options
from envcheck.commands.output import check_output, progress, write
from envcheck.engine import Facts
from envcheck.inventory import Expectations, Inventory, Unavailable
from envcheck.registry import probes

NOT_RUN = "the inventory was made without --smoke: nothing was imported or run"


@click.command("inventory")
@target_options
@click.option(
    "--smoke/--no-smoke", default=False, show_default=True, help="Run the tiny model too and keep its result."
)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the inventory to a file.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def command(python: str | None, device: str, timeout: float, smoke: bool, output: str | None, quiet: bool) -> int:
    """Write what is here as JSON: the file can be judged on any machine, any day, with `envcheck doctor --from FILE`."""
    check_output(output)
    given: dict[str, object] = {} if smoke else {"smoke": Unavailable(NOT_RUN)}
    found = probes()
    with progress(quiet) as show, contextlib.closing(make_host(python, timeout, Expectations(device), show)) as host:
        facts = Facts(given, found, host)
        facts.get("python")
        facts.begin(found)
        for name in ("python", *found):
            show(f"looking: {name}")
            facts.get(name)
    inventory = Inventory(facts.collected(), now(), __version__)
    write(json.dumps(encode_inventory(inventory), indent=2) + "\n", output)
    broken = [fact for fact in inventory.facts.values() if isinstance(fact, Unavailable) and fact.broken]
    return 3 if broken else 0
