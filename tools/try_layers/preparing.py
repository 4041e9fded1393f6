"""Trials of the preprocessing layers that are not about images."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.tensors import Layer
from tools.try_layers.drawing import ODD_AXES, Draw, Trial
from tools.try_layers.others import plain
from tools.try_layers.spatial import Drawer


def _normalization(draw: Draw) -> Trial:
    optional: dict[str, object] = {
        "axis": draw.pick((-1, 1, None, (1, 2)), ODD_AXES),
        "invert": draw.pick((True, False)),
    }
    if draw.chance(0.4):
        optional["mean"] = draw.one((1.0, [1.0], [1.0, 2.0, 3.0]))
        if not draw.chance(0.1):
            optional["variance"] = draw.one((2.0, [2.0], [1.0, 2.0, 3.0]))
    kept = draw.layer("Normalization", {}, {})
    layer = Layer(kept.name, (), {**kept.keywords, **{key: optional[key] for key in optional if draw.chance(0.9)}})
    return Trial(layer, draw.tensor(draw.number(1, 4), ("float32", "float32", "int32"), last=(3, 1, 4)))


def _encoding(draw: Draw) -> Trial:
    required = {"num_tokens": draw.pick((2, 4, 8), (0, -1, None, 2.5))}
    optional = {"output_mode": draw.pick(("multi_hot", "one_hot", "count"), ("int", None))}
    call = {"count_weights": draw.tensor(2)} if draw.chance(0.1) else {}
    inputs = draw.tensor(draw.number(1, 3), ("int32", "int64", "float32"), ("string", "bool"), last=(1, 3))
    return Trial(draw.layer("CategoryEncoding", required, optional), inputs, call)


def _discretization(draw: Draw) -> Trial:
    optional = {
        "bin_boundaries": draw.pick(([0.0, 1.0], [1.0, 2.0, 3.0]), ([], None)),
        "num_bins": draw.pick((3, 4), (0, -1)),
        "output_mode": draw.pick(("int", "one_hot", "multi_hot", "count"), ("tf_idf",)),
    }
    keep = "num_bins" if draw.chance(0.2) else "bin_boundaries"
    layer = draw.layer("Discretization", {}, optional)
    layer = Layer(layer.name, (), {keep: optional[keep], **layer.keywords})
    return Trial(layer, draw.tensor(draw.number(1, 3), ("float32", "int32"), ("string", "bool"), last=(1, 3)))


def _hashing(draw: Draw) -> Trial:
    optional = {
        "mask_value": draw.pick((None, ""), (0,)),
        "salt": draw.pick((None, 7, [1, 2]), ("x", [1])),
        "output_mode": draw.pick(("int", "one_hot", "multi_hot", "count"), ("tf_idf",)),
    }
    required = {"num_bins": draw.pick((2, 5), (0, -1, None, 2.5))}
    return Trial(
        draw.layer("Hashing", required, optional), draw.tensor(draw.number(1, 3), ("string", "int32"), last=(1, 3))
    )


def _hashed_crossing(draw: Draw) -> Trial:
    required = {"num_bins": draw.pick((2, 5), (0, -1, None, 2.5))}
    first = draw.tensor(draw.number(1, 2), ("int32", "string"), last=(1,))
    tensors = (first, draw.tensor(2, ("int32", "string"), last=(1,)) if draw.chance(0.2) else first)
    optional = {"output_mode": draw.pick(("int", "one_hot"), ("multi_hot",))}
    return Trial(draw.layer("HashedCrossing", required, optional), tensors if not draw.chance(0.05) else tensors[:1])


def _look_up(name: str) -> Drawer:
    words = ["a", "b", "c"] if name == "StringLookup" else [10, 20, 30]

    def drawn(draw: Draw) -> Trial:
        optional = {
            "max_tokens": draw.pick((None, 3, 10), (0, 1, -1)),
            "num_oov_indices": draw.pick((0, 1, 2), (-1,)),
            "vocabulary": draw.pick((words, words[:2], None), ([*words, words[0]],)),
            "output_mode": draw.pick(("int", "one_hot", "multi_hot", "count"), ("tf_idf", "binary", None)),
            "invert": draw.chance(0.2),
            "pad_to_max_tokens": draw.chance(0.3),
        }
        kind = ("string",) if name == "StringLookup" else ("int64", "int32")
        return Trial(draw.layer(name, {}, optional), draw.tensor(draw.number(1, 3), kind, last=(1, 3)))

    return drawn


def _text_vectorization(draw: Draw) -> Trial:
    optional = {
        "max_tokens": draw.pick((None, 10), (0, -1, 1)),
        "standardize": draw.pick((None, "lower", "strip_punctuation"), ("upper",)),
        "split": draw.pick((None, "whitespace", "character"), ("words",)),
        "ngrams": draw.pick((None, 2, (1, 2)), ("2", 0)),
        "output_mode": draw.pick(("int", "multi_hot", "count", "tf_idf"), ("one_hot",)),
        "output_sequence_length": draw.pick((None, 5), (0, -1)),
        "pad_to_max_tokens": draw.pick((True, False)),
        "vocabulary": draw.pick((["a", "b"], None)),
    }
    inputs = draw.tensor(draw.number(1, 3), ("string",), ("int32",), last=(1, 1, 1, 3))
    return Trial(draw.layer("TextVectorization", {}, optional), inputs)


def trials() -> Iterator[tuple[str, Drawer, int]]:
    """Layer, how its trials are drawn, and how many of them there should be for one hundred."""
    yield "Normalization", _normalization, 110
    yield "Rescaling", plain("Rescaling", lambda draw: {"scale": draw.pick((2, 0.5, 1 / 255), ("2", None))}), 50
    yield from (("CategoryEncoding", _encoding, 110), ("Discretization", _discretization, 90))
    yield from (("Hashing", _hashing, 90), ("HashedCrossing", _hashed_crossing, 70))
    yield from (("StringLookup", _look_up("StringLookup"), 100), ("IntegerLookup", _look_up("IntegerLookup"), 100))
    yield "TextVectorization", _text_vectorization, 110
