"""Runs in an environment with Keras: ``write`` saves models of many kinds, ``load`` says which of a folder's it can load.

python saved_models.py write FOLDER      →  FOLDER/KIND.h5, .keras, _tf, and LOG
python saved_models.py load FOLDER OUT   →  OUT: {"KIND.h5": null or the error}
"""

# It runs in the environments of releases, down to Python 3.7, and is no part of what is checked.
# mypy: ignore-errors
# ruff: noqa: PLW0108, PTH118, PTH123, PTH208, UP031

import json
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
import tensorflow as tf

keras = tf.keras
L = keras.layers
KERAS_3 = hasattr(keras, "ops") or not hasattr(L, "LocallyConnected1D")

ONE = {
    "dense": ((4,), lambda: L.Dense(3)),
    "conv": ((8, 8, 3), lambda: L.Conv2D(2, 3)),
    "transposed": ((8, 8, 3), lambda: L.Conv2DTranspose(2, 3)),
    "depthwise": ((8, 8, 3), lambda: L.DepthwiseConv2D(3)),
    "normalization": ((8, 8, 3), lambda: L.BatchNormalization()),
    "lstm": ((8, 3), lambda: L.LSTM(2)),
    "gru": ((8, 3), lambda: L.GRU(2)),
    "bidirectional": ((8, 3), lambda: L.Bidirectional(L.LSTM(2))),
    "distributed": ((8, 3), lambda: L.TimeDistributed(L.Dense(2))),
    "embedding": ((8,), lambda: L.Embedding(10, 3)),
    "dropout": ((8,), lambda: L.Dropout(0.5)),
    "leaky": ((8,), lambda: L.LeakyReLU(0.2)),
    "thresholded": ((8,), lambda: L.ThresholdedReLU(0.5)),
    "resizing": ((8, 8, 3), lambda: L.Resizing(4, 4)),
    "flip": ((8, 8, 3), lambda: L.RandomFlip()),
    "height": ((8, 8, 3), lambda: L.RandomHeight(0.1)),
    "groups": ((8, 8, 4), lambda: L.GroupNormalization(2)),
    "discretization": ((8,), lambda: L.Discretization(bin_boundaries=[0.0, 1.0])),
}


def functional(layer):
    start = keras.Input((4,))
    return keras.Model(start, layer(start))


def compiled(loss):
    model = functional(L.Dense(3))
    model.compile("adam", loss)
    return model


class Mine(L.Layer):
    def call(self, x):
        return x * 2


def inner(shape=(4,)):
    start = keras.Input(shape)
    return keras.Model(start, L.Dense(4)(start))


def before(*layers):
    """A functional model inside of a Sequential, with layers after it."""
    return keras.Sequential([inner((8, 4)), *layers])


def twice():
    start, core = keras.Input((4,)), L.Dense(4)
    return keras.Model(start, core(L.ReLU()(core(start))))


def loss_object():
    model = functional(L.Dense(3))
    model.compile("adam", keras.losses.MeanSquaredError())
    return model


def scheduled():
    model = functional(L.Dense(3))
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)), "mean_squared_error"
    )
    return model


WHOLE = {
    "nested": lambda: functional(lambda x: L.Dense(3)(inner()(x))),
    "nested_last": lambda: functional(inner()),
    "nested_sequential": lambda: functional(keras.Sequential([L.Dense(3)])),
    "before_dense": lambda: before(L.Dropout(0.1), L.Dense(2)),
    "before_pooling": lambda: before(L.GlobalAveragePooling1D(), L.Dense(2)),
    "before_flatten": lambda: before(L.Flatten()),
    "before_relu": lambda: before(L.ReLU()),
    "first_shape": lambda: keras.Sequential([L.Conv1D(3, 1, input_shape=(8, 4)), L.Flatten()]),
    "twice": twice,
    "loss_object": loss_object,
    "scheduled": scheduled,
    "functional": lambda: functional(L.Dense(3)),
    "mse": lambda: compiled("mse"),
    "squares": lambda: compiled("mean_squared_error"),
    "lambda": lambda: functional(L.Lambda(lambda x: x * 2)),
    "custom": lambda: functional(Mine()),
    "attention": lambda: functional(lambda x: L.Attention()([L.Reshape((2, 2))(x)] * 2)),
}


def sequential(shape, layer):
    return keras.Sequential([keras.Input(shape), layer()])


def write(folder):
    kinds = {name: (lambda shape=shape, layer=layer: sequential(shape, layer)) for name, (shape, layer) in ONE.items()}
    kinds.update(WHOLE)
    for name, make in kinds.items():
        for suffix in [".h5", ".keras"] + ([] if KERAS_3 else ["_tf"]):
            try:
                make().save(os.path.join(folder, name + suffix))
            except Exception as error:
                sys.stderr.write("%s%s: %s\n" % (name, suffix, error))


def load(folder, out):
    found = {}
    for name in sorted(os.listdir(folder)):
        try:
            keras.models.load_model(os.path.join(folder, name))
            found[name] = None
        except Exception as error:
            found[name] = "%s: %s" % (type(error).__name__, str(error)[:300])
    with open(out, "w") as file:
        json.dump({"keras": KERAS_3, "tensorflow": tf.__version__, "loads": found}, file)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
