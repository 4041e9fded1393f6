"""JUnit XML, which nearly every CI server shows as a table of tests: a check is a test.

The elements and attributes are those of Jenkins' ``junit-10.xsd``, the narrowest schema in use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET  # only written with, never parsed

from envcheck.findings import Finding, Outcome, Report, Severity, Status
from envcheck.printable import printable
from envcheck.reporters import Style
from envcheck.reporters.github import is_row, place, told


def render(report: Report, style: Style) -> str:  # noqa: ARG001 - XML has no style; the signature is every format's
    """One test suite with a test case for each check, or for each file in which a failed check names lines.

    Errors and warnings are failures and say how grave they are in ``type``; a check with nothing but notes passes, and
    its notes are its output. A check that was skipped or does not apply is skipped, a broken one is an error. The text
    is ASCII, so that it is well-formed in any encoding in which it is written.
    """
    cases = [case for outcome in report.outcomes for case in _cases(outcome)]
    seconds = f"{sum(outcome.seconds for outcome in report.outcomes):.3f}"
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": str(sum(case.find("error") is not None for case in cases)),
    }
    root = ET.Element("testsuites", {"name": "envcheck", "time": seconds, **counts})
    skipped = sum(case.find("skipped") is not None for case in cases)
    suite = ET.SubElement(root, "testsuite", {"name": "envcheck", "time": seconds, **counts, "skipped": str(skipped)})
    if report.inventory.collected_at:
        suite.set("timestamp", printable(report.inventory.collected_at))
    properties = ET.SubElement(suite, "properties")
    for name, value in (("envcheck", report.tool_version), ("exit code", str(report.exit_code))):
        ET.SubElement(properties, "property", {"name": name, "value": printable(value)})
    suite.extend(cases)
    if report.unseen:
        lines = [f"Not looked at: {printable(unseen.what)} ({printable(unseen.why)})" for unseen in report.unseen]
        ET.SubElement(suite, "system-out").text = "\n".join(lines)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode").encode("ascii", "xmlcharrefreplace").decode("ascii")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + text + "\n"


def _cases(outcome: Outcome) -> Iterator[ET.Element]:
    """The test cases of one check; its seconds are those of the first."""
    for number, (file, findings) in enumerate(_by_file(outcome.findings).items()):
        name = f"{outcome.code} {printable(outcome.title)}" + ("" if file is None else f": {printable(file)}")
        case = ET.Element(
            "testcase",
            {
                "classname": f"envcheck.{outcome.code[:3]}",
                "name": name,
                "time": f"{outcome.seconds if number == 0 else 0:.3f}",
            },
        )
        _ended(case, outcome, findings)
        yield case


def _by_file(findings: Sequence[Finding]) -> dict[str | None, list[Finding]]:
    """Findings by the file in which they name a line; the others, or none at all, under None."""
    found: dict[str | None, list[Finding]] = {}
    for finding in findings:
        location = finding.location
        in_file = location is not None and location.line is not None and not is_row(location)
        found.setdefault(location.path if location is not None and in_file else None, []).append(finding)
    return found or {None: []}


def _ended(case: ET.Element, outcome: Outcome, findings: Sequence[Finding]) -> None:
    """Add to the test case how the check ended."""
    reason = printable(outcome.reason or "no reason given")
    if outcome.status is Status.BROKEN:
        ET.SubElement(case, "error", {"type": "broken", "message": f"a bug in envcheck: {reason}"})
    elif outcome.status is Status.SKIPPED:
        ET.SubElement(case, "skipped", {"message": f"not checked: {reason}"})
    elif outcome.status is Status.NOT_APPLICABLE:
        ET.SubElement(case, "skipped", {"message": f"not applicable: {reason}"})
    elif outcome.status is Status.FAILED:
        _failed(case, outcome, findings)


def _failed(case: ET.Element, outcome: Outcome, findings: Sequence[Finding]) -> None:
    severities = [finding.severity or outcome.severity for finding in findings]
    worst = max(severities, key=lambda severity: severity.rank, default=outcome.severity)
    text = "\n\n".join(_paragraph(finding, severity) for finding, severity in zip(findings, severities, strict=True))
    if worst is Severity.NOTE and findings:
        ET.SubElement(case, "system-out").text = text
        return
    told_first = told(findings[0]).partition("\n")[0] if findings else "failed"
    more = f" (and {len(findings) - 1:,} more)" if len(findings) > 1 else ""
    cause = f" (a consequence of {outcome.caused_by})" if outcome.caused_by else ""
    kind = "consequence" if outcome.caused_by else worst.value
    ET.SubElement(case, "failure", {"type": kind, "message": f"{told_first}{more}{cause}"}).text = text


def _paragraph(finding: Finding, severity: Severity) -> str:
    where = "" if finding.location is None or is_row(finding.location) else f"{place(finding.location)}: "
    return f"{where}{severity.value}: {told(finding)}"
