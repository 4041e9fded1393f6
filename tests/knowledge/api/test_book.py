"""The text of a history as it is read: blocks, releases as sets, and what damaged data says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from envcheck.errors import EnvcheckError
from envcheck.knowledge.api.book import Book, Modules

LABELS = ("1.0", "1.1", "2.0.0", "2.0.3", "3.0")
TEXT = """\
# releases 1.0=1.0.7 1.1=1.1.2 2.0.0=2.0.0 2.0.3=2.0.3 3.0=3.0.1
Model class 1.0-
 < 1.1- Layer
 ( 1.0-1.1 layers
 ( 2.0.0- layers name= **kwargs
 ! 3.0 after=2030-01-01 instead=keras.Net
 , attribute 1.0- history stop
 .fit
  ( 1.0-2.0.0 x y= nb_epoch=
  ( 2.0.3- x y= epochs=
  ! 1.0 yes
 .summary method 1.0 property 1.1-
layers module 1.0-
layers.old =layers.Dense 1.0-1.1,2.0.3
"""


@pytest.fixture
def book(tmp_path: Path) -> Book:
    (tmp_path / "keras.txt").write_text(TEXT, "ascii")
    return Book("keras", tmp_path / "keras.txt")


def test_the_header_names_the_releases(book: Book) -> None:
    assert book.labels == LABELS
    assert book.versions[0] == Version("1.0.7")


@pytest.mark.parametrize(
    ("releases", "mask", "intervals"),
    [
        ("1.0-", 0b11111, [("1.0", None)]),
        ("1.0", 0b00001, [("1.0", "1.0")]),
        ("3.0", 0b10000, [("3.0", None)]),
        ("1.1-2.0.0,3.0-", 0b10110, [("1.1", "2.0.0"), ("3.0", None)]),
    ],
)
def test_releases_are_sets(book: Book, releases: str, mask: int, intervals: list[tuple[str, str | None]]) -> None:
    assert book.mask(releases) == mask
    assert book.intervals(mask) == intervals


@given(st.integers(0, 2**5 - 1))
def test_every_set_can_be_written_and_read(mask: int) -> None:
    book = Book.__new__(Book)
    book.labels, book._places, book._masks = LABELS, {label: place for place, label in enumerate(LABELS)}, {}
    written = ",".join(f"{first}-{last or ''}" if first != last else first for first, last in book.intervals(mask))
    assert (book.mask(written) if written else 0) == mask


@pytest.mark.parametrize(
    ("version", "columns"),
    [
        ("1.0", 0b00001),  # a minor with one column answers for all its patches
        ("1.0.9", 0b00001),
        ("2.0.0", 0b00100),
        ("2.0.1", 0b01100),  # between two recorded patches: both must agree
        ("2.0.4", 0b01000),
        ("1.2", 0),  # not recorded
        ("4.0", 0),
        ("3.0.2rc1", 0),
    ],
)
def test_columns_that_tell_of_a_release(book: Book, version: str, columns: int) -> None:
    assert book.columns(Version(version)) == columns


def test_an_entry(book: Book) -> None:
    model = book.entry("Model")
    assert model is not None
    assert model.kinds == (("class", 0b11111),)
    assert [(fact.mask, fact.text) for fact in model.holding("(", 0b10001)] == [
        (0b00001, "layers"),
        (0b10000, "layers name= **kwargs"),
    ]
    assert set(model.members) == {"history", "stop", "fit", "summary"}
    assert model.members["history"].kinds == (("attribute", 0b11111),)
    assert model.members["fit"].kinds == (("method", 0b11111),)
    assert model.members["summary"].kinds == (("method", 0b00001), ("property", 0b11110))
    assert [fact.text for fact in model.members["fit"].holding("!", 0b11111)] == ["yes"]


def test_names_that_are_not_there(book: Book) -> None:
    assert book.entry("Mode") is None
    assert book.entry("fit") is None
    assert book.entry("# releases") is None


def test_names_below(book: Book) -> None:
    assert list(book.below("layers")) == ["layers.old"]
    assert list(book.below("")) == ["Model", "layers"]
    assert list(book.alias_heads()) == [("layers.old", ["layers.Dense"])]


def test_modules(tmp_path: Path) -> None:
    path = tmp_path / "keras.modules.txt"
    path.write_text(
        "# releases 1=1.0 2=2.0\nkeras.engine 1\n ^ 1\n * 1\n 1 Layer=layers.Layer np\nkeras.engine.base 1-\n 2 K\n",
        "ascii",
    )
    modules = Modules(path)
    engine = modules.module("keras.engine")
    assert engine is not None
    assert (engine.mask, engine.bound, engine.unread) == (1, 1, 1)
    assert engine.names == {"Layer": [(1, "layers.Layer")], "np": [(1, "")]}
    assert modules.module("keras.engines") is None


@pytest.mark.parametrize("text", ["", "Model class 1.0-\n", "# releases\n", "\xff"])
def test_damaged_data_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keras.txt"
    path.write_text(text, "latin-1")
    with pytest.raises(EnvcheckError, match=r"envcheck's own data is damaged: keras\.txt"):
        Book("keras", path)
    with pytest.raises(EnvcheckError, match=r"nothing\.txt: .*No such file"):
        Book("keras", tmp_path / "nothing.txt")
