"""The checks of model code: what a verdict becomes."""

from __future__ import annotations

import pytest

from envcheck.checks import api_advice, api_calls, api_names, api_reading
from envcheck.findings import Check, Finding, Location, Severity
from envcheck.verdicts.found import Code, Place, Trouble, Verdict

PLACE = Place("train.py", 12, 5, None, 6)


def verdict(kind: str, **more: object) -> Verdict:
    return Verdict(kind, "keras.x", "Keras 3.3.3", PLACE, "it is there in Keras 2.0-2.15", **more)  # type: ignore[arg-type]


def findings(check: Check, *verdicts: Verdict) -> list[Finding]:
    return list(check.judge(Code(verdicts)))


KINDS = {
    "absent-module": api_names.modules,
    "absent-name": api_names.names,
    "moved": api_names.moved,
    "not-yet": api_names.not_yet,
    "method": api_names.methods,
    "absent-parameter": api_calls.keywords,
    "positional": api_calls.positions,
    "value": api_calls.values,
    "identifier": api_calls.identifiers,
    "behaviour": api_advice.behaviour,
    "deprecated": api_advice.deprecated,
    "private": api_advice.private,
    "foreign": api_advice.foreign,
    "mixed": api_advice.mixed,
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_one_check(kind: str) -> None:
    one = verdict(kind, parameter="lr" if kind == "absent-parameter" else None)
    for other, check in KINDS.items():
        found = findings(check, one)
        assert len(found) == (other == kind), other
        for finding in found:
            assert finding.symbol == "keras.x"
            assert finding.location == Location("train.py", 12, 5)
            assert finding.evidence["kind"] == kind
            assert finding.evidence["target"] == "Keras 3.3.3"
            assert "Keras 3.3.3" in finding.message


def test_a_replacement_is_named() -> None:
    (finding,) = findings(
        api_names.names, verdict("absent-name", use="keras.y", advice="It differs.", example="keras.y(3)")
    )
    assert finding.fix is not None
    assert finding.fix.summary == "write keras.y; It differs; for example: keras.y(3)"


def test_a_renamed_parameter_is_written_as_a_keyword() -> None:
    (finding,) = findings(api_calls.keywords, verdict("absent-parameter", parameter="lr", use="learning_rate"))
    assert finding.fix is not None
    assert finding.fix.summary == "write learning_rate="
    assert finding.evidence["parameter"] == "lr"


def test_without_a_replacement_there_is_no_fix() -> None:
    (finding,) = findings(api_names.names, verdict("absent-name"))
    assert finding.fix is None


def test_folded_uses_are_counted() -> None:
    (finding,) = findings(api_names.modules, verdict("absent-module", folded=3))
    assert "3 more uses of it" in finding.message


@pytest.mark.parametrize(
    ("runs", "severity"), [("raises", Severity.ERROR), ("differs", Severity.WARNING), ("works", Severity.NOTE)]
)
def test_the_severity_is_what_happens_when_the_line_runs(runs: str, severity: Severity) -> None:
    (finding,) = findings(api_calls.values, verdict("value", runs=runs))
    assert finding.severity is severity


def test_a_keyword_that_is_ignored_is_a_warning() -> None:
    (finding,) = findings(api_advice.behaviour, verdict("behaviour", parameter="lr"))
    assert finding.severity is Severity.WARNING


def test_what_could_not_be_read_is_said() -> None:
    code = Code((), (Trouble("a.ipynb", "invalid syntax", 3, 5, 2), Trouble("b.py", "Permission denied")))
    first, second = api_reading.readable.judge(code)
    assert first.location == Location("a.ipynb", 3, None, 2)
    assert "lines 3-5" in first.message
    assert second.message == "not judged: Permission denied"
