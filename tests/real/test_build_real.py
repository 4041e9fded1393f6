"""``envcheck build`` on real models and real releases: what it names when they fail, and the memory it foresees."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
from pathlib import Path

import pytest
from real.environments import Release, parameters

from envcheck.building.asking import build
from envcheck.building.facts import BuildFacts
from envcheck.host import Host
from envcheck.inventory import Expectations

pytestmark = pytest.mark.real
HERE = Path(__file__).parent
MODELS = HERE / "models"
SPARSE, BINARY = "sparse_categorical_crossentropy", "binary_crossentropy"
REAL = {
    "cnn": ("cnn.py", "make", SPARSE),
    "unet": ("unet.py", "model", BINARY),
    "lstm": ("lstm.py", "make", BINARY),
    "transformer": ("transformer.py", "make", SPARSE),
    "application": ("application.py", "Made.small", SPARSE),
    "recurrent": ("recurrent.py", "make", SPARSE),
}
BATCH = 32
each_release = pytest.mark.parametrize("on", parameters("tf2.21", "tf2.15"))
# A build takes a quarter of a minute: by default most of them are made with one Keras only.
ALL = ("tf2.21", "tf2.15") if os.environ.get("ENVCHECK_TEST_RELEASES") == "all" else ("tf2.21",)
one_release = pytest.mark.parametrize("on", parameters(*ALL))


def built(
    on: Release,
    tmp_path: Path,
    file: str,
    name: str,
    *,
    batch: int = 2,
    inputs: tuple[int, ...] = (),
    timeout: float = 240,
) -> BuildFacts:
    environ = {"PATH": os.defpath, "HOME": str(tmp_path), **on.environ}
    host = Host(
        python=str(on.interpreter()), cwd=tmp_path, environ=environ, timeout=timeout, expectations=Expectations("cpu")
    )
    given = [{"shape": list(inputs), "dtype": ""}] if inputs else []
    return build(host, str(MODELS / file), name, given, batch)


def statuses(facts: BuildFacts) -> list[str]:
    return [step.status for step in facts.steps]


def measured(on: Release, file: str, name: str, loss: str) -> tuple[int, float]:
    """The most bytes of tensors that lived at a time during training steps, and the median of the allocator's own peaks."""
    command = [str(on.interpreter()), str(HERE / "measure_step.py"), str(MODELS / file), name, str(BATCH), loss]
    environ = {"PATH": os.defpath, "CUDA_VISIBLE_DEVICES": "-1", **on.environ}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=240)
    return most_asked_for(done.stderr), statistics.median(json.loads(done.stdout.splitlines()[-1]))


def most_asked_for(log: str) -> int:
    """The peak of the bytes that were asked for, from TensorFlow's log of allocations; after the line ``STEP``."""
    live: dict[str, int] = {}
    now = most = 0
    for line in log.splitlines():
        if line == "STEP":
            most = now
        number = re.search(r"allocation_id: (\d+)", line)
        if number is None:
            continue
        asked = re.search(r"(?:requested_bytes|num_bytes): (\d+)", line)
        if "Deallocation" in line:
            now -= live.pop(number[1], 0)
        elif asked is not None and "Allocation {" in line and number[1] not in live:
            live[number[1]] = int(asked[1])
            now += live[number[1]]
            most = max(most, now)
    return most


@pytest.mark.parametrize("model", REAL)
@one_release
def test_a_real_model_and_its_memory(on: Release, model: str, tmp_path: Path) -> None:
    file, name, loss = REAL[model]
    facts = built(on, tmp_path, file, name, batch=BATCH)
    assert statuses(facts) == ["ok"] * 7, (facts.steps, facts.output)
    assert facts.step("save_load").more["custom"] == []
    assert facts.step("compile").more["compiled"] == (
        "own" if model not in ("unet", "application") else f"optimizer='adam', loss={loss!r}"
    )
    need = facts.need
    assert need is not None
    assert need.left_out == ()
    total, (asked, taken) = need.total(), measured(on, file, name, loss)
    assert total is not None
    print(  # noqa: T201
        f"{on.name} {model}: foreseen {total / 2**20:.1f} MiB; tensors {asked / 2**20:.1f} MiB ({total / asked:.2f}); "
        f"allocator {taken / 2**20:.1f} MiB ({total / taken:.2f})"
    )
    assert 0.75 <= total / asked <= 1.25


@each_release
def test_counts_are_exact(on: Release, tmp_path: Path) -> None:
    facts = built(on, tmp_path, "broken.py", "plain")
    need = facts.need
    assert need is not None
    # A Dense(2) of 4 inputs: 10 numbers of 4 bytes. Adam keeps two of each, its count of steps, in Keras 3 its learning rate.
    assert (need.weights, need.gradients, need.slots) == (40, 40, 2 * 40 + 8 + (4 if on.name == "tf2.21" else 0))
    assert facts.step("build").more["parameters"] == facts.step("build").more["trainable"] == 10


@pytest.mark.parametrize(
    ("name", "step", "words"),
    [
        ("raises", "make", "KeyError 'no such setting'"),
        ("exits", "make", "SystemExit 3"),
        ("nothing", "make", "Wrong nothing() returns None"),
        ("a_list", "make", "Wrong a_list is a list"),
        ("missing", "make", "Wrong there is no missing in broken.py; it has raises"),
        ("ranks", "make", "ValueError Input 0"),
        ("subclassed", "build", "Wrong it declares no input shape"),
        ("wrong_loss", "train", ""),
    ],
)
@one_release
def test_what_fails_is_named(on: Release, name: str, step: str, words: str, tmp_path: Path) -> None:
    facts = built(on, tmp_path, "broken.py", name)
    failed = facts.step(step)
    assert failed.status == "failed", (facts.steps, facts.output)
    assert words in f"{failed.error} {failed.message}"
    if name == "ranks":
        assert failed.layer is not None
        assert (failed.layer.name, failed.layer.inputs) == ("reads", "(None, 26, 26, 8) float32")
        assert failed.place is not None
        assert failed.place[0] == str(MODELS / "broken.py")


@one_release
def test_the_failing_layer_inside_of_a_model_of_ones_own(on: Release, tmp_path: Path) -> None:
    failed = built(on, tmp_path, "broken.py", "subclassed", inputs=(5,)).step("build")
    assert failed.status == "failed"
    assert failed.layer is not None
    assert (failed.layer.name, failed.layer.type, failed.layer.inputs) == ("half", "Half", "(2, 6) float32")
    assert failed.layer.way[-1] == "half"
    assert len(failed.layer.way) == 2


@one_release
def test_saving(on: Release, tmp_path: Path) -> None:
    unsaved = built(on, tmp_path, "broken.py", "unsaved").step("save_load")
    assert unsaved.status == "failed", unsaved
    unregistered = built(on, tmp_path, "broken.py", "unregistered").step("save_load")
    assert unregistered.status == "ok", unregistered
    assert unregistered.more["custom"] == ["Doubled"]


@one_release
def test_ends_hangs_prints_and_trains_nothing(on: Release, tmp_path: Path) -> None:
    assert statuses(built(on, tmp_path, "broken.py", "dies"))[:3] == ["ok", "crashed", "not reached"]
    assert statuses(built(on, tmp_path, "broken.py", "hangs", timeout=20))[:3] == ["ok", "hung", "not reached"]
    assert statuses(built(on, tmp_path, "broken.py", "prints")) == ["ok"] * 7
    frozen = built(on, tmp_path, "broken.py", "frozen").step("train")
    assert (frozen.status, frozen.more["changed"]) == ("ok", 0)
