"""SMK101 to SMK107, on literal facts."""

from __future__ import annotations

import dataclasses
from typing import Any

import literals
import pytest

from envcheck.checks import smoke as checks
from envcheck.findings import Check, Finding, Fix, Severity, Skip
from envcheck.inventory import Unavailable
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.smoke import STEPS, SmokeFacts, Step
from envcheck.probes.tensorflow import TensorFlowFacts

EVERY = {
    "import": checks.import_,
    "devices": checks.devices,
    "matmul": checks.matmul,
    "convolution": checks.convolution,
    "fit": checks.fit,
    "xla": checks.xla,
    "save_load": checks.save_load,
}
GOOD = SmokeFacts(
    framework="tensorflow",
    wanted="auto",
    ending="answered",
    seconds=5.0,
    deadline=300.0,
    steps=tuple(Step(name, "ok", 0.1, "fine", "GPU:0") for name in STEPS),
    versions={"tensorflow": "2.21.0", "keras": "3.15.1"},
    files={"tensorflow": "/srv/venv/lib/python3.12/site-packages/tensorflow/__init__.py"},
)


def facts(*steps: Step, **changes: Any) -> SmokeFacts:
    """A good run with these steps instead."""
    instead = {step.name: step for step in steps}
    return dataclasses.replace(GOOD, steps=tuple(instead.get(step.name, step) for step in GOOD.steps), **changes)


def stopped(name: str, status: str, **changes: Any) -> SmokeFacts:
    """A run that a crash or a hang ended in the step ``name``."""
    later = STEPS[STEPS.index(name) + 1 :]
    return facts(Step(name, status), *(Step(each, "not reached") for each in later), **changes)


def judge(check: Check, smoke: SmokeFacts, tensorflow: object = None) -> list[Finding]:
    known = {
        "smoke": smoke,
        "python": literals.python(),
        "packages": literals.packages(),
        "tensorflow": tensorflow or Unavailable("not looked at"),
        "matrix": load_matrix(),
    }
    return list(check.judge(*(known[name] for name in check.facts)))


def the_fix(finding: Finding) -> Fix:
    assert finding.fix is not None
    return finding.fix


@pytest.mark.parametrize("name", STEPS)
def test_a_good_run_passes_every_check(name: str) -> None:
    assert judge(EVERY[name], GOOD) == []


@pytest.mark.parametrize("name", STEPS)
def test_each_check_judges_its_own_step(name: str) -> None:
    failed = facts(
        Step(name, "failed", 0.1, "no such thing", error="RuntimeError", frames=("a.py:1 in f", "b.py:2 in g"))
    )
    (finding,) = judge(EVERY[name], failed)
    assert finding.message.endswith("fails with RuntimeError: no such thing (b.py:2 in g)")
    assert finding.evidence["frames"] == ["a.py:1 in f", "b.py:2 in g"]
    assert all(judge(EVERY[other], failed) == [] for other in STEPS if other != name)


def test_codes_are_in_the_order_of_the_steps() -> None:
    assert [EVERY[name].code for name in STEPS] == [f"SMK10{number}" for number in range(1, 8)]
    assert {check.severity for check in EVERY.values() if check is not checks.xla} == {Severity.ERROR}


def test_a_skipped_step_is_skipped_for_its_reason() -> None:
    with pytest.raises(Skip) as skip:
        judge(checks.xla, facts(Step("xla", "skipped", message="PyTorch does not compile with XLA")))
    assert skip.value.reason == "PyTorch does not compile with XLA"


@pytest.mark.parametrize("status", ["crashed", "hung"])
def test_a_step_that_was_not_reached_names_the_one_that_stopped_it(status: str) -> None:
    with pytest.raises(Skip) as skip:
        judge(checks.save_load, stopped("import", status))
    assert skip.value.reason == f"not reached: the import step {status}"


def test_a_crash_names_its_signal_and_the_python_line() -> None:
    smoke = stopped(
        "import",
        "crashed",
        ending="was ended by an abort (SIGABRT): native code gave up on a failed assertion",
        signal="SIGABRT",
        stopped_at="/x/pywrap.py:62 in <module>",
        output="F0000 check failed",
    )
    (finding,) = judge(checks.import_, smoke)
    assert finding.message == (
        "`import tensorflow` was ended by an abort (SIGABRT): native code gave up on a failed assertion; "
        "the last Python line was /x/pywrap.py:62 in <module>; it had printed: F0000 check failed"
    )
    assert finding.evidence["output"] == "F0000 check failed"
    assert "-X faulthandler" in the_fix(finding).commands[0]


@pytest.mark.parametrize(
    ("signal", "word"), [("SIGILL", "AVX"), ("SIGKILL", "memory"), ("SIGBUS", "full disk"), ("SIGTERM", "scheduler")]
)
def test_a_signal_with_a_known_cause_has_its_own_fix(signal: str, word: str) -> None:
    (finding,) = judge(checks.fit, stopped("fit", "crashed", ending=f"was ended by {signal}", signal=signal))
    assert word in the_fix(finding).summary
    assert finding.message == f"Training a tiny Keras model was ended by {signal}"


def test_an_early_exit_is_no_hang() -> None:
    (finding,) = judge(checks.import_, stopped("import", "crashed", ending="ended with exit code 3", exit_code=3))
    assert finding.message == "`import tensorflow` ended with exit code 3"
    assert "--timeout" not in str(the_fix(finding).commands)


