"""Models as they are written: which layers meet which tensors."""

from __future__ import annotations

import ast

import pytest
from model.reading import calls, events, line, model, read, read_text, refusals, shape, trained

from envcheck.model.events import (
    Compilation,
    Compiled,
    LayerCalled,
    LayerMade,
    Made,
    Model,
    ModelChanged,
    ModelMade,
    ModelUsed,
    Reference,
    Trained,
)
from envcheck.model.source import Source
from envcheck.model.tensors import UNKNOWN

SEQUENTIAL = {
    "a list": "keras.Sequential([layers.Dense(4, input_shape=(3,)), layers.Dense(2)])",
    "an Input": "keras.Sequential([keras.Input((3,)), layers.Dense(4), layers.Dense(2)])",
    "an InputLayer": "keras.Sequential([layers.InputLayer(shape=(3,)), layers.Dense(4), layers.Dense(2)])",
    "layers=": "keras.Sequential(layers=(layers.Dense(4, input_shape=(3,)), layers.Dense(2)), name='a')",
    "a tuple and arithmetic": "n = 2\nkeras.Sequential([layers.Dense(n * 2, input_shape=(n + 1,)), layers.Dense(units=n)])",
    "input_dim": "keras.Sequential([layers.Dense(4, input_dim=3), layers.Dense(2)])",
    "add": "m = keras.Sequential()\nm.add(layers.Dense(4, input_shape=(3,)))\nm.add(layers.Dense(2))",
    "add of an Input": "m = keras.Sequential()\nm.add(keras.Input((3,)))\nm.add(layers.Dense(4))\nm.add(layers.Dense(2))",
    "a loop": "m = keras.Sequential()\nm.add(keras.Input((3,)))\nfor n in [4, 2]:\n    m.add(layers.Dense(n))",
    "a loop over zip": """
        m = keras.Sequential([keras.Input((3,))])
        for n, name in zip((4, 2), ('a', 'b')):
            m.add(layers.Dense(n, name=f'{name}_{n}'))
    """,
    "a loop with break": """
        m = keras.Sequential([keras.Input((3,))])
        for n in [4, 2, 9]:
            if n == 9:
                break
            m.add(layers.Dense(n))
    """,
    "a loop with continue": """
        m = keras.Sequential([keras.Input((3,))])
        for n in [9, 4, 2]:
            if n > 8:
                continue
            m.add(layers.Dense(n))
    """,
    "a comprehension": "keras.Sequential([keras.Input((3,))] + [layers.Dense(n) for n in (4, 9, 2) if n != 9])",
    "a list that grows": """
        stack = [layers.Dense(4, input_shape=(3,))]
        stack.append(layers.Dense(2))
        keras.Sequential(stack)
    """,
    "a starred list": "rest = [layers.Dense(4), layers.Dense(2)]\nkeras.Sequential([keras.Input((3,)), *rest])",
    "a function": """
        def make(shape, units=2):
            m = keras.Sequential()
            m.add(layers.Dense(2 * units, input_shape=shape))
            m.add(layers.Dense(units))
            return m
        make((3,))
    """,
    "a function with keywords": """
        def make(**options):
            return keras.Sequential([layers.Dense(4, **options), layers.Dense(2)])
        make(input_shape=(3,))
    """,
    "a dictionary of arguments": """
        first = {'units': 4, 'activation': 'relu'}
        first['input_shape'] = (3,)
        keras.Sequential([layers.Dense(**first), layers.Dense(2)])
    """,
    "functools.partial": """
        from functools import partial
        Small = partial(layers.Dense, 2)
        keras.Sequential([layers.Dense(4, input_shape=(3,)), Small(activation='relu')])
    """,
    "a class that builds": """
        class Builder:
            units = 4
            def __init__(self, last):
                self.last = last
            def build(self):
                return keras.Sequential([layers.Dense(self.units, input_shape=(3,)), layers.Dense(self.last)])
        Builder(2).build()
    """,
    "main": """
        def main():
            keras.Sequential([layers.Dense(4, input_shape=(3,)), layers.Dense(2)])
        if __name__ == '__main__':
            main()
    """,
    "a function that nothing calls": """
        def make(anything):
            return keras.Sequential([layers.Dense(4, input_shape=(3,)), layers.Dense(2)])
    """,
    "a method that nothing calls": """
        class Test:
            def test_it(self):
                return keras.Sequential([layers.Dense(4, input_shape=(3,)), layers.Dense(2)])
    """,
    "with": "with strategy.scope():\n    keras.Sequential([layers.Dense(4, input_shape=(3,)), layers.Dense(2)])",
    "a shape of data": "x = np.zeros((9, 3))\nkeras.Sequential([layers.Dense(4, input_shape=x.shape[1:]), layers.Dense(2)])",
    "a length of data": """
        x = np.zeros((9, 3))
        keras.Sequential([layers.Dense(4, input_shape=(len(x[0]),)), layers.Dense(2)])
    """,
    "a try around the imports": """
        try:
            from keras.layers import Dense
        except ImportError:
            from tensorflow.keras.layers import Dense
        keras.Sequential([Dense(4, input_shape=(3,)), Dense(2)])
    """,
}


