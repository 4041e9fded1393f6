"""``envcheck build`` without TensorFlow: what is asked for, how records become facts, and what is judged of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import gpu_literals
import pytest

from envcheck.building.asking import build
from envcheck.building.facts import BuildFacts, FailedLayer, Need
from envcheck.checks.model_built import builds, compiles, imports, saves, trains
from envcheck.checks.model_memory import memory
from envcheck.cli import main
from envcheck.commands.build import Shape, chosen
from envcheck.findings import Finding, Severity, Skip
from envcheck.host import Host
from envcheck.inventory import Expectations, Unavailable
from envcheck.probes.environment import EnvironmentFacts
from envcheck.probes.gpu import Device, GpuFacts
from envcheck.target.build_order import STEPS
from envcheck.target.runner import Ending, Kind

MIB = 1 << 20
LAYER = {"name": "reads", "type": "LSTM", "way": ["net", "reads"], "inputs": "(2, 26, 26, 8) float32"}
COUNTED = {
    "weights": 4 * MIB,
    "gradients": 4 * MIB,
    "slots": 8 * MIB,
    "optimizer": "Adam",
    "batch": 2,
    "tensors": 10 * MIB,
    "per_sample": 3 * MIB,
}
WELL: dict[str, dict[str, Any]] = {
    "import": {},
    "make": {},
    "build": {"parameters": 1_000_000, "trainable": 900_000},
    "compile": {"compiled": "own"},
    "train": {"finite": True, "changed": 4, "targets": "(2,) int32"},
    "save_load": {"custom": []},
    "memory": COUNTED,
}


def built(*, kind: Kind = Kind.ANSWERED, until: str = "", **changes: dict[str, Any]) -> BuildFacts:
    """The facts of a build in which all goes well but for ``changes``; the child ends in the step ``until``."""
    records: list[dict[str, Any]] = []
    for name in STEPS:
        records.append({"step": name, "status": "running"})
        if name == until:
            break
        records.append({"step": name, "status": "ok", "message": "", **WELL[name], **changes.get(name, {})})

    def run(python: str, script: str, request: Any, **options: Any) -> Ending:
        assert script == "build"
        assert request["file"] == "/m.py"
        return Ending(kind, tuple(records), code=7 if kind is Kind.EXITED else None, seconds=3.0)

    return build(Host(run=run), "/m.py", "make", [{"shape": [4], "dtype": ""}], 2)


def failed(error: str, message: str, **more: Any) -> dict[str, Any]:
    return {"status": "failed", "error": error, "message": message, **more}


SKIPPED = {"status": "skipped", "message": "the make step did not go well"}


def one(found: Any) -> Finding:
    (finding,) = found
    assert isinstance(finding, Finding)
    return finding


def test_all_goes_well() -> None:
    facts = built()
    assert [step.status for step in facts.steps] == ["ok"] * len(STEPS)
    for check in (imports, builds, compiles, trains, saves):
        assert list(check.judge(facts)) == []


def test_every_check_of_a_build_is_asked_by_this_command() -> None:
    assert [check.code for check in chosen()] == ["MDL901", "MDL902", "MDL903", "MDL904", "MDL905", "MDL906"]


def test_a_layer_that_fails_is_named_with_what_reached_it() -> None:
    facts = built(build=failed("ValueError", "expected ndim=3", layer=LAYER, place=["/m.py", 12]))
    finding = one(builds.judge(facts))
    assert (
        "layer reads (LSTM, in net), which got (2, 26, 26, 8) float32 with ValueError: expected ndim=3"
        in finding.message
    )
    assert finding.location is not None
    assert (finding.location.path, finding.location.line) == ("/m.py", 12)
    assert FailedLayer("a", "Dense", ("a",), "(2,) float32").words == "layer a (Dense), which got (2,) float32"


@pytest.mark.parametrize("kind", [Kind.TIMED_OUT, Kind.EXITED])
def test_a_module_that_hangs_or_ends_the_process(kind: Kind) -> None:
    facts = built(kind=kind, until="import")
    finding = one(imports.judge(facts))
    assert (
        "still running after 3 s" if kind is Kind.TIMED_OUT else "ends the process, which ended with exit code 7"
    ) in (finding.message)
    for check in (builds, compiles, trains, saves):
        with pytest.raises(Skip) as skip:
            list(check.judge(facts))
        assert skip.value.unknown
        assert "import" in skip.value.reason


def test_no_model() -> None:
    facts = built(make=failed("Wrong", "make() returns None, not a Keras model"), build=SKIPPED, compile=SKIPPED)
    assert one(builds.judge(facts)).message == "Making the model goes wrong: make() returns None, not a Keras model"
    with pytest.raises(Skip, match="the make step"):
        list(compiles.judge(facts))


def test_shapes_are_asked_for_where_none_are_declared() -> None:
    finding = one(builds.judge(built(build=failed("Wrong", "it declares no input shape; say --input 2"))))
    assert finding.fix is not None
    assert "--input" in finding.fix.summary


def test_a_model_that_is_not_compiled_is_noted_with_what_was_taken() -> None:
    finding = one(compiles.judge(built(compile={"compiled": "optimizer='adam', loss='mse'"})))
    assert finding.severity is Severity.NOTE
    assert "optimizer='adam', loss='mse'" in finding.message


def test_training_that_changes_nothing_or_ends_in_no_number() -> None:
    assert "not changed" in one(trains.judge(built(train={"changed": 0}))).message
    assert "not a number" in one(trains.judge(built(train={"finite": False}))).message
    nothing_to_train = built(train={"changed": 0}, build={"trainable": 0})
    assert list(trains.judge(nothing_to_train)) == []
    assert "(targets: (2,) int32)" in one(trains.judge(built(train=failed("ValueError", "no")))).message


def test_a_model_that_loads_only_with_custom_objects() -> None:
    finding = one(saves.judge(built(save_load={"custom": ["Doubled"], "plain": "Unknown layer"})))
    assert finding.severity is Severity.WARNING
    assert "custom_objects={'Doubled': Doubled}" in finding.message
    assert one(saves.judge(built(save_load=failed("TypeError", "no get_config")))).severity is None


def test_a_model_that_is_saved_and_not_loaded_trains_all_the_same() -> None:
    words = "Sub.__init__() got an unexpected keyword argument 'trainable'"
    finding = one(saves.judge(built(save_load=failed("TypeError", words, saved=True))))
    assert finding.severity is Severity.WARNING
    assert finding.message.startswith("Loading the saved model fails with TypeError")
    assert finding.fix is not None
    assert "**kwargs" in finding.fix.summary
    own_loss = {"custom": ["Focal"], "plain": "Could not locate class 'Focal'", "uncompiled": True}
    finding = one(saves.judge(built(save_load=own_loss)))
    assert "it loads with compile=False" in finding.message
    assert finding.severity is Severity.WARNING


def test_colours_of_keras_are_left_out() -> None:
    assert "\x1b" not in one(builds.judge(built(build=failed("TypeError", "\x1b[1mno\x1b[0m")))).message


@pytest.mark.parametrize(("kind", "words"), [(Kind.TIMED_OUT, "--timeout"), (Kind.EXITED, "look at that line")])
def test_what_to_do_about_a_hang_or_a_crash(kind: Kind, words: str) -> None:
    finding = one(builds.judge(built(kind=kind, until="make")))
    assert finding.fix is not None
    assert words in finding.fix.summary


# Memory

NO_GPU = Unavailable("no NVIDIA GPU or driver here", absent=True)


def judged(facts: BuildFacts, gpu: GpuFacts | Unavailable, device: str = "auto") -> Finding:
    return one(memory.judge(facts, gpu, EnvironmentFacts({}), Expectations(device)))


def gpus(*free: int) -> GpuFacts:
    devices = tuple(
        Device(number, "NVIDIA L4", f"GPU-{number}", memory_total=24 * 1024 * MIB, memory_free=each)
        for number, each in enumerate(free)
    )
    return GpuFacts(len(devices), devices)


def test_what_a_step_needs_is_told_without_a_gpu() -> None:
    finding = judged(built(), NO_GPU)
    # 4 MiB of weights, 8 of slots, and 10 of tensors with the gradients among them.
    assert "needs about 22.0 MiB" in finding.message
    assert "1,000,000 parameters (900,000 trainable)" in finding.message
    assert "compared with no GPU: no NVIDIA GPU or driver here" in finding.message
    assert finding.severity is None
    assert finding.evidence["total"] == 22 * MIB


def test_the_largest_batch_that_fits() -> None:
    finding = judged(built(), gpus(52 * MIB))  # 22 for two, and ten more of 3 each
    assert "the largest batch that fits is about 12" in finding.message
    assert finding.severity is None
    assert judged(built(), gpus(52 * MIB - 1)).evidence["largest_batch"] == 11
    assert judged(built(), gpus(MIB, 52 * MIB), "gpu:1").evidence["largest_batch"] == 12


def test_a_batch_that_does_not_fit() -> None:
    finding = judged(built(), gpus(20 * MIB))
    assert finding.severity is Severity.ERROR
    assert "it does not fit; the largest batch that fits is about 1" in finding.message
    assert "not even one sample does" in judged(built(), gpus(15 * MIB)).message


def test_gradients_are_the_least_that_lives_at_one_time() -> None:
    need = Need(4, 6, 8, "Adam", 2, tensors=5, per_sample=1)
    assert need.total() == 4 + 8 + 6
    assert need.total(10) == 4 + 8 + 13
    assert need.largest(4 + 8 + 13) == 10
    assert Need(4, 6, 8, "Adam", 2).total() is None


def test_without_the_tensors_the_rest_is_told() -> None:
    only = {**COUNTED, "tensors": None, "status": "skipped", "message": "this model runs on jax"}
    finding = judged(built(memory=only), gpus(52 * MIB))
    assert "8.0 MiB of variables of Adam; the activations are not counted: this model runs on jax" in finding.message


def test_nothing_counted_is_not_checked() -> None:
    facts = built(kind=Kind.EXITED, until="train")
    with pytest.raises(Skip, match="train"):
        list(memory.judge(facts, NO_GPU, EnvironmentFacts({}), Expectations()))


def test_a_machine_with_an_h100() -> None:
    assert "the largest batch" in judged(built(), gpu_literals.gpu()).message


# The command line


@pytest.mark.parametrize(
    ("text", "shape", "dtype"),
    [("224,224,3", [224, 224, 3], ""), ("(100,):int32", [100], "int32"), ("8, 4:float16", [8, 4], "float16")],
)
def test_a_shape(text: str, shape: list[int], dtype: str) -> None:
    assert Shape().convert(text, None, None) == {"shape": shape, "dtype": dtype}


def test_a_shape_with_a_name() -> None:
    assert Shape().convert("image = 8,8:uint8", None, None) == {"shape": [8, 8], "dtype": "uint8", "name": "image"}


@pytest.mark.parametrize(
    "text", ["", "x", "=3", "a=", "0", "-1", "2,,3", "224x224", "3:", "3:complex", "None,3", ":int32", "٣"]
)
def test_what_is_no_shape(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Shape().convert(text, None, None)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("model.py", "is no FILE:OBJECT"),
        ("nowhere.py:make", "there is no file nowhere.py"),
        ("notes.txt:make", "is no Python file"),
        (".:make", "there is no file"),
        ("notes.txt:", "is no FILE:OBJECT"),
        ("notes.txt:a-b", "is no FILE:OBJECT"),
        ("a\0b.py:make", ""),
    ],
)
def test_what_cannot_be_built(
    target: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("", "utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["build", target])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


FAKE = """
class Model:
    def __init__(self): self.name = "m"
