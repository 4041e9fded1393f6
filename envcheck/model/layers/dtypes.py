"""Dtypes in layers: the policy of a layer, the cast of its inputs, and what is promised of its outputs.

Sources: https://keras.io/api/mixed_precision/policy/ ; ``Layer.compute_output_spec`` of Keras 3, ``base_layer.py`` of Keras 2.
"""

from __future__ import annotations

from typing import NoReturn

from envcheck.model.layers.rule import Arguments, Unclear, refuse
from envcheck.model.tensors import Tensor, Unknown

FLOATS = ("bfloat16", "float16", "float32", "float64")
INTEGERS = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
_POLICIES = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


def policy(arguments: Arguments) -> tuple[str, str]:
    """The dtypes that a layer computes in and makes its weights in."""
    name = arguments["dtype"]
    if name is None:
        return "float32", "float32"
    if not isinstance(name, str):
        raise Unclear
    if name in _POLICIES:
        return _POLICIES[name], "float32"
    if name in (*FLOATS, *INTEGERS, "bool", "string"):
        return name, name
    raise Unclear


def computing(arguments: Arguments) -> str:
    """The dtype that a layer computes in: float32 unless ``dtype`` says another."""
    return policy(arguments)[0]


def kept(tensor: Tensor, arguments: Arguments) -> str:
    """The dtype of an input once it is inside of the layer: floats are cast to the layer's, integers stay.

    Keras 2 casts only where the layer computes in floats; Keras 3 always.
    """
    if isinstance(tensor.dtype, Unknown):
        raise Unclear
    mine = computing(arguments)
    if tensor.dtype in FLOATS and (mine in FLOATS or arguments.keras == 3):
        return mine
    return tensor.dtype


def promised(tensor: Tensor, arguments: Arguments) -> str:
    """The dtype of an output that the layer makes of its input without weights.

    Most layers of Keras 3 promise their own dtype whatever the input has (``Layer.compute_output_spec``): what becomes
    of an input of integers is seen once there is data, not in the symbolic call.
    """
    return computing(arguments) if arguments.keras == 3 else kept(tensor, arguments)


def refuse_whole(found: str, weights: str) -> NoReturn:
    """An input of whole numbers, or of yes and no, is not multiplied with weights of floats."""
    what = f"whole numbers ({found})" if found in INTEGERS else f"an input of dtype {found}"
    refuse("call", f"{what} reach{'' if found in INTEGERS else 'es'} it, and its weights are {weights}")


def floating(arguments: Arguments) -> str:
    """The dtype of a layer with random weights, which cannot be made of integers."""
    mine, weights = policy(arguments)
    if weights not in FLOATS:
        if arguments.keras == 3:
            raise Unclear  # it depends on the initializer and the size
        refuse("build", f"weights of dtype {weights} cannot be initialized: a float dtype is expected")
    return mine
