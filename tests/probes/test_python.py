"""The target interpreter as facts: what cannot be inspected is said in one line; who manages it, and what installs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import literals
import msgspec
import pytest

from envcheck.errors import UsageError
from envcheck.host import Host
from envcheck.probes.python import PythonFacts, collect
from envcheck.target.runner import Ending, Kind

ANSWER: dict[str, Any] = {
    "executable": "/env/bin/python",
    "version": "3.12.4",
    "version_info": [3, 12, 4],
    "implementation": "CPython",
    "bits": 64,
    "soabi": "cpython-312-x86_64-linux-gnu",
    "free_threaded": False,
    "debug": False,
    "prefix": "/env",
    "base_prefix": "/env",
    "stdlib": "/env/lib/python3.12",
    "sys_path": ["/env/lib/python3.12", "/env/lib/python3.12/site-packages"],
    "user_site": None,
    "user_site_enabled": False,
    "isolated": False,
    "standard_modules": ["json"],
    "builtin_modules": ["sys"],
    "loaded_at_start": ["sys"],
    "libc": "glibc",
    "libc_version": "2.36",
    "marker_environment": {"sys_platform": "linux"},
    "home": "/root",
}


def facts(root: Path, files: dict[str, str] | None = None, **answer: Any) -> PythonFacts:
    """The facts of an interpreter that answers so, on a machine with these files."""
    for name, content in (files or {}).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    ending = Ending(Kind.ANSWERED, records=({**ANSWER, **answer},))
    return collect(Host(root=root, environ={}, run=lambda *_, **__: ending))


def test_this_very_interpreter() -> None:
    found = collect(Host())
    assert found.executable == sys.executable
    assert found.version_info == sys.version_info[:3]
    assert found.series == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert found.platform == sys.platform
    assert (found.prefix, found.base_prefix) == (sys.prefix, sys.base_prefix)
    assert msgspec.convert(msgspec.to_builtins(found), PythonFacts) == found


def test_a_virtual_environment(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")], check=True)
    bin_folder = "Scripts" if os.name == "nt" else "bin"
    found = collect(Host(python=str(tmp_path / "env" / bin_folder / "python"), environ={}))
    assert (found.manager, found.installer) == ("venv", "none")
    assert Path(found.prefix).samefile(tmp_path / "env")
    assert found.externally_managed is False


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (Ending(Kind.NOT_STARTED, detail="No such file or directory"), "could not be started: No such file"),
        (Ending(Kind.SIGNALLED, signal="SIGSEGV"), "segmentation fault"),
        (Ending(Kind.TIMED_OUT, seconds=20.0), "did not end within 20 s"),
        (Ending(Kind.EXITED, code=127, output="ModuleNotFoundError:\n  no encodings\n"), "no encodings"),
        (Ending(Kind.NO_ANSWER, output="hello"), "ended without an answer and printed: hello"),
        (Ending(Kind.ANSWERED), "is not a Python that works"),
    ],
)
def test_one_that_does_not_work_is_a_usage_error_of_one_line(ending: Ending, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        collect(Host(python="/opt/python", environ={}, run=lambda *_, **__: ending))
    assert str(caught.value).startswith("/opt/python is not a Python that works: it ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_that_is_too_old_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Python 3\.5\.10; envcheck inspects Python 3\.6 and newer"):
        facts(tmp_path, version="3.5.10", version_info=[3, 5, 10])
    assert facts(tmp_path, version="3.6.0", version_info=[3, 6, 0]).series == "3.6"


@pytest.mark.parametrize(
    ("files", "answer", "manager"),
    [
        ({}, {}, "standalone"),
        ({"env/conda-meta/history": ""}, {}, "conda"),
        ({"env/pyvenv.cfg": "home = /usr/bin\n"}, {"base_prefix": "/usr"}, "venv"),
        ({"env/pyvenv.cfg": "home = /usr/bin\nuv = 0.4.0\n"}, {"base_prefix": "/usr"}, "uv"),
        ({}, {"prefix": "/usr", "base_prefix": "/usr"}, "system"),
        ({"env/lib/python3.12/EXTERNALLY-MANAGED": ""}, {}, "system"),
    ],
)
def test_manager(tmp_path: Path, files: dict[str, str], answer: dict[str, Any], manager: str) -> None:
    assert facts(tmp_path, files, **answer).manager == manager


def test_what_the_distribution_manages_its_virtual_environments_do_not_inherit(tmp_path: Path) -> None:
    marker = {"env/lib/python3.12/EXTERNALLY-MANAGED": ""}
    assert facts(tmp_path, marker).externally_managed is True
    assert facts(tmp_path, marker, prefix="/venv", base_prefix="/env").externally_managed is False


@pytest.mark.parametrize(
    ("files", "installer"),
    [
        ({}, "none"),
        ({"env/lib/python3.12/site-packages/pip/__init__.py": ""}, "pip"),
        ({"env/pyvenv.cfg": "uv = 0.4.0\n"}, "uv"),
        ({"env/pyvenv.cfg": "# uv is nice\nprompt = uv\n"}, "none"),
    ],
)
def test_installer(tmp_path: Path, files: dict[str, str], installer: str) -> None:
    assert facts(tmp_path, files).installer == installer


def test_commands_are_for_this_environment_and_quoted() -> None:
    pip, uv = literals.python(executable="/my env/bin/python"), literals.python(installer="uv")
    assert pip.install("keras>=3", "numpy<2") == "'/my env/bin/python' -m pip install 'keras>=3' 'numpy<2'"
    assert pip.uninstall("keras") == "'/my env/bin/python' -m pip uninstall -y keras"
    assert uv.install("keras") == "uv pip install --python /srv/venv/bin/python keras"
    assert uv.uninstall("keras") == "uv pip uninstall --python /srv/venv/bin/python keras"
