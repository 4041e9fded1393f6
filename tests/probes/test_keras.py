"""The keras probe: who answers to which name, with which backend."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from literals import SITE, distribution, environment, packages, python

from envcheck.host import Host
from envcheck.inventory import Unavailable
from envcheck.probes import keras
from envcheck.probes.keras import KerasFacts
from envcheck.probes.packages import Damage
from envcheck.probes.tensorflow import TensorFlowFacts


def collect(version: str | None, *installed: tuple[str, str], home: str = "/nowhere", **variables: str) -> KerasFacts:
    tensorflow: TensorFlowFacts | Unavailable = Unavailable("TensorFlow is not installed here")
    if version is not None:
        tensorflow = TensorFlowFacts("tensorflow", version, SITE, "pip", "pypi", None)
    found = packages(*(distribution(name, number) for name, number in installed))
    return keras.collect(Host(), python(home=home), found, environment(**variables), tensorflow)


@pytest.mark.parametrize(
    ("version", "flag", "expected"),
    [
        ("1.15.5", None, "bundled"),
        ("2.5.3", None, "bundled"),
        ("2.6.0", None, "keras"),
        ("2.14.1", "1", "keras"),  # lazy_loader.py of 2.14 does not know the variable
        ("2.15.1", None, "keras"),
        ("2.15.1", "1", "tf_keras"),
        ("2.21.0", None, "keras"),
        ("2.21.0", "True", "tf_keras"),
        ("2.21.0", "true", "tf_keras"),
        ("2.21.0", "TRUE", "keras"),  # only 1, true and True count
        ("2.21.0", "0", "keras"),
        (None, "1", "none"),
    ],
)
def test_what_tf_keras_is(version: str | None, flag: str | None, expected: str) -> None:
    facts = collect(version, ("keras", "3.15.1"), **({} if flag is None else {"TF_USE_LEGACY_KERAS": flag}))
    assert facts.tf_keras_is == expected


def test_versions_and_copies() -> None:
    facts = collect("2.21.0", ("keras", "3.15.1"), ("tf_keras", "2.21.0"))
    assert facts.keras is not None
    assert (facts.keras.version, facts.keras.major) == ("3.15.1", 3)
    assert facts.tf_keras is not None
    assert facts.tf_keras.version == "2.21.0"
    assert facts.backend == "tensorflow"
    assert facts.backend_from == "default"
    assert facts.config.state == "absent"


def test_keras_json_and_the_variable_that_goes_before_it(tmp_path: Path) -> None:
    (tmp_path / ".keras").mkdir()
    path = tmp_path / ".keras/keras.json"
    path.write_text(json.dumps({"backend": "theano", "floatx": "float32", "image_data_format": "channels_first"}))
    facts = collect("2.21.0", home=str(tmp_path))
    assert (facts.backend, facts.backend_from) == ("theano", str(path))
    assert (facts.config.state, facts.config.floatx, facts.config.image_data_format) == (
        "read",
        "float32",
        "channels_first",
    )
    facts = collect("2.21.0", home=str(tmp_path), KERAS_BACKEND="jax")
    assert (facts.backend, facts.backend_from) == ("jax", "KERAS_BACKEND")
    # Keras takes an empty KERAS_BACKEND for an unset one.
    assert collect("2.21.0", home=str(tmp_path), KERAS_BACKEND="").backend == "theano"


def test_keras_home_moves_the_file(tmp_path: Path) -> None:
    (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    facts = collect("2.21.0", KERAS_HOME=str(tmp_path))
    assert facts.backend == "torch"


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_a_file_that_is_no_json_object_is_invalid(tmp_path: Path, text: str) -> None:
    (tmp_path / "keras.json").write_text(text)
    facts = collect("2.21.0", KERAS_HOME=str(tmp_path))
    assert (facts.config.state, facts.backend) == ("invalid", "tensorflow")


@pytest.mark.parametrize("text", ["[]", "null", "3"])
def test_json_that_is_no_object_breaks_keras(tmp_path: Path, text: str) -> None:
    (tmp_path / "keras.json").write_text(text)
    assert collect("2.21.0", KERAS_HOME=str(tmp_path)).config.state == "no object"


def test_of_two_distributions_the_one_whose_files_are_there_is_keras() -> None:
    damaged = dataclasses.replace(
        packages(distribution("keras", "3.15.1"), distribution("keras-nightly", "3.16.0.dev1", modules=("keras",))),
        damaged=(Damage("keras", "3.15.1", SITE, 100, 0, 50, ()),),
    )
    tensorflow = TensorFlowFacts("tensorflow", "2.21.0", SITE, "pip", "pypi", None)
    facts = keras.collect(Host(), python(home="/nowhere"), damaged, environment(), tensorflow)
    assert facts.keras is not None
    assert facts.keras.name == "keras-nightly"


def test_an_editable_keras_is_there_although_it_lists_no_files() -> None:
    found = packages(distribution("keras", "2.15.0", modules=()))
    tensorflow = TensorFlowFacts("tensorflow", "2.15.1", SITE, "pip", "pypi", None)
    facts = keras.collect(Host(), python(home="/nowhere"), found, environment(), tensorflow)
    assert facts.keras is not None
    assert facts.keras.version == "2.15.0"


def test_an_empty_backend_is_taken_at_its_word(tmp_path: Path) -> None:
    (tmp_path / "keras.json").write_text('{"backend": ""}')
    assert collect("2.21.0", KERAS_HOME=str(tmp_path)).backend == ""
