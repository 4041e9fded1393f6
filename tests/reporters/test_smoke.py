"""What the text report says of the smoke run: the steps, and the framework's log explained."""

from __future__ import annotations

import dataclasses

import pytest

from envcheck.findings import Finding, Outcome, Report, Severity, Status
from envcheck.inventory import Inventory, Unavailable
from envcheck.probes.smoke import LogLine, SmokeFacts, Step
from envcheck.reporters.text.smoke import ran
from envcheck.reporters.text.verdict import verdict

SKIPPED = tuple(Step(name, "skipped", message="there is one device: CPU:0") for name in ("each_device", "all_reduce"))
ON_CPU = SmokeFacts(
    "tensorflow",
    "auto",
    "answered",
    5.0,
    300.0,
    (Step("matmul", "ok", 0.05, "the product deviates by 0", "CPU:0", first=0.0464, steady=0.0000412), *SKIPPED),
    {},
    {},
)
LOG = (
    LogLine("E", "cuda_dnn.cc", "Unable to register cuDNN factory", 1, "factory-twice", "Nothing is missing.", True),
    LogLine("E", "cuda_fft.cc", "Unable to register cuFFT factory", 1, "factory-twice", "Nothing is missing.", True),
    LogLine("W", "gpu_device.cc", "Cannot dlopen some GPU libraries. " + "x" * 200, 2, "no-dlopen", "No GPU.", False),
    LogLine("E", "new.cc", "never seen before"),
    LogLine("I", "new.cc", "chatter"),
)


def lines(facts: object, *, everything: bool = False) -> list[str]:
    return ran(Inventory({"smoke": facts}), everything=everything)


def test_a_cpu_is_not_told_what_only_gpus_could_show() -> None:
    assert lines(ON_CPU) == ["matmul       ok         0.05 s on CPU:0"]
    assert lines(ON_CPU, everything=True) == [
        "matmul       ok         0.05 s on CPU:0 (first 46 ms, then 0.04 ms)  the product deviates by 0",
        "each_device  skipped            there is one device: CPU:0",
        "all_reduce   skipped            there is one device: CPU:0",
    ]


def test_on_a_gpu_the_first_time_is_told_beside_the_later_ones() -> None:
    step = Step("matmul", "ok", 312.5, "", "GPU:0", first=312.1, steady=0.0021)
    (line,) = lines(dataclasses.replace(ON_CPU, steps=(step,)))
    assert line == "matmul       ok       312.50 s on GPU:0 (first 312.1 s, then 2.10 ms)"


def test_steps_that_are_left_out_for_one_reason_share_a_line() -> None:
    steps = (
        Step("devices", "failed", 0.1, "no GPU"),
        Step("matmul", "skipped", message="the devices step failed"),
        Step("fit", "skipped", message="the devices step failed"),
        Step("xla", "skipped", message="PyTorch does not compile with XLA"),
        Step("process", "skipped", message="the devices step failed"),
    )
    assert lines(dataclasses.replace(ON_CPU, steps=steps)) == [
        "devices      failed     0.10 s  no GPU",
        "xla          skipped            PyTorch does not compile with XLA",
        "skipped: matmul, fit (the devices step failed)",
    ]
    crashed = (
        Step("import", "crashed", message="it was ended"),
        *(Step(name, "not reached") for name in ("fit", "xla")),
    )
    assert lines(dataclasses.replace(ON_CPU, steps=crashed)) == [
        "import       crashed            it was ended",
        "not reached: fit, xla",
    ]


def test_a_step_that_fails_on_several_gpus_is_told() -> None:
    facts = dataclasses.replace(ON_CPU, steps=(Step("each_device", "failed", 1.0, "1 of 2 devices: GPU:1 (…)"),))
    assert lines(facts) == ["each_device  failed     1.00 s  1 of 2 devices: GPU:1 (…)"]


def test_of_the_log_the_lines_that_matter_are_shown() -> None:
    facts = dataclasses.replace(ON_CPU, steps=(), log=LOG)
    shown = "Cannot dlopen some GPU libraries. " + "x" * 75 + "…"
    assert lines(facts) == [
        f'log: "{shown}" (2 times): No GPU.',
        "log: 2 harmless lines and 1 error line unknown to envcheck (-v shows them)",
    ]


def test_with_everything_the_harmless_lines_are_labelled() -> None:
    found = lines(dataclasses.replace(ON_CPU, steps=(), log=LOG), everything=True)
    assert found[1:] == [
        'log, harmless: "Unable to register cuDNN factory" and 1 more of the kind: Nothing is missing.',
        'log, not known to envcheck (error): "never seen before"',
        'log, not known to envcheck (information): "chatter"',
    ]


def test_without_a_run_there_is_its_reason_or_nothing() -> None:
    assert lines(Unavailable("neither TensorFlow nor Keras is installed")) == [
        "neither TensorFlow nor Keras is installed"
    ]
    assert ran(Inventory({}), everything=True) == []


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [(1, "NOTHING WAS RUN: no Keras here."), (0, "NO ERROR FOUND in what was checked; nothing was run")],
)
def test_a_run_that_had_to_be_made_and_was_not_is_no_success(exit_code: int, words: str) -> None:
    report = Report("1", Inventory({"smoke": Unavailable("no Keras here", absent=True)}), (), exit_code)
    assert verdict(report)[0].startswith(words)


@pytest.mark.parametrize(
    ("status", "severities", "words"),
    [
        (Status.PASSED, (), "BUILT: your model trained one step"),
        (Status.FAILED, (Severity.WARNING,), "BUILT, with warnings: your model trained one step"),
        (Status.FAILED, (Severity.ERROR,), "NOT READY: training will fail"),
        (Status.SKIPPED, (), "NO ERROR FOUND in what was checked; nothing was run"),
    ],
)
def test_the_verdict_of_a_build(status: Status, severities: tuple[Severity, ...], words: str) -> None:
    said = tuple(Finding("the loss is not finite", severity=each) for each in severities)
    step = Outcome("MDL904", "One training step runs", Severity.ERROR, status, findings=said)
    report = Report("1", Inventory({}), (step,), 0)
    assert verdict(report)[0].startswith(words)
