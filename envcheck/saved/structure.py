"""How the layers of a model hang together, as far as that decides whether another Keras can put them together again.

The traits are read from the config alone; which Keras minds which of them is told in ``compat_matrix/saved_models.yaml``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MODULE = "module"
"""The object is written with the module that it is from."""
PLAIN = "plain"
"""It is written without."""
WHOLE = "whole"
"""The model itself, not one inside of it."""
FIRST = "first"
"""A layer that begins a Sequential which has no InputLayer: the input shape stands in its own config."""
UNBUILT = "unbuilt"
"""A whole Sequential that gives no input shape, and has weights all the same."""
MISCOUNTED = "miscounted"
"""A layer inside of a functional model that others refer to by a call of which there are not so many: Keras 2 counted the
making of a model as its first call, so that it is a model inside of a model. Nodes as Keras 3 writes them are not counted."""
LISTED = "listed"
"""A functional model inside of a Sequential whose one output stands in a list, and layers after it that take no list."""

BARE = "bare"
"""A functional model whose one input or output stands in no list."""
AHEAD = "ahead"
"""A layer inside of a functional model that is called with what a later one of the list gives, as Keras 3 writes calls."""

FUNCTIONAL = ("Functional", "Model")
PASSING = ("Activation", "Dropout", "LeakyReLU", "ReLU", "Softmax")
"""Layers that take a list of one tensor and give one."""
POOLING = ("GlobalAveragePooling", "GlobalMaxPooling")
"""The same: how their names begin."""
TAKES_NO_LIST = frozenset(
    {
        *(
            "AveragePooling2D",
            "BatchNormalization",
            "Bidirectional",
            "Conv2D",
            "Conv2DTranspose",
            "Dense",
            "Flatten",
            "GRU",
        ),
        *("LSTM", "LayerNormalization", "MaxPooling2D", "Permute", "RepeatVector", "Reshape", "SeparableConv2D"),
        *("TimeDistributed", "UpSampling2D", "ZeroPadding2D"),
    }
)
"""Layers that raise when they are called with a list of one tensor: each tried on Keras 3.11.3, 3.14.1 and 3.15.1
(``AveragePooling2D`` on 3.12.3 and 3.15.1)."""

DEEPEST = 12
"""Levels of the arguments of a call that are looked into."""


def traits(value: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    """The traits of the layers of a model, each with the layer's own mapping; nothing where it is none.

    Args:
        value: ``class_name`` and ``config`` of an object.
    """
    layers = _layers(value)
    if value.get("class_name") == "Sequential":
        yield from _sequential(layers)
    elif value.get("class_name") in FUNCTIONAL:
        config = value["config"]
        if isinstance(config, dict) and any(_is_bare(config.get(key)) for key in ("input_layers", "output_layers")):
            yield value, BARE
        yield from _miscounted(layers, config)
        yield from _ahead(layers)


def shapeless(value: Any) -> bool:
    """Whether a Sequential gives no input shape, neither itself nor by its first layer."""
    if not isinstance(value, dict) or value.get("class_name") != "Sequential":
        return False
    config, layers = value.get("config"), _layers(value)
    if not layers or (isinstance(config, dict) and config.get("build_input_shape")):
        return False
    first = layers[0]
    if first.get("class_name") == "Sequential":
        return shapeless(first)
    values = first.get("config")
    known = isinstance(values, dict) and not values.keys().isdisjoint(
        ("batch_input_shape", "batch_shape", "input_shape", "input_dim", "layers")
    )
    return first.get("class_name") != "InputLayer" and not known


def _layers(value: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """The layers of a model; up to Keras 2.2 the config of a Sequential was their list."""
    config = value.get("config")
    layers = config.get("layers") if isinstance(config, dict) else config
    return [each for each in layers if isinstance(each, dict)] if isinstance(layers, list) else []


def _sequential(layers: Sequence[dict[str, Any]]) -> Iterator[tuple[Any, str]]:
    if layers and layers[0].get("class_name") != "InputLayer":
        yield layers[0], FIRST
    for place, each in enumerate(layers):
        if each.get("class_name") in FUNCTIONAL and _one_in_a_list(each) and _minds(layers[place + 1 :]):
            yield each, LISTED


def _one_in_a_list(model: Mapping[str, Any]) -> bool:
    config = model.get("config")
    outputs = config.get("output_layers") if isinstance(config, dict) else None
    return isinstance(outputs, list) and len(outputs) == 1 and isinstance(outputs[0], list)


def _minds(after: Sequence[dict[str, Any]]) -> bool:
    """Whether a list comes to a layer that takes none; what is not known ends the search."""
    for each in after:
        name = str(each.get("class_name"))
        if name not in PASSING and not name.startswith(POOLING):
            return name in TAKES_NO_LIST
    return False


def _miscounted(layers: Sequence[dict[str, Any]], config: Any) -> Iterator[tuple[Any, str]]:
    referred: dict[str, int] = {}
    for each in layers:
        for name, call in _references(each.get("inbound_nodes")):
            referred[name] = max(call, referred.get(name, 0))
    outputs = config.get("output_layers") if isinstance(config, dict) else None
    given = dict(_references([outputs]))
    for each in layers:
        nodes, called = each.get("inbound_nodes"), str(each.get("name"))
        if not isinstance(nodes, list) or not nodes or any(map(_is_new, nodes)):
            continue
        # The output of a functional model is looked for one call earlier.
        out = given.get(called, 0) - (each.get("class_name") in FUNCTIONAL)
        if max(referred.get(called, 0), out) >= len(nodes):
            yield each, MISCOUNTED


def _is_bare(tensors: Any) -> bool:
    return isinstance(tensors, list) and bool(tensors) and isinstance(tensors[0], str)


def _ahead(layers: Sequence[dict[str, Any]]) -> Iterator[tuple[Any, str]]:
    seen: set[str] = set()
    for each in layers:
        seen.add(str(each.get("name")))
        nodes = each.get("inbound_nodes")
        told = [node for node in nodes if isinstance(node, dict)] if isinstance(nodes, list) else []
        if not seen.issuperset(_histories(told, 0)):
            yield each, AHEAD


def _histories(value: Any, depth: int) -> Iterator[str]:
    """The names of the layers that tensors come from: ``{"class_name": "__keras_tensor__", "config": {"keras_history": …}}``."""
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        history = value.get("keras_history")
        if isinstance(history, list) and history and isinstance(history[0], str):
            yield history[0]
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _histories(each, depth + 1)


def _is_new(node: Any) -> bool:
    """Whether a call is written as Keras 3 does."""
    return not isinstance(node, list)


def _references(nodes: Any) -> Iterator[tuple[str, int]]:
    """The calls that layers are said to have been made in, by the layer's name: ``[[["dense", 0, 0, {}], …], …]``."""
    for node in nodes if isinstance(nodes, list) else ():
        for each in node if isinstance(node, list) else ():
            if isinstance(each, list) and len(each) > 1 and isinstance(each[0], str) and isinstance(each[1], int):
                yield each[0], each[1]
