"""``envcheck suggest``: which versions to install, and the smallest change that repairs what is installed."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from envcheck.commands.options import matrix_option
from envcheck.errors import FINDINGS, OK, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.specifiers import SpecifierSet

    from envcheck.engine import Facts
    from envcheck.knowledge.matrix import Matrix
    from envcheck.suggestion.page import Suggestion

PLATFORM_NAMES = ("linux-x86_64", "linux-aarch64", "macos-x86_64", "macos-arm64", "windows-x86_64")


@click.command("suggest")
@click.option("--python", metavar="PATH", help="The interpreter to look at.  [default: the one that runs envcheck]")
@click.option("--from", "source", metavar="FILE", help="Take a saved inventory instead; - reads it from stdin.")
@click.option(
    "--tensorflow", "wanted", metavar="RANGE", help='Only these TensorFlow versions: "==2.15.*", ">=2.12,<2.16".'
)
@click.option(
    "--requirements", "-r", metavar="PATH", help="A requirements.txt, a pyproject.toml, or a folder with one."
)
@click.option("--legacy-keras", is_flag=True, help="With tf-keras, the Keras 2 for newer TensorFlows.")
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "gpu"]), default="auto", show_default=True, help="What to run on."
)
@click.option("--gpu", metavar="NAME", help='Ask for another GPU: "RTX 3090", or its compute capability: 8.6.')
@click.option("--driver", metavar="VERSION", help="Ask for another NVIDIA driver: 535.104.")
@click.option("--target-python", metavar="SERIES", help="Ask for another Python: 3.11.")
@click.option("--platform", "platform_", type=click.Choice(PLATFORM_NAMES), help="Ask for another platform.")
@matrix_option
@click.option("--timeout", type=click.FloatRange(min=1), default=60.0, show_default=True, help="Seconds for looking.")
@click.option("--format", "-f", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--output", "-o", metavar="FILE", help="Write to this file instead of stdout.")
def command(
    python: str | None,
    source: str | None,
    wanted: str | None,
    requirements: str | None,
    legacy_keras: bool,
    device: str,
    gpu: str | None,
    driver: str | None,
    target_python: str | None,
    platform_: str | None,
    matrix: str | None,
    timeout: float,
    format_: str,
    output: str | None,
) -> int:
    """Suggest versions: the newest set for a fresh environment, and the smallest repair of what is installed.

    Exits with 1 when nothing can work here, and says what would. Model code is not read for it.
    """
    from envcheck.commands.asking import Asked  # noqa: PLC0415 - --help loads none of this
    from envcheck.commands.output import check_output, write  # noqa: PLC0415
    from envcheck.commands.requirements import requirements as read  # noqa: PLC0415
    from envcheck.commands.settings import chosen_matrix  # noqa: PLC0415
    from envcheck.suggestion.fresh import Nothing, Wishes, fresh  # noqa: PLC0415
    from envcheck.suggestion.page import Suggestion, as_json, text  # noqa: PLC0415

    if source and python:
        raise UsageError("--from takes a saved inventory; --python looks at an interpreter: give one of them")
    if device == "cpu" and (gpu or driver):
        raise UsageError("--device cpu contradicts --gpu and --driver")
    check_output(output)
    known = chosen_matrix(matrix)
    ranges = {} if wanted is None else {"tensorflow": _range(wanted)}
    with contextlib.ExitStack() as stack:
        facts = None if target_python and platform_ else _facts(stack, python, source, timeout)
        machine = Asked(device, gpu, driver, target_python, platform_).machine(facts, known)
        unread: tuple[str, ...] = ()
        if requirements is not None:
            theirs, unread = read(Path(requirements), machine.python, machine.platform)
            both = {name: ranges[name] & theirs[name] for name in ranges if name in theirs}
            ranges = {**theirs, **ranges, **both}
            unknown = (name for name in theirs if not known.releases.of(name))
            unread += tuple(f"{name}{theirs[name]}: no releases of it are recorded" for name in unknown)
        suggestion = Suggestion(machine, fresh(known, machine, Wishes(ranges, legacy_keras)), unread=unread)
        if facts is not None and not (gpu or driver or target_python or platform_):
            suggestion = _with_repair(suggestion, facts, known, ranges)
    write((as_json if format_ == "json" else text)(suggestion, known), output)
    return FINDINGS if isinstance(suggestion.fresh, Nothing) else OK


def _range(text: str) -> SpecifierSet:
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415

    try:
        wanted = SpecifierSet(f"=={text}" if re.fullmatch(r"[0-9][\w.*]*", text) else text)
        for each in wanted:
            each.contains("1")  # a number of 5000 digits is refused only when it is compared
    except ValueError:
        said = text if len(text) < 80 else f"{text[:80]}…"
        raise UsageError(f'--tensorflow {said}: a range such as "==2.15.*" or ">=2.12,<2.16" is expected') from None
    return wanted


def _facts(stack: contextlib.ExitStack, python: str | None, source: str | None, timeout: float) -> Facts:
    """The facts of this machine, or of a saved inventory; nothing is imported or run for them."""
    from envcheck.commands.judging import NOT_RUN, make_host, read_inventory  # noqa: PLC0415
    from envcheck.commands.output import progress  # noqa: PLC0415
    from envcheck.engine import Facts  # noqa: PLC0415
    from envcheck.inventory import Expectations, Unavailable  # noqa: PLC0415
    from envcheck.registry import probes  # noqa: PLC0415

    if source is not None:
        return Facts(dict(read_inventory(source).facts), {})
    show = stack.enter_context(progress(False))
    host = make_host(python, timeout, Expectations(), show)
    stack.callback(host.close)
    return Facts({"smoke": Unavailable(NOT_RUN)}, probes(), host)


def _with_repair(
    suggestion: Suggestion, facts: Facts, matrix: Matrix, ranges: Mapping[str, SpecifierSet]
) -> Suggestion:
    """With the smallest change to what is installed, and the commands that make it."""
    from envcheck.inventory import Unavailable  # noqa: PLC0415
    from envcheck.probes.packages import PackagesFacts  # noqa: PLC0415
    from envcheck.probes.python import PythonFacts  # noqa: PLC0415
    from envcheck.suggestion.fresh import Wishes  # noqa: PLC0415
    from envcheck.suggestion.repair import repair  # noqa: PLC0415

    packages, python = facts.get("packages"), facts.get("python")
    if not isinstance(packages, PackagesFacts) or not isinstance(python, PythonFacts):
        reason = packages.reason if isinstance(packages, Unavailable) else "the facts lack it"
        return dataclasses.replace(suggestion, repair=f"what is installed could not be seen: {reason}")
    found = repair(matrix, suggestion.machine, packages.versions(), Wishes(ranges))
    commands: tuple[str, ...] = ()
    if not isinstance(found, str):
        gone = [change.name for change in found.changes if change.want is None]
        wanted = [change.requirement for change in found.changes if change.want is not None]
        commands = (*((python.uninstall(*gone),) if gone else ()), *((python.install(*wanted),) if wanted else ()))
    return dataclasses.replace(suggestion, repair=found, repair_commands=commands)
