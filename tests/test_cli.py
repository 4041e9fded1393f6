"""The command line as a user meets it: good runs, bad input, pipes and signals."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from site_packages import install

SCHEMAS = Path(__file__).parent.parent / "envcheck" / "schemas"
HEAVY = (
    "importlib_metadata",
    "msgspec",
    "packaging",
    "pynvml",
    "rich",
    "yaml",
    "json",
    "envcheck.commands.doctor",
)


def envcheck(*arguments: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "KERAS_HOME": "/nowhere", **variables}
    return subprocess.run(
        [sys.executable, "-m", "envcheck", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environ,
        cwd=cwd,
    )


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing in it."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder


def site(environment: Path) -> Path:
    """Its site-packages."""
    return next(environment.glob("lib/python*/site-packages"))


@pytest.fixture
def with_tensorflow(empty: Path, tmp_path: Path) -> Path:
    """A virtual environment that pretends to hold TensorFlow 2.15 with numpy 2; nothing of it can be imported."""
    folder = tmp_path / "venv"
    shutil.copytree(empty, folder, symlinks=True)
    tag = f"cp{sys.version_info[0]}{sys.version_info[1]}-manylinux_2_17_x86_64"
    refuse = {
        "tensorflow/__init__.py": "raise SystemExit('imported!')\n",
        "tensorflow/python/platform/build_info.py": "",
    }
    install(
        site(folder),
        "tensorflow",
        "2.15.1",
        files=refuse,
        tags=(f"cp{sys.version_info[0]}{sys.version_info[1]}-{tag}",),
        requires=("numpy<2", "keras<2.16,>=2.15"),
    )
    install(site(folder), "keras", "2.15.0")
    install(site(folder), "numpy", "2.2.6")
    return folder


def test_help_loads_click_and_nothing_more() -> None:
    code = (
        "import sys\nfrom envcheck import cli\nimport click\n"
        "try:\n    cli.group.main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"found = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "ours = {name for name in sys.modules if name.startswith('envcheck.')}\n"
        "found += sorted(ours - {'envcheck.cli', 'envcheck.errors', 'envcheck.printable', 'envcheck.stopping'})\n"
        "sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in ("doctor", "inventory", "smoke", "explain"):
        assert f"  {command}" in done.stdout


def test_doctor_never_imports_what_it_inspects(with_tensorflow: Path) -> None:
    code = (
        "import sys\nfrom envcheck.cli import group\n"
        f"code = group.main(['doctor', '--no-smoke', '-q', '--python', {str(with_tensorflow)!r}], standalone_mode=False)\n"
        "bad = [name for name in ('tensorflow', 'keras', 'numpy', 'jax', 'torch') if name in sys.modules]\n"
        "sys.exit(str(bad) if bad else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "imported!" not in done.stdout + done.stderr


def test_text_and_json_agree(with_tensorflow: Path) -> None:
    arguments = ("doctor", "--no-smoke", "--python", str(with_tensorflow))
    plain, machine = envcheck(*arguments), envcheck(*arguments, "--format", "json")
    assert plain.returncode == machine.returncode == 1
    report = json.loads(machine.stdout)
    jsonschema.Draft202012Validator(json.loads((SCHEMAS / "report.schema.json").read_text())).validate(report)
    failed = [outcome["code"] for outcome in report["outcomes"] if outcome["status"] == "failed"]
    assert failed == ["ENV320"]
    assert report["exit_code"] == 1
    assert "error ENV320: numpy 2.2.6 with TensorFlow 2.15.1" in " ".join(plain.stdout.split())
    assert "import of TensorFlow and smoke run (--no-smoke: nothing was imported or run)" in " ".join(
        plain.stdout.split()
    )
    assert plain.stderr == machine.stderr == ""


def test_a_saved_inventory_is_judged_like_the_machine(with_tensorflow: Path, tmp_path: Path) -> None:
    saved = tmp_path / "inventory.json"
    done = envcheck("inventory", "--python", str(with_tensorflow), "-o", str(saved))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    inventory = json.loads(saved.read_text())
    jsonschema.Draft202012Validator(json.loads((SCHEMAS / "inventory.schema.json").read_text())).validate(inventory)
    here = json.loads(envcheck("doctor", "--no-smoke", "--python", str(with_tensorflow), "-f", "json").stdout)
    there = json.loads(envcheck("doctor", "--from", str(saved), "-f", "json").stdout)

    def verdicts(report: dict[str, list[dict[str, object]]]) -> list[tuple[object, ...]]:
        return [(o["code"], o["status"], o["findings"]) for o in report["outcomes"]]

    assert verdicts(here) == verdicts(there)
    # A report holds its inventory, so it can be judged again too.
    report = tmp_path / "report.json"
    envcheck("doctor", "--no-smoke", "--python", str(with_tensorflow), "-f", "json", "-o", str(report))
    assert verdicts(json.loads(envcheck("doctor", "--from", str(report), "-f", "json").stdout)) == verdicts(here)


def test_no_tensorflow(empty: Path) -> None:
    done = envcheck("doctor", "--python", str(empty), "--quiet")
    assert done.returncode == 1
    assert "TensorFlow is not installed" in done.stdout
    assert "NOT READY" in done.stdout


def complaint(done: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """The one line on stderr; nothing on stdout, no traceback."""
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_what_is_no_python(empty: Path, tmp_path: Path) -> None:
    assert "there is no such file, folder or command" in complaint(envcheck("doctor", "--python", "/no/such/python"))
    assert "a folder without a Python in it" in complaint(envcheck("doctor", "--python", str(tmp_path)))
    assert "is not a Python that works: it ended with exit code" in complaint(envcheck("doctor", "--python", "/bin/ls"))
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    assert "could not be started: Permission denied" in complaint(envcheck("doctor", "--python", str(text)))
    text.chmod(0o755)
    assert "could not be started: Exec format error" in complaint(envcheck("doctor", "--python", str(text)))
    liar = tmp_path / "liar"
    liar.write_text('#!/bin/sh\necho \'{"version": 3}\' > "$3"\n')
    liar.chmod(0o755)
    assert "is not a Python that works" in complaint(envcheck("doctor", "--python", str(liar)))


def test_a_broken_environment(empty: Path, tmp_path: Path) -> None:
    folder = tmp_path / "venv"
    shutil.copytree(empty, folder, symlinks=True)
    for name in ("python", "python3"):
        (folder / "bin" / name).unlink()
        (folder / "bin" / name).symlink_to("/gone/bin/python3")
    assert "is a broken link to /gone/bin/python3" in complaint(envcheck("doctor", "--python", str(folder)))
    assert "is a broken link" in complaint(envcheck("doctor", "--python", str(folder / "bin/python")))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--format", "yaml"), "there is no format 'yaml'; there are github, json, junit, sarif, text"),
        (("--select", "XYZ"), "no check has a code that starts with 'XYZ'"),
        (("--select", "ENV1", "--ignore", "ENV"), "the filters leave no check to run"),
        (("--select", ""), "--select is given and names no code"),
        (("--ignore", ","), "--ignore is given and names no code"),
        (("--from", "/no/such/file"), "cannot read /no/such/file: No such file or directory"),
        (("--from", "/"), "cannot read /: Is a directory"),
        (("--from", "x", "--python", "y"), "give one of them"),
        (("--device", "cpu", "--require-gpu"), "contradicts"),
        (("-o", "/no/such/folder/report.txt"), "cannot write /no/such/folder/report.txt"),
        (("--python", "~nobody-of-that-name/x"), "--python ~nobody-of-that-name/x: "),
        (("--python", "x" * 5000), "File name too long"),
    ],
)
def test_bad_options(arguments: tuple[str, ...], words: str) -> None:
    assert words in complaint(envcheck("doctor", *arguments))


def test_usage_errors_of_click_exit_with_2() -> None:
    for arguments in (
        ("doctor", "--nonsense"),
        ("nonsense",),
        ("doctor", "--min-gpu-memory", "much"),
        ("doctor", "--timeout", "nan"),
        ("doctor", "--timeout", "inf"),
        ("doctor", "--timeout", "0"),
    ):
        done = envcheck(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON, or is cut short"),
        ('{"schema_version": 1, "inventory": {"python"', "is not JSON, or is cut short"),
        ("[]", "is no envcheck inventory"),
        ("{}", "is no envcheck inventory"),
        ('{"inventory": {}}', "has no valid schema_version"),
        ('{"schema_version": 99, "inventory": {}}', "has schema version 99; this envcheck reads up to 1"),
        ('{"schema_version": 1, "inventory": {"python": 3}}', "the python facts say neither 'ok' nor 'unavailable'"),
        ('{"schema_version": 1, "inventory": {"python": {"status": "ok"}}}', "the python facts do not fit"),
        (
            '{"schema_version": 1, "inventory": {"packages": {"status": "ok", "distributions": '
            '[{"name": "x", "version": "zz", "location": "/", "metadata": "m"}]}}}',
            "it has no valid version: 'zz'",
        ),
        ("\x80\x81", "is not JSON"),
    ],
)
def test_inventories_that_are_none(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "inventory.json"
    path.write_text(text, "latin-1")
    assert words in complaint(envcheck("doctor", "--from", str(path)))


def test_facts_of_a_newer_envcheck_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "inventory.json"
    path.write_text(
        '{"schema_version": 1, "inventory": {"quantum": {"status": "ok"}, "gpu": {"status": "unavailable", "reason": "r"}}}'
    )
    done = envcheck("doctor", "--from", str(path), "-f", "json")
    report = json.loads(done.stdout)
    assert {outcome["status"] for outcome in report["outcomes"]} == {"skipped"}
    assert done.returncode == 0
    assert envcheck("doctor", "--from", str(path), "--strict").returncode == 1


def test_a_reader_that_goes_away_changes_nothing(with_tensorflow: Path) -> None:
    command = f"{sys.executable} -m envcheck doctor --no-smoke -v --python {with_tensorflow}; echo $? >&2"
    done = subprocess.run(["sh", "-c", f"({command}) | true"], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr.strip() == "1"


def shell(line: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A line of shell in which ``$envcheck`` starts the program."""
    environ = {**os.environ, "envcheck": f"{sys.executable} -m envcheck"}
    return subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, check=False, timeout=60, env=environ, cwd=cwd
    )


def test_help_whose_reader_goes_away_is_no_finding() -> None:
    assert shell("($envcheck --help; echo $? >&2) | true").stderr.strip() == "0"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_nowhere_to_write_to() -> None:
    full = shell("$envcheck explain > /dev/full")
    assert (full.returncode, full.stderr) == (
        2,
        "envcheck: cannot write the report to stdout: No space left on device\n",
    )
    closed = shell("$envcheck explain >&-")
    assert closed.returncode == 2
    assert closed.stderr.startswith("envcheck: stdout is closed")
    assert shell("$envcheck doctor --python /no/such/python 2>&-").returncode == 2
    assert "stdin is closed" in complaint(shell("$envcheck doctor --from - <&-"))


def test_a_deleted_current_folder(tmp_path: Path) -> None:
    done = shell(f"mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir {tmp_path}/gone && $envcheck doctor --no-smoke")
    assert "the current folder cannot be used" in complaint(done)


def test_a_file_that_python_runs_whenever_it_starts(empty: Path, tmp_path: Path) -> None:
    folder = tmp_path / "venv"
    shutil.copytree(empty, folder, symlinks=True)
    (site(folder) / "sitecustomize.py").write_text("import os\nos._exit(5)\n")
    words = complaint(envcheck("doctor", "--python", str(folder)))
    assert "it ended with exit code 5; it works with `-S`" in words


