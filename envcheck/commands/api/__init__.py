"""``envcheck api``: the history of a symbol over every recorded TensorFlow and Keras release."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from envcheck.errors import FINDINGS, OK, UsageError

if TYPE_CHECKING:
    from envcheck.commands.api.symbols import Symbol


@click.command("api")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@click.option("--target", metavar="RELEASES", help='Ask about one environment: "tensorflow==2.16.2,keras==3.3.3".')
@click.option("--format", "-f", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--output", "-o", metavar="FILE", help="Write to this file instead of stdout.")
def command(names: tuple[str, ...], target: str | None, format_: str, output: str | None) -> int:
    """Say in which TensorFlow and Keras releases NAME is present, deprecated or gone, with its parameters and replacement.

    NAME is dotted, as in code: tf.keras.layers.Dense, keras.backend.dot, tensorflow.python.keras.layers; - reads names
    from stdin, one a line. A target names one release each of tensorflow, keras and tf_keras; TF_USE_LEGACY_KERAS=1 in it
    makes tf.keras tf_keras.

    Exits with 0 when the target (without one: any recorded release) has every NAME, else with 1.
    """
    from envcheck.commands.api.pages import text  # noqa: PLC0415 - --help loads none of this
    from envcheck.commands.api.symbols import Library, as_json  # noqa: PLC0415
    from envcheck.commands.output import check_output, style_for, write  # noqa: PLC0415

    check_output(output)
    library = Library(target)
    symbols = [library.symbol(name) for name in _asked(names)]
    style = style_for(output, verbose=False, quiet=False)
    write(as_json(symbols) if format_ == "json" else text(symbols, library, style), output)
    return OK if all(_fine(symbol) for symbol in symbols) else FINDINGS


def _fine(symbol: Symbol) -> bool:
    if symbol.status is None:
        return bool(symbol.releases)
    return symbol.status in ("present", "deprecated")


def _asked(names: tuple[str, ...]) -> Iterator[str]:
    read = False
    for name in names:
        if name != "-":
            yield name
            continue
        if read or sys.stdin is None:
            raise UsageError("- reads the names from stdin: it may stand once, and there must be one")
        read = True
        for line in sys.stdin.buffer.read().decode("utf-8-sig", "replace").splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                yield line.strip()
