"""``envcheck scan`` on model definitions: from files to findings, through the cache, comments and formats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands.test_scan import findings, report, scan

NEW = ("--target", "tensorflow==2.21.0,keras==3.15.1")
BEFORE = ("--target", "tensorflow==2.15.1")
WRONG = "from tensorflow import keras\nmodel = keras.Sequential([keras.Input((28, 28)), keras.layers.Conv2D(8, 3)])\n"
ZERO = "from tensorflow.keras import layers\nlayers.Dense(0)\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "wrong.py").write_text(WRONG)
    (tmp_path / "zero.py").write_text(ZERO)
    return tmp_path


def test_a_finding_names_layer_stage_and_keras(project: Path) -> None:
    (finding,) = findings(report(project, *NEW, "wrong.py"), "MDL")
    assert finding["location"] == {"path": "wrong.py", "line": 2, "column": 50, "cell": None}
    assert finding["symbol"] == "keras.layers.Conv2D"
    assert finding["evidence"]["kind"] == "model"
    assert finding["evidence"]["stage"] == "construction"
    assert finding["evidence"]["keras"] == "3"
    assert "(28, 28, 1)" in finding["fix"]["summary"]


def test_what_is_kept_of_one_target_is_not_taken_for_another(project: Path) -> None:
    for _ in range(2):
        assert [each["location"]["path"] for each in findings(report(project, *NEW, "."), "MDL")] == [
            "zero.py",
            "wrong.py",
        ]
        assert [each["location"]["path"] for each in findings(report(project, *BEFORE, "."), "MDL")] == ["wrong.py"]
        assert findings(report(project, *NEW, "--select", "API", "."), "MDL") == []


def test_two_targets_share_a_finding(project: Path) -> None:
    found = findings(report(project, *NEW, *BEFORE, "."), "MDL")
    assert sorted((each["location"]["path"], each["evidence"]["keras"]) for each in found) == [
        ("wrong.py", "2 and 3"),
        ("zero.py", "3"),
    ]


def test_comments_and_codes_leave_findings_out(project: Path) -> None:
    (project / "wrong.py").write_text(WRONG.replace(")])\n", ")])  # envcheck: ignore[MDL102]\n"))
    assert [each["symbol"] for each in findings(report(project, *NEW, "."), "MDL")] == ["keras.layers.Dense"]
    assert findings(report(project, *NEW, "--ignore", "MDL1", "."), "MDL") == []


def test_many_files_are_read_in_several_processes(project: Path) -> None:
    for number in range(60):
        (project / f"more{number}.py").write_text(WRONG)
    assert len(findings(report(project, *NEW, "--jobs", "2", "--no-cache", "."), "MDL102")) == 61


def test_a_keras_that_was_not_measured_is_said(project: Path) -> None:
    done = report(project, "--target", "tensorflow==2.3.0", ".")
    assert findings(done, "MDL") == []
    assert any("not judged" in note for note in done["coverage"]["notes"])


def test_stdin_and_sarif(project: Path) -> None:
    done = scan(project, *NEW, "--select", "MDL", "-f", "sarif", "-", stdin=WRONG.encode())
    results = json.loads(done.stdout)["runs"][0]["results"]
    assert [each["ruleId"] for each in results] == ["MDL102"]
    assert done.returncode == 1


LEGACY = """import os
os.environ["TF_USE_LEGACY_KERAS"] = "1"
import tensorflow as tf
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile(optimizer=tf.keras.optimizers.legacy.Adam(), loss="mse")
model.predict_generator(None)
tf.keras.layers.Dropout(50)
"""


def test_a_file_that_makes_tf_keras_keras_2_is_judged_so(project: Path) -> None:
    (project / "legacy.py").write_text(LEGACY)
    for _ in range(2):
        found = report(project, *NEW, ".")
        assert {each["location"]["path"] for each in findings(found, "API")} == {"wrong.py"}
        at = [(each["location"]["path"], each["evidence"]["keras"]) for each in findings(found, "MDL")]
        assert sorted(at) == [("legacy.py", "2"), ("wrong.py", "3"), ("zero.py", "3")]
        (note,) = found["coverage"]["notes"]
        assert note == (
            "legacy.py sets TF_USE_LEGACY_KERAS, which needs tf_keras: "
            "judged for TensorFlow 2.21.0 with Keras 3.15.1, tf_keras 2.21.0 and TF_USE_LEGACY_KERAS=1"
        )
    # a target without TensorFlow has no flag; what the cache keeps of the other one says nothing of it
    alone = report(project, "--target", "keras==3.15.1", "legacy.py")
    assert [each["evidence"]["keras"] for each in findings(alone, "MDL")] == ["3"]


def test_a_package_of_which_every_release_will_do_is_not_named(project: Path) -> None:
    (project / "plain.py").write_text("import tensorflow as tf\ntf.constant(3)\ntf.keras.layers.Dense(1)\n")
    assert "The code needs" not in scan(project, *NEW, "plain.py").stdout
    (project / "newer.py").write_text(
        "import tensorflow as tf\ntf.keras.mixed_precision.set_global_policy('float32')\n"
    )
    assert "The code needs tensorflow 2.4 or newer" in scan(project, *NEW, "newer.py").stdout
