"""Trials of the other layers: core, normalization, regularization, reshaping, merging, activations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from envcheck.model.tensors import Layer, Tensor
from tools.try_layers.drawing import NO_ACTIVATIONS, ODD_AXES, ODD_RATES, Draw, Trial
from tools.try_layers.spatial import Drawer

NOT_NEGATIVE = (-1, None, "1")
Arguments = Callable[[Draw], dict[str, object]]


def nothing(_draw: Draw) -> dict[str, object]:
    """No arguments."""
    return {}


def plain(name: str, required: Arguments, optional: Arguments = nothing, ranks: tuple[int, int] = (2, 5)) -> Drawer:
    """A layer on one tensor of some rank."""

    def drawn(draw: Draw) -> Trial:
        return Trial(draw.layer(name, required(draw), optional(draw)), draw.tensor(draw.number(*ranks)))

    return drawn


def _dense(draw: Draw) -> Trial:
    optional = {
        "activation": draw.pick(("relu", None, "softmax"), NO_ACTIVATIONS),
        "use_bias": draw.pick((True, False)),
    }
    return Trial(draw.layer("Dense", {"units": draw.units()}, optional), draw.tensor(draw.number(1, 4)))


def _einsum_dense(draw: Draw) -> Trial:
    forms: tuple[tuple[str, object, int], ...] = (
        ("ab,bc->ac", 4, 2),
        ("abc,cd->abd", (None, 5), 3),
        ("...x,xy->...y", 4, 3),
        ("abc,bd->adc", (3, 4), 3),
        ("abc,cde->abde", (None, 2, 3), 3),
        ("ab...,bc->ac...", 4, 3),
        ("abc,dc->abd", (2, 3), 3),
        ("abc,cd", 3, 3),
        ("abc,xy->abz", 3, 3),
    )
    equation, shape, rank = forms[draw.number(0, len(forms) - 1)]
    optional = {"bias_axes": draw.pick((None, equation[-1:]), ("q",)), "activation": "relu"}
    return Trial(draw.layer("EinsumDense", {"equation": equation, "output_shape": shape}, optional), draw.tensor(rank))


def _embedding(draw: Draw) -> Trial:
    optional = {
        "mask_zero": draw.pick((True, False)),
        "input_length": draw.pick((1, 3, 5, None, (2, 3)), (0, -1)),
    }
    inputs = draw.tensor(draw.number(1, 3), ("int32", "int64", "float32"), ("string", "bool", "float16", "uint8"))
    return Trial(draw.layer("Embedding", {"input_dim": draw.units(), "output_dim": draw.units()}, optional), inputs)


def _input_layer(draw: Draw) -> Trial:
    shape = draw.shape(draw.number(1, 4))
    optional = {
        "batch_size": draw.pick((None, 2, 32), (0, "2")),
        "dtype": draw.pick(("int32", "string", None), ("text",)),
    }
    odd = (3, "3", (2.5,), (-1,), None, ("a",))
    layer = draw.layer("Input", {"shape": draw.pick((shape[1:],), odd)}, optional)
    return Trial(layer, ())


def _input_layer_3(draw: Draw) -> Trial:
    shape = draw.shape(draw.number(1, 4))
    form = draw.number(0, 3)
    name = ("shape", "input_shape", "batch_shape", "batch_input_shape")[form]
    keywords = {name: shape[1:] if form < 2 else shape, **draw.some(dtype="int32", batch_size=4 if form < 2 else None)}
    return Trial(Layer("keras.layers.InputLayer", (), keywords), ())


def _batch_normalization(draw: Draw) -> Trial:
    optional = {
        "axis": draw.pick((-1, 1, 2, [-1], [1, 2], (1,)), ODD_AXES),
        "momentum": draw.pick((0.9, 0.99), (1.5,)),
        "epsilon": 1e-3,
        "center": draw.pick((True, False)),
        "scale": draw.pick((True, False)),
    }
    return Trial(draw.layer("BatchNormalization", {}, optional), draw.tensor(draw.number(2, 4)))


def _group_normalization(draw: Draw) -> Trial:
    optional = {"groups": draw.pick((1, 2, 4, -1), (0, 3, 64)), "axis": draw.pick((-1, 1, 2), ODD_AXES)}
    optional["scale"] = draw.pick((True, False))
    return Trial(draw.layer("GroupNormalization", {}, optional), draw.tensor(draw.number(2, 4), last=(2, 4, 8)))


def _axis(name: str, ranks: tuple[int, int] = (2, 4)) -> Drawer:
    def drawn(draw: Draw) -> Trial:
        axis = draw.pick((-1, 1, 2, [1, 2], (-1,), [-2, -1]), ODD_AXES)
        return Trial(draw.layer(name, {}, {"axis": axis}), draw.tensor(draw.number(*ranks)))

    return drawn


def _reshape(draw: Draw) -> Trial:
    shape = draw.shape(draw.number(2, 4))
    size = 1
    for each in shape[1:]:
        size *= each or 1
    target = draw.one(
        ((size,), (-1,), (1, size), (size, 1), (-1, 1), (2, -1), (4, -1), (3, 2), (-1, -1), size, (0, 2), None)
    )
    if draw.chance(0.1):
        target = draw.one(((2.5,), "3", (-2, 3), [size], (None, 1), (None,)))
    return Trial(
        draw.layer("Reshape", {"target_shape": target}),
        Tensor(shape, str(draw.pick(("float32",), ("int32", "string")))),
    )


def _permute(draw: Draw) -> Trial:
    dims = draw.pick(((1,), (2, 1), (1, 2), (2, 1, 3), (3, 1, 2)), ((0, 1), (1, 1), (1, 3), 2, (), [2, 1], None))
    return Trial(draw.layer("Permute", {"dims": dims}), draw.tensor(len(dims) + 1 if isinstance(dims, tuple) else 3))


def _merge(name: str) -> Drawer:
    def drawn(draw: Draw) -> Trial:
        rank = draw.number(2, 4)
        shape = draw.shape(rank)
        tensors = []
        for _ in range(draw.number(1, 3) if draw.chance(0.2) else 2):
            mine = list(shape)
            for axis in range(1, len(mine)):
                if draw.chance(0.15):
                    mine[axis] = draw.one((1, 1, None, 2, 7))  # type: ignore[call-overload]
            if draw.chance(0.1):
                mine = mine[:1] + mine[2:]
            if draw.chance(0.1):
                mine[0] = draw.one((None, 2, 3))  # type: ignore[call-overload]
            tensors.append(Tensor(tuple(mine), str(draw.pick(("float32",), ("int32", "float64", "bool")))))
        arguments: dict[str, object] = {}
        if name == "Concatenate" and draw.chance(0.7):
            arguments["axis"] = draw.pick((-1, 1, 2, 3, -2), (0, 5, -5, "1", None, 1.0))
        layer = draw.layer(name, {}, {})
        if draw.chance(0.03):
            return Trial(layer, tensors[0])
        return Trial(replace(layer, keywords={**layer.keywords, **arguments}), tuple(tensors))

    return drawn


def _dot(draw: Draw) -> Trial:
    axes = draw.pick((1, 2, -1, (1, 1), (1, 2), (2, 1), (2, 2), [-1, 1]), (0, 3, (1,), (1, 2, 3), "1", None, (1.0, 1)))
    first = draw.tensor(draw.number(2, 4))
    shape = list(first.shape) if isinstance(first.shape, tuple) else []
    if draw.chance(0.3):
        shape = list(draw.shape(draw.number(2, 4)))
    elif draw.chance(0.4):
        shape[-1] = draw.dimension()
    tensors = (first, Tensor(tuple(shape), "float32"))
    if draw.chance(0.05):
        tensors = (first,)  # type: ignore[assignment]
    return Trial(draw.layer("Dot", {"axes": axes}, {"normalize": draw.pick((True, False))}), tensors)


def _dropout(name: str) -> Drawer:
    def drawn(draw: Draw) -> Trial:
        optional = {
            "noise_shape": draw.pick((None, (None, 1)), ((2, 1, 1),)),
            "seed": draw.pick((1, 7, None), ("x", 1.5)),
        }
        if name == "GaussianDropout":
            del optional["noise_shape"]
        required = {"rate": draw.pick((0, 0.1, 0.5, 0.9), ODD_RATES)}
        return Trial(draw.layer(name, required, optional), draw.tensor(draw.number(2, 4)))

    return drawn


def _p_relu(draw: Draw) -> Trial:
    layer = draw.layer("PReLU", {}, {"shared_axes": draw.pick((None, [1], [1, 2], (1,), 1), ([0], [5], "1"))})
    return Trial(layer, draw.tensor(draw.number(2, 4)))


def _activation(draw: Draw) -> Trial:
    names = (
        "relu",
        "softmax",
        "tanh",
        "linear",
        "sigmoid",
        "gelu",
        "selu",
        "elu",
        "softplus",
        "swish",
        "exponential",
        None,
    )
    layer = draw.layer("Activation", {"activation": draw.pick(names, NO_ACTIVATIONS)})
    return Trial(layer, draw.tensor(draw.number(1, 4)))


def trials() -> Iterator[tuple[str, Drawer, int]]:
    """Layer, how its trials are drawn, and how many of them there should be for one hundred."""
    yield from (("Dense", _dense, 120), ("EinsumDense", _einsum_dense, 80), ("Embedding", _embedding, 100))
    yield from (
        ("Input", _input_layer, 80),
        ("InputLayer", _input_layer_3, 60),
        ("BatchNormalization", _batch_normalization, 100),
    )
    yield "GroupNormalization", _group_normalization, 80
    for name in ("LayerNormalization", "UnitNormalization", "RMSNormalization", "Softmax"):
        yield name, _axis(name), 70
    yield from (("Reshape", _reshape, 150), ("Permute", _permute, 80))
    yield (
        "Flatten",
        plain("Flatten", nothing, lambda draw: {"data_format": draw.pick(("channels_first", None), ("x",))}),
        60,
    )
    yield "RepeatVector", plain("RepeatVector", lambda draw: {"n": draw.units()}, ranks=(2, 2)), 50
    for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
        yield name, _merge(name), 80
    yield from (("Concatenate", _merge("Concatenate"), 160), ("Dot", _dot, 150))
    for name in ("Dropout", "AlphaDropout", "GaussianDropout"):
        yield name, _dropout(name), 50
    noise: Arguments = lambda draw: {"stddev": draw.pick((0.1, 1, 0), NOT_NEGATIVE)}  # noqa: E731
    penalties: Arguments = lambda draw: {"l1": draw.pick((0.1, 0), NOT_NEGATIVE), "l2": 0.1}  # noqa: E731
    yield "GaussianNoise", plain("GaussianNoise", noise), 40
    yield "ActivityRegularization", plain("ActivityRegularization", nothing, penalties), 40
    masks: Arguments = lambda draw: {"mask_value": draw.pick((0.0, -1), ("x", None))}  # noqa: E731
    yield from (("Masking", plain("Masking", nothing, masks), 40), ("Identity", plain("Identity", nothing), 20))
    yield from (("Activation", _activation, 70), ("PReLU", _p_relu, 70))
    relu: Arguments = lambda draw: {  # noqa: E731
        "max_value": draw.pick((None, 6, 1.0), (-1,)),
        "negative_slope": draw.pick((0.0, 0.1), (-0.1, None)),
        "threshold": draw.pick((0, 0.5), (-1, None)),
    }
    alpha: Arguments = lambda draw: {"alpha": draw.pick((0.3, 1.0, 0), (None, -1))}  # noqa: E731
    theta: Arguments = lambda draw: {"theta": draw.pick((0.3, 1.0, 0), (None, -1))}  # noqa: E731
    yield from (("ReLU", plain("ReLU", nothing, relu), 50), ("LeakyReLU", plain("LeakyReLU", nothing, alpha), 40))
    yield from (
        ("ELU", plain("ELU", nothing, alpha), 40),
        ("ThresholdedReLU", plain("ThresholdedReLU", nothing, theta), 40),
    )
