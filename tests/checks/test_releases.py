"""ENV303 and ENV311: whether envcheck knows the release, and whether it was withdrawn."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from literals import SITE, Given, distribution, packages, python, series

from envcheck.checks.releases import known, withdrawn
from envcheck.findings import Finding, Skip
from envcheck.knowledge.matrix import Matrix, load_matrix
from envcheck.knowledge.names import Refreshed
from envcheck.knowledge.releases import Releases
from envcheck.probes.tensorflow import TensorFlowFacts

RELEASES: dict[str, list[dict[str, Any]]] = {
    "tensorflow": [
        {"version": "2.20.0"},
        {"version": "2.20.1", "yanked": "its wheels were broken"},
        {"version": "2.20.2", "python": ">=3.9"},
        {"version": "2.20.3", "python": ">=3.13"},
        {"version": "2.21.0"},
        {"version": "2.21.0.post1"},
    ],
    "tf-keras": [{"version": "2.20.0", "yanked": ""}],
}


def matrix(tmp_path: Path, releases: dict[str, Any], *, own: bool = False) -> Matrix:
    for name, records in releases.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(records))
    rows = [series(name, ("3.12",), "2.27") for name in ("2.21", "2.20", "2.8")]
    source = msgspec.structs.replace(rows[0].source, own=own)
    given = Given(
        {
            "tensorflow": tuple(msgspec.structs.replace(row, source=source) for row in rows),
            "refreshed": (Refreshed("releases", "2026-11-21", rows[0].source),),
        }
    )
    made = Matrix(given)
    made.releases = Releases(tmp_path)
    return made


@pytest.fixture
def recorded(tmp_path: Path) -> Matrix:
    return matrix(tmp_path, RELEASES)


def facts(version: str, distribution: str = "tensorflow", vendor: str = "pypi") -> TensorFlowFacts:
    return TensorFlowFacts(distribution, version, SITE, "pip", vendor, f"{SITE}/tensorflow")


def judged(found: TensorFlowFacts, known_to: Matrix) -> Finding | None:
    findings = list(known.judge(found, known_to))
    assert len(findings) < 2
    return findings[0] if findings else None


@pytest.mark.parametrize("version", ["2.21.0", "2.21.0.post1", "2.20.1"])
def test_a_recorded_release_is_known(recorded: Matrix, version: str) -> None:
    assert judged(facts(version), recorded) is None


def test_every_release_that_is_recorded_is_known() -> None:
    real = load_matrix()
    looked_at = 0
    for name in (
        "tensorflow",
        "tensorflow-cpu",
        "tensorflow-gpu",
        "tensorflow-intel",
        "tensorflow-macos",
        "tensorflow-rocm",
    ):
        for release in real.releases.of(name):
            assert judged(facts(release.version, name), real) is None, release.version
            looked_at += 1
    assert looked_at > 300


def test_without_recorded_releases_the_row_is_enough(tmp_path: Path) -> None:
    assert judged(facts("2.21.7"), matrix(tmp_path, {})) is None


@pytest.mark.parametrize("version", ["2.22.0", "2.99.0", "3.0.0", "2.22.0.dev20261101", "2.22.0+nv26.11"])
def test_a_newer_series_is_unknown(recorded: Matrix, version: str) -> None:
    found = judged(facts(version), recorded)
    assert found is not None
    assert found.message == (
        f"envcheck knows TensorFlow 2.8 to 2.21, as released up to 2026-11-21, and not {version}: what depends on the "
        f"release is unknown; the nearest known series is 2.21"
    )
    assert found.fix is not None
    assert found.fix.summary.startswith("Upgrade envcheck")
    assert "--matrix FILE" in found.fix.summary


def test_an_older_series_is_unknown_and_no_upgrade_helps(recorded: Matrix) -> None:
    found = judged(facts("0.12.1"), recorded)
    assert found is not None
    assert "not 0.12.1" in found.message
    assert found.fix is not None
    assert "so old a one" in found.fix.summary


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (facts("2.21.0+nv25.2", vendor="ngc"), "tensorflow 2.21.0+nv25.2 is NVIDIA's build of TensorFlow 2.21.0"),
        (facts("2.21.0", vendor="conda"), "tensorflow 2.21.0 is conda's build of TensorFlow 2.21.0"),
        (facts("2.21.0+ours.3"), "tensorflow 2.21.0+ours.3 is another build (label ours.3) of TensorFlow 2.21.0"),
        (
            facts("2.21.0.dev20260101", "tf-nightly"),
            "tf-nightly 2.21.0.dev20260101 is a nightly build on the way to TensorFlow 2.21.0",
        ),
        (facts("2.21.0rc1"), "tensorflow 2.21.0rc1 is a pre-release of TensorFlow 2.21.0"),
        (facts("2.21.0.dev20260101"), "is a nightly build on the way to TensorFlow 2.21.0"),
    ],
)
def test_another_build_of_a_known_series_may_differ(recorded: Matrix, found: TensorFlowFacts, what: str) -> None:
    finding = judged(found, recorded)
    assert finding is not None
    assert what in finding.message
    assert "CUDA, cuDNN, compute capabilities and C library may differ here" in finding.message
    assert finding.severity is None  # the check's own: a note


def test_a_patch_release_newer_than_the_data(recorded: Matrix) -> None:
    found = judged(facts("2.21.7"), recorded)
    assert found is not None
    assert "newer than envcheck's data, which end with 2026-11-21: the newest it knows is 2.21.0.post1" in found.message
    assert found.fix is not None
    assert found.fix.summary.startswith("Upgrade envcheck")


def test_the_first_release_of_a_series_whose_row_was_there_before(tmp_path: Path) -> None:
    releases = {"tensorflow": [{"version": "2.20.0"}]}
    found = judged(facts("2.21.0"), matrix(tmp_path, releases))
    assert found is not None
    assert "it knows none of that series" in found.message


@pytest.mark.parametrize("version", ["2.20.0.post5", "2.20.1.1"])
def test_a_number_that_was_never_released(recorded: Matrix, version: str) -> None:
    found = judged(facts(version), recorded)
    assert found is not None
    assert f"tensorflow {version} is none of the releases that the package index had on 2026-11-21" in found.message


def test_a_distribution_of_which_nothing_is_recorded(recorded: Matrix) -> None:
    found = judged(facts("2.21.0", "tensorflow-ours"), recorded)
    assert found is not None
    assert "no record of the releases of tensorflow-ours" in found.message


def test_a_row_of_the_team_s_own_is_for_its_own_build(tmp_path: Path) -> None:
    assert judged(facts("2.21.0+ours"), matrix(tmp_path, RELEASES, own=True)) is None


def test_a_withdrawn_release(recorded: Matrix) -> None:
    installed = packages(distribution("tensorflow", "2.20.1"), distribution("tf-keras", "2.20.0"))
    with pytest.raises(Skip, match="neither TensorFlow nor Keras"):
        list(withdrawn.judge(installed, python(), recorded))  # it is not of TensorFlow's family
    installed = dataclasses.replace(installed, family=("tensorflow", "tf-keras"))
    first, second = withdrawn.judge(installed, python(), recorded)
    assert first.message == "tensorflow 2.20.1 was withdrawn from the package index: its wheels were broken"
    assert first.fix is not None
    assert first.fix.commands == ("/srv/venv/bin/python -m pip install tensorflow==2.20.2",)  # .3 is for Python 3.13
    assert second.message.endswith("no reason was given")
    assert second.fix is not None
    assert second.fix.commands == ()


def test_a_release_that_was_not_withdrawn(recorded: Matrix) -> None:
    installed = dataclasses.replace(
        packages(distribution("tensorflow", "2.20.1+ours"), distribution("numpy", "2.4.0")),
        family=("tensorflow", "numpy"),
    )
    assert list(withdrawn.judge(installed, python(), recorded)) == []


def test_withdrawals_cannot_be_told_without_records(tmp_path: Path) -> None:
    with pytest.raises(Skip, match="records no releases") as caught:
        list(withdrawn.judge(packages(), python(), matrix(tmp_path, {})))
    assert caught.value.unknown
