"""SARIF 2.1.0, the format of code-scanning hosts and editors, with what those hosts ask for besides the standard.

The standard: https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html. What GitHub
reads of it, and its limits: https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from envcheck.findings import Finding, Location, Outcome, Report, Severity, Status
from envcheck.printable import printable
from envcheck.reporters import Style
from envcheck.reporters.github import LONGEST, is_row, told

RESULTS = 5_000
"""Results that GitHub stores of a run; it refuses a file with more than 25,000."""
SIZE = 10_000_000
"""Bytes, compressed with gzip, above which GitHub refuses a file."""
NAME, DESCRIPTION = 255, 1024
"""Characters that GitHub takes of a rule's name and of its descriptions."""
NOWHERE = "environment"
"""The path of a finding about no file at all."""

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_PROBLEM = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "recommendation"}

JSON = dict[str, Any]
Found = tuple[Outcome, Finding]


def render(report: Report, style: Style) -> str:  # noqa: ARG001 - JSON has no style; the signature is every format's
    """One run: the checks as rules, the findings as results, what could not be checked as notifications.

    The text is ASCII and holds no lone surrogate.
    """
    return limited(report, RESULTS, SIZE)


def limited(report: Report, results: int, size: int) -> str:
    """The report with at most ``results`` results and, compressed with gzip, at most ``size`` bytes.

    What is too much is left out, notes and warnings before errors, and a notification says how many. The size of a log
    without results is not looked at.
    """
    most = min(results, sum(len(outcome.findings) for outcome in report.outcomes))
    while True:
        text = json.dumps(_log(report, most), indent=2) + "\n"
        found = len(text) if len(text) <= size else len(gzip.compress(text.encode("ascii"), compresslevel=6))
        if found <= size or most == 0:
            return text
        most = most * size // found  # fewer than before: size < found