@pytest.mark.parametrize("source", SEQUENTIAL.values(), ids=SEQUENTIAL.keys())
@pytest.mark.parametrize("keras", [2, 3])
def test_a_sequential_model(source: str, keras: int) -> None:
    if keras == 2:
        source = source.replace("InputLayer(shape", "InputLayer(input_shape")
    assert calls(source, keras) == ["Dense (None, 3) -> (None, 4)", "Dense (None, 4) -> (None, 2)"]


NAMES = [
    "import keras\nDense = keras.layers.Dense",
    "import keras.layers\nDense = keras.layers.Dense",
    "from keras.layers import Dense",
    "from keras.layers.core import Dense",
    "from keras.src.layers import Dense",
    "from keras.layers import *",
    "from tensorflow.keras.layers import *",
    "from tensorflow.keras import layers as L\nDense = L.Dense",
    "from tensorflow.python.keras.layers import Dense",
    "from tensorflow.compat.v1.keras.layers import Dense",
    "import tensorflow.keras as k\nDense = k.layers.Dense",
    "import tensorflow as tf\nDense = tf.keras.layers.Dense",
    "import tf_keras\nDense = tf_keras.layers.Dense",
    "from tensorflow.contrib.keras import layers\nDense = layers.Dense",
    "from keras import layers\nDense = getattr(layers, 'Dense')",
]


@pytest.mark.parametrize("source", NAMES)
def test_a_name_in_every_spelling(source: str) -> None:
    made = [each for each in read_text(f"{source}\nDense(3)\n").events if isinstance(each, LayerMade)]
    assert [each.layer.name for each in made] == ["keras.layers.Dense"]


