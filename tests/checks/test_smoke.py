"""The checks of the smoke run's steps, on literal facts."""

from __future__ import annotations

import dataclasses
from typing import Any

import literals
import pytest

from envcheck.checks import smoke as checks
from envcheck.checks import smoke_gpus as gpus
from envcheck.checks import smoke_operations as operations
from envcheck.checks import smoke_training as training
from envcheck.findings import Check, Finding, Fix, Severity, Skip
from envcheck.inventory import Unavailable
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.gpu import Device, GpuFacts
from envcheck.probes.smoke import STEPS, Held, LogLine, SmokeFacts, Step
from envcheck.probes.tensorflow import TensorFlowFacts

EVERY = {
    "import": checks.import_,
    "devices": checks.devices,
    "matmul": operations.matmul,
    "dtypes": operations.dtypes,
    "convolution": operations.convolution,
    "rnn": operations.rnn,
    "fit": training.fit,
    "mixed": training.mixed,
    "xla": operations.xla,
    "save_load": training.save_load,
    "each_device": gpus.each_device,
    "all_reduce": gpus.all_reduce,
}
WARNINGS = {"xla", "mixed", "dtypes", "all_reduce"}
NAMES = tuple(EVERY)
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


def judge(
    check: Check,
    smoke: SmokeFacts,
    tensorflow: object = None,
    *,
    gpu: object = None,
    variables: dict[str, str] | None = None,
) -> list[Finding]:
    known = {
        "smoke": smoke,
        "python": literals.python(),
        "packages": literals.packages(),
        "tensorflow": tensorflow or Unavailable("not looked at"),
        "gpu": gpu or GpuFacts(1, (Device(0, "NVIDIA L4", memory_used=500 << 20),)),
        "environment": literals.environment(**(variables or {})),
        "matrix": load_matrix(),
    }
    return list(check.judge(*(known[name] for name in check.facts)))


def the_fix(finding: Finding) -> Fix:
    assert finding.fix is not None
    return finding.fix


@pytest.mark.parametrize("name", NAMES)
def test_a_good_run_passes_every_check(name: str) -> None:
    assert judge(EVERY[name], GOOD) == []


@pytest.mark.parametrize("name", NAMES)
def test_each_check_judges_its_own_step(name: str) -> None:
    failed = facts(
        Step(name, "failed", 0.1, "no such thing", error="RuntimeError", frames=("a.py:1 in f", "b.py:2 in g"))
    )
    (finding,) = judge(EVERY[name], failed)
    assert finding.message.endswith("fails with RuntimeError: no such thing (b.py:2 in g)")
    assert finding.evidence["frames"] == ["a.py:1 in f", "b.py:2 in g"]
    assert all(judge(EVERY[other], failed) == [] for other in NAMES if other != name)


def test_what_only_some_models_need_is_a_warning() -> None:
    assert {name for name, check in EVERY.items() if check.severity is Severity.WARNING} == WARNINGS
    wrong = Step("dtypes", "failed", 0.1, "a product in float16 deviates by 0.5", error="Wrong")
    (finding,) = judge(operations.dtypes, facts(wrong))
    assert finding.severity is Severity.ERROR  # wrong numbers are no matter of taste


def test_a_skipped_step_is_skipped_for_its_reason() -> None:
    with pytest.raises(Skip) as skip:
        judge(operations.xla, facts(Step("xla", "skipped", message="PyTorch does not compile with XLA")))
    assert skip.value.reason == "PyTorch does not compile with XLA"


@pytest.mark.parametrize("status", ["crashed", "hung"])
def test_a_step_that_was_not_reached_names_the_one_that_stopped_it(status: str) -> None:
    with pytest.raises(Skip) as skip:
        judge(training.save_load, stopped("import", status))
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
    (finding,) = judge(training.fit, stopped("fit", "crashed", ending=f"was ended by {signal}", signal=signal))
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
    (finding,) = judge(operations.matmul, facts(wrong))
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
        ("it ran on CPU:0 although GPU:0 was to be used", "the chain from the hardware", None),
        ("GPU:3 is asked for, and TensorFlow has 2 GPUs: GPU:0 to GPU:1", "numbered from 0", None),
        ("fit not implemented for NumPy backend.", "cannot train", "unset KERAS_BACKEND"),
        ("DNN library is not found.", "cuDNN", None),
        ("failed to allocate 2.0G: out of memory", "nvidia-smi", None),
        ("something new", "no special reason", None),
    ],
)
def test_a_known_message_has_its_fix(message: str, summary: str, command: str | None) -> None:
    (finding,) = judge(training.fit, facts(Step("fit", "failed", 0.1, message, error="ImportError")))
    fix = the_fix(finding)
    assert summary in fix.summary
    assert (fix.commands == ()) if command is None else (command in fix.commands[0])


