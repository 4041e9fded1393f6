"""JUnit XML against the narrowest schema in use; ``UPDATE_GOLDEN=1`` writes its golden file anew."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from reporters.every_outcome import EVERY, HOSTILE, REPORTS, SCHEMAS, absent, ended, golden, report, saying

from envcheck.findings import Finding, Location, Report, Severity, Status
from envcheck.reporters import Style, junit

XS = "{http://www.w3.org/2001/XMLSchema}"
SCHEMA = ET.parse(SCHEMAS / "junit-10.xsd").getroot()  # noqa: S314 - a file of ours
ELEMENTS = {element.get("name"): element for element in SCHEMA.findall(f"{XS}element")}
TIME = re.compile(SCHEMA.find(f".//{XS}pattern").get("value", ""))  # type: ignore[union-attr]


def check(element: ET.Element) -> None:
    """Hold an element against its declaration: attributes, children and text.

    The declarations of junit-10.xsd are sequences and choices of any number, so the order of children is free.
    """
    declared = ELEMENTS[element.tag]
    attributes = {found.get("name"): found for found in declared.iter(f"{XS}attribute")}
    assert set(element.attrib) <= set(attributes), element.tag
    for name, attribute in attributes.items():
        assert attribute.get("use") != "required" or name in element.attrib, (element.tag, name)
        if attribute.get("type") == "SUREFIRE_TIME" and name in element.attrib:
            assert TIME.fullmatch(element.attrib[str(name)])
    children = {found.get("ref") for found in declared.iter(f"{XS}element")}
    assert {child.tag for child in element} <= children, element.tag
    complex_type = declared.find(f"{XS}complexType")
    if complex_type is not None and complex_type.get("mixed") != "true":
        assert not (element.text or "").strip(), element.tag
    for child in element:
        check(child)


def rendered(shown: Report) -> ET.Element:
    """The only suite, after the schema and the counts were checked."""
    text = junit.render(shown, Style())
    assert text.isascii()
    root = ET.fromstring(text)  # noqa: S314 - written here
    check(root)
    (suite,) = root
    cases = suite.findall("testcase")
    for counted in (root, suite):
        assert int(counted.attrib["tests"]) == len(cases)
        assert int(counted.attrib["failures"]) == len(suite.findall("testcase/failure"))
        assert int(counted.attrib["errors"]) == len(suite.findall("testcase/error"))
        seconds = sum(outcome.seconds for outcome in shown.outcomes)
        assert float(counted.attrib["time"]) == pytest.approx(seconds, abs=0.001)
    assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
    assert sum(float(case.attrib["time"]) for case in cases) == pytest.approx(seconds, abs=0.001 * (len(cases) + 1))
    return suite


def ends(suite: ET.Element) -> dict[str, str | None]:
    """How each test case ended, and its message."""
    found = {}
    for case in suite.findall("testcase"):
        how = next((child for child in case if child.tag != "system-out"), None)
        found[case.attrib["name"]] = None if how is None else f"{how.tag} {how.get('type')}: {how.get('message')}"
    return found


def only(*findings: Finding, **more: object) -> Report:
    return report(ended("API901", "Every name is in the target", Status.FAILED, *findings, **more))


def test_golden() -> None:
    rendered(EVERY)
    golden("every.junit", junit.render(EVERY, Style()))


@pytest.mark.parametrize(
    "wrong",
    [
        '<testsuites><testsuite name="x" tests="1" failures="0" errors="0"><testcase/></testsuite></testsuites>',
        '<testsuites skipped="1"/>',
        '<testsuites time="1.2345"/>',
        '<testsuites><testcase name="x"/></testsuites>',
        "<testsuites>words</testsuites>",
    ],
)
def test_the_schema_refuses_what_is_no_junit(wrong: str) -> None:
    with pytest.raises(AssertionError):
        check(ET.fromstring(wrong))  # noqa: S314 - literals


def test_how_each_check_ended() -> None:
    suite = rendered(EVERY)
    assert ends(suite) == {
        "ENV102 TensorFlow is built for this Python": None,
        "ENV106 The processor is new enough": "error broken: a bug in envcheck: KeyError: 'flags'",
        "ENV201 Metadata can be read": "failure error: no METADATA",
        "ENV307 tf_keras fits TensorFlow": "skipped None: not applicable: tf_keras is not installed",
        "ENV320 No versions meet that are known to break each other": (
            "failure error: numpy 2.2.6 with TensorFlow 2.15.1: its import fails (and 2 more)"
        ),
        "GPU201 TensorFlow is built for the GPU": "skipped None: not checked: no NVIDIA driver answers",
        "SMK101 TensorFlow can be imported": (
            "failure consequence: `import tensorflow` failed (a consequence of ENV320)"
        ),
        "API901 Every name is in the target: models/train.py": (
            "failure error: tensorflow.placeholder is not in tensorflow 2.21.0 (and 1 more)"
        ),
        "API901 Every name is in the target: models/été, 100%.py": (
            "failure error: tensorflow.Session is not in tensorflow 2.21.0"
        ),
        "API901 Every name is in the target: notebooks/demo.ipynb": (
            "failure error: keras.backend.dot is not in tensorflow 2.21.0"
        ),
        "API902 Nothing is used that will go: b.py": None,
    }
    assert suite.findtext("system-out") == "Not looked at: GPU (no NVIDIA driver answers)"


def test_the_time_of_a_check_is_counted_once() -> None:
    findings = [absent("tensorflow.Session", Location(path, 1)) for path in ("a.py", "b.py", "c.py")]
    suite = rendered(only(*findings, seconds=1.5))
    assert [case.get("time") for case in suite.findall("testcase")] == ["1.500", "0.000", "0.000"]


def test_all_findings_stand_in_the_failure() -> None:
    suite = rendered(
        only(
            absent("tensorflow.Session", Location("a.ipynb", 2, 9, cell=3)),
            Finding("gone soon", None, Location("a.ipynb", 4, cell=3), severity=Severity.WARNING),
        )
    )
    assert suite.findtext("testcase/failure") == (
        "a.ipynb:cell 3:2:9: error: tensorflow.Session is not in tensorflow 2.21.0\n"
        "Fix: Use the name that took its place.\nAfterwards: envcheck scan .\n\n"
        "a.ipynb:cell 3:4: warning: gone soon"
    )


def test_a_warning_fails_and_says_so_and_a_note_does_not() -> None:
    (how,) = ends(
        rendered(only(Finding("w"), Finding("n", severity=Severity.NOTE), severity=Severity.WARNING))
    ).values()
    assert how == "failure warning: w (and 1 more)"
    suite = rendered(only(Finding("n", severity=Severity.NOTE)))
    assert suite.findtext("testcase/system-out") == "note: n"
    assert suite.get("failures") == "0"


def test_a_check_that_failed_without_words_still_failed() -> None:
    assert ends(rendered(only())) == {"API901 Every name is in the target": "failure error: failed"}


@pytest.mark.parametrize("words", HOSTILE, ids=lambda words: ascii(words)[:20])
def test_hostile_words(words: str) -> None:
    suite = rendered(saying(words))
    assert len(ends(suite)) == 7
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("4", "1", "2")


@given(REPORTS)
def test_always_junit(shown: Report) -> None:
    suite = rendered(shown)
    assert len(suite.findall("testcase")) >= len(shown.outcomes)