FUNCTIONAL = {
    "a chain": (
        """
        x = inputs = keras.Input(shape=(8, 8, 1))
        x = layers.Conv2D(4, 3)(x)
        x = layers.Flatten()(x)
        m = keras.Model(inputs, layers.Dense(2)(x))
        """,
        [
            "Conv2D (None, 8, 8, 1) -> (None, 6, 6, 4)",
            "Flatten (None, 6, 6, 4) -> (None, 144)",
            "Dense (None, 144) -> (None, 2)",
        ],
    ),
    "a merge": (
        """
        a, b = keras.Input((3,)), keras.Input((4,))
        c = layers.Concatenate()([a, b])
        d = layers.concatenate([a, c], axis=-1)
        m = keras.Model(inputs=[a, b], outputs=[c, d])
        """,
        ["Concatenate (None, 3) (None, 4) -> (None, 7)", "Concatenate (None, 3) (None, 7) -> (None, 10)"],
    ),
    "shapes asked of tensors": (
        """
        a = keras.Input((4, 6))
        b = layers.Dense(a.shape[-1] // 2)(a)
        c = layers.Dense(keras.backend.int_shape(b)[1])(b)
        d = layers.Reshape((b.shape[1] * b.shape[2],))(b)
        """,
        [
            "Dense (None, 4, 6) -> (None, 4, 3)",
            "Dense (None, 4, 3) -> (None, 4, 4)",
            "Reshape (None, 4, 3) -> (None, 12)",
        ],
    ),
    "a helper and a loop": (
        """
        def block(x, filters, pool=True):
            x = layers.Conv1D(filters, 3, padding='same')(x)
            if pool:
                x = layers.MaxPooling1D(2)(x)
            return x
        x = keras.Input((16, 2))
        for n in range(2):
            x = block(x, 4 * 2 ** n, pool=n == 0)
        """,
        [
            "Conv1D (None, 16, 2) -> (None, 16, 4)",
            "MaxPooling1D (None, 16, 4) -> (None, 8, 4)",
            "Conv1D (None, 8, 4) -> (None, 8, 8)",
        ],
    ),
    "a model as a layer": (
        """
        a = keras.Input((4,))
        encoder = keras.Model(a, layers.Dense(2)(a))
        b = keras.Input((4,))
        c = layers.Dense(5)(encoder(b))
        """,
        ["Dense (None, 4) -> (None, 2)", "Model (None, 4) -> (None, 2)", "Dense (None, 2) -> (None, 5)"],
    ),
    "a sequential model as a layer": (
        """
        head = keras.Sequential([layers.Dense(2)])
        c = layers.Dense(5)(head(keras.Input((4,))))
        """,
        ["Dense (None, 4) -> (None, 2)", "Sequential (None, 4) -> (None, 2)", "Dense (None, 2) -> (None, 5)"],
    ),
    "the output of a model": (
        """
        base = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
        x = layers.Dense(5)(base.output)
        y = layers.Dense(6)(base.layers[-2].output)
        z = layers.Dense(base.output_shape[-1])(base.input)
        """,
        [
            "Dense (None, 4) -> (None, 3)",
            "Dense (None, 3) -> (None, 2)",
            "Dense (None, 2) -> (None, 5)",
            "Dense (None, 3) -> (None, 6)",
            "Dense (None, 4) -> (None, 2)",
        ],
    ),
    "an application": (
        """
        base = keras.applications.VGG16(include_top=False, input_shape=(32, 32, 3))
        x = layers.GlobalAveragePooling2D()(base.output)
        x = layers.Dense(5)(layers.Flatten()(base(keras.Input((32, 32, 3)))))
        """,
        [
            "GlobalAveragePooling2D (None, ?, ?, ?) -> (None, ?)",
            "VGG16 (None, 32, 32, 3) -> (None, ?, ?, ?)",
            "Flatten (None, ?, ?, ?) -> (None, ?)",
            "Dense (None, ?) -> (None, 5)",
        ],
    ),
    "wrappers": (
        """
        x = keras.Input((5, 8))
        x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x)
        x = layers.TimeDistributed(layers.Dense(2))(x)
        """,
        ["Bidirectional (None, 5, 8) -> (None, 5, 6)", "TimeDistributed (None, 5, 6) -> (None, 5, 2)"],
    ),
    "states": (
        """
        out, h, c = layers.LSTM(4, return_state=True)(keras.Input((5, 8)))
        x = layers.Dense(2)(h)
        """,
        ["LSTM (None, 5, 8) -> (None, 4) (None, 4) (None, 4)", "Dense (None, 4) -> (None, 2)"],
    ),
    "operators and functions": (
        """
        x = keras.Input((4, 6))
        x = layers.Dense(2)(x + 1.0)
        x = layers.Dense(3)(tf.reduce_mean(x, axis=1))
        x = layers.Dense(4)(x[:, None])
        x = layers.Dense(5)(tf.reshape(x, (-1, 4)))
        x = layers.Dense(6)(layers.Lambda(lambda t: t * 2)(x))
        """,
        [
            "Dense (None, 4, 6) -> (None, 4, 2)",
            "Dense (None, 2) -> (None, 3)",
            "Dense (None, 1, 3) -> (None, 1, 4)",
            "Dense (None, 4) -> (None, 5)",
            "Lambda (None, 5) -> (None, 5)",
            "Dense (None, 5) -> (None, 6)",
        ],
    ),
}


@pytest.mark.parametrize(("source", "expected"), FUNCTIONAL.values(), ids=FUNCTIONAL.keys())
def test_the_functional_api(source: str, expected: list[str]) -> None:
    assert calls(source) == expected


