"""Reports that the tests of several formats share: one with every kind of outcome, and hostile words for any of them."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import strategies as st

from envcheck.findings import Finding, Fix, Location, Outcome, Report, Severity, Status, Unseen
from envcheck.inventory import Inventory

GOLDEN = Path(__file__).parent / "golden"
SCHEMAS = Path(__file__).parent / "schemas"


def golden(name: str, found: str) -> None:
    """Compare with the golden file called ``name``; ``UPDATE_GOLDEN=1`` writes it anew."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(found, "utf-8", newline="\n")
    assert found == path.read_text("utf-8")


def ended(code: str, title: str, status: Status, *findings: Finding, **more: object) -> Outcome:
    given: dict[str, object] = {"severity": Severity.ERROR, "seconds": 0.125, "findings": findings, **more}
    return Outcome(code, title, status=status, **given)  # type: ignore[arg-type]


def report(*outcomes: Outcome, exit_code: int = 1, unseen: tuple[Unseen, ...] = ()) -> Report:
    return Report("0.1.0", Inventory({}, "2026-11-20T12:00:00Z", "0.1.0"), outcomes, exit_code, unseen)


def absent(symbol: str, location: Location, target: str = "tensorflow 2.21.0") -> Finding:
    """What a scan says of a name that its target lacks."""
    return Finding(
        f"{symbol} is not in {target}",
        Fix("Use the name that took its place.", verify="envcheck scan ."),
        location,
        symbol,
        {"kind": "absent-name", "parameter": None, "target": target},
    )


EVERY = report(
    ended("ENV102", "TensorFlow is built for this Python", Status.PASSED),
    ended("ENV106", "The processor is new enough", Status.BROKEN, reason="KeyError: 'flags'"),
    ended(
        "ENV201",
        "Metadata can be read",
        Status.FAILED,
        Finding("no METADATA", None, Location("/srv/venv/a b.dist-info")),
    ),
    ended("ENV307", "tf_keras fits TensorFlow", Status.NOT_APPLICABLE, reason="tf_keras is not installed"),
    ended(
        "ENV320",
        "No versions meet that are known to break each other",
        Status.FAILED,
        Finding(
            "numpy 2.2.6 with TensorFlow 2.15.1: its import fails",
            Fix("Install numpy 1.", ("python -m pip install 'numpy<2'",), "envcheck doctor"),
            Location("compat_matrix/knots.yaml", 14),
            symbol="numpy",
        ),
        Finding("a second one, of no file", severity=Severity.WARNING, url="https://example.org/why"),
        Finding("worth knowing", severity=Severity.NOTE),
    ),
    ended("GPU201", "TensorFlow is built for the GPU", Status.SKIPPED, reason="no NVIDIA driver answers"),
    ended(
        "SMK101", "TensorFlow can be imported", Status.FAILED, Finding("`import tensorflow` failed"), caused_by="ENV320"
    ),
    ended(
        "API901",
        "Every name is in the target",
        Status.FAILED,
        absent("tensorflow.placeholder", Location("models/train.py", 12, 5)),
        absent("tensorflow.placeholder", Location("models/train.py", 30, 5)),
        absent("tensorflow.Session", Location("models/été, 100%.py", 3, 1)),
        absent("keras.backend.dot", Location("notebooks/demo.ipynb", 2, 9, cell=3)),
    ),
    ended(
        "API902",
        "Nothing is used that will go",
        Status.FAILED,
        Finding("soon gone", None, Location("b.py", 7)),
        severity=Severity.NOTE,
    ),
    exit_code=3,
    unseen=(Unseen("GPU", "no NVIDIA driver answers"),),
)
"""Every way in which a check can end, and every kind of place that a finding can have."""

HOSTILE = (
    "two\r\nlines",
    "\x1b[2J\x00\x07\x0b\x85\u2028\u202e\ufffe\uffff",
    "]]> <b>&amp;\"'",
    "100%0A, a=b:c;d::error::e",
    "::error file=x::y",
    "##[error]forged and ##[add-path]/tmp",
    "lone \ud800 and escaped \udcff surrogates",
    "[click](https://example.org/)",
    "ünïcödé 🦆",
    "x" * 1_000_000,
    "",
)
"""Words that a scanned file or a child's output could bring into a report."""


def saying(words: str) -> Report:
    """A report in which everything that comes from outside says ``words``."""
    location = Location(words, 3, 4)
    fix = Fix(words, (words,), words)
    evidence = {"kind": words, "parameter": words, "target": words, "more": [words]}
    return report(
        ended("API901", "A title", Status.FAILED, Finding(words, fix, location, words, evidence, url=words)),
        ended("API902", "A title", Status.FAILED, Finding(words, None, Location(words, 1, cell=2))),
        ended("ENV901", "A title", Status.FAILED, Finding(words, None, Location(f"/{words}")), caused_by="API901"),
        ended("ENV902", "A title", Status.FAILED, Finding(words)),
        ended("ENV903", "A title", Status.SKIPPED, reason=words),
        ended("ENV904", "A title", Status.NOT_APPLICABLE, reason=words),
        ended("ENV905", "A title", Status.BROKEN, reason=words),
        unseen=(Unseen(words, words),),
    )


# Any code point, lone surrogates too, and more often those that some format gives a meaning.
_WORDS = st.text(
    st.sampled_from("a:,%=/\\.[]()<>&'\"#\n\r\t\0\x1b\ufffe\ud800\udcff") | st.integers(0, 0x10FFFF).map(chr)
)
_CODES = st.builds("{}{:03}".format, st.sampled_from(["ENV", "GPU", "API", "MDL", "SMK"]), st.integers(0, 999))
_NUMBERS = st.none() | st.integers(1, 10**9)
_LOCATIONS = st.builds(Location, _WORDS, _NUMBERS, _NUMBERS, _NUMBERS)
_FIXES = st.builds(Fix, _WORDS, st.lists(_WORDS, max_size=2).map(tuple), st.none() | _WORDS)
_FINDINGS = st.builds(
    Finding,
    _WORDS,
    st.none() | _FIXES,
    st.none() | _LOCATIONS,
    st.none() | _WORDS,
    st.dictionaries(st.sampled_from(["kind", "target", "other"]), _WORDS | st.integers() | st.none(), max_size=2),
    st.none() | st.sampled_from(Severity),
    st.none() | _WORDS,
)


@st.composite
def _outcomes(draw: st.DrawFn) -> Outcome:
    status = draw(st.sampled_from(Status))
    findings = draw(st.lists(_FINDINGS, min_size=1, max_size=3)) if status is Status.FAILED else []
    return Outcome(
        draw(_CODES),
        draw(_WORDS),
        draw(st.sampled_from(Severity)),
        status,
        draw(st.none() | _WORDS),
        draw(st.floats(0, 1e6)),
        tuple(findings),
        draw(st.none() | st.just("ENV320")) if findings else None,
    )


REPORTS = st.builds(
    Report,
    _WORDS,
    st.builds(Inventory, st.just({}), _WORDS, _WORDS),
    st.lists(_outcomes(), max_size=4, unique_by=lambda outcome: outcome.code).map(tuple),
    st.sampled_from([0, 1, 3]),
    st.lists(st.builds(Unseen, _WORDS, _WORDS), max_size=2).map(tuple),
)
"""Reports of any words."""