def make(): return Model()
import sys
print("x" * 100)
where = (__name__, sys.argv, sys.path[0])
{code}
"""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1 / 0", "Importing the module fails with ZeroDivisionError: division by zero"),
        ("sys.exit(3)", "Importing the module fails with SystemExit: 3"),
        ("def x(:", "Importing the module fails with SyntaxError"),
        ("import os; os._exit(5)", "Importing the module ends the process, which ended with exit code 5"),
        (
            "import os; os.kill(os.getpid(), 11)",
            "Importing the module ends the process, which was ended by a segmentation",
        ),
        ("import time; time.sleep(60)", "Importing the module was still running after"),
        ("make = 3", "make is an int, neither a model nor a function that makes one"),
        ("del make", "there is no make in mine.py; it has Model"),
        ("", "make() returns a Model, not a Keras model"),
        ("def make(units): pass", "make needs arguments: units"),
        ("def make(): return where", "returns a tuple, not a Keras model"),
        ("import os\nif not os.fork(): sys.exit(3)", "make() returns a Model, not a Keras model"),
        ("assert where[0] == 'mine' and where[1][0] == __file__ and __file__.startswith(where[2])", "returns a Model"),
    ],
)
def test_a_module_without_tensorflow(code: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FAKE.format(code=code), "utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["build", f"{file}:make", "--python", sys.executable, "--timeout", "4", "--device", "cpu"])
    told = " ".join(capsys.readouterr().out.split())
    assert words in told
    assert "NOT READY" in told
    assert ended.value.code == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.py"]


@pytest.mark.parametrize("target", ["package/nets.py:make", "package.nets:make", "package:make"])
def test_a_module_of_a_package(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("from .nets import make\n", "utf-8")
    (package / "sizes.py").write_text("WIDTH = 3\n", "utf-8")
    (package / "nets.py").write_text("from .sizes import WIDTH\ndef make(): return WIDTH\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["build", target, "--python", sys.executable, "--timeout", "20", "--device", "cpu"])
    assert "make() returns an int, not a Keras model" in " ".join(capsys.readouterr().out.split())
