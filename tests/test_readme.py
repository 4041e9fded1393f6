"""The README and CONTRIBUTING against the program: commands, options, codes, dependencies, targets."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import click
import pytest

from envcheck.cli import COMMANDS, LazyGroup, group
from envcheck.registry import checks

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def command(name: str) -> click.Command:
    assert isinstance(group, LazyGroup)
    found = group.get_command(click.Context(group), name)
    assert found is not None
    return found


def test_every_command_is_described() -> None:
    described = set(re.findall(r"^\| `envcheck (\w+)", README, re.MULTILINE))
    assert described == set(COMMANDS)
    for name in COMMANDS:
        assert command(name).help


@pytest.mark.parametrize(
    "line",
    sorted(
        set(re.findall(r"envcheck ((?:doctor|inventory|smoke|scan|explain|suggest|api|matrix \w+)[^\n|`\")]*)", README))
    ),
)
def test_every_command_line_can_be_parsed(line: str) -> None:
    words = line.partition("#")[0].split()
    found = command(words[0])
    if isinstance(found, click.Group):
        inner = found.get_command(click.Context(found), words[1])
        assert inner is not None, line
        found = inner
    options = {option for parameter in found.params for option in parameter.opts}
    for word in words[1:]:
        if word.startswith("-") and word != "-":
            assert word in options, f"{word} in: envcheck {line}"


def test_codes_that_the_readme_names_exist() -> None:
    codes = [check.code for check in checks()]
    for code in re.findall(r"\b(?:ENV|GPU|SMK|API|MDL)\d{3}\b", README):
        assert code in codes
    for prefix in re.findall(r"^- \*\*(\w+)\*\*", README, re.MULTILINE):
        assert any(code.startswith(prefix) for code in codes)
    told = re.findall(r"^- \*\*(\w+)\*\*", README, re.MULTILINE)
    assert all(code.startswith(tuple(told)) for code in codes)


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"`?\bmake (\w+)", README + CONTRIBUTING):
        if target != "and":
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_every_dependency_says_why_it_is_there() -> None:
    project = importlib.import_module("tomllib").loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for wanted in (*project["dependencies"], *project["optional-dependencies"]["dev"]):
        name = re.split(r"[\[<>=;]", wanted)[0]
        assert re.search(rf"\b{re.escape(name)}\b", CONTRIBUTING, re.IGNORECASE), name


def test_all_nouns_stand_in_the_changelog_and_version_is_one() -> None:
    from envcheck import __version__

    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "## [Unreleased]" in changelog or f"## [{__version__}]" in changelog
    for name in COMMANDS:
        assert f"envcheck {name}" in changelog
