"""Which files are found: what git ignores is proven against git itself."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from envcheck.errors import UsageError
from envcheck.source.files import Skipped, find

POSIX = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows makes links for administrators only and has no pipes"
)


def made(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def found(*paths: str, exclude: Sequence[str] = (), gitignore: bool = True) -> list[str]:
    return find(paths, exclude=exclude, gitignore=gitignore).source


def skipped(*paths: str, exclude: Sequence[str] = ()) -> list[Skipped]:
    return find(paths, exclude=exclude, gitignore=True).skipped


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def test_source_below_folders_sorted_and_as_the_user_would_write_it(here: Path) -> None:
    made(here, "b/z.py", "b/a.ipynb", "a.pyi", "a.txt", "script", "b/.hidden/x.py")
    made(here.parent, "there/c.py")
    assert found(".") == ["a.pyi", "b/.hidden/x.py", "b/a.ipynb", "b/z.py"]
    assert found("b/", "./b/../b/z.py", str(here / "b" / "z.py")) == ["b/.hidden/x.py", "b/a.ipynb", "b/z.py"]
    assert found("../there") == ["../there/c.py"]
    assert found(str(here.parent / "there")) == [(here.parent / "there" / "c.py").as_posix()]
    assert found(str(here)) == found(".")


def test_a_given_file_is_always_taken(here: Path) -> None:
    made(here, "script", "a.py", "node_modules/b.py")
    (here / ".gitignore").write_text("a.py\n")
    assert found("script", "a.py", exclude=["a.py"]) == ["a.py", "script"]
    assert found("node_modules") == ["node_modules/b.py"]


@pytest.mark.parametrize("path", ["none.py", "none/", "", "a\0b"])
def test_a_path_that_is_not_there_is_a_usage_error(here: Path, path: str) -> None:
    with pytest.raises(UsageError):
        find([path], exclude=[], gitignore=True)


@pytest.mark.parametrize("wrong", ["", "  ", "# x", "[", "a\\", "!", "/"])
def test_an_exclude_that_is_no_pattern_is_a_usage_error(wrong: str) -> None:
    with pytest.raises(UsageError, match="is no pattern"):
        find([], exclude=[wrong], gitignore=True)


def test_folders_that_hold_no_source_of_the_project(here: Path) -> None:
    made(here, ".git/hooks/x.py", "a/__pycache__/x.py", "lib/site-packages/x.py", "node_modules/x.py", ".tox/x.py")
    made(
        here,
        "mine/pyvenv.cfg",
        "mine/x.py",
        "conda/conda-meta/history",
        "conda/x.py",
        "build/lib/x.py",
        "build/bdist.linux/y",
    )
    made(here, "venv/x.py", "sub/build/x.py", "dist/x.py", "env/x.py")
    assert found(".") == ["dist/x.py", "env/x.py", "sub/build/x.py", "venv/x.py"]
    assert skipped(".") == [
        Skipped("build", "copies made by setuptools", by_rule=True),
        Skipped("conda", "a conda environment", by_rule=True),
        Skipped("mine", "a virtual environment", by_rule=True),
    ]
    assert found("mine") == ["mine/x.py"]


def test_excludes_are_relative_to_the_current_folder(here: Path) -> None:
    made(here, "tests/a.py", "src/tests/b.py", "src/c.py", "src/d.py")
    made(here.parent, "there/tests/e.py", "there/f.py")
    assert found(".", exclude=["tests"]) == ["src/c.py", "src/d.py"]
    assert found(".", exclude=["/tests", "src/d.*"]) == ["src/c.py", "src/tests/b.py"]
    assert found("src", exclude=["src/tests/"]) == ["src/c.py", "src/d.py"]
    assert found("../there", exclude=["/tests"]) == ["../there/f.py"]
    assert skipped(".", exclude=["/src"]) == [Skipped("src", "excluded", by_rule=True)]


def test_a_gitignore_counts_from_its_repositorys_root_on(here: Path) -> None:
    made(here, "a.py", "b/a.py", "b/c/a.py", "b/c/d.py")
    made(here.parent, "a.py", "other/.git/HEAD", "other/a.py", "other/b/a.py")
    (here.parent / ".git").mkdir()
    (here.parent / ".gitignore").write_text("a.py\nother\n")
    (here / "b" / ".gitignore").write_bytes(b"\xef\xbb\xbf!a.py\r\nd.py\r\n")
    assert found(".") == ["b/a.py", "b/c/a.py"]
    assert found("b/c") == ["b/c/a.py"]
    assert found(".", gitignore=False) == ["a.py", "b/a.py", "b/c/a.py", "b/c/d.py"]
    assert skipped("b/c") == [Skipped("b/c/d.py", "ignored by git", by_rule=True)]
    assert found("../other") == ["../other/a.py", "../other/b/a.py"]  # a repository of its own, and given


def test_a_given_folder_is_scanned_even_where_it_is_ignored(here: Path) -> None:
    made(here, "out/a.py", "out/b/c.py", ".git/HEAD")
    (here / ".gitignore").write_text("out/\n")
    assert found(".") == []
    assert found("out") == ["out/a.py", "out/b/c.py"]
    assert found("out/b") == ["out/b/c.py"]


def test_the_excludes_of_a_linked_work_tree(here: Path) -> None:
    made(here, "a.py", "b.py")
    (here / ".git").write_text("gitdir: ../main/.git/worktrees/x\n")
    linked = here.parent / "main" / ".git" / "worktrees" / "x"
    made(linked.parent.parent, "info/exclude")
    linked.mkdir(parents=True)
    (linked / "commondir").write_text("../..\n")
    (linked.parent.parent / "info" / "exclude").write_text("b.py\n")
    assert found(".") == ["a.py"]


NAMES = ["a", "b", "foo", "x.y"]
PATTERNS = (
    "a /a a/ /a/ !a b/* **/foo foo/** a/**/b *.py !*.py !/a/ x* [ab] [!a]* [^b] [a-f]oo [[:alpha:]] f?o \\!a # /* !/foo ** a/b "
    "!b/a.py */ b/ !b/ !foo/* *.y/ /b/**/ a//b a**b **a [ a[ *.p[yz] !!a / ! a/*/ *** **/ /** !**/ !*/ foo/* !foo/b \\a a.py\r "
    "b.py\t [z-a] [] []a] a\\ [a--b] [\\]b] *?* *a*.*y /**/a"
)


@pytest.mark.skipif(not shutil.which("git"), reason="git is not on this machine")
@pytest.mark.parametrize("seed", range(40))
def test_what_git_ignores_is_ignored(here: Path, seed: int) -> None:
    """A random tree with random ``.gitignore`` files, and what git itself lists of it."""
    rng = random.Random(seed)  # noqa: S311 - the same trees every time
    folders = [Path()]
    for _ in range(rng.randint(2, 8)):
        folders.append(rng.choice(folders) / rng.choice(NAMES))
    patterns = [*PATTERNS.split(" "), "a ", "a\\ "]
    for folder in dict.fromkeys(folders):
        made(here, *(f"{folder}/{name}.py" for name in ("a", "b", "x.y") if rng.random() < 0.7), f"{folder}/z")
        if rng.random() < 0.5 or folder == Path():
            lines = [rng.choice(patterns) for _ in range(rng.randint(1, 5))]
            (here / folder / ".gitignore").write_text("\n".join(lines) + "\n", newline="")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", "init", "-q"], env=environment, check=True)
    (here / ".git" / "info").mkdir(exist_ok=True)
    (here / ".git" / "info" / "exclude").write_text(rng.choice(patterns) + "\n", newline="")
    command = ["git", "ls-files", "-z", "-o", "--exclude-standard"]
    listed = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\0")
    assert found(".") == sorted(path for path in listed if path.endswith(".py"))


def test_a_hostile_pattern_takes_no_time(here: Path) -> None:
    made(here, "a" * 200 + ".py", "a/" * 60 + "x.py")
    (here / ".gitignore").write_text(
        "*a" * 40 + "*b\n" + "**/a/" * 30 + "b\n" + "[a" * 1_000 + "\n" + "?*" * 1_000 + "b\n"
    )
    start = time.process_time()
    assert len(found(".")) == 2
    assert time.process_time() - start < 1


def test_saved_models_are_found_by_the_same_rules(here: Path) -> None:
    made(
        here, "a.keras", "b/m.h5", "b/m.hdf5", "c/saved_model.pb", "c/x.py", "d/saved_model.pb/x.py", "e_saved_model.pb"
    )
    made(here, "node_modules/m.h5", "env/pyvenv.cfg", "env/m.h5", "runs/m.h5", "out/saved_model.pb", ".git/HEAD")
    (here / ".gitignore").write_text("runs/\n")
    files = find(["."], exclude=["out"], gitignore=True)
    assert files.models == ["a.keras", "b/m.h5", "b/m.hdf5", "c"]
    assert files.source == ["c/x.py", "d/saved_model.pb/x.py"]
    assert files.named == {"."}
    assert find(["c", "a.keras"], exclude=(), gitignore=True)[1:3] == (["a.keras", "c"], frozenset(("a.keras", "c")))
    assert find(["c/saved_model.pb"], exclude=(), gitignore=True)[1:3] == (["c"], frozenset(("c",)))


@POSIX
def test_links_to_saved_models(here: Path) -> None:
    made(here, "blobs/1", "blobs/2", "m.h5")
    for name in ("a", "b"):
        (here / name).mkdir()
        (here / name / "saved_model.pb").symlink_to("../blobs/1")
    (here / "again.h5").symlink_to("m.h5")
    (here / "self.h5").symlink_to("self.h5")
    files = find(["."], exclude=(), gitignore=True)
    assert files.models == ["a", "b", "m.h5"]
    assert [each.path for each in files.skipped] == ["self.h5"]


@POSIX
def test_links_to_files_are_followed_and_links_to_folders_are_not(here: Path) -> None:
    made(here, "real/a.py", "real/notes")
    made(here.parent, "there/b.py")
    links = {
        "link.py": "real/a.py",
        "b.py": "../there/b.py",
        "again": "real",
        "loop": ".",
        "self.py": "self.py",
        "broken.py": "none",
        "notes": "none",
        "device.py": "/dev/null",
    }
    for name, target in links.items():
        (here / name).symlink_to(target)
    assert found(".") == ["b.py", "real/a.py"]
    assert found("link.py") == ["link.py"]
    assert found("again") == ["again/a.py"]
    assert [(each.path, each.by_rule) for each in skipped(".")] == [
        ("again", True),
        ("broken.py", False),
        ("device.py", False),
        ("loop", True),
        ("self.py", False),
    ]


@POSIX
def test_what_cannot_be_read_is_told(here: Path) -> None:
    os.mkfifo(here / "pipe.py")
    made(here, "x.py/inner.py")
    assert found(".", "pipe.py") == ["x.py/inner.py"]
    assert skipped(".") == [Skipped("pipe.py", "no ordinary file")]
    assert skipped("pipe.py") == [Skipped("pipe.py", "this is a named pipe, not a file")]


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="everything is readable for root and on Windows"
)
def test_a_folder_without_permission_is_told(here: Path) -> None:
    made(here, "closed/a.py", "b.py")
    (here / "closed").chmod(0)
    try:
        assert found(".") == ["b.py"]
        assert skipped(".") == [Skipped("closed", "cannot be read: Permission denied")]
    finally:
        (here / "closed").chmod(0o700)


@pytest.mark.parametrize(("name", "form"), [("m.keras", "a .keras archive"), ("m.h5", "an HDF5 file")])
def test_a_named_folder_that_is_called_like_a_model_and_is_none(here: Path, name: str, form: str) -> None:
    (here / name).mkdir()
    reason = f"this is a folder without a model, and its name is that of {form}: name the file that model.save() wrote"
    assert find([name, name], exclude=(), gitignore=True).skipped == [Skipped(name, reason)]
    assert find(["."], exclude=(), gitignore=True).skipped == []  # nobody named it
    made(here, f"{name}/train.py")
    assert find([name, name], exclude=(), gitignore=True).skipped == []
    (here / name / "train.py").rename(here / name / "saved_model.pb")
    assert find([name], exclude=(), gitignore=True).models == [name]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")
def test_a_name_that_is_not_utf_8(here: Path) -> None:
    Path(os.fsdecode(b"\xff.py")).touch()
    (here / ".gitignore").write_bytes(b"\xfe*\n")
    assert found(".") == ["\udcff.py"]
