"""Inputs, dense layers, embeddings, and layers that leave the tensor as it is.

Source: https://keras.io/api/layers/core_layers/ ; ``keras/src/layers/core`` of both versions.
"""

from __future__ import annotations

from envcheck.model.layers.checked import activation, positive
from envcheck.model.layers.dtypes import FLOATS, INTEGERS, computing, floating, kept, promised
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, ranked, refuse, refusing, require_rank
from envcheck.model.tensors import Dimension, Output, Tensor, Unknown, text


def _given_shape(arguments: Arguments, value: object) -> tuple[Dimension, ...]:
    """A shape as ``Input`` takes it."""
    if isinstance(value, Unknown):
        raise Unclear
    if arguments.keras == 2 and isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return (value,)
    if arguments.keras == 3 and (isinstance(value, (int, float, str)) or value is None):
        refuse("construction", f"shape={value!r}: a tuple of whole numbers and None is expected")
    if not isinstance(value, (tuple, list)):
        raise Unclear
    found: list[Dimension] = []
    for each in value:
        if isinstance(each, str):
            refuse("construction", f"shape={value!r}: whole numbers and None are expected")
        if isinstance(each, (float, bool)) or (isinstance(each, int) and each <= 0):
            if arguments.keras == 3 and not isinstance(each, bool) and each != 0:
                refuse("construction", f"shape={value!r}: whole numbers of 0 or more, and None, are expected")
            raise Unclear
        if not isinstance(each, (int, Unknown)) and each is not None:
            raise Unclear
        found.append(each)
    return tuple(found)


def _input_dtype(arguments: Arguments) -> str:
    value = arguments["dtype"]
    if value is None:
        return "float32"
    if not isinstance(value, str):
        raise Unclear
    if value in (*FLOATS, *INTEGERS, "bool", "string"):
        return value
    if value.startswith(("mixed_", "text", "str")):
        refuse("construction", f"dtype='{value}' is no dtype of a tensor")
    raise Unclear


def _input(arguments: Arguments, _call: Call, names: tuple[str, ...] = ("shape",)) -> Output:
    """``Input``: the tensor that a model starts from."""
    for name in ("tensor", "input_tensor", "type_spec", "ragged", "sparse", "optional"):
        if arguments.look(name) not in (None, False):
            raise Unclear
    dtype = _input_dtype(arguments)
    for name in ("batch_shape", "batch_input_shape"):
        if arguments.given(name):
            if arguments.given("batch_size") and arguments.look("batch_size") is not None:
                raise Unclear
            return Tensor(_given_shape(arguments, arguments.look(name)), dtype)
    name = next((each for each in names if arguments.given(each)), "")
    if not name or arguments.look(name) is None:
        if names != ("shape",):
            raise Unclear
        refuse("construction", "a shape is missing")
    shape = _given_shape(arguments, arguments.look(name))
    batch = arguments.look("batch_size")
    if batch is not None and not isinstance(batch, (int, Unknown)):
        raise Unclear
    if isinstance(batch, int) and batch <= 0:
        raise Unclear
    return Tensor((batch, *shape), dtype)


def _input_layer(arguments: Arguments, call: Call) -> Output:
    """``InputLayer``: Keras 3 calls the shape ``shape`` or ``batch_shape`` and takes the names of Keras 2, too."""
    if arguments.keras == 2:
        if arguments.given("shape") or arguments.given("batch_shape"):
            refuse(
                "construction", "InputLayer has no such argument in Keras 2: it is 'input_shape' or 'batch_input_shape'"
            )
        return _input(arguments, call, ("input_shape",))
    return _input(arguments, call, ("shape", "input_shape"))


def _dense(arguments: Arguments, call: Call) -> Output:
    row = "dense-units-zero" if arguments.look("units") == 0 else "dense-units"
    units = positive(arguments, "units", row) if arguments.keras == 3 else _units2(arguments)
    activation(arguments)
    shape = ranked(call.tensor())
    require_rank(shape, least=2)
    if shape[-1] is None:
        refuse("build", f"the last axis of the input is free (None): shape {text(shape)}")
    return Tensor((*shape[:-1], units), floating(arguments))


def _units2(arguments: Arguments) -> Dimension:
    """Keras 2 cuts fractions off, reads text, and lets 0 pass."""
    value = arguments.look("units")
    if isinstance(value, Unknown):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        if value is None or isinstance(value, (tuple, list)):
            refuse("construction", f"units={value!r} is not a number")
        raise Unclear
    with refusing("construction", f"units={value!r} is not a number"):
        value = int(value)
    if value < 0:
        refuse("construction", f"units={value}: a number above 0 is expected")
    return value


def _embed(arguments: Arguments, call: Call) -> Output:
    size = _table(arguments, "input_dim"), _table(arguments, "output_dim")
    if arguments.given("weights"):
        raise Unclear
    tensor = call.tensor()
    if any(isinstance(each, float) for each in size):
        refuse("build", f"a table of {size[0]} × {size[1]}: whole numbers are expected")
    dtype = floating(arguments)
    shape = ranked(tensor)
    if tensor.dtype in ("string", "bool") or isinstance(tensor.dtype, Unknown):
        raise Unclear
    width = size[1]
    assert not isinstance(width, float)
    return Tensor((*shape, width), dtype)


def _table(arguments: Arguments, name: str) -> Dimension | float:
    if arguments.keras == 3:
        if isinstance(arguments.look(name), bool):
            refuse("construction", f"{name}: a whole number above 0 is expected", "embedding-bool")
        return positive(arguments, name, "embedding-zero" if arguments.look(name) == 0 else "embedding-size")
    value = arguments.look(name)
    if isinstance(value, Unknown):
        return value
    if isinstance(value, bool):
        raise Unclear
    if not isinstance(value, (int, float)) or value <= 0:
        refuse("construction", f"{name}={value!r}: a whole number above 0 is expected")
    return value


def _mask(arguments: Arguments, call: Call) -> Output:
    value = arguments.look("mask_value")
    dtype = promised(call.tensor(), arguments)
    if arguments.keras == 2:
        if not isinstance(value, (int, float, Unknown)):
            refuse("call", f"mask_value={value!r} cannot be compared with numbers")
        if dtype not in FLOATS:
            raise Unclear
    return Tensor(call.tensor().shape, dtype)


def _identity(arguments: Arguments, call: Call) -> Output:
    return Tensor(call.tensor().shape, kept(call.tensor(), arguments))


def _function(arguments: Arguments, call: Call) -> Output:
    """``Lambda``: only the function knows."""
    computing(arguments)
    call.tensor()
    raise Unclear


RULES = (
    Rule(
        "Input", "shape=None, batch_size=None, name=None, dtype=None", _input, "shape=None, batch_size=None, dtype=None"
    ),
    Rule(
        "InputLayer",
        "input_shape=None, batch_size=None, dtype=None",
        _input_layer,
        "shape=None, batch_size=None, dtype=None",
    ),
    Rule("Dense", "units, activation=None, use_bias=True", _dense),
    Rule("Embedding", "input_dim, output_dim", _embed),
    Rule("Masking", "mask_value=0.0", _mask),
    Rule("Identity", "", _identity),
    Rule("Lambda", "function, output_shape=None, mask=None, arguments=None", _function),
)
