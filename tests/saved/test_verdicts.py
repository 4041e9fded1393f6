"""What saved models say for a target; real Keras is asked the same in tests/real/test_saved_real.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from saved.models import LAMBDA, MINE, archive, bundle, layer, old_config, sequential

from envcheck.checks import saved_models
from envcheck.findings import Check
from envcheck.knowledge.api.answers import Api
from envcheck.knowledge.api.identifiers import Identifiers
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import folder
from envcheck.knowledge.saved_models import SavedModels
from envcheck.saved import archive as archives
from envcheck.saved import bundle as bundles
from envcheck.saved import hdf5
from envcheck.saved.found import SavedModel, Unread
from envcheck.verdicts.found import Code, Verdict
from envcheck.verdicts.saved import judged
from envcheck.verdicts.targets import completed

API = Api(folder() / "api")
NEW = "tensorflow==2.21.0,keras==3.15.1"
OLD = "tensorflow==2.15.1"


def verdicts(model: SavedModel | Unread, target: str) -> list[Verdict]:
    assert isinstance(model, SavedModel), model
    chosen = completed(Target.parse(target), API.shelf)
    identifiers = Identifiers(folder() / "api", API.shelf)
    return list(judged([model], [chosen], API, identifiers, SavedModels(folder())))


def kinds(model: SavedModel | Unread, target: str) -> list[tuple[str, str, str | None]]:
    return [(each.kind, each.symbol, each.parameter) for each in verdicts(model, target)]


def old(class_name: str, keras: str = "2.11.0", training: Any = None, **values: Any) -> SavedModel | Unread:
    """A model of one layer in an HDF5 file of Keras 2."""
    one = {"class_name": class_name, "config": {"name": "a", "trainable": True, "dtype": "float32", **values}}
    attributes = {"keras_version": keras, "model_config": json.dumps(old_config(one))}
    if training is not None:
        attributes["training_config"] = json.dumps(training)
    return hdf5.read("m.h5", {"attributes": attributes})


def test_an_archive_of_keras_3_loads_on_keras_3_alone(tmp_path: Path) -> None:
    model = archives.read(archive(tmp_path / "m.keras", sequential(layer("Dense", units=3))))
    assert kinds(model, NEW) == []
    assert kinds(model, OLD) == [("saved-format", "", None)]
    assert kinds(model, "tensorflow==2.11.1") == [("saved-format", "", None)]


def test_a_saved_model_of_keras_does_not_load_on_keras_3(tmp_path: Path) -> None:
    model = bundles.read(bundle(tmp_path / "m", "2.11.0", old_config()))
    assert kinds(model, NEW) == [("saved-format", "", None)]
    assert kinds(model, OLD) == []
    assert kinds(model, "tensorflow==2.16.2,keras==3.3.3,tf_keras==2.16.0,TF_USE_LEGACY_KERAS=1") == []


def test_what_is_for_serving_is_not_judged(tmp_path: Path) -> None:
    assert kinds(bundles.read(bundle(tmp_path / "m", None)), NEW) == []


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (old("Dense", units=3), []),
        (old("Dense", batch_input_shape=[None, 4]), []),
        (old("LSTM", time_major=False), [("saved-parameter", "keras.layers.LSTM", "time_major")]),
        (old("DepthwiseConv2D", groups=1), [("saved-parameter", "keras.layers.DepthwiseConv2D", "groups")]),
        (old("ThresholdedReLU", theta=0.5), [("saved-layer", "keras.layers.ThresholdedReLU", None)]),
        (old("TFOpLambda"), [("saved-layer", "keras.layers.TFOpLambda", None)]),
        (old("Mine"), [("saved-custom", "Mine", None)]),
        (old("Dense", activation="myact"), [("saved-custom", "myact", None)]),
        (old("Dense", training={"loss": "mse"}), [("saved-parameter", "compile()", "loss")]),
        (old("Dense", training={"loss": "mean_squared_error"}), []),
    ],
)
def test_hdf5_of_keras_2_on_keras_3(model: SavedModel, expected: list[tuple[str, str, str | None]]) -> None:
    assert kinds(model, NEW) == expected


@pytest.mark.parametrize("model", [old("LSTM", time_major=False), old("ThresholdedReLU"), old("TFOpLambda")])
def test_the_same_on_keras_2(model: SavedModel) -> None:
    assert kinds(model, OLD) == []


def test_a_hundred_layers_say_it_once(tmp_path: Path) -> None:
    layers = [layer("LSTM", name=f"l{number}", time_major=False) for number in range(100)]
    assert len(verdicts(archives.read(archive(tmp_path / "m.keras", sequential(*layers))), NEW)) == 1


def test_lambdas_and_objects_of_ones_own(tmp_path: Path) -> None:
    model = archives.read(archive(tmp_path / "m.keras", sequential(LAMBDA, MINE)))
    assert kinds(model, NEW) == [("saved-custom", "Mine", None), ("saved-code", "Lambda", None)]


def test_a_target_without_keras_says_nothing(tmp_path: Path) -> None:
    assert kinds(archives.read(archive(tmp_path / "m.keras", sequential(), keras=None)), NEW) == []


@pytest.mark.parametrize(
    ("check", "model", "words"),
    [
        (saved_models.formats, bundle, "written by Keras 2.11.0: Keras 3 does not load the SavedModel"),
        (saved_models.layers, old("ThresholdedReLU"), "there is no keras.layers.ThresholdedReLU"),
        (
            saved_models.arguments,
            old("LSTM", time_major=False),
            "has time_major=False, which keras.layers.LSTM refuses",
        ),
        (saved_models.custom, old("Mine"), "Mine 'a' is no object of Keras"),
        (saved_models.bytecode, archive, "Lambda 'lambda' holds Python bytecode"),
        (saved_models.whole, archive, "'/evil' that would be unpacked outside"),
    ],
)
def test_each_check_speaks_of_its_own(check: Check, model: Any, words: str, tmp_path: Path) -> None:
    if model is bundle:
        model = bundles.read(bundle(tmp_path / "m", "2.11.0", old_config()))
    elif model is archive:
        model = archives.read(archive(tmp_path / "m.keras", sequential(LAMBDA), members={"/evil": b""}))
    (found,) = check.judge(Code(tuple(verdicts(model, NEW))))
    assert words in found.message
    assert found.location is not None
    assert found.location.line is None
    assert found.evidence["kind"] == "saved-model"
    assert found.fix is not None
    assert list(check.judge(Code(tuple(verdicts(old("Dense"), NEW))))) == []


def hdf(
    config: Any, keras: str = "2.15.0", training: Any = None, path: str = "m.h5", trained: bool = True
) -> SavedModel | Unread:
    attributes = {"keras_version": keras, "model_config": json.dumps(config)}
    if training is not None:
        attributes["training_config"] = json.dumps(training)
    return hdf5.read(path, {"attributes": attributes, "trained": trained})


def dense(name: str = "d", **more: Any) -> dict[str, Any]:
    return {"class_name": "Dense", "config": {"name": name, "trainable": True, "units": 3, **more}, "name": name}


def test_a_model_inside_of_a_functional_model_does_not_load_on_keras_3() -> None:
    inner = {**old_config(dense("i", batch_input_shape=[None, 4])), "name": "m", "inbound_nodes": [[["d", 0, 0, {}]]]}
    start = {**dense(), "inbound_nodes": []}

    def nested(call: int) -> dict[str, Any]:
        return {
            "class_name": "Functional",
            "config": {"name": "f", "layers": [start, inner], "output_layers": [["m", call, 0]]},
        }

    assert kinds(hdf(nested(1)), NEW) == [("saved-layer", "Sequential", None)]
    assert kinds(hdf(nested(0)), NEW) == []
    assert kinds(hdf(nested(1)), OLD) == []


@pytest.mark.parametrize(("after", "said"), [("Dense", True), ("Activation", False)])
def test_a_functional_model_in_a_sequential(after: str, said: bool) -> None:
    functional = {"class_name": "Functional", "config": {"name": "f", "layers": [], "output_layers": [["x", 0, 0]]}}
    next_one = {"class_name": after, "config": {"name": "n", "trainable": True}}
    model = hdf(old_config(functional, next_one), "3.3.3")
    assert bool(kinds(model, NEW)) is said
    assert kinds(model, "tensorflow==2.16.2,keras==3.3.3") == []


def test_a_sequential_with_weights_and_without_input_shape() -> None:
    for target in (NEW, OLD):
        assert kinds(hdf(old_config(dense()), "2.3.1"), target) == [("saved-layer", "Sequential", None)]
        assert kinds(hdf(old_config(dense()), "2.3.1", trained=False), target) == []
        assert kinds(hdf(old_config(dense(batch_input_shape=[None, 4])), "2.3.1"), target) == []


def test_hdf5_of_keras_3_loads_on_keras_2_where_nothing_in_it_is_new() -> None:
    relu = {"class_name": "ReLU", "config": {"name": "r", "trainable": True, "dtype": "float32"}}
    start = {"class_name": "InputLayer", "config": {"name": "i", "batch_shape": [None, 4]}}
    assert kinds(hdf(old_config(relu), "3.3.3", trained=False), OLD) == []
    assert kinds(hdf(old_config(start, relu), "3.3.3"), OLD) == [("saved-format", "", None)]


def test_hdf5_that_is_named_keras() -> None:
    model = hdf(old_config(dense(batch_input_shape=[None, 4])), path="m.keras")
    assert kinds(model, NEW) == [("saved-format", "", None)]
    assert kinds(model, OLD) == []


def test_a_loss_and_a_metric_of_one_name_are_not_taken_for_one_another() -> None:
    metric = {"class_name": "MeanSquaredError", "config": {"name": "m", "dtype": "float32"}}
    model = hdf(
        old_config(dense(batch_input_shape=[None, 4])), training={"loss": "mean_squared_error", "metrics": [metric]}
    )
    assert kinds(model, NEW) == []


def test_all_arguments_that_a_layer_refuses_are_one_finding() -> None:
    (verdict,) = verdicts(old("LSTM", time_major=False, implementation=2, one=1, two=2, three=3), NEW)
    assert "time_major=False" in verdict.why
    assert verdict.why.endswith("which keras.layers.LSTM refuses: load_model raises")


def test_a_model_of_a_class_of_its_own() -> None:
    assert kinds(hdf({"class_name": "Net", "config": {}}, "3.15.1"), NEW) == [("saved-custom", "Net", None)]


def test_reduction_auto_and_optimizers_of_2_11() -> None:
    loss = {"class_name": "Huber", "config": {"reduction": "auto", "name": "huber_loss"}}
    training = {"loss": loss, "optimizer_config": {"class_name": "Custom>Ftrl", "config": {"name": "Ftrl"}}}
    model = hdf(old_config(dense(batch_input_shape=[None, 4])), "2.11.0", training)
    assert [(each.symbol, each.fix.summary if each.fix else "") for each in verdicts(model, "tensorflow==2.8.4")] == [
        ("Custom>Ftrl", "load_model(path, compile=False), and compile it again")
    ]
    assert [each.parameter for each in verdicts(model, NEW)] == ["reduction"]


@pytest.mark.parametrize(
    ("one", "written", "target", "said"),
    [
        (layer("Dense", units=3), "2.13.1", "tensorflow==2.15.1", True),
        (layer("Dense", units=3), "2.14.0", "tensorflow==2.15.1", True),
        (layer("Dense", units=3), "2.15.0", "tensorflow==2.15.1", False),
        (layer("Dense", units=3), "2.13.1", "tensorflow==2.14.0", False),
        (layer("LayerNormalization", center=False, scale=True), "2.13.1", "tensorflow==2.15.1", True),
        (layer("LayerNormalization", center=False, scale=False), "2.13.1", "tensorflow==2.15.1", False),
        (layer("Normalization", mean=0.0, variance=1.0), "2.13.1", "tensorflow==2.15.1", False),  # it has none then
    ],
)
def test_weights_that_keras_2_15_does_not_find(
    one: dict[str, Any], written: str, target: str, said: bool, tmp_path: Path
) -> None:
    model = archives.read(archive(tmp_path / "m.keras", sequential(one), written))
    assert bool(kinds(model, target)) is said


def test_keras_2_12_does_not_find_the_module_of_a_whole_functional_model(tmp_path: Path) -> None:
    functional = layer("Functional", layers=[], input_layers=[], output_layers=[])
    functional["module"] = "keras.src.engine.functional"
    old_tensorflow = "tensorflow==2.12.0"
    whole = archives.read(archive(tmp_path / "whole.keras", functional, "2.14.0"))
    assert kinds(whole, old_tensorflow) == [("saved-layer", "Functional", None)]
    inner = archives.read(archive(tmp_path / "inner.keras", sequential(functional), "2.14.0"))
    assert kinds(inner, old_tensorflow) == []


def test_keras_2_12_takes_the_function_of_a_loss_in_an_archive_and_not_in_hdf5(tmp_path: Path) -> None:
    loss = {"class_name": "BinaryCrossentropy", "config": {"name": "b", "fn": "binary_crossentropy"}}
    config = sequential(layer("Dense", units=3)) | {"compile_config": {"loss": {**loss, "module": "keras.losses"}}}
    old_tensorflow = "tensorflow==2.12.0"
    assert kinds(archives.read(archive(tmp_path / "m.keras", config, "2.15.0")), old_tensorflow) == []
    model = hdf(old_config(dense(batch_input_shape=[None, 4])), training={"loss": loss})
    assert [each.parameter for each in verdicts(model, old_tensorflow)] == ["fn"]


@pytest.mark.parametrize(("keras", "said"), [("3.15.1", True), ("3.3.3", True), ("3.0.5", True), ("3.0.0", False)])
def test_the_first_keras_3_knows_the_short_names_of_losses(keras: str, said: bool) -> None:
    model = hdf(old_config(dense(batch_input_shape=[None, 4])), training={"loss": "mse"})
    assert bool(kinds(model, f"tensorflow==2.16.2,keras=={keras}")) is said


@pytest.mark.parametrize(("keras", "said"), [("3.15.1", True), ("3.14.1", True), ("3.11.3", False)])
def test_a_score_mode_of_hdf5(keras: str, said: bool) -> None:
    model = old("Attention", score_mode="dot")
    assert bool(kinds(model, f"tensorflow==2.16.2,keras=={keras}")) is said


@pytest.mark.parametrize(
    ("class_name", "written", "said"),
    [
        ("Permute", "2.3.1", True),
        ("Permute", "2.3.0-tf", True),
        ("Permute", "2.4.0", False),
        ("Flatten", "2.3.1", False),
    ],
)
def test_the_batch_axis_of_a_first_layer(class_name: str, written: str, said: bool) -> None:
    config = {"name": "a", "trainable": True, "batch_input_shape": [None, 8, 4]}
    model = hdf(old_config({"class_name": class_name, "config": config}), written, trained=False)
    assert [each.details.get("row") for each in verdicts(model, NEW)] == ["batch-axis-twice"] * said


@pytest.mark.parametrize(("target", "said"), [("tensorflow==2.8.4", True), ("tensorflow==2.10.1", False)])
def test_of_optimizers_nothing_is_said_for_releases_that_were_not_run(target: str, said: bool) -> None:
    training = {"loss": "mean_squared_error", "optimizer_config": {"class_name": "Custom>Adam", "config": {}}}
    model = hdf(old_config(dense(batch_input_shape=[None, 4])), "2.11.0", training)
    assert bool(kinds(model, target)) is said


def test_every_row_says_something() -> None:
    rows = SavedModels(folder()).rows
    assert len({row.id for row in rows}) == len(rows)
    assert all(row.use for row in rows if row.outcome == "raises")
