"""What calls return: every row against the history, and the answers in one target."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.errors import EnvcheckError
from envcheck.knowledge.api.answers import Api, Status
from envcheck.knowledge.api.bounds import holds
from envcheck.knowledge.api.replacements import canonical
from envcheck.knowledge.api.returns import Result, Returned, Returns, keras_name
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import folder

API = Api(folder() / "api")
RETURNS = Returns(folder() / "api", API.shelf)
ROWS = list(RETURNS.rows.all())
OLD, MIDDLE, LAST_2, NEW = (
    Target.parse(text)
    for text in (
        "tensorflow==1.15.5",
        "tensorflow==2.8.4,keras==2.8.0",
        "tensorflow==2.15.1,keras==2.15.0",
        "tensorflow==2.21.0,keras==3.15.1",
    )
)


def where(row: Returned) -> str:
    return f"{row.source.path}:{row.source.line}"


def asked(name: str) -> list[str]:
    """The names that a row's name speaks for."""
    return [name, f"tensorflow.{name}"] if name.startswith("keras") else [name]


@pytest.mark.parametrize("row", ROWS, ids=where)
def test_a_row_names_what_is_or_was_there(row: Returned) -> None:
    for name in row.names:
        if not name.endswith("__"):  # dunders are not recorded
            names = asked(name.removesuffix(".*"))
            assert any(history.present for one in names if (history := API.history(one))), name
    for name in (*row.gives, *row.items):
        if not name.startswith("builtins."):
            assert any(history.present for one in asked(name) if (history := API.history(one))), name


@pytest.mark.parametrize("row", ROWS, ids=where)
def test_a_row_stands_under_every_canonical_name(row: Returned) -> None:
    """A caller asks by the canonical name, which moved between modules."""
    for name in row.names:
        for one in asked(name):
            history = API.history(one)
            for other in canonical(history) if history and not name.endswith(("__", "*")) else ():
                own = keras_name(other) or other
                if not own.startswith(("keras.engine.", "tensorflow.compat.v2.")):
                    assert RETURNS.rows.about(own), f"{name} is {own} in some releases"


@pytest.mark.parametrize(
    ("name", "target", "result"),
    [
        ("tensorflow.keras.Model.fit", NEW, Result(("tensorflow.keras.callbacks.History",), exact=True)),
        ("keras.Model.fit", OLD, Result(("keras.callbacks.History",), exact=True)),
        ("tf_keras.Model.fit", Target.parse("tf_keras==2.16.0"), Result(("tf_keras.callbacks.History",), exact=True)),
        ("keras.models.load_model", NEW, Result(("keras.Model", "keras.Sequential"))),
        ("tensorflow.keras.Input", NEW, Result(("tensorflow.keras.KerasTensor",), exact=True)),
        ("tensorflow.keras.Input", OLD, Result(("tensorflow.Tensor",), judged=False)),
        ("tensorflow.keras.Input", LAST_2, Result(("tensorflow.Tensor",), judged=False)),
        ("tensorflow.compat.v2.data.Dataset.map", NEW, Result(("tensorflow.data.Dataset",))),
        ("keras.applications.VGG16", NEW, Result(("keras.Model",))),
        ("keras.applications.vgg16.preprocess_input", NEW, None),
        ("keras.Operation.__call__", NEW, Result(like=0)),
        ("keras.Model.layers", NEW, Result(("keras.layers.Layer",), items=True)),
        ("tensorflow.TensorShape.__getitem__", OLD, Result(("tensorflow.Dimension",), exact=True)),
        ("tensorflow.TensorShape.__getitem__", NEW, Result(("builtins.int",), exact=True)),
        ("tensorflow.data.Dataset.map", NEW, Result(("tensorflow.data.Dataset",))),
        ("tensorflow.nosuch", NEW, None),
        ("numpy.array", NEW, None),
        ("", NEW, None),
    ],
)
def test_what_comes_back(name: str, target: Target, result: Result | None) -> None:
    assert RETURNS.gives(name, target) == result


