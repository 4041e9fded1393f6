"""What is said of mistakes in models: the words for each version of Keras, and what to do."""

from __future__ import annotations

import pytest
from model.test_failures import TARGETS, told

HEAD = (
    "import numpy as np\nimport tensorflow as tf\nfrom tensorflow import keras\nfrom tensorflow.keras import layers\n"
)


def said(code: str, *majors: str) -> list[tuple[str, str, str]]:
    """Severity, message and repair of each finding, for Keras 2 and Keras 3 unless one is named."""
    found = told(HEAD + code, [TARGETS[each] for each in majors or TARGETS])
    return [(severity.value, each.message, each.fix.summary if each.fix else "") for severity, each in found]


def trained(head: str, loss: str, y: str, metrics: str = "[]", method: str = "fit", x: str = "np.ones((64, 4))") -> str:
    """A model that is compiled and trained."""
    model = f"m = keras.Sequential([keras.Input((4,)), {head}])\nm.compile('sgd', {loss!r}, metrics={metrics})\n"
    return f"{model}x, y = {x}, {y}\nm.{method}(x, y)\n"


@pytest.mark.parametrize(
    ("y", "words"),
    [
        ("np.linspace(10, 50, 64)", "go from 10 to 50"),
        ("np.array([0.5, 0.25] * 32)", "go from 0.25 to 0.5"),
        ("np.random.uniform(-1, 1, 64)", "may go from -1 to 1"),
        ("np.random.randint(0, 10, 64)", "may go from 0 to 9"),
    ],
)
def test_accuracy_of_a_regression(y: str, words: str) -> None:
    ((severity, message, repair),) = said(trained("layers.Dense(1)", "mse", y, "['accuracy']"))
    assert severity == "warning"
    assert f"only labels of 0 and 1 can be right, and those of fit() (line 8) {words}" in message
    assert "metrics=['mae']" in repair


def test_accuracy_of_prices() -> None:
    load = "(x, y), _ = keras.datasets.boston_housing.load_data()\n"
    model = "m = keras.Sequential([layers.Dense(8), layers.Dense(1)])\nm.compile('adam', 'mse', metrics=['acc'])\n"
    ((_, message, _),) = said(f"{load}{model}m.fit(x, y)\n")
    assert "those of fit() (line 8) are prices" in message


@pytest.mark.parametrize(
    "code",
    [
        trained("layers.Dense(1)", "mse", "np.array([0.0, 1.0] * 32)", "['accuracy']"),
        trained("layers.Dense(1)", "mse", "np.random.randint(0, 2, 64).astype('float32')", "['accuracy']"),
        trained("layers.Dense(1)", "mse", "np.random.rand(64)", "['accuracy']"),
        trained("layers.Dense(1)", "mse", "labels()", "['accuracy']"),
        trained("layers.Dense(1)", "mse", "np.linspace(10, 50, 64)", "['mae']"),
        trained("layers.Dense(1)", "mse", "np.linspace(10, 50, 64)", "['accuracy']", "predict").replace(
            "(x, y)", "(x)"
        ),
        trained("layers.Dense(3)", "mse", "np.full((64, 3), 7.0)", "['accuracy']"),
        trained("layers.Dense(1, activation='sigmoid')", "binary_crossentropy", "np.arange(64) % 2", "['accuracy']"),
    ],
)
def test_accuracy_that_may_be_right_is_left_alone(code: str) -> None:
    assert said(code) == []


FROZEN = "d = layers.Dense(1)\nm = keras.Sequential([keras.Input((4,)), d])\n"
FIT = "m.fit(np.ones((8, 4)), np.ones((8, 1)))\n"
COMPILE = "m.compile('adam', 'mse')\n"


@pytest.mark.parametrize(
    ("code", "told_for"),
    [
        (f"d.trainable = False\n{COMPILE}{FIT}", "23"),
        (f"d.trainable = False\n{COMPILE}d.trainable = True\n{FIT}", "2"),
        (f"{COMPILE}d.trainable = False\n{FIT}", "3"),
        (f"{COMPILE}{FIT}d.trainable = False\n{FIT}", ""),
        (f"d.trainable = False\n{COMPILE}m.predict(np.ones((8, 4)))\n", ""),
        (f"{COMPILE}{FIT}d.trainable = False\n{COMPILE}{FIT}", "23"),
    ],
)
def test_what_is_frozen_when_it_counts(code: str, told_for: str) -> None:
    """Keras 2 looks in compile(), Keras 3 in the first step after it."""
    found = {major: said(FROZEN + code, f"keras{major}") for major in "23"}
    assert "".join(major for major, each in found.items() if each) == told_for
    words = {
        "2": "as Keras 2 looks at it, when it is compiled",
        "3": "as Keras 3 looks at it, in the first step of fit() (line",
    }
    for major in told_for:
        assert (words[major] in found[major][0][1]) == (len(told_for) == 1)
    repairs = {
        "2": "call compile() after",
        "3": "before its first step",
        "23": "leave at least the last layer trainable",
    }
    assert all(repairs[told_for] in found[major][0][2] for major in told_for)
    assert len(said(FROZEN + code)) == bool(told_for), "told once for two targets"


