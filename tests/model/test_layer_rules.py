"""The rules of layers: literal cases of each family, as real Keras 2 and Keras 3 answered them.

That all of them agree with the real layers is what ``python -m tools.try_layers`` and ``real/test_layers_real.py`` show.
"""

from __future__ import annotations

import pkgutil
from typing import Any

import pytest

from envcheck.model import layers
from envcheck.model.layers import ALIASES, FAMILIES, RULES, find, output
from envcheck.model.layers.rule import Rule, row_of, single
from envcheck.model.tensors import UNKNOWN, Inputs, Layer, Output, Refused, Shape, Tensor, text

BOTH = (2, 3)


def made(name: str, *positional: object, **keywords: object) -> Layer:
    return Layer(f"keras.layers.{name}", positional, keywords)


def of(*shape: Any, dtype: str = "float32") -> Tensor:
    return Tensor(shape, dtype)


def shapes(found: Output) -> list[Shape]:
    assert found is not UNKNOWN
    return [each.shape for each in (found if isinstance(found, tuple) else (found,)) if isinstance(each, Tensor)]


N = None
FITS: list[tuple[Layer, Inputs, Shape]] = [
    (made("Dense", 4), of(N, 8), (N, 4)),
    (made("Dense", units=4), of(N, 7, 8), (N, 7, 4)),
    (made("EinsumDense", "abc,cd->abd", output_shape=(5, 9)), of(N, 5, 8), (N, 5, 9)),
    (made("Embedding", 100, 16), of(N, 7, dtype="int32"), (N, 7, 16)),
    (made("Conv1D", 8, 3, padding="causal"), of(N, 10, 4), (N, 10, 8)),
    (made("Conv2D", 8, 3), of(N, 28, 28, 1), (N, 26, 26, 8)),
    (made("Conv2D", 8, (3, 5), strides=(2, 1), padding="same"), of(N, 28, N, 1), (N, 14, N, 8)),
    (made("Conv2D", 8, 3, dilation_rate=2), of(N, 28, 28, 1), (N, 24, 24, 8)),
    (made("Conv2D", 8, 3, data_format="channels_first"), of(N, 1, 28, 28), (N, 8, 26, 26)),
    (made("Conv2D", 8, 3, groups=2), of(N, 28, 28, 4), (N, 26, 26, 8)),
    (made("Conv3D", 8, 2), of(N, 4, 5, 6, 1), (N, 3, 4, 5, 8)),
    (made("Conv2DTranspose", 8, 3, strides=2, padding="same"), of(N, 7, 7, 4), (N, 14, 14, 8)),
    (made("Conv2DTranspose", 8, 3, strides=2), of(N, 7, 7, 4), (N, 15, 15, 8)),
    (made("Conv2DTranspose", 8, 3, strides=2, padding="same", output_padding=1), of(N, 7, 7, 4), (N, 14, 14, 8)),
    (made("SeparableConv2D", 8, 3), of(N, 28, 28, 3), (N, 26, 26, 8)),
    (made("DepthwiseConv2D", 3, depth_multiplier=2), of(N, 28, 28, 3), (N, 26, 26, 6)),
    (made("MaxPooling2D"), of(N, 7, 7, 4), (N, 3, 3, 4)),
    (made("MaxPool2D", 2, padding="same"), of(N, 7, 7, 4), (N, 4, 4, 4)),
    (made("AveragePooling1D", pool_size=2, strides=1), of(N, 7, 4), (N, 6, 4)),
    (made("GlobalAveragePooling2D"), of(N, 7, N, 4), (N, 4)),
    (made("GlobalMaxPooling1D", keepdims=True), of(N, 7, 4), (N, 1, 4)),
    (made("Flatten"), of(N, 7, 7, 4), (N, 196)),
    (made("Flatten"), of(N, N, 4), (N, N)),
    (made("Reshape", (-1, 4)), of(N, 28), (N, 7, 4)),
    (made("Reshape", (-1, 4)), of(N, N, 2), (N, N, 4)),
    (made("Permute", (2, 1)), of(N, 3, 4), (N, 4, 3)),
    (made("RepeatVector", 3), of(N, 4), (N, 3, 4)),
    (made("Cropping2D", ((1, 2), (0, 3))), of(N, 10, 10, 3), (N, 7, 7, 3)),
    (made("ZeroPadding2D", (1, 2)), of(N, 10, 10, 3), (N, 12, 14, 3)),
    (made("UpSampling2D", 2), of(N, 10, 10, 3), (N, 20, 20, 3)),
    (made("LSTM", 5), of(N, 7, 4), (N, 5)),
    (made("GRU", 5, return_sequences=True), of(N, N, 4), (N, N, 5)),
    (made("Bidirectional", made("LSTM", 5)), of(N, 7, 4), (N, 10)),
    (made("Bidirectional", made("GRU", 5, return_sequences=True), merge_mode="sum"), of(N, 7, 4), (N, 7, 5)),
    (made("TimeDistributed", made("Dense", 3)), of(N, 7, 4), (N, 7, 3)),
    (made("RNN", [made("LSTMCell", 4), made("GRUCell", 6)]), of(N, 7, 4), (N, 6)),
    (made("ConvLSTM2D", 8, 3, return_sequences=True), of(N, 5, 10, 10, 1), (N, 5, 8, 8, 8)),
    (made("BatchNormalization", axis=1), of(N, 3, 8), (N, 3, 8)),
    (made("LayerNormalization"), of(N, 3, 8), (N, 3, 8)),
    (made("GroupNormalization", groups=4), of(N, 3, 8), (N, 3, 8)),
    (made("Dropout", 0.5), of(N, 8), (N, 8)),
    (made("Concatenate", axis=1), (of(N, 3, 4), of(N, 5, 4)), (N, 8, 4)),
    (made("Add"), (of(N, 3, 4), of(N, 1, 4)), (N, 3, 4)),
    (made("Dot", axes=(1, 2)), (of(N, 5, 3), of(N, 4, 5)), (N, 3, 4)),
    (made("Attention"), (of(N, 5, 4), of(N, 7, 4)), (N, 5, 4)),
    (made("Resizing", 32, 24), of(N, 28, 28, 3), (N, 32, 24, 3)),
    (made("CategoryEncoding", num_tokens=4), of(N, 3, dtype="int32"), (N, 4)),
    (made("StringLookup", vocabulary=["a", "b"]), of(N, 3, dtype="string"), (N, 3)),
    (made("TextVectorization", output_sequence_length=20), of(N, 1, dtype="string"), (N, 20)),
    (made("Softmax"), of(N, 8), (N, 8)),
    (made("PReLU"), of(N, 8), (N, 8)),
]


