"""Trials of recurrent layers, wrappers and attention."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from envcheck.model.tensors import Layer, Tensor
from tools.try_layers.drawing import NO_ACTIVATIONS, ODD_DATA_FORMATS, ODD_PADDINGS, Draw, Trial
from tools.try_layers.spatial import Drawer

FLAGS = (True, False)


def _recurrent_arguments(draw: Draw, name: str) -> dict[str, object]:
    arguments: dict[str, object] = {
        "return_sequences": draw.pick(FLAGS),
        "return_state": draw.pick(FLAGS),
        "go_backwards": draw.pick(FLAGS),
        "stateful": draw.chance(0.2),
        "unroll": draw.chance(0.2),
        "activation": draw.pick(("tanh", "relu", None), NO_ACTIVATIONS),
        "use_bias": draw.pick(FLAGS),
        "dropout": draw.pick((0.0, 0.2, 0.5), (50, -0.5, "0.2")),
        "recurrent_dropout": draw.pick((0.0, 0.3), (1.5,)),
    }
    if name == "GRU":
        arguments["reset_after"] = draw.pick(FLAGS)
    if name in ("GRU", "LSTM"):
        arguments["time_major"] = draw.chance(0.1)
    return arguments


def _recurrent(name: str) -> Drawer:
    def drawn(draw: Draw) -> Trial:
        layer = draw.layer(name, {"units": draw.units()}, _recurrent_arguments(draw, name))
        sequence = draw.tensor(3)
        if not draw.chance(0.15):
            return Trial(layer, sequence)
        units = layer.positional[0] if layer.positional else layer.keywords.get("units")
        size = units if isinstance(units, int) and draw.chance(0.8) else 5
        count = draw.pick((2 if name == "LSTM" else 1,), (1, 2, 3))
        assert isinstance(count, int)
        states = tuple(Tensor((None, size), "float32") for _ in range(count))
        return Trial(layer, sequence, {"initial_state": states})

    return drawn


def _cell(draw: Draw) -> Layer:
    name = draw.one(("SimpleRNNCell", "GRUCell", "LSTMCell"))
    return draw.layer(str(name), {"units": draw.units()})


def _rnn(draw: Draw) -> Trial:
    cell: object = _cell(draw)
    if draw.chance(0.3):
        cell = [_cell(draw), _cell(draw)]
        if draw.chance(0.5):
            cell = Layer("keras.layers.StackedRNNCells", (cell,))
    elif draw.chance(0.05):
        cell = Layer("keras.layers.Dense", (3,))
    arguments = _recurrent_arguments(draw, "RNN")
    chosen = {
        each: arguments[each] for each in ("return_sequences", "return_state", "go_backwards", "stateful", "unroll")
    }
    return Trial(draw.layer("RNN", {"cell": cell}, chosen), draw.tensor(3))


def _called_cell(name: str) -> Drawer:
    def drawn(draw: Draw) -> Trial:
        layer = draw.layer(name, {"units": draw.units()}, {"use_bias": draw.pick(FLAGS)})
        units = layer.positional[0] if layer.positional else layer.keywords.get("units")
        size = units if isinstance(units, int) and not draw.chance(0.1) else 5
        count = 2 if name == "LSTMCell" else 1
        states = tuple(Tensor((None, size), "float32") for _ in range(count))
        return Trial(layer, draw.tensor(2), {"states": states})

    return drawn


def _conv_lstm(name: str, rank: int) -> Drawer:
    def drawn(draw: Draw) -> Trial:
        optional = {
            "strides": draw.sizes(rank, (1, 1, 2)),
            "padding": draw.pick(("valid", "same"), ODD_PADDINGS),
            "data_format": draw.pick(("channels_last", "channels_first", None), ODD_DATA_FORMATS),
            "dilation_rate": draw.sizes(rank, (1, 1, 2)),
            "return_sequences": draw.pick(FLAGS),
            "return_state": draw.pick(FLAGS),
            "go_backwards": draw.pick(FLAGS),
            "stateful": draw.chance(0.15),
        }
        required = {"filters": draw.units(), "kernel_size": draw.sizes(rank, (1, 2, 3))}
        return Trial(draw.layer(name, required, optional), draw.tensor(rank + 3))

    return drawn


def _bidirectional(draw: Draw) -> Trial:
    name = str(draw.one(("LSTM", "GRU", "SimpleRNN")))
    arguments = _recurrent_arguments(draw, name)
    arguments.pop("time_major", None)
    inner = draw.layer(name, {"units": draw.units()}, arguments)
    if draw.chance(0.08):
        inner = draw.layer("Dense", {"units": draw.units()})
    elif draw.chance(0.1):
        inner = draw.layer("RNN", {"cell": _cell(draw)}, {"return_sequences": True})
    optional: dict[str, object] = {"merge_mode": draw.pick(("concat", "sum", "mul", "ave", None), ("max", 1))}
    if draw.chance(0.1):
        backward = draw.layer(name, {"units": draw.units()}, {"return_sequences": draw.pick(FLAGS)})
        go = {**backward.keywords, "go_backwards": not draw.chance(0.2)}
        optional["backward_layer"] = replace(backward, keywords=go)
    return Trial(draw.layer("Bidirectional", {"layer": inner}, optional), draw.tensor(3))


def _inner(draw: Draw) -> tuple[object, int]:
    """A layer to apply at each step, and the rank of what it wants with the batch."""
    kind = draw.number(0, 7)
    if kind < 2:
        return draw.layer("Dense", {"units": draw.units()}), 2
    if kind == 2:
        sizes = {"filters": draw.units(), "kernel_size": draw.sizes(2, (1, 2, 3))}
        return draw.layer("Conv2D", sizes, {"padding": draw.pick(("valid", "same"))}), 4
    if kind == 3:
        return draw.layer("LSTM", {"units": draw.units()}, {"return_sequences": draw.pick(FLAGS)}), 3
    if kind == 4:
        return draw.layer("MaxPooling2D", {}, {"pool_size": draw.sizes(2)}), 4
    if kind == 5:
        return draw.layer("Flatten", {}), 4
    if kind == 6:
        return draw.layer("Dropout", {"rate": 0.5}), 3
    return draw.pick((Layer("keras.layers.Activation", ("relu",)),), ("relu", None, 3)), 3


def _time_distributed(draw: Draw) -> Trial:
    inner, rank = _inner(draw)
    return Trial(draw.layer("TimeDistributed", {"layer": inner}), draw.tensor(rank + 1))


def _spectral(draw: Draw) -> Trial:
    if draw.chance(0.5):
        inner = draw.layer("Dense", {"units": draw.units()})
        rank = 2
    elif draw.chance(0.8):
        inner = draw.layer("Conv2D", {"filters": draw.units(), "kernel_size": draw.sizes(2)})
        rank = 4
    else:
        inner, rank = draw.layer("Flatten", {}), 3
    optional = {"power_iterations": draw.pick((1, 2), (0, -1))}
    return Trial(draw.layer("SpectralNormalization", {"layer": inner}, optional), draw.tensor(rank))


def _attention(name: str) -> Drawer:
    def drawn(draw: Draw) -> Trial:
        optional = {"use_scale": draw.pick(FLAGS), "dropout": draw.pick((0.0, 0.1), (-0.1, 1.5))}
        if name == "Attention":
            optional["score_mode"] = draw.pick(("dot", "concat"), ("cosine",))
        rank = 4 if draw.chance(0.1) else 3
        size = draw.number(1, 6)
        odd = draw.chance(0.15)
        batch, steps = None, draw.dimension()
        query = (batch, *(2 for _ in range(rank - 3)), draw.dimension(), size)
        value = (batch, *(2 for _ in range(rank - 3)), steps, draw.dimension() if odd else size)
        tensors = [Tensor(query, "float32"), Tensor(value, "float32")]
        if draw.chance(0.3):
            last = draw.dimension() if odd else size
            middle = draw.dimension() if odd else steps
            tensors.append(Tensor((batch, *(2 for _ in range(rank - 3)), middle, last), "float32"))
        count = draw.pick((len(tensors),), (1,))
        call = draw.some(return_attention_scores=draw.pick(FLAGS), use_causal_mask=draw.pick(FLAGS))
        assert isinstance(count, int)
        return Trial(draw.layer(name, {}, optional), tuple(tensors[:count]), call)

    return drawn


def _multi_head(draw: Draw) -> Trial:
    optional = {
        "value_dim": draw.pick((1, 2, 5, None), (0, -1)),
        "dropout": draw.pick((0.0, 0.1)),
        "use_bias": draw.pick(FLAGS),
        "output_shape": draw.pick((1, 4, (3,), (2, 3), None), (0,)),
        "attention_axes": draw.pick((1, (1,), (1, 2), None), (0, 3, -1)),
    }
    required = {"num_heads": draw.units(), "key_dim": draw.units()}
    rank = 4 if draw.chance(0.25) else 3
    query = draw.tensor(rank)
    steps = draw.dimension()
    value = draw.tensor(rank)
    if draw.chance(0.7) and isinstance(query.shape, tuple) and len(query.shape) == rank:
        value = Tensor((*query.shape[:-2], steps, draw.dimension()), "float32")
    call: dict[str, object] = {"value": value}
    if draw.chance(0.25) and isinstance(value.shape, tuple):
        right = not draw.chance(0.2)
        call["key"] = Tensor((*value.shape[:-1], draw.dimension()), "float32") if right else draw.tensor(rank)
    if draw.chance(0.04):
        call.pop("value")
    call.update(draw.some(return_attention_scores=draw.pick(FLAGS), use_causal_mask=draw.pick(FLAGS)))
    return Trial(draw.layer("MultiHeadAttention", required, optional), query, call)


def _grouped_query(draw: Draw) -> Trial:
    required = {"head_dim": draw.units(), "num_query_heads": draw.pick((2, 4, 6), (0, 3)), "num_key_value_heads": 2}
    query, value = draw.tensor(3), draw.tensor(3)
    call: dict[str, object] = {"value": value, **draw.some(return_attention_scores=draw.pick(FLAGS))}
    return Trial(draw.layer("GroupQueryAttention", required, {"use_bias": draw.pick(FLAGS)}), query, call)


def trials() -> Iterator[tuple[str, Drawer, int]]:
    """Layer, how its trials are drawn, and how many of them there should be for one hundred."""
    for name in ("SimpleRNN", "GRU", "LSTM"):
        yield name, _recurrent(name), 110
        yield f"{name}Cell", _called_cell(f"{name}Cell"), 40
    yield "RNN", _rnn, 90
    for rank in (1, 2, 3):
        yield f"ConvLSTM{rank}D", _conv_lstm(f"ConvLSTM{rank}D", rank), 70
    yield "Bidirectional", _bidirectional, 150
    yield "TimeDistributed", _time_distributed, 120
    yield "SpectralNormalization", _spectral, 50
    for name in ("Attention", "AdditiveAttention"):
        yield name, _attention(name), 100
    yield "MultiHeadAttention", _multi_head, 140
    yield "GroupQueryAttention", _grouped_query, 50
