"""Real environments, broken as users break them: the one finding, and its fix run as it is printed.

Each is a copy of a cached environment (:mod:`real.environments`), made of hard links and thrown away.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from real.environments import release

pytestmark = pytest.mark.real

Outcome = dict[str, Any]


@dataclass
class Broken:
    """An environment to break: its interpreter, the user's folder and home, and further variables."""

    folder: Path
    home: Path
    cwd: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def python(self) -> Path:
        """The interpreter."""
        return self.folder / "bin/python"

    @property
    def site(self) -> Path:
        """Its site-packages."""
        return next(self.folder.glob("lib/python*/site-packages"))

    @property
    def environ(self) -> dict[str, str]:
        """A user's environment, with uv on PATH where the fixes look for it."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.defpath])
        kept = {
            name: value for name, value in os.environ.items() if name.startswith(("UV_", "PIP_", "SSL_", "REQUESTS_"))
        }
        return {**kept, "PATH": path, "HOME": str(self.home), "UV_CACHE_DIR": _uv_cache(), **self.variables}

    def install(self, *requirements: str) -> None:
        """Install without regard for what others require."""
        subprocess.run(
            ["uv", "pip", "install", "--quiet", "--no-deps", "--python", str(self.python), *requirements],
            env=self.environ,
            check=True,
        )

    def doctor(self, *, before: str = "", timeout: float = 240) -> tuple[int, list[Outcome]]:
        """The exit code and the failed outcomes that are no consequence, after the shell lines ``before``."""
        command = f"{before}\n{sys.executable} -P -m envcheck doctor --python {self.python} -f json --timeout {timeout}"
        if sys.version_info < (3, 11):
            command = command.replace(" -P ", " ")
        done = subprocess.run(
            ["sh", "-ec", command], cwd=self.cwd, env=self.environ, capture_output=True, text=True, check=False
        )
        assert done.stdout.startswith("{"), done.stdout + done.stderr
        report = json.loads(done.stdout)
        assert done.returncode == report["exit_code"], done.stderr
        failed = [outcome for outcome in report["outcomes"] if outcome["status"] == "failed"]
        return done.returncode, [outcome for outcome in failed if outcome["caused_by"] is None]


def _uv_cache() -> str:
    return subprocess.run(
        [sys.executable, "-m", "uv", "cache", "dir"], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def broken(request: pytest.FixtureRequest, tmp_path: Path) -> Broken:
    """A copy of the environment of the release that the test is parametrised with."""
    interpreter = release(request.param).interpreter()
    folder = tmp_path / "env"
    shutil.copytree(interpreter.parent.parent, folder, symlinks=True, copy_function=_link)
    for name in ("home", "project"):
        (tmp_path / name).mkdir()
    return Broken(folder, tmp_path / "home", tmp_path / "project")


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another file system
        shutil.copy2(source, target, follow_symlinks=False)


def on(name: str) -> pytest.MarkDecorator:
    """The release that the test breaks."""
    return pytest.mark.parametrize("broken", [name], indirect=True)


def cured(broken: Broken, code: str, *words: str, exit_code: int = 1) -> None:
    """The doctor names ``code`` and nothing else; after its commands it finds nothing."""
    found, failed = broken.doctor()
    assert [(outcome["code"], len(outcome["findings"])) for outcome in failed] == [(code, 1)], failed
    assert found == exit_code
    (finding,) = failed[0]["findings"]
    for word in words:
        assert word in finding["message"]
    commands = finding["fix"]["commands"]
    assert commands
    found, failed = broken.doctor(before="\n".join(commands))
    assert (found, failed) == (0, [])


@on("tf2.15")
def test_numpy_2_under_tensorflow_2_15(broken: Broken) -> None:
    broken.install("numpy==2.2.6")
    cured(broken, "ENV320", "numpy 2.2.6 with TensorFlow 2.15")


@on("tf2.15")
def test_keras_3_under_tensorflow_2_15(broken: Broken) -> None:
    """A warning: it trains, and ``tf.keras`` is another API than the release was made with."""
    broken.install("keras==3.5.0", "optree", "namex", "rich", "markdown-it-py", "mdurl", "pygments")
    cured(broken, "ENV305", "Keras 3.5.0 is installed", "`tf.keras` is now Keras 3", exit_code=0)


@on("tf2.16")
def test_keras_2_under_tensorflow_2_16(broken: Broken) -> None:
    broken.install("keras==2.15.0")
    cured(broken, "ENV305", "Keras 2.15.0 is installed; TensorFlow 2.16", "cannot load this one")


@on("tf2.21")
def test_the_legacy_flag_without_tf_keras(broken: Broken) -> None:
    broken.variables["TF_USE_LEGACY_KERAS"] = "1"
    cured(broken, "ENV306", "TF_USE_LEGACY_KERAS=1", "tf_keras, which is not installed")


@on("tf2.15")
def test_tensorflow_and_tensorflow_cpu_of_different_versions(broken: Broken) -> None:
    broken.install("tensorflow==2.16.2")
    cured(broken, "ENV302", "tensorflow 2.16.2", "tensorflow-cpu 2.15.1", "are both installed")


@on("tf2.21")
def test_keras_json_names_theano(broken: Broken) -> None:
    (broken.home / ".keras").mkdir()
    (broken.home / ".keras/keras.json").write_text('{"backend": "theano", "floatx": "float32"}')
    cured(broken, "ENV308", f"{broken.home}/.keras/keras.json names the backend 'theano'")


@on("tf2.21")
def test_a_local_keras_py(broken: Broken) -> None:
    (broken.cwd / "keras.py").write_text("print('my first model')\n")
    cured(broken, "ENV108", f"{broken.cwd}/keras.py hides the module keras")


@on("tf2.8")
def test_protobuf_too_new_for_tensorflow_2_8(broken: Broken) -> None:
    broken.install("protobuf==4.25.8")
    cured(broken, "ENV320", "protobuf 4.25.8 with TensorFlow 2.8", "Descriptors cannot be created directly")


@on("tf2.15")
def test_a_distribution_whose_files_were_deleted(broken: Broken) -> None:
    shutil.rmtree(broken.site / "keras")
    cured(broken, "ENV205", "keras 2.15.0 has", "missing")


@on("tf2.15")
def test_a_distribution_whose_metadata_was_deleted(broken: Broken) -> None:
    """A warning: what lies there is whole, and the tiny model trains with it."""
    (metadata,) = broken.site.glob("keras-*.dist-info")
    shutil.rmtree(metadata)
    cured(broken, "ENV203", f"{broken.site}/keras belongs to no installed distribution", exit_code=0)


@on("tf2.15")
def test_a_folder_that_an_uninstallation_left(broken: Broken) -> None:
    """Without its ``__init__.py`` it imports as an empty namespace package."""
    (metadata,) = broken.site.glob("keras-*.dist-info")
    shutil.rmtree(metadata)
    (broken.site / "keras/__init__.py").unlink()
    cured(broken, "ENV203", "imports as an empty namespace package")


PLUGIN = """
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void loaded(void) { %s; }
"""
"""TensorFlow loads every library in site-packages/tensorflow-plugins when it is imported."""


def add_plugin(broken: Broken, tmp_path: Path, statement: str) -> None:
    """Install a plug-in that does ``statement`` as it is loaded."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler to make a plug-in with")
    source = tmp_path / "plugin.c"
    source.write_text(PLUGIN % statement)
    folder = broken.site / "tensorflow-plugins"
    folder.mkdir()
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(folder / "libbroken.so"), str(source)], check=True)


