"""Keywords that ``**kwargs`` takes and no signature tells."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from envcheck.errors import EnvcheckError
from envcheck.knowledge.api.answers import Api
from envcheck.knowledge.api.unseen import Unseen
from envcheck.knowledge.rows import folder

ROW = """\
- releases: {keras: "<2.4"}
  words: [every, Dense.one]
  closed: [RNN]
  known: measured
  source: ["measured: keras 2.3.1"]
  checked: 2026-11-21
"""


def unseen(tmp_path: Path, text: str) -> Unseen:
    path = tmp_path / "keywords.yaml"
    path.write_text(text)
    return Unseen(path)


def test_a_word_is_one_of_all_classes_or_of_one(tmp_path: Path) -> None:
    row = unseen(tmp_path, ROW).row("keras", Version("2.3.1"))
    assert row is not None
    assert row.takes("LSTM", "every")
    assert row.takes("Dense", "one")
    assert not row.takes("LSTM", "one")
    assert row.closed == {"RNN"}


@pytest.mark.parametrize(
    ("title", "release"), [("keras", "2.4.3"), ("tensorflow.keras", "2.3.1"), ("tf_keras", "2.3.1")]
)
def test_of_other_releases_nothing_is_known(tmp_path: Path, title: str, release: str) -> None:
    assert unseen(tmp_path, ROW).row(title, Version(release)) is None


def test_tf_keras_goes_by_tensorflow_then_by_keras() -> None:
    rows = Unseen(folder() / "api" / "keywords.yaml")
    assert rows.row("tensorflow.keras", Version("2.15.1")) is rows.row("tensorflow", Version("2.20"))
    assert rows.row("tensorflow.keras", Version("3.4.1")) is rows.row("keras", Version("3.4.1"))
    assert rows.row("keras", Version("2.3.1")) is not rows.row("keras", Version("2.4.3"))


@pytest.mark.parametrize("title", ["keras", "tensorflow.keras", "tensorflow", "tf_keras"])
def test_every_recorded_release_has_a_row(title: str) -> None:
    rows = Unseen(folder() / "api" / "keywords.yaml")
    assert [
        version for version in Api(folder() / "api").shelf.book(title).versions if rows.row(title, version) is None
    ] == []


def test_damaged_rows_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(EnvcheckError, match=r"api/keywords.yaml:1: .*wordz"):
        unseen(tmp_path, ROW.replace("words", "wordz")).row("keras", Version("2.3.1"))
