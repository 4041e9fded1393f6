"""Layer and model classes as they are written."""

from __future__ import annotations

import pytest
from model.reading import events, line

from envcheck.model.events import ClassDefined, LayerMade, OperationCalled


def defined(source: str) -> ClassDefined:
    return events(source, ClassDefined)[-1]


WHOLE = """
@keras.saving.register_keras_serializable()
class Mine(layers.Layer):
    def __init__(self, units, *, rate=0.5, **kwargs):
        self.first = layers.Dense(1)
        super().__init__(**kwargs)
        self.units = units
        self.hidden = [layers.Dense(2), layers.Dropout(rate)]
        self.named = {'a': layers.Dense(3)}
        self.deep = [{'a': [layers.Dense(4)]}]
        self.given = unknown(layers.Dense(5))
        self.table = {}
        self.table['b'] = layers.Dense(6)

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units))

    def call(self, inputs, training=None):
        v = tf.Variable(1.0)
        if self.w is None:
            self.w = self.add_weight(shape=(1,))
        return layers.Dense(3)(inputs) * v
"""


def test_a_class() -> None:
    found = defined(WHOLE)
    assert (found.name, found.kind, found.bases, found.bases_known) == ("Mine", "layer", ("keras.layers.Layer",), True)
    assert found.methods == {"__init__": 8, "build": 19, "call": 22}
    assert (found.own_init, found.calls_super, found.parameters) == (True, True, ("units", "rate"))
    assert (found.call_returns, found.call_parameters) == ("value", ("inputs", "training"))
    assert found.decorated == ("register_keras_serializable",)
    assert [each.line - 4 for each in found.weights_in_call] == [19, 22]


def test_what_a_class_sets() -> None:
    found = {each.attribute: each for each in defined(WHOLE).assigned}
    assert {name: (each.container, len(each.holds)) for name, each in found.items() if each.holds} == {
        "first": ("", 1),
        "hidden": ("list", 2),
        "named": ("dict", 1),
        "deep": ("nested", 1),
        "given": ("call", 1),
        "table": ("dict", 1),
    }
    assert found["first"].before_super
    assert not found["hidden"].before_super
    assert [each.method for each in defined(WHOLE).assigned if each.attribute == "w"] == ["build", "call"]


BASES = {
    "class A(keras.Model): pass": ("model", ("keras.Model",), True),
    "class A(tf.keras.layers.Layer): pass": ("layer", ("keras.layers.Layer",), True),
    "class A(layers.Dense): pass": ("layer", ("keras.layers.Dense",), True),
    "class B(keras.Sequential): pass\nclass A(B): pass": ("model", ("keras.Sequential",), True),
    "class A(unknown, layers.Layer): pass": ("layer", ("keras.layers.Layer",), False),
}


@pytest.mark.parametrize(("source", "expected"), BASES.items(), ids=BASES.keys())
def test_bases(source: str, expected: tuple[str, tuple[str, ...], bool]) -> None:
    found = defined(source)
    assert (found.kind, found.bases, found.bases_known) == expected


@pytest.mark.parametrize(
    "source", ["class A: pass", "class A(unknown): pass", "class A(keras.callbacks.Callback): pass"]
)
def test_other_classes_are_no_events(source: str) -> None:
    assert events(source, ClassDefined) == []


SUPER = {
    "super().__init__()": True,
    "super(A, self).__init__()": True,
    "layers.Layer.__init__(self)": True,
    "if unknown:\n            super().__init__()": True,
    "pass": False,
    "super().build(None)": False,
}


@pytest.mark.parametrize(("statement", "expected"), SUPER.items(), ids=SUPER.keys())
def test_super_init(statement: str, expected: bool) -> None:
    found = defined(f"class A(layers.Layer):\n    def __init__(self):\n        {statement}")
    assert found.calls_super is expected
    assert defined("class A(layers.Layer): pass").calls_super is None


RETURNS = {
    "return x": "value",
    "pass": "nothing",
    "return": "nothing",
    "y = x": "nothing",
    "if x: return x": "some",
    "if x:\n            return x\n        else:\n            return 2": "value",
    "for y in x:\n            return y": "some",
    "while True:\n            return x": "value",
    "with unknown:\n            return x": "value",
    "try:\n            return x\n        except ValueError:\n            return 2": "value",
    "try:\n            return x\n        except ValueError:\n            pass": "some",
    "raise NotImplementedError": "raises",
    "if x:\n            return x\n        raise ValueError": "value",
    "yield x": "value",
    "def inner():\n            return 3": "nothing",
}


@pytest.mark.parametrize(("statement", "expected"), RETURNS.items(), ids=RETURNS.keys())
def test_what_call_returns(statement: str, expected: str) -> None:
    assert defined(f"class A(layers.Layer):\n    def call(self, x):\n        {statement}").call_returns == expected


def test_methods_of_a_base_in_the_file_count() -> None:
    found = defined(
        "class B(layers.Layer):\n    def call(self, x): return x\nclass A(B):\n    def get_config(self): return {}"
    )
    assert set(found.methods) == {"call", "get_config"}
    assert found.call_returns == "value"


def test_a_layer_of_the_file_is_made_with_its_class() -> None:
    source = "class A(layers.Layer):\n    def __init__(self, n): super().__init__()\nA(3)"
    (made,) = events(source, LayerMade)
    assert (made.layer.name, made.layer.positional, line(made)) == ("A", (3,), 3)
    assert made.layer.own is not None
    assert made.layer.own.name == "A"


def test_operations_say_where_they_happen() -> None:
    source = """
class A(layers.Layer):
    def call(self, x):
        return tf.argmax(x, axis=-1)
x = A()(keras.Input((3,)))
y = tf.cast(x, tf.float32)
"""
    assert [(each.name, each.inside) for each in events(source, OperationCalled)] == [
        ("tensorflow.argmax", "A"),
        ("tensorflow.cast", ""),
    ]
