"""Findings that a project lives with: what a baseline hides, what it does not, and what is said about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.commands.scan.baseline import LARGEST, compared, read, write
from envcheck.commands.scan.sifting import without
from envcheck.errors import UsageError
from envcheck.findings import Finding, Location, Outcome, Severity, Status

JUDGED = ("API101", "API102", "API201")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def finding(
    path: str, line: int, symbol: str | None = "keras.x", parameter: str | None = None, **more: object
) -> Finding:
    evidence = {"kind": "absent-name", "parameter": parameter, "target": "TensorFlow 2.16", **more}
    return Finding(f"{symbol} on {line}", location=Location(path, line, 1), symbol=symbol, evidence=evidence)


def failed(*findings: Finding, code: str = "API101") -> Outcome:
    return Outcome(code, "t", Severity.ERROR, Status.FAILED if findings else Status.PASSED, findings=findings)


def lines(outcomes: tuple[Outcome, ...]) -> list[str]:
    places = [(outcome.code, each.location) for outcome in outcomes for each in outcome.findings]
    return [f"{code} {place.path}:{place.line}" for code, place in places if place]


def left(
    *outcomes: Outcome, path: str = "b.json", scanned: tuple[str, ...] = ("a.py", "b.py")
) -> tuple[list[str], int, list[str]]:
    found = compared(outcomes, read(path), scanned, JUDGED)
    return lines(found.outcomes), found.hidden, list(found.notes)


def recorded(*outcomes: Outcome, path: str = "b.json", scanned: tuple[str, ...] = ("a.py", "b.py")) -> str:
    write(path, outcomes, scanned, JUDGED)
    return Path(path).read_text("ascii")


# --- what it hides


def test_what_is_recorded_is_hidden() -> None:
    known = failed(finding("a.py", 3), finding("a.py", 9), finding("b.py", 1))
    recorded(known)
    assert left(known) == ([], 3, [])


def test_an_outcome_without_findings_left_has_passed() -> None:
    recorded(failed(finding("a.py", 3)))
    (outcome,) = compared([failed(finding("a.py", 3))], read("b.json"), ["a.py"], JUDGED).outcomes
    assert outcome == failed()


def test_moved_lines_other_words_and_other_targets_change_nothing() -> None:
    recorded(failed(finding("a.py", 3)))
    moved = finding("a.py", 30, target="TensorFlow 2.21", source="x")
    assert left(failed(moved)) == ([], 1, [])


def test_two_targets_that_fail_in_one_place_are_one_entry() -> None:
    recorded(failed(finding("a.py", 3)))
    both = failed(finding("a.py", 3), finding("a.py", 3, target="TensorFlow 2.21"))
    assert left(both) == ([], 2, [])
    assert '"count"' not in recorded(both)


@pytest.mark.parametrize(
    "new",
    [
        failed(finding("b.py", 3)),
        failed(finding("a.py", 3), code="API102"),
        failed(finding("a.py", 3, "keras.y")),
        failed(finding("a.py", 3, parameter="lr")),
        failed(finding("a.py", 3, kind="moved")),
        failed(finding("a.py", 3, None)),
    ],
)
def test_anything_else_is_new(new: Outcome) -> None:
    recorded(failed(finding("a.py", 3)))
    kept, hidden, _ = left(new)
    assert (kept, hidden) == (lines((new,)), 0)


def test_more_than_recorded_are_reported() -> None:
    recorded(failed(finding("a.py", 3), finding("a.py", 5)))
    kept, hidden, notes = left(failed(finding("a.py", 1), finding("a.py", 9), finding("a.py", 4)))
    assert (kept, hidden) == (["API101 a.py:9"], 2)
    assert notes == [
        "a.py: API101 keras.x is in 3 places and in 2 of the baseline: the last are reported, any may be new"
    ]


def test_cells_and_findings_without_a_place() -> None:
    cells = [Finding("m", location=Location("n.ipynb", 1, 1, cell), symbol="keras.x") for cell in (1, 2)]
    known = failed(*cells, Finding("m"))
    recorded(known)
    assert compared([known], read("b.json"), ["n.ipynb"], JUDGED).hidden == 3
    more = failed(*cells, Finding("m", location=Location("n.ipynb", 1, 1, 3), symbol="keras.x"))
    (outcome,) = compared([more], read("b.json"), ["n.ipynb"], JUDGED).outcomes
    assert [each.location.cell for each in outcome.findings if each.location] == [3]


# --- what no longer occurs


@pytest.mark.parametrize(
    ("now", "scanned", "said"),
    [
        ((), ("a.py", "b.py"), "2 entries of the baseline occur"),
        ((finding("b.py", 1),), ("a.py", "b.py"), "1 entry of the baseline occurs"),
        ((finding("a.py", 1), finding("b.py", 1)), ("a.py", "b.py"), "1 entry of the baseline occurs"),
        ((), (), None),
        ((finding("b.py", 1),), ("b.py",), None),
    ],
)
def test_entries_that_no_longer_occur(
    project: Path, now: tuple[Finding, ...], scanned: tuple[str, ...], said: str | None
) -> None:
    (project / "a.py").touch()
    (project / "b.py").touch()
    recorded(failed(finding("a.py", 3), finding("a.py", 4), finding("b.py", 1)))
    notes = [] if said is None else [f"{said} less often than it says, or no longer: write it again"]
    assert left(failed(*now), scanned=scanned)[2] == notes


def test_entries_of_files_that_are_gone(project: Path) -> None:
    recorded(failed(finding("a.py", 3)))
    assert len(left(failed(), scanned=())[2]) == 1


def test_entries_of_codes_that_were_not_looked_for(project: Path) -> None:
    recorded(failed(finding("a.py", 3)))
    assert compared([], read("b.json"), ["a.py"], ["API201"]).notes == ()


# --- writing


def test_the_file() -> None:
    known = [
        failed(finding("b.py", 1), finding("a é.py", 2, "keras.é", "lr"), finding("a é.py", 3, "keras.é", "lr")),
        failed(Finding("m", location=Location("b.py", 2)), code="API102"),
    ]
    text = recorded(*known)
    assert text == recorded(*known[::-1])
    assert text.splitlines() == [
        '{"envcheck_baseline": 1,',
        ' "files": {',
        r'  "a \u00e9.py": [',
        r'   {"code": "API101", "symbol": "keras.\u00e9", "parameter": "lr", "kind": "absent-name", "count": 2}',
        "  ],",
        '  "b.py": [',
        '   {"code": "API101", "symbol": "keras.x", "kind": "absent-name"},',
        '   {"code": "API102"}',
        "  ]",
        " }",
        "}",
    ]
    assert json.loads(text)["envcheck_baseline"] == 1


def test_a_baseline_of_nothing() -> None:
    assert recorded(failed()) == '{"envcheck_baseline": 1, "files": {}}\n'
    assert left(failed(finding("a.py", 1))) == (["API101 a.py:1"], 0, [])


def test_what_was_not_scanned_or_looked_for_stays(project: Path) -> None:
    for name in ("a.py", "b.py"):
        (project / name).touch()
    recorded(
        failed(finding("a.py", 1), finding("b.py", 1), finding("gone.py", 1)), failed(finding("b.py", 2), code="API201")
    )
    assert write("b.json", [failed(finding("b.py", 7, "keras.new"))], ["b.py"], ["API101"]) == 3
    kept = [(path, entry.code, entry.symbol) for path, entry in read("b.json").counts]
    assert kept == [("a.py", "API101", "keras.x"), ("b.py", "API101", "keras.new"), ("b.py", "API201", "keras.x")]


def test_paths_are_those_from_the_baseline_on(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "sub").mkdir()
    text = recorded(failed(finding("sub/a.py", 1)), path="b.json", scanned=("sub/a.py",))
    assert '"sub/a.py"' in text
    monkeypatch.chdir(project / "sub")
    assert left(failed(finding("a.py", 2)), path="../b.json", scanned=("a.py",)) == ([], 1, [])
    assert left(failed(finding(f"{project.as_posix()}/sub/a.py", 2)), path="../b.json", scanned=()) == ([], 1, [])


def test_a_name_that_is_no_text() -> None:
    known = failed(finding("a\udcff\n.py", 1, "keras.\udcff"))
    recorded(known)
    assert left(known, scanned=("a\udcff\n.py",)) == ([], 1, [])


@given(
    st.lists(
        st.tuples(st.sampled_from(JUDGED), st.text(max_size=4), st.text(max_size=4), st.integers(1, 5)), max_size=8
    )
)
def test_what_was_written_hides_all_of_it(found: list[tuple[str, str, str, int]]) -> None:
    known = [
        failed(Finding("m", location=Location(f"f{path}", line), symbol=symbol), code=code)
        for code, path, symbol, line in found
        if "\0" not in path
    ]
    Path("h.json").unlink(missing_ok=True)
    recorded(*known, path="h.json", scanned=())
    kept, hidden, _ = left(*known, path="h.json")
    assert (kept, hidden) == ([], len(known))


# --- what is wrong


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "b.json is not JSON, or is damaged; write it again with --write-baseline b.json"),
        (b'{"envcheck_baseline": 1, "fil', "b.json is not JSON, or is damaged; "),
        (b"\xff\xfe\xff", "b.json is not JSON, or is damaged; "),
        (b"[" * 100_000, "b.json is not JSON, or is damaged; "),
        (b"[]", "b.json is no baseline of this envcheck: Expected `object`, got `array`; write it again with"),
        (b"{}", "b.json is no baseline of this envcheck: Object missing required field `envcheck_baseline`; "),
        (b'{"envcheck_baseline": 2, "files": {}}', "b.json is no baseline of this envcheck: Invalid enum value 2"),
        (b'{"envcheck_baseline": 1, "files": [], "x": 1}', "b.json is no baseline of this envcheck: "),
        (
            b'{"envcheck_baseline": 1, "files": {"a": [{"code": "X", "count": 0}]}}',
            "b.json is no baseline of this envcheck: Expected `int` >= 1",
        ),
        (
            b'{"envcheck_baseline": 1, "files": {"a": [{"symbol": "X"}]}}',
            "b.json is no baseline of this envcheck: Object missing",
        ),
        (b'{"envcheck_baseline": 1, "files": {"a": [{"code": "X", "count": ' + b"9" * 5000 + b"}]}}", "b.json is"),
    ],
)
def test_a_file_that_is_no_baseline(project: Path, content: bytes, said: str) -> None:
    (project / "b.json").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read("b.json")
    assert str(caught.value).startswith(said)
    with pytest.raises(UsageError, match="remove it, or name another file"):
        write("b.json", [], [], JUDGED)
    assert (project / "b.json").read_bytes() == content


def test_a_file_that_cannot_be_read(project: Path) -> None:
    with pytest.raises(UsageError, match=r"b\.json: cannot be read: No such file or directory; write it again with"):
        read("b.json")
    with (project / "large.json").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(UsageError, match=r"large\.json: larger than the limit of 50 MB"):
        read("large.json")


def test_a_file_that_cannot_be_written(project: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot write the baseline gone/b\.json: No such file or directory"):
        write("gone/b.json", [], [], JUDGED)
    (project / "folder").mkdir()
    with pytest.raises(UsageError, match=r"^folder: .*; remove it, or name another file"):
        write("folder", [], [], JUDGED)
    assert [each.name for each in project.iterdir()] == ["folder"]


# --- leaving findings out


def test_a_consequence_stands_alone_when_its_cause_is_left_out() -> None:
    cause = failed(finding("a.py", 1))
    other = Outcome("API102", "t", Severity.ERROR, Status.FAILED, findings=(finding("b.py", 1),), caused_by="API101")
    broken = Outcome("API201", "t", Severity.ERROR, Status.BROKEN, "bug")
    assert [each.caused_by for each in without([cause, other, broken], lambda _code, _finding: False)] == [
        None,
        "API101",
        None,
    ]
    sifted = without([cause, other, broken], lambda code, _finding: code == "API101")
    assert [(each.status, each.caused_by) for each in sifted] == [
        (Status.PASSED, None),
        (Status.FAILED, None),
        (Status.BROKEN, None),
    ]
