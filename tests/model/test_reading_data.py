"""Data as it reaches a model: shapes, dtypes and ranges."""

from __future__ import annotations

import pytest
from model.reading import data, shape, trained

from envcheck.model.events import Array, Dataset, Values
from envcheck.model.tensors import UNKNOWN

ARRAYS = {
    "np.zeros((3, 4))": ("(3, 4)", "float64"),
    "np.zeros(3, dtype=np.float32)": ("(3,)", "float32"),
    "np.ones([3, 4], 'int32')": ("(3, 4)", "int32"),
    "np.full((2, 2), 7)": ("(2, 2)", "int64"),
    "np.empty((3, n))": ("(3, ?)", "float64"),
    "np.random.rand(3, 4)": ("(3, 4)", "float64"),
    "np.random.randn(3, 4).astype('float32')": ("(3, 4)", "float32"),
    "np.random.random((3, 4))": ("(3, 4)", "float64"),
    "np.random.randint(0, 10, (3, 4))": ("(3, 4)", "int64"),
    "np.random.normal(size=(3, 4))": ("(3, 4)", "float64"),
    "np.random.uniform(0, 1, (3, 4))": ("(3, 4)", "float64"),
    "np.random.choice(5, 12)": ("(12,)", "int64"),
    "np.arange(12)": ("(12,)", "int64"),
    "np.arange(12).reshape(3, 4)": ("(3, 4)", "int64"),
    "np.arange(12).reshape((3, -1))": ("(3, 4)", "int64"),
    "np.reshape(np.arange(12), (2, 2, -1))": ("(2, 2, 3)", "int64"),
    "np.linspace(0, 1, 5)": ("(5,)", "float64"),
    "np.array([[1, 2], [3, 4], [5, 6]])": ("(3, 2)", "int64"),
    "np.array([[1.0, 2]])": ("(1, 2)", "float64"),
    "np.array(['a', 'b'])": ("(2,)", "str"),
    "np.asarray([1, 2], dtype=np.float32)": ("(2,)", "float32"),
    "np.array([np.zeros(3), np.zeros(3)])": ("(2, 3)", "?"),
    "np.array(unknown)": ("(?)", "?"),
    "np.expand_dims(np.zeros((3, 4)), -1)": ("(3, 4, 1)", "float64"),
    "np.zeros((3, 4))[..., np.newaxis]": ("(3, 4, 1)", "float64"),
    "np.zeros((3, 4))[:, None]": ("(3, 1, 4)", "float64"),
    "np.zeros((9, 4))[2:5]": ("(3, 4)", "float64"),
    "np.zeros((9, 4))[:-2, 0]": ("(7,)", "float64"),
    "np.zeros((9, 4))[n]": ("(?)", "float64"),
    "np.zeros((9, 4))[:n]": ("(?, 4)", "float64"),
    "np.zeros((3, 4)).flatten()": ("(12,)", "float64"),
    "np.zeros((3, 4)).T": ("(4, 3)", "float64"),
    "np.transpose(np.zeros((3, 4, 5)), (0, 2, 1))": ("(3, 5, 4)", "float64"),
    "np.squeeze(np.zeros((3, 1, 4)))": ("(3, 4)", "float64"),
    "np.squeeze(np.zeros((3, 1, 4)), axis=1)": ("(3, 4)", "float64"),
    "np.concatenate([np.zeros((3, 4)), np.ones((2, 4))])": ("(5, 4)", "float64"),
    "np.concatenate((np.zeros((3, 4)), np.ones((3, 2))), axis=1)": ("(3, 6)", "float64"),
    "np.stack([np.zeros(4), np.ones(4)])": ("(2, 4)", "float64"),
    "np.vstack([np.zeros((3, 4)), np.ones((2, 4))])": ("(5, 4)", "float64"),
    "np.hstack([np.zeros((3, 4)), np.ones((3, 2))])": ("(3, 6)", "float64"),
    "np.zeros((3, 4)) / 255.0": ("(3, 4)", "float64"),
    "np.zeros((3, 4), 'uint8') / 255": ("(3, 4)", "float64"),
    "np.zeros((3, 4), 'float32') * 2 - 1": ("(3, 4)", "float32"),
    "np.zeros((3, 1)) + np.zeros(4)": ("(3, 4)", "float64"),
    "np.zeros((3, 4)).sum(axis=1)": ("(3,)", "?"),
    "np.repeat(np.zeros((3, 4)), 2, axis=0)": ("(6, 4)", "float64"),
    "tf.zeros((3, 4))": ("(3, 4)", "float32"),
    "tf.constant([[1, 2]])": ("(1, 2)", "int32"),
    "tf.constant([[1.0, 2.0]])": ("(1, 2)", "float32"),
    "tf.convert_to_tensor(np.zeros((3, 4)))": ("(3, 4)", "float64"),
    "tf.cast(np.zeros((3, 4)), tf.float32)": ("(3, 4)", "float32"),
    "tf.random.normal((3, 4))": ("(3, 4)", "float32"),
    "tf.random.uniform((3,), maxval=4, dtype=tf.int32)": ("(3,)", "int32"),
    "tf.one_hot([0, 1, 2], 5)": ("(3, 5)", "float32"),
    "tf.reshape(tf.range(12), [3, 4])": ("(3, 4)", "int32"),
    "tf.expand_dims(tf.zeros((3, 4)), 0)": ("(1, 3, 4)", "float32"),
    "[[1, 2], [3, 4]]": ("(2, 2)", "int64"),
    "tf.keras.preprocessing.sequence.pad_sequences([[1], [2, 3]], maxlen=7)": ("(2, 7)", "int32"),
}


