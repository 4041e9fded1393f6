"""The smoke run on real releases, without a GPU; and what it must notice on them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import literals
import pytest
from real.environments import Release, parameters, release

from envcheck.host import Host
from envcheck.inventory import Expectations
from envcheck.probes.smoke import STEPS, SmokeFacts, collect

pytestmark = pytest.mark.real

WITHOUT_XLA = ("tf1.15", "keras-torch")
AROUND_TENSORFLOW = """
import importlib, os, sys
here = sys.path.pop(0)
del sys.modules["tensorflow"]
import tensorflow as tf
sys.path.insert(0, here)
"""
"""A tensorflow.py beside the user's script that steps aside for the real one, for the test to change it."""
PRETENDED_GPU = """
import types
config = tf.config.experimental
config.list_physical_devices = lambda kind=None: [types.SimpleNamespace(name="/physical_device:GPU:0")]
config.list_logical_devices = lambda kind=None: [types.SimpleNamespace(name="/device:GPU:0")]
config.set_memory_growth = lambda gpu, on: None
config.get_device_details = lambda gpu: {}
"""


def smoke(on: Release, tmp_path: Path, *, device: str = "auto", beside: dict[str, str] | None = None) -> SmokeFacts:
    """The facts of a run with the files ``beside`` in the user's folder, and an empty home."""
    python = str(on.interpreter())
    home, cwd = tmp_path / "home", tmp_path / "cwd"
    home.mkdir()
    cwd.mkdir()
    for name, text in (beside or {}).items():
        (cwd / name).write_text(text, "utf-8")
    environ = {"PATH": os.defpath, "HOME": str(home), **on.environ}
    host = Host(python=python, cwd=cwd, environ=environ, timeout=240.0, expectations=Expectations(device))
    facts = collect(host, literals.python())
    assert isinstance(facts, SmokeFacts), facts
    assert list(home.rglob("*")) == []  # nothing is written beside the temporary folder
    assert sorted(path.name for path in cwd.iterdir()) == sorted(beside or {})
    return facts


def statuses(facts: SmokeFacts) -> dict[str, str]:
    return {step.name: step.status for step in facts.steps}


def told(facts: SmokeFacts) -> Any:
    """What to show when a test fails."""
    return [(step.name, step.status, step.message, step.frames) for step in facts.steps], facts.output


@pytest.mark.parametrize("on", parameters())
@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_every_step_runs_on_the_cpu(on: Release, device: str, tmp_path: Path) -> None:
    facts = smoke(on, tmp_path, device=device)
    expected = dict.fromkeys(STEPS, "ok")
    if on.name in WITHOUT_XLA:
        expected["xla"] = "skipped"
    assert statuses(facts) == expected, told(facts)
    assert facts.ending == "answered"
    assert {step.device for step in facts.steps if step.name != "import" and step.status == "ok"} == {"CPU:0"}
    wanted = on.requirements[0].removeprefix("tensorflow-cpu==").removeprefix("tensorflow==").removesuffix(".*")
    if "tensorflow" in facts.versions:
        assert facts.versions["tensorflow"].startswith(wanted)
        assert facts.files["tensorflow"].endswith("__init__.py")
    else:
        assert facts.versions["keras"].startswith("3.")


@pytest.mark.parametrize("on", parameters("tf2.21", "tf2.15", "keras-jax"))
def test_a_gpu_that_is_asked_for_is_missed(on: Release, tmp_path: Path) -> None:
    facts = smoke(on, tmp_path, device="gpu")
    assert statuses(facts) == {"import": "ok", "devices": "failed", **dict.fromkeys(STEPS[2:], "skipped")}
    assert facts.step("devices").message.startswith("a GPU is asked for, and there is none to use: ")


@pytest.mark.parametrize("on", parameters("tf2.21", "tf2.15", "tf2.8", "tf1.15"))
def test_running_on_the_cpu_instead_of_the_gpu_is_noticed_in_every_step(on: Release, tmp_path: Path) -> None:
    facts = smoke(on, tmp_path, beside={"tensorflow.py": AROUND_TENSORFLOW + PRETENDED_GPU})
    assert facts.step("devices").device == "GPU:0", told(facts)
    for name in ("matmul", "convolution", "fit", "xla"):
        if not (name == "xla" and on.name in WITHOUT_XLA):
            assert facts.step(name).message == "it ran on CPU:0 although GPU:0 was to be used", told(facts)


@pytest.mark.parametrize("on", parameters("tf2.21", "tf2.15"))
def test_wrong_numbers_are_noticed(on: Release, tmp_path: Path) -> None:
    wrong = "\nreal = tf.matmul\ntf.matmul = lambda *given, **more: real(*given, **more) + 1.0\n"
    facts = smoke(on, tmp_path, beside={"tensorflow.py": AROUND_TENSORFLOW + wrong})
    assert statuses(facts) == {**dict.fromkeys(STEPS, "ok"), "matmul": "failed", "xla": "failed"}, told(facts)
    assert "from NumPy; at most 1e-05 is rounding" in facts.step("matmul").message


@pytest.mark.parametrize("on", parameters("tf2.21", "tf2.15"))
def test_training_that_changes_nothing_is_noticed(on: Release, tmp_path: Path) -> None:
    frozen = "\nModel = tf.keras.Model\nreal = Model.compile\n"
    frozen += "def compile(self, *args, **more):\n    self.trainable = False\n    real(self, *args, **more)\n"
    facts = smoke(on, tmp_path, beside={"tensorflow.py": AROUND_TENSORFLOW + frozen + "Model.compile = compile\n"})
    assert facts.step("fit").message == "two steps of training have not changed a single weight", told(facts)
    assert facts.step("save_load").message == "the fit step failed"


def test_a_local_keras_shadows_keras_3_and_the_rest_goes_on(tmp_path: Path) -> None:
    facts = smoke(release("tf2.21"), tmp_path, beside={"keras.py": "print('my own model')\n"})
    assert statuses(facts) == {
        "import": "failed",
        "devices": "ok",
        "matmul": "ok",
        "convolution": "ok",
        "fit": "skipped",
        "xla": "ok",
        "save_load": "skipped",
    }, told(facts)


def test_settings_of_the_user_reach_keras(tmp_path: Path) -> None:
    """Keras reads them from the copy of keras.json, and complains about one that cannot be."""
    on = release("tf2.21")
    home = tmp_path / "settings"
    home.mkdir()
    (home / "keras.json").write_text('{"floatx": "float12"}', "utf-8")
    facts = smoke(Release("", on.python, on.requirements, {"KERAS_HOME": str(home)}), tmp_path)
    assert facts.step("import").status == "failed"
    assert "assert _floatx in" in facts.step("import").frames[-1]
    assert [path.name for path in home.iterdir()] == ["keras.json"]
