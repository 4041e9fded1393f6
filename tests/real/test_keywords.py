"""Which keywords a class takes, asked of the class: it takes none that we call absent, and refuses none that we call present."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path

import pytest
from real.environments import Release, parameters
from real.test_api import API, QUIET, target

from envcheck.knowledge.api.answers import Status, keywords

pytestmark = pytest.mark.real
SCRIPT = Path(__file__).with_name("try_keywords.py")
TOOLS = Path(__file__).parents[2] / "tools"
SUBJECTS = ("layers", "optimizers", "losses", "metrics", "initializers", "regularizers", "constraints")
WORDS = 200
"""Keywords of each class, out of some 700."""


def questions(title: str, column: int) -> dict[str, list[str]]:
    """Classes that have ``**kwargs``, each with names of parameters that classes had in any release."""
    book = API.shelf.book(title)
    classes = [name for name in book.names if name.startswith(tuple(f"{subject}." for subject in SUBJECTS))]
    entries = {name: entry for name in classes if (entry := book.entry(name)) is not None}
    texts = {name: [fact.text for fact in entry.facts if fact.mark == "("] for name, entry in entries.items()}
    words = sorted({word for each in texts.values() for text in each for word in keywords(text)})
    open_ended = [
        name for name, entry in entries.items() if any("**" in fact.text for fact in entry.holding("(", column))
    ]
    chance = random.Random(title)  # noqa: S311 - a sample that can be drawn again
    return {name: chance.sample(words, WORDS) for name in open_ended}


@pytest.mark.parametrize("on", parameters("tf2.21", "tf2.15", "tf2.8", "tf2.3", "tf1.15"))
def test_a_keyword_that_is_absent_is_refused(on: Release, tmp_path: Path) -> None:
    chosen = target(on)
    title = "tensorflow.keras"
    column, _ = API.chosen(chosen)
    asked = questions(title, column(title))
    path = tmp_path / "keywords.json"
    path.write_text(json.dumps(asked))
    environ = {**os.environ, **QUIET, **on.environ, "PYTHONPATH": str(TOOLS), "TF_ENABLE_ONEDNN_OPTS": "0"}
    subprocess.run([str(on.interpreter()), str(SCRIPT), title, str(path)], check=True, timeout=400, env=environ)
    answers: dict[str, dict[str, str]] = json.loads(path.read_text())
    wrong, decided = [], 0
    for name, words in answers.items():
        for word, became in words.items():
            status = API.keyword(f"{title}.{name}", word, chosen).status
            decided += status is not Status.UNKNOWN
            if (status is Status.ABSENT and became == "taken") or (
                status in (Status.PRESENT, Status.IGNORED) and became == "refused"
            ):
                wrong.append(f"{name}({word}=): {status.value}, and it is {became}")
    assert wrong == []
    assert decided > 10_000