@pytest.mark.parametrize(("layer", "inputs", "shape"), FITS, ids=lambda value: getattr(value, "name", None))
@pytest.mark.parametrize("keras", BOTH)
def test_what_fits_has_the_shape_of_both(layer: Layer, inputs: Inputs, shape: Shape, keras: int) -> None:
    assert shapes(output(layer, inputs, keras)) == [shape]


# Where Keras refuses: the stage in Keras 2 and in Keras 3, None where it does not, and numbers the reason must name.
REFUSED: list[tuple[Layer, Inputs, str | None, str | None, str]] = [
    (made("RNN", made("LSTMCell", 2.5)), of(N, 3, 5, dtype="int32"), "build", "build", "2.5"),
    (made("MaxPooling3D", 1, dtype="float64"), of(N, 3, 5, 5, 1), "call", None, "float64"),
    (made("Dense", -1), of(N, 8), "construction", "construction", "-1"),
    (made("Dense", 0), of(N, 8), None, "construction", "units=0"),
    (made("Dense", 2.5), of(N, 8), None, "construction", "2.5"),
    (made("Dense"), of(N, 8), "construction", "construction", "units"),
    (made("Dense", 4), of(N), "call", "call", "rank 2, got 1"),
    (made("Dense", 4), of(N, N), "build", "build", "(None, None)"),
    (made("Conv2D", 8, (5, 5)), of(N, 3, 3, 1), "build", "build", "5"),
    (made("Conv2D", 8, 4), of(N, 3, 3, 1), "call", "build", "4"),
    (made("Conv2D", 8, 3), of(N, 28, 28), "call", "call", "rank 4, got 3"),
    (made("Conv2D", 2.5, 3), of(N, 28, 28, 1), None, "construction", "2.5"),
    (made("Conv2D", 0, 3), of(N, 28, 28, 1), "construction", "construction", "0"),
    (made("Conv2D", 9, 3, groups=2), of(N, 28, 28, 4), "construction", "construction", "groups=2"),
    (made("Conv2D", 8, 3, groups=2), of(N, 28, 28, 3), "build", "build", "3 channels"),
    (made("Conv2D", 8, 3, strides=2, dilation_rate=2), of(N, 9, 9, 1), "construction", "construction", "(2, 2)"),
    (made("Conv2D", 8, 3, padding="causal"), of(N, 9, 9, 1), "construction", "construction", "causal"),
    (made("Conv2D", 8, (3, 3, 3)), of(N, 9, 9, 1), "construction", "construction", "(3, 3, 3)"),
    (made("Conv2D", 8, 3, activation="rellu"), of(N, 9, 9, 1), "construction", "construction", "rellu"),
    (made("Conv2D", 8, 3), of(N, 9, 9, 1, dtype="int32"), "call", None, "int32"),
    (made("Conv2DTranspose", 8, 3, output_padding=1), of(N, 9, 9, 1), "construction", "construction", "(1, 1)"),
    (made("MaxPooling2D", 5), of(N, 3, 3, 1), "call", "call", "5"),
    (made("AveragePooling2D"), of(N, 4, 4, 1), None, "construction", "pool_size"),
    (made("LSTM", 5), of(N, 28, 28, 1), "call", "call", "rank 3, got 4"),
    (made("LSTM", 5), of(N, 28), "call", "call", "rank 3, got 2"),
    (made("LSTM", 5, stateful=True), of(N, 7, 4), "build", "build", "batch"),
    (made("LSTM", 5, unroll=True), of(N, N, 4), "call", None, "unroll"),
    (made("LSTM", 5, time_major=True), of(N, 7, 4), None, "construction", "time_major"),
    (made("Bidirectional", made("Dense", 4)), of(N, 7, 4), "construction", "construction", "Dense"),
    (made("Bidirectional", made("GRU", 4, go_backwards=True)), of(N, 7, 4), None, "construction", "go_backwards"),
    (made("Bidirectional", made("GRU", 4, stateful=True, return_state=True)), of(2, 7, 4), None, "call", "stateful"),
    (made("TimeDistributed", made("Dense", 4)), of(N, 7), "build", "build", "rank 3, got 2"),
    (made("Reshape", (5, 5)), of(N, 24), "call", "call", "25"),
    (made("Reshape", 24), of(N, 24), "construction", "construction", "(24,)"),
    (made("Permute", (0, 1)), of(N, 3), "construction", "construction", "(0, 1)"),
    (made("RepeatVector", 3), of(N, 3, 4), "call", "call", "rank 2, got 3"),
    (made("Cropping1D", 4), of(N, 8, 3), "call", "call", "8"),
    (made("Dropout", 50), of(N, 8), "construction", "construction", "50"),
    (made("Add"), (of(N, 3), of(N, 4)), "build", "build", "3 against 4"),
    (made("Concatenate"), (of(N, 3, 4), of(N, 5, 4)), "build", "build", "axis 1"),
    (made("Concatenate"), of(N, 3, 4), "build", "build", "list"),
    (made("Dot", axes=1), (of(N, 3), of(N, 4)), "build", "build", "equal"),
    (made("BatchNormalization", axis=3), of(N, 8), "build", "build", "axis 3"),
    (made("GroupNormalization"), of(N, 8), "build", "build", "32 groups of 8"),
    (made("Attention", score_mode="cosine"), (of(N, 5, 4), of(N, 7, 4)), "construction", "construction", "cosine"),
    (made("Attention"), (of(N, 5, 4), of(N, 7, 3)), "call", None, "equal"),
    (made("MultiHeadAttention", 2, 4), of(N, 5, 4), "call", "call", "value"),
    (made("CategoryEncoding"), of(N, 3, dtype="int32"), "construction", "construction", "num_tokens"),
    (made("StringLookup", max_tokens=1), of(N, 3, dtype="string"), "construction", "construction", "max_tokens=1"),
    (made("Embedding", 0, 16), of(N, 3, dtype="int32"), "construction", "construction", "0"),
    (made("Input", (3, "a")), (), "construction", "construction", "whole numbers"),
]


