"""Saved models read without loading them: what they say, and what hostile ones become."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from saved.models import LAMBDA, MINE, archive, bundle, field, layer, old_config, sequential

from envcheck.saved import archive as archives
from envcheck.saved import bundle as bundles
from envcheck.saved import hdf5
from envcheck.saved.found import (
    COMPILE,
    EXPORTED,
    HDF5,
    OPERATIONS,
    RENAMED,
    SAVED_MODEL,
    Code,
    Part,
    SavedModel,
    Unread,
)


def read(path: str) -> SavedModel:
    found = archives.read(path)
    assert isinstance(found, SavedModel), found
    return found


def reason(found: SavedModel | Unread) -> str:
    assert isinstance(found, Unread)
    return found.reason


def test_an_archive_says_who_wrote_it_and_of_what_it_is_made(tmp_path: Path) -> None:
    model = read(archive(tmp_path / "m.keras", sequential(layer("Dense", units=3), MINE)))
    assert (model.keras, model.date) == ("3.15.1", "2026-11-21@13:21:00")
    assert [part.class_name for part in model.parts] == ["Sequential", "Dense", "Mine"]
    assert model.parts[1].values["units"] == 3
    assert model.parts[2].registered == "pkg>Mine"
    assert not model.remarks


def test_bytecode_and_functions_are_told_with_their_layer(tmp_path: Path) -> None:
    function = {"class_name": "function", "config": "act", "module": "builtins"}
    model = read(archive(tmp_path / "m.keras", sequential(LAMBDA, layer("Dense", activation=function))))
    assert model.code == (
        Code("lambda", "", "Lambda 'lambda'"),
        Code("function", "act", "Dense 'dense'", "builtins"),
    )


def test_bytecode_of_hdf5_is_told(tmp_path: Path) -> None:
    old = {"class_name": "Lambda", "config": {"name": "l", "function_type": "lambda", "function": ["4wE="]}}
    found = hdf5.read("m.h5", {"attributes": {"model_config": json.dumps(old_config(old)), "keras_version": "2.8.0"}})
    assert isinstance(found, SavedModel)
    assert found.code == (Code("lambda", "", "Lambda 'l'"),)


def test_a_member_that_leads_out_is_told(tmp_path: Path) -> None:
    model = read(archive(tmp_path / "m.keras", sequential(), members={"../../evil": b"x"}))
    assert "'../../evil' that would be unpacked outside" in model.remarks[0]


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LARGEST", 1000)
    path = archive(tmp_path / "m.keras", sequential(layer("Dense", kernel=" " * 2000)))
    assert "larger than" in reason(archives.read(path))


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (None, "the archive has no config.json"),
        ([1], "its config describes no model"),
        ({"class_name": 3}, "its config describes no model"),
    ],
)
def test_what_is_no_model_is_told(config: Any, says: str, tmp_path: Path) -> None:
    assert says in reason(archives.read(archive(tmp_path / "m.keras", config)))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"class_name": "A", "config": ' + '{"a": ' * 500 + "1" + "}" * 501, "{", "\ud800"]
)
def test_a_config_that_is_damaged_or_nests_deep_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", text.encode("utf-8", "surrogatepass"))
    assert "its config" in reason(archives.read(str(path)))


@pytest.mark.parametrize("twentieth", range(1, 20))
def test_an_archive_cut_at_any_place_is_told(twentieth: int, tmp_path: Path) -> None:
    path = Path(archive(tmp_path / "m.keras", sequential(layer("Dense")), members={"model.weights.h5": bytes(5000)}))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * twentieth // 20])
    assert "cut short" in reason(archives.read(str(path)))


def test_an_archive_that_is_cut_short_missing_or_a_folder_is_told(tmp_path: Path) -> None:
    path = Path(archive(tmp_path / "m.keras", sequential()))
    path.write_bytes(path.read_bytes()[:-30])
    assert "cut short" in reason(archives.read(str(path)))
    assert "cannot be read" in reason(archives.read(str(tmp_path)))
    assert "cannot be read" in reason(archives.read(str(tmp_path / "none.keras")))
    assert reason(archives.read("a\0b"))


@pytest.mark.parametrize("old", [False, True])
def test_a_saved_model_of_keras_says_who_wrote_it(old: bool, tmp_path: Path) -> None:
    path = bundle(
        tmp_path / "m",
        "2.11.0",
        old_config({"class_name": "LSTM", "config": {"name": "l", "trainable": True}}),
        old=old,
    )
    model = bundles.read(path)
    assert isinstance(model, SavedModel)
    assert (model.form, model.keras, model.tensorflow) == (SAVED_MODEL, "2.11.0", "2.11.1")
    graph, *parts = model.parts
    assert graph == Part(OPERATIONS, values={"MatMul": None})
    assert [(part.class_name, part.kind) for part in parts] == [("Sequential", "model"), ("LSTM", "layer")]


def test_a_saved_model_for_serving_is_told_from_one_of_keras(tmp_path: Path) -> None:
    model = bundles.read(bundle(tmp_path / "m", None))
    assert isinstance(model, SavedModel)
    assert (model.form, model.keras) == (EXPORTED, None)


@pytest.mark.parametrize("data", [b"hello", b"", b"\x12\xff\xff\xff\xff\x0f", b"\x12" + b"\xff" * 11, b"\x00\x00"])
def test_a_saved_model_that_is_damaged_is_told(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(data)
    assert reason(bundles.read(str(tmp_path)))


def test_weights_and_strange_hdf5_files_are_told_apart() -> None:
    weights = hdf5.read("w.h5", {"attributes": {}, "weights": True})
    other = hdf5.read("x.h5", {"attributes": {}, "weights": False})
    assert "weights alone" in reason(weights)
    assert "no model of Keras" in reason(other)
    assert isinstance(other, Unread)
    assert other.strange


@pytest.mark.parametrize(("before", "is_one"), [(0, True), (512, True), (2048, True), (100, False)])
def test_hdf5_is_known_by_its_signature(before: int, is_one: bool, tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    path.write_bytes(b"x" * before + hdf5.SIGNATURE + b"x" * 3000)
    assert hdf5.is_hdf5(str(path)) is is_one


def test_what_cannot_be_opened_is_told_from_what_is_no_hdf5(tmp_path: Path) -> None:
    for path in (str(tmp_path), "none.h5", "a\0b"):
        found = hdf5.is_hdf5(path)
        assert isinstance(found, Unread)
        assert "cannot be read: " in found.reason


def test_a_file_cut_short_says_how_much_is_there() -> None:
    error = "OSError: Unable to open file (truncated file: eof = 906, sblock->base_addr = 0, stored_eof = 18136)"
    assert reason(hdf5.read("m.h5", {"error": error})).startswith("it is cut short: 906 of its 18136 bytes are there")


def test_a_config_that_is_no_text_is_told_unlike_a_missing_one() -> None:
    found = hdf5.read("m.h5", {"attributes": {"model_config": None}})
    assert "is no text, or larger" in reason(found)
    assert isinstance(found, Unread)
    assert not found.strange


def test_what_compile_was_given_is_told_name_by_name() -> None:
    wrapper = {"class_name": "MeanMetricWrapper", "config": {"name": "f", "fn": "f"}}
    training = {"loss": {"a": "mse"}, "metrics": [["acc", wrapper]], "loss_weights": None}
    attributes = {
        "model_config": json.dumps(old_config()),
        "training_config": json.dumps(training | {"loss": ["mse", "mae"]}),
    }
    model = hdf5.read("m.h5", {"attributes": attributes})
    assert isinstance(model, SavedModel)
    told = [part.values for part in model.parts if part.class_name == COMPILE]
    assert told == [{"loss": "mse"}, {"loss": "mae"}, {"metrics": "acc"}, {"metrics": "f"}]


@pytest.mark.parametrize(("path", "form"), [("m.h5", HDF5), ("m.keras", RENAMED)])
def test_hdf5_under_the_name_of_an_archive(path: str, form: str) -> None:
    model = hdf5.read(path, {"attributes": {"model_config": json.dumps(old_config())}})
    assert isinstance(model, SavedModel)
    assert model.form == form


ONCE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["class_name", "config", "name", "module", "registered_name", "layers", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(data=st.binary(max_size=200), start=st.integers(0, 400))
@ONCE
def test_no_bytes_crash_the_readers(data: bytes, start: int, tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    whole = Path(archive(path, sequential(layer("Dense")))).read_bytes()
    path.write_bytes(whole[:start] + data + whole[start + len(data) :])
    assert isinstance(archives.read(str(path)), (SavedModel, Unread))
    (tmp_path / "saved_model.pb").write_bytes(data)
    (tmp_path / "keras_metadata.pb").write_bytes(data[::-1])
    assert isinstance(bundles.read(str(tmp_path)), (SavedModel, Unread))


@given(config=VALUES, training=VALUES)
@ONCE
def test_no_config_crashes_the_readers(config: Any, training: Any, tmp_path: Path) -> None:
    wrapped = {"class_name": "Sequential", "config": config}
    assert isinstance(archives.read(archive(tmp_path / "m.keras", wrapped)), (SavedModel, Unread))
    record = {"attributes": {"model_config": json.dumps(wrapped), "training_config": json.dumps(training)}}
    assert isinstance(hdf5.read("m.h5", record), (SavedModel, Unread))
    node = field(4, "_tf_keras_layer") + field(5, json.dumps(config))
    (tmp_path / "saved_model.pb").write_bytes(field(2, b""))
    (tmp_path / "keras_metadata.pb").write_bytes(field(1, node))
    assert isinstance(bundles.read(str(tmp_path)), (SavedModel, Unread))
