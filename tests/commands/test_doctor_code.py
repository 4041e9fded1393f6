"""``envcheck doctor PATH``: the code is scanned as ``envcheck scan`` does it in that project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from envcheck.commands.scan.beside import Code, Scanned
from envcheck.commands.scan.kept import Found
from envcheck.engine import Facts
from envcheck.errors import UsageError
from envcheck.findings import Coverage, Finding, Location, Outcome, Severity, Status
from envcheck.inventory import Unavailable
from envcheck.registry import checks
from envcheck.verdicts.found import Code as Verdicts

OLD = "import keras\nkeras.backend.dot(1, 2)\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a file that has one finding."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text(OLD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def envcheck(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "envcheck", *arguments],
        cwd=folder,
        env={**os.environ, "ENVCHECK_CACHE_DIR": str(folder / "kept")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def doctor(folder: Path, *arguments: str) -> dict[str, Any]:
    done = envcheck(folder, "doctor", "src", "--no-smoke", "--device", "cpu", "-f", "json", *arguments)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def places(found: dict[str, Any]) -> list[str]:
    """Where code is at fault."""
    return [
        each["location"]["path"]
        for outcome in found["outcomes"]
        if outcome["code"].startswith("API")
        for each in outcome["findings"]
        if each["location"]
    ]


def test_without_settings_all_of_it_is_reported(project: Path) -> None:
    found = doctor(project)
    assert places(found) == ["src/a.py"]
    assert found["coverage"]["hidden"] == 0


def test_a_comment_in_the_code_holds(project: Path) -> None:
    (project / "src" / "a.py").write_text(OLD.replace("2)", "2)  # envcheck: ignore[API102] known"))
    found = doctor(project)
    assert places(found) == []
    assert found["coverage"]["hidden"] == 1
    assert "comments in the code ignore 1 finding" in found["coverage"]["notes"]


@pytest.mark.parametrize(
    ("setting", "hidden"),
    [
        ('extend-exclude = ["src/a.py"]', 0),
        ('per-file-ignores = {"src/" = ["API"]}', 1),
        ('ignore = ["API102"]', 0),
        ('select = ["API2"]', 0),
    ],
)
def test_what_the_project_sets_for_scans_holds(project: Path, setting: str, hidden: int) -> None:
    (project / "pyproject.toml").write_text(f"[tool.envcheck.scan]\n{setting}\n")
    found = doctor(project)
    assert places(found) == []
    assert found["coverage"]["hidden"] == hidden
    assert "ENV301" in {outcome["code"] for outcome in found["outcomes"]}  # it says nothing of the environment's checks


def test_a_baseline_holds(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.envcheck.scan]\nbaseline = "known.json"\n')
    envcheck(project, "scan", "src", "--write-baseline", "known.json")
    found = doctor(project)
    assert places(found) == []
    assert "the baseline known.json hides 1 findings" in found["coverage"]["notes"]
    (project / "src" / "b.py").write_text(OLD)
    assert places(doctor(project)) == ["src/b.py"]


def test_filters_of_the_command_line_stand_in_for_those_of_the_project(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.envcheck.scan]\nselect = ["API2"]\nignore = ["API102"]\n')
    code = Code.at(["src"])
    codes = {
        (selected, ignored): {check.code for check in code.chosen(checks(), selected, ignored)}
        for selected in ((), ("API102",))
        for ignored in ((), ("API201",))
    }
    assert "API102" not in codes[(), ()]
    assert "API102" not in codes[("API102",), ()]
    assert "API102" in codes[("API102",), ("API201",)]
    assert {"API201", "GPU201"} <= codes[(), ()]


def test_settings_that_leave_nothing_are_refused(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.envcheck.scan]\nignore = ["API"]\n')
    done = envcheck(project, "doctor", "src", "--no-smoke", "--select", "API102")
    assert (done.returncode, done.stdout) == (2, "")
    assert "leave no check to run" in done.stderr
    with pytest.raises(UsageError):
        Code.at(["src"]).chosen([each for each in checks() if each.code == "API102"], ("API102",), ())


def test_a_wrong_setting_is_one_line(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.envcheck.scan]\nselect = 3\n")
    done = envcheck(project, "doctor", "src", "--no-smoke")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "pyproject.toml:2" in done.stderr


def test_findings_about_the_environment_keep_their_evidence(project: Path) -> None:
    # A row of the matrix has a path and a line too; its text is no line of the scanned code.
    def outcome(code: str, path: str) -> Outcome:
        finding = Finding("wrong", location=Location(path, 1), evidence={"kind": "absent-name"})
        return Outcome(code, "title", Severity.ERROR, Status.FAILED, findings=(finding,))

    (project / "matrix.yaml").write_text("- row\n")
    scanned = Scanned(Code.at(["src"]), Found(Verdicts(), Coverage()), ())
    left, _ = scanned.left([outcome("GPU203", "matrix.yaml"), outcome("API102", "src/a.py")], checks())
    assert [dict(each.findings[0].evidence).get("source") for each in left] == [None, "import keras"]


def test_models_that_are_not_judged_are_said_where_they_are_asked_for(project: Path) -> None:
    old = SimpleNamespace(version="2.3.0")
    facts = Facts({"tensorflow": old, "keras": Unavailable("not installed"), "python": Unavailable("not asked")}, {})
    scanned = Code.at(["src"]).scanned(facts, lambda _: None)
    asked, other = ([each for each in checks() if each.code.startswith(code)] for code in ("MDL1", "API1"))
    assert [note for note in scanned.left([], asked)[1].notes if "(MDL) are not judged" in note]
    assert not [note for note in scanned.left([], other)[1].notes if "MDL" in note]
