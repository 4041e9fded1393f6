"""``envcheck api`` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from envcheck.cli import group
from envcheck.errors import UsageError

TARGET = ("--target", "tensorflow==2.16.2,keras==3.3.3")
SCHEMA = json.loads(
    (Path(__file__).parent.parent.parent / "envcheck" / "schemas" / "api.schema.json").read_text("utf-8")
)


def api(*arguments: str, text: str | bytes | None = None) -> Result:
    return CliRunner().invoke(group, ["api", *arguments], input=text, standalone_mode=False)


def page(*arguments: str, code: int = 0, text: str | bytes | None = None) -> str:
    done = api(*arguments, text=text)
    assert (done.exception, done.return_value) == (None, code), done.output
    return done.stdout


def rows(*arguments: str, code: int = 0, text: str | bytes | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(page(*arguments, "--format", "json", code=code, text=text))
    jsonschema.validate(found, SCHEMA)
    return found


def test_the_history_of_a_name_in_one_screen() -> None:
    lines = page("keras.Model.fit_generator").splitlines()
    assert lines[0] == "keras.Model.fit_generator  method"
    assert "  present      Keras 2.0-2.15" in [line.replace("–", "-") for line in lines]
    assert "  gone         since Keras 3.0.0" in lines
    assert any(line.startswith("  deprecated   Keras ") for line in lines)
    assert "  instead      keras.Model.fit" in lines
    assert any(line.startswith("  parameters   generator, steps_per_epoch, epochs") for line in lines)
    assert any("validation_freq: Keras 2.2.5" in line for line in lines)
    assert len(lines) < 24
    assert max(map(len, lines)) <= 100


def test_parameters_have_their_own_histories() -> None:
    text = page("keras.optimizers.Adam").replace("–", "-")
    assert "learning_rate: Keras 2.3-2.4" in text
    assert "taken and ignored" in text
    assert "  changed      with keras >=3.0: decay= is taken and ignored" in text


def test_the_seam_of_tf_keras() -> None:
    text = page("tf.keras.backend.dot").replace("–", "-")
    assert "  present      TensorFlow 1.13.1-2.15, Keras 3.0.0-3.2, 3.3.3-" in text


def test_the_same_object_under_other_names() -> None:
    text = page("keras.models.Model")
    assert "  the same as  keras.Model" in text


def test_a_name_that_no_release_has() -> None:
    text = page("tf.keras.layers.Densee", "np.array", code=1)
    assert "in no recorded release (TensorFlow 1.13.1" in text
    assert "did you mean tf.keras.layers.Dense?" in " ".join(text.split())
    assert "np.array  is no name of tensorflow (tf), keras or tf_keras" in text


def test_a_target_is_one_line_a_name() -> None:
    names = (
        "tf.keras.layers.Dense",
        "keras.backend.dot",
        "tf.keras.backend.dot",
        "tensorflow.python.keras.Model",
        "tf.x.y",
        "os.path",
    )
    lines = page(*TARGET, *names, code=1).splitlines()
    assert [line.split()[0] for line in lines] == ["present", "absent", "deprecated", "foreign", "absent", "unknown"]
    assert [line.split()[1] for line in lines] == list(names)
    assert lines[1].endswith("use keras.ops.matmul")
    assert "no recorded release has it" in lines[4]


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("tf.keras.layers.Dense", "tf.keras.backend.dot"), 0),  # deprecated is there
        (("tf.keras.layers.Dense", "keras.backend.dot"), 1),
        (("tensorflow.python.keras.Model",), 1),
        (("numpy.array",), 1),  # unknown is not fine
    ],
)
def test_exit_codes_are_the_same_in_every_format(names: tuple[str, ...], code: int) -> None:
    page(*TARGET, *names, code=code)
    rows(*TARGET, *names, code=code)


def test_json_in_the_order_asked() -> None:
    dot, lr, nothing = rows("keras.backend.dot", "keras.optimizers.Adam", "os.path", code=1)
    assert dot["name"] == dot["canonical"] == "keras.backend.dot"
    assert (dot["package"], dot["kind"], dot["counted"]) == ("keras", "function", "keras")
    assert dot["releases"] == [["2.0", "2.15"]]
    assert dot["parameters"] == {"x": [["2.0", "2.15"]], "y": [["2.0", "2.15"]]}
    assert dot["replacement"]["use"] == "keras.ops.matmul"
    assert dot["replacement"]["written"]
    assert dot["replacement"]["sources"]
    assert dot["deprecated"] == []
    assert "present" not in dot
    assert lr["ignored_parameters"]["decay"][-1][0] == "3.0.0"
    assert nothing["package"] is None


def test_json_of_a_target() -> None:
    found = rows(*TARGET, "keras.backend.dot", "keras.ops.matmul", "numpy.array", code=1)
    assert [row["present"] for row in found] == [False, True, None]
    assert [row["status"] for row in found] == ["absent", "present", "unknown"]
    assert found[2]["reason"]


def test_what_is_not_known_of_a_call_is_said() -> None:
    model, dense = rows("keras.Model", "tf.keras.layers.Dense")
    assert model["more_parameters"][-1][1] == model["recorded"][1]
    assert dense["parameters"]["units"] == dense["releases"]
    assert "and others, through **kwargs or unknown: Keras 2.2.4" in page("keras.Model")


def test_other_names_are_those_of_the_newest_release() -> None:
    (variable,) = rows("tf.Variable")
    assert "tensorflow.compat.v1.Variable" not in variable["aliases"]  # another class since 2.0
    (call,) = rows("keras.layers.LSTM.call")
    assert call["canonical"] == "keras.layers.LSTM.call"  # it overrides what keras.layers.RNN gives


def test_the_legacy_flag_counts_in_tf_keras() -> None:
    (fit,) = rows(
        "tf.keras.Model.fit_generator", "--target", "tensorflow==2.16.2,tf_keras==2.16.0,TF_USE_LEGACY_KERAS=1"
    )
    assert (fit["counted"], fit["present"], fit["status"]) == ("tf_keras", True, "deprecated")


def test_deprecations_are_told_in_words() -> None:
    text = " ".join(page("tf.keras.wrappers.scikit_learn.KerasClassifier", "tf.compat.v1.to_float").split())
    assert "(to go after" in text or "(use" in text
    assert "instead=" not in text


def test_names_from_stdin() -> None:
    text = "# names\ntf.Session\n\n  keras.ops.matmul  \n"
    assert [row["name"] for row in rows("-", text=text)] == ["tf.Session", "keras.ops.matmul"]
    assert [row["name"] for row in rows("tf.add", "-", text=text)] == ["tf.add", "tf.Session", "keras.ops.matmul"]
    assert [row["name"] for row in rows("-", text=b"\xef\xbb\xbftf.add\r\n")] == ["tf.add"]
    assert rows("-", text="") == []


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe\x00tf.x\n",
        b"tf." + b"a." * 100_000 + b"b\n",
        b"tf.\x1b[31mx\n",
        b".\n..\n-\ntf.\n",
        "tf.kéras.x\n".encode(),
    ],
)
def test_hostile_names_are_answered(text: bytes) -> None:
    for format_ in ("text", "json"):
        done = api("-", "--format", format_, *TARGET, text=text)
        assert (done.exception, done.return_value) == (None, 1)
        assert "\x1b" not in done.stdout


@pytest.mark.parametrize("target", ["", "torch==2", "tensorflow", "keras==3,keras==2", "tensorflow==x"])
def test_a_wrong_target_is_wrong_usage(target: str) -> None:
    done = api("tf.add", "--target", target)
    assert isinstance(done.exception, UsageError)
    assert str(done.exception).startswith("--target: ")


def test_stdin_is_read_once() -> None:
    assert isinstance(api("-", "-", text="tf.add").exception, UsageError)


def test_output_goes_to_a_file(tmp_path: Path) -> None:
    page("tf.add", "--output", str(tmp_path / "out"))
    assert "tf.add  function" in (tmp_path / "out").read_text("utf-8")


def test_ascii_where_nothing_else_can_be_shown() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "envcheck", "api", "keras.backend.dot"],
        capture_output=True,
        check=True,
        env={"PYTHONIOENCODING": "ascii"},
    )
    assert b"Keras 2.0-2.15" in done.stdout


def test_the_help_loads_none_of_it() -> None:
    code = (
        "import sys; sys.argv = ['envcheck', 'api', '--help']\n"
        "from envcheck.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('yaml', 'msgspec', 'rich', 'packaging')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_only_what_is_asked_for_is_read() -> None:
    code = (
        "import pathlib; read = pathlib.Path.read_text; seen = []\n"
        "pathlib.Path.read_text = lambda self, *a, **k: (seen.append(self.name), read(self, *a, **k))[1]\n"
        "from envcheck.commands.api import command\n"
        "command.main(['keras.layers.Dense', '--target', 'keras==3.3.3'], standalone_mode=False)\n"
        "print(sorted(seen))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.splitlines()[-1] == "['changed.yaml', 'keras.txt', 'keras.yaml', 'tensorflow.yaml']"
