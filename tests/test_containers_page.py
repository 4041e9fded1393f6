"""docs/containers.md and the Dockerfile against the program: every command line parses, every probe has time to end."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from envcheck.cli import group

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "containers.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [text for found, text in BLOCKS if found == kind]


def command_lines() -> Iterator[list[str]]:
    """The words behind ``envcheck``, wherever it is called."""
    docker = [*blocks("dockerfile"), (ROOT / "Dockerfile").read_text("utf-8")]
    lists = [json.loads(found) for text in docker for found in re.findall(r"CMD (\[.*\])", text)]
    lists += [probe["exec"]["command"] for probe in probes()]
    lists += [
        container["command"] for text in blocks("yaml") for container in yaml.safe_load(text)["spec"]["containers"]
    ]
    for words in lists:
        if words[0] == "sh":
            yield from called(words[-1])
        elif words[0] == "envcheck":
            yield words[1:]
    for text in (*blocks("sh"), *(line[2:] for line in blocks("console")[0].splitlines() if line.startswith("$ "))):
        yield from called(text)


def called(shell: str) -> Iterator[list[str]]:
    for line in re.split(r"&&|;|\n|\)", shell):
        if found := re.search(r"(?:^|[\s/])envcheck ((?:healthcheck|smoke|doctor)\b.*)", line):
            yield shlex.split(found[1])


def probes() -> list[dict[str, Any]]:
    containers = [each for text in blocks("yaml") for each in yaml.safe_load(text)["spec"]["containers"]]
    return [each[name] for each in containers for name in ("startupProbe", "readinessProbe", "livenessProbe")]


def test_every_command_line_parses() -> None:
    found = list(command_lines())
    assert len(found) >= 10
    for words in found:
        command = group.get_command(click.Context(group), words[0])
        assert command is not None
        numbers = ["8" if word.startswith("$") else word for word in words[1:]]
        command.make_context(words[0], numbers, resilient_parsing=False)


def test_a_probe_and_a_health_check_end_before_they_are_killed() -> None:
    def own(words: list[str]) -> float:
        return float(words[words.index("--timeout") + 1].removesuffix("s"))

    assert len(probes()) == 3
    for probe in probes():
        assert own(probe["exec"]["command"]) < probe["timeoutSeconds"] <= probe["periodSeconds"]
    for text in (*blocks("dockerfile"), (ROOT / "Dockerfile").read_text("utf-8")):
        found = re.search(r"HEALTHCHECK .*--timeout=(\d+)s .*\\\n\s+CMD (\[.*\])", text)
        assert found is not None
        assert own(json.loads(found[2])) < float(found[1])


def test_all_options_are_described() -> None:
    command = group.get_command(click.Context(group), "healthcheck")
    assert command is not None
    for parameter in command.params:
        if parameter.name != "format_":
            assert parameter.opts[0] in PAGE


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")
@pytest.mark.parametrize("text", blocks("sh"))
def test_shell_scripts_are_some(text: str) -> None:
    subprocess.run(["sh", "-n"], input=text, text=True, check=True)