SUBCLASSED = {
    "a layer": (
        """
        class Scale(layers.Layer):
            def __init__(self, units):
                super().__init__()
                self.units = units
            def build(self, input_shape):
                self.w = self.add_weight(shape=(input_shape[-1], self.units))
            def call(self, inputs):
                return tf.matmul(inputs, self.w)
        keras.Sequential([keras.Input((3,)), Scale(7), layers.Dense(2)])
        """,
        ["Scale (None, 3) -> (None, 7)", "Dense (None, 7) -> (None, 2)"],
    ),
    "a model that meets data": (
        """
        class Net(keras.Model):
            def __init__(self):
                super().__init__()
                self.conv = layers.Conv1D(4, 3)
                self.blocks = [layers.Dense(5), layers.Dense(6)]
            def call(self, x, training=False):
                x = self.conv(x)
                for each in self.blocks:
                    x = each(x)
                return x
        net = Net()
        net.compile('adam', 'mse')
        net.fit(np.zeros((10, 8, 2)), np.zeros((10, 6, 6)))
        """,
        [
            "Conv1D (None, 8, 2) -> (None, 6, 4)",
            "Dense (None, 6, 4) -> (None, 6, 5)",
            "Dense (None, 6, 5) -> (None, 6, 6)",
            "Net (None, 8, 2) -> (None, 6, 6)",
        ],
    ),
    "a model that nothing makes": (
        """
        class Net(keras.Model):
            def __init__(self, anything):
                super(Net, self).__init__()
                self.one = layers.LSTM(4)
                self.two = layers.LSTM(4)
            def call(self, x):
                return self.two(self.one(x))
        """,
        ["LSTM (?) -> ?", "LSTM (?, ?) ! call"],
    ),
    "a Sequential of its own": (
        """
        class Net(keras.Sequential):
            def __init__(self):
                super().__init__()
                self.add(keras.Input((3,)))
                self.add(layers.Dense(2))
        Net()
        """,
        ["Dense (None, 3) -> (None, 2)"],
    ),
}


@pytest.mark.parametrize(("source", "expected"), SUBCLASSED.values(), ids=SUBCLASSED.keys())
def test_subclasses(source: str, expected: list[str]) -> None:
    assert calls(source) == expected


REFUSED = {
    "Conv2D without channels": ("keras.Sequential([layers.Conv2D(4, 3, input_shape=(28, 28))])", 1, "call"),
    "LSTM after Conv2D": (
        "m = keras.Sequential()\nm.add(layers.Conv2D(4, 3, input_shape=(9, 9, 1)))\nm.add(layers.LSTM(3))",
        3,
        "call",
    ),
    "stacked LSTM": ("keras.Sequential([\n    layers.LSTM(3, input_shape=(4, 2)),\n    layers.LSTM(3),\n])", 3, "call"),
    "a kernel that is too large": ("x = keras.Input((3, 3, 1))\ny = layers.Conv2D(2, 5)(x)", 2, "build"),
    "a rate in percent": ("a = 1\nlayers.Dropout(50)", 2, "construction"),
    "a merge of unequal shapes": ("a, b = keras.Input((3,)), keras.Input((4,))\nlayers.Add()([a, b])", 2, "build"),
    "a nested model": (
        "a = keras.Sequential([keras.Input((10,)), layers.Dense(3)])\nb = a(keras.Input((12,)))",
        2,
        "call",
    ),
    "in a function": ("def make():\n    x = keras.Input((3,))\n    return layers.LSTM(2)(x)\nmake()", 3, "call"),
    "in every branch": (
        """\
n = 3
if unknown:
    n = 4
x = layers.Dense(n)(keras.Input((n,)))
y = layers.LSTM(2)(x)
""",
        5,
        "call",
    ),
    "after an unknown loop": (
        "x = keras.Input((8,))\nwhile unknown():\n    x = layers.Dense(8)(x)\ny = layers.LSTM(2)(x)",
        4,
        "call",
    ),
    "at the first step": (
        "m = keras.Sequential([\n  layers.LSTM(2)])\nm.compile('adam', 'mse')\nm.fit(np.zeros((9, 3)), np.zeros(9))",
        2,
        "call",
    ),
    "before the first step": (
        "m = keras.Sequential([\n  layers.LSTM(2),\n  layers.LSTM(2)])\nm.compile('adam', 'mse')\nm.fit(x, y)",
        3,
        "call",
    ),
}


@pytest.mark.parametrize(("source", "at", "stage"), REFUSED.values(), ids=REFUSED.keys())
def test_what_keras_refuses(source: str, at: int, stage: str) -> None:
    assert {(line(each), refused.stage) for each, refused in refusals(source)} == {(at, stage)}


