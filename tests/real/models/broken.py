"""Models that fail, each in its own way."""

import os
import sys
import time

from tensorflow import keras
from tensorflow.keras import layers


def raises():
    raise KeyError("no such setting")


def exits():
    sys.exit(3)


def dies():
    os._exit(7)


def hangs():
    time.sleep(600)


def prints():
    for _ in range(300000):
        sys.stdout.write("x" * 100 + "\n")
    return plain()


def nothing():
    return None


def needs(units):
    return units


a_list = [1, 2]


def plain():
    return keras.Sequential([keras.Input((4,)), layers.Dense(2)])


def ranks():
    inputs = keras.Input((28, 28, 1))
    return keras.Model(inputs, layers.LSTM(4, name="reads")(layers.Conv2D(8, 3)(inputs)))


class Half(layers.Layer):
    """Refuses, when it is called, what it was built for."""

    def call(self, x):
        return x + keras.backend.zeros((3,))


class Inner(keras.Model):
    def __init__(self):
        super().__init__()
        self.wide = layers.Dense(6, name="wide")
        self.half = Half(name="half")

    def call(self, x):
        return self.half(self.wide(x))


def subclassed():
    return Inner()


class Factor:
    """Nothing that Keras could write into a file."""


class Scaled(layers.Layer):
    """Has no get_config: Keras makes one of numbers and texts by itself, and not of this argument."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, x):
        return x * 2


def unsaved():
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(1)(Scaled(Factor())(inputs)))


class Doubled(layers.Layer):
    """Is saved well, and found only by those who say where it is."""

    def call(self, x):
        return x * 2


def unregistered():
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(1)(Doubled()(inputs)))


def wrong_loss():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model.compile("adam", lambda true, predicted: keras.backend.dot(predicted, predicted))
    return model


def frozen():
    model = plain()
    model.compile(keras.optimizers.SGD(0.0), "mse")
    return model
