"""Answers about real names; each was looked up by hand in the packages, and tests/real asks these again by the thousand."""

from __future__ import annotations

import zlib

import pytest

from envcheck.knowledge.api.answers import Api, Status, keywords
from envcheck.knowledge.api.near import near
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import folder

API = Api(folder() / "api")
NEW = "tensorflow==2.21.0,keras==3.15.1"
LEGACY = "tensorflow==2.16.2,tf_keras==2.16.0,TF_USE_LEGACY_KERAS=1"


def present(name: str) -> list[tuple[str, str | None]]:
    history = API.history(name)
    assert history is not None
    return API.shelf.book(history.book).intervals(history.present)


def status(name: str, target: str) -> str:
    return API.ask(name, Target.parse(target)).status.value


@pytest.mark.parametrize(
    ("name", "releases"),
    [
        ("keras.backend.dot", [("2.0", "2.15")]),
        # Keras 3.3.0 lost the legacy functions of tf.keras.backend for one patch.
        ("tf.keras.backend.dot", [("1.13.1", "3.2"), ("3.3.3", None)]),
        ("tf.Session", [("1.13.1", "1.15")]),
        ("tf.compat.v1.Session", [("1.13.1", None)]),
        ("keras.Model.fit_generator", [("2.0", "2.15")]),
        ("keras.models.Sequential.fit_generator", [("2.0", "2.15")]),
        # keras.optimizers of 2.6-2.8 did not import its classes; keras.optimizer_v2 held them.
        ("keras.optimizers.Adam", [("2.0", "2.4"), ("2.9", None)]),
        ("tf.keras.layers.experimental.preprocessing.Rescaling", [("2.2", "2.15")]),
        ("tf.keras.layers.Rescaling", [("2.6", None)]),
        ("tf.estimator.Estimator", [("1.13.1", "2.15")]),
        ("keras.utils.np_utils", [("2.0", "2.12")]),
        ("tf.keras.wrappers.scikit_learn.KerasClassifier", [("1.13.1", "2.12")]),
        ("keras.ops.matmul", [("3.0.0", None)]),
        ("keras.ops.nosuch", []),
        ("tf", [("1.13.1", None)]),
    ],
)
def test_where_a_name_is_present(name: str, releases: list[tuple[str, str | None]]) -> None:
    assert present(name) == releases


def test_engine_topology_is_there_until_keras_2_3() -> None:
    # 2.4.3 forwards to tf.keras and still ships keras/engine/topology.py; from 2.6 on there is none.
    assert present("keras.engine.topology.Layer")[-1][1] == "2.4"
    assert present("keras.engine.topology.Layer")[0][0] == "2.0"


@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("keras.backend.dot", NEW, "absent"),
        ("tf.keras.backend.dot", NEW, "deprecated"),
        ("tf.keras.losses.mean_squared_error", "tensorflow==2.16.2,keras==3.2.0", "present"),
        ("tf.keras.losses.mean_squared_error", "tensorflow==2.16.2,keras==3.3.3", "absent"),
        ("keras.losses.mean_squared_error", "keras==3.3.3", "present"),
        ("tf.losses.mean_squared_error", "tensorflow==2.16.2,keras==3.3.3", "absent"),
        ("tf.keras.losses.mean_squared_error", "tensorflow==2.16.2", "unknown"),
        ("tf.keras.layers.Dense", "tensorflow==2.16.2", "present"),
        ("tf.keras.layers.Dense", "tensorflow==2.16.2,keras==2.15.0", "unknown"),
        ("tf.keras.layers.Dense", "keras==3.3.3", "unknown"),
        ("tf.keras.layers.Dense", "tensorflow==9.9", "unknown"),
        ("tf.keras.Model.fit_generator", LEGACY, "deprecated"),
        ("tf.keras.__version__", LEGACY, "absent"),
        ("tf_keras.__version__", LEGACY, "present"),
        ("tf.losses.mean_squared_error", LEGACY, "present"),
        ("tf.keras.src", LEGACY, "absent"),
        # tf_keras brings the v1 layers back, and that was not recorded.
        ("tf.compat.v1.layers.dense", LEGACY, "unknown"),
        # Another name of tf.lite in 1.13; an import goes by its own files.
        ("tensorflow.contrib.lite.python.WARNING", "tensorflow==1.13.1", "present"),
        ("tensorflow.python.keras.layers.Dense", "tensorflow==2.3.4", "present"),
        ("tensorflow.python.keras.layers.Dense", NEW, "foreign"),
        ("tensorflow.python.framework.ops.Graph", NEW, "present"),
        ("tf.compat.v1.layers.dense", NEW, "absent"),
        ("tf.compat.v1.layers.dense", "tensorflow==2.15.1", "deprecated"),
        ("tf.contrib.slim.conv2d", "tensorflow==1.15.0", "present"),
        ("tf.contrib.slim.conv2d", "tensorflow==2.0.0", "absent"),
        ("tf.errors.NotFoundError.args", NEW, "present"),  # what a builtin base gives
        ("tf.keras.layers.Dense.units", NEW, "present"),  # set on instances
        ("tf.keras.layers.Dense.nosuch", NEW, "absent"),
        # A private name of Keras's own modules, which much code imports to count GPUs.
        ("keras.backend.tensorflow_backend._get_available_gpus", "keras==2.2.4", "present"),
        ("keras.backend.tensorflow_backend._nosuch", "keras==2.2.4", "absent"),
        ("tensorflow.python.framework.ops._nosuch", NEW, "unknown"),
        ("tf.keras.layers._nosuch", NEW, "unknown"),
        ("tf.keras.Model._nosuch", NEW, "unknown"),
        ("tf.__file__", NEW, "unknown"),
        ("tf.float32.name", NEW, "unknown"),  # what lies below an object is not recorded
        ("tf.add.x", NEW, "unknown"),
        ("numpy.array", NEW, "unknown"),
        ("tf..keras", NEW, "unknown"),
        ("keras." + "a." * 5000 + "b", NEW, "unknown"),
    ],
)
def test_what_a_name_is_in_a_target(name: str, target: str, expected: str) -> None:
    assert status(name, target) == expected