@on("tf2.15")
@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("abort()", "an abort (SIGABRT)"),
        ("raise(SIGKILL)", "SIGKILL: from outside, nearly always by the kernel because memory ran out (OOM)"),
        ("raise(SIGILL)", "an illegal instruction (SIGILL)"),
        ("for (;;) pause()", "was still running after 12 s"),
    ],
)
def test_an_import_that_aborts_is_killed_or_hangs(broken: Broken, tmp_path: Path, statement: str, words: str) -> None:
    add_plugin(broken, tmp_path, statement)
    found, failed = broken.doctor(timeout=12)
    assert (found, [outcome["code"] for outcome in failed]) == (1, ["SMK101"])
    (finding,) = failed[0]["findings"]
    assert words in finding["message"]
    if "SIGKILL" in statement:  # nothing in the process lives to say where it was
        shutil.rmtree(broken.site / "tensorflow-plugins")
        assert broken.doctor() == (0, [])
        return
    assert "TensorFlow was loading its plug-ins (libbroken.so)" in finding["message"]
    assert broken.doctor(before="\n".join(finding["fix"]["commands"])) == (0, [])


@on("tf2.15")
def test_a_program_that_is_interrupted_leaves_no_process(broken: Broken, tmp_path: Path) -> None:
    add_plugin(broken, tmp_path, "for (;;) pause()")
    unignored = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", unignored, sys.executable, "-m", "envcheck", "doctor", "--python", str(broken.python)],
        env={**broken.environ, "TMPDIR": str(broken.home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(timeout=8)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out, err) == (130, "", "envcheck: interrupted\n")
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(broken.python) not in listed
    assert list(broken.home.iterdir()) == []