@pytest.mark.parametrize("name", ["typing", "random", "json", "yaml", "click", "rich", "enum", "platform"])
def test_what_lies_on_pythonpath_is_judged_and_not_imported(tmp_path: Path, empty: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("raise SystemExit('the local file was imported')\n")
    done = envcheck("doctor", "--no-smoke", "-f", "json", "--python", str(empty), PYTHONPATH=str(tmp_path))
    assert done.returncode == 1, done.stderr  # TensorFlow is not installed
    shadows = {shadow["module"] for shadow in json.loads(done.stdout)["inventory"]["shadowing"]["shadows"]}
    assert shadows == (set() if name in ("yaml", "click", "rich") else {name})


def test_an_inventory_from_stdin(empty: Path) -> None:
    done = shell(f"$envcheck inventory --python {empty} | $envcheck doctor --from - -q")
    assert (done.returncode, done.stderr) == (1, "")
    assert "TensorFlow is not installed" in done.stdout


def test_what_a_bad_python_prints_cannot_reach_the_terminal_raw(tmp_path: Path) -> None:
    liar = tmp_path / "python"
    liar.write_text("#!/bin/sh\nprintf '\\033[2J\\033]0;title\\007'\nexit 3\n")
    liar.chmod(0o755)
    assert "\x1b" not in complaint(envcheck("doctor", "--python", str(liar)))


def test_a_smoke_run_that_was_not_made_is_no_success(empty: Path) -> None:
    assert envcheck("smoke", "--python", str(empty)).returncode == 1


def test_a_terminal_that_knows_ascii_only(with_tensorflow: Path) -> None:
    done = envcheck("doctor", "--no-smoke", "--python", str(with_tensorflow), PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert done.stdout.isascii()


def test_colour_only_where_it_is_wanted(with_tensorflow: Path) -> None:
    arguments = ("doctor", "--no-smoke", "--python", str(with_tensorflow))
    assert "\x1b" not in envcheck(*arguments).stdout
    assert "\x1b" in envcheck(*arguments, FORCE_COLOR="1").stdout
    assert "\x1b" not in envcheck(*arguments, FORCE_COLOR="1", NO_COLOR="1").stdout


UNIGNORED = [
    sys.executable,
    "-c",
    "import os, signal, sys; [signal.signal(each, signal.SIG_DFL) for each in (signal.SIGINT, signal.SIGHUP)]; "
    "os.execv(sys.argv[1], sys.argv[1:])",
]
"""Starts what follows with signals as a terminal does: a shell in the background ignores SIGINT, nohup SIGHUP."""


def processes(word: str) -> list[str]:
    """The running processes whose command line holds ``word``."""
    done = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if word in line and "ps -eo" not in line]


@pytest.mark.parametrize(
    ("sent", "code", "words"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGHUP, 129, "the terminal was closed"),
    ],
)
def test_signals_end_the_children_too(tmp_path: Path, sent: signal.Signals, code: int, words: str) -> None:
    mark = f"7{os.getpid()}{int(sent)}"
    sleeper = tmp_path / "python"
    sleeper.write_text(f"#!/bin/sh\nsleep {mark} &\nsleep {mark}\n")
    sleeper.chmod(0o755)
    running = subprocess.Popen(
        [*UNIGNORED, sys.executable, "-m", "envcheck", "doctor", "--python", str(sleeper)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    deadline = time.monotonic() + 20
    while len(processes(f"sleep {mark}")) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(sent)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out, err) == (code, "", f"envcheck: {words}\n")
    assert processes(f"sleep {mark}") == []
    assert [path.name for path in tmp_path.iterdir()] == ["python"]


@pytest.mark.parametrize(
    ("steer", "words"),
    [
        ("nvmlInitWithFlags=18", "LIB_RM_VERSION_MISMATCH (18)"),
        ("nvmlInitWithFlags=999", "UNKNOWN (999)"),
        ("hang=nvmlInitWithFlags", "did not answer"),
        ("hang=nvmlDeviceGetMemoryInfo_v2 count=1", "did not answer"),
        ("crash=nvmlDeviceGetCount_v2", "SIGSEGV"),
    ],
)
def test_a_driver_that_fails_is_named_within_the_deadline(
    nvml_folder: Path, empty: Path, steer: str, words: str
) -> None:
    start = time.monotonic()
    done = envcheck(
        "doctor",
        *("--no-smoke", "--require-gpu", "--select", "GPU", "--timeout", "2", "--python", str(empty), "-f", "json"),
        LD_LIBRARY_PATH=str(nvml_folder),
        FAKE_NVML=steer,
    )
    assert time.monotonic() - start < 12
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    messages = [f["message"] for o in report["outcomes"] if o["status"] == "failed" for f in o["findings"]]
    assert any(words in message for message in messages), messages


def test_eight_gpus(nvml_folder: Path, empty: Path) -> None:
    arguments = ("doctor", "--no-smoke", "--select", "GPU", "--python", str(empty))
    done = envcheck(*arguments, LD_LIBRARY_PATH=str(nvml_folder), FAKE_NVML="count=8", CUDA_VISIBLE_DEVICES="0")
    assert "GPU 0–7 (Fake H100): compute capability 9.0" in done.stdout
    done = envcheck(*arguments, "--device", "cpu", LD_LIBRARY_PATH=str(nvml_folder), FAKE_NVML="hang=nvmlInitWithFlags")
    assert done.returncode == 0
    assert "GPU (not wanted: --device cpu)" in " ".join(done.stdout.split())


def test_explain() -> None:
    done = envcheck("explain")
    assert done.returncode == 0
    assert "ENV320  error" in done.stdout
    done = envcheck("explain", "env320")
    assert done.stdout.startswith("ENV320: No versions meet that are known to break each other (error)\n\n")
    done = envcheck("explain", "numpy2-abi")
    assert "When tensorflow <2.18 and numpy >=2:" in done.stdout
    assert "there is no code 'ENV999'; there are ENV102," in complaint(envcheck("explain", "ENV999"))


def test_a_local_file_named_like_a_module_does_not_break_envcheck(with_tensorflow: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("keras", "random", "json", "click"):
        (folder / f"{name}.py").write_text("raise SystemExit('the local file was imported')\n")
    script = Path(sys.executable).with_name(
        "envcheck"
    )  # the console script: `python -m` would search the folder itself
    done = subprocess.run(
        [str(script), "doctor", "--no-smoke", "-f", "json", "--python", str(with_tensorflow)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    report = json.loads(done.stdout)
    (found,) = (outcome for outcome in report["outcomes"] if outcome["code"] == "ENV108")
    assert {finding["symbol"] for finding in found["findings"]} == {"keras", "random", "json"}


def test_the_shipped_schemas_are_up_to_date() -> None:
    tool = runpy.run_path(str(SCHEMAS.parent.parent / "tools" / "write_schemas.py"))
    for name, text in tool["schemas"]().items():
        assert (SCHEMAS / name).read_text() == text, f"run python tools/write_schemas.py: {name} is old"