SILENT = {
    "an unknown branch decides": """
        shape = (28, 28)
        if unknown:
            shape = (28, 28, 1)
        keras.Sequential([layers.Conv2D(4, 3, input_shape=shape)])
    """,
    "an unknown loop decides": """
        x = keras.Input((28, 28))
        for _ in unknown:
            x = layers.Reshape((28, 28, 1))(x)
        layers.Conv2D(4, 3)(x)
    """,
    "a while that leaves early": """
        x = keras.Input((28, 28))
        while True:
            x = layers.Reshape((28, 28, 1))(x)
            if unknown:
                break
        layers.Conv2D(4, 3)(x)
    """,
    "a function that returns early": """
        def f():
            if unknown:
                return (28, 28)
            return (28, 28, 1)
        keras.Sequential([layers.Conv2D(4, 3, input_shape=f())])
    """,
    "a global that a function may set": """
        shape = (28, 28)
        def change():
            global shape
            shape = (28, 28, 1)
        unknown(change)
        keras.Sequential([layers.Conv2D(4, 3, input_shape=shape)])
    """,
    "exec": "shape = (28, 28)\nexec(code)\nkeras.Sequential([layers.Conv2D(4, 3, input_shape=shape)])",
    "a star import that may rebind": """
        shape = (28, 28)
        from somewhere import *
        keras.Sequential([layers.Conv2D(4, 3, input_shape=shape)])
    """,
    "a list that an unknown function got": """
        stack = [keras.Input((3,))]
        unknown(stack)
        stack.append(layers.LSTM(2))
        keras.Sequential(stack)
    """,
    "a model that an unknown function got": """
        m = keras.Sequential([keras.Input((3,))])
        unknown.extend(m)
        m.add(layers.LSTM(2))
    """,
    "a method of an unknown object": """
        m = keras.Sequential([keras.Input((3,))])
        unknown(m).go()
        m.add(layers.LSTM(2))
    """,
    "unknown keyword arguments": "keras.Sequential([layers.Conv2D(4, 3, input_shape=(28, 28), **unknown)])",
    "a decorated function": """
        @unknown
        def shape():
            return (28, 28)
        keras.Sequential([layers.Conv2D(4, 3, input_shape=shape())])
    """,
    "a parameter with a default": """
        def make(shape=(28, 28)):
            return keras.Sequential([layers.Conv2D(4, 3, input_shape=shape)])
    """,
    "a name that is set twice, seen from a function": """
        shape = (28, 28)
        def make():
            return keras.Sequential([layers.Conv2D(4, 3, input_shape=shape)])
        shape = (28, 28, 1)
    """,
    "a class of another name": "from other import Conv2D\nkeras.Sequential([Conv2D(4, 3, input_shape=(28, 28))])",
    "a name that is shadowed": "layers = unknown\nkeras.Sequential([layers.Conv2D(4, 3, input_shape=(28, 28))])",
    "channels first": """
        keras.backend.set_image_data_format('channels_first')
        keras.Sequential([layers.Conv2D(4, 5, input_shape=(1, 28, 28))])
    """,
    "the other data format": """
        if keras.backend.image_data_format() == 'channels_first':
            shape = (1, 28, 28)
        else:
            shape = (28, 28, 1)
        keras.Sequential([layers.Conv2D(4, 5, input_shape=shape)])
    """,
    "a condition that says what it is": """
        def make(kind):
            size = 28
            if kind == 'small':
                size = 2
            x = keras.Input((size, size, 1))
            return layers.Conv2D(4, 3, padding='same' if kind == 'small' else 'valid')(x)
    """,
    "an attribute that another method sets": """
        class Maker:
            def __init__(self):
                self.shape = (28, 28)
            def grow(self):
                self.shape = (28, 28, 1)
            def make(self):
                return keras.Sequential([layers.Conv2D(4, 3, input_shape=self.shape)])
    """,
    "a patched class": """
        layers.Conv2D.call = unknown
        keras.Sequential([layers.Conv2D(4, 3, input_shape=(28, 28))])
    """,
    "a deleted item": "a = [(28, 28), (28, 28, 1)]\ndel a[0]\nkeras.Sequential([layers.Conv2D(4, 3, input_shape=a[0])])",
    "a caught error": """
        try:
            shape = unknown()
        except ValueError:
            shape = (28, 28)
        keras.Sequential([layers.Conv2D(4, 3, input_shape=shape)])
    """,
    "a merge of what may be a list": "layers.Concatenate()(unknown)",
    "a generator": "def f():\n    yield (28, 28)\nkeras.Sequential([layers.Conv2D(4, 3, input_shape=f())])",
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT.keys())
@pytest.mark.parametrize("keras", [2, 3])
def test_what_cannot_be_told_is_silent(source: str, keras: int) -> None:
    assert refusals(source, keras) == []


