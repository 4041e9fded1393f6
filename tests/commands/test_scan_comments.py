"""Findings that a comment in the code ignores, and what is said about such comments."""

from __future__ import annotations

from envcheck.commands.scan.comments import without_ignored
from envcheck.findings import Finding, Location, Outcome, Severity, Status
from envcheck.source.remarks import remarks

KNOWN = ("API101", "API201", "MDL101")


def failed(*places: Location | None, code: str = "API101") -> Outcome:
    findings = tuple(Finding("m", location=place) for place in places)
    return Outcome(code, "t", Severity.ERROR, Status.FAILED, findings=findings)


def told(
    text: str, *outcomes: Outcome, judged: tuple[str, ...] = KNOWN
) -> tuple[list[tuple[str, int | None]], list[str]]:
    left, notes = without_ignored(outcomes, {"a.py": remarks(text)}, KNOWN, judged)
    found = [
        (outcome.code, each.location.line if each.location else None) for outcome in left for each in outcome.findings
    ]
    return found, list(notes)


def test_only_findings_of_the_file_the_line_and_the_code_are_ignored() -> None:
    found, notes = told(
        "x\ny  # envcheck: ignore[API1] why\n",
        failed(Location("a.py", 1), Location("a.py", 2), Location("b.py", 2), Location("a.py"), None),
        failed(Location("a.py", 2), code="API201"),
    )
    assert found == [("API101", 1), ("API101", 2), ("API101", None), ("API101", None), ("API201", 2)]
    assert notes == ["comments in the code ignore 1 finding"]


def test_a_check_whose_findings_are_all_ignored_has_passed() -> None:
    (outcome,), notes = without_ignored(
        [failed(Location("a.py", 1), Location("a.py", 1, 9))], {"a.py": remarks("x  # envcheck: ignore")}, KNOWN, KNOWN
    )
    assert (outcome.status, outcome.findings) == (Status.PASSED, ())
    assert notes == ("comments in the code ignore 2 findings",)


def test_what_is_said_about_comments() -> None:
    text = (
        "a  # envcheck: ignore[API1,API9]\nb  # envcheck: ignore\nc  # envcheck: ignroe\nd  # envcheck: ignore[MDL]\n"
    )
    assert told(text, judged=("API101",)) == (
        [],
        [
            "a.py:3: 'ignroe' is nothing that envcheck knows: there is ignore, ignore[CODE] and ignore-file[CODE]",
            "a.py:1: no code begins with API9",
            "a.py:1: nothing is found that this ignore[API1] could hide: it can go",
            "a.py:2: nothing is found that this ignore could hide: it can go",
        ],
    )


def test_cells_of_a_notebook() -> None:
    cells = {"n.ipynb": remarks("x  # envcheck: ignore", 2)}
    (outcome,), notes = without_ignored(
        [failed(*(Location("n.ipynb", 1, 1, cell) for cell in (1, 2)))], cells, KNOWN, KNOWN
    )
    assert [each.location.cell for each in outcome.findings if each.location] == [1]
    assert notes == ("comments in the code ignore 1 finding",)
    assert without_ignored([], cells, KNOWN, KNOWN)[1][0].startswith("n.ipynb, cell 2, line 1: nothing is found")
