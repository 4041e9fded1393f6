"""Workflow commands for GitHub Actions: each finding is an annotation of the run, and of its line in a pull request.

What a runner understands and how it is escaped: https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from envcheck.findings import Finding, Location, Outcome, Report, Severity, Status
from envcheck.printable import printable
from envcheck.reporters import Style

LONGEST = 1000
"""Characters that one sentence of a finding may have; a message that quotes a file can be of any length."""
SHOWN = 10
"""Annotations of one kind that a runner keeps of one step (``_maxCountPerIssueType`` in its ExecutionContext.cs)."""

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = {**_DATA, **str.maketrans({":": "%3A", ",": "%2C"})}


def render(report: Report, style: Style) -> str:  # noqa: ARG001 - a log has no style; the signature is every format's
    """One workflow command for each finding, plain lines for what was not looked at, and a plain line that sums up.

    A broken check comes first, as an error: a runner keeps the first ten annotations of each kind. Consequences of
    another finding are plain lines.
    """
    annotations = [*_broken(report), *_findings(report)]
    lines = [line for _, line in annotations] + [_plain(words) for words in _remarks(report)]
    lines.append(_summary(report, Counter(kind for kind, _ in annotations)))
    return "\n".join(lines) + "\n"


def told(finding: Finding) -> str:
    """What a finding says, as lines of plain text: the message, the fix with its commands, where to read on."""
    lines = [_short(finding.message)]
    if finding.fix is not None:
        lines.append(f"Fix: {_short(finding.fix.summary)}")
        lines += [f"    {_command(command)}" for command in finding.fix.commands]
        lines += [f"Afterwards: {_command(finding.fix.verify)}"] if finding.fix.verify else []
    if finding.location is not None and is_row(finding.location):
        lines.append(f"See {place(finding.location)}.")
    if finding.url:
        lines.append(f"More: {_short(finding.url)}")
    return "\n".join(lines)


def place(location: Location) -> str:
    """``train.py:12:5``, or ``train.ipynb:cell 3:12:5``: a line of a notebook counts from the top of its cell."""
    parts = [_short(location.path)]
    if location.cell is not None:
        parts.append(f"cell {location.cell}")
    parts += [str(number) for number in (location.line, location.column) if number is not None]
    return ":".join(parts)


def is_row(location: Location) -> bool:
    """Whether it is a row of envcheck's own compatibility matrix: what a finding rests on, not where it was found."""
    return location.path.startswith("compat_matrix/") and location.path.endswith(".yaml")


def _short(text: str) -> str:
    """``text`` on one line, at most ``LONGEST`` characters of it, and how many more there are."""
    more = len(text) - LONGEST
    return printable(text[:LONGEST]) + (f" … ({more:,} characters more: --format json)" if more > 0 else "")


def _command(command: str) -> str:
    """A command whole or not at all: the half of one may do something else."""
    return printable(command) if len(command) <= LONGEST else f"({len(command):,} characters: --format json)"


def _broken(report: Report) -> Iterator[tuple[str, str]]:
    for outcome in report.outcomes:
        if outcome.status is Status.BROKEN:
            message = f"{outcome.code} is broken, a bug in envcheck: {_short(outcome.reason or 'no reason given')}"
            yield "error", _annotation("error", outcome, None, message)


def _findings(report: Report) -> Iterator[tuple[str, str]]:
    for outcome in report.outcomes:
        for finding in outcome.findings if outcome.caused_by is None else ():
            location = None if finding.location is None or is_row(finding.location) else finding.location
            # The log shows the message alone, without the file and line of the annotation.
            where = "" if location is None else f"{place(location)}: "
            kind = _COMMANDS[finding.severity or outcome.severity]
            yield kind, _annotation(kind, outcome, location, f"{where}{told(finding)}")


def _annotation(kind: str, outcome: Outcome, location: Location | None, message: str) -> str:
    properties: dict[str, object] = {}
    if location is not None:
        properties["file"] = printable(location.path)
        # The line of a cell is no line of the notebook's file.
        if location.cell is None and location.line is not None:
            properties["line"] = location.line
            if location.column is not None:
                properties["col"] = location.column
    properties["title"] = f"envcheck {outcome.code}"
    told_properties = ",".join(f"{name}={str(value).translate(_PROPERTY)}" for name, value in properties.items())
    return f"::{kind} {told_properties}::{message.translate(_DATA)}"


def _remarks(report: Report) -> Iterator[str]:
    for outcome in report.outcomes:
        if outcome.caused_by is not None:
            for finding in outcome.findings:
                yield f"{outcome.code} {_short(finding.message)} (a consequence of {outcome.caused_by})"
        elif outcome.status is Status.SKIPPED:
            yield f"{outcome.code} not checked: {_short(outcome.reason or 'no reason given')}"
    for unseen in report.unseen:
        yield f"Not looked at: {_short(unseen.what)} ({_short(unseen.why)})"


def _plain(words: str) -> str:
    """A line that is no command: runners find the older ``##[command]`` anywhere in one."""
    return words.replace("##[", "## [")


def _summary(report: Report, annotations: Counter[str]) -> str:
    counts = report.counts()
    parts = [_number(counts[name], name) for name in ("error", "warning", "note")]
    parts.append(f"{_number(counts['passed'], 'check')} passed")
    parts += [f"{counts['skipped']} not made"] if counts["skipped"] else []
    parts += [f"{counts['broken']} broken"] if counts["broken"] else []
    line = f"envcheck: {', '.join(parts)}."
    if any(number > SHOWN for number in annotations.values()):
        line += (
            f" GitHub shows {SHOWN} annotations of each kind for a step; all {annotations.total():,} are in this log."
        )
    return line


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