def test_a_frozen_layer_without_weights_is_no_frozen_model() -> None:
    own = "class Own(layers.Layer):\n    def call(self, x):\n        return x\n"
    code = f"{own}m = keras.Sequential([keras.Input((4,)), Own()])\nm.trainable = False\n{COMPILE}"
    assert said(code + "m.fit(np.ones((8, 4)), np.ones((8, 4)))\n") == []


def test_one_label_for_several_units() -> None:
    column = said(trained("layers.Dense(2)", "mse", "np.ones((64, 1))"))
    ((severity, message, _),) = column
    assert severity == "warning"
    assert (
        "y has one number for each sample, and the output of Dense (line 5) has 2: mean_squared_error compares both"
        in message
    )
    ((severity, message, _),) = said(trained("layers.Dense(3)", "mae", "np.ones(64)"), "keras2")
    assert (severity, "compares all 3 with it; nothing raises" in message) == ("warning", True)
    ((severity, message, _),) = said(trained("layers.Dense(3)", "mae", "np.ones(64)"), "keras3")
    assert severity == "error"
    assert "a batch of 32 labels cannot be compared with 3 units, Keras 3 raises" in message
    unknown = trained("layers.Dense(3)", "mae", "np.arange(n)", x="data()")
    ((severity, message, _),) = said(unknown, "keras3")
    assert (severity, "Keras 3 raises unless the batch has 1 or 3 samples" in message) == ("warning", True)
    small = trained("layers.Dense(2)", "mse", "np.ones(64)").replace("m.fit(x, y)", "m.fit(x, y, batch_size=2)")
    ((severity, message, _),) = said(small, "keras3")
    assert (severity, "Keras 3 raises unless the batch has 1 or 2 samples" in message) == ("warning", True)


KEPT = "class Own(layers.Layer):\n    def call(self, x):\n        w = self.add_weight(shape=(4, 2))\n        return x @ w\n"
LOST = "class Own(layers.Layer):\n    def call(self, x):\n        return layers.Dense(2)(x)\n"


@pytest.mark.parametrize(
    ("code", "major", "severity", "words"),
    [
        (KEPT, "keras2", "warning", "in fit(), evaluate() and predict() Keras 2 raises"),
        (
            KEPT,
            "keras3",
            "warning",
            "adds a weight or layer to itself each time it runs: Keras 3 raises when it is called",
        ),
        (KEPT + "out = Own()(tf.ones((2, 4)))\n", "keras3", "error", "Keras 3 raises when line 9 calls it"),
        (
            KEPT + "out = Own()(tf.ones((2, 4)))\n",
            "keras2",
            "warning",
            "outside of them nothing raises, and it never learns",
        ),
        (
            LOST + "out = Own()(tf.ones((2, 4)))\n",
            "keras3",
            "warning",
            "makes a layer or weight each time it runs: in fit()",
        ),
        (
            LOST + f"m = keras.Sequential([keras.Input((4,)), Own()])\n{COMPILE}{FIT}".replace("(8, 1)", "(8, 2)"),
            "keras3",
            "error",
            "Keras 3 raises in fit() (line 10), which traces it twice",
        ),
    ],
)
def test_weights_that_call_makes(code: str, major: str, severity: str, words: str) -> None:
    ((found, message, _),) = said(code, major)
    assert found == severity
    assert words in message


def test_a_class_that_shows_the_error_is_no_mistake() -> None:
    shown = "import pytest\nlayer = Own()\nwith pytest.raises(ValueError):\n    layer(np.ones((2, 4)))\n"
    assert said(KEPT + shown) == []
    assert [each[0] for each in said(f"{KEPT}{shown}out = Own()(tf.ones((2, 4)))\n", "keras3")] == ["error"]


def test_what_trains_alike_is_a_note() -> None:
    logits = "keras.losses.SparseCategoricalCrossentropy(from_logits=True)"
    code = f"m = keras.Sequential([layers.Dense(3, activation='softmax')])\nm.compile('sgd', {logits})\n"
    ((severity, message, _),) = said(code)
    assert severity == "note"
    assert "finds the logits behind it and warns" in message
    code = (
        "m = keras.Sequential([layers.Dense(3, activation='sigmoid')])\nm.compile('sgd', 'categorical_crossentropy')\n"
    )
    assert [each[0] for each in said(code)] == ["note"]


