"""``envcheck scan`` with saved models among its paths."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from saved.models import LAMBDA, archive, bundle, layer, old_config, sequential

from envcheck.cli import group
from envcheck.commands.scan.saved import among, read
from envcheck.saved import hdf5
from envcheck.saved.found import SavedModel, Unread

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
import json
class File:
    def __init__(self, path, mode):
        if "broken" in path:
            raise OSError("Unable to open file\\n(truncated)")
        self.attrs = {"keras_version": b"2.11.0", "model_config": json.dumps(%r)} if "model" in path else {}
    def __enter__(self): return self
    def __exit__(self, *args): pass
    def __contains__(self, name): return False
"""


def hdf(folder: Path, *names: str) -> list[str]:
    for name in names:
        (folder / name).write_bytes(hdf5.SIGNATURE)
    return list(names)


def found(paths: list[str], python: str) -> list[SavedModel | Unread]:
    return read(among(paths, True, lambda _: False), python, lambda _: None)


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
    assert broken.reason == "h5py cannot read it: OSError: Unable to open file (truncated)"
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
