"""A transformer block as a layer of one's own, registered, with get_config."""

from tensorflow import keras
from tensorflow.keras import layers


@keras.utils.register_keras_serializable("models")
class Block(layers.Layer):
    def __init__(self, heads, width, **more):
        super().__init__(**more)
        self.heads, self.width = heads, width
        self.attention = layers.MultiHeadAttention(heads, width // heads)
        self.first, self.second = layers.LayerNormalization(), layers.LayerNormalization()
        self.wide, self.narrow = layers.Dense(4 * width, activation="gelu"), layers.Dense(width)

    def call(self, x):
        x = self.first(x + self.attention(x, x))
        return self.second(x + self.narrow(self.wide(x)))

    def get_config(self):
        return {**super().get_config(), "heads": self.heads, "width": self.width}


def make():
    inputs = keras.Input((64, 128))
    x = layers.GlobalAveragePooling1D()(Block(4, 128)(inputs))
    model = keras.Model(inputs, layers.Dense(4)(x))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model
