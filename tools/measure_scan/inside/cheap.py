"""Makes instances of layers, optimizers, callbacks … with arguments guessed from the names of required parameters."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

_NUMBERS = {
    "rate": 0.5, "alpha": 0.1, "stddev": 0.1, "learning_rate": 0.1, "initial_learning_rate": 0.1, "decay_rate": 0.5,
    "p": 0.5, "momentum": 0.9, "sigma": 0.1, "l": 0.1, "value": 1.0, "decay": 0.9, "factor": 0.1,
    "alpha_l1": 0.1, "end_learning_rate": 0.01, "drop_rate": 0.5, "keep_prob": 0.5, "epsilon": 0.1,
}  # fmt: skip
_OTHERS = {
    "dims": (1,), "target_shape": (1,), "shape": (1,), "input_shape": (4, 4, 1), "noise_shape": None, "pattern": "a",
    "filepath": "weights.keras", "filename": "log.csv", "log_dir": "logs", "name": "name", "path": "path", "text": "text",
    "boundaries": [1], "values": [0.1, 0.2], "cropping": 1, "padding": 1, "height": 4, "width": 4, "monitor": "loss",
    "function": abs, "fn": abs, "func": abs, "f": abs, "schedule": abs, "activation": "relu", "mode": "auto",
    "vocabulary": ["a"], "equation": "ab,bc->ac", "output_shape": (1, 1), "num_bins": 2, "bin_boundaries": [0.1],
    "optimizer": "sgd", "loss": "mse", "class_name": "name", "graph": None, "variables": [], "axes": 1, "mask_value": 0.0,
    "scale": 1.0, "dtype": "float32", "sequence": [1], "inputs": None, "outputs": None,
}  # fmt: skip


def instance(cls: type, **given: Any) -> Any:
    """One instance, or the exception that making it raised. Parameters in ``given`` are passed as they are."""
    try:
        return make(cls, **given)
    except Exception as error:
        return error


def instances(cls: type) -> Iterator[Any]:
    """Instances in every state that code meets: new, built for inputs of several ranks, functional, compiled, trained."""
    plain = instance(cls)
    if not isinstance(plain, Exception):
        yield plain
    if cls.__name__ in ("Model", "Functional", "Sequential"):
        yield from models(cls)
        return
    for rank in (2, 3, 4, 5):
        layer = instance(cls)
        try:
            layer.build((1,) + (8,) * (rank - 1))
        except Exception as error:  # no layer, or one for inputs of another rank
            del error
        else:
            yield layer


def models(cls: type) -> Iterator[Any]:
    """A model of one layer: as it is made, compiled, trained."""
    try:
        if cls.__name__ == "Sequential":
            model = package(cls).models.Sequential([package(cls).layers.Dense(1, input_shape=(1,))])
        else:
            model = package(cls).models.Model(*ends(cls))
        yield model
        model.compile(optimizer="sgd", loss="mse")
        yield model
        numpy = __import__("numpy")
        model.fit(numpy.zeros((2, 1)), numpy.zeros((2, 1)), verbose=0)
        yield model
    except Exception as error:
        print(f"{cls}: {type(error).__name__}: {error}")


def make(cls: type, **given: Any) -> Any:
    """The same, raising."""
    arguments = required(cls)
    arguments.update(given)
    return cls(**arguments)


def as_written(cls: type, count: int, keywords: dict[str, Any]) -> Any:
    """One instance with so many positional arguments and these keywords; a value that is not known is guessed."""
    try:
        names = list(inspect.signature(cls.__init__).parameters)[1 : count + 1]  # type: ignore[misc]
        values = {name: guess(cls, name) if value is None else value for name, value in keywords.items()}
        plain = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        return cls(*[guess(cls, name) for name in names], **plain)
    except Exception as error:
        return error


def required(cls: type) -> dict[str, Any]:
    """A value for each parameter of ``cls`` that has no default."""
    found: dict[str, Any] = {}
    try:
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    except (TypeError, ValueError):
        return found
    for parameter in parameters:
        if (
            parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            or parameter.default is not parameter.empty
        ):
            continue
        found[parameter.name] = guess(cls, parameter.name)
    return found


def guess(cls: type, name: str) -> Any:
    """A value for a required parameter of that name."""
    if name in _NUMBERS:
        return _NUMBERS[name]
    if name in _OTHERS:
        return _OTHERS[name]
    if name in ("layer", "cell", "cells", "forward_layer", "wrapped_layer", "model"):
        return inner_layer(cls, name)
    return 1


def inner_layer(cls: type, name: str) -> Any:
    """A layer of the same package as ``cls``, to wrap."""
    keras = package(cls)
    layers = keras.layers
    if name == "model":
        return keras.Sequential([layers.Dense(1)])
    if name in ("cell", "cells"):
        return [layers.LSTMCell(1)] if name == "cells" else layers.LSTMCell(1)
    return layers.LSTM(1, return_sequences=True) if "Bidirectional" in cls.__name__ else layers.Dense(1)


def package(cls: type) -> Any:
    """The Keras that a class belongs to."""
    root = cls.__module__.partition(".")[0]
    return __import__(root) if root in ("keras", "tf_keras") else sys.modules["tensorflow"].keras


def ends(cls: type) -> tuple[Any, Any]:
    """The input and the output of a model of one layer."""
    keras = package(cls)
    first = keras.layers.Input((1,))
    return first, keras.layers.Dense(1)(first)
