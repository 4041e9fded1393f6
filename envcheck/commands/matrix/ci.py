"""``envcheck matrix ci``: the job matrix for CI."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from envcheck.commands.options import matrix_option
from envcheck.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcheck.suggestion.jobs import Job

RUNNERS = {
    "linux-x86_64": "ubuntu-latest",
    "linux-aarch64": "ubuntu-24.04-arm",
    "macos-x86_64": "macos-13",
    "macos-arm64": "macos-latest",
    "windows-x86_64": "windows-latest",
}
"""GitHub's runners: https://docs.github.com/en/actions/reference/runners/github-hosted-runners"""
MOST = {"github": 256, "gitlab": 200}
"""Jobs in one matrix, as the hosts' references say."""


@click.command("ci")
@click.option("--tensorflow", metavar="RANGE", default="", help='Only these versions: ">=2.12".')
@click.option("--python", metavar="RANGE", default="", help='Only these Pythons: ">=3.10".')
@click.option("--keras", metavar="RANGE", default="", help='Only with these versions of Keras: ">=3".')
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    type=click.Choice(list(RUNNERS)),
    help="May be given again.  [default: linux-x86_64]",
)
@click.option("--full", is_flag=True, help="Every series on every Python, not the fewest jobs that name each once.")
@matrix_option
@click.option(
    "--format", "-f", "format_", type=click.Choice(["github", "gitlab", "json"]), default="json", show_default=True
)
def command(
    tensorflow: str, python: str, keras: str, platforms: tuple[str, ...], full: bool, matrix: str | None, format_: str
) -> int:
    """Print jobs that were released and can be installed: TensorFlow, Python, and the Keras and numpy that go with them.

    github: one line for `strategy: matrix: ${{ fromJSON(…) }}`; gitlab: the value of `parallel: matrix:`.
    """
    from envcheck.commands.matrix.naming import specifier  # noqa: PLC0415 - --help loads none of this
    from envcheck.commands.output import write  # noqa: PLC0415
    from envcheck.commands.settings import chosen_matrix  # noqa: PLC0415
    from envcheck.suggestion.jobs import jobs  # noqa: PLC0415

    known = chosen_matrix(matrix)
    ranges = {"tensorflow": specifier("--tensorflow", tensorflow), "keras": specifier("--keras", keras)}
    wanted = specifier("--python", python)
    found = jobs(known, ranges, wanted, platforms or ("linux-x86_64",), full=full)
    if keras:
        found = [job for job in found if job.keras is not None]
    if not found:
        series = f"{known.rows[-1].series} to {known.rows[0].series}"
        raise UsageError(
            f"no released TensorFlow meets this: tensorflow {tensorflow or 'any'}, Python {python or 'any'}, keras "
            f"{keras or 'any'} on {', '.join(platforms or ('linux-x86_64',))}; known are {series}, see `envcheck matrix show`"
        )
    most = MOST.get(format_)
    if most is not None and len(found) > most:
        raise UsageError(
            f"{len(found)} jobs: {format_} takes at most {most} in one matrix; narrow the ranges or leave out --full"
        )
    write({"github": _github, "gitlab": _gitlab, "json": _plain}[format_](found), None)
    return 0


def _fields(job: Job) -> dict[str, Any]:
    return {key: value for key, value in asdict(job).items() if value is not None}


def _github(found: Sequence[Job]) -> str:
    rows = [{"os": RUNNERS[job.platform], **_fields(job)} for job in found]
    return json.dumps({"include": rows}) + "\n"


def _gitlab(found: Sequence[Job]) -> str:
    lines = []
    for job in found:
        fields = [f"{key.upper()}: {json.dumps([value])}" for key, value in _fields(job).items()]
        lines += [f"- {fields[0]}", *(f"  {field}" for field in fields[1:])]
    return "\n".join(lines) + "\n"


def _plain(found: Sequence[Job]) -> str:
    return "[\n" + ",\n".join(json.dumps(_fields(job)) for job in found) + "\n]\n"
