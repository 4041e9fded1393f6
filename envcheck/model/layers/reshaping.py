"""Layers that give the same numbers another shape.

Source: https://keras.io/api/layers/reshaping_layers/ ; ``keras/src/layers/reshaping`` of both versions.
"""

from __future__ import annotations

from math import prod

from envcheck.model.layers.checked import channels_first
from envcheck.model.layers.dtypes import kept, promised
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, ranked, refuse, require_rank
from envcheck.model.tensors import UNKNOWN, Dimension, Output, Tensor, Unknown, text


def _flatten(arguments: Arguments, call: Call) -> Output:
    channels_first(arguments)
    shape = ranked(call.tensor())
    require_rank(shape, least=1)
    return Tensor((shape[0], _size(shape[1:])), kept(call.tensor(), arguments))


def _size(shape: tuple[Dimension, ...]) -> Dimension:
    known: list[int] = []
    for each in shape:
        if isinstance(each, Unknown):
            return UNKNOWN
        if each is not None:
            known.append(each)
    return prod(known) if len(known) == len(shape) else None


def _target(arguments: Arguments) -> list[int | Unknown]:
    """The target as a list of whole numbers, which may be unknown."""
    value = arguments.look("target_shape")
    if isinstance(value, Unknown):
        raise Unclear
    if isinstance(value, (int, float)) or value is None:
        refuse("construction", f"target_shape={value!r}: a tuple is expected, such as ({value},)")
    if not isinstance(value, (tuple, list)):
        raise Unclear
    found: list[int | Unknown] = []
    for each in value:
        if not isinstance(each, (int, Unknown)):
            raise Unclear
        found.append(each)
    return found


def _reshape(arguments: Arguments, call: Call) -> Output:
    value = _target(arguments)
    target = [each for each in value if not isinstance(each, Unknown)]
    if len(target) != len(value):
        return Tensor((ranked(call.tensor())[0], *(UNKNOWN for _ in value)), kept(call.tensor(), arguments))
    if arguments.keras == 3 and (target.count(-1) > 1 or any(each < -1 for each in target)):
        refuse("construction", f"target_shape={tuple(target)}: at most one -1, and nothing below")
    shape = ranked(call.tensor())
    dtype = kept(call.tensor(), arguments)
    size = _size(shape[1:])
    if arguments.keras == 2:
        _free(shape, target, size)
    if isinstance(size, int):
        return Tensor((shape[0], *_filled(shape, target, size)), dtype)
    return Tensor((shape[0], *(size if each == -1 else each for each in target)), dtype)


def _filled(shape: tuple[Dimension, ...], target: list[int], size: int) -> list[int]:
    """The target with its -1 worked out."""
    other = prod(each for each in target if each != -1)
    if -1 not in target and other != size:
        refuse("call", f"target_shape={tuple(target)} has {other} elements, the input {size}: shape {text(shape)}")
    if -1 in target and (other == 0 or size % other):
        refuse("call", f"the input's {size} elements cannot be divided by the {other} of target_shape={tuple(target)}")
    return [size // other if each == -1 else each for each in target]


def _free(shape: tuple[Dimension, ...], target: list[int], size: Dimension) -> None:
    """Keras 2 leaves some checks to TensorFlow, which with free axes sees only what can never be equal."""
    if target.count(-1) > 1 or any(each < -1 for each in target):
        # One that is below -1 is taken for -1 until there is data.
        if size is None or isinstance(size, Unknown) or sum(each < 0 for each in target) == 1:
            raise Unclear
        refuse("call", f"target_shape={tuple(target)}: at most one -1, and nothing below")
    if size is not None:
        return
    if 0 in target or len(target) == 0:
        raise Unclear
    if -1 not in target and isinstance(shape[0], int):
        known = prod(each for each in shape[1:] if isinstance(each, int))
        if prod(target) % known:
            raise Unclear


def _permute(arguments: Arguments, call: Call) -> Output:
    value = arguments["dims"]
    if isinstance(value, (int, float)) or value is None:
        refuse("construction", f"dims={value!r}: a tuple of axes is expected")
    if not isinstance(value, (tuple, list)) or not all(isinstance(each, int) for each in value):
        raise Unclear
    if sorted(value) != list(range(1, len(value) + 1)):
        refuse("construction", f"dims={value!r}: every axis from 1 to {len(value)} once; the batch is not counted")
    shape = ranked(call.tensor())
    require_rank(shape, exactly=len(value) + 1)
    return Tensor((shape[0], *(shape[each] for each in value)), kept(call.tensor(), arguments))


def _repeat(arguments: Arguments, call: Call) -> Output:
    value = arguments.look("n")
    if not isinstance(value, Unknown):
        if not isinstance(value, int) or (arguments.keras == 3 and isinstance(value, bool)):
            refuse("construction", f"n={value!r} is not a whole number")
        if arguments.keras == 3 and value <= 0:
            refuse("construction", f"n={value}: at least 1 is expected", "newly-checked")
        if value <= 0:
            raise Unclear
        value = int(value)
    shape = ranked(call.tensor())
    require_rank(shape, exactly=2)
    return Tensor((shape[0], value, shape[1]), promised(call.tensor(), arguments))


RULES = (
    Rule("Flatten", "data_format=None", _flatten),
    Rule("Reshape", "target_shape", _reshape),
    Rule("Permute", "dims", _permute),
    Rule("RepeatVector", "n", _repeat),
)
