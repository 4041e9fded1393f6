"""What values do: every row against the history, and what is said of calls in one target."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.knowledge.api.answers import Api
from envcheck.knowledge.api.replacements import canonical
from envcheck.knowledge.api.returns import keras_name
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.api.values import Argument, Call, Instance, Other, Text, Value, Values, When
from envcheck.knowledge.rows import folder

API = Api(folder() / "api")
VALUES = Values(folder() / "api", API.shelf)
ROWS = list(VALUES.rows.all())
OLD, LAST_2, NEW = (
    Target.parse(text)
    for text in ("tensorflow==1.15.5", "tensorflow==2.15.1,keras==2.15.0", "tensorflow==2.21.0,keras==3.15.1")
)


def where(row: Value) -> str:
    return f"{row.source.path}:{row.source.line}"


@pytest.mark.parametrize("row", ROWS, ids=where)
def test_a_row_names_what_is_or_was_there(row: Value) -> None:
    for name in (*row.names, *row.but, *row.unless):
        if name.rpartition(".")[2].startswith("_"):
            continue  # private names are not recorded
        histories = [API.history(one) for one in (name.removesuffix(".*"), f"tensorflow.{name.removesuffix('.*')}")]
        assert any(history and history.present for history in histories), name


@pytest.mark.parametrize("row", ROWS, ids=where)
def test_a_row_stands_under_every_canonical_name(row: Value) -> None:
    """A caller asks by the canonical name, which moved between modules."""
    for name in row.names:
        for one in (name, f"tensorflow.{name}") if name.startswith("keras.") else (name,):
            history = API.history(one)
            for other in canonical(history) if history and not name.endswith(("*", "__")) else ():
                own = keras_name(other) or other
                if [part for part in own.split(".") if part[:1].isupper()] == [
                    part for part in name.split(".") if part[:1].isupper()
                ] and not own.startswith(("keras.engine.", "tensorflow.")):  # of the same class
                    assert own in row.names, f"{name} is {own} in some releases"


@pytest.mark.parametrize("row", ROWS, ids=where)
def test_a_row_says_something(row: Value) -> None:
    assert row.message.endswith(".")
    assert row.position is None or row.parameter
    assert not (row.of == "read" and (row.parameter or row.when))
    assert row.releases or row.outcome == "raises"
    for name in row.names:
        if name.startswith("keras.") and row.releases:
            assert "keras" in row.releases, "Keras's own releases decide about its names"


def judged(name: str, target: Target, *positional: Argument, more: bool = False, **keywords: Argument) -> list[str]:
    """The outcomes of a call, with the argument that decides."""
    found = VALUES.of_call([name], Call(positional, keywords, more), target, instance=True)
    return [f"{one.row.outcome} {one.argument}" for one in found]


@pytest.mark.parametrize(
    ("path", "raises"),
    [
        ("folder", True),
        ("model.keras", False),
        ("model.h5", False),
        (Text((None, "/model")), True),
        (Text((None, "/model.keras")), False),
        (Text((None,)), False),
        (Text((None, "as")), False),  # it may end in .keras
        (Text(("runs/", None)), False),
        ("hf://someone/model", False),
        (Other.COMPUTED, False),
        (None, False),
        (3, False),
    ],
)
def test_the_end_of_a_path(path: Argument, raises: bool) -> None:
    assert judged("tensorflow.keras.Model.save", NEW, path) == (["raises 0"] if raises else [])
    assert judged("tensorflow.keras.Model.save", NEW, filepath=path) == (["raises filepath"] if raises else [])
    assert judged("tensorflow.keras.Model.save", LAST_2, path) == []


def test_what_another_argument_says() -> None:
    name = "keras.callbacks.ModelCheckpoint"
    assert judged(name, NEW, "best") == ["raises 0"]
    assert judged(name, NEW, "best.h5") == []
    assert judged(name, Target.parse("keras==3.3.3"), "best.h5") == ["raises 0"]
    assert judged(name, NEW, "best.weights.h5", save_weights_only=True) == []
    assert judged(name, NEW, "best.h5", save_weights_only=True) == ["raises 0"]
    assert judged(name, NEW, "best.keras", "val_loss", 0, True, True) == ["raises 0"]
    assert judged(name, NEW, "best", save_weights_only=Other.COMPUTED) == []
    assert judged(name, NEW, "best", more=True) == []
    assert judged(name, LAST_2, "best") == []


@pytest.mark.parametrize(
    ("name", "target", "call", "said"),
    [
        ("keras.layers.Dense", NEW, Call((2,), {"name": "a/b"}), ["raises name"]),
        ("keras.layers.Dense", NEW, Call((2,), {"name": Text((None, "/b"))}), ["raises name"]),
        ("keras.layers.Dense", NEW, Call((2,), {"name": "a_b"}), []),
        ("tensorflow.keras.losses.MeanSquaredError", NEW, Call((), {"reduction": "auto"}), ["raises reduction"]),
        ("tensorflow.keras.losses.MeanSquaredError", LAST_2, Call((), {"reduction": "auto"}), []),
        ("keras.Model.predict", NEW, Call((Other.NUMBERS,)), ["raises 0"]),
        ("keras.Model.predict", LAST_2, Call((Other.NUMBERS,)), []),
        ("keras.Model.compile", NEW, Call(("sgd", "mse", Other.TEXTS)), ["raises 2"]),
        ("keras.Model.compile", NEW, Call(("sgd", "mse"), {"metrics": Other.TEXTS}), []),
        ("keras.Model.compile", NEW, Call((Instance(("tensorflow.compat.v1.train.AdamOptimizer",)),)), ["raises 0"]),
        ("keras.Model.compile", NEW, Call((Instance(("keras.optimizers.Adam",)),)), []),
        ("keras.Operation.__call__", NEW, Call((Other.COMPUTED, True)), ["raises 1"]),
        ("keras.Operation.__call__", NEW, Call((Other.COMPUTED, 1)), []),
        ("keras.Operation.__call__", NEW, Call((Other.COMPUTED,), {"training": True}), []),
        ("tensorflow.square", NEW, Call((Instance(("tensorflow.keras.KerasTensor",)),)), ["raises 0"]),
        ("tensorflow.math.log", NEW, Call((), {"x": Instance(("keras.KerasTensor",))}), ["raises x"]),
        ("tensorflow.square", NEW, Call((Instance(("tensorflow.Tensor",)),)), []),
        ("tensorflow.is_tensor", NEW, Call((Instance(("keras.KerasTensor",)),)), []),
        ("tensorflow.keras.backend.sum", NEW, Call((Instance(("tensorflow.keras.KerasTensor",)),)), ["raises 0"]),
        ("tensorflow.keras.backend.int_shape", NEW, Call((Instance(("tensorflow.keras.KerasTensor",)),)), []),
        ("tensorflow.keras.optimizers.legacy.Adam", NEW, Call(), ["raises None"]),
        ("tensorflow.keras.optimizers.legacy.Adam", LAST_2, Call(), []),
        ("tensorflow.compat.v1.layers.dense", NEW, Call(), ["raises None"]),
        ("tensorflow.compat.v1.layers.dense", LAST_2, Call(), []),
        ("tensorflow.nn.dropout", NEW, Call((Other.COMPUTED, 0.8)), ["differs 1"]),
        ("tensorflow.nn.dropout", OLD, Call((Other.COMPUTED, 0.8)), []),
        ("numpy.concatenate", NEW, Call(("auto",)), []),
    ],
)
def test_what_a_call_does(name: str, target: Target, call: Call, said: list[str]) -> None:
    assert [f"{one.row.outcome} {one.argument}" for one in VALUES.of_call([name], call, target)] == said


def test_only_on_an_object_that_a_call_made() -> None:
    assert VALUES.of_call(["keras.Model.add_loss"], Call((Other.COMPUTED,)), NEW) == []
    assert VALUES.of_call(["keras.Model.add_loss"], Call((Other.COMPUTED,)), NEW, instance=True)


def test_a_row_speaks_once_for_the_written_and_the_canonical_name() -> None:
    names = ["tensorflow.keras.Sequential.save", "tensorflow.keras.Model.save"]
    assert len(VALUES.of_call(names, Call(("folder",)), NEW)) == 1


def test_attributes_and_keys() -> None:
    assert [one.row.outcome for one in VALUES.of_read(["keras.Sequential.output"], NEW)] == ["may-raise"]
    assert VALUES.of_read(["keras.Sequential.output"], LAST_2) == []
    history = ["tensorflow.keras.callbacks.History.history"]
    (found,) = VALUES.of_item(history, "val_acc", LAST_2)
    assert found.row.metrics == "accuracy"
    assert VALUES.of_item(history, "val_loss", LAST_2) == []
    assert VALUES.of_item(history, "val_acc", OLD) == []
    assert len(VALUES.of_item(history, "val_accuracy", OLD)) == 1


def test_true_is_not_one() -> None:
    assert When(equals=(True,)).fits(True)
    assert not When(equals=(True,)).fits(1)
    assert not When(kind="number").fits(True)
    assert When(kind="bool").fits(False)


@given(
    st.lists(st.one_of(st.none(), st.text(max_size=9)), max_size=3),
    st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=3),
    st.lists(st.text(max_size=5), min_size=3, max_size=3),
)
def test_a_text_known_in_parts_is_never_judged_otherwise_than_whole(
    pieces: list[str | None], suffixes: list[str], fill: list[str]
) -> None:
    whole = "".join(piece if piece is not None else fill[place] for place, piece in enumerate(pieces))
    part = Text(tuple(pieces))
    for when in (When(has_suffix=tuple(suffixes)), When(lacks_suffix=tuple(suffixes)), When(contains=tuple(suffixes))):
        assert not when.fits(part) or when.fits(whole)
