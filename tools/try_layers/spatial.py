"""Trials of the layers that slide, pool, cut, pad and enlarge, and of the image layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tools.try_layers.drawing import NO_ACTIVATIONS, ODD_DATA_FORMATS, ODD_PADDINGS, Draw, Trial

Drawer = Callable[[Draw], Trial]


def _padding(draw: Draw) -> object:
    return draw.pick(("valid", "same"), ODD_PADDINGS)


def _data_format(draw: Draw) -> object:
    return draw.pick(("channels_last", "channels_first", None), ODD_DATA_FORMATS)


def _convolving(draw: Draw, rank: int) -> dict[str, object]:
    return {
        "strides": draw.sizes(rank, (1, 1, 2, 3)),
        "padding": "causal" if rank == 1 and draw.chance(0.15) else _padding(draw),
        "data_format": _data_format(draw),
        "dilation_rate": draw.sizes(rank, (1, 1, 2)),
        "activation": draw.pick(("relu", None, "softmax"), NO_ACTIVATIONS),
        "use_bias": draw.pick((True, False)),
    }


def _convolution(name: str, rank: int) -> Drawer:
    def drawn(draw: Draw) -> Trial:
        optional = _convolving(draw, rank)
        if name.startswith("Conv") and "Transpose" not in name:
            optional["groups"] = draw.pick((1, 2, 3), (0, -1, 2.5))
        if "Transpose" in name:
            optional["output_padding"] = draw.sizes(rank, (0, 1), (2, -1))
        if name.startswith(("Separable", "Depthwise")):
            optional["depth_multiplier"] = draw.pick((1, 2, 3), (0, -1, 1.5))
        if name.startswith("Locally"):
            del optional["dilation_rate"]
            optional["implementation"] = draw.pick((1, 2, 3), (4,))
        required = {} if name.startswith("Depthwise") else {"filters": draw.units()}
        required["kernel_size"] = draw.sizes(rank, (1, 2, 3, 5))
        return Trial(draw.layer(name, required, optional), draw.tensor(rank + 2))

    return drawn


def _pooling(name: str, rank: int) -> Drawer:
    def drawn(draw: Draw) -> Trial:
        optional = {
            "pool_size": draw.sizes(rank, (1, 2, 3)),
            "strides": draw.sizes(rank, (1, 2, 3)),
            "padding": _padding(draw),
            "data_format": _data_format(draw),
        }
        return Trial(draw.layer(name, {}, optional), draw.tensor(rank + 2))

    return drawn


def _global_pooling(name: str, rank: int) -> Drawer:
    def drawn(draw: Draw) -> Trial:
        optional = {"data_format": _data_format(draw), "keepdims": draw.pick((True, False))}
        return Trial(draw.layer(name, {}, optional), draw.tensor(rank + 2))

    return drawn


def _adaptive_pooling(name: str, rank: int) -> Drawer:
    def drawn(draw: Draw) -> Trial:
        layer = draw.layer(name, {"output_size": draw.sizes(rank, (1, 2, 3))}, {"data_format": _data_format(draw)})
        return Trial(layer, draw.tensor(rank + 2))

    return drawn


def _amounts(draw: Draw, rank: int) -> object:
    """Cropping or padding: a number, one per axis, or a pair per axis."""
    low_high = (0, 1, 2)
    form = draw.number(0, 2)
    odd = (-1, 9, 1.5, "1", None)
    if form == 0:
        return draw.pick(low_high, odd)
    if rank == 1 or form == 1:
        count = (2 if rank == 1 else rank) + (1 if draw.chance(0.05) else 0)
        return tuple(draw.pick(low_high, odd) if draw.chance(0.3) else draw.one(low_high) for _ in range(count))
    return tuple(tuple(draw.one((0, 1, 2, 3)) for _ in range(2)) for _ in range(rank))


def _amount(name: str, rank: int, parameter: str) -> Drawer:
    def drawn(draw: Draw) -> Trial:
        optional = {parameter: _amounts(draw, rank)}
        if rank > 1:
            optional["data_format"] = _data_format(draw)
        return Trial(draw.layer(name, {}, optional), draw.tensor(rank + 2))

    return drawn


def _up_sampling(name: str, rank: int) -> Drawer:
    def drawn(draw: Draw) -> Trial:
        optional = {"size": draw.sizes(rank, (1, 2, 3))}
        if rank > 1:
            optional["data_format"] = _data_format(draw)
        if rank == 2:
            optional["interpolation"] = draw.pick(("nearest", "bilinear", "bicubic"), ("cubic", None))
        return Trial(draw.layer(name, {}, optional), draw.tensor(rank + 2))

    return drawn


def _spatial_dropout(name: str, rank: int) -> Drawer:
    def drawn(draw: Draw) -> Trial:
        optional = {"data_format": _data_format(draw)} if rank > 1 else {}
        required = {"rate": draw.pick((0.1, 0.5, 0, 0.9), (-0.1, 1.0, 50, "0.5", None))}
        return Trial(draw.layer(name, required, optional), draw.tensor(rank + 2))

    return drawn


def _image(name: str, required: Callable[[Draw], dict[str, object]]) -> Drawer:
    def drawn(draw: Draw) -> Trial:
        rank = draw.pick((4, 4, 4, 3))
        assert isinstance(rank, int)
        image = draw.tensor(rank, ("float32", "float32", "uint8", "int32"), last=(1, 3, 3))
        return Trial(draw.layer(name, required(draw)), image)

    return drawn


def _size(draw: Draw) -> dict[str, object]:
    return {
        "height": draw.pick((2, 3, 5, 10), (0, -1, 2.5, None)),
        "width": draw.pick((2, 3, 5, 10), (0, -1, 2.5, None)),
    }


def _resizing(draw: Draw) -> Trial:
    optional = {
        "interpolation": draw.pick(("bilinear", "nearest", "bicubic", "area"), ("linear", 3)),
        "crop_to_aspect_ratio": draw.pick((True, False)),
    }
    rank = draw.pick((4, 4, 3))
    assert isinstance(rank, int)
    return Trial(draw.layer("Resizing", _size(draw), optional), draw.tensor(rank, ("float32", "uint8"), last=(1, 3)))


def _factor(draw: Draw) -> dict[str, object]:
    return {"factor": draw.pick((0.1, 0.5, (0.1, 0.3), (-0.2, 0.3)), (-1, 3, "0.5", (0.5, 0.1)))}


def _factors(draw: Draw) -> dict[str, object]:
    return {"height_factor": _factor(draw)["factor"], "width_factor": _factor(draw)["factor"]}


def trials() -> Iterator[tuple[str, Drawer, int]]:
    """Layer, how its trials are drawn, and how many of them there should be for one hundred."""
    for rank in (1, 2, 3):
        yield f"Conv{rank}D", _convolution(f"Conv{rank}D", rank), 180
        yield f"Conv{rank}DTranspose", _convolution(f"Conv{rank}DTranspose", rank), 120
        for kind in ("Average", "Max"):
            yield f"{kind}Pooling{rank}D", _pooling(f"{kind}Pooling{rank}D", rank), 100
            yield f"Global{kind}Pooling{rank}D", _global_pooling(f"Global{kind}Pooling{rank}D", rank), 50
            yield f"Adaptive{kind}Pooling{rank}D", _adaptive_pooling(f"Adaptive{kind}Pooling{rank}D", rank), 50
        yield f"Cropping{rank}D", _amount(f"Cropping{rank}D", rank, "cropping"), 80
        yield f"ZeroPadding{rank}D", _amount(f"ZeroPadding{rank}D", rank, "padding"), 80
        yield f"UpSampling{rank}D", _up_sampling(f"UpSampling{rank}D", rank), 70
        yield f"SpatialDropout{rank}D", _spatial_dropout(f"SpatialDropout{rank}D", rank), 40
    for rank in (1, 2):
        yield f"SeparableConv{rank}D", _convolution(f"SeparableConv{rank}D", rank), 120
        yield f"DepthwiseConv{rank}D", _convolution(f"DepthwiseConv{rank}D", rank), 120
        yield f"LocallyConnected{rank}D", _convolution(f"LocallyConnected{rank}D", rank), 80
    yield "Resizing", _resizing, 100
    for name in ("CenterCrop", "RandomCrop"):
        yield name, _image(name, _size), 60
    for name in ("RandomBrightness", "RandomContrast", "RandomRotation", "RandomHeight", "RandomWidth"):
        yield name, _image(name, _factor), 40
    for name in ("RandomTranslation", "RandomZoom"):
        yield name, _image(name, _factors), 40
    modes = ("horizontal", "vertical", "horizontal_and_vertical")
    yield "RandomFlip", _image("RandomFlip", lambda draw: {"mode": draw.pick(modes, ("both",))}), 40
