"""SARIF against the standard's schema and what code-scanning hosts take; ``UPDATE_GOLDEN=1`` writes its golden file anew."""

from __future__ import annotations

import gzip
import json
import random
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from reporters.every_outcome import EVERY, HOSTILE, REPORTS, SCHEMAS, absent, ended, golden, report, saying

from envcheck.findings import Finding, Location, Report, Severity, Status
from envcheck.reporters import Style, sarif

VALIDATOR = jsonschema.Draft202012Validator(
    json.loads((SCHEMAS / "sarif-2.1.0.schema.json").read_text("utf-8")),
    format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
)


def rendered(shown: Report) -> dict[str, Any]:
    return read(sarif.render(shown, Style()))


def read(text: str) -> dict[str, Any]:
    """The only run of the log, which the schema takes and which is written in ASCII without half a surrogate pair."""
    assert text.isascii()
    log = json.loads(text)
    json.dumps(log, ensure_ascii=False).encode("utf-8")
    VALIDATOR.validate(log)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    for result in run["results"]:
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"]
        assert location["physicalLocation"]["region"]["startLine"] >= 1
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    found: dict[str, Any] = run
    return found


def places(run: dict[str, Any]) -> list[tuple[str, int, int | None]]:
    found = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    return [
        (place["artifactLocation"]["uri"], place["region"]["startLine"], place["region"].get("startColumn"))
        for place in found
    ]


def only(*findings: Finding, **more: object) -> Report:
    return report(ended("API901", "Every name is in the target", Status.FAILED, *findings, **more))


def test_golden() -> None:
    rendered(EVERY)
    golden("every.sarif", sarif.render(EVERY, Style()))


def test_the_schema_refuses_what_is_no_sarif() -> None:
    run = rendered(EVERY)
    del run["results"][0]["message"]
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({"version": "2.1.0", "runs": [run]})


def test_nothing_found_is_a_run_with_rules_and_no_results() -> None:
    run = rendered(report(ended("ENV102", "TensorFlow is built for this Python", Status.PASSED), exit_code=0))
    assert run["results"] == []
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["ENV102"]
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 0, "toolExecutionNotifications": []}]


def test_what_could_not_be_checked_is_a_notification() -> None:
    (invocation,) = rendered(EVERY)["invocations"]
    assert not invocation["executionSuccessful"]
    told = [(each["level"], each["message"]["text"]) for each in invocation["toolExecutionNotifications"]]
    assert told == [
        ("error", "ENV106 is broken, a bug in envcheck: KeyError: 'flags'"),
        ("warning", "GPU201 could not be checked: no NVIDIA driver answers"),
        ("note", "Not looked at: GPU (no NVIDIA driver answers)"),
    ]


@pytest.mark.parametrize(
    ("path", "uri", "relative"),
    [
        ("models/train.py", "models/train.py", True),
        ("./a//b.py", "a/b.py", True),
        ("été 100%#?.py", "%C3%A9t%C3%A9%20100%25%23%3F.py", True),
        ("a:b.py", "a%3Ab.py", True),
        ("caf\udce9.py", "caf%E9.py", True),
        ("\ud800.py", "%ED%A0%80.py", True),
        ("/srv/my venv", "file:///srv/my%20venv", False),
        ("C:\\my venv\\x", "file:///C:/my%20venv/x", False),
        ("\\\\host\\share\\x", "file://host/share/x", False),
    ],
)
def test_a_path_becomes_a_uri(path: str, uri: str, relative: bool) -> None:
    run = rendered(only(Finding("m", None, Location(path, 1))))
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": uri,
        **({"uriBaseId": "%SRCROOT%"} if relative else {}),
    }


def test_places() -> None:
    findings = (
        Finding("no place"),
        Finding("a row", None, Location("compat_matrix/knots.yaml", 14)),
        Finding("a file", None, Location("a.py")),
        Finding("a line", None, Location("a.py", 7)),
        Finding("a column", None, Location("a.py", 7, 9)),
        Finding("a cell", None, Location("a.ipynb", 7, 9, 2)),
    )
    run = rendered(only(*findings))
    assert places(run) == [
        ("environment", 1, None),
        ("environment", 1, None),
        ("a.py", 1, None),
        ("a.py", 7, None),
        ("a.py", 7, 9),
        ("a.ipynb", 1, None),
    ]
    messages = [result["message"]["text"] for result in run["results"]]
    assert messages[1] == "a row\nSee compat_matrix/knots.yaml:14."
    assert messages[5] == "Cell 2, line 7: a cell"
    # An uploader that reads the file computes this one itself, and warns of another value.
    own = ["primaryLocationLineHash" in result["partialFingerprints"] for result in run["results"]]
    assert own == [True, True, True, False, False, True]


