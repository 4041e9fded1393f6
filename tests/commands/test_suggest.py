"""``envcheck suggest`` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import gpu_literals
import literals
import pytest
from click.testing import CliRunner, Result
from packaging.version import Version

from envcheck.cli import group
from envcheck.codec import encode_inventory
from envcheck.commands.suggest import PLATFORM_NAMES
from envcheck.errors import UsageError
from envcheck.inventory import Inventory, Unavailable
from envcheck.knowledge.choice import PLATFORMS

THERE = ("--platform", "linux-x86_64", "--target-python", "3.12")


def suggest(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(group, ["suggest", *arguments], input=text, standalone_mode=False)


def page(*arguments: str, code: int = 0) -> dict[str, Any]:
    done = suggest(*arguments, "--format", "json")
    assert (done.exception, done.return_value) == (None, code), done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def refusal(*arguments: str) -> str:
    done = suggest(*arguments)
    assert isinstance(done.exception, UsageError), done.exception or done.output
    assert done.exception.exit_code == 2
    assert done.stdout == ""
    assert "\n" not in str(done.exception)
    return str(done.exception)


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "envcheck", "suggest", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def saved(folder: Path, **facts: object) -> str:
    """A saved inventory of the literal machine: Python 3.12, Debian 12, TensorFlow 2.20 with numpy 1.25, no GPU."""
    given: dict[str, object] = {
        "python": literals.python(),
        "host": literals.host(),
        "packages": literals.packages(
            literals.distribution("tensorflow-cpu", "2.15.1"), literals.distribution("numpy", "2.2.6")
        ),
        "driver": gpu_literals.nothing(),
        "gpu": Unavailable("no NVIDIA GPU", absent=True),
        **facts,
    }
    path = folder / "inventory.json"
    inventory = Inventory({name: fact for name, fact in given.items() if fact is not None}, "2026-11-21T00:00:00Z", "1")
    path.write_text(json.dumps(encode_inventory(inventory)), "utf-8")
    return str(path)


def test_help_loads_nothing_heavy() -> None:
    heavy = ("importlib_metadata", "json", "msgspec", "packaging", "pynvml", "rich", "yaml", "envcheck.suggestion")
    code = (
        "import sys\nfrom envcheck import cli\n"
        "try:\n    cli.group.main(['suggest', '--help'])\nexcept SystemExit:\n    pass\n"
        f"found = [name for name in {heavy!r} if name in sys.modules]\n"
        "found += [name for name in sys.modules if name.startswith(('envcheck.knowledge', 'envcheck.probes'))]\n"
        "sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--target-python" in done.stdout


def test_the_named_platforms_are_those_of_the_matrix() -> None:
    assert tuple(PLATFORMS) == PLATFORM_NAMES


def test_text() -> None:
    done = suggest(*THERE, "--tensorflow", "==2.20.*")
    assert (done.exception, done.return_value, done.stderr) == (None, 0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "For Python 3.12 on Linux x86_64, CPU."
    assert lines[1].startswith("Releases known up to 20")
    pinned = lines[lines.index("  requirements.txt:") + 1 :]
    assert pinned[0] == "    tensorflow-cpu==2.20.0"
    requirements = [line.strip() for line in pinned]
    assert {line.partition("==")[0] for line in requirements} >= {"tensorflow-cpu", "keras", "numpy", "protobuf"}
    for tool in ("pip", "uv", "conda"):
        (line,) = [line for line in lines if line.startswith(f"  {tool}:")]
        assert line.endswith(" ".join(requirements))
    assert "What is installed" not in done.stdout  # another machine was asked for


def test_json_keys() -> None:
    found = page(*THERE)
    assert list(found) == ["schema_version", "machine", "matrix", "fresh", "repair", "unread"]
    assert found["schema_version"] == 1
    assert found["machine"]["python"] == "3.12"
    assert list(found["matrix"]) == ["as_of", "overrides"]
    assert list(found["fresh"]) == ["found", "pins", "requirements", "commands", "notes"]
    assert set(found["fresh"]["pins"][0]) == {"name", "version", "reason", "extra"}
    assert list(found["fresh"]["commands"]) == ["pip", "uv", "conda"]
    assert (found["repair"], found["unread"]) == (None, [])


def test_nothing_can_work() -> None:
    found = page("--platform", "linux-x86_64", "--target-python", "3.14", code=1)
    assert list(found["fresh"]) == ["found", "reason", "instead"]
    assert found["fresh"]["found"] is False
    done = suggest("--platform", "linux-x86_64", "--target-python", "3.14")
    assert done.return_value == 1
    assert "Nothing can work: no TensorFlow up to 2.21 has a wheel for Python 3.14" in done.stdout
    assert "  - make an environment with Python 3.13: TensorFlow 2.21.0\n" in done.stdout


def test_exit_codes_and_stderr_of_the_program() -> None:
    done = program(*THERE)
    assert (done.returncode, done.stderr) == (0, "")
    assert program("--platform", "linux-x86_64", "--target-python", "3.14").returncode == 1
    done = program(*THERE, "--tensorflow", "=>2")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    done = program("--platform", "solaris")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("asked", "requirement"),
    [
        ("2.15.1", "2.15.1"),
        ("2.15.*", "2.15.1"),
        ("==2.15.*", "2.15.1"),
        (">=2.12,<2.15", "2.14.1"),
        ("~=2.18.0", "2.18.1"),
        (" <2.17 ", "2.16.2"),
    ],
)
def test_a_range_of_tensorflow(asked: str, requirement: str) -> None:
    found = page("--platform", "linux-x86_64", "--target-python", "3.11", "--tensorflow", asked)
    assert found["fresh"]["requirements"][0] == f"tensorflow-cpu=={requirement}"


@pytest.mark.parametrize("bad", ["", "=>2", "latest", "2.15.x", "2.15 2.16", "==2.*.1", "é", "==" + "9" * 5000])
def test_a_range_that_is_none(bad: str) -> None:
    if bad:
        assert f"--tensorflow {bad[:80]}" in refusal(*THERE, "--tensorflow", bad)
    else:
        assert page(*THERE, "--tensorflow", bad)["fresh"]["found"]  # no bound, as in a requirement


@pytest.mark.parametrize("bad", ["3", "2.7", "3.x", "python3.11", "3.123", "3.11rc1", "", "³.11", "3.1١", "3.11.x"])
def test_a_target_python_that_is_none(bad: str) -> None:
    words = refusal("--platform", "linux-x86_64", "--target-python", bad)
    assert f"--target-python {bad}: a series such as 3.11 is expected" in words


def test_a_target_python_with_its_patch() -> None:
    assert page("--platform", "linux-x86_64", "--target-python", "3.11.7")["machine"]["python"] == "3.11"


@pytest.mark.parametrize("bad", ["new", "", "v535", "535.104-open", "9" * 5000])
def test_a_driver_that_is_none(bad: str) -> None:
    words = refusal(*THERE, "--gpu", "8.6", "--driver", bad)
    assert f"--driver {bad}: a version such as 535.104 is expected" in words


@pytest.mark.parametrize(
    ("gpu", "capability"),
    [("RTX 3090", "8.6"), ("NVIDIA GeForce RTX 3090", "8.6"), ("rtx 3090 ti", "8.6"), ("H100", "9.0"), ("8.6", "8.6")],
)
def test_a_gpu_that_is_asked_for(gpu: str, capability: str) -> None:
    found = page(*THERE, "--gpu", gpu, "--driver", "550.54.14")
    machine = found["machine"]
    assert (machine["device"], machine["capability"], machine["driver"]) == ("gpu", capability, "550.54.14")
    assert machine["gpu"] == (None if gpu == capability else gpu)
    assert found["fresh"]["requirements"][0] == "tensorflow[and-cuda]==2.20.0"
    assert "'tensorflow[and-cuda]==2.20.0'" in found["fresh"]["commands"]["pip"]


@pytest.mark.parametrize("gpu", ["Voodoo 2", "RTX", "", "8", "8.6.1", "8.٦"])
def test_a_gpu_that_is_not_known(gpu: str) -> None:
    assert f"--gpu {gpu}: this GPU is not in the matrix" in refusal(*THERE, "--gpu", gpu)


def test_a_driver_alone_asks_for_a_gpu() -> None:
    found = page(*THERE, "--driver", "470.57.02", code=1)
    assert "needs the NVIDIA driver 525.60.13 or newer" in found["fresh"]["reason"]
    assert page(*THERE, "--device", "gpu")["machine"]["device"] == "gpu"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "x", "--python", "y"), "give one of them"),
        (("--device", "cpu", "--gpu", "8.6"), "--device cpu contradicts"),
        (("--device", "cpu", "--driver", "550"), "--device cpu contradicts"),
        (("--from", "/no/such/file"), "cannot read /no/such/file"),
        (("--python", "/no/such/python"), "/no/such/python"),
        ((*THERE, "-o", "/no/such/folder/x"), "cannot write /no/such/folder/x"),
        ((*THERE, "-o", "/"), "cannot write /: Is a directory"),
        ((*THERE, "-r", "/no/such/file"), "cannot read /no/such/file"),
        ((*THERE, "--matrix", "/no/such/file"), "/no/such/file"),
    ],
)
def test_contradictions_and_what_cannot_be_read(arguments: tuple[str, ...], words: str) -> None:
    assert words in refusal(*arguments)


def test_output_goes_to_a_file(tmp_path: Path) -> None:
    done = suggest(*THERE, "-o", str(tmp_path / "page.txt"))
    assert (done.return_value, done.stdout) == (0, "")
    assert "tensorflow-cpu==2.21.0" in (tmp_path / "page.txt").read_text("utf-8")


def test_a_saved_inventory(tmp_path: Path) -> None:
    """tensorflow-cpu 2.15.1 has no cp312: a newer one is the repair."""
    found = page("--from", saved(tmp_path))
    machine = found["machine"]
    assert (machine["python"], machine["device"]) == ("3.12", "cpu")
    assert machine["platform"]["libc_version"] == "2.36"
    changes = {change["name"]: change for change in found["repair"]["changes"]}
    assert changes["tensorflow-cpu"]["have"] == "2.15.1"
    assert set(changes["tensorflow-cpu"]) == {"name", "have", "want", "reason"}
    assert list(found["repair"]) == ["found", "tensorflow", "changes", "commands"]
    (line,) = found["repair"]["commands"]
    assert line.startswith("/srv/venv/bin/python -m pip install ")
    assert changes["tensorflow-cpu"]["want"] in line
    text = suggest("--from", saved(tmp_path)).stdout
    assert "The smallest change to what is installed (" in text
    assert line in text


def test_an_inventory_from_stdin(tmp_path: Path) -> None:
    done = suggest("--from", "-", text=Path(saved(tmp_path)).read_text("utf-8"))
    assert done.return_value == 0, done.exception
    assert "The smallest change" in done.stdout


def test_the_gpu_of_a_saved_inventory(tmp_path: Path) -> None:
    """The oldest GPU decides: 2.20 has no machine code for 5.2, 2.16 has."""
    old = gpu_literals.device(1, name="GTX 980", compute_capability="5.2")
    source = saved(tmp_path, gpu=gpu_literals.gpu(gpu_literals.device(), old), driver=gpu_literals.driver())
    found = page("--from", source)
    machine = found["machine"]
    assert (machine["device"], machine["gpu"], machine["capability"]) == ("gpu", "GTX 980", "5.2")
    assert machine["driver"] == gpu_literals.driver().version
    assert found["fresh"]["requirements"][0] == "tensorflow[and-cuda]==2.16.2"
    assert page("--from", source, "--device", "cpu")["fresh"]["requirements"][0] == "tensorflow-cpu==2.21.0"
    # Another GPU, driver, Python or platform is another machine: what is installed here is no matter there.
    other = page("--from", source, "--gpu", "H100")
    assert (other["machine"]["capability"], other["repair"]) == ("9.0", None)
    mac = page("--from", source, "--platform", "macos-arm64")
    assert (mac["machine"]["device"], mac["machine"]["gpu"], mac["repair"]) == ("cpu", None, None)
    assert page("--from", source, "--target-python", "3.9", code=0)["machine"]["python"] == "3.9"


def test_an_inventory_that_lacks_something(tmp_path: Path) -> None:
    gone = saved(tmp_path, packages=Unavailable("a broken disk"))
    assert page("--from", gone)["repair"]["reason"] == "what is installed could not be seen: a broken disk"
    for lacking in ("python", "host"):
        words = refusal("--from", saved(tmp_path, **{lacking: None}))
        assert "cannot be looked at" in words
        assert "ask with" in words
        assert "--platform" in words
    assert page("--from", saved(tmp_path, gpu=None, driver=None))["machine"]["device"] == "cpu"


def test_nothing_installed(tmp_path: Path) -> None:
    found = page("--from", saved(tmp_path, packages=literals.packages()))
    assert found["repair"] == {"found": False, "reason": "TensorFlow is not installed"}


def test_requirements_of_a_project(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("tensorflow<2.19\nnumpy<2\n-e .\nPandas<3\n")
    for asked in (file, tmp_path):
        found = page(*THERE, "-r", str(asked))
        pins = {pin["name"]: pin["version"] for pin in found["fresh"]["pins"]}
        assert Version("2.16") <= Version(pins["tensorflow-cpu"]) < Version("2.19")
        assert Version(pins["numpy"]) < Version("2")
        assert found["unread"] == [f"{file}:3: -e .", "pandas<3: no releases of it are recorded"]
    assert f"Not looked at:\n  {file}:3: -e ." in suggest(*THERE, "-r", str(file)).stdout
    # With --tensorflow both ranges hold.
    found = page(*THERE, "-r", str(file), "--tensorflow", "<2.18")
    assert found["fresh"]["requirements"][0] == "tensorflow-cpu==2.17.1"
    assert page(*THERE, "-r", str(file), "--tensorflow", ">=2.20", code=1)["fresh"]["found"] is False


def test_a_pyproject_and_a_bad_line(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text('[project]\ndependencies = [\n "tensorflow==2.17.*",\n]\n')
    assert page(*THERE, "-r", str(tmp_path))["fresh"]["requirements"][0] == "tensorflow-cpu==2.17.1"
    bad = tmp_path / "requirements.txt"
    bad.write_text("numpy\nkeras=>3\n")
    assert refusal(*THERE, "-r", str(bad)).startswith(f"{bad}:2: this is no requirement: keras=>3")


def test_legacy_keras() -> None:
    found = page(*THERE, "--legacy-keras", "--tensorflow", "==2.18.*")
    pins = {pin["name"]: pin["version"] for pin in found["fresh"]["pins"]}
    assert Version(pins["tf-keras"]).release[:2] == (2, 18)