def test_what_only_an_import_finds() -> None:
    # keras 2.6-2.12: a bare `import keras` does not bind keras.applications.
    answer = API.ask("keras.applications.ResNet50", Target.parse("tensorflow==2.10.1"))
    assert (answer.status, answer.imported) == (Status.PRESENT, True)
    # With Keras 3, tf.keras.saving is no attribute until something imports it.
    answer = API.ask("tf.keras.saving.load_model", Target.parse("tensorflow==2.18.0,keras==3.8.0"))
    assert (answer.status, answer.imported) == (Status.PRESENT, True)
    # An internal module that a bare import binds; that its public twin needs an import is another matter.
    answer = API.ask("keras.utils.np_utils.to_categorical", Target.parse("tensorflow==2.8.4"))
    assert (answer.status, answer.imported) == (Status.PRESENT, False)
    assert not API.ask("keras.saving.load_model", Target.parse("keras==3.8.0")).imported


@pytest.mark.parametrize(
    ("name", "keyword", "target", "expected"),
    [
        ("keras.optimizers.Adam", "lr", "keras==2.2.4", "present"),
        ("keras.optimizers.Adam", "lr", "keras==2.3.1", "present"),
        ("tf.keras.optimizers.Adam", "lr", "tensorflow==2.10.1", "present"),
        # From 2.11 on the new optimizers log a warning and train with their default.
        ("tf.keras.optimizers.Adam", "lr", "tensorflow==2.15.1", "ignored"),
        ("tf.keras.optimizers.Adam", "lr", NEW, "absent"),
        ("tf.keras.optimizers.Adam", "decay", "tensorflow==2.10.1", "present"),
        ("tf.keras.optimizers.Adam", "decay", "tensorflow==2.12.1", "absent"),
        ("tf.keras.optimizers.Adam", "decay", NEW, "ignored"),
        ("keras.optimizers.Adam", "learning_rate", NEW, "present"),
        ("keras.layers.Embedding", "input_length", NEW, "ignored"),
        ("keras.layers.Embedding", "weights", NEW, "present"),
        ("keras.layers.LeakyReLU", "alpha", NEW, "present"),
        ("keras.layers.Dense", "input_dim", NEW, "present"),
        ("keras.layers.Dense", "W_regularizer", "keras==2.2.4", "present"),
        ("keras.layers.Dense", "W_regularizer", NEW, "absent"),
        ("keras.layers.Dense", "never_tried", NEW, "absent"),
        # Measured (compat_matrix/api/keywords.yaml): a class that refuses nonsense refuses all that it does not know.
        ("keras.layers.Dropout", "force_generator", "keras==2.3.1", "absent"),
        ("tf.keras.layers.Dropout", "force_generator", "tensorflow==2.11.1", "unknown"),  # its **kwargs takes it
        ("tf.keras.layers.Dropout", "never_tried", "tensorflow==2.11.1", "absent"),
        ("keras.layers.Conv3D", "subsample", "keras==2.3.1", "unknown"),
        ("keras.layers.Conv2DTranspose", "output_padding", "keras==3.4.1", "unknown"),
        ("tf.keras.layers.Attention", "dropout", "tensorflow==2.15.1", "unknown"),
        ("tf.keras.layers.Embedding", "dropout", "tensorflow==2.15.1", "absent"),
        (
            "tf.keras.layers.IntegerLookup",
            "dtype",
            "tensorflow==2.15.1",
            "unknown",
        ),  # a base's; "float64" alone is refused
        # Nobody could make one to try it; it refuses what its bases refuse.
        ("keras.layers.RNN", "time_major", "keras==2.3.1", "absent"),
        ("keras.layers.RNN", "batch_input_shape", "keras==2.3.1", "unknown"),
        ("tf.keras.layers.RNN", "zero_output_for_mask", "tensorflow==2.15.1", "unknown"),
        ("keras.layers.TimeDistributed", "batch_size", NEW, "absent"),
        # A metaclass stands before it: its signature is *args **kwargs.
        ("tf.compat.v1.keras.layers.BatchNormalization", "center", "tensorflow==2.15.1", "unknown"),
        ("tf.reduce_sum", "keep_dims", "tensorflow==1.15.5", "present"),
        ("tf.reduce_sum", "keep_dims", NEW, "absent"),
        ("keras.Model.fit", "workers", "keras==2.15.0", "present"),
        ("keras.Model.fit", "workers", NEW, "absent"),
        ("keras.Model", "inputs", NEW, "unknown"),  # through **kwargs, and too dear to try
        ("tf.keras.Model", "inputs", "tensorflow==1.15.5", "unknown"),
        ("keras.Model.predict_classes", "x", NEW, "unknown"),  # the method itself is absent
    ],
)
def test_which_keywords_a_call_takes(name: str, keyword: str, target: str, expected: str) -> None:
    assert API.keyword(name, keyword, Target.parse(target)).status.value == expected


