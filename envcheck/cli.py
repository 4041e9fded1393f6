"""The command line. Importing it loads click and nothing more; a command's module is loaded once it is chosen."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from envcheck import __version__, stopping
from envcheck.errors import FAILED, OK, USAGE, EnvcheckError, Stopped
from envcheck.printable import printable

COMMANDS = {
    "doctor": "Inventory, checks and smoke run: the one command before training.",
    "inventory": "The facts alone, as JSON that travels: judge it with `doctor --from FILE`.",
    "scan": "Model code: names, parameters and values that TensorFlow and Keras releases lack.",
    "smoke": "The tiny model on the device, step by step.",
    "build": "Your own model: made, trained for one step, saved and loaded; it runs your code.",
    "healthcheck": "For Docker and Kubernetes: one line, exit code 0 or 1, within seconds.",
    "suggest": "Which versions to install here, and the smallest change that repairs what is installed.",
    "matrix": "The compatibility matrix: rows, sources, and the job matrix for CI.",
    "api": "The history of a symbol over every TensorFlow and Keras release, and what replaces it.",
    "explain": "What a code means: cause, fix, source. Without a code, all of them.",
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and loads one only to run it (or to show its own help).

    ``summaries`` maps each command to its line in the help; ``package`` has a module of that name with a ``command``.
    """

    def __init__(self, *arguments: Any, summaries: Mapping[str, str], package: str, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._summaries = summaries
        self._package = package

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002, D102 - click's interface
        return list(self._summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002, D102
        if cmd_name not in self._summaries:
            return None
        command = importlib.import_module(f"{self._package}.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002, D102
        with formatter.section("Commands"):
            formatter.write_dl(list(self._summaries.items()))


@click.command(
    cls=LazyGroup,
    summaries=COMMANDS,
    package="envcheck.commands",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 nothing found, 1 findings, 2 wrong usage, 3 envcheck itself failed, 130 interrupted.",
)
@click.version_option(__version__, prog_name="envcheck")
def group() -> None:
    """Check a TensorFlow/Keras environment before training: the one cause and the one fix."""


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point: runs a command and exits with its code; foreseen errors are one line on stderr."""
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    stopping.install()
    code = _ended(arguments)
    if stopping.received is not None:  # even where Python swallowed the exception, as it does in a __del__
        return _say(str(stopping.received), stopping.received.exit_code)
    return code


def _ended(arguments: Sequence[str] | None) -> int:
    try:
        code = group.main(arguments, prog_name="envcheck", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        return _say(error.format_message(), USAGE)
    except EnvcheckError as error:
        return _say(str(error), error.exit_code)
    except SystemExit:
        return OK  # click's way out when the reader of --help went away
    except Stopped as stopped:
        return stopped.exit_code
    except Exception as error:
        return FAILED if stopping.received is not None else _unforeseen(error)
    return code if isinstance(code, int) else 0


def _unforeseen(error: Exception) -> int:
    if os.environ.get("ENVCHECK_TRACEBACK"):
        raise error
    if isinstance(error, OSError):
        return _say(f"cannot go on: {error.strerror or error}", USAGE)
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return _say(f"a bug in envcheck: {words} (set ENVCHECK_TRACEBACK=1 to see where)", FAILED)


def _say(line: str, code: int) -> int:
    with contextlib.suppress(OSError, ValueError):  # stderr may be closed or full as well; the code says it
        click.echo(f"envcheck: {printable(line)}", err=True)
    return code
