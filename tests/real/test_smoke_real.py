"""The smoke run on real releases, without a GPU; and what it must notice on them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import literals
import pytest
from real.environments import Release, parameters, release

from envcheck.commands.log_lines import explained
from envcheck.host import Host
from envcheck.inventory import Expectations, Inventory
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.smoke import STEPS, SmokeFacts, collect
from envcheck.target.runner import script_path

pytestmark = pytest.mark.real

WITHOUT = {"tf2.3": {"mixed"}, "tf1.15": {"xla", "mixed"}, "keras-torch": {"xla"}}
"""Steps that a release has not, and says so."""
ON_GPUS = {"each_device", "all_reduce", "process"}
"""Steps that are skipped on one device, and never passed."""
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


TWO_CPUS = """
config = tf.config.experimental
processor, = config.list_physical_devices("CPU")
config.set_virtual_device_configuration(processor, [config.VirtualDeviceConfiguration()] * 2)
"""


def smoke(
    on: Release, tmp_path: Path, *, device: str = "auto", beside: dict[str, str] | None = None, **variables: str
) -> SmokeFacts:
    """The facts of a run with the files ``beside`` in the user's folder, and an empty home."""
    python = str(on.interpreter())
    home, cwd = tmp_path / "home", tmp_path / "cwd"
    home.mkdir()
    cwd.mkdir()
    for name, text in (beside or {}).items():
        (cwd / name).write_text(text, "utf-8")
    environ = {"PATH": os.defpath, "HOME": str(home), **on.environ, **variables}
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


def assert_explained(facts: SmokeFacts) -> None:
    """Every line of the log is known, and on a machine without a GPU none of them is trouble."""
    lines = explained(Inventory({"smoke": facts}), load_matrix()).facts["smoke"].log  # type: ignore[attr-defined]
    assert [line.text for line in lines if line.harmless is not True] == []


@pytest.mark.parametrize("on", parameters())
@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_every_step_runs_on_the_cpu(on: Release, device: str, tmp_path: Path) -> None:
    facts = smoke(on, tmp_path, device=device)
    skipped = WITHOUT.get(on.name, set()) | ON_GPUS
    assert statuses(facts) == {name: "skipped" if name in skipped else "ok" for name in STEPS}, told(facts)
    assert facts.step("all_reduce").message == "there is one device: CPU:0"
    for name in ("matmul", "convolution", "rnn", "fit"):
        step = facts.step(name)
        assert step.first is not None, told(facts)
        assert step.steady is not None
        assert min(step.first, step.steady) > 0
    assert_explained(facts)
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


@pytest.mark.parametrize("on", parameters("tf2.21", "tf2.15", "tf2.8"))
def test_two_devices_compute_and_sum_what_they_have(on: Release, tmp_path: Path) -> None:
    facts = smoke(on, tmp_path, beside={"tensorflow.py": AROUND_TENSORFLOW + TWO_CPUS})
    step = facts.step("each_device")
    assert (step.status, step.per_device) == ("ok", {"CPU:0": "", "CPU:1": ""}), told(facts)
    step = facts.step("all_reduce")
    assert (step.status, step.message) == ("ok", "the sum over CPU:0, CPU:1 is the same on each"), told(facts)


def test_two_devices_of_jax_compute_and_sum_what_they_have(tmp_path: Path) -> None:
    facts = smoke(release("keras-jax"), tmp_path, XLA_FLAGS="--xla_force_host_platform_device_count=2")
    assert facts.step("each_device").per_device == {"CPU:0": "", "CPU:1": ""}, told(facts)
    assert facts.step("all_reduce").status == "ok", told(facts)


def test_a_sum_over_devices_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    wrong = """
class Wrong(tf.distribute.MirroredStrategy):
    def experimental_local_results(self, value):
        first, second = super().experimental_local_results(value)
        return first, second + 1
tf.distribute.MirroredStrategy = Wrong
"""
    facts = smoke(release("tf2.21"), tmp_path, beside={"tensorflow.py": AROUND_TENSORFLOW + TWO_CPUS + wrong})
    assert facts.step("all_reduce").status == "failed", told(facts)
    assert facts.step("all_reduce").message.startswith("the sum on CPU:1 deviates by "), told(facts)


