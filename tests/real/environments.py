"""Throw-away environments with real releases, made once by uv and kept in a cache folder outside the repository.

``ENVCHECK_TEST_CACHE`` names another folder; deleting it is always safe. ``ENVCHECK_TEST_RELEASES=all`` runs the tests
on every release of :data:`RELEASES`; without it they run on one with Keras 2 and one with Keras 3.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

MINUTES = 60
# A test must not bring Pythons onto the machine: where one is missing, it says so and is skipped.
_ENVIRON = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}


@dataclass(frozen=True)
class Release:
    """Something to install: a Python series, requirements, and the environment variables that it is run with.

    ``installer`` is ``uv`` or ``pip``. ``by_default`` says whether it is tested without being asked for.
    """

    name: str
    python: str
    requirements: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    installer: str = "uv"
    by_default: bool = False

    def interpreter(self) -> Path:
        """The interpreter of its environment, which is made when it is not there yet."""
        return environment(self.name, self.python, *self.requirements, installer=self.installer)


_TF_KERAS = ("tensorflow==2.16.*", "tf_keras==2.16.*")
RELEASES = (
    Release("tf2.21", "3.12", ("tensorflow-cpu==2.21.*",), by_default=True),
    Release("tf2.16", "3.11", _TF_KERAS),
    Release("tf2.16-legacy", "3.11", _TF_KERAS, {"TF_USE_LEGACY_KERAS": "1"}),
    Release("tf2.15", "3.11", ("tensorflow-cpu==2.15.*",), by_default=True),
    Release("tf2.8", "3.8", ("tensorflow-cpu==2.8.*", "protobuf<3.21")),
    Release("tf2.3", "3.8", ("tensorflow-cpu==2.3.*", "protobuf<3.21")),
    Release("tf1.15", "3.7", ("tensorflow==1.15.*", "protobuf<3.21")),
    Release("keras-jax", "3.12", ("keras", "jax"), {"KERAS_BACKEND": "jax"}),
    Release("keras-torch", "3.11", ("keras", "torch==2.13.0"), {"KERAS_BACKEND": "torch"}, installer="pip"),
)


def release(name: str) -> Release:
    """The release called ``name``."""
    return next(each for each in RELEASES if each.name == name)


def parameters(*names: str) -> list[object]:
    """The releases called ``names`` (all without any) for ``pytest.mark.parametrize``; most only run when asked for."""
    every = os.environ.get("ENVCHECK_TEST_RELEASES") == "all"
    asked_for = pytest.mark.skip(reason="runs with ENVCHECK_TEST_RELEASES=all")
    return [
        pytest.param(each, id=each.name, marks=() if every or each.by_default else asked_for)
        for each in RELEASES
        if not names or each.name in names
    ]


def environment(name: str, python: str, *requirements: str, installer: str = "uv") -> Path:
    """The interpreter of an environment with ``requirements`` on Python ``python`` (a series such as ``3.11``).

    It is kept in the cache folder by a hash of what it was made of. Skips the test when this machine has no such
    Python; a failed installation raises :class:`subprocess.CalledProcessError`, with uv's words printed.
    """
    cache = _cache()
    key = hashlib.sha256("\n".join((python, installer, *requirements)).encode()).hexdigest()[:12]
    # Not the name: two of them may share an environment.
    made = cache / f"python{python}-{key}"
    if not made.exists():
        base = find_python(python)
        if base is None:
            pytest.skip(f"{name} needs Python {python}, which is not on this machine")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{made.name}-", dir=cache, ignore_cleanup_errors=True) as folder:
            _make(Path(folder, "new"), base, requirements, installer)
            # Whole or not at all. Scripts of a moved environment have a wrong first line; its Python goes by where it is.
            try:
                Path(folder, "new").rename(made)
            except OSError:  # another test process was faster
                assert made.exists()
    return _python_in(made)


def find_python(series: str) -> Path | None:
    """An interpreter of a series such as ``3.11`` on this machine; None without one."""
    return next((path for path in _candidates(series) if _is(path, series)), None)


def _candidates(series: str) -> Iterator[Path]:
    for root in (os.environ.get("PYENV_ROOT"), "~/.pyenv"):
        if root:
            yield from sorted(Path(root).expanduser().glob(f"versions/{series}.*/bin/python"), reverse=True)
    on_path = shutil.which(f"python{series}")
    if on_path:
        yield Path(on_path)
    found = subprocess.run(
        [*_uv(), "python", "find", "--system", series], env=_ENVIRON, capture_output=True, text=True, check=False
    )
    if found.returncode == 0:
        yield Path(found.stdout.strip())


def _is(path: Path, series: str) -> bool:
    """Whether it starts, and is of that series: a shim of pyenv does neither for a version that is not chosen."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    answer = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
    return answer.stdout.strip() == series


def _make(folder: Path, base: Path, requirements: tuple[str, ...], installer: str) -> None:
    seed = ["--seed"] if installer == "pip" else []
    subprocess.run([*_uv(), "venv", "--quiet", *seed, "--python", base, folder], env=_ENVIRON, check=True)
    python = _python_in(folder)
    if installer == "pip":
        command = [str(python), "-m", "pip", "install", "--quiet", *requirements]
    else:
        # Compiled once here, and not by each test: nothing that envcheck starts writes into an environment.
        command = [*_uv(), "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *requirements]
    subprocess.run(command, env=_ENVIRON, check=True, timeout=30 * MINUTES)


def _cache() -> Path:
    named = os.environ.get("ENVCHECK_TEST_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "envcheck-tests"


def _uv() -> list[str]:
    return [sys.executable, "-m", "uv"]


def _python_in(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
