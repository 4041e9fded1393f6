"""What the scan says of saved models against what real Keras does: each release writes, each loads."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from real.environments import Release, parameters, release

from envcheck.commands.scan.saved import read
from envcheck.knowledge.api.answers import Api
from envcheck.knowledge.api.identifiers import Identifiers
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import folder
from envcheck.knowledge.saved_models import SavedModels
from envcheck.saved.found import SavedModel
from envcheck.source.files import find
from envcheck.verdicts.saved import judged
from envcheck.verdicts.targets import completed

pytestmark = pytest.mark.real
SCRIPT = Path(__file__).with_name("saved_models.py")
WRITERS = ("tf2.21", "tf2.15", "tf2.8")
FAILS = {"saved-format", "saved-layer", "saved-parameter"}
MAY_FAIL = {"saved-custom", "saved-code"}


def run(each: Release, *arguments: str) -> None:
    command = [str(each.interpreter()), "-B", str(SCRIPT), *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=400, env={**os.environ, **each.environ})


@pytest.fixture(scope="module", params=parameters(*WRITERS))
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp(request.param.name)
    run(request.param, "write", str(place))
    return place


def verdicts(place: Path, target: Target) -> dict[str, set[str]]:
    """The kinds of what is said of each model."""
    files = find([str(place)], exclude=(), gitignore=False)
    models = read(files.models, files.named, str(release("tf2.21").interpreter()), lambda _: None)
    assert all(isinstance(each, SavedModel) for each in models), models
    api = Api(folder() / "api")
    identifiers = Identifiers(folder() / "api", api.shelf)
    known = SavedModels(folder())
    return {
        Path(each.path).name: {
            one.kind for one in judged([each], [completed(target, api.shelf)], api, identifiers, known)
        }
        for each in models
        if isinstance(each, SavedModel)
    }


@pytest.mark.parametrize("loading", parameters(*WRITERS))
def test_what_is_called_an_error_raises_and_nearly_all_that_raises_is_reported(
    written: Path, loading: Release, tmp_path: Path
) -> None:
    out = tmp_path / "loads.json"
    run(loading, "load", str(written), str(out))
    answer: dict[str, Any] = json.loads(out.read_text("utf-8"))
    said = verdicts(written, Target.parse(f"tensorflow=={answer['tensorflow']}"))
    assert set(said) <= set(answer["loads"])
    assert len(said) > 30
    raised = {name for name in said if answer["loads"][name] is not None}
    assert {name for name, kinds in said.items() if kinds & FAILS} - raised == set()
    silent = {name: answer["loads"][name] for name in raised if not said[name] & (FAILS | MAY_FAIL)}
    assert len(silent) <= 0.1 * len(raised), silent
