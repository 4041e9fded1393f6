"""``envcheck scan`` with saved models among its paths."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from saved.models import LAMBDA, archive, bundle, layer, old_config, sequential

from envcheck.cli import group
from envcheck.commands.scan.saved import read
from envcheck.saved import hdf5
from envcheck.saved.found import SavedModel, Unread
from envcheck.source.cache import Cache
from envcheck.source.files import find

TARGET = ("--target", "tensorflow==2.21.0,keras==3.15.1")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENVCHECK_CACHE_DIR", str(tmp_path / ".cache"))


def scan(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["scan", *arguments, *TARGET], standalone_mode=False)


def findings(*arguments: str) -> list[tuple[str, str]]:
    report = json.loads(scan(*arguments, "--format", "json").stdout)
    return [
        (outcome["code"], each["location"]["path"]) for outcome in report["outcomes"] for each in outcome["findings"]
    ]


def test_models_beside_code_are_judged(tmp_path: Path) -> None:
    archive(tmp_path / "good.keras", sequential(layer("Dense", units=1)))
    archive(tmp_path / "code.keras", sequential(LAMBDA))
    bundle(tmp_path / "old", "2.11.0", old_config())
    (tmp_path / "train.py").write_text("import keras\nkeras.layers.Dense(3)\n")
    assert findings() == [("MDL601", "old"), ("MDL605", "code.keras")]
    assert findings("good.keras") == []
    assert findings("old", "train.py") == [("MDL601", "old")]
    assert scan("old").return_value == 1


def test_the_report_says_who_wrote_it(tmp_path: Path) -> None:
    archive(tmp_path / "good.keras", sequential(layer("Dense", units=1)))
    result = scan("good.keras")
    assert (
        "good.keras: .keras archive, written by Keras 3.15.1 on 2026-11-21@13:21:00: 1 layer, not compiled"
        in " ".join(result.stdout.split())
    )
    assert "None of them uses TensorFlow or Keras" not in result.stdout


def test_what_cannot_be_read_is_never_passed_over(tmp_path: Path) -> None:
    (tmp_path / "cut.keras").write_bytes(b"PK\x03\x04")
    (tmp_path / "text.h5").write_bytes(b"text")
    report = json.loads(scan("cut.keras", "text.h5", "--format", "json").stdout)
    assert report["coverage"]["files"] == {"scanned": 2, "skipped": 0, "unparsed": 2}
    assert findings("cut.keras", "text.h5") == [("API901", "cut.keras"), ("API901", "text.h5")]
    assert findings() == [("API901", "cut.keras")]  # no HDF5 file, and nobody named it


def test_gitignore_and_excludes_hold(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    archive(tmp_path / "runs" / "a.keras", sequential(LAMBDA))
    assert findings() == [("MDL605", "runs/a.keras")]
    assert findings("--exclude", "runs/") == []
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("*.keras\n")
    assert findings() == []
    assert findings("runs/a.keras") == [("MDL605", "runs/a.keras")]


def test_a_baseline_and_ignores_hide_findings(tmp_path: Path) -> None:
    archive(tmp_path / "a.keras", sequential(LAMBDA))
    assert scan("--write-baseline", "known.json").return_value == 0
    assert findings("--baseline", "known.json") == []
    assert findings("--ignore", "MDL6") == []


@pytest.mark.parametrize("form", ["sarif", "github", "junit", "text"])
def test_every_format_tells_of_them(form: str, tmp_path: Path) -> None:
    archive(tmp_path / "a.keras", sequential(LAMBDA))
    assert "Python bytecode" in scan("a.keras", "--format", form).stdout


FAKE_H5PY = """
import json, os, signal
class HardLink: pass
class File:
    def __init__(self, path, mode):
        name = os.path.basename(path)
        with open(os.path.join(os.path.dirname(path), "opened"), "a") as log: log.write(name + "\\n")
        if "broken" in name:
            raise OSError("Unable to open file\\n(damaged)")
        if "crash" in name:
            os.abort()
        if "endless" in name:
            os.kill(os.getpid(), signal.SIGALRM)
        self.attrs = {"keras_version": b"2.11.0", "model_config": json.dumps(%r)} if "model" in name else {}
    def __enter__(self): return self
    def __exit__(self, *args): pass
    def get(self, name, getlink): return None