def test_what_differs_among_the_targets_releases_is_not_told() -> None:
    assert RETURNS.gives("keras.Input", Target()) is None
    assert RETURNS.gives("tensorflow.keras.Input", Target.parse("tensorflow==2.21.0")) is not None


@pytest.mark.parametrize(
    ("bounds", "root", "target", "answer"),
    [
        ({}, "keras", "tensorflow==2.21.0", True),
        ({"keras": ">=3.0"}, "keras", "keras==3.1.1", True),
        ({"keras": ">=3.0"}, "keras", "tensorflow==2.15.1", False),
        ({"keras": ">=3.0"}, "keras", "tensorflow==1.15.5", None),
        ({"keras": ">=3.0"}, "tensorflow.keras", "tensorflow==2.16.2", True),
        ({"keras": ">=3.3"}, "tensorflow.keras", "tensorflow==2.16.2", None),
        ({"keras": ">=3.3"}, "tensorflow.keras", "tensorflow==2.16.2,keras==3.2.1", False),
        ({"keras": ">=3.0"}, "tensorflow.keras", "tensorflow==1.15.5", False),
        ({"keras": ">=3.0"}, "tensorflow.keras", "tensorflow==2.16.2,TF_USE_LEGACY_KERAS=1", False),
        ({"keras": ">=3.0"}, "tf_keras", "tf_keras==2.16.0", False),
        ({"keras": ">=2.3", "tensorflow": ">=2.0"}, "tensorflow.keras", "tensorflow==1.15.5", False),
        ({"keras": ">=2.3", "tensorflow": ">=2.0"}, "keras", "tensorflow==1.15.5,keras==2.3.1", True),
        ({"keras": ">=3.0"}, "tensorflow", "tensorflow==2.15.1", False),
        ({"keras": ">=3.0"}, "tensorflow", "tensorflow==2.16.2", True),
        ({"tensorflow": ">=2.0"}, "tensorflow", "keras==3.1.1", None),
        ({"tensorflow": ">=2.0"}, "keras", "keras==3.1.1", None),
        ({"keras": "<2.4 or >=3.0"}, "keras", "keras==2.8.0", False),
        ({"keras": "<2.4 or >=3.0"}, "keras", "keras==2.2.4", True),
    ],
)
def test_whether_a_row_holds(bounds: dict[str, str], root: str, target: str, answer: bool | None) -> None:
    assert holds(bounds, root, Target.parse(target), API.shelf) is answer


def test_classes_are_there_in_some_release_where_the_row_holds() -> None:
    for target in (OLD, MIDDLE, LAST_2, NEW):
        for row in ROWS:
            for name in row.names:
                result = RETURNS.gives(f"tensorflow.{name}" if name.startswith("keras.") else name, target)
                whole = f"tensorflow.{name}" if name.startswith("keras.") else name
                if result is None or API.ask(whole, target).status is not Status.PRESENT:
                    continue
                there = [API.ask(one, target).status for one in result.classes]
                assert not there or any(one is not Status.ABSENT for one in there) or not result.judged, (name, target)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- names: [keras.x]\n  gives: [keras.y]\n  examples: [x]\n", "known is missing"),
        (
            "- names: [keras.x]\n  examples: [x]\n  known: measured\n  source: [a]\n  checked: 2026-01-01\n",
            "one of gives",
        ),
        ("# one\n- names: [keras.x\n", "no YAML"),
    ],
)
def test_damaged_rows_are_said_with_their_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "returns.yaml").write_text(text, "utf-8")
    with pytest.raises(EnvcheckError, match="envcheck's own data is damaged") as caught:
        list(Returns(tmp_path, API.shelf).rows.all())
    assert said in str(caught.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(EnvcheckError, match=r"returns\.yaml"):
        Returns(tmp_path, API.shelf).gives("keras.Input", NEW)