@pytest.mark.parametrize(
    ("code", "major", "words", "advice"),
    [
        (
            "layers.Bidirectional(layers.LSTM(2))(np.array([[[1, 2], [3, 4]]]))",
            "keras2",
            "Bidirectional: whole numbers (int64) reach it, and its weights are float32: Keras 2 raises when it is called",
            "x.astype('float32')",
        ),
        (
            "layers.LSTM(2)(keras.Input((2, 2), dtype='int64'))",
            "keras2",
            "the input comes from Input (line 5): Keras 2 raises when the model is built",
            "tf.cast(x, 'float32')",
        ),
        (
            "q, v = keras.Input((8, 1, 10)), keras.Input((8, 4, 10))\nlayers.TimeDistributed(layers.Attention())([q, v])",
            "keras3",
            "TimeDistributed: it gets a list of 2 tensors, and that of Keras 3 takes a single tensor",
            "call it on one tensor",
        ),
        ("layers.BatchNormalization(axis=[3])", "keras3", "axis=[3] is not one whole number: Keras 3 raises", "axis=3"),
        ("layers.Conv2D(4, 2, strides=2, dilation_rate=2)", "keras3", "together with dilation", "not both"),
        ("layers.Dropout(50)", "keras3", "rate=50", "Dropout(0.5), not Dropout(50)"),
        ("layers.GaussianNoise(15.0)", "keras3", "stddev=15.0", "give stddev a number between 0 and 1"),
        ("layers.GaussianNoise(sigma=0.1)", "keras3", "'stddev' is missing", "(sigma= was its name in Keras 1)"),
        ("layers.ZeroPadding2D((1, 2, 3, 4))", "keras3", "padding=(1, 2, 3, 4)", "padding=((1, 2), (3, 4))"),
        ("layers.ZeroPadding2D((1, 2, 3))", "keras2", "padding=(1, 2, 3)", "2 pairs such as ((1, 2), (1, 2))"),
        ("layers.Conv3D(5, 3, 3, 4)", "keras2", "padding=4", "kernel_size is one argument: Conv3D(5, (3, 3, 4))"),
        ("layers.Conv2D(5, 3, padding='sam')", "keras2", "padding='sam'", "choose one of these"),
        ("layers.TextVectorization(output_mode=None)", "keras3", "output_mode=None", "leave output_mode out"),
        ("layers.Discretization()", "keras3", "one of num_bins", "give num_bins=…"),
        ("layers.Conv2D(4, 3, groups=3)", "keras3", "groups=3", "choose filters that groups divides"),
        ("layers.Dense(0.5)", "keras3", "units=0.5", "max(1, int(n))"),
        (
            "x = layers.MaxPooling2D(4)(keras.Input((3, 256, 256)))",
            "keras3",
            "a pool of 4",
            "the input (3, 256, 256) looks like channels first: data_format='channels_first', or move the axis",
        ),
        (
            "x = layers.MaxPooling2D(2)(layers.Conv2D(4, 3)(keras.Input((3, 64, 64))))",
            "keras2",
            "a pool of 2",
            "the input (3, 64, 64) looks like channels first",
        ),
        ("x = layers.MaxPooling2D(4)(keras.Input((3, 3, 8)))", "keras3", "a pool of 4", "use padding='same'"),
        (
            "m = keras.Sequential([layers.Dense(1)])\nm.compile(keras.optimizers.Adam(0.0), 'mse')",
            "keras3",
            "learning_rate=0.0: no weight ever changes",
            "start from 0.01",
        ),
        (
            "m = keras.Sequential([keras.Input((4,)), layers.Dense(1)])\nm.compile('sgd', 'mse')\nm.fit(np.ones((8, 4)))",
            "keras2",
            "fit() gets x alone, and compile() (line 6) names a loss: Keras 2 raises",
            "fit(x, y)",
        ),
        (
            "m = keras.Sequential([layers.TextVectorization()])\nm.predict(['to be'])",
            "keras3",
            "x is a plain list: Keras 3 raises",
            "tf.constant([…])",
        ),
        (
            "import os\nm = keras.Sequential([layers.Dense(1)])\nm.load_weights(os.path.join(folder, 'ckpt'))",
            "keras3",
            "the file's name ends in 'ckpt', and Keras 3 takes .weights.h5, .keras, .h5 and .hdf5; besides, the model (line 6)",
            "name the file 'name.weights.h5'",
        ),
        (
            "m = keras.Sequential([layers.Dense(1)])\nm.load_weights(folder + '.weights.h5')",
            "keras3",
            "load_weights: the model (line 5) has no input shape",
            "keras.Input(shape)",
        ),
    ],
)
def test_words_and_repairs(code: str, major: str, words: str, advice: str) -> None:
    ((_, message, repair),) = said(code + "\n", major)
    assert words in message
    assert advice in repair


def test_what_is_refused_before_is_told_by_the_check_of_arguments() -> None:
    assert said("layers.BatchNormalization(fused=True, axis=[3])\n", "keras3") == []