def test_fingerprints_stay_while_lines_move() -> None:
    def prints(*lines: int) -> list[str]:
        findings = [absent("tensorflow.Session", Location("a.py", line, 5)) for line in lines]
        run = rendered(only(*findings, absent("tensorflow.placeholder", Location("a.py", 1))))
        return [result["partialFingerprints"]["envcheck/v1"] for result in run["results"]]

    assert prints(12, 30) == prints(13, 44)
    assert len(set(prints(12, 30))) == 3
    first, second, other = prints(12, 30)
    assert (first[-2:], second[-2:], other[-2:]) == (":1", ":2", ":1")
    assert first[:-2] == second[:-2] != other[:-2]


def test_levels() -> None:
    run = rendered(only(Finding("a"), Finding("b", severity=Severity.NOTE), severity=Severity.WARNING))
    assert [result["level"] for result in run["results"]] == ["warning", "note"]
    assert run["tool"]["driver"]["rules"][0]["defaultConfiguration"] == {"level": "warning"}
    (consequence,) = rendered(only(Finding("c"), caused_by="ENV320"))["results"]
    assert consequence["level"] == "note"
    assert consequence["message"]["text"] == "c\nThis is a consequence of ENV320."


def test_words_of_a_scanned_file_make_no_link() -> None:
    (result,) = rendered(only(Finding("no optimizer '[click](https://example.org/)'")))["results"]
    assert result["message"]["text"] == "no optimizer '[click] (https://example.org/)'"


def test_more_results_than_a_host_stores_are_cut_errors_last_and_counted() -> None:
    notes = [Finding(f"note {number}", severity=Severity.NOTE) for number in range(20)]
    run = read(sarif.limited(only(*notes, Finding("grave"), Finding("graver")), 20, sarif.SIZE))
    messages = [result["message"]["text"] for result in run["results"]]
    assert messages == [*(f"note {number}" for number in range(18)), "grave", "graver"]
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"].startswith("2 results are left out, notes and warnings first")
    assert told["level"] == "warning"
    whole = read(sarif.limited(only(*notes), 20, sarif.SIZE))
    assert whole["invocations"][0]["toolExecutionNotifications"] == []


def test_the_limits_are_those_of_hosts() -> None:
    findings = [Finding("m", None, Location("a.py", number + 1)) for number in range(5001)]
    (run,) = json.loads(sarif.render(only(*findings), Style()))["runs"]
    assert len(run["results"]) == 5000
    assert sarif.SIZE <= 10_000_000


def test_a_file_stays_below_a_size_when_words_do_not_compress() -> None:
    chance = random.Random(5)  # noqa: S311 - the same words in every run
    letters = [chr(number) for number in range(0x4E00, 0x9FFF)]
    findings = [
        Finding("".join(chance.choices(letters, k=500)), severity=None if number % 4 == 0 else Severity.NOTE)
        for number in range(100)
    ]
    text = sarif.limited(only(*findings), 100, 100_000)
    assert len(text) > 100_000 >= len(gzip.compress(text.encode()))
    run = read(text)
    assert 25 <= len(run["results"]) < 100
    assert sum(result["level"] == "error" for result in run["results"]) == 25
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"].startswith(f"{100 - len(run['results'])} results are left out")


def test_no_room_for_any_result_leaves_a_log_without_them() -> None:
    run = read(sarif.limited(only(Finding("m")), 10, 10))
    assert run["results"] == []
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"].startswith("1 result is left out")


def test_long_texts_keep_the_limits() -> None:
    long = "t" * 100_000
    run = rendered(report(ended("ENV901", long, Status.FAILED, Finding(long))))
    (rule,) = run["tool"]["driver"]["rules"]
    assert len(rule["name"]) == 255
    assert len(rule["shortDescription"]["text"]) <= 1024
    assert len(rule["fullDescription"]["text"]) <= 1024
    assert run["results"][0]["message"]["text"].endswith("t … (99,000 characters more: --format json)")


@pytest.mark.parametrize("words", HOSTILE, ids=lambda words: ascii(words)[:20])
def test_hostile_words(words: str) -> None:
    run = rendered(saying(words))
    assert len(run["results"]) == 4
    for result in run["results"]:
        text = result["message"]["text"]
        assert all(line.isprintable() for line in text.split("\n"))
        assert len(text) < 10_000


@given(REPORTS)
def test_always_sarif(shown: Report) -> None:
    found = sum(len(outcome.findings) for outcome in shown.outcomes)
    assert len(rendered(shown)["results"]) == found