@pytest.mark.parametrize(("expression", "expected"), ARRAYS.items(), ids=ARRAYS.keys())
def test_an_array(expression: str, expected: tuple[str, str]) -> None:
    array = data(expression)
    assert (shape(array), array.dtype if isinstance(array.dtype, str) else "?") == expected


def test_the_data_sets_of_keras() -> None:
    load = "(x, y), (a, b) = keras.datasets.{}.load_data()"
    for name, sizes in {
        "mnist": "(60000, 28, 28) (60000,) (10000, 28, 28) (10000,)",
        "fashion_mnist": "(60000, 28, 28) (60000,) (10000, 28, 28) (10000,)",
        "cifar10": "(50000, 32, 32, 3) (50000, 1) (10000, 32, 32, 3) (10000, 1)",
        "imdb": "(25000,) (25000,) (25000,) (25000,)",
        "boston_housing": "(404, 13) (404,) (102, 13) (102,)",
    }.items():
        assert " ".join(shape(data(each, load.format(name))) for each in ("x", "y", "a", "b")) == sizes


def test_scaling_a_data_set() -> None:
    before = """
(x, y), _ = tf.keras.datasets.mnist.load_data()
x = x.reshape(x.shape[0], 28 * 28).astype('float32')
x /= 255
"""
    array = data("x", before)
    assert (array.shape, array.dtype) == ((60000, 784), "float32")


def test_a_split() -> None:
    before = """
from sklearn.model_selection import train_test_split
a, b, c, d = train_test_split(np.zeros((150, 4)), np.arange(150), test_size=0.2, random_state=0)
"""
    assert [shape(data(each, before)) for each in "abcd"] == ["(120, 4)", "(30, 4)", "(120,)", "(30,)"]


def test_generated_and_built_in_data() -> None:
    before = """
from sklearn.datasets import load_iris, make_classification
x, y = load_iris(return_X_y=True)
a, b = make_classification(n_samples=60, n_features=5)
"""
    assert [shape(data(each, before)) for each in "xyab"] == ["(150, 4)", "(150,)", "(60, 5)", "(60,)"]