ATTEMPTED = {
    "except ValueError": "try:\n    layers.Dropout(50)\nexcept ValueError:\n    pass",
    "a bare except": "try:\n    layers.Dropout(50)\nexcept:\n    pass",
    "pytest": "with pytest.raises(ValueError):\n    layers.Dropout(50)",
    "unittest": "class T:\n    def f(self):\n        with self.assertRaises(ValueError):\n            layers.Dropout(50)",
}


@pytest.mark.parametrize("source", ATTEMPTED.values(), ids=ATTEMPTED.keys())
def test_errors_that_are_expected_are_marked(source: str) -> None:
    (made,) = events(source, LayerMade)
    assert made.refused is not None
    assert made.where.attempted


def test_a_handler_of_other_errors_expects_nothing() -> None:
    (made,) = events("try:\n    layers.Dropout(50)\nexcept ImportError:\n    pass", LayerMade)
    assert not made.where.attempted


def test_conditions_are_marked() -> None:
    one, two, three = events(
        "layers.Dense(1)\nif unknown:\n    layers.Dense(2)\nif True:\n    layers.Dense(3)", LayerMade
    )
    assert [each.where.conditional for each in (one, two, three)] == [False, True, False]


def test_a_shared_layer_says_what_it_was_built_on() -> None:
    source = "d = layers.Dense(2)\na = d(keras.Input((3,)))\nb = d(keras.Input((4,)))"
    first, second = events(source, LayerCalled)
    assert first.layer is second.layer
    assert first.built_on is None
    assert shape(second.built_on) == "(None, 3)"


def test_the_layers_of_a_functional_model_lead_from_inputs_to_outputs() -> None:
    made = model("""
        a = keras.Input((3,))
        b = layers.Dense(4, name='b')(a)
        aside = layers.Dense(9, name='aside')(b)
        c = layers.Dense(5, name='c')(b)
        m = keras.Model(a, c)
    """)
    assert isinstance(made.layers, tuple)
    assert [each.argument("name") for each in made.layers if isinstance(each, Made)] == ["b", "c"]


def test_a_disconnected_graph_can_be_walked() -> None:
    made = model("a, b = keras.Input((3,)), keras.Input((3,))\nkeras.Model(a, layers.Dense(2)(b))")
    assert isinstance(made.inputs, tuple)
    assert isinstance(made.outputs, tuple)
    (source,) = made.outputs[0].inputs  # type: ignore[misc]
    assert source.made_by is None
    assert source not in made.inputs


def test_add_and_pop() -> None:
    source = (
        "m = keras.Sequential([layers.Dense(3, input_shape=(5,)), layers.Dense(4)])\nm.pop()\nm.add(layers.Dense(6))"
    )
    assert calls(source)[-1] == "Dense (None, 3) -> (None, 6)"
    assert [each.method for each in events(source, ModelChanged)] == ["pop", "add"]


def test_a_class_in_place_of_a_layer() -> None:
    made = model("keras.Sequential([layers.Dense(3, input_shape=(5,)), layers.Dense])")
    assert isinstance(made.layers, tuple)
    assert made.layers[1] == Reference("keras.layers.Dense")


def test_compile_and_fit() -> None:
    source = """
        m = keras.Sequential([keras.Input((5,)), layers.Dense(3, activation='softmax')])
        m.compile(keras.optimizers.Adam(learning_rate=1e-3), loss='mse', metrics=['accuracy', tf.keras.metrics.AUC()])
        m.fit(np.zeros((8, 5)), np.ones((8, 3)), batch_size=4, epochs=2)
    """
    (compiled,) = events(source, Compiled)
    assert isinstance(compiled.model.compiled, Compilation)
    arguments = compiled.model.compiled.arguments
    optimizer = arguments["optimizer"]
    assert isinstance(optimizer, Made)
    assert (optimizer.name, optimizer.argument("learning_rate", 0)) == ("keras.optimizers.Adam", 1e-3)
    assert arguments["loss"] == "mse"
    met = trained(source)
    assert (met.method, met.was_built, met.arguments) == ("fit", True, {"batch_size": 4, "epochs": 2})
    assert (shape(met.x), shape(met.y)) == ("(8, 5)", "(8, 3)")
    assert isinstance(met.model.compiled, Compilation)
    assert met.model.compiled.where == compiled.where


