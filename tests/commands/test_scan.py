"""``envcheck scan`` as a user runs it: files, stdin, targets, formats, exit codes, hostile input."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

NEW = ("--target", "tensorflow==2.21.0,keras==3.15.1")
OLD = "import keras\nK = keras.backend\nK.dot(1, 2)\n"
FINE = "import keras\nkeras.ops.matmul(1, 2)\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    return tmp_path


def scan(folder: Path, *arguments: str, stdin: bytes = b"", **environ: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "envcheck", "scan", *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "ENVCHECK_CACHE_DIR": str(folder / "kept"), "PYTHONWARNINGS": "error", **environ},
    )
    out, error = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    assert "Traceback" not in error, error
    assert "a bug in envcheck" not in error, error
    return subprocess.CompletedProcess(done.args, done.returncode, out, error)


def report(folder: Path, *arguments: str, stdin: bytes = b"") -> dict[str, Any]:
    done = scan(folder, "-f", "json", *arguments, stdin=stdin)
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["exit_code"] == done.returncode
    return found


def findings(found: dict[str, Any], *codes: str) -> list[dict[str, Any]]:
    return [
        each
        for outcome in found["outcomes"]
        if outcome["code"].startswith(codes) or not codes
        for each in outcome["findings"]
    ]


def test_a_finding_names_place_symbol_and_evidence(project: Path) -> None:
    (project / "src" / "a.py").write_text(OLD)
    found = report(project, "src", *NEW)
    (finding,) = findings(found, "API1")
    assert finding["location"] == {"path": "src/a.py", "line": 3, "column": 1, "cell": None}
    assert finding["symbol"] == "keras.backend.dot"
    assert finding["evidence"]["kind"] == "absent-name"
    assert finding["evidence"]["target"] == "TensorFlow 2.21.0 with Keras 3.15.1"
    assert finding["evidence"]["source"] == "K.dot(1, 2)"
    assert found["exit_code"] == 1
    assert found["coverage"]["files"] == {"scanned": 1, "skipped": 0, "unparsed": 0}
    assert found["coverage"]["references"]["known"] == 3


def test_text_shows_the_line_and_what_to_write(project: Path) -> None:
    (project / "src" / "a.py").write_text("import keras\nx = 'ä'; keras.backend.dot(1, 2)\n", "utf-8")
    done = scan(project, "src", *NEW, PYTHONIOENCODING="utf-8")
    assert "src/a.py:2:10: error API102" in done.stdout
    assert "  2 │ x = 'ä'; keras.backend.dot(1, 2)\n    │          ^^^^^^^^^^^^^^^^^\n" in done.stdout
    assert "fix: write keras.ops.matmul" in done.stdout
    assert "NOT READY" in done.stdout
    assert done.returncode == 1


def test_fine_code_passes_and_says_what_was_seen(project: Path) -> None:
    (project / "src" / "a.py").write_text(FINE)
    done = scan(project, *NEW)
    assert done.returncode == 0
    assert "1 file scanned" in done.stdout
    assert "2 references to TensorFlow and Keras: 2 known, 0 unknown" in done.stdout
    assert "nothing was run" in done.stdout


def test_code_without_tensorflow_is_not_called_fine(project: Path) -> None:
    (project / "src" / "a.py").write_text("print('hello')\n")
    done = scan(project, *NEW)
    assert "NOTHING TO JUDGE" in done.stdout
    assert "NO ERROR" not in done.stdout


def test_stdin_has_a_name(project: Path) -> None:
    found = report(project, "-", "--stdin-name", "model.py", *NEW, stdin=OLD.encode())
    (finding,) = findings(found, "API1")
    assert finding["location"]["path"] == "model.py"
    assert finding["evidence"]["source"] == "K.dot(1, 2)"


def test_files_named_on_stdin(project: Path) -> None:
    (project / "src" / "a.py").write_text(OLD)
    (project / "src" / "b.py").write_text(OLD)
    found = report(project, "--files-from", "-", *NEW, stdin=b"src/b.py\n")
    assert [each["location"]["path"] for each in findings(found, "API1")] == ["src/b.py"]


def test_a_second_run_gives_the_same_report(project: Path) -> None:
    (project / "src" / "a.py").write_text(OLD)
    (project / "src" / "b.ipynb").write_text(
        json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": OLD}]})
    )
    first, second, third = (report(project, *NEW), report(project, *NEW), report(project, "--no-cache", *NEW))
    assert [findings(each) for each in (second, third)] == [findings(first)] * 2
    assert first["coverage"] == second["coverage"] == third["coverage"]
    assert any((project / "kept").rglob("*"))


def test_a_damaged_cache_is_passed_over(project: Path) -> None:
    (project / "src" / "a.py").write_text(OLD)
    first = report(project, *NEW)
    for entry in (project / "kept").rglob("*"):
        if entry.is_file():
            entry.write_bytes(entry.read_bytes()[:-1] + b"x")
    assert findings(report(project, *NEW)) == findings(first)


def test_parallel_runs_share_the_cache(project: Path) -> None:
    for number in range(60):
        (project / "src" / f"m{number}.py").write_text(f"{OLD}x = {number}\n")
    command = [sys.executable, "-m", "envcheck", "scan", "-f", "json", *NEW]
    environ = {**os.environ, "ENVCHECK_CACHE_DIR": str(project / "kept")}
    runs = [subprocess.Popen(command, cwd=project, env=environ, stdout=subprocess.PIPE) for _ in range(3)]
    found = [json.loads(run.communicate(timeout=60)[0]) for run in runs]
    assert [len(findings(each, "API1")) for each in found] == [60] * 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.py",), "nowhere.py"),
        (("--target", "tensorflow"), "--target"),
        (("--select", "GPU"), "no check of code"),
        (("--select", "API999"), "API999"),
        (("--statistics", "-f", "json"), "--statistics"),
        (("-", "src"), "alone"),
        (("-f", "nothing"), "nothing"),
        (("--baseline", "nowhere.json"), "nowhere.json"),
        (("--files-from", "nowhere.txt"), "nowhere.txt"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(project: Path, arguments: tuple[str, ...], message: str) -> None:
    done = scan(project, *arguments, *(() if "--target" in arguments else NEW))
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 4


def test_filters_and_severities_decide_the_exit_code(project: Path) -> None:
    (project / "src" / "a.py").write_text(OLD)
    assert scan(project, *NEW, "--ignore", "API1").returncode == 0
    assert scan(project, *NEW, "--select", "API2").returncode == 0
    assert scan(project, *NEW, "--fail-on", "never").returncode == 0


def test_comments_and_settings_leave_findings_out_and_that_is_said(project: Path) -> None:
    (project / "src" / "a.py").write_text("import keras\nkeras.backend.dot(1, 2)  # envcheck: ignore[API102] known\n")
    (project / "src" / "b.py").write_text(OLD)
    (project / "pyproject.toml").write_text('[tool.envcheck.scan]\nper-file-ignores = {"b.py" = ["API1"]}\n')
    done = scan(project, *NEW)
    assert done.returncode == 0
    assert "2 findings were left out" in done.stdout
    assert "NO ERROR FOUND" not in done.stdout


def test_a_baseline_hides_what_is_known_and_shows_what_is_new(project: Path) -> None:
    (project / "src" / "a.py").write_text(OLD)
    assert scan(project, *NEW, "--write-baseline", "known.json").returncode == 0
    assert scan(project, *NEW, "--baseline", "known.json").returncode == 0
    (project / "src" / "a.py").write_text(f"# moved\n{OLD}keras.backend.eval(1)\n")
    found = report(project, *NEW, "--baseline", "known.json")
    assert [each["symbol"] for each in findings(found, "API1")] == ["keras.backend.eval"]
    assert found["coverage"]["hidden"] == 1


def test_pins_that_disagree_are_told(project: Path) -> None:
    (project / "src" / "a.py").write_text("import tensorflow as tf\ntf.Session()\n")
    (project / "requirements.txt").write_text("# ours\ntensorflow==2.15.1\n")
    (finding,) = findings(report(project, *NEW), "API4")
    assert (finding["location"]["path"], finding["location"]["line"]) == ("requirements.txt", 2)
    assert "tensorflow.Session" in finding["message"]


def test_every_reference_can_be_written(project: Path) -> None:
    (project / "src" / "a.py").write_text("import keras\nif keras.__version__ < '3':\n keras.backend.dot(1, k=2)\n")
    scan(project, *NEW, "--references", "references.jsonl")
    lines = [json.loads(line) for line in (project / "references.jsonl").read_text().splitlines()]
    assert [(each["symbol"], each["status"]) for each in lines] == [
        ("keras", "known"),
        ("keras.__version__", "known"),
        ("keras.backend.dot", "guarded"),
    ]
    assert lines[2]["keywords"] == ["k"]


def test_doctor_scans_for_what_is_installed(project: Path) -> None:
    (project / "src" / "a.py").write_text(OLD)
    command = [sys.executable, "-m", "envcheck", "doctor", "src", "--no-smoke", "-f", "json", "--device", "cpu"]
    environ = {**os.environ, "ENVCHECK_CACHE_DIR": str(project / "kept")}
    done = subprocess.run(command, cwd=project, env=environ, capture_output=True, check=False, timeout=120)
    found = json.loads(done.stdout)
    assert found["coverage"]["files"]["scanned"] == 1
    assert {"API102", "ENV301"} <= {outcome["code"] for outcome in found["outcomes"]}


HOSTILE: dict[str, bytes] = {
    "deep": b"import keras\nkeras.backend.dot(1)\nx = " + b"[" * 5000 + b"]" * 5000,
    "unary": b"import keras\nkeras.backend.dot(1)\nx = " + b"-" * 20000 + b"1",
    "attributes": b"import keras\nx = keras" + b".a" * 20000,
    "calls": b"import keras\nx = keras.Model" + b"()" * 5000,
    "sum": b"import keras\nx = " + b" + ".join([b"keras.backend.dot"] * 3000),
    "long line": b"import keras\nx = '" + b"a" * 10_000_000 + b"'\nkeras.backend.dot(1)\n",
    "nul": b"import keras\n\0\nkeras.backend.dot(1)\n",
    "utf-16": "\ufeffimport keras\nkeras.backend.dot(1)\n".encode("utf-16-le"),
    "python 2": b"import keras\nprint keras.backend.dot(1)\n",
    "cookie": b"# coding: no-such-thing\nimport keras\nkeras.backend.dot(1)\n",
    "binary": bytes(range(256)) * 400 + b"import keras",
    "conflict": b"<<<<<<< a\nimport keras\n=======\n>>>>>>> b\nkeras.backend.dot(1)\n",
    "classes": b"import keras\n"
    + b"".join(b"class A%d(A%d): pass\n" % (n, n - 1) for n in range(1, 3000))
    + b"A2999().x\n",
    "itself": b"import keras\nclass A(A): pass\nA().x\ndef f(): return f()\nf().y\nK = K.K\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_cost_only_themselves(project: Path, name: str) -> None:
    (project / "src" / "hostile.py").write_bytes(HOSTILE[name])
    (project / "src" / "plain.py").write_text(OLD)
    begun = time.monotonic()
    found = report(project, *NEW)
    assert time.monotonic() - begun < 30
    assert "src/plain.py" in [each["location"]["path"] for each in findings(found, "API1")]
    assert found["exit_code"] == 1


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"cells": 3}', '{"nbformat": 4, "cells": [{"cell_type": "code", "source": 3}]}', "[" * 100000],
)
def test_a_notebook_that_is_none_is_said(project: Path, text: str) -> None:
    (project / "src" / "a.ipynb").write_text(text + " keras" * bool(text))
    found = report(project, *NEW)
    assert found["exit_code"] == 0
    assert findings(found, "API9") or not text


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX files")
def test_links_pipes_sockets_and_unreadable_files(project: Path) -> None:
    source = project / "src"
    (source / "loop").symlink_to(source)
    (source / "self.py").symlink_to(source / "self.py")
    os.mkfifo(source / "pipe.py")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(source / "s.py"))
    (source / "folder.py").mkdir()
    (source / "plain.py").write_text(OLD)
    (source / os.fsdecode(b"n\xff.py")).write_text(OLD)
    found = report(project, *NEW)
    assert len(findings(found, "API1")) == 2
    assert scan(project, *NEW).returncode == 1


LOADED = """
import sys
from envcheck.cli import main
sys.argv = ["envcheck", "scan", "--help"]
try:
    main()
except SystemExit:
    heavy = ("envcheck.source", "envcheck.knowledge", "envcheck.verdicts", "rich", "msgspec", "yaml")
    print(sorted(name for name in sys.modules if name.startswith(heavy)), file=sys.stderr)
"""


def test_help_loads_click_and_nothing_more() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.strip().splitlines()[-1] == "[]"