"""


def hdf(folder: Path, *names: str) -> list[str]:
    for name in names:
        (folder / name).write_bytes(hdf5.SIGNATURE)
    return list(names)


def found(paths: list[str], python: str) -> list[SavedModel | Unread]:
    files = find(paths, exclude=(), gitignore=True)
    return read(files.models, files.named, python, lambda _: None)


def python_with(folder: Path, content: str) -> str:
    """An interpreter whose h5py is a module of ours."""
    packages = folder / "packages"
    packages.mkdir()
    (packages / "h5py.py").write_text(content)
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{packages}" exec "{sys.executable}" "$@"\n')
    script.chmod(0o755)
    return str(script)


def test_hdf5_is_read_by_the_h5py_of_the_target(tmp_path: Path) -> None:
    config: Any = old_config({"class_name": "Dense", "config": {"name": "d", "trainable": True}})
    python = python_with(tmp_path, FAKE_H5PY % config)
    paths = hdf(tmp_path, "broken.h5", "data.h5", "model.h5")
    broken, data, model = found(paths, python)
    assert isinstance(broken, Unread)
    assert broken.reason == "h5py cannot read it: OSError: Unable to open file (damaged)"
    assert isinstance(data, Unread)
    assert isinstance(model, SavedModel)
    assert (model.keras, [part.class_name for part in model.parts]) == ("2.11.0", ["Sequential", "Dense"])
    assert [each.path for each in found(["."], python)] == ["broken.h5", "model.h5"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("raise ImportError('no')", "has no h5py"),
        ("import os; os.abort()", "SIGABRT"),
        ("import os; os._exit(3)", "exit code 3"),
    ],
)
def test_without_a_working_h5py_it_says_so(content: str, says: str, tmp_path: Path) -> None:
    (each,) = found(hdf(tmp_path, "model.h5"), python_with(tmp_path, content))
    assert isinstance(each, Unread)
    assert "not read" in each.reason
    assert says in each.reason


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals that end a process")
def test_a_file_that_ends_the_child_costs_its_own_answer_only(tmp_path: Path) -> None:
    python = python_with(tmp_path, FAKE_H5PY % old_config())
    names = [f"{number}{kind}.h5" for number in range(2) for kind in ("crash", "endless", "model")]
    told = {each.path: each for each in found(hdf(tmp_path, *names), python)}
    assert [told[name] for name in names if "model" in name and not isinstance(told[name], SavedModel)] == []
    reasons = [each.reason for each in told.values() if isinstance(each, Unread)]
    assert [("SIGABRT" in each, "come to an end" in each) for each in reasons] == [(True, False), (False, True)] * 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals that end a process")
def test_a_folder_of_files_that_end_the_child_is_given_up(tmp_path: Path) -> None:
    python = python_with(tmp_path, FAKE_H5PY % old_config())
    told = found(hdf(tmp_path, *(f"crash{number:02}.h5" for number in range(12))), python)
    assert len(told) == 12
    assert sum("name it alone" in each.reason for each in told if isinstance(each, Unread)) == 4


def test_an_hdf5_file_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    python = python_with(tmp_path, FAKE_H5PY % old_config())
    (path,) = hdf(tmp_path, "model.h5")
    cache = Cache(tmp_path / "cache")
    first = read([path], [path], python, lambda _: None, cache)
    assert read([path], [path], "/no/such/python", lambda _: None, cache) == first
    (tmp_path / path).write_bytes(hdf5.SIGNATURE + b"more")
    assert read([path], [path], python, lambda _: None, cache) == first
    assert (tmp_path / "opened").read_text() == "model.h5\n" * 2


def test_hdf5_named_keras_is_told_for_keras_3(tmp_path: Path) -> None:
    python = python_with(tmp_path, FAKE_H5PY % old_config())
    hdf(tmp_path, "model.keras")
    result = scan("model.keras", "--python", python)
    assert "rename it to .h5" in result.stdout
    assert result.return_value == 1


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no pipes in folders, and makes links for administrators only"
)
def test_what_is_no_ordinary_file_is_told_and_nothing_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.h5")
    (tmp_path / "self.keras").symlink_to("self.keras")
    (tmp_path / "zero.h5").symlink_to("/dev/zero")
    (tmp_path / "folder.keras").mkdir()
    with (tmp_path / "sparse.keras").open("wb") as file:
        file.truncate(5 << 30)
    archive(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.keras")), sequential(LAMBDA))
    told = findings()
    unread = [path for code, path in told if code == "API901"]
    assert sorted(unread) == ["pipe.h5", "self.keras", "sparse.keras", "zero.h5"]
    assert [code for code, path in told if path not in unread] == ["MDL605"]


def test_a_saved_model_that_a_project_excludes_is_passed_over(tmp_path: Path) -> None:
    bundle(tmp_path / "old", "2.11.0", old_config())
    archive(tmp_path / "a.keras", sequential(LAMBDA))
    (tmp_path / "pyproject.toml").write_text('[tool.envcheck.scan]\nexclude = ["old/", "*.keras"]\n')
    assert findings() == []
    assert findings("old", "a.keras") == [("MDL601", "old"), ("MDL605", "a.keras")]
