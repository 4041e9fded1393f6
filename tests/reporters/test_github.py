"""Workflow commands, read back as a runner reads them; ``UPDATE_GOLDEN=1`` writes the golden file anew."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from reporters.every_outcome import EVERY, HOSTILE, REPORTS, absent, ended, golden, report, saying

from envcheck.findings import Finding, Fix, Location, Report, Severity, Status
from envcheck.reporters import Style, github


@dataclass(frozen=True)
class Command:
    """What a runner understands of a line."""

    name: str
    properties: dict[str, str]
    message: str


def understood(line: str) -> Command | None:
    """A line as the runner reads it (``TryParseV2`` and ``TryParse`` in its ActionCommand.cs): a command or words.

    Every command that runners know can do harm where it was not meant, so any name counts.
    """
    line = line.lstrip()
    if line.startswith("::") and line.find("::", 2) >= 0:
        head, _, data = line[2:].partition("::")
        name, _, told = head.partition(" ")
        pairs = [pair.split("=", 1) for pair in told.strip().split(",") if pair]
        return Command(name, {key: _unescaped(value, property=True) for key, value in pairs}, _unescaped(data))
    if "##[" in line and "]" in line.partition("##[")[2]:
        return Command(line.partition("##[")[2].partition("]")[0], {}, "")
    return None


def _unescaped(text: str, *, property: bool = False) -> str:  # noqa: A002 - the runner's word
    for escaped, char in (
        ("%0D", "\r"),
        ("%0A", "\n"),
        *((("%3A", ":"), ("%2C", ",")) if property else ()),
        ("%25", "%"),
    ):
        text = text.replace(escaped, char)
    return text


def rendered(shown: Report) -> tuple[list[Command], list[str]]:
    """The commands, and the plain lines after them."""
    text = github.render(shown, Style())
    assert text.endswith("\n")
    assert "\r" not in text
    lines = text[:-1].split("\n")
    commands = [command for line in lines if (command := understood(line))]
    plain = [line for line in lines if understood(line) is None]
    assert {command.name for command in commands} <= {"error", "warning", "notice"}
    for command in commands:
        assert re.fullmatch("envcheck [A-Z]{3}[0-9]{3}", command.properties["title"])
        assert set(command.properties) <= {"file", "line", "col", "title"}
    assert lines[len(commands) :] == plain
    assert plain[-1].startswith("envcheck: ")
    return commands, plain


def only(*findings: Finding, **more: object) -> Report:
    return report(ended("API901", "Every name is in the target", Status.FAILED, *findings, **more))


def test_golden() -> None:
    rendered(EVERY)
    golden("every.github", github.render(EVERY, Style()))


def test_a_finding_is_an_annotation_of_its_line() -> None:
    (command,), plain = rendered(only(absent("tensorflow.Session", Location("models/été, 100%.py", 3, 1))))
    assert command == Command(
        "error",
        {"file": "models/été, 100%.py", "line": "3", "col": "1", "title": "envcheck API901"},
        "models/été, 100%.py:3:1: tensorflow.Session is not in tensorflow 2.21.0\n"
        "Fix: Use the name that took its place.\nAfterwards: envcheck scan .",
    )
    assert plain == ["envcheck: 1 error, 0 warnings, 0 notes, 0 checks passed."]


@pytest.mark.parametrize(
    ("severity", "kind"), [(Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.NOTE, "notice")]
)
def test_kinds(severity: Severity, kind: str) -> None:
    (own, inherited), _ = rendered(only(Finding("a", severity=severity), Finding("b"), severity=Severity.WARNING))
    assert (own.name, inherited.name) == (kind, "warning")


def test_the_line_of_a_cell_is_no_line_of_the_file() -> None:
    (command,), _ = rendered(only(Finding("m", None, Location("a.ipynb", 7, 9, 2))))
    assert command.properties == {"file": "a.ipynb", "title": "envcheck API901"}
    assert command.message == "a.ipynb:cell 2:7:9: m"


def test_a_row_of_the_matrix_is_named_and_not_annotated() -> None:
    (command,), _ = rendered(only(Finding("m", None, Location("compat_matrix/knots.yaml", 14))))
    assert command.properties == {"title": "envcheck API901"}
    assert command.message == "m\nSee compat_matrix/knots.yaml:14."


def test_consequences_and_what_was_not_checked_are_plain_lines() -> None:
    commands, plain = rendered(
        report(
            ended("GPU201", "t", Status.SKIPPED, reason="no driver"),
            ended("SMK101", "t", Status.FAILED, Finding("import failed"), caused_by="ENV320"),
        )
    )
    assert commands == []
    assert plain == [
        "GPU201 not checked: no driver",
        "SMK101 import failed (a consequence of ENV320)",
        "envcheck: 0 errors, 0 warnings, 0 notes, 0 checks passed, 1 not made.",
    ]


def test_a_broken_check_comes_before_all_findings() -> None:
    commands, plain = rendered(
        report(
            ended("API901", "t", Status.FAILED, Finding("m")), ended("ENV106", "t", Status.BROKEN, reason="KeyError: 1")
        )
    )
    assert [command.message for command in commands] == ["ENV106 is broken, a bug in envcheck: KeyError: 1", "m"]
    assert plain == ["envcheck: 1 error, 0 warnings, 0 notes, 0 checks passed, 1 broken."]


def test_more_annotations_than_are_shown_are_counted() -> None:
    commands, plain = rendered(only(*[Finding(str(number)) for number in range(11)]))
    assert len(commands) == 11
    assert plain[-1].endswith("GitHub shows 10 annotations of each kind for a step; all 11 are in this log.")
    spread = [Finding(str(number), severity=list(Severity)[number % 3]) for number in range(30)]
    assert "shows" not in rendered(only(*spread))[1][-1]


def test_half_a_command_is_never_shown() -> None:
    long = "rm -rf /tmp/" + "x" * 5000
    (command,), _ = rendered(only(Finding("m", Fix("Do this.", (long, "short")))))
    assert command.message == "m\nFix: Do this.\n    (5,012 characters: --format json)\n    short"


@pytest.mark.parametrize("words", HOSTILE, ids=lambda words: ascii(words)[:20])
def test_hostile_words(words: str) -> None:
    commands, plain = rendered(saying(words))
    assert [command.name for command in commands] == ["error"] * 4
    assert len(plain) == 4
    for command in commands:
        assert all(line.isprintable() for line in command.message.split("\n"))
        assert len(command.message) < 10_000


@given(REPORTS)
def test_always_as_many_commands_as_findings(shown: Report) -> None:
    commands, _ = rendered(shown)
    broken = sum(outcome.status is Status.BROKEN for outcome in shown.outcomes)
    assert len(commands) == broken + sum(len(o.findings) for o in shown.outcomes if o.caused_by is None)
