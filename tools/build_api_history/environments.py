"""Throw-away environments, made with uv and removed after use; and what runs in them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.build_api_history.recipes import Recipe

TOOLS = Path(__file__).resolve().parents[1]
INSTALL_SECONDS, RUN_SECONDS = 900, 900


class EnvironmentFailedError(Exception):
    """An environment could not be made, or what ran in it failed; says the command and the end of its output."""


# uv comes with the development extra.
UV = [sys.executable, "-m", "uv"]


def interpreter(version: str) -> str:
    """What `uv venv --python` is given: pyenv's interpreter where there is one, else the version, which uv finds."""
    found = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*/bin/python"))
    return str(found[-1]) if found else version


@contextmanager
def environment(recipe: Recipe, folder: Path) -> Iterator[Path]:
    """Make a recipe's environment under `folder`; yields its Python, and removes it in the end."""
    home = folder / recipe.name
    shutil.rmtree(home, ignore_errors=True)
    try:
        call([*UV, "venv", "--quiet", "--python", interpreter(recipe.python), str(home)], INSTALL_SECONDS)
        python = home / "bin" / "python"
        # TensorFlow 1.13-2.4 import pkg_resources in places; setuptools is part of a normal environment of their time.
        install = [
            *UV,
            "pip",
            "install",
            "--quiet",
            "--python",
            str(python),
            "--exclude-newer",
            recipe.before.isoformat(),
            "setuptools",
            *recipe.requirements,
        ]
        call(install, INSTALL_SECONDS)
        yield python
    finally:
        shutil.rmtree(home, ignore_errors=True)


def extract(recipe: Recipe, python: Path, package: str, below: str, output: Path) -> str:
    """Run the extraction of one root; returns the line it says."""
    command = [
        str(python),
        "-m",
        "extract_api",
        "--root",
        package,
        *(["--below", below, "--no-modules"] if below else []),
        str(output),
    ]
    return call(command, RUN_SECONDS, {**quiet(recipe), "PYTHONPATH": str(TOOLS)}).strip().splitlines()[-1]


def quiet(recipe: Recipe) -> dict[str, str]:
    """The environment variables of a run: no GPU, few words, and the flag that chooses tf_keras where the recipe says so."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("KERAS", "TF_", "PYTHON", "CUDA"))
    }
    chosen = {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "KERAS_BACKEND": "tensorflow",
        "PYTHONHASHSEED": "0",
    }
    return {**kept, **chosen, **({"TF_USE_LEGACY_KERAS": "1"} if recipe.legacy else {})}


def call(command: list[str], seconds: int, environ: dict[str, str] | None = None) -> str:
    """Run a command; its stdout. Raises: EnvironmentFailedError."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, env=environ, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired:
        raise EnvironmentFailedError(f"{' '.join(command)}: no end after {seconds} s") from None
    if done.returncode:
        raise EnvironmentFailedError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout
