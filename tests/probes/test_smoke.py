"""The smoke run, by the real script in a bare interpreter, on stand-ins for TensorFlow, JAX and PyTorch."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import literals
import msgspec
import pytest

from envcheck.host import Host
from envcheck.inventory import Expectations, Unavailable
from envcheck.probes import smoke as probe
from envcheck.probes.smoke import STEPS, SmokeFacts, stopped_at
from envcheck.target.runner import Ending, Kind, script_path

Stand = Callable[..., SmokeFacts]

TENSORFLOW = """
    import sys, types
    __version__ = "2.15.0"
    GROWING, HIDDEN = [], []
    LISTED = [types.SimpleNamespace(name="/physical_device:GPU:%d" % n) for n in range({listed})]
    USABLE = [types.SimpleNamespace(name="/device:GPU:%d" % n) for n in range({usable})]
    class Model: pass
    Model.__module__ = __name__ + ".keras"
    keras = types.SimpleNamespace(__version__="2.15.0", __file__=__file__, Model=Model)
    executing_eagerly = lambda: True
    def logical(kind):
        if kind == "CPU":
            return [types.SimpleNamespace(name="/device:CPU:0")]
        print("growing", len(GROWING), "before use")
        return USABLE
    config = types.SimpleNamespace(experimental=types.SimpleNamespace(
        list_physical_devices=lambda kind: LISTED,
        list_logical_devices=logical,
        set_memory_growth=lambda gpu, on: GROWING.append(gpu),
        set_visible_devices=lambda gpus, kind: print("visible", gpus, kind),
        get_device_details=lambda gpu: {{"device_name": "NVIDIA L4", "compute_capability": (8, 9)}},
    ))
    test = types.SimpleNamespace(is_built_with_cuda=lambda: {cuda})
"""


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python without any package: what the tests' own environment has must not count."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")


@pytest.fixture
def stand(bare: str, tmp_path: Path) -> Stand:
    """Run smoke.py on the files given by their path; those in ``cwd/`` lie beside the user's script."""

    def run(files: dict[str, str], *, device: str = "auto", timeout: float = 30.0, **environ: str) -> SmokeFacts:
        for name in ("cwd", "home", "site"):
            (tmp_path / name).mkdir(exist_ok=True)
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        variables = {
            "PYTHONPATH": str(tmp_path / "site"),
            "HOME": str(tmp_path / "home"),
            "PATH": os.defpath,
            **environ,
        }
        facts = probe.collect(
            Host(
                python=bare,
                cwd=tmp_path / "cwd",
                environ=variables,
                timeout=timeout,
                expectations=Expectations(device),
            ),
            literals.python(),
        )
        assert isinstance(facts, SmokeFacts)
        return facts

    return run


def fake(listed: int = 0, usable: int = 0, cuda: bool = True) -> dict[str, str]:
    """A TensorFlow that says what GPUs there are."""
    return {"site/tensorflow.py": TENSORFLOW.format(listed=listed, usable=usable, cuda=cuda)}


def statuses(facts: SmokeFacts) -> dict[str, str]:
    return {step.name: step.status for step in facts.steps}


# How the import can end


def test_without_tensorflow_and_keras_there_is_nothing_to_run(bare: str, tmp_path: Path) -> None:
    facts = probe.collect(Host(python=bare, cwd=tmp_path, environ={"HOME": str(tmp_path)}), literals.python())
    assert facts == Unavailable("neither TensorFlow nor Keras is installed in /srv/venv", absent=True)


def test_keras_without_its_backend_is_a_failed_import(stand: Stand) -> None:
    facts = stand({"site/keras-3.10.0.dist-info/METADATA": ""})
    assert facts.step("import").message == "No module named 'tensorflow'"


def test_a_module_that_tensorflow_misses_is_not_tensorflow_missing(stand: Stand) -> None:
    step = stand({"site/tensorflow/__init__.py": "import absl.logging"}).step("import")
    assert (step.status, step.error, step.message) == ("failed", "ModuleNotFoundError", "No module named 'absl'")
    assert step.frames[-1].endswith("tensorflow/__init__.py:1 in <module>: import absl.logging")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals")
@pytest.mark.parametrize("name", ["SIGABRT", "SIGSEGV", "SIGILL", "SIGKILL"])
def test_a_signal_ends_the_import(stand: Stand, name: str) -> None:
    facts = stand({"site/tensorflow/__init__.py": f"import os, signal\n\nos.kill(os.getpid(), signal.{name})"})
    assert statuses(facts) == {"import": "crashed", **dict.fromkeys(STEPS[1:], "not reached")}
    assert facts.signal == name
    assert name in facts.ending
    if name != "SIGKILL":  # nobody is told about that one
        assert facts.stopped_at.endswith("tensorflow/__init__.py:3 in <module>")


def test_a_hang_tells_its_python_line(stand: Stand) -> None:
    facts = stand(
        {"site/tensorflow/__init__.py": "import time\n\ndef wait():\n    time.sleep(60)\n\nwait()"}, timeout=2.0
    )
    assert statuses(facts)["import"] == "hung"
    assert facts.stopped_at.endswith("tensorflow/__init__.py:4 in wait")
    assert facts.signal is None


@pytest.mark.parametrize(("code", "ending"), [(3, "ended with exit code 3"), (0, "ended without an answer")])
def test_leaving_early_is_a_crash(stand: Stand, code: int, ending: str) -> None:
    facts = stand({"site/tensorflow/__init__.py": f"import os\nos._exit({code})"})
    assert (statuses(facts)["import"], facts.ending) == ("crashed", ending)


def test_a_module_that_exits_has_raised(stand: Stand) -> None:
    step = stand({"site/tensorflow/__init__.py": "import sys\nsys.exit('no licence')"}).step("import")
    assert (step.status, step.error, step.message) == ("failed", "SystemExit", "no licence")


def test_the_traceback_inside_an_import_error_is_unpacked(stand: Stand) -> None:
    wrapper = """
        import traceback
        try:
            from tensorflow import native
        except ImportError:
            raise ImportError(traceback.format_exc() + "\\n\\nFailed to load the native TensorFlow runtime.")
    """
    native = "raise ImportError('libcudart.so.11.0: cannot open shared object file: No such file or directory')"
    step = stand({"site/tensorflow/__init__.py": wrapper, "site/tensorflow/native.py": native}).step("import")
    assert step.message == "libcudart.so.11.0: cannot open shared object file: No such file or directory"
    assert step.error == "ImportError"
    assert "native.py:1 in <module>" in step.frames[-1]


def test_the_cause_of_an_exception_is_told(stand: Stand) -> None:
    text = "try:\n    {}['a']\nexcept KeyError as error:\n    raise RuntimeError('no registry') from error"
    assert stand({"site/tensorflow.py": text}).step("import").message == "no registry (after KeyError: 'a')"


@pytest.mark.parametrize("path", ["cwd/tensorflow.py", "cwd/tensorflow/notes.txt"])
def test_something_else_with_the_name_of_tensorflow(stand: Stand, path: str) -> None:
    step = stand({path: "print('\\x00garbage' * 100000)\n"}).step("import")
    assert step.status == "failed"
    assert "what is imported as tensorflow is not the package of that name" in step.message
    assert "cwd" in step.message


def test_without_keras_the_rest_goes_on(stand: Stand) -> None:
    broken = fake()["site/tensorflow.py"].replace("keras = ", "unused = ")
    facts = stand({"site/tensorflow.py": broken})
    assert facts.versions == {"tensorflow": "2.15.0"}
    assert statuses(facts)["import"] == "failed"
    assert statuses(facts)["devices"] == "ok"
    assert facts.step("fit").message == "Keras could not be imported"


# It looks like the user's own script


def test_a_file_beside_the_script_shadows_as_it_does_there(stand: Stand) -> None:
    shadow = "raise RuntimeError('I am the wrong json')"
    step = stand({"cwd/json.py": shadow, "site/tensorflow.py": "import json"}).step("import")
    assert step.message == "I am the wrong json"
    assert "cwd/json.py:1" in step.frames[-1].replace(os.sep, "/")


def test_our_own_modules_shadow_nothing(stand: Stand) -> None:
    names = "import sys\nassert not [name for name in sys.modules if name.startswith('smoke')], sys.modules\nimport describe"
    assert stand({"site/tensorflow.py": names}).step("import").message == "No module named 'describe'"


def test_the_users_keras_settings_hold_and_nothing_is_written_beside_them(stand: Stand, tmp_path: Path) -> None:
    reads = """
        import os, tempfile
        folder = os.environ["KERAS_HOME"]
        text = open(os.path.join(folder, "keras.json")).read()
        assert tempfile.gettempdir() == os.path.dirname(folder)
        open(os.path.join(folder, "written"), "w").close()
        raise RuntimeError(text)
    """
    settings = '{"image_data_format": "channels_first"}'
    facts = stand({"site/tensorflow.py": reads, "home/.keras/keras.json": settings})
    assert facts.step("import").message == settings
    assert sorted(str(path.relative_to(tmp_path / "home")) for path in (tmp_path / "home").rglob("*")) == [
        ".keras",
        str(Path(".keras", "keras.json")),
    ]
    facts = stand({"site/tensorflow.py": reads, "other/keras.json": "{}"}, KERAS_HOME=str(tmp_path / "other"))
    assert facts.step("import").message == "{}"
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["keras.json"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no alarm")
def test_it_ends_by_itself_should_nobody_be_left(stand: Stand) -> None:
    text = "import signal\nraise RuntimeError('%d s left' % signal.alarm(0))"
    assert stand({"site/tensorflow.py": text}, timeout=100.0).step("import").message in ("160 s left", "159 s left")


def test_the_log_of_tensorflow_is_kept_as_evidence(stand: Stand) -> None:
    text = "import os\nprint('dlerror: libcudnn', flush=True)\nraise RuntimeError(os.environ['TF_CPP_MIN_LOG_LEVEL'])"
    facts = stand({"site/tensorflow.py": text}, TF_CPP_MIN_LOG_LEVEL="3")
    assert facts.step("import").message == "0"
    assert "dlerror: libcudnn" in facts.output


# Which framework


@pytest.mark.parametrize(
    ("keras", "backend", "settings", "framework"),
    [
        ("3.10.0", "jax", "{}", "jax"),
        ("3.10.0", "", '{"backend": "torch"}', "torch"),
        ("3.10.0", "tensorflow", '{"backend": "torch"}', "tensorflow"),
        ("3.10.0", "numpy", "{}", "keras"),
        ("3.10.0", "", "not JSON", "tensorflow"),
        ("2.15.0", "jax", "{}", "tensorflow"),
    ],
)
def test_only_keras_3_has_a_choice(stand: Stand, keras: str, backend: str, settings: str, framework: str) -> None:
    files = {f"site/keras-{keras}.dist-info/METADATA": "", "home/.keras/keras.json": settings}
    assert stand(files, **({"KERAS_BACKEND": backend} if backend else {})).framework == framework


NUMPY = {
    "site/keras-3.10.0.dist-info/METADATA": "",
    "site/keras.py": """
        __version__ = "3.10.0"
        class backend:
            backend = staticmethod(lambda: "numpy")
            image_data_format = staticmethod(lambda: "channels_last")
    """,
}


def test_a_backend_that_cannot_train_fails_in_its_own_words(stand: Stand) -> None:
    facts = stand(NUMPY, KERAS_BACKEND="numpy")
    assert statuses(facts) == {
        "import": "ok",
        "devices": "ok",
        "fit": "failed",
        **dict.fromkeys((name for name in STEPS if name not in ("import", "devices", "fit")), "skipped"),
    }
    assert facts.step("matmul").message == "Keras runs on numpy, which cannot train"
    assert facts.step("save_load").message == "the fit step failed"
    assert facts.step("fit").error  # whatever Keras raises: here there is none
    assert (
        stand(NUMPY, device="gpu", KERAS_BACKEND="numpy").step("devices").message.endswith("which computes on the CPU")
    )


# Devices, as a TensorFlow with GPUs would have them


def test_memory_grows_on_every_gpu_before_the_first_use(stand: Stand) -> None:
    facts = stand(fake(listed=2, usable=2))
    step = facts.step("devices")
    assert (step.status, step.device) == ("ok", "GPU:0")
    assert step.message == "2 GPUs: NVIDIA L4 (compute capability 8.9), NVIDIA L4 (compute capability 8.9)"
    assert "growing 2 before use" in facts.output


def test_the_cpu_that_is_asked_for_hides_the_gpus(stand: Stand) -> None:
    facts = stand(fake(listed=1, usable=1), device="cpu")
    assert (facts.step("devices").device, facts.wanted) == ("CPU:0", "cpu")
    assert "visible [] GPU" in facts.output
    assert "growing" not in facts.output


def test_the_gpu_that_is_asked_for_by_its_number_is_the_only_one_touched(stand: Stand) -> None:
    facts = stand(fake(listed=3, usable=1), device="gpu:2")
    assert (facts.step("devices").device, facts.step("devices").message) == (
        "GPU:2",
        "1 GPU: NVIDIA L4 (compute capability 8.9)",
    )
    assert "visible [namespace(name='/physical_device:GPU:2')] GPU" in facts.output
    assert "growing 1 before use" in facts.output
    assert facts.step("each_device").message == facts.step("all_reduce").message == "one GPU is asked for"


@pytest.mark.parametrize(("listed", "there"), [(1, "1 GPU: GPU:0"), (2, "2 GPUs: GPU:0 to GPU:1")])
def test_a_number_that_is_not_there_says_how_many_there_are(stand: Stand, listed: int, there: str) -> None:
    step = stand(fake(listed=listed, usable=listed), device="gpu:2").step("devices")
    assert (step.status, step.message) == ("failed", f"GPU:2 is asked for, and TensorFlow has {there}")
    step = stand(fake(), device="gpu:2").step("devices")
    assert step.message == "a GPU is asked for, and there is none to use: TensorFlow lists no GPU"


@pytest.mark.parametrize(
    ("cuda", "why"), [(True, "TensorFlow lists no GPU"), (False, "this build … has no GPU support")]
)
def test_a_gpu_that_is_asked_for_must_be_there(stand: Stand, cuda: bool, why: str) -> None:
    facts = stand(fake(cuda=cuda), device="gpu")
    assert facts.step("devices").message.startswith("a GPU is asked for, and there is none to use: ")
    assert facts.step("devices").message.endswith(why.replace("…", "of TensorFlow"))
    assert facts.step("fit").message == "the devices step failed"
    assert statuses(stand(fake(cuda=cuda)))["devices"] == "ok"


def test_gpus_that_cannot_be_used_are_no_gpus(stand: Stand) -> None:
    step = stand(fake(listed=1, usable=0)).step("devices")
    assert (step.status, step.message) == ("failed", "TensorFlow lists 1 GPU and can use none of them")


JAX = {
    "site/keras-3.10.0.dist-info/METADATA": "",
    "site/keras.py": "import jax\n__version__ = '3.10.0'\nclass backend:\n    backend = staticmethod(lambda: 'jax')\n",
    "site/jaxlib.py": "__version__ = '0.6.2'",
    "site/jax.py": """
        import os, types
        __version__ = "0.6.2"
        PLATFORM = "gpu"
        def update(name, value):
            global PLATFORM
            PLATFORM = value
        config = types.SimpleNamespace(update=update)
        def devices():
            print("preallocate", os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"])
            return [types.SimpleNamespace(platform=PLATFORM, id=0, device_kind="NVIDIA L4")]
    """,
}


def test_jax_on_a_gpu_leaves_memory_to_others(stand: Stand) -> None:
    facts = stand(JAX, device="gpu", KERAS_BACKEND="jax")
    assert (facts.step("devices").device, facts.step("devices").message) == ("GPU:0", "GPU:0 (NVIDIA L4)")
    assert "preallocate false" in facts.output
    assert "preallocate true" in stand(JAX, KERAS_BACKEND="jax", XLA_PYTHON_CLIENT_PREALLOCATE="true").output
    assert stand(JAX, device="cpu", KERAS_BACKEND="jax").step("devices").device == "CPU:0"
    step = stand(JAX, device="gpu:1", KERAS_BACKEND="jax").step("devices")
    assert step.message == "GPU:1 is asked for, and JAX has 1 GPU: GPU:0"


TORCH = {
    "site/keras-3.10.0.dist-info/METADATA": "",
    "site/keras.py": """
        import os, types
        __version__ = "3.10.0"
        kind = os.environ.get("KERAS_TORCH_DEVICE", "cuda").partition(":")[0]
        tensor = types.SimpleNamespace(device=types.SimpleNamespace(type=kind, index=None))
        ops = types.SimpleNamespace(zeros=lambda shape: tensor)
        class backend:
            backend = staticmethod(lambda: "torch")
    """,
    "site/torch.py": """
        import types
        __version__ = "2.7.0"
        version = types.SimpleNamespace(cuda="12.6")
        cuda = types.SimpleNamespace(
            is_available=lambda: True, device_count=lambda: 1, get_device_name=lambda index: "NVIDIA L4"
        )
    """,
}


def test_pytorch_uses_what_keras_uses(stand: Stand) -> None:
    facts = stand(TORCH, device="gpu", KERAS_BACKEND="torch")
    assert (facts.step("devices").device, facts.step("devices").message) == ("GPU:0", "NVIDIA L4")
    assert stand(TORCH, device="cpu", KERAS_BACKEND="torch").step("devices").device == "CPU:0"
    assert stand(TORCH, device="gpu:0", KERAS_BACKEND="torch").step("devices").device == "GPU:0"
    step = stand(TORCH, device="gpu:4", KERAS_BACKEND="torch").step("devices")
    assert step.message == "GPU:4 is asked for, and PyTorch has 1 GPU: GPU:0"
    step = stand(TORCH, KERAS_BACKEND="torch", KERAS_TORCH_DEVICE="cpu").step("devices")
    assert (step.status, step.message) == ("failed", "PyTorch lists 1 GPUs and Keras uses CPU:0")


# What the steps share


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``smoke_framework.py``, imported here: it needs nothing but the standard library."""
    monkeypatch.syspath_prepend(str(script_path("smoke").parent))
    yield importlib.import_module("smoke_framework")
    for name in [name for name in sys.modules if name.startswith("smoke_")]:
        del sys.modules[name]


def test_a_fall_back_to_the_cpu_is_a_failure(model: Any) -> None:
    class OnDevice(model.Framework):  # type: ignore[misc]
        def device_of(self, tensor: Any) -> str:
            return str(tensor)

    framework = OnDevice("auto", "")
    assert framework.choose_device(["GPU:0", "GPU:1"], "") == "GPU:0"
    assert framework.ran_on("GPU:0") == "GPU:0"
    with pytest.raises(Exception, match="it ran on CPU:0 although GPU:0 was to be used"):
        framework.ran_on("CPU:0")
    with pytest.raises(Exception, match="it ran on GPU:1 although GPU:0 was to be used"):
        framework.ran_on("GPU:0", "GPU:1")
    assert framework.ran_on("GPU:1", device="GPU:1") == "GPU:1"
    assert framework.choose_device([], "") == "CPU:0"
    assert framework.ran_on("CPU:0") == "CPU:0"


@pytest.mark.parametrize(
    ("version", "parts"), [("2.15.1-rc0", (2, 15, 1)), ("2.2.4-tf", (2, 2, 4)), ("3.15.1", (3, 15, 1)), ("?", ())]
)
def test_release(model: Any, version: str, parts: tuple[int, ...]) -> None:
    assert importlib.import_module("smoke_numbers").release(version) == parts


def test_a_first_run_that_takes_longer_is_measured(model: Any) -> None:
    class Slow(model.Framework):  # type: ignore[misc]
        def as_numpy(self, tensor: Any) -> Any:
            return tensor

    framework, pauses = Slow("auto", ""), iter((0.2, 0.01, 0.02))

    def compute() -> list[int]:
        time.sleep(next(pauses))
        return [7]

    assert framework.timed(compute) == ([7], [7])
    assert framework.more["first"] >= 0.2
    assert 0.01 <= framework.more["steady"] < 0.2


@pytest.mark.parametrize(
    ("device", "capability", "policies"),
    [
        ("CPU:0", (), ["mixed_bfloat16"]),
        ("GPU:0", (7, 5), ["mixed_float16"]),
        ("GPU:0", (), ["mixed_float16"]),
        ("GPU:0", (8, 0), ["mixed_float16", "mixed_bfloat16"]),
        ("GPU:0", (12, 0), ["mixed_float16", "mixed_bfloat16"]),
    ],
)
def test_mixed_precision_is_what_the_device_is_made_for(
    model: Any, device: str, capability: tuple[int, ...], policies: list[str]
) -> None:
    class On(model.Framework):  # type: ignore[misc]
        on = device

        def capability(self) -> tuple[int, ...]:
            return capability

    assert On("auto", "").policies() == policies


def test_what_rounding_may_do(model: Any) -> None:
    numbers = importlib.import_module("smoke_numbers")
    # 34 roundings of half a unit in the last place; a GPU rounds both factors to TensorFloat-32, the 10 bits of float16
    assert numbers.rounding("float32", "CPU:0") == pytest.approx(34 * 2**-24)
    assert numbers.rounding("float32", "GPU:0") == pytest.approx(2 * 2**-11 + 34 * 2**-24)
    assert numbers.rounding("float16", "GPU:0") == numbers.rounding("float16", "CPU:0") == 34 * 2**-11
    assert numbers.rounding("bfloat16", "CPU:0") == 34 * 2**-8


# Who is on the GPU, by a driver that is a fake

ON_GPU = (
    fake(listed=1, usable=1)["site/tensorflow.py"]
    + """
    import sys
    sys.stderr.write("2026-11-21 12:00:00.000001: I tensorflow/core/common_runtime/gpu/gpu_device.cc:1926] Created device "
        "/job:localhost/replica:0/task:0/device:GPU:0 with 21 MB memory:  -> device: 0, name: NVIDIA L4, pci bus id: "
        "0000:01:00.0, compute capability: 8.9\\n")
"""
)


def seen_by(nvml_folder: Path, steer: str, stand: Stand, device: str = "auto") -> SmokeFacts:
    return stand({"site/tensorflow.py": ON_GPU}, device=device, LD_LIBRARY_PATH=str(nvml_folder), FAKE_NVML=steer)


def test_the_driver_shows_the_process_on_its_gpu(stand: Stand, nvml_folder: Path) -> None:
    facts = seen_by(nvml_folder, f"count=2 processes={os.getpid()}:300", stand)
    assert facts.step("process").status == "ok"
    assert facts.held is not None
    assert [(each.index, each.own, each.processes) for each in facts.held] == [(0, True, 1), (1, True, 1)]
    assert facts.placed == {"GPU:0": "0000:01:00.0"}
    assert "Created device" in facts.log[0].text


def test_a_process_of_somebody_else_is_not_its_own(stand: Stand, nvml_folder: Path) -> None:
    facts = seen_by(nvml_folder, "processes=1:300 used=2000", stand)
    assert facts.held is not None
    assert [(each.own, each.processes, each.memory_used) for each in facts.held] == [(False, 1, 2000 << 20)]


@pytest.mark.parametrize(
    ("steer", "reason"), [("nvmlInitWithFlags=999", "NVML answers UNKNOWN"), ("count=0", "the driver reports no GPU")]
)
def test_a_driver_that_does_not_answer_leaves_the_question_open(
    stand: Stand, nvml_folder: Path, steer: str, reason: str
) -> None:
    facts = seen_by(nvml_folder, steer, stand)
    assert facts.step("process").status == "skipped"
    assert reason in facts.step("process").message
    assert facts.held is None


def test_on_the_cpu_the_driver_is_not_asked(stand: Stand, nvml_folder: Path) -> None:
    facts = seen_by(nvml_folder, "abort=nvmlInitWithFlags", stand, device="cpu")
    assert (facts.step("process").status, facts.step("process").message) == ("skipped", "nothing runs on a GPU")


# Endings that no stand-in can bring about


def given(kind: Kind, *records: dict[str, Any], **more: Any) -> SmokeFacts:
    """The facts of a run that ended like this."""
    ending = Ending(kind, records, seconds=9.0, **more)
    facts = probe.collect(Host(run=lambda *_, **__: ending), literals.python())
    assert isinstance(facts, SmokeFacts)
    return facts


OK = [{"step": name, "status": "ok", "message": "", "device": "", "seconds": 0.1} for name in STEPS]


def test_a_child_that_cannot_be_killed() -> None:
    facts = given(
        Kind.UNKILLABLE, {"framework": "tensorflow", "keras": ""}, OK[0], {"step": "devices", "status": "running"}
    )
    assert (statuses(facts)["devices"], facts.killable) == ("hung", False)


def test_a_child_that_never_started() -> None:
    facts = given(Kind.NOT_STARTED, detail="Permission denied")
    assert statuses(facts) == {"import": "crashed", **dict.fromkeys(STEPS[1:], "not reached")}
    assert facts.step("import").message == "it could not be started: Permission denied"


def test_an_end_between_two_steps_is_not_lost() -> None:
    assert statuses(given(Kind.SIGNALLED, *OK[:3], signal="SIGABRT"))[STEPS[3]] == "crashed"


def test_an_end_after_the_last_step_is_not_lost() -> None:
    assert statuses(given(Kind.SIGNALLED, *OK, signal="SIGSEGV"))[STEPS[-1]] == "crashed"
    assert statuses(given(Kind.ANSWERED, *OK))[STEPS[-1]] == "ok"


def test_progress_names_each_step(bare: str, tmp_path: Path) -> None:
    told: list[str] = []
    (tmp_path / "tensorflow.py").write_text("__version__ = '2.15.0'")
    probe.collect(
        Host(python=bare, cwd=tmp_path, environ={"HOME": str(tmp_path)}, progress=told.append), literals.python()
    )
    assert told[0] == "smoke run: import"


def test_facts_travel_as_json() -> None:
    facts = given(Kind.SIGNALLED, *OK[:1], {"step": "devices", "status": "running"}, signal="SIGSEGV", output="…")
    assert msgspec.json.decode(msgspec.json.encode(facts), type=SmokeFacts) == facts


# What Python's faulthandler prints

TIMEOUT = """
Timeout (0:00:05)!
Thread 0x00007f01 [Thread-1] (most recent call first):
  File "/usr/lib/python3.12/threading.py", line 355 in wait

Thread 0x00007f02 (most recent call first):
  File "<frozen importlib._bootstrap>", line 488 in _call_with_frames_removed
  File "/srv/site/tensorflow/__init__.py", line 40 in <module>
"""
FATAL = """
Fatal Python error: Segmentation fault

Current thread 0x00007f03 (most recent call first):
  File "/srv/site/numpy/core.py", line 7 in load
  File "/srv/site/tensorflow/__init__.py", line 40 in <module>

Thread 0x00007f04 (most recent call first):
  File "/usr/lib/python3.12/threading.py", line 355 in wait

Extension modules: numpy.core._multiarray_umath (total: 1)
"""


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (TIMEOUT, "/srv/site/tensorflow/__init__.py:40 in <module>"),
        (FATAL, "/srv/site/numpy/core.py:7 in load"),
        (FATAL + TIMEOUT, "/srv/site/numpy/core.py:7 in load"),
        ("terminate called", ""),
        ("Thread 0x1 (most recent call first):\n", ""),
    ],
)
def test_stopped_at(output: str, line: str) -> None:
    assert stopped_at(output) == line


def test_the_run_leaves_no_waiting_behind(stand: Stand) -> None:
    """A framework whose exit hangs must not hold up the answer."""
    text = fake()["site/tensorflow.py"] + "\n    import atexit, time\n    atexit.register(time.sleep, 20)\n"
    start = time.monotonic()
    assert stand({"site/tensorflow.py": text}).ending == "answered"
    assert time.monotonic() - start < 15
