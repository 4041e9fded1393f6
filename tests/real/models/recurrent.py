"""Recurrent layers of other kinds and lengths than those that the estimate was made with."""

from tensorflow import keras
from tensorflow.keras import layers


def make():
    inputs = keras.Input((90, 24))
    x = layers.Bidirectional(layers.GRU(40, return_sequences=True))(inputs)
    x = layers.LSTM(48)(layers.Dropout(0.2)(x))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model
