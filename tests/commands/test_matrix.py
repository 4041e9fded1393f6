"""``envcheck matrix``: what is shown, explained, validated, and made into CI jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.commands.matrix import command
from envcheck.commands.matrix.validate import contradictions
from envcheck.errors import UsageError
from envcheck.knowledge.choice import PLATFORMS, installable
from envcheck.knowledge.matrix import load_matrix
from envcheck.suggestion.jobs import jobs

MATRIX = load_matrix()
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, in an empty folder. Its exit code is what it returns."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(command, list(arguments), standalone_mode=False)


def refused(result: Result) -> str:
    assert isinstance(result.exception, UsageError), result.output
    assert "\n" not in str(result.exception)
    return str(result.exception)


# --- show


def test_every_series_is_one_line_that_fits(run: Run) -> None:
    lines = run("show").output.splitlines()
    for row in MATRIX.rows:
        assert sum(line.startswith(f"{row.series} ") for line in lines) == 1
    assert max(map(len, lines)) <= 120
    newest = ["2.21", "3.10-3.13", ">=3.12.0", ">=1.26.0", "<8.0.0,>=6.31.1", "12.5", "9.3", "6.0-9.0+", "525.60.13"]
    assert lines[1].split() == [*newest, "2.27", "LAMW"]


def test_all_of_it_as_json(run: Run) -> None:
    page = json.loads(run("show", "-f", "json").output)
    assert page["as_of"] == MATRIX.as_of
    assert [row["series"] for row in page["series"]] == [row.series for row in MATRIX.rows]
    assert page["series"][0]["driver"] == "525.60.13"


@pytest.mark.parametrize("what", ["tensorflow==2.16.2", "tensorflow==2.16", "2.16", "2.16.2"])
def test_a_release_is_shown_in_full(run: Run, what: str) -> None:
    result = run("show", what)
    assert result.return_value == 0
    for part in (
        "tensorflow 2.16.2",
        "cp312",
        "CUDA 12.3",
        "libcudnn.so.8",
        "nvidia-cudnn-cu12==8.9.7.29",
        "tf-keras==2.16.*",
    ):
        assert part in result.output
    for part in ("545.23.06 to compile PTX", "numpy2-abi", "win_amd64", "tensorflow-intel==2.16.2"):
        assert part in result.output


def test_keras_says_to_which_tensorflow_it_belongs(run: Run) -> None:
    assert "TensorFlow       2.16, 2.17\n" in run("show", "keras==3.3.3").output
    assert "TensorFlow       2.15\n" in run("show", "keras==2.15.0").output


def test_a_yanked_release_says_so(run: Run) -> None:
    assert "tf-keras 2.20.0, yanked: no reason given" in run("show", "tf-keras==2.20.0").output


def test_what_is_newer_than_the_matrix_is_unknown(run: Run) -> None:
    result = run("show", "tensorflow==2.99.0", "keras==3.3.3")
    assert result.return_value == 1
    assert f"tensorflow==2.99.0: unknown. Releases are known up to {MATRIX.as_of}" in result.output
    assert "The nearest series is 2.21" in result.output
    assert "keras 3.3.3" in result.output
    page = json.loads(run("show", "tensorflow==2.99", "-f", "json").output)
    assert page["releases"][0]["known"] is False


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("tensrflow==2.16", "did you mean tensorflow?"),
        ("scipy", "there are autokeras, "),
        ("tensorflow==abc", "is expected"),
        ("tensorflow=>2", "is expected"),
        ("", "is expected"),
        ("-e .", "is expected"),
        ("2.16=", "is expected"),
    ],
)
def test_what_is_no_release_is_refused_in_one_line(run: Run, what: str, said: str) -> None:
    assert said in refused(run("show", "--", what))


# --- explain


@pytest.mark.parametrize(
    ("what", "parts"),
    [
        ("2.15", ("tensorflow 2.15 (compat_matrix/tensorflow.yaml:", "known: released, checked ", "source: ")),
        ("numpy2-abi", ("knots numpy2-abi", "known: measured", "numpy >=2")),
        ("toolkits:12.5", ("toolkits 12.5", "555.42.02", "docs.nvidia.com")),
        ("nvml:LIBRARY_NOT_FOUND", ("nvml 12",)),
        ("architectures:8.6", ("Ampere", "11.1")),
        ("cusolver-run-path-2.21.0", ("libcusolver.so.11",)),
        ("windows-gpu", ("WSL2",)),
    ],
)
def test_a_row_says_where_it_comes_from(run: Run, what: str, parts: tuple[str, ...]) -> None:
    output = run("explain", what).output
    for part in parts:
        assert part in output


def test_a_name_in_several_tables_shows_each(run: Run) -> None:
    assert run("explain", "12").output.count("known: ") >= 1
    assert "or numpy2-abi?" in refused(run("explain", "numpy2"))
    assert "the tables are tensorflow, " in refused(run("explain", "nothing-like-it"))
    assert "which row?" in refused(run("explain", " "))


# --- validate


def test_the_matrix_holds_together(run: Run) -> None:
    result = run("validate")
    assert result.return_value == 0
    assert result.output.startswith("0 contradictions in ")
    assert f"{sum(len(MATRIX.releases.of(name)) for name in MATRIX.releases.names())} releases" in result.output


def test_a_contradiction_is_named_by_its_line(run: Run, tmp_path: Path) -> None:
    own = tmp_path / "team.yaml"
    own.write_text(
        'knots:\n  - id: mine\n    when: {no-such-thing: ">=1"}\n    severity: error\n    consequence: x\n    fix: y\n'
        "    reason: z\n"
        'tensorflow:\n  - series: "2.15"\n    cuda: "99.9"\n    sass: ["77.7"]\n    reason: z\n',
        "utf-8",
    )
    result = run("validate", str(own))
    assert result.return_value == 1
    assert f"{own}:2: knot mine: no-such-thing is not a recorded distribution" in result.output
    assert f"{own}:9: series 2.15: no row of drivers.yaml says which driver CUDA 99.9 needs" in result.output
    assert "compute capability 77.7 has no row" in result.output
    assert "3 contradictions" in result.output


def test_a_file_that_cannot_be_used_is_refused(run: Run, tmp_path: Path) -> None:
    own = tmp_path / "team.yaml"
    own.write_text("tensorflow:\n  - series: 2.15\n", "utf-8")
    assert f"{own}:2: " in refused(run("validate", str(own)))
    assert "cannot" in refused(run("validate", "missing.yaml")) or "No such file" in refused(
        run("validate", "missing.yaml")
    )


def test_contradictions_of_ours_would_be_found() -> None:
    assert list(contradictions(MATRIX)) == []


# --- ci


def some(
    tensorflow: str = ">=2.12", python: str = ">=3.10", *platforms: str, full: bool = False
) -> list[dict[str, str]]:
    ranges = {"tensorflow": SpecifierSet(tensorflow)}
    found = jobs(MATRIX, ranges, SpecifierSet(python), platforms or ("linux-x86_64",), full=full)
    return [{"python": job.python, "tensorflow": job.tensorflow, "platform": job.platform} for job in found]


def test_the_fewest_jobs_name_every_series_and_every_python_once() -> None:
    found = some()
    series = [".".join(job["tensorflow"].split(".")[:2]) for job in found]
    assert series == [f"2.{minor}" for minor in range(21, 11, -1)]
    assert {job["python"] for job in found} == {"3.10", "3.11", "3.12", "3.13"}


def test_pythons_left_over_get_the_newest_series_that_supports_them() -> None:
    found = some("==2.20.*", "")
    assert [job["python"] for job in found] == ["3.13", "3.12", "3.11", "3.10", "3.9"]


def test_full_is_every_series_on_every_python() -> None:
    found = some(full=True)
    pairs = {(job["tensorflow"], job["python"]) for job in found}
    assert len(pairs) == len(found)
    expected = {
        (row.series, python)
        for row in MATRIX.rows
        for python in row.python
        if Version(row.series) >= Version("2.12") and Version(python) >= Version("3.10")
    }
    assert {(".".join(version.split(".")[:2]), python) for version, python in pairs} == expected


@pytest.mark.parametrize("platform", list(PLATFORMS))
def test_every_job_was_released_for_its_python_and_platform(platform: str) -> None:
    found = jobs(MATRIX, {"tensorflow": SpecifierSet(">=2.6")}, SpecifierSet(), (platform,), full=True)
    assert found
    for job in found:
        for name, version in ((job.distribution, job.tensorflow), ("keras", job.keras), ("numpy", job.numpy)):
            if version is not None:
                here = [release.version for release, _ in installable(MATRIX, name, job.python, PLATFORMS[platform])]
                assert version in here


def test_github_takes_one_line(run: Run) -> None:
    output = run(
        "ci", "--tensorflow", ">=2.20", "-f", "github", "--platform", "linux-x86_64", "--platform", "macos-arm64"
    ).output
    assert output.count("\n") == 1
    rows = json.loads(output)["include"]
    assert {row["os"] for row in rows} == {"ubuntu-latest", "macos-latest"}
    assert all(row["keras"].startswith("3.") and row["numpy"] for row in rows)


def test_gitlab_takes_yaml(run: Run) -> None:
    rows = yaml.safe_load(run("ci", "--tensorflow", "==2.15.*", "-f", "gitlab").output)
    assert all(set(row) == {"PLATFORM", "PYTHON", "DISTRIBUTION", "TENSORFLOW", "KERAS", "NUMPY"} for row in rows)
    assert rows[0]["TENSORFLOW"] == ["2.15.1"]


def test_json_is_the_default_and_old_series_bring_their_own_keras(run: Run) -> None:
    (row,) = json.loads(run("ci", "--tensorflow", "==2.4.*", "--python", "3.8").output)
    assert row["tensorflow"] == "2.4.4"
    assert "keras" not in row


def test_keras_can_be_asked_for(run: Run) -> None:
    rows = json.loads(run("ci", "--keras", "==3.3.3", "--tensorflow", ">=2.16").output)
    assert {row["keras"] for row in rows} == {"3.3.3"}
    assert {row["tensorflow"] for row in rows} == {"2.16.2", "2.17.1"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tensorflow", ">=2.99"), "no released TensorFlow meets this"),
        (("--tensorflow", "==2.15.*", "--python", ">=3.12"), "no released TensorFlow meets this"),
        (("--tensorflow", "two"), "a version range such as"),
        (("--python", "=>3"), "a version range such as"),
        (
            ("--full", "-f", "github", *(f"--platform={name}" for name in PLATFORMS)),
            "github takes at most 256 in one matrix",
        ),
    ],
)
def test_what_no_host_could_run_is_refused(run: Run, arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(run("ci", *arguments))
