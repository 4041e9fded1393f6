"""Every format against its golden file: the exact text for literal reports.

``UPDATE_GOLDEN=1 pytest tests/reporters`` writes them anew; read the diff.
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import jsonschema
import literals
import pytest

from envcheck import codec, reporters
from envcheck.findings import Basis, Finding, Fix, Location, Outcome, Override, Report, Severity, Status, Unseen
from envcheck.inventory import Inventory, Unavailable
from envcheck.probes.keras import KerasConfig, KerasFacts, Resolved
from envcheck.probes.smoke import SmokeFacts, Step
from envcheck.probes.tensorflow import BuildFacts, TensorFlowFacts
from envcheck.registry import probes
from envcheck.reporters import Style, text
from envcheck.reporters import json as json_reporter

GOLDEN = Path(__file__).parent / "golden"
SITE = literals.SITE

SMOKE = SmokeFacts(
    framework="tensorflow",
    wanted="auto",
    ending="answered",
    seconds=6.5,
    deadline=300.0,
    steps=(
        Step("import", "ok", 4.21),
        Step("devices", "ok", 0.01, "no GPU", "CPU:0"),
        Step("fit", "ok", 1.3, "loss 0.93", "CPU:0"),
        Step("xla", "skipped", None, "TensorFlow 1.15 has no such API"),
    ),
    versions={"tensorflow": "2.21.0"},
    files={},
)
FACTS: dict[str, object] = {
    "host": literals.host(container="docker"),
    "python": literals.python(),
    "packages": literals.packages(literals.tensorflow(), literals.distribution("keras", "3.15.1")),
    "environment": literals.environment(),
    "tensorflow": TensorFlowFacts(
        "tensorflow",
        "2.21.0",
        SITE,
        "pip",
        "pypi",
        f"{SITE}/tensorflow",
        build=BuildFacts(is_cuda=True, cuda="12.5.1", cudnn="9", sass=("6.0", "9.0"), ptx=("9.0",)),
    ),
    "keras": KerasFacts(
        Resolved("keras", "3.15.1", SITE),
        None,
        "keras",
        False,
        None,
        "tensorflow",
        "default",
        KerasConfig("/k", "absent"),
    ),
    "gpu": Unavailable("no NVIDIA driver answers"),
    "smoke": SMOKE,
}


def ended(code: str, title: str, status: Status, **more: object) -> Outcome:
    return Outcome(code, title, Severity.ERROR, status, **{"seconds": 0.001, **more})  # type: ignore[arg-type]


HEALTHY = Report(
    "0.1.0",
    Inventory(FACTS, "2026-11-20T12:00:00Z", "0.1.0"),
    (
        ended("ENV102", "TensorFlow is built for this Python", Status.PASSED),
        ended("ENV201", "Every distribution's metadata can be read", Status.PASSED),
        ended("ENV305", "Keras fits TensorFlow", Status.PASSED),
        ended("ENV307", "tf_keras fits TensorFlow", Status.SKIPPED, reason="tf_keras is not installed"),
        ended("GPU201", "TensorFlow is built for the GPU", Status.SKIPPED, reason="no NVIDIA driver answers"),
        ended("SMK101", "TensorFlow can be imported", Status.PASSED),
        ended("SMK105", "A tiny model trains", Status.PASSED),
    ),
    0,
    (Unseen("GPU", "no NVIDIA driver answers"), Unseen("model code", "this release of envcheck does not scan it")),
    Basis("2026-11-21"),
)
OWN_ROWS = (
    Override(
        "team.yaml", 3, "knots", "numpy2-abi", "our numpy is patched, and this reason is long enough to be wrapped too"
    ),
    Override("team.yaml", 9, "tensorflow", "2.23", "built in house"),
)
BROKEN = dataclasses.replace(
    HEALTHY,
    inventory=dataclasses.replace(HEALTHY.inventory, facts={**FACTS, "smoke": Unavailable("--no-smoke")}),
    outcomes=(
        ended("ENV106", "The processor is new enough", Status.BROKEN, reason="KeyError: 'flags'"),
        ended(
            "ENV320",
            "No versions meet that are known to break each other",
            Status.FAILED,
            findings=(
                Finding(
                    "numpy 2.2.6 with TensorFlow 2.15.1: its import fails, and this sentence is long enough to be wrapped "
                    "at the width of the page",
                    Fix(
                        "Install numpy 1.",
                        (
                            "/srv/venv/bin/python -m pip install 'numpy<2' "
                            + "and-a-line-that-must-never-be-wrapped " * 3,
                        ),
                        "envcheck doctor",
                        safe=False,
                    ),
                    Location("compat_matrix/knots.yaml", 14),
                    symbol="numpy",
                    evidence={"knot": "numpy2-abi"},
                ),
                Finding(
                    "a control \x1b[2J character, [bold]markup[/bold] and a\nline break", severity=Severity.WARNING
                ),
                Finding("worth knowing", severity=Severity.NOTE),
            ),
        ),
        ended(
            "SMK101",
            "TensorFlow can be imported",
            Status.FAILED,
            findings=(Finding("`import tensorflow` failed: ImportError"),),
            caused_by="ENV320",
        ),
    ),
    exit_code=3,
    matrix=Basis("2026-11-21", OWN_ROWS),
)


def golden(name: str, found: str) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(found, "utf-8")
    assert found == path.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "report", "style"),
    [
        ("healthy", HEALTHY, Style()),
        ("healthy-verbose", HEALTHY, Style(verbosity=1)),
        ("healthy-quiet", HEALTHY, Style(verbosity=-1)),
        ("broken", BROKEN, Style()),
        ("broken-narrow-ascii", BROKEN, Style(width=50, unicode=False)),
        ("broken-quiet", BROKEN, Style(verbosity=-1)),
        ("broken-colour", BROKEN, Style(colour=True)),
    ],
)
def test_text(name: str, report: Report, style: Style) -> None:
    found = text.render(report, style)
    golden(f"{name}.txt", found)
    assert ("\x1b" in found) == style.colour
    if not style.unicode:
        assert found.isascii()


@pytest.mark.parametrize(("name", "report"), [("healthy", HEALTHY), ("broken", BROKEN)])
def test_json(name: str, report: Report) -> None:
    found = json_reporter.render(report, Style())
    golden(f"{name}.json", found)
    types = {probe: codec.facts_type(found.collect) for probe, found in probes().items()}
    jsonschema.Draft202012Validator(codec.report_schema(types)).validate(json.loads(found))


def test_a_verdict_never_promises_what_was_not_seen() -> None:
    not_judged = dataclasses.replace(HEALTHY, outcomes=HEALTHY.outcomes[:5])
    assert "NO ERROR FOUND in what was checked; training was not judged" in text.render(not_judged, Style())
    inventory = dataclasses.replace(HEALTHY.inventory, facts={**FACTS, "smoke": Unavailable("--no-smoke")})
    nothing_run = dataclasses.replace(not_judged, inventory=inventory)
    assert "NO ERROR FOUND in what was checked; nothing was run" in text.render(nothing_run, Style())
    assert "READY: a tiny model trained on CPU:0." in text.render(HEALTHY, Style())


def test_a_report_that_asked_no_matrix_says_nothing_of_it() -> None:
    report = dataclasses.replace(BROKEN, matrix=None)
    assert "team.yaml" not in text.render(report, Style())
    assert json.loads(json_reporter.render(report, Style()))["matrix"] is None


def test_every_format_has_a_golden_file() -> None:
    import pkgutil

    names = {module.name for module in pkgutil.iter_modules(reporters.__path__)}
    assert {path.suffix.lstrip(".").replace("txt", "text") for path in GOLDEN.iterdir()} == names
