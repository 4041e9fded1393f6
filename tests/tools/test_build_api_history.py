"""Records of three made-up releases become one history, and the history answers as the records say."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from envcheck.knowledge.api.book import Book, Modules
from tools.build_api_history import asking, books, text
from tools.build_api_history.books import Slice
from tools.build_api_history.recipes import Recipe, Root, recipes, released

METHOD = {"kind": "method", "call": "x"}


def record(names: dict[str, Any], objects: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"root": "keras", "imported": [], "importable": [], "bound": [], "modules": {}}
    return {**empty, "names": names, "objects": objects, **more}


def layer(*members: str, call: str = "units", **more: Any) -> dict[str, Any]:
    return {"kind": "class", "call": call, "bases": [], "members": dict.fromkeys(members, METHOD), **more}


OLD = record(
    {
        "layers": {"module": "keras.layers", "entered": True},
        "layers.Layer": 0,
        "layers.Dense": 1,
        "np": {"module": "numpy", "entered": False},
    },
    [layer("call", origin="a:Layer"), {**layer("call", "build"), "bases": [0, "!dict"], "origin": "a:Dense"}],
    modules={"keras.engine": {"names": ["Layer", "K"], "open": False, "public": {"Layer": "layers.Layer"}}},
    bound=["keras.engine"],
)
MIDDLE = record(
    {
        "layers": {"module": "keras.layers", "entered": True},
        "layers.Layer": 0,
        "layers.Dense": 1,
        "layers.Affine": 1,
        "gone": {"raises": "AttributeError"},
    },
    [
        layer("call"),
        {
            **layer("call", "build", call="units bias="),
            "bases": [0],
            "deprecated": {"marked": True, "after": "2030-01-01"},
        },
    ],
    imported=["layers.Affine"],
)
NEW = record(
    {
        "layers": {"module": "keras.layers", "entered": True},
        "layers.Dense": 0,
        "layers.Affine": 0,
        "dense": {"same": "layers"},
    },
    [
        {
            **layer("call", "build", call="units bias= **kwargs"),
            "keywords": {"accepted": ["name"], "ignored": ["decay"], "rejected": ["lr"], "other": "rejected"},
        }
    ],
)


@pytest.fixture
def merged(monkeypatch: pytest.MonkeyPatch) -> books.Book:
    monkeypatch.setattr(books, "ALL_TRIED", {"name", "decay", "lr", "units", "seed"})
    book = books.Book("keras", ["1.0", "1.1", "2.0"], ["1.0.0", "1.1.0", "2.0.0"])
    settled: set[str] = set()
    for column, each in reversed(list(enumerate((OLD, MIDDLE, NEW)))):
        books.fill(book, column, Slice(each), settled)
    return book


def test_the_text(merged: books.Book) -> None:
    assert text.render(merged) == (
        "# releases 1.0=1.0.0 1.1=1.1.0 2.0=2.0.0\n"
        "dense =layers 2.0-\n"
        "layers module 1.0-\n"
        "layers.Affine =layers.Dense 1.1-\n"
        " ^ 1.1\n"
        "layers.Dense class 1.0-\n"
        " < 1.0 layers.Layer !dict\n"
        " < 1.1 layers.Layer\n"
        " ( 1.0 units\n"
        " ( 1.1 units bias=\n"
        " ( 2.0- units bias= **kwargs\n"
        " ! 1.1 after=2030-01-01\n"
        " ? 2.0- rejected\n"
        " + 2.0- name\n"
        " ~ 2.0- decay\n"
        " u 2.0- seed\n"
        " .build\n"
        "  ( 1.0- x\n"
        " .call\n"  # inherited before
        "  ( 2.0- x\n"
        "layers.Layer class 1.0-1.1\n"
        " ( 1.0-1.1 units\n"
        " .call\n"
        "  ( 1.0-1.1 x\n"
        "np internal 1.0\n"
        " @ 1.0 numpy\n"
    )
    assert text.render_modules(merged) == (
        "# releases 1.0=1.0.0 1.1=1.1.0 2.0=2.0.0\nkeras.engine 1.0\n ^ 1.0\n 1.0 K Layer=layers.\n"
    )


def test_what_is_written_is_read(merged: books.Book, tmp_path: Path) -> None:
    (tmp_path / "keras.txt").write_text(text.render(merged), "ascii")
    book = Book("keras", tmp_path / "keras.txt")
    for name, entry in merged.entries.items():
        read = book.entry(name)
        assert read is not None
        assert dict(read.kinds) == {
            fact[1]: sum(1 << column for column in columns) for fact, columns in entry.facts.items() if fact[0] == ":"
        }
        assert set(read.members) == set(entry.members)
    (tmp_path / "keras.modules.txt").write_text(text.render_modules(merged), "ascii")
    module = Modules(tmp_path / "keras.modules.txt").module("keras.engine")
    assert module is not None
    assert module.names == {"K": [(1, "")], "Layer": [(1, "layers.Layer")]}


def test_a_book_sees_its_part_of_a_root() -> None:
    names = {"keras.layers.Dense": 0, "losses.mse": 1, "keras.losses.mse": 1, "compat.v1.Session": 2}
    whole = record(names, [layer(), layer(), layer()])
    outside, inside = Slice(whole, "", "keras"), Slice(whole, "keras", "")
    assert [name for name, _ in outside.names()] == ["losses.mse", "compat.v1.Session"]
    assert [name for name, _ in inside.names()] == ["layers.Dense", "losses.mse"]
    assert outside.foreign("keras.layers.Dense") == "/keras.layers.Dense"
    assert inside.foreign("losses.mse") == "/losses.mse"


def test_the_canonical_name() -> None:
    names = {"compat.v1.keras.layers.Dense": 0, "keras.layers.Dense": 0, "keras.Dense2": 0}
    part = Slice(record(names, [layer(origin="keras.core:Dense")]))
    assert part.canonical(set()) == {0: "keras.layers.Dense"}
    assert part.canonical({"keras.Dense2"}) == {0: "keras.Dense2"}  # what a newer release settled on stays


def test_every_recorded_release_has_its_recipe() -> None:
    found = {recipe.name: recipe for recipe in recipes()}
    for name in ("tensorflow-1.13.2", "tensorflow-2.0.4", "keras-2.0.9", "keras-2.2.5", "tf_keras-2.14.1"):
        assert name in found
    newest = max(released("tensorflow"))
    assert f"tensorflow-{newest}" in found
    assert found["keras-3.0.0"].python == "3.12"
    assert found["tensorflow-1.13.2"].requirements == ("tensorflow==1.13.2",)
    minors = {(version.major, version.minor) for version in released("keras") if version.major >= 3}
    assert {Version(name[6:]).release[:2] for name in found if name.startswith("keras-3")} == minors


def test_disagreements_are_told(merged: books.Book) -> None:
    from envcheck.knowledge.api.answers import Api
    from envcheck.knowledge.api.target import Target
    from envcheck.knowledge.rows import folder

    asked = {
        "names": ["keras.layers.Dense", "keras.layers.Nosuch", "keras.layers.Dense.units"],
        "keywords": [["keras.ops.add", "x3"]],
    }
    answers = {"names": ["attribute", "attribute", "absent"], "keywords": [True]}
    verdict = asking.compare("keras", asked, answers, Api(folder() / "api"), Target(keras=Version("3.15.1")))
    assert verdict.disagreements == [
        "keras.layers.Nosuch: live attribute, recorded absent",
        "keras.ops.add(x3=): live True, recorded absent",
    ]
    assert (verdict.names, verdict.keywords) == (2, 1)  # units is set on instances: no class has it to show


def test_a_recipe_is_a_target() -> None:
    root = (Root("keras", "keras"),)
    day = datetime.date(2024, 5, 1)
    keras = Recipe(("keras", "3.3.3"), "3.12", ("tensorflow-cpu==2.16.1", "keras==3.3.3"), day, root)
    assert str(asking.target_of(keras)) == "tensorflow==2.16.1,keras==3.3.3"
    legacy = Recipe(
        ("tf_keras", "2.16.0"), "3.12", ("tensorflow-cpu==2.16.2", "tf-keras==2.16.0"), day, root, legacy=True
    )
    assert str(asking.target_of(legacy)) == "tensorflow==2.16.2,tf_keras==2.16.0,TF_USE_LEGACY_KERAS=1"