def test_a_hang_names_the_line_and_the_option() -> None:
    smoke = stopped("devices", "hung", ending="did not end …", seconds=300.2, stopped_at="/x/context.py:1 in init")
    (finding,) = judge(checks.devices, smoke)
    assert finding.message == (
        "Asking for the devices was still running after 300 s, when the time for the smoke run was over; "
        "the last Python line was /x/context.py:1 in init"
    )
    assert the_fix(finding).commands == ("envcheck smoke --python /srv/venv/bin/python --timeout 900",)


def test_a_process_that_cannot_be_killed_points_to_the_driver() -> None:
    (finding,) = judge(checks.devices, stopped("devices", "hung", killable=False))
    assert "blocked in the kernel or in a driver" in finding.message
    assert "Xid" in the_fix(finding).summary


def test_wrong_numbers_are_no_exception() -> None:
    wrong = Step("matmul", "failed", 0.1, "the product deviates by 0.5 from NumPy", error="Wrong", frames=())
    (finding,) = judge(checks.matmul, facts(wrong))
    assert finding.message == "A matrix product went wrong: the product deviates by 0.5 from NumPy"


def test_an_exception_without_a_message_has_its_frame() -> None:
    bare = Step(
        "import", "failed", 0.1, "", error="AssertionError", frames=("backend.py:6 in <module>: assert floatx",)
    )
    (finding,) = judge(checks.import_, facts(bare))
    assert finding.message == (
        "`import tensorflow` fails with AssertionError (backend.py:6 in <module>: assert floatx)"
    )


def test_the_other_backends_import_keras() -> None:
    failed = Step("import", "failed", 0.1, "No module named 'jax'", error="ModuleNotFoundError")
    (finding,) = judge(checks.import_, facts(failed, framework="jax"))
    assert finding.message.startswith("`import keras` fails with ModuleNotFoundError")
    assert the_fix(finding).commands == ("/srv/venv/bin/python -m pip install jax",)


@pytest.mark.parametrize(
    ("message", "summary", "command"),
    [
        ("numpy.core.multiarray failed to import", "NumPy 1", "numpy<2"),
        ("Descriptors cannot be created directly.", "protobuf", "protobuf<3.21"),
        ("No module named 'distutils'", "distutils", "setuptools<81"),
        ("libdevice not found at ./libdevice.10.bc", "libdevice", "tensorflow[and-cuda]==2.21.0"),
        ("what is imported as tensorflow is not the package of that name, but x.py", "Rename", None),
        ("libcudart.so.11.0: cannot open shared object file", "shared library", None),
        ("a GPU is asked for, and there is none to use: TensorFlow lists no GPU", "--select GPU", None),
        ("DNN library is not found.", "cuDNN", None),
        ("failed to allocate 2.0G: out of memory", "nvidia-smi", None),
        ("something new", "no special reason", None),
    ],
)
def test_a_known_message_has_its_fix(message: str, summary: str, command: str | None) -> None:
    (finding,) = judge(checks.fit, facts(Step("fit", "failed", 0.1, message, error="ImportError")))
    fix = the_fix(finding)
    assert summary in fix.summary
    assert (fix.commands == ()) if command is None else (command in fix.commands[0])


def test_the_extra_with_cuda_is_not_asked_of_releases_without_it() -> None:
    failed = Step("xla", "failed", 0.1, "libdevice not found", error="InternalError")
    (finding,) = judge(checks.xla, facts(failed, versions={"tensorflow": "2.13.1"}))
    assert the_fix(finding).commands == ()


def test_what_native_code_said_is_kept_and_the_list_of_modules_is_not() -> None:
    output = (
        "warming up\nF1120 00:00:00 threadpool.cc:90] Check failed: ret == 0 (11 vs. 0)pthread_create() failed\n"
        "Fatal Python error: Aborted\n\nCurrent thread 0x1 (most recent call first):\n"
        + "Extension modules: numpy.core, h5py\n"
    )
    smoke = stopped("fit", "crashed", ending="was ended by an abort (SIGABRT)", signal="SIGABRT", output=output)
    (finding,) = judge(checks.fit, smoke)
    assert "it had printed: F1120 00:00:00 threadpool.cc:90] Check failed: ret == 0" in finding.message
    assert "Extension modules" not in str(finding.evidence["output"])
    assert finding.fix is not None
    assert "ulimit -v" in finding.fix.summary


def test_any_missing_module_can_be_installed() -> None:
    smoke = facts(Step("import", "failed", 0.1, "No module named 'scipy'", error="ModuleNotFoundError"))
    (finding,) = judge(checks.import_, smoke)
    assert finding.fix is not None
    assert finding.fix.commands == ("/srv/venv/bin/python -m pip install scipy",)


PLUGIN = f"{literals.SITE}/tensorflow-plugins/libmetal_plugin.dylib"
WITH_PLUGIN = TensorFlowFacts("tensorflow", "2.18.0", literals.SITE, "pip", "pypi", None, plugins=(PLUGIN,))


def test_a_crash_while_plug_ins_are_loaded_names_them() -> None:
    smoke = stopped(
        "import",
        "crashed",
        ending="was ended by an abort (SIGABRT)",
        signal="SIGABRT",
        stopped_at="/x/tensorflow/python/framework/load_library.py:151 in load_library",
    )
    (finding,) = judge(checks.import_, smoke, WITH_PLUGIN)
    assert "TensorFlow was loading its plug-ins (libmetal_plugin.dylib)" in finding.message
    folder = f"{literals.SITE}/tensorflow-plugins"
    assert the_fix(finding).commands == (f"mv {folder} {folder}.off",)
    (finding,) = judge(checks.import_, dataclasses.replace(smoke, stopped_at="/x/numpy/core.py:1 in f"), WITH_PLUGIN)
    assert "plug-ins" not in finding.message
    assert judge(checks.import_, GOOD, WITH_PLUGIN) == []
