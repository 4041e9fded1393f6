"""``envcheck build``: a model of the user's, made, trained for one step, saved and loaded."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import click

from envcheck import __version__
from envcheck.building.asking import build
from envcheck.commands.judging import make_host, now
from envcheck.commands.options import output_options, target_options
from envcheck.commands.output import check_format, check_output, progress, reporter, style_for, write
from envcheck.engine import Facts, exit_code, run
from envcheck.errors import UsageError
from envcheck.findings import Check, Report
from envcheck.inventory import Expectations, Inventory, Unavailable
from envcheck.registry import checks, probes

DTYPES = ["float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64"]
DTYPES += ["uint8", "uint16", "uint32", "uint64", "bool", "string"]
"""The types that an input may have."""


class Shape(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic in the stubs of click 8.3 only
    """The shape of one input without the batch, its type where it is not the model's own, its key in a dict: ``a=8,3:uint8``."""

    name = "shape"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, object]:
        """The sizes and the type."""
        named, equals, rest = str(value).rpartition("=")
        if equals and not named.strip():
            self.fail(f"{value!r} has no name before the =; write for example image=224,224,3", param, ctx)
        sizes, colon, dtype = rest.replace(" ", "").partition(":")
        sizes = sizes.strip("()").rstrip(",")
        if not re.fullmatch(r"[1-9][0-9]{0,8}(,[1-9][0-9]{0,8}){0,9}", sizes):
            self.fail(f"{value!r} is no shape; write the sizes without the batch: 224,224,3", param, ctx)
        if colon and dtype not in DTYPES:
            self.fail(f"{dtype!r} is no type; one of {', '.join(DTYPES)}", param, ctx)
        name = {"name": named.strip()} if equals else {}
        return {"shape": [int(each) for each in sizes.split(",")], "dtype": dtype, **name}


@click.command("build")
@click.argument("target", metavar="FILE:OBJECT")
@click.option(
    "--input",
    "inputs",
    type=Shape(),
    multiple=True,
    metavar="[NAME=]SIZES[:TYPE]",
    help="Shape of an input without the batch, as 224,224,3 or 100:int32, or image=224,224,3 for a model that takes a dict; "
    "once for each.  [default: the model's own]",
)
@click.option(
    "--batch-size",
    type=click.IntRange(1, 65536),
    default=2,
    show_default=True,
    help="Samples of the training step.",
)
@target_options
@output_options("text")
def command(
    target: str,
    inputs: tuple[dict[str, object], ...],
    batch_size: int,
    python: str | None,
    device: str,
    timeout: float,
    format_: str,
    output: str | None,
    verbose: bool,
    quiet: bool,
) -> int:
    """RUNS YOUR CODE: imports FILE, takes the model OBJECT (or calls it), trains one step, saves and loads it.

    The failing layer is named with the shapes that reached it; the memory that a step needs is counted.
    """
    check_format(format_)
    check_output(output)
    file, name = _parts(target)
    with contextlib.ExitStack() as stack:
        show = stack.enter_context(progress(quiet))
        expectations = Expectations(device)
        host = make_host(python, timeout, expectations, show)
        stack.callback(host.close)
        given: dict[str, object] = {"expectations": expectations}
        if device == "cpu":
            given["driver"] = given["gpu"] = Unavailable("not wanted: --device cpu", absent=True)
        facts = Facts(given, probes(), host)
        facts.get("python")  # first: without an interpreter there is nothing to look at
        facts.get("gpu")  # before the model takes memory of it
        facts.give("build", build(host, file, name, inputs, batch_size))
        outcomes = run(chosen(), facts)
        render = reporter(format_)
    code = exit_code(outcomes, "error", strict=False)
    report = Report(__version__, Inventory(facts.collected(), now(), __version__), outcomes, code)
    write(render(report, style_for(output, verbose=verbose, quiet=quiet)), output)
    return code


def chosen() -> tuple[Check, ...]:
    """The checks that judge what building showed."""
    return tuple(check for check in checks() if "build" in check.facts)


def _parts(target: str) -> tuple[str, str]:
    """The absolute path of the file, and the name of the object.

    Raises:
        UsageError: it is not written so, or there is no such file.
    """
    file, colon, name = target.rpartition(":")
    if not colon or not file or not all(part.isidentifier() for part in name.split(".")):
        raise UsageError(f"{target[:200]!r} is no FILE:OBJECT; write for example model.py:build_model")
    try:
        path = _file(file).absolute()
        if not path.is_file():
            raise UsageError(f"there is no file {file[:200]}")
    except (OSError, ValueError) as error:
        raise UsageError(f"{file[:200]!r}: {error}") from None
    if path.suffix != ".py":
        raise UsageError(
            f"{file[:200]} is no Python file (.py); export a notebook first: jupyter nbconvert --to script"
        )
    return str(path), name


def _file(written: str) -> Path:
    """The file that is meant: a path, or a module by its name (``package.module``) below the working folder."""
    path = Path(written)
    parts = written.split(".")
    if path.is_file() or not all(part.isidentifier() for part in parts):
        return path
    module = Path(*parts)
    return next((each for each in (module.with_suffix(".py"), module / "__init__.py") if each.is_file()), path)