RANGES = {
    "np.random.randint(0, 10, 100)": Values(0, 9),
    "np.random.randint(10, size=100)": Values(0, 9),
    "np.arange(10)": Values(0, 9, reached=True),
    "np.array([1, 2, 3])": Values(1, 3, reached=True),
    "np.array([1, 2, 3]) - 1": Values(0, 2, reached=True),
    "np.array([1, 2, 3])[:2]": Values(1, 3),
    "np.array([1.0, np.nan])": Values(1, 1, reached=True, nan=True),
    "np.zeros((3,))": Values(0, 0, reached=True),
    "keras.datasets.mnist.load_data()[0][1]": Values(0, 9, reached=True),
    "np.random.randn(3)": None,
}


@pytest.mark.parametrize(("expression", "expected"), RANGES.items(), ids=RANGES.keys())
def test_a_range_of_values(expression: str, expected: Values | None) -> None:
    assert data(expression).values == expected


def test_an_array_that_is_written_into() -> None:
    assert data("y", "y = np.zeros((3,))\ny[0] = 5").values is None
    assert data("y", "y = np.zeros((3, 2))\ny[0] = 5").shape == (3, 2)


@pytest.mark.parametrize("keras", [2, 3])
def test_one_hot_labels(keras: int) -> None:
    array = data("keras.utils.to_categorical(np.random.randint(0, 3, (9, 1)), num_classes=3)", keras=keras)
    assert (array.shape, array.made_by) == ((9, 3), "keras.utils.to_categorical")
    assert data("keras.utils.to_categorical(np.array([0, 4]))", keras=keras).shape == (2, 5)
    assert data("keras.utils.to_categorical(np.random.randint(0, 3, 9))", keras=keras).shape == (9, UNKNOWN)


def test_a_dataset() -> None:
    before = "m = keras.Sequential([layers.Dense(1)])\nds = tf.data.Dataset.from_tensor_slices((np.zeros((9, 4)), np.zeros(9)))\n"
    plain = trained(before + "m.fit(ds.shuffle(9))").x
    assert plain == Dataset(
        (Array((4,), "float64", "tensorflow", Values(0, 0)), Array((), "float64", "tensorflow", Values(0, 0))), 0, False
    )
    batched = trained(before + "m.fit(ds.batch(3, drop_remainder=True).prefetch(tf.data.AUTOTUNE))").x
    assert isinstance(batched, Dataset)
    assert isinstance(batched.element, tuple)
    assert (batched.batched, shape(batched.element)) == (1, "(3, 4) (3,)")
    mapped = trained(before + "m.fit(ds.map(unknown).repeat())").x
    assert mapped == Dataset(UNKNOWN, UNKNOWN, True)


def test_several_inputs() -> None:
    met = trained("m = keras.models.load_model('a')\nm.fit([np.zeros((3, 1)), np.zeros((3, 2))], {'y': np.zeros(3)})")
    assert isinstance(met.x, list)
    assert shape(tuple(met.x)) == "(3, 1) (3, 2)"
    assert isinstance(met.y, dict)


def test_what_a_model_predicts() -> None:
    before = "m = keras.Sequential([keras.Input((4,)), layers.Dense(3)])\np = m.predict(np.zeros((9, 4)))"
    assert data("p", before).shape == (9, 3)
    assert data("np.argmax(p, axis=1)", before).shape == (9,)


def test_unknown_data_is_unknown() -> None:
    met = trained("m = keras.Sequential([layers.Dense(1)])\nm.fit(unknown.x, pd.read_csv('a.csv').values)")
    assert (met.x, met.y) == (UNKNOWN, UNKNOWN)
    assert trained("m = keras.Sequential([layers.Dense(1)])\nm.fit(np.zeros((3, 1)), *rest)").y is UNKNOWN
    assert trained("m = keras.Sequential([layers.Dense(1)])\nm.fit(np.zeros((3, 1)))").y is None
