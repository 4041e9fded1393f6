"""The report for people: sections, one line per check that matters, the fix under each finding, one verdict."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from envcheck.findings import Coverage, Finding, Outcome, Override, Report, Severity, Status
from envcheck.printable import printable
from envcheck.reporters import Style
from envcheck.reporters.text.code import Judged, covered, is_code, located, needs, pages, severity_of, statistics
from envcheck.reporters.text.facts import described
from envcheck.reporters.text.links import linked
from envcheck.reporters.text.smoke import ran
from envcheck.reporters.text.verdict import verdict

CODE = ("API", "MDL")
SECTIONS = (
    ("Machine & Python", ("ENV1",)),
    ("Packages", ("ENV2",)),
    ("TensorFlow & Keras", ("ENV3",)),
    ("GPU", ("GPU",)),
    ("Model code", CODE),
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
            if prefixes == CODE and self._report.coverage is not None:
                self._code(self._report.coverage)
                continue
            outcomes = [outcome for outcome in self._report.outcomes if outcome.code.startswith(prefixes)]
            if outcomes:
                self._section(heading, prefixes[0], outcomes)
        if self._report.matrix is not None and self._report.matrix.overrides:
            self._own_rows(self._report.matrix.overrides)
        self._verdict()
        # rich pads lines with spaces up to the width; a log or a diff wants none.
        page = "".join(f"{line.rstrip()}\n" for line in self._out.getvalue().splitlines())
        return page if self._style.unicode else page.translate(_ASCII).encode("ascii", "replace").decode()

    def _section(self, heading: str, prefix: str, outcomes: Sequence[Outcome]) -> None:
        quiet = self._style.verbosity < 0
        if not quiet:
            self._print(heading, style="bold")
            everything = self._style.verbosity > 0
            told = ran(self._report.inventory, everything=everything) if prefix == "SMK" else ()
            for line in told or described(prefix, self._report.inventory):
                self._print(line, indent=4)
            if prefix == "GPU":
                self._chain()
        for outcome in outcomes:
            self._broken(outcome)
            if outcome.status is Status.FAILED:
                for finding in outcome.findings:
                    self._finding(outcome, finding)
            elif self._style.verbosity > 0 and outcome.status is not Status.BROKEN:
                self._other(outcome)
        if not quiet:
            if self._style.verbosity == 0:
                self._folded(outcomes)
            self._console.print()

    def _chain(self) -> None:
        """Where there is a GPU, or should be one; without, only who wants to know everything is told."""
        for line, style in linked(self._report, everything=self._style.verbosity > 0):
            self._print(line, indent=4, style=style)

    def _code(self, coverage: Coverage) -> None:
        """Findings with their source lines; notes are counted, and shown where they are asked for."""
        quiet = self._style.verbosity < 0
        among = not is_code(self._report)
        if among and not quiet:
            self._print("Model code", style="bold")
        outcomes = [outcome for outcome in self._report.outcomes if outcome.code.startswith(CODE)]
        for outcome in outcomes:
            self._broken(outcome)
        judged = located(outcomes)
        shown = [each for each in judged if severity_of(each) is not Severity.NOTE or self._style.verbosity > 0]
        self._judged(judged, shown)
        if quiet:
            return
        for line in [*needs(coverage.windows, every=self._style.verbosity > 0), *covered(coverage)]:
            self._print(line)
        hidden = len(judged) - len(shown)
        if hidden and not self._style.statistics:
            self._print(f"{_number(hidden, 'note')} not shown: -v shows them.")
        if among:
            self._console.print()

    def _judged(self, judged: Sequence[Judged], shown: Sequence[Judged]) -> None:
        if self._style.statistics:
            self._out.writelines(f"{printable(line)}\n" for line in statistics(judged))
            return
        for block in pages(shown, unicode=self._style.unicode):
            if self._style.colour:
                self._console.print(Text.assemble(*block), soft_wrap=True)
            else:  # ten times faster, and a scan may find thousands
                self._out.write("".join(text for text, _ in block))
                self._out.write("\n")
            self._out.write("\n")

    def _own_rows(self, overrides: Sequence[Override]) -> None:
        """Said even where only findings are wanted: a row that a team takes away can be why there are none."""
        if self._style.verbosity < 0:
            files = ", ".join(dict.fromkeys(override.file for override in overrides))
            self._print(f"Judged with {_number(len(overrides), 'row')} of your own: {files}.")
            return
        self._print("Your own rows", style="bold")
        for override in overrides:
            self._print(
                f"{override.table} {override.row} ({override.file}:{override.line}): {override.reason}", indent=4
            )
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

    def _broken(self, outcome: Outcome) -> None:
        if outcome.status is Status.BROKEN:
            self._marked("x", f"{outcome.code} is broken, a bug in envcheck: {outcome.reason}", "bold magenta")

    def _other(self, outcome: Outcome) -> None:
        words = {Status.PASSED: "ok", Status.NOT_APPLICABLE: "not applicable", Status.SKIPPED: "not checked"}
        symbol, colour = ("✓", "green") if outcome.status is Status.PASSED else ("-", "dim")
        reason = f" ({outcome.reason})" if outcome.reason else ""
        self._marked(symbol, f"{words[outcome.status]} {outcome.code}: {outcome.title}{reason}", colour)

    def _folded(self, outcomes: Sequence[Outcome]) -> None:
        statuses = Counter(outcome.status for outcome in outcomes)
        told = [f"{_number(statuses[Status.PASSED], 'check')} passed"] if statuses[Status.PASSED] else []
        told += [f"{statuses[Status.SKIPPED]} not made"] if statuses[Status.SKIPPED] else []
        told += [f"{statuses[Status.NOT_APPLICABLE]} not applicable"] if statuses[Status.NOT_APPLICABLE] else []
        if told:
            symbol, colour = ("✓", "green") if statuses[Status.PASSED] else ("-", "dim")
            why = " (-v says why)" if len(told) > 1 or not statuses[Status.PASSED] else ""
            self._marked(symbol, ", ".join(told) + why, colour)

    def _verdict(self) -> None:
        words, colour = verdict(self._report)
        self._print(words, style=f"bold {colour}")
        counts = self._report.counts()
        told = [_number(counts[name], name) for name in ("error", "warning", "note") if counts[name] or name != "note"]
        if not is_code(self._report):
            told.append(f"{_number(counts['passed'], 'check')} passed")
        told += [f"{counts['skipped']} not made"] if counts["skipped"] else []
        if counts["broken"]:
            told.append(f"{counts['broken']} broken")
        self._print(", ".join(told) + ".")
        if self._report.unseen:
            self._print(
                "Not looked at: " + "; ".join(f"{unseen.what} ({unseen.why})" for unseen in self._report.unseen) + "."
            )

    def _marked(self, symbol: str, message: str, colour: str) -> None:
        mark, colon, rest = printable(message).partition(":")
        text = Text(style="dim" if colour == "dim" else "")
        text.append(f"{symbol} {mark}{colon}", style=colour)
        text.append(rest)
        # The first line stands two columns to the left of those that follow.
        lines = text.wrap(self._console, self._style.width - 6)
        for number, line in enumerate(lines):
            self._console.print(Padding(line, (0, 0, 0, 2 if number == 0 else 4)))

    def _print(self, message: str, *, indent: int = 0, style: str = "") -> None:
        lines = Text(printable(message), style=style).wrap(self._console, self._style.width - indent - 2)
        for number, line in enumerate(lines):
            self._console.print(Padding(line, (0, 0, 0, indent + (2 if number else 0))))

    def _command(self, command: str) -> None:
        # Never wrapped: it is there to be copied.
        self._console.print(Text(f"{' ' * 8}$ {printable(command)}"), soft_wrap=True)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
