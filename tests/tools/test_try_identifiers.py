"""What releases are asked about identifiers, and how their answers become text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envcheck.knowledge.api.answers import Api
from envcheck.knowledge.api.words import Words
from envcheck.knowledge.rows import folder
from tools.try_identifiers import candidates, write
from tools.try_identifiers.__main__ import wanted

API = Api(folder() / "api")
COLUMNS = {recipe.name: columns for recipe, columns in wanted(API)}


@pytest.mark.parametrize(
    ("name", "snake"),
    [("MeanSquaredError", "mean_squared_error"), ("L1L2", "l1_l2"), ("BinaryIoU", "binary_io_u"), ("relu", "relu")],
)
def test_names_as_keras_spells_them(name: str, snake: str) -> None:
    assert candidates.snake(name) == snake


def test_what_is_tried() -> None:
    tried = candidates.strings(API)
    assert {"adam", "ADAM", "Adam", "nesterov"} <= set(tried["optimizer"])
    assert {"mse", "mean_squared_error", "kld", "CTC"} <= set(tried["loss"])
    assert {"LeakyReLU", "leaky_re_lu", "mish"} <= set(tried["activation"])


def test_objects_are_asked_for_what_their_class_lacks() -> None:
    asked = candidates.members(API, "tensorflow.keras", "3.15")
    assert {"history", "fit_generator"} <= set(asked["Model"])
    assert "fit" not in asked["Model"]
    assert "lr" in asked["optimizers.Adam"]


def test_every_recorded_release_is_asked() -> None:
    for title in candidates.BOOKS:
        asked = {columns[title] for columns in COLUMNS.values() if title in columns}
        assert asked == set(API.shelf.book(title).labels)


def answer(answers: Path, name: str, title: str, strings: list[str], members: list[str]) -> None:
    path = answers / f"{name}.json"
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    known[title] = {"strings": {"optimizer": strings}, "compiled": ["acc"], "objects": {"optimizers.Adam": members}}
    path.write_text(json.dumps(known), "utf-8")


def test_answers_become_intervals(tmp_path: Path) -> None:
    for name, columns in COLUMNS.items():
        for title, label in columns.items():
            before = title == "tensorflow.keras" and label.startswith(("1.", "2.8"))
            answer(
                tmp_path,
                name,
                title,
                ["adam", "ADAM"] if before else ["sgd"],
                ["lr", "get_config"] if before else [],
            )
    write.write(API, COLUMNS, tmp_path, tmp_path)
    strings = Words(tmp_path / "identifiers" / "tensorflow.keras.txt")
    assert strings.of("optimizer")["adam"] == strings.mask("1.13.1-1.15,2.8")
    assert "ADAM" not in strings.of("optimizer")  # any case is read
    assert strings.block("compiled") == "compiled 1.13.1-\n 1.13.1- acc"
    objects = Words(tmp_path / "objects" / "tensorflow.keras.txt")
    assert objects.of("optimizers.Adam") == {"lr": objects.mask("1.14-1.15,2.8")}  # before, the class shows it
    assert objects.of("optimizers.Optimizer") == {"lr": objects.mask("1.13.1-1.15,2.8")}
    assert objects.of("optimizers.Nadam") == {}


def test_a_release_that_was_not_asked_is_named(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=r"keras: 2\.0, .* were not asked"):
        write.write(API, COLUMNS, tmp_path, tmp_path)
