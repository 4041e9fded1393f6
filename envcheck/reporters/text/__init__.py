"""The report for people: sections, one line per check that matters, the fix under each finding, one verdict."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from envcheck.findings import Finding, Outcome, Report, Severity, Status
from envcheck.reporters import Style
from envcheck.reporters.text.facts import described
from envcheck.reporters.text.verdict import verdict

SECTIONS = (
    ("Machine & Python", ("ENV1",)),
    ("Packages", ("ENV2",)),
    ("TensorFlow & Keras", ("ENV3",)),
    ("GPU", ("GPU",)),
    ("Model code", ("API", "MDL")),
    ("Smoke", ("SMK",)),
)
"""Headings and the code prefixes under them."""

_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_SYMBOLS = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.NOTE: "·"}
_ASCII = str.maketrans({"✓": "+", "✗": "x", "·": "-", "→": "->", "…": "...", "≥": ">=", "≤": "<=", "×": "x", "–": "-"})


def render(report: Report, style: Style) -> str:
    """The report as lines of text, each line ended."""
    return _Page(report, style).text()


class _Page:
    def __init__(self, report: Report, style: Style) -> None:
        self._report = report
        self._style = style
        self._out = io.StringIO()
        self._console = Console(
            file=self._out,
            width=style.width,
            force_terminal=style.colour,
            no_color=not style.colour,
            color_system="standard" if style.colour else None,
            legacy_windows=False,
        )

    def text(self) -> str:
        for heading, prefixes in SECTIONS:
            outcomes = [outcome for outcome in self._report.outcomes if outcome.code.startswith(prefixes)]
            if outcomes:
                self._section(heading, prefixes[0], outcomes)
        self._verdict()
        # rich pads lines with spaces up to the width; a log or a diff wants none.
        page = "".join(f"{line.rstrip()}\n" for line in self._out.getvalue().splitlines())
        return page if self._style.unicode else page.translate(_ASCII).encode("ascii", "replace").decode()

    def _section(self, heading: str, prefix: str, outcomes: Sequence[Outcome]) -> None:
        quiet = self._style.verbosity < 0
        if not quiet:
            self._print(heading, style="bold")
            for line in described(prefix, self._report.inventory):
                self._print(line, indent=4)
        for outcome in outcomes:
            if outcome.status is Status.BROKEN:
                self._marked("x", f"{outcome.code} is broken, a bug in envcheck: {outcome.reason}", "bold magenta")
            elif outcome.status is Status.FAILED:
                for finding in outcome.findings:
                    self._finding(outcome, finding)
            elif self._style.verbosity > 0:
                self._other(outcome)
        if not quiet:
            if self._style.verbosity == 0:
                self._folded(outcomes)
            self._console.print()

    def _finding(self, outcome: Outcome, finding: Finding) -> None:
        severity = finding.severity or outcome.severity
        if outcome.caused_by:
            self._marked(" ", f"{outcome.code} {finding.message}", "dim")
            self._print(f"a consequence of {outcome.caused_by}", indent=6, style="dim")
            return
        self._marked(_SYMBOLS[severity], f"{severity.value} {outcome.code}: {finding.message}", _COLOURS[severity])
        if finding.location is not None and finding.location.line is not None:
            self._print(f"see {finding.location.path}:{finding.location.line}", indent=6, style="dim")
        if finding.fix is not None:
            self._print(f"fix: {finding.fix.summary}", indent=6)
            for command in finding.fix.commands:
                self._command(command)
            if finding.fix.verify and self._style.verbosity > 0:
                self._print("afterwards:", indent=6)
                self._command(finding.fix.verify)

    def _other(self, outcome: Outcome) -> None:
        if outcome.status is Status.PASSED:
            self._marked("✓", f"ok {outcome.code}: {outcome.title}", "green")
        else:
            self._marked("-", f"not checked {outcome.code}: {outcome.title} ({outcome.reason})", "dim")

    def _folded(self, outcomes: Sequence[Outcome]) -> None:
        passed = sum(outcome.status is Status.PASSED for outcome in outcomes)
        skipped = sum(outcome.status is Status.SKIPPED for outcome in outcomes)
        rest = f", {skipped} not made (-v says why)" if skipped else ""
        if passed:
            self._marked("✓", f"{_number(passed, 'check')} passed{rest}", "green")
        elif skipped:
            self._marked("-", f"{_number(skipped, 'check')} not made (-v says why)", "dim")

    def _verdict(self) -> None:
        words, colour = verdict(self._report)
        self._print(words, style=f"bold {colour}")
        counts = self._report.counts()
        told = [_number(counts[name], name) for name in ("error", "warning", "note") if counts[name] or name != "note"]
        told.append(f"{_number(counts['passed'], 'check')} passed, {counts['skipped']} not made")
        if counts["broken"]:
            told.append(f"{counts['broken']} broken")
        self._print(", ".join(told) + ".")
        if self._report.unseen:
            self._print(
                "Not looked at: " + "; ".join(f"{unseen.what} ({unseen.why})" for unseen in self._report.unseen) + "."
            )

    def _marked(self, symbol: str, message: str, colour: str) -> None:
        mark, colon, rest = _clean(message).partition(":")
        text = Text(style="dim" if colour == "dim" else "")
        text.append(f"{symbol} {mark}{colon}", style=colour)
        text.append(rest)
        # The first line stands two columns to the left of those that follow.
        lines = text.wrap(self._console, self._style.width - 6)
        for number, line in enumerate(lines):
            self._console.print(Padding(line, (0, 0, 0, 2 if number == 0 else 4)))

    def _print(self, message: str, *, indent: int = 0, style: str = "") -> None:
        lines = Text(_clean(message), style=style).wrap(self._console, self._style.width - indent - 2)
        for number, line in enumerate(lines):
            self._console.print(Padding(line, (0, 0, 0, indent + (2 if number else 0))))

    def _command(self, command: str) -> None:
        # Never wrapped: it is there to be copied.
        self._console.print(Text(f"{' ' * 8}$ {_clean(command)}"), soft_wrap=True)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _clean(text: str) -> str:
    """Text of unknown origin without control characters: it could clear the screen or rewrite what stands above."""
    return "".join(
        char if char.isprintable() else " " if char.isspace() else "\N{REPLACEMENT CHARACTER}" for char in text
    )
