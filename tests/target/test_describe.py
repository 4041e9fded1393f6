"""The describing script under every Python that this machine has, and with traps laid on its path."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from envcheck.target.runner import Ending, Record, run_script

HERE = f"3.{sys.version_info[1]}"
SERIES = tuple(f"3.{minor}" for minor in range(6, 15))


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """An empty virtual environment of each Python: what is installed elsewhere here may itself load modules early."""

    @functools.cache
    def make(series: str) -> str:
        if series not in pythons():
            pytest.skip(f"no Python {series} here")
        folder = tmp_path_factory.mktemp(f"python{series}")
        subprocess.run([pythons()[series], "-m", "venv", "--without-pip", str(folder)], check=True)
        return str(folder / "bin" / "python")

    return make


@functools.cache
def pythons() -> dict[str, str]:
    """Every Python on PATH and of pyenv by its series; a stub that only says which versions there are is left out."""
    found: dict[str, str] = {}
    for series in ("2.7", *SERIES):
        places = sorted(Path.home().glob(f".pyenv/versions/{series}.*/bin/python{series}"))
        for candidate in [*map(str, places), shutil.which(f"python{series}")]:
            if candidate and series not in found and says(candidate) == series:
                found[series] = candidate
    return found


def says(python: str) -> str:
    script = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", script], capture_output=True, text=True, check=False).stdout.strip()


def describe(python: str, cwd: Path, **environ: str) -> Record:
    ending: Ending = run_script(python, "describe", {}, deadline=60, environ={**os.environ, **environ}, cwd=str(cwd))
    assert ending.answered, f"it {ending.words()}: {ending.output}"
    (record,) = ending.records
    return record


@pytest.mark.parametrize("series", SERIES)
def test_every_python_can_say_what_it_is(tmp_path: Path, bare: Callable[[str], str], series: str) -> None:
    record = describe(bare(series), tmp_path)
    assert ".".join(map(str, record["version_info"][:2])) == series
    assert record["marker_environment"]["python_version"] == series
    assert record["implementation"] == "CPython"
    assert record["bits"] == 64
    assert Path(record["stdlib"], "json").is_dir()
    assert {"json", "random", "os", "sys"} <= set(record["standard_modules"])
    assert {"os", "site", "sys"} <= set(record["loaded_at_start"])
    assert not {"json", "platform", "struct"} & set(record["loaded_at_start"])
    assert record["stdlib"] in record["sys_path"]
    if sys.platform == "linux":
        assert record["libc"] in ("glibc", "musl")


def test_an_interpreter_that_is_too_old_says_so_itself(tmp_path: Path) -> None:
    if "2.7" not in pythons():
        pytest.skip("no Python 2.7 here")
    record = describe(pythons()["2.7"], tmp_path)
    assert record["version_info"][:2] == [2, 7]


@pytest.mark.parametrize("series", SERIES)
def test_local_modules_do_not_break_it(tmp_path: Path, bare: Callable[[str], str], series: str) -> None:
    for name in ("json", "random", "platform", "struct", "subprocess"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a trap')\n")
    record = describe(bare(series), tmp_path, PYTHONPATH=str(tmp_path))
    assert str(tmp_path) in record["sys_path"]


def test_its_own_folder_is_not_on_the_path_that_it_reports(tmp_path: Path, bare: Callable[[str], str]) -> None:
    record = describe(bare(HERE), tmp_path)
    assert not [folder for folder in record["sys_path"] if Path(folder, "describe.py").exists()]


def test_it_tells_loaded_modules_from_those_a_script_can_shadow(tmp_path: Path, bare: Callable[[str], str]) -> None:
    record = describe(bare(HERE), tmp_path)
    shadowable = sorted({"os", "sys", "json", "random", "site"} - set(record["loaded_at_start"]))
    script = tmp_path / "which.py"
    script.write_text("import sys\nprint(sorted({'os', 'sys', 'json', 'random', 'site'} - set(sys.modules)))\n")
    printed = subprocess.run([bare(HERE), str(script)], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == str(shadowable)


def test_the_user_site_and_how_to_switch_it_off(tmp_path: Path) -> None:
    # A virtual environment has no user site.
    base = str(Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}"))
    on = describe(base, tmp_path, PYTHONUSERBASE=str(tmp_path))
    off = describe(base, tmp_path, PYTHONUSERBASE=str(tmp_path), PYTHONNOUSERSITE="1")
    assert on["user_site"].startswith(str(tmp_path))
    assert (on["user_site_enabled"], off["user_site_enabled"]) == (True, False)


def test_a_folder_whose_name_is_no_utf_8(tmp_path: Path, bare: Callable[[str], str]) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux allows any bytes in a name")
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)  # noqa: PTH102 - pathlib has no paths of bytes
    record = describe(bare(HERE), tmp_path, PYTHONPATH=os.fsdecode(folder))
    assert f"{tmp_path}/caf?" in record["sys_path"]
