"""``envcheck doctor``: look, run the tiny model, judge, report."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable
from pathlib import Path

import click

from envcheck import __version__
from envcheck.commands.options import Memory, codes, interpreter, judging_options, output_options, target_options
from envcheck.commands.output import check_format, progress, reporter, style_for, write
from envcheck.engine import Facts, exit_code, run
from envcheck.errors import UsageError
from envcheck.findings import Check, Report, Unseen
from envcheck.host import Host
from envcheck.inventory import Expectations, Inventory, Unavailable
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.python import begin as begin_python
from envcheck.probes.smoke import begin as begin_smoke
from envcheck.registry import checks, probes, select

NOT_RUN = "--no-smoke: nothing was imported or run"


@click.command("doctor")
@target_options
@click.option("--no-smoke", is_flag=True, help="Do not run TensorFlow at all: then its import is not checked.")
@click.option("--require-gpu", is_flag=True, help="No usable GPU is an error.")
@click.option("--min-gpu-memory", type=Memory(), metavar="SIZE", help="A GPU with less free memory is an error: 8GiB.")
@click.option("--from", "source", type=click.Path(), metavar="FILE", help="Judge a saved inventory instead.")
@judging_options
@output_options("text")
def command(
    python: str | None,
    device: str,
    timeout: float,
    no_smoke: bool,
    require_gpu: bool,
    min_gpu_memory: int | None,
    source: str | None,
    select: str,
    ignore: str,
    fail_on: str,
    strict: bool,
    format_: str,
    output: str | None,
    verbose: bool,
    quiet: bool,
) -> int:
    """Inventory the environment, check it, and run a tiny model on the device.

    One command before training: it names the one cause and the one fix, and says what it did not look at.
    """
    check_format(format_)
    if source and python:
        raise UsageError("--from judges a saved inventory; --python looks at an interpreter: give one of them")
    if device == "cpu" and (require_gpu or min_gpu_memory is not None):
        raise UsageError("--device cpu contradicts --require-gpu and --min-gpu-memory")
    return judge(
        Expectations(device, require_gpu, min_gpu_memory),
        source=source,
        python=python,
        timeout=timeout,
        smoke=not no_smoke,
        selected=codes(select),
        ignored=codes(ignore),
        fail_on=fail_on,
        strict=strict,
        format_=format_,
        output=output,
        verbose=verbose,
        quiet=quiet,
    )


def judge(
    expectations: Expectations,
    *,
    source: str | None,
    python: str | None,
    timeout: float,
    smoke: bool,
    selected: list[str],
    ignored: list[str],
    fail_on: str,
    strict: bool,
    format_: str,
    output: str | None,
    verbose: bool,
    quiet: bool,
) -> int:
    """Look at (or read) the environment, run the selected checks, write the report; its exit code."""
    given: dict[str, object] = {"expectations": expectations}
    if not smoke:
        given["smoke"] = Unavailable(NOT_RUN)
    if expectations.device == "cpu":
        given["driver"] = given["gpu"] = Unavailable("not wanted: --device cpu")
    with contextlib.ExitStack() as stack:
        show = stack.enter_context(progress(quiet))
        # The order is for speed: children are started as early as possible, and modules load while they run.
        if source is not None:
            chosen = select(checks(), selected, ignored)
            inventory = read_inventory(source)
            facts = Facts({**inventory.facts, **given}, {})
        else:
            host = make_host(python, timeout, expectations, show)
            stack.callback(host.close)
            begin_python(host)
            if smoke and not selected and not ignored:
                begin_smoke(host)
            chosen = select(checks(), selected, ignored)
            facts = Facts(given, probes(), host)
            facts.get("python")  # first: without an interpreter there is nothing to look at
            facts.begin(dict.fromkeys(name for check in chosen for name in check.facts))
        facts.give("matrix", load_matrix())
        render = reporter(format_)
        outcomes = run(chosen, facts)
    if source is None:
        inventory = Inventory(facts.collected(), now(), __version__)
    report = Report(
        __version__,
        inventory,
        outcomes,
        exit_code(outcomes, fail_on, strict=strict),
        unseen(facts, chosen, selected, ignored),
    )
    write(render(report, style_for(output, verbose=verbose, quiet=quiet)), output)
    return report.exit_code


def make_host(python: str | None, timeout: float, expectations: Expectations, show: Callable[[str], None]) -> Host:
    """The host that the options describe."""
    return Host(python=interpreter(python), timeout=timeout, expectations=expectations, progress=show)


def read_inventory(source: str) -> Inventory:
    """The inventory in the file ``source``.

    Raises:
        UsageError: it cannot be read, or is no inventory.
    """
    from envcheck.codec import decode_inventory, facts_type  # noqa: PLC0415 - the usual run decodes nothing

    try:
        text = Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {source}: {error.strerror}") from None
    return decode_inventory(text, {name: facts_type(probe.collect) for name, probe in probes().items()}, source)


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def unseen(facts: Facts, chosen: tuple[Check, ...], selected: list[str], ignored: list[str]) -> tuple[Unseen, ...]:
    """What a reader might believe was looked at and was not."""
    names = {"gpu": "GPU", "smoke": "import of TensorFlow and smoke run"}
    wanted = dict.fromkeys(name for check in chosen for name in check.facts)
    found = []
    for name in wanted:
        fact = facts.get(name)
        # Whether TensorFlow is installed is a check of its own; the driver's absence is said of the GPU.
        if isinstance(fact, Unavailable) and name not in ("tensorflow", "driver"):
            found.append(Unseen(names.get(name, name), fact.reason))
    if selected or ignored:
        words = [f"--select {','.join(selected)}"] * bool(selected) + [f"--ignore {','.join(ignored)}"] * bool(ignored)
        found.append(Unseen("other checks", " ".join(words)))
    found.append(Unseen("model code", "this release of envcheck does not scan it"))
    return tuple(found)
