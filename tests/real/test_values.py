"""The rows about values and results against live packages: every example is run where its row holds, and where it does not."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version
from real.environments import RELEASES, Release, parameters
from real.test_releases import installed

from envcheck.knowledge.api.answers import Api, Status
from envcheck.knowledge.api.bounds import holds
from envcheck.knowledge.api.identifiers import BOOKS, KINDS, Identifiers, Kind
from envcheck.knowledge.api.returns import Returns
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.api.values import Value, Values
from envcheck.knowledge.api.words import Words
from envcheck.knowledge.rows import folder
from tools.try_identifiers.candidates import COMPILED, MODULES

pytestmark = pytest.mark.real
EVALUATE = Path(__file__).with_name("evaluate.py")
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "PYTHONHASHSEED": "0"}
OLD_KERAS = Release("keras2.3", "3.7", ("tensorflow==1.15.*", "keras==2.3.1", "h5py<3", "protobuf<3.21"))
TRIED = parameters("tf2.21", "tf2.16-legacy", "tf2.15", "tf2.8", "tf2.3", "tf1.15")
ON_ALL = os.environ.get("ENVCHECK_TEST_RELEASES") == "all"
TRIED += [
    pytest.param(
        OLD_KERAS,
        id=OLD_KERAS.name,
        marks=() if ON_ALL else pytest.mark.skip(reason="runs with ENVCHECK_TEST_RELEASES=all"),
    )
]
assert {one.name for one in RELEASES} > {"tf2.21", "tf2.15"}
API = Api(folder() / "api")
RETURNS = Returns(folder() / "api", API.shelf)
VALUES = Values(folder() / "api", API.shelf)
IDENTIFIERS = Identifiers(folder() / "api", API.shelf)


def target(on: Release) -> Target:
    """What is installed there."""
    found = {name: Version(each.version) for name, each in installed(on).items()}
    tensorflow = found.get("tensorflow") or found.get("tensorflow-cpu")
    return Target(tensorflow, found.get("keras"), found.get("tf-keras"), "TF_USE_LEGACY_KERAS" in on.environ)


def roots(chosen: Target) -> list[str]:
    """The Keras roots to try there; one process can hold one Keras 3 for both."""
    own = chosen.keras is not None and not chosen.legacy
    return ["tensorflow.keras", *(["keras"] if own else [])]


def ask(on: Release, questions: list[dict[str, Any]], tmp_path: Path) -> list[Any]:
    """The answers of a release's own interpreter."""
    path = tmp_path / "questions.json"
    path.write_text(json.dumps(questions), "utf-8")
    environ = {**os.environ, **QUIET, **on.environ}
    done = subprocess.run(
        [str(on.interpreter()), str(EVALUATE), str(path)],
        timeout=500, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    answers: list[Any] = json.loads(path.read_text("utf-8"))
    return answers


def questions(root: str, chosen: Target) -> list[dict[str, Any]]:
    """Each example of each row that holds for a name of this root that is there; {} once for each of its names."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in RETURNS.rows.all():
        for name in row.names:
            if root == "keras" and not name.startswith("keras."):
                continue
            whole = root + name[len("keras") :] if name.startswith("keras.") else name
            result = RETURNS.gives(whole, chosen)
            if RETURNS.row(whole, chosen) is not row or result is None:
                continue
            if result.like is not None:  # the examples give it a keras.Input
                result = RETURNS.gives(f"{root}.Input", chosen)
                assert result is not None
            for code in row.examples:
                below = re.search(re.escape(name[:-1]) + r"\w+", code) if name.endswith("*") else None
                if not present(root, below[0] if below else name, chosen):
                    continue
                facts = {
                    "classes": result.classes,
                    "items": result.items,
                    "exact": result.exact,
                    "judged": result.judged,
                }
                where = f"{row.source.path}:{row.source.line} {whole}"
                question = {"where": where, "root": root, "name": whole, "code": code, **facts}
                found.setdefault((code, whole if "{}" in code else ""), question)
    return list(found.values())


@pytest.mark.parametrize("on", TRIED)
def test_calls_return_what_the_rows_say(on: Release, tmp_path: Path) -> None:
    chosen = target(on)
    for root in roots(chosen):
        asked = questions(root, chosen)
        answers = ask(on, asked, tmp_path)
        wrong = [(one["where"], one["code"], said) for one, said in zip(asked, answers, strict=True) if said]
        assert wrong == []
        assert len(asked) > 30


def trials(root: str, chosen: Target) -> list[tuple[Value, bool, str]]:
    """Each row's trial where it can be told whether it holds: the row, whether it does, and the code."""
    found = []
    for row in VALUES.rows.all():
        own = row.names[0].startswith("keras.")
        held = holds(row.releases, root if own else "tensorflow", chosen, API.shelf)
        if held is None or (not own and root == "keras"):
            continue
        if not held and root == "keras" and chosen.keras is not None and chosen.keras < Version("2.4"):
            continue  # some of the parameters are not there yet, which the history tells
        there = [name for name in row.names if present(root, name, chosen)]
        names = there if "{}" in row.trial else there[:1]
        found += [(row, held, row.trial.replace("{}", name)) for name in names]
    return found


def present(root: str, name: str, chosen: Target) -> bool:
    """Whether a name is there; what ends in * or is private is only seen by trying."""
    whole = root + name[len("keras") :] if name.startswith("keras.") else name
    last = name.rpartition(".")[2]
    return last == "*" or last.startswith("_") or API.ask(whole, chosen).status.value in ("present", "deprecated")


@pytest.mark.parametrize("on", TRIED)
def test_values_do_what_the_rows_say(on: Release, tmp_path: Path) -> None:
    chosen = target(on)
    for root in roots(chosen):
        tried = trials(root, chosen)
        ends = ask(on, [{"root": root, "code": code} for _, _, code in tried], tmp_path)
        wrong = []
        for (row, held, code), end in zip(tried, ends, strict=True):
            failed = bool(end["warnings"]) and not end["error"] if row.outcome == "deprecated" else bool(end["error"])
            if failed != held:
                wrong.append((f"{row.source.path}:{row.source.line} {'holds' if held else 'does not hold'}", code, end))
        assert wrong == []
        assert len(tried) >= 5


ASK_IDENTIFIERS = """
import json
taken = []
for kind, module, text in json.loads(ASKED):
    try:
        found = getattr(keras, module).get(text)
    except Exception:
        continue
    if (callable(found) or hasattr(found, "get_config")) and not isinstance(found, type):
        taken.append([kind, text])
print(json.dumps(taken))
"""


@pytest.mark.parametrize("on", TRIED)
def test_strings_are_taken_as_recorded(on: Release, tmp_path: Path) -> None:
    chosen = target(on)
    for root in roots(chosen):
        asked = [(kind, text) for kind in KINDS for text in every_string(kind)]
        code = f"ASKED = {json.dumps([(kind, MODULES[kind], text) for kind, text in asked])!r}\n{ASK_IDENTIFIERS}"
        (end,) = ask(on, [{"root": root, "code": code}], tmp_path)
        assert end["error"] is None
        taken = {(kind, text) for kind, text in json.loads(end["output"])}
        wrong = []
        for kind, text in asked:
            status = IDENTIFIERS.accepts(kind, text, root, chosen)
            compiled = kind == "metric" and text in COMPILED
            if not compiled and status is not (Status.PRESENT if (kind, text) in taken else Status.ABSENT):
                wrong.append((kind, text, status))
        assert wrong == []
        assert len(taken) > 100


def every_string(kind: Kind) -> list[str]:
    """Every string that some release takes for a kind."""
    return sorted(
        {word for title in BOOKS for word in Words(folder() / "api" / "identifiers" / f"{title}.txt").of(kind)}
    )
