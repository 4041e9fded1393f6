"""Two LSTM layers over words."""

from tensorflow import keras


def make(words=5000):
    model = keras.Sequential(
        [
            keras.Input((50,), dtype="int32"),
            keras.layers.Embedding(words, 64),
            keras.layers.LSTM(64, return_sequences=True),
            keras.layers.LSTM(64),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("rmsprop", keras.losses.BinaryCrossentropy())
    return model