def test_tf_keras_has_tensorflows_columns_up_to_the_seam() -> None:
    own, keras = API.shelf.book("tensorflow"), API.shelf.book("tensorflow.keras")
    here, there = API.shelf.seam
    assert own.labels[here] == "2.16"
    assert keras.versions[there].major == 3
    assert own.versions[:here] == keras.versions[:there]


def test_the_data_is_small() -> None:
    files = [path for path in (folder() / "api").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 6_000_000
    assert sum(len(zlib.compress(path.read_bytes())) for path in files) <= 2_000_000


def test_keywords_of_a_signature() -> None:
    assert keywords("a b= *args c= **kwargs") == ["a", "b", "c"]
    assert keywords("a / b * c") == ["b", "c"]
    assert keywords("?") == []
    assert keywords("") == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tf.keras.layers.Densee", "tensorflow.keras.layers.Dense"),
        ("keras.layers.dense", "keras.layers.Dense"),
        ("keras.Model.fit_generater", "keras.Model.fit_generator"),
        ("tf.keras.Dense", "tensorflow.keras.layers.Dense"),
        ("tf.kears.layers.Dense", "tensorflow.keras.layers.Dense"),
        ("keras.layrs.Dense", "keras.layers.Dense"),
    ],
)
def test_near_misses(name: str, expected: str) -> None:
    assert near(API, name)[0] == expected


def test_nothing_is_near_nonsense() -> None:
    assert near(API, "keras.qqqqqqqqqqqqqq") == []
    assert near(API, "numpy.array") == []
    assert near(API, "keras") == []


@pytest.mark.parametrize(
    ("name", "target", "status"),
    [
        # Keras 3 is no module under compat.v1: only attribute access goes there (measured: TensorFlow 2.21.0, Keras 3.15.1)
        ("tensorflow.compat.v1.keras.saving.save_model", "tensorflow==2.21.0,keras==3.15.1", "absent"),
        ("tensorflow.keras.saving.save_model", "tensorflow==2.21.0,keras==3.15.1", "present"),
        # newer protobuf answers names of a message that it does not list (measured: TensorFlow 2.18.1)
        ("tensorflow.compat.v1.OptimizerOptions.ON_1", "tensorflow==2.19.0", "unknown"),
        ("tensorflow.compat.v1.OptimizerOptions.ON_1", "tensorflow==2.8.4", "present"),
    ],
)
def test_names_whose_home_answers_in_its_own_way(name: str, target: str, status: str) -> None:
    assert API.ask(name, Target.parse(target)).status.value == status


def test_a_module_under_another_name_may_be_loaded_where_its_own_is_not() -> None:
    target = Target.parse("tensorflow==2.8.4")
    assert not API.ask("tensorflow.compat.v1.nn.rnn_cell.BasicLSTMCell", target).imported
    assert API.ask("tensorflow.compat.v1.legacy_rnn.BasicLSTMCell", target).imported