@pytest.mark.parametrize(
    ("layer", "inputs", "in2", "in3", "words"), REFUSED, ids=lambda value: getattr(value, "name", None)
)
def test_what_keras_refuses(layer: Layer, inputs: Inputs, in2: str | None, in3: str | None, words: str) -> None:
    for keras, stage in ((2, in2), (3, in3)):
        if stage is None:
            output(layer, inputs, keras)
            continue
        with pytest.raises(Refused) as refused:
            output(layer, inputs, keras)
        assert (refused.value.stage, words in refused.value.reason) == (stage, True), refused.value.reason


@pytest.mark.parametrize(
    ("layer", "inputs", "row"),
    [
        (made("Conv2D", 8, 4), of(N, 3, 3, 1), "empty-after-convolution"),  # a length of 0
        (made("Conv2D", 8, 5), of(N, 3, 3, 1), ""),
        (made("MaxPooling2D", 2), of(N, 1, 1, 1), "empty-after-pooling"),
        (made("Embedding", 0, 16), of(N, 3, dtype="int32"), "embedding-zero"),
        (made("Dense", -1), of(N, 8), "dense-units"),
        (made("Dropout", 50), of(N, 8), ""),
        (made("TimeDistributed", made("Conv2D", 0, 3)), of(N, 5, 8, 8, 1), "filters-zero"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_some_releases_of_keras_3_take_is_marked(layer: Layer, inputs: Inputs, row: str) -> None:
    with pytest.raises(Refused) as refused:
        output(layer, inputs, 3)
    assert row_of(refused.value) == row


@pytest.mark.parametrize("keras", BOTH)
def test_several_tensors_come_back(keras: int) -> None:
    states = output(made("LSTM", 5, return_sequences=True, return_state=True), of(N, 7, 4), keras)
    assert shapes(states) == [(N, 7, 5), (N, 5), (N, 5)]
    both = output(made("Bidirectional", made("GRU", 5), merge_mode=None), of(N, 7, 4), keras)
    assert shapes(both) == [(N, 5), (N, 5)]


def test_the_call_has_arguments_of_its_own() -> None:
    attention = made("MultiHeadAttention", 2, 4)
    call = {"value": of(N, 7, 6), "return_attention_scores": True}
    assert shapes(output(attention, of(N, 5, 8), 2, call)) == [(N, 5, 8), (N, 2, 5, 7)]
    # The promise of Keras 3 takes the query's length for the key's.
    assert shapes(output(attention, of(N, 5, 8), 3, call)) == [(N, 5, 8), (N, 2, 5, 5)]


def test_dtypes() -> None:
    whole = of(N, 4, dtype="int32")
    assert output(made("Dense", 3, dtype="float16"), of(N, 4), 2) == of(N, 3, dtype="float16")
    assert output(made("Dense", 3, dtype="mixed_float16"), of(N, 4), 3) == of(N, 3, dtype="float16")
    assert output(made("Flatten"), whole, 2) == output(made("Flatten"), whole, 3) == whole
    # Keras 3 promises the layer's own dtype where the layer only tells its shape.
    assert output(made("Dropout", 0.5), whole, 3) == of(N, 4)


@pytest.mark.parametrize("keras", BOTH)
def test_what_is_not_known_stays_unknown(keras: int) -> None:
    assert shapes(output(made("Dense", UNKNOWN), of(N, 8), keras)) == [(N, UNKNOWN)]
    assert shapes(output(made("Conv2D", UNKNOWN, 3), of(N, 28, UNKNOWN, 1), keras)) == [(N, 26, UNKNOWN, UNKNOWN)]
    assert shapes(output(made("Conv2D", 8, UNKNOWN), of(N, 28, 28, 1), keras)) == [(N, UNKNOWN, UNKNOWN, 8)]
    assert output(made("Dense", 4), Tensor(), keras) is UNKNOWN
    assert output(made("Lambda", UNKNOWN), of(N, 8), keras) is UNKNOWN
    assert output(Layer("mine.layers.Dense", (-1,)), of(N, 8), keras) is UNKNOWN
    assert output(made("NoSuchLayer"), of(N, 8), keras) is UNKNOWN


@pytest.mark.parametrize("keras", BOTH)
def test_a_layer_is_refused_before_its_input_is_known(keras: int) -> None:
    with pytest.raises(Refused, match="construction"):
        output(made("Conv2D", 0, 3), Tensor(), keras)
    with pytest.raises(Refused, match="construction"):
        output(made("TimeDistributed", made("Dense", -1)), Tensor(), keras)


def test_only_one_version_has_some() -> None:
    assert shapes(output(made("RMSNormalization"), of(N, 8), 3)) == [(N, 8)]
    assert output(made("RMSNormalization"), of(N, 8), 2) is UNKNOWN


def test_names() -> None:
    assert find("keras.layers.Conv2D") is find("tensorflow.keras.layers.Convolution2D") is RULES["Conv2D"]
    assert find("keras.Input") is RULES["Input"]
    assert find("keras.Dense") is None
    assert find("Dense") is None
    assert set(ALIASES.values()) <= set(RULES)


def test_an_argument_given_twice_is_refused() -> None:
    with pytest.raises(Refused, match="twice"):
        output(Layer("keras.layers.Dense", (3,), {"units": 4}), of(N, 8), 3)


def test_shapes_as_text() -> None:
    assert [text((N, 28, UNKNOWN)), text((N,)), text(()), text(UNKNOWN)] == ["(None, 28, ?)", "(None,)", "()", "(?)"]


def test_every_family_in_the_folder_is_listed() -> None:
    found = {module.name for module in pkgutil.iter_modules(layers.__path__)}
    listed = {family.__name__.rpartition(".")[2] for family in FAMILIES}
    assert found - listed == {"checked", "dtypes", "rule"}


def test_two_rules_for_one_layer_are_an_error() -> None:
    rule: Rule = RULES["Dense"]
    with pytest.raises(ValueError, match="two rules"):
        single((rule, rule))