def test_the_extra_with_cuda_is_not_asked_of_releases_without_it() -> None:
    failed = Step("xla", "failed", 0.1, "libdevice not found", error="InternalError")
    (finding,) = judge(operations.xla, facts(failed, versions={"tensorflow": "2.13.1"}))
    assert the_fix(finding).commands == ()


def test_what_native_code_said_is_kept_and_the_list_of_modules_is_not() -> None:
    output = (
        "warming up\nF1120 00:00:00 threadpool.cc:90] Check failed: ret == 0 (11 vs. 0)pthread_create() failed\n"
        "Fatal Python error: Aborted\n\nCurrent thread 0x1 (most recent call first):\n"
        + "Extension modules: numpy.core, h5py\n"
    )
    smoke = stopped("fit", "crashed", ending="was ended by an abort (SIGABRT)", signal="SIGABRT", output=output)
    (finding,) = judge(training.fit, smoke)
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


NO_GPU = "a GPU is asked for, and there is none to use: TensorFlow lists no GPU"


@pytest.mark.parametrize(
    ("gpu", "variables", "summary", "commands"),
    [
        (Unavailable("no NVIDIA GPU or driver here", absent=True), {}, "here: run it on a machine that has one", ()),
        (Unavailable("no NVIDIA driver answers: NVML answers UNKNOWN"), {}, "UNKNOWN: the GPU findings say", ()),
        (None, {"CUDA_VISIBLE_DEVICES": ""}, "hides every GPU", ("unset CUDA_VISIBLE_DEVICES",)),
        (None, {}, "the chain from the hardware to the framework", ()),
    ],
)
def test_a_gpu_that_is_missed_is_looked_for_where_it_can_be(
    gpu: object, variables: dict[str, str], summary: str, commands: tuple[str, ...]
) -> None:
    smoke = facts(Step("devices", "failed", 0.1, NO_GPU, error="Wrong"), wanted="gpu")
    (finding,) = judge(checks.devices, smoke, gpu=gpu, variables=variables)
    assert summary in the_fix(finding).summary
    assert the_fix(finding).commands == commands


def test_an_inventory_without_a_step_knows_nothing_of_it() -> None:
    older = dataclasses.replace(GOOD, steps=tuple(step for step in GOOD.steps if step.name != "rnn"))
    with pytest.raises(Skip) as skip:
        judge(operations.rnn, older)
    assert skip.value.unknown
    assert "an envcheck without this step" in skip.value.reason


# The first operation on a GPU

PTX = (
    "TensorFlow was not built with CUDA kernel binaries compatible with compute capability 12.0. CUDA kernels will be "
)
PTX += "jit-compiled from PTX, which could take 30 minutes or longer."


@pytest.mark.parametrize(
    ("first", "steady", "device", "slow"),
    [
        (312.0, 0.002, "GPU:0", True),
        (10.0, 0.1, "GPU:0", True),
        (9.9, 0.001, "GPU:0", False),  # a slow disk
        (30.0, 1.0, "GPU:0", False),  # a slow machine
        (312.0, 0.002, "CPU:0", None),
    ],
)
def test_a_first_operation_that_takes_minutes(first: float, steady: float, device: str, slow: bool | None) -> None:
    smoke = facts(Step("matmul", "ok", first, "", device, first=first, steady=steady))
    if slow is None:
        with pytest.raises(Skip):
            judge(gpus.slow_start, smoke)
        return
    findings = judge(gpus.slow_start, smoke, variables={"CUDA_CACHE_DISABLE": "1"})
    assert bool(findings) is slow
    for finding in findings:
        assert f"matmul took {first:.0f} s on GPU:0 the first time, {steady:.3g} s later" in finding.message
        assert the_fix(finding).commands == ("unset CUDA_CACHE_DISABLE", "export CUDA_CACHE_MAXSIZE=4294967296")