@pytest.mark.parametrize("on", parameters("tf2.21", "tf2.15", "tf2.8", "tf1.15"))
def test_running_on_the_cpu_instead_of_the_gpu_is_noticed_in_every_step(on: Release, tmp_path: Path) -> None:
    facts = smoke(on, tmp_path, beside={"tensorflow.py": AROUND_TENSORFLOW + PRETENDED_GPU})
    assert facts.step("devices").device == "GPU:0", told(facts)
    for name in ("matmul", "dtypes", "convolution", "rnn", "fit", "xla"):
        if name not in WITHOUT.get(on.name, ()):
            assert facts.step(name).message == "it ran on CPU:0 although GPU:0 was to be used", told(facts)


@pytest.mark.parametrize("on", parameters("tf2.21", "tf2.15"))
def test_wrong_numbers_are_noticed(on: Release, tmp_path: Path) -> None:
    wrong = "\nreal = tf.matmul\ntf.matmul = lambda *given, **more: real(*given, **more) + 1.0\n"
    facts = smoke(on, tmp_path, beside={"tensorflow.py": AROUND_TENSORFLOW + wrong})
    # Keras 3 computes its recurrent layers with the same function, Keras 2 with another name of it.
    found = {name for name, status in statuses(facts).items() if status == "failed"} - {"rnn"}
    assert found == {"matmul", "dtypes", "xla"}, told(facts)
    assert "is rounding" in facts.step("dtypes").message
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
        "dtypes": "ok",
        "convolution": "ok",
        "rnn": "skipped",
        "fit": "skipped",
        "mixed": "skipped",
        "xla": "ok",
        "save_load": "skipped",
        **dict.fromkeys(ON_GPUS, "skipped"),
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


NUMBERS = """
import numpy as np
import smoke_numbers as numbers


def refused(words, compare, *given):
    try:
        compare(*given)
    except numbers.Wrong as error:
        assert words in str(error), error
    else:
        raise AssertionError(words)


# By another way than the smoke run's: the difference quotient of every single weight.
wanted = numbers.Recurrent()
weights = [each.astype("float64") for each in wanted.weights()]
gradients = []
for number, weight in enumerate(weights):
    gradient = np.zeros_like(weight)
    for place in np.ndindex(weight.shape):
        sides = []
        for step in (1e-6, -1e-6):
            changed = [each.copy() for each in weights]
            changed[number][place] += step
            sides.append((wanted.expected(changed) * wanted.counts).sum())
        gradient[place] = (sides[0] - sides[1]) / 2e-6
    gradients.append(gradient)
result = wanted.expected(weights)
wanted.check(result, gradients, "CPU:0")
refused("the gradient deviates by", wanted.check, result, [1.01 * each for each in gradients], "CPU:0")
refused("the result deviates by", wanted.check, result * 1.001, gradients, "CPU:0")
wanted.check(result * 1.001, gradients, "GPU:0")  # TensorFloat-32

left, right = numbers.fractions((8, 32), 1), numbers.fractions((32, 8), 2)
product = left.astype("float64") @ right.astype("float64")
off = product + np.abs(left).astype("float64") @ np.abs(right) * 1e-4
numbers.compare_rounded("float32", product, left, right, "CPU:0")
refused("a product in float32 deviates by 0.0001", numbers.compare_rounded, "float32", off, left, right, "CPU:0")
numbers.compare_rounded("float32", off, left, right, "GPU:0")  # TensorFloat-32
refused("deviates by nan", numbers.compare_rounded, "float16", product * np.nan, left, right, "GPU:0")
"""


def test_what_must_come_out_is_computed_rightly() -> None:
    """In an interpreter with NumPy, which the tests' own has not."""
    python, folder = release("tf2.21").interpreter(), script_path("smoke").parent
    subprocess.run([python, "-B", "-c", NUMBERS], env={"PYTHONPATH": str(folder), "PATH": os.defpath}, check=True)
