"""The API history against live packages: a thousand questions each, and every example of a replacement is run."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from packaging.version import Version
from real.environments import Release, parameters, release
from real.test_releases import installed

from envcheck.knowledge.api.answers import Api
from envcheck.knowledge.api.replacements import Replacements
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import folder
from tools.build_api_history.asking import Asking

pytestmark = pytest.mark.real
API = Api(folder() / "api")
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "PYTHONHASHSEED": "0"}
RUN_EXAMPLES = """
import json, sys
import numpy as np, tensorflow as tf, keras
prelude = '''
import numpy as np, tensorflow as tf, keras
x = np.ones((2, 3), "float32")
y = np.ones((3, 2), "float32")
logits = np.ones((2, 3), "float32")
labels = np.array([0, 1])
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
model.compile("sgd", "mse")
'''
names = {}
exec(prelude, names)
failed = []
for where, example in json.load(open(sys.argv[1])):
    try:
        exec(example, dict(names))
    except Exception as error:
        failed.append("%s: %s: %r" % (where, example, error))
json.dump(failed, open(sys.argv[1], "w"))
"""


def target(on: Release) -> Target:
    """What is installed there; the test is skipped where that is newer than the history."""
    found = {name: Version(each.version) for name, each in installed(on).items()}
    tensorflow = found.get("tensorflow") or found.get("tensorflow-cpu")
    chosen = Target(tensorflow, found.get("keras"), found.get("tf-keras"), "TF_USE_LEGACY_KERAS" in on.environ)
    missing = [title for title in ("tensorflow", "keras") if found.get(title) and not chosen.chosen(API.shelf)(title)]
    if missing:
        pytest.skip(f"{chosen} is not recorded: make refresh, make api")
    return chosen


@pytest.mark.parametrize("on", parameters("tf2.21", "tf2.16", "tf2.16-legacy", "tf2.15", "tf2.8", "tf2.3", "tf1.15"))
def test_a_live_package_agrees(on: Release, tmp_path: Path) -> None:
    chosen = target(on)
    asking = Asking(API, chosen, on.interpreter(), {**os.environ, **QUIET, **on.environ}, tmp_path)
    roots: list[tuple[str, tuple[str, ...]]] = [
        ("tensorflow", ("tensorflow", "tf_keras" if chosen.through_tf_keras else "tensorflow.keras"))
    ]
    if chosen.keras is not None:
        roots.append(("keras", ("keras",)))
    for package, titles in roots:
        verdict = asking.questions(package, titles, 1300, on.name)
        assert verdict.disagreements == []
        assert verdict.names + verdict.keywords > 1000


def test_every_example_runs_on_the_newest_release(tmp_path: Path) -> None:
    rows = Replacements(folder() / "api" / "replacements", API).rows()
    examples = [(f"{row.source.path}:{row.source.line}", row.example) for row in rows if row.example]
    assert len(examples) > 200
    asked = tmp_path / "examples.json"
    asked.write_text(json.dumps(examples), "utf-8")
    command = [str(release("tf2.21").interpreter()), "-c", RUN_EXAMPLES, str(asked)]
    subprocess.run(command, check=True, timeout=300, cwd=tmp_path, env={**os.environ, **QUIET}, capture_output=True)
    assert json.loads(asked.read_text("utf-8")) == []