def test_what_tensorflow_says_of_ptx_is_enough() -> None:
    (finding,) = judge(gpus.slow_start, facts(log=(LogLine("W", "gpu_device.cc", PTX),)))
    assert finding.message == f"The GPU starts slowly: TensorFlow says: {PTX}"
    assert the_fix(finding).commands == ("export CUDA_CACHE_MAXSIZE=4294967296",)


# Several GPUs


def test_the_gpu_that_computes_wrongly_is_named() -> None:
    found = {"GPU:0": "", "GPU:1": "Wrong: the product deviates by 0.5"}
    step = Step("each_device", "failed", 1.0, "1 of 2 devices: GPU:1 (…)", error="Wrong", per_device=found)
    (finding,) = judge(gpus.each_device, facts(step))
    assert finding.message == "Computing on each device went wrong: 1 of 2 devices: GPU:1 (…)"
    assert "Leave GPU:1 out" in the_fix(finding).summary
    assert the_fix(finding).commands[-1] == "envcheck smoke --device gpu:0"


@pytest.mark.parametrize("name", ["each_device", "all_reduce"])
def test_one_device_is_skipped_never_passed(name: str) -> None:
    with pytest.raises(Skip) as skip:
        judge(EVERY[name], facts(Step(name, "skipped", message="there is one device: CPU:0")))
    assert (skip.value.reason, skip.value.unknown) == ("there is one device: CPU:0", False)


# Who is on the GPU, by the driver's word

TWO = GpuFacts(2, tuple(Device(n, "NVIDIA L4", memory_used=500 << 20) for n in (0, 1)))


def held(*own: bool, used: int = 500) -> SmokeFacts:
    """A run during which the driver showed these GPUs; TensorFlow's GPU:0 is the second one."""
    seen = tuple(
        Held(number, f"GPU-{number}", f"00000000:0{number}:00.0", (used if number == 1 else 500) << 20, each, 1)
        for number, each in enumerate(own)
    )
    return facts(held=seen, placed={"GPU:0": "0000:01:00.0"})


def test_the_driver_shows_the_process_where_the_framework_says() -> None:
    assert judge(gpus.process, held(False, True), gpu=TWO) == []
    assert judge(gpus.process, dataclasses.replace(held(True, False), placed={}), gpu=TWO) == []


def test_a_process_on_another_gpu_is_a_contradiction() -> None:
    (finding,) = judge(gpus.process, held(True, False), gpu=TWO)
    assert finding.message == (
        "The framework says that it computes on GPU:0, which is the driver's GPU 1 (00000000:01:00.0), and the driver shows "
        "its process on GPU 0 only"
    )


def test_by_its_number_the_only_visible_gpu_is_meant() -> None:
    steps = tuple(dataclasses.replace(step, device="GPU:1") for step in GOOD.steps)
    assert judge(gpus.process, dataclasses.replace(held(False, True), steps=steps, wanted="gpu:1"), gpu=TWO) == []
    assert judge(gpus.process, dataclasses.replace(held(True, False), steps=steps, wanted="gpu:1"), gpu=TWO)


def test_in_a_container_the_memory_that_grew_is_the_proof() -> None:
    assert judge(gpus.process, held(False, False, used=800), gpu=TWO) == []


@pytest.mark.parametrize(
    ("smoke", "gpu", "reason"),
    [
        (held(False, False), TWO, "has not grown"),
        (held(False, False, used=800), Unavailable("the driver hung"), "the driver hung"),
        (held(False, False, used=800), GpuFacts(2, (Device(0), Device(1))), "has not grown"),
    ],
)
def test_where_nothing_is_seen_nothing_is_known(smoke: SmokeFacts, gpu: object, reason: str) -> None:
    with pytest.raises(Skip) as skip:
        judge(gpus.process, smoke, gpu=gpu)
    assert skip.value.unknown
    assert reason in skip.value.reason


def test_on_the_cpu_there_is_no_process_to_look_for() -> None:
    with pytest.raises(Skip) as skip:
        judge(gpus.process, facts(Step("process", "skipped", message="nothing runs on a GPU")))
    assert not skip.value.unknown
