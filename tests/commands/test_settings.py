"""``--matrix FILE`` and ``[tool.envcheck]`` in pyproject.toml: which rows are laid, and one line for whatever is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.version import Version

from envcheck.commands.settings import LARGEST, chosen_matrix
from envcheck.errors import UsageError

TEAM = "knots:\n- id: numpy2-abi\n  remove: true\n  reason: our numpy is patched\n"
TABLE = '[project]\nname = "x"\n\n[tool.envcheck]\nmatrix = "team.yaml"\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a team's rows in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "team.yaml").write_text(TEAM)
    return tmp_path


def overrides(path: str | None = None) -> list[str]:
    return [f"{override.file}:{override.line}" for override in chosen_matrix(path).overrides]


def refusal(path: str | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        chosen_matrix(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_any_it_is_ours(project: Path) -> None:
    assert overrides() == []


def test_the_command_line(project: Path) -> None:
    assert overrides("team.yaml") == ["team.yaml:2"]
    assert overrides(str(project / "team.yaml")) == [f"{project}/team.yaml:2"]


def test_the_project_of_the_current_folder(project: Path) -> None:
    (project / "pyproject.toml").write_text(TABLE)
    assert overrides() == ["team.yaml:2"]


def test_a_project_above_names_its_file_beside_itself(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "pyproject.toml").write_text(TABLE)
    (project / "a" / "b").mkdir(parents=True)
    (project / "a" / "pyproject.toml").write_text("[project]\nname = 'without a table of ours: envcheck'\n")
    monkeypatch.chdir(project / "a" / "b")
    assert overrides() == [f"{project}/team.yaml:2"]


def test_the_nearest_project_with_a_table_decides(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "pyproject.toml").write_text(TABLE)
    (project / "a").mkdir()
    (project / "a" / "pyproject.toml").write_text("[tool.envcheck]\n")
    monkeypatch.chdir(project / "a")
    assert overrides() == []


def test_the_command_line_wins(project: Path) -> None:
    (project / "other.yaml").write_text(TEAM)
    (project / "pyproject.toml").write_text(TABLE)
    assert overrides("other.yaml") == ["other.yaml:2"]
    (project / "pyproject.toml").write_text("[tool.envcheck")
    assert overrides("other.yaml") == ["other.yaml:2"]


def test_a_dotted_table_is_one_too(project: Path) -> None:
    (project / "pyproject.toml").write_text('tool.envcheck.matrix = "team.yaml"\n')
    assert overrides() == ["team.yaml:2"]


@pytest.mark.parametrize("text", ["", "[tool.black]\n", "[broken", "tool = 3\n", "\0\0"])
def test_a_project_that_never_speaks_of_envcheck_says_nothing(project: Path, text: str) -> None:
    (project / "pyproject.toml").write_text(text)
    assert overrides() == []


def test_what_is_no_ordinary_file_is_no_project(project: Path) -> None:
    path = project / "pyproject.toml"
    path.mkdir()
    assert overrides() == []
    path.rmdir()
    os.mkfifo(path)
    assert overrides() == []
    path.unlink()
    path.symlink_to(path)
    assert overrides() == []


def test_the_current_folder_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert overrides() == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_project_that_may_not_be_read(project: Path) -> None:
    (project / "pyproject.toml").write_text(TABLE)
    (project / "pyproject.toml").chmod(0)
    assert refusal() == "cannot read pyproject.toml: Permission denied"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# envcheck\n[tool.envcheck\n", r"pyproject\.toml:2: this is no TOML that can be read: "),
        ('[tool.envcheck]\nmatrix = "a\n', r"pyproject\.toml:2: this is no TOML"),
        ("[tool.envcheck]\nmatrix = 'a'\nmatrix = 'b'\n", r"pyproject\.toml:3: this is no TOML"),
        ("envcheck = " + "[" * 100_000, "this is no TOML"),
        (
            "\n[tool.envcheck]\n\nmatrx = 'a'\n",
            r"pyproject\.toml:4: unknown key matrx in \[tool\.envcheck\]; there is matrix, scan, target, ",
        ),
        ("matrx = 1\n[tool.envcheck]\n'matrx' = 'a'\n", r"pyproject\.toml:3: unknown key matrx"),
        ("[tool]\nenvcheck = 3\n", r"pyproject\.toml:2: tool\.envcheck is no table"),
        ("[[tool.envcheck]]\nmatrix = 'a'\n", r"pyproject\.toml:1: tool\.envcheck is no table"),
        (
            "[tool.envcheck]\nmatrix = 3\n",
            r"pyproject\.toml:2: matrix in \[tool\.envcheck\] is the name of a YAML file",
        ),
        (
            "[tool.envcheck]\nmatrix = ' '\n",
            r"pyproject\.toml:2: matrix in \[tool\.envcheck\] is the name of a YAML file",
        ),
        ("[tool.envcheck]\n\nmatrix = 'gone.yaml'\n", r"pyproject\.toml:3: there is no file gone\.yaml"),
        ('[tool.envcheck]\nmatrix = "a\\u0000b"\n', r"pyproject\.toml:2: there is no file"),
        ("[tool.envcheck]\nmatrix = '.'\n", r"^\.: this is no ordinary file"),
    ],
)
def test_what_is_wrong_with_a_project_is_one_line(project: Path, text: str, said: str) -> None:
    (project / "pyproject.toml").write_text(text)
    assert re.search(said, refusal())


def test_a_project_that_is_no_text(project: Path) -> None:
    (project / "pyproject.toml").write_bytes(b"[tool.envcheck]\n# \xff\n")
    assert refusal() == "pyproject.toml:2: this is not UTF-8"


def test_a_huge_project(project: Path) -> None:
    (project / "pyproject.toml").write_text(TABLE)
    os.truncate(project / "pyproject.toml", 100 << 20)
    assert refusal() == f"pyproject.toml: larger than {LARGEST >> 20} MiB, the most that is read"


@pytest.mark.parametrize("path", ["", "  "])
def test_an_empty_name(project: Path, path: str) -> None:
    assert refusal(path) == "--matrix is given and names no file"


# --- as a user meets it


def envcheck(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "envcheck", *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_report_shows_each_row_with_its_reason(project: Path) -> None:
    (project / "pyproject.toml").write_text(TABLE)
    ended = envcheck("doctor", "--no-smoke", "--format", "json", cwd=project)
    told = json.loads(ended.stdout)["matrix"]
    row = {"file": "team.yaml", "line": 2, "table": "knots", "row": "numpy2-abi", "reason": "our numpy is patched"}
    assert told["overrides"] == [row]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", told["as_of"])
    ended = envcheck("doctor", "--no-smoke", cwd=project)
    assert "Your own rows\n    knots numpy2-abi (team.yaml:2): our numpy is patched\n" in ended.stdout
    ended = envcheck("doctor", "--no-smoke", "-q", cwd=project)
    assert "Judged with 1 row of your own: team.yaml.\n" in ended.stdout


def test_explain_knows_the_team_s_rows(project: Path) -> None:
    ended = envcheck("explain", "numpy2-abi", "--matrix", "team.yaml", cwd=project)
    assert ended.stdout == "numpy2-abi is taken away by team.yaml:2: our numpy is patched\n"
    (project / "team.yaml").write_text("knots:\n- {id: numpy2-abi, fix: Ask Ada., reason: she knows}\n")
    ended = envcheck("explain", "numpy2-abi", "--matrix", "team.yaml", cwd=project)
    assert "How to fix: Ask Ada." in ended.stdout
    assert "        team.yaml:2: she knows\n" in ended.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("knots:\n- {id: numpy2-abi}\n", "team.yaml:2: every row of your own says its reason, as text"),
        ("knots:\n- !!python/object/apply:os.system [x]\n", "team.yaml:2: tags (tag:yaml.org,2002:python/"),
        ("knots:\n- {id: x\n", "team.yaml:3: this is no YAML that can be read: "),
        ("a: &a [1]\nb: [*a, *a]\n", "team.yaml:2: aliases (*a) are not read here"),
        ("knots:\n- {id: \x1b[2J, remove: true, reason: r}\n", "team.yaml:2: "),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_and_exit_code_2(project: Path, text: str, said: str) -> None:
    (project / "team.yaml").write_text(text)
    for command in (("doctor", "--no-smoke"), ("explain", "numpy2-abi")):
        ended = envcheck(*command, "--matrix", "team.yaml", cwd=project)
        assert ended.returncode == 2
        assert ended.stdout == ""
        assert ended.stderr.startswith(f"envcheck: {said}")
        assert ended.stderr.count("\n") == 1
        assert "\x1b" not in ended.stderr


def test_a_run_that_asks_no_matrix_reads_none(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.envcheck")
    ended = envcheck("explain", "ENV303", cwd=project)
    assert ended.returncode == 0
    ended = envcheck("doctor", "--no-smoke", "--select", "ENV107", "--format", "json", cwd=project)
    assert json.loads(ended.stdout)["matrix"] is None


def test_a_report_that_is_judged_again_has_its_own_rows(project: Path) -> None:
    saved = project / "node.json"
    assert envcheck("inventory", "-o", str(saved), cwd=project).returncode == 0
    ended = envcheck("doctor", "--from", str(saved), "--matrix", "team.yaml", "--format", "json", cwd=project)
    assert [row["reason"] for row in json.loads(ended.stdout)["matrix"]["overrides"]] == ["our numpy is patched"]


def test_the_example_in_the_readme_works(project: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    section = readme.partition("### Your own rows")[2]
    for language, name in (("toml", "pyproject.toml"), ("yaml", "team.yaml")):
        found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
        assert found is not None
        (project / name).write_text(found[1])
    matrix = chosen_matrix(None)
    assert [override.row for override in matrix.overrides] == ["2.21", "numpy2-abi", "ours-protobuf"]
    installed = {"tensorflow": Version("2.19.1"), "protobuf": Version("6.31.0")}
    assert "ours-protobuf" in {knot.id for knot in matrix.hits(installed, "3.12")}