def _log(report: Report, most: int) -> JSON:
    rules = {outcome.code: number for number, outcome in enumerate({o.code: o for o in report.outcomes}.values())}
    found = [(outcome, finding) for outcome in report.outcomes for finding in outcome.findings]
    kept = _gravest(found, most)
    notifications = [*_left_out(len(found) - len(kept)), *_notifications(report, rules)]
    # No informationUri: the project's metadata names no page.
    driver = {
        "name": "envcheck",
        "version": printable(report.tool_version),
        "rules": [_rule(outcome) for outcome in {o.code: o for o in report.outcomes}.values()],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [
            {
                "executionSuccessful": not any(outcome.status is Status.BROKEN for outcome in report.outcomes),
                "exitCode": report.exit_code,
                "toolExecutionNotifications": notifications,
            }
        ],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder that envcheck was started in."}}},
        "columnKind": "unicodeCodePoints",
        "results": _results(kept, rules),
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _gravest(found: list[Found], most: int) -> list[Found]:
    """At most ``most`` findings, the gravest, in the order of the report."""
    ranked = sorted(range(len(found)), key=lambda number: (-_severity(*found[number]).rank, number))
    return [found[number] for number in sorted(ranked[:most])]


def _severity(outcome: Outcome, finding: Finding) -> Severity:
    """A consequence of another finding is a note: it goes when its cause does."""
    return Severity.NOTE if outcome.caused_by else finding.severity or outcome.severity


def _rule(outcome: Outcome) -> JSON:
    title, explain = printable(outcome.title), f"envcheck explain {outcome.code}"
    return {
        "id": outcome.code,
        "name": title[:NAME],
        "shortDescription": {"text": title[:DESCRIPTION]},
        "fullDescription": {"text": f"{title[: DESCRIPTION - 100]}. Cause, fix and source: {explain}"},
        "help": {
            "text": f"{title}\n\nCause, fix and source: {explain}",
            "markdown": f"**{title}**\n\nCause, fix and source: `{explain}`",
        },
        "defaultConfiguration": {"level": outcome.severity.value},
        "properties": {"problem.severity": _PROBLEM[outcome.severity]},
    }


def _results(found: list[Found], rules: dict[str, int]) -> list[JSON]:
    seen: Counter[str] = Counter()
    results = []
    for outcome, finding in found:
        mark = _fingerprint(outcome.code, finding)
        seen[mark] += 1
        results.append(_result(outcome, finding, rules[outcome.code], f"{mark}:{seen[mark]}"))
    return results


def _result(outcome: Outcome, finding: Finding, rule: int, fingerprint: str) -> JSON:
    location = finding.location
    prints = {"envcheck/v1": fingerprint}
    if location is None or location.line is None or location.cell is not None or is_row(location):
        # GitHub tells alerts of one rule and file apart by this alone. Its uploader computes it from the line of the
        # file and warns of any other value (https://github.com/github/codeql-action/issues/4052), so only results
        # without such a line bring one.
        prints["primaryLocationLineHash"] = fingerprint
    result: JSON = {
        "ruleId": outcome.code,
        "ruleIndex": rule,
        "level": _severity(outcome, finding).value,
        "message": {"text": _message(outcome, finding)},
        "locations": [{"physicalLocation": _place(location)}],
        "partialFingerprints": prints,
    }
    if properties := dict(_properties(outcome, finding)):
        result["properties"] = properties
    return result


def _message(outcome: Outcome, finding: Finding) -> str:
    text = told(finding)
    if finding.location is not None and finding.location.cell is not None:
        line = "" if finding.location.line is None else f", line {finding.location.line}"
        text = f"Cell {finding.location.cell}{line}: {text}"
    if outcome.caused_by:
        text += f"\nThis is a consequence of {outcome.caused_by}."
    # "[words](target)" would be a link, and the words can come from a scanned file (standard, 3.11.6).
    return text.replace("](", "] (")


def _place(location: Location | None) -> JSON:
    """Where a result is shown; hosts refuse a whole file for one result without a place.

    What is about no file (or rests on a row of envcheck's own matrix) is put under the name ``environment``, as scanners
    of container images use the image's name: a file that exists, such as requirements.txt, would show a line that has
    nothing to do with it, and a folder of this machine would make new alerts of the same ones on the next. The first
    line of a file stands for all of it, and for a notebook's cell: GitHub's documentation requires a line.
    """
    if location is None or is_row(location):
        return {"artifactLocation": {"uri": NOWHERE}, "region": {"startLine": 1}}
    region = {"startLine": 1}
    if location.line is not None and location.cell is None:
        region["startLine"] = location.line
        if location.column is not None:
            region["startColumn"] = location.column
    return {"artifactLocation": _artifact(location.path), "region": region}


def _artifact(path: str) -> JSON:
    """The file as a URI: relative to the root of the sources where the path is relative."""
    if re.match(r"[A-Za-z]:[\\/]", path):
        return {"uri": f"file:///{path[:2]}{_percent(path[2:].replace(chr(92), '/'))}"}
    if path.startswith("\\\\"):
        return {"uri": f"file:{_percent(path.replace(chr(92), '/'))}"}
    if path.startswith("/"):
        return {"uri": f"file://{_percent(path)}"}
    return {"uri": _percent(str(PurePosixPath(path))), "uriBaseId": _ROOT}


def _percent(path: str) -> str:
    """``path`` with every byte percent-encoded that a URI cannot hold, those of names that are no UTF-8 too."""
    try:
        return quote(path, errors="surrogateescape")
    except UnicodeEncodeError:
        return quote(path, errors="surrogatepass")  # a name of Windows, where half a surrogate pair is allowed


def _properties(outcome: Outcome, finding: Finding) -> Iterator[tuple[str, object]]:
    if finding.symbol is not None:
        yield "symbol", printable(finding.symbol[:LONGEST])
    for name in ("kind", "parameter", "target"):
        if isinstance(value := finding.evidence.get(name), str):
            yield name, printable(value[:LONGEST])
    if finding.location is not None and finding.location.cell is not None:
        yield "cell", finding.location.cell
        if finding.location.line is not None:
            yield "line", finding.location.line
    if outcome.caused_by:
        yield "causedBy", outcome.caused_by


def _fingerprint(code: str, finding: Finding) -> str:
    """What stays the same while lines move: the check, the file, the symbol and the words."""
    path = finding.location.path if finding.location is not None else ""
    parts = (code, path, finding.symbol or "", finding.message)
    # Lengths stand before the parts, so that no two different findings are written the same.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _left_out(number: int) -> Iterator[JSON]:
    if number:
        words = (
            f"{number:,} result{' is' if number == 1 else 's are'} left out, notes and warnings first: code-scanning "
            f"hosts take {RESULTS:,} of a run and {SIZE // 1_000_000} MB. --format json has all of them."
        )
        yield {"level": "warning", "message": {"text": words}}


def _notifications(report: Report, rules: dict[str, int]) -> Iterator[JSON]:
    for outcome in report.outcomes:
        reason = printable((outcome.reason or "no reason given")[:LONGEST])
        rule = {"id": outcome.code, "index": rules[outcome.code]}
        if outcome.status is Status.BROKEN:
            words = f"{outcome.code} is broken, a bug in envcheck: {reason}"
            yield {"level": "error", "message": {"text": words}, "associatedRule": rule}
        elif outcome.status is Status.SKIPPED:
            words = f"{outcome.code} could not be checked: {reason}"
            yield {"level": "warning", "message": {"text": words}, "associatedRule": rule}
    for unseen in report.unseen:
        words = f"Not looked at: {printable(unseen.what[:LONGEST])} ({printable(unseen.why[:LONGEST])})"
        yield {"level": "note", "message": {"text": words}}
