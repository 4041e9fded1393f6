"""A U-Net of three levels, at the top of the module, not compiled."""

from tensorflow import keras
from tensorflow.keras import layers


def block(x, filters):
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same")(x)
        x = layers.Activation("relu")(layers.BatchNormalization()(x))
    return x


inputs = keras.Input((64, 64, 1))
x, kept = inputs, []
for filters in (16, 32, 64):
    x = block(x, filters)
    kept.append(x)
    x = layers.MaxPooling2D()(x)
x = block(x, 128)
for filters, skipped in zip((64, 32, 16), reversed(kept)):  # noqa: B905 - Python 3.9 has no strict
    x = layers.Conv2DTranspose(filters, 2, strides=2, padding="same")(x)
    x = block(layers.Concatenate()([x, skipped]), filters)
model = keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))
