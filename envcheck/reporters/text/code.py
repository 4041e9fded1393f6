"""Findings in code for people: each with its source line, sorted by file and line; then what was covered, and the window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from envcheck.findings import Coverage, Finding, Outcome, Report, Severity, Window
from envcheck.printable import printable

COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
LONGEST = 120
"""Characters of a source line that are shown."""
Judged = tuple[Outcome, Finding]


def located(outcomes: Sequence[Outcome]) -> list[Judged]:
    """The findings of checks on code, by file, cell, line and column."""
    found = [(outcome, finding) for outcome in outcomes for finding in outcome.findings]
    return sorted(found, key=lambda each: _order(each[1]))


def _order(finding: Finding) -> tuple[str, int, int, int]:
    where = finding.location
    return ("", 0, 0, 0) if where is None else (where.path, where.cell or 0, where.line or 0, where.column or 0)


def severity_of(judged: Judged) -> Severity:
    """How bad it is."""
    outcome, finding = judged
    return finding.severity or outcome.severity


Block = list[tuple[str, str]]
"""Pieces of text with their styles."""


def pages(judged: Sequence[Judged], *, unicode: bool) -> Iterator[Block]:
    """A block of lines for each finding; what was advised above is not said again."""
    said: set[tuple[str | None, object]] = set()
    for one in judged:
        outcome, finding = one
        severity = severity_of(one)
        block = [
            (printable(place(finding)), "bold"),
            (": ", ""),
            (f"{severity.value} {outcome.code}", COLOURS[severity]),
            (f" {printable(finding.message)}", ""),
        ]
        block += [(f"\n{line}", style) for line, style in _source(finding, unicode)]
        if finding.fix is not None:
            key = (finding.symbol, finding.evidence.get("parameter"))
            words = printable(finding.fix.summary)
            if key in said and finding.evidence.get("use"):
                words = f"write {printable(str(finding.evidence['use']))}"
            said.add(key)
            block.append((f"\n    fix: {words}", ""))
        yield block


def place(finding: Finding) -> str:
    """``train.py:12:5``, and the cell of a notebook."""
    where = finding.location
    if where is None:
        return "?"
    cell = f":cell {where.cell}" if where.cell is not None else ""
    line = f":{where.line}" if where.line is not None else ""
    column = f":{where.column}" if where.column is not None else ""
    return f"{where.path}{cell}{line}{column}"


def _source(finding: Finding, unicode: bool) -> Iterator[tuple[str, str]]:
    source, where = finding.evidence.get("source"), finding.location
    if not isinstance(source, str) or where is None or where.line is None or not source.strip():
        return
    column = (where.column or 1) - 1
    width = finding.evidence.get("width") or 1
    start = max(0, column - LONGEST // 2) if len(source) > LONGEST else len(source) - len(source.lstrip())
    shown = printable(source[start : start + LONGEST])
    number = str(where.line)
    bar = "│" if unicode else "|"
    yield f"  {number} {bar} {shown}", ""
    if where.column is not None:
        before = len(printable(source[start:column]))
        yield f"  {' ' * len(number)} {bar} {' ' * before}{'^' * max(1, min(int(width), len(shown) - before))}", "red"


def statistics(judged: Sequence[Judged]) -> Iterator[str]:
    """How often each symbol was found, by code."""
    counts = Counter(
        (severity_of(one).value, one[0].code, one[1].symbol or "", one[1].evidence.get("parameter")) for one in judged
    )
    for (severity, code, symbol, parameter), count in sorted(counts.items(), key=lambda each: (-each[1], each[0][1:3])):
        keyword = f"({parameter}=)" if parameter else ""
        yield f"{count:6}  {severity:7}  {code}  {symbol}{keyword}"


def covered(coverage: Coverage) -> Iterator[str]:
    """What was looked at and understood, in sentences."""
    skipped = f", {coverage.skipped} passed over" if coverage.skipped else ""
    unparsed = f", {coverage.unparsed} not readable in whole or in part" if coverage.unparsed else ""
    yield f"{number(coverage.scanned, 'file')} scanned{skipped}{unparsed}, for {'; '.join(coverage.targets)}."
    if coverage.total:
        share = 100 * coverage.unknown / coverage.total
        more = (
            f"; {number(coverage.untyped, 'attribute')} of objects of unknown class not judged"
            if coverage.untyped
            else ""
        )
        yield (
            f"{number(coverage.total, 'reference')} to TensorFlow and Keras: {coverage.known} known, {coverage.unknown} unknown "
            f"({share:.1f} %), {coverage.guarded} guarded{more}."
        )
    else:
        yield "None of them uses TensorFlow or Keras: nothing was judged."
    yield from (f"{note}." for note in coverage.notes)


def needs(windows: Sequence[Window], *, every: bool) -> Iterator[str]:
    """The releases that the code needs, and what bounds them; nothing of a package whose every recorded release will do."""
    for window in windows:
        unbounded = window.releases and window.lower is None and window.upper is None
        if unbounded or (window.scope != "." and not every):
            continue
        scope = "The code" if window.scope == "." else printable(window.scope)
        bounds = []
        if window.lower is not None:
            bounds.append(
                f"{'older ones lack' if window.releases else 'needs'} {window.lower.symbol} ({_where(window.lower.location)})"
            )
        if window.upper is not None:
            bounds.append(
                f"{'newer ones lack' if window.releases else 'and'} {window.upper.symbol} ({_where(window.upper.location)})"
            )
        words = (
            f"{scope} needs {window.words}"
            if window.releases
            else f"{scope} runs on no release of {window.package}: it"
        )
        yield f"{words}{': ' if window.releases and bounds else ' ' if bounds else ''}{'; '.join(bounds)}."


def _where(location: object) -> str:
    path, line, cell = (getattr(location, name) for name in ("path", "line", "cell"))
    return printable(f"{path}:{f'cell {cell}:' if cell is not None else ''}{line}")


def number(count: int, noun: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def is_code(report: Report) -> bool:
    """Whether the report is about code alone."""
    return report.coverage is not None and all(outcome.code.startswith(("API", "MDL")) for outcome in report.outcomes)
