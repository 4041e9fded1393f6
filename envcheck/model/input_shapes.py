"""Where shapes enter a model: ``Input``, and ``input_shape`` and its like on the first layer."""

from __future__ import annotations

from collections.abc import Mapping

from envcheck.model.core import Call
from envcheck.model.events import KerasTensor, Made
from envcheck.model.state import MISSING
from envcheck.model.tensors import UNKNOWN, Dimension, Tensor, Unknown
from envcheck.model.values import List, Symbol, Value


def input_tensor(call: Call) -> Value:
    """``keras.Input``."""
    if call.get("tensor") is not None or call.get("type_spec") is not None or not call.complete:
        return KerasTensor(Tensor(), None, ())
    shape = dimensions(call.get("batch_shape", default=call.get("batch_input_shape", default=MISSING)))
    if shape is MISSING:
        shape = dimensions(call.get("shape", 0, MISSING))
        batch = call.get("batch_size", 1)
        if shape is MISSING:
            return KerasTensor(Tensor(), None, ())
        if isinstance(shape, tuple):
            shape = (batch if batch is None or type(batch) is int else UNKNOWN, *shape)
    # Keras 2 has the name in the third place, Keras 3 the dtype.
    dtype = call.get("dtype", 2 if call.machine.keras > 2 else None)
    return KerasTensor(Tensor(shape, dtype_name(dtype, "float32")), None, ())


def dtype_name(value: Value, default: str | Unknown) -> str | Unknown:
    """A dtype as Keras writes it."""
    if value is None:
        return default
    if isinstance(value, str):
        return value
    return value.name.rpartition(".")[2].rstrip("_") if isinstance(value, Symbol) else UNKNOWN


def dimensions(value: Value) -> Value:
    """A shape argument as dimensions; UNKNOWN where even their number is not known, MISSING as it is."""
    if value is MISSING:
        return MISSING
    if isinstance(value, (List, list)):
        value = value.items if isinstance(value, List) else tuple(value)
    if not isinstance(value, tuple):
        return UNKNOWN
    return tuple(dimension(each) for each in value)


def dimension(value: Value) -> Dimension:
    """One dimension."""
    return value if value is None or type(value) is int else UNKNOWN


def first_shape(made: Made, keras: int) -> Value:
    """The batch shape that the first layer of a ``Sequential`` brings; None where it brings none.

    Sources: ``Layer.__init__`` in ``keras/src/engine/base_layer.py`` and ``Embedding``, ``RNN`` of Keras 2;
    ``keras/src/layers/layer.py`` of Keras 3, which knows ``input_shape`` and ``input_dim``.
    """
    given = made.keywords
    if not made.complete:
        return UNKNOWN
    name = made.name.rpartition(".")[2]
    if name == "InputLayer":
        return _input_layer(made)
    return _first_shape_3(name, given) if keras > 2 else _first_shape_2(name, given)


def _first_shape_3(name: str, given: Mapping[str, object]) -> Value:
    if given.get("input_dim") is not None and name != "Embedding":
        known = not {"input_length", "batch_size"} & set(given)  # Keras 3 has neither
        return (None, dimension(given["input_dim"])) if known else UNKNOWN
    shape = dimensions(given.get("input_shape", MISSING))
    if shape is MISSING or given.get("input_shape") is None:
        return UNKNOWN if "batch_input_shape" in given or "batch_shape" in given else None
    return (None, *shape) if isinstance(shape, tuple) and "batch_size" not in given else UNKNOWN


def _first_shape_2(name: str, given: Mapping[str, object]) -> Value:
    if "batch_input_shape" in given:
        return dimensions(given["batch_input_shape"])
    batch = given.get("batch_size")
    first = batch if batch is None or type(batch) is int else UNKNOWN
    if "input_shape" in given:
        shape = dimensions(given["input_shape"])
        return (first, *shape) if isinstance(shape, tuple) else None if given["input_shape"] is None else UNKNOWN
    if name == "Embedding":
        length = given.get("input_length")
        return UNKNOWN if isinstance(length, (tuple, list)) or length is UNKNOWN else (first, dimension(length))
    if name in _RECURRENT and ("input_dim" in given or "input_length" in given):
        return (first, dimension(given.get("input_length")), dimension(given.get("input_dim")))
    return (first, dimension(given["input_dim"])) if "input_dim" in given else None


_RECURRENT = frozenset(("LSTM", "GRU", "SimpleRNN", "RNN", "CuDNNLSTM", "CuDNNGRU"))


def _input_layer(made: Made) -> Value:
    for name in ("batch_shape", "batch_input_shape"):
        if name in made.keywords:
            return dimensions(made.keywords[name])
    batch = made.keywords.get("batch_size")
    shape = dimensions(made.keywords.get("shape", made.keywords.get("input_shape", made.argument("", 0, MISSING))))
    return (batch if batch is None or type(batch) is int else UNKNOWN, *shape) if isinstance(shape, tuple) else UNKNOWN