def test_a_model_is_not_compiled_not_built_or_unknown() -> None:
    assert trained("m = keras.Sequential([layers.Dense(1)])\nm.fit(np.zeros((2, 3)), y)").model.compiled is None
    assert trained("m = keras.Sequential([layers.Dense(1)])\nprepare(m)\nm.fit(x, y)").model.compiled is UNKNOWN
    assert trained("m = keras.models.load_model('a.keras')\nm.fit(x, y)").model.compiled is UNKNOWN
    assert trained("m = keras.models.load_model('a.keras', compile=False)\nm.fit(x, y)").model.compiled is None
    (used,) = events("m = keras.Sequential([layers.Dense(1)])\nm.summary()", ModelUsed)
    assert (used.method, used.model.built) == ("summary", False)
    (used,) = events("m = keras.Sequential([layers.Dense(1)])\nm.build((None, 3))\nm.summary()", ModelUsed)[1:]
    assert used.model.built is True


def test_what_is_trainable() -> None:
    source = (
        "m = keras.Sequential([layers.Dense(1), layers.Dense(2)])\nfor each in m.layers:\n    each.trainable = False\n"
    )
    assert trained(source + "m.fit(x, y)").model.trainable == (False, False)
    assert trained(source + "m.layers[-1].trainable = True\nm.fit(x, y)").model.trainable == (False, True)
    assert trained("m = keras.Sequential([layers.Dense(1)])\nm.trainable = False\nm.fit(x, y)").model.trainable == (
        False,
    )


def test_a_model_made_with_old_names() -> None:
    (made,) = events("a = keras.Input((3,))\nkeras.Model(input=a, output=layers.Dense(2)(a))", ModelMade)
    assert set(made.arguments) == {"input", "output"}


def test_an_embedding_first() -> None:
    source = "m = keras.Sequential([layers.Embedding(10, 4), layers.Flatten()])"
    assert calls(source, 2) == ["Embedding (None, None) -> (None, None, 4)", "Flatten (None, None, 4) -> (None, None)"]
    assert calls(source, 3) == []


def test_a_nest_of_models_in_events() -> None:
    made = model("keras.Sequential([keras.Sequential([keras.Input((4,)), layers.Dense(3)]), layers.Dense(2)])")
    assert isinstance(made.layers, tuple)
    assert isinstance(made.layers[0], Model)
    assert shape(made.outputs) == "(None, 2)"


def test_counts() -> None:
    reading = read(
        "m = keras.Sequential([layers.Dense(1, input_shape=(2,))])\nlayers.Dense(2)(unknown)\nlayers.Add()(unknown)"
    )
    assert (reading.models, reading.calls_known, reading.calls_unknown, reading.cut) == (1, 1, 2, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import numpy\nSequential([Dense(3)])", False),
        ("import tensorflow as tf\ndef f():\n    return tf.constant(3)", False),
        ("import tensorflow as tf\ntf.keras.layers.Dense(3)", True),
        (
            "if True:\n    def f():\n        try:\n            import keras\n        except ImportError:\n            Dense(3)",
            True,
        ),
        ("import tensorflow as tf\nkeras_model.fit(x, y)", False),
        ("import keras\nmodel = keras.models.load_model(path)", True),
        ("import keras\nmyDense(3)", False),
    ],
)
def test_files_that_are_worth_reading(text: str, expected: bool) -> None:
    assert Source(text).defines_models(ast.parse(text)) is expected


def test_lines_that_tell() -> None:
    text = "def f():\n    model.fit(x)\ndef g():\n    yield 3\ndef h():\n    return 'a fitting Denseness'\n"
    functions = ast.parse(text).body
    assert [Source(text).tells(each) for each in functions] == [True, False, False]
    assert [Source(text).yields(each) for each in functions] == [False, True, False]


def test_fit_events_in_order() -> None:
    found = events("m = keras.Sequential([layers.Dense(1)])\nm.fit(a, b)\nm.evaluate(a, b)\nm.predict(a)", Trained)
    assert [each.method for each in found] == ["fit", "evaluate", "predict"]
