"""``[tool.envcheck]`` and ``[tool.envcheck.scan]``: what is read, from which file, and one line for whatever is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from envcheck.commands.scan.settings import EXPECTED, Settings, settings
from envcheck.commands.settings import SCAN_KEYS
from envcheck.errors import UsageError

KNOWN = ("API101", "API301", "MDL101")
ALL = """
[tool.envcheck]
matrix = "team.yaml"
target = "tensorflow==2.16.2"
[tool.envcheck.scan]
select = ["API", "mdl1 "]
ignore = ["API301"]
exclude = ["generated/"]
extend-exclude = ["*.pb2.py"]
per-file-ignores = {"tests/" = ["API"], "*.ipynb" = []}
baseline = "known.json"
fail-on = "warning"
legacy-keras = true
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(project: Path, text: str, *paths: str) -> Settings:
    (project / "pyproject.toml").write_text(text)
    return settings(paths, KNOWN)


def refusal(project: Path, text: str) -> str:
    with pytest.raises(UsageError) as caught:
        read(project, text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_a_project_nothing_is_set(project: Path) -> None:
    assert settings((), KNOWN) == Settings()
    assert read(project, "[tool.black]\n") == Settings()
    assert read(project, "[tool.envcheck]\n").target == ()


def test_all_keys(project: Path) -> None:
    found = read(project, ALL)
    assert found == Settings(
        target=("tensorflow==2.16.2",),
        select=("API", "MDL1"),
        ignore=("API301",),
        exclude=("generated/",),
        extend_exclude=("*.pb2.py",),
        per_file_ignores=(("tests/", ("API",)), ("*.ipynb", ())),
        baseline="known.json",
        fail_on="warning",
        legacy_keras=True,
        places=found.places,
    )
    assert found.places["target"] == "pyproject.toml:4"
    assert found.places["fail-on"] == "pyproject.toml:12"
    assert "matrix" not in found.places


def test_the_words_are_for_the_keys_that_there_are() -> None:
    assert tuple(EXPECTED) == SCAN_KEYS


def test_the_command_line_wins() -> None:
    found = Settings(target=("tensorflow==2.4",), fail_on="note", legacy_keras=True)
    assert found.over(target=("tensorflow==2.5",), fail_on=None, select=()) == Settings(
        target=("tensorflow==2.5",), fail_on="note", legacy_keras=True
    )
    assert found.over(legacy_keras=False, fail_on="never") == Settings(
        target=("tensorflow==2.4",), fail_on="never", legacy_keras=False
    )


# --- which file


def test_the_project_above_the_scanned_paths(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, code in (("", "MDL"), ("a", "API1"), ("a/b", "API3")):
        (project / folder / "c").mkdir(parents=True)
        (project / folder / "pyproject.toml").write_text(f"[tool.envcheck.scan]\nselect = ['{code}']\n")
    (project / "a" / "b" / "x.py").touch()

    def chosen(*paths: str) -> tuple[str, ...]:
        return settings(paths, KNOWN).select

    assert chosen() == chosen(".") == chosen("-") == chosen("c") == ("MDL",)
    assert chosen("a") == chosen("a/c") == chosen("a/b/x.py", "a/c") == chosen(str(project / "a")) == ("API1",)
    assert chosen("a/b/x.py") == chosen("a/b/x.py", "a/b/c") == chosen("a/b/gone.py") == ("API3",)
    assert chosen("a/b", "c") == ("MDL",)
    assert chosen("a\0b", "a") == ("MDL",)
    monkeypatch.chdir(project / "a" / "c")
    assert chosen() == ("API1",)
    assert chosen("../b/x.py") == ("API3",)


def test_files_are_beside_the_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "a").mkdir()
    (project / "a" / "pyproject.toml").write_text("[tool.envcheck]\nbaseline = 'known.json'\nfail-on = 'note'\n")
    found = settings(["a"], KNOWN)
    assert found.baseline == str(Path("a", "known.json"))
    assert found.places["fail-on"] == f"{Path('a', 'pyproject.toml')}:3"
    monkeypatch.chdir(project / "a")
    assert settings([], KNOWN).baseline == "known.json"


# --- patterns


@pytest.mark.parametrize(
    ("pattern", "excluded"),
    [
        ("x.py", ["a/b/x.py", "a/x.py", "x.py"]),
        ("*.py", ["a/b/x.py", "a/x.py", "x.py"]),
        ("/x.py", ["x.py"]),
        ("a", ["a/b/x.py", "a/n.ipynb", "a/x.py"]),
        ("a/", ["a/b/x.py", "a/n.ipynb", "a/x.py"]),
        ("x.py/", []),
        ("b/", ["a/b/x.py"]),
        ("a/*.py", ["a/x.py"]),
        ("a/*", ["a/b/x.py", "a/n.ipynb", "a/x.py"]),
        ("a/**/x.py", ["a/b/x.py", "a/x.py"]),
        ("**/*.ipynb", ["a/n.ipynb"]),
    ],
)
def test_patterns(project: Path, pattern: str, excluded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    files = ["a/b/x.py", "a/n.ipynb", "a/x.py", "x.py"]
    by_exclude, by_extension = Settings(exclude=(pattern,)), Settings(extend_exclude=(pattern,))
    per_file = Settings(per_file_ignores=((pattern, ("API",)),))
    assert [file for file in files if by_exclude.excludes(file)] == excluded
    assert [file for file in files if by_extension.excludes(f"./{file}")] == excluded
    assert [file for file in files if per_file.ignored(str(project / file)) == ("API",)] == excluded


def test_patterns_begin_at_the_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "a" / "b").mkdir(parents=True)
    (project / "a" / "pyproject.toml").write_text("[tool.envcheck]\nexclude = ['/x.py', 'b/x.py']\n")
    found = settings(["a"], KNOWN)
    assert [found.excludes(path) for path in ("a/x.py", "x.py", "a/b/x.py", "a/c/x.py", "../x.py")] == [
        True,
        False,
        True,
        False,
        False,
    ]
    monkeypatch.chdir(project / "a" / "b")
    found = settings([], KNOWN)
    assert [found.excludes(path) for path in ("../x.py", "x.py", "y.py", "../../x.py")] == [True, True, False, False]


def test_patterns_that_take_back() -> None:
    found = Settings(exclude=("*.py", "!x.py"), extend_exclude=("y.py",), per_file_ignores=(("!tests/", ("API",)),))
    assert [found.excludes(path) for path in ("x.py", "y.py", "z.py", "n.ipynb")] == [False, True, True, False]
    assert [found.ignored(path) for path in ("tests/x.py", "x.py", "../x.py")] == [(), ("API",), ()]


def test_codes_of_several_patterns_add_up() -> None:
    found = Settings(per_file_ignores=(("tests/", ("API1",)), ("*.ipynb", ("API3", "MDL")), ("#", ("MDL",))))
    assert found.ignored("tests/a.ipynb") == ("API1", "API3", "MDL")
    assert found.ignored("a.py") == ()


# --- what is wrong


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[tool.envcheck]\nselct = []",
            "pyproject.toml:2: unknown key selct in [tool.envcheck]; there is matrix, scan, target, ",
        ),
        (
            "[tool.envcheck.scan]\n\nselct = []",
            "pyproject.toml:3: unknown key selct in [tool.envcheck.scan]; there is target, ",
        ),
        (
            "[tool.envcheck.scan]\nmatrix = 'x'",
            "pyproject.toml:2: unknown key matrix in [tool.envcheck.scan]; there is target",
        ),
        ("[tool.envcheck]\nscan = 3", "pyproject.toml:2: tool.envcheck.scan is no table; write [tool.envcheck.scan]"),
        (
            "[tool.envcheck]\nselect = ['API']\n[tool.envcheck.scan]\nselect = ['API']",
            "pyproject.toml:4: select stands in [tool.envcheck] too; keep one of the two",
        ),
        ("[tool.envcheck.scan]\nselect = 'API'", f"pyproject.toml:2: select is {EXPECTED['select']}"),
        ("[tool.envcheck.scan]\nselect = ['API*']", f"pyproject.toml:2: select is {EXPECTED['select']}"),
        ("[tool.envcheck.scan]\nselect = ['']", f"pyproject.toml:2: select is {EXPECTED['select']}"),
        ("[tool.envcheck]\nignore = [1]", f"pyproject.toml:2: ignore is {EXPECTED['ignore']}"),
        ("[tool.envcheck]\ntarget = 2.16", f"pyproject.toml:2: target is {EXPECTED['target']}"),
        ("[tool.envcheck]\ntarget = ['']", f"pyproject.toml:2: target is {EXPECTED['target']}"),
        ("[tool.envcheck]\nexclude = 'x'", f"pyproject.toml:2: exclude is {EXPECTED['exclude']}"),
        ("[tool.envcheck]\nextend-exclude = [3]", f"pyproject.toml:2: extend-exclude is {EXPECTED['extend-exclude']}"),
        (
            "[tool.envcheck]\nper-file-ignores = ['x']",
            f"pyproject.toml:2: per-file-ignores is {EXPECTED['per-file-ignores']}",
        ),
        (
            "[tool.envcheck.scan.per-file-ignores]\n'x' = 'API'",
            f"pyproject.toml:1: per-file-ignores is {EXPECTED['per-file-ignores']}",
        ),
        ("[tool.envcheck]\nbaseline = ''", "pyproject.toml:2: baseline is the name of a file"),
        ("[tool.envcheck]\nfail-on = 'fatal'", "pyproject.toml:2: fail-on is error, warning, note or never"),
        ("[tool.envcheck]\nlegacy-keras = 1", "pyproject.toml:2: legacy-keras is true or false"),
        (
            "[tool.envcheck]\nselect = ['API9']",
            "pyproject.toml:2: select: no check has a code that begins with API9; `envcheck explain` lists them",
        ),
        (
            "[tool.envcheck]\nper-file-ignores = {a = ['GPU']}",
            "pyproject.toml:2: per-file-ignores: no check has a code that",
        ),
        ("[tool.envcheck\n", "pyproject.toml:1: this is no TOML that can be read: "),
    ],
)
def test_what_is_wrong_is_one_line(project: Path, text: str, said: str) -> None:
    assert refusal(project, text).startswith(said)


def test_the_place_of_a_table_s_key(project: Path) -> None:
    text = "[tool.envcheck.scan.per-file-ignores]\n'tests/' = ['API']\n"
    found = read(project, text)
    assert found.ignored("tests/x.py") == ("API",)
    assert re.fullmatch(r"pyproject\.toml:1", found.places["per-file-ignores"])
