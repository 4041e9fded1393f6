"""What the judging commands share: look at (or read) an environment, run the checks, write the report."""

from __future__ import annotations

import contextlib
import datetime
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envcheck import __version__
from envcheck.chain import FACTS as CHAIN
from envcheck.chain import chain
from envcheck.commands.log_lines import explained
from envcheck.commands.options import interpreter
from envcheck.commands.output import check_format, check_output, progress, reporter, style_for, write
from envcheck.commands.settings import chosen_matrix
from envcheck.commands.state import check_state, write_state
from envcheck.engine import Facts, exit_code, run
from envcheck.errors import FINDINGS, OK, UsageError
from envcheck.findings import Basis, Check, Outcome, Report, Unseen
from envcheck.host import Host
from envcheck.inventory import Expectations, Inventory, Unavailable
from envcheck.probes.driver import begin as begin_driver
from envcheck.probes.python import begin as begin_python
from envcheck.probes.smoke import begin as begin_smoke
from envcheck.registry import checks, probes, select

if TYPE_CHECKING:
    from envcheck.commands.scan.beside import Code

NOT_RUN = "--no-smoke: nothing was imported or run"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for; the options' help says what each means.

    ``must_run`` makes a smoke run that could not be made a failure. ``paths`` is model code to scan. ``state`` is the file in
    which ``envcheck healthcheck`` finds how it went.
    """

    expectations: Expectations
    paths: tuple[str, ...] = ()
    python: str | None = None
    source: str | None = None
    timeout: float = 300.0
    smoke: bool = True
    must_run: bool = False
    selected: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    fail_on: str = "error"
    strict: bool = False
    matrix: str | None = None
    state: str | None = None
    format: str = "text"
    output: str | None = None
    verbose: bool = False
    quiet: bool = False


def judge(wanted: Wanted) -> int:
    """Look at (or read) the environment, run the selected checks, write the report; its exit code."""
    check_format(wanted.format)
    check_output(wanted.output)
    check_state(wanted.state)
    with contextlib.ExitStack() as stack:
        show = stack.enter_context(progress(wanted.quiet))
        chosen, facts, inventory = _read(wanted) if wanted.source else _look(wanted, stack, show)
        scanned = None
        if wanted.paths:
            code_of = _code(wanted)
            chosen = code_of.chosen(chosen, wanted.selected, wanted.ignored)
            scanned = code_of.scanned(facts, show)
        matrix = None
        if wanted.matrix is not None or any("matrix" in check.facts for check in chosen):
            matrix = chosen_matrix(wanted.matrix)
            facts.give("matrix", matrix)
        render = reporter(wanted.format)
        outcomes = run(chosen, facts)
        coverage = None
        if scanned is not None:
            outcomes, coverage = scanned.left(outcomes, chosen)
    code = exit_code(outcomes, wanted.fail_on, strict=wanted.strict)
    if wanted.must_run and isinstance(facts.get("smoke"), Unavailable) and code == OK:
        code = FINDINGS
    if wanted.state is not None:
        _record(wanted.state, facts, outcomes, code)
    if inventory is None:
        inventory = Inventory(facts.collected(), now(), __version__)
    if matrix is not None:
        inventory = explained(inventory, matrix)
    basis = None if matrix is None else Basis(matrix.as_of, matrix.overrides)
    links = chain({name: facts.seen(name) for name in CHAIN}, outcomes)
    report = Report(__version__, inventory, outcomes, code, _unseen(facts, chosen, wanted), basis, coverage, links)
    style = style_for(wanted.output, verbose=wanted.verbose, quiet=wanted.quiet)
    write(render(report, style), wanted.output)
    return code


def _chosen(wanted: Wanted) -> tuple[Check, ...]:
    """The selected checks; those of code only where there is code."""
    found = select(checks(), wanted.selected, wanted.ignored)
    found = tuple(check for check in found if "build" not in check.facts)  # `envcheck build` asks them, and nobody else
    if wanted.paths:
        return found
    kept = tuple(check for check in found if "code" not in check.facts)
    if not kept:
        raise UsageError("the chosen checks judge model code: give its PATH")
    return kept


def _code(wanted: Wanted) -> Code:
    """The code at the paths, and what its project sets."""
    from envcheck.commands.scan.beside import Code  # noqa: PLC0415 - only where there is code

    return Code.at(wanted.paths)


def _record(file: str, facts: Facts, outcomes: Sequence[Outcome], code: int) -> None:
    """Before the report is written: what was found counts, whoever reads it."""
    from envcheck.commands.recording import recorded  # noqa: PLC0415 - only where it is asked for

    write_state(file, recorded(facts, outcomes, code, now()))


def _given(wanted: Wanted) -> dict[str, object]:
    given: dict[str, object] = {"expectations": wanted.expectations}
    if not wanted.smoke:
        given["smoke"] = Unavailable(NOT_RUN)
    if wanted.expectations.device == "cpu":
        given["driver"] = given["gpu"] = Unavailable("not wanted: --device cpu", absent=True)
    return given


def _read(wanted: Wanted) -> tuple[tuple[Check, ...], Facts, Inventory | None]:
    chosen = _chosen(wanted)
    inventory = read_inventory(wanted.source or "")
    return chosen, Facts({**inventory.facts, **_given(wanted)}, {}), inventory


def _look(
    wanted: Wanted, stack: contextlib.ExitStack, show: Callable[[str], None]
) -> tuple[tuple[Check, ...], Facts, Inventory | None]:
    """The order is for speed: children are started as early as possible, and modules load while they run."""
    host = make_host(wanted.python, wanted.timeout, wanted.expectations, show)
    stack.callback(host.close)
    begin_python(host)
    given = _given(wanted)
    if not wanted.selected and not wanted.ignored:
        # NVML first: it should have answered before the tiny model takes memory of the GPU.
        for name, begin in (("driver", begin_driver), ("smoke", begin_smoke)):
            if name not in given:
                begin(host)
    chosen = _chosen(wanted)
    facts = Facts(given, probes(), host)
    facts.get("python")  # first: without an interpreter there is nothing to look at
    facts.begin(dict.fromkeys(name for check in chosen for name in check.facts))
    return chosen, facts, None


def make_host(python: str | None, timeout: float, expectations: Expectations, show: Callable[[str], None]) -> Host:
    """The host that the options describe."""
    try:
        folder = Path.cwd()
    except OSError as error:
        raise UsageError(f"the current folder cannot be used: {error.strerror}; change to another one") from None
    return Host(python=interpreter(python), cwd=folder, timeout=timeout, expectations=expectations, progress=show)


def read_inventory(source: str) -> Inventory:
    """The inventory in the file ``source``; ``-`` is stdin.

    Raises:
        UsageError: it cannot be read, or is no inventory.
    """
    from envcheck.codec import decode_inventory, facts_type  # noqa: PLC0415 - the usual run decodes nothing

    if source == "-" and sys.stdin is None:
        raise UsageError("--from -: stdin is closed")
    try:
        text = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {source}: {error.strerror}") from None
    types = {name: facts_type(probe.collect) for name, probe in probes().items()}
    return decode_inventory(text, types, "stdin" if source == "-" else source)


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _unseen(facts: Facts, chosen: tuple[Check, ...], wanted: Wanted) -> tuple[Unseen, ...]:
    """What a reader might believe was looked at and was not."""
    names = {"gpu": "GPU", "gpu_libraries": "CUDA libraries", "smoke": "import of TensorFlow and smoke run"}
    found = []
    for name in dict.fromkeys(name for check in chosen for name in check.facts):
        fact = facts.get(name)
        # Whether TensorFlow is installed is a check of its own; the driver's absence is said of the GPU.
        told_elsewhere = name in ("tensorflow", "driver", "cuda", "others")
        no_cuda = name == "gpu_libraries" and isinstance(fact, Unavailable) and fact.absent
        if isinstance(fact, Unavailable) and not told_elsewhere and not no_cuda:
            found.append(Unseen(names.get(name, name), fact.reason))
    filters = {"--select": wanted.selected, "--ignore": wanted.ignored}
    told = [f"{option} {','.join(codes)}" for option, codes in filters.items() if codes]
    if told:
        found.append(Unseen("other checks", " ".join(told)))
    if not wanted.paths:
        found.append(Unseen("model code", "no PATH was given"))
    return tuple(found)
