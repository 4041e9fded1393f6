"""Layers that make one tensor of several.

Source: https://keras.io/api/layers/merging_layers/ ; ``keras/src/layers/merging`` of both versions.
"""

from __future__ import annotations

from functools import partial

from envcheck.model.layers.dtypes import FLOATS, computing, kept
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, dimensions, refuse
from envcheck.model.tensors import Output, Tensor, text

Known = tuple[int | None, ...]


def _shapes(call: Call) -> list[Known]:
    if isinstance(call.inputs, Tensor):
        refuse("build", "a merge wants a list of tensors, not one tensor")
    return [dimensions(each) for each in call.inputs]


def _dtype(arguments: Arguments, call: Call) -> str:
    """Keras 3 promises its own dtype. Keras 2 computes in what the tensors have, which must be the same."""
    assert not isinstance(call.inputs, Tensor)
    if arguments.keras == 3:
        return computing(arguments)
    dtypes = [kept(each, arguments) for each in call.inputs]
    if len(set(dtypes)) != 1:
        refuse("call", f"tensors of different dtypes: {', '.join(dtypes)}")
    if dtypes[0] not in FLOATS:
        raise Unclear
    return dtypes[0]


def _broadcast(one: Known, other: Known, every: list[Known]) -> Known:
    """Two shapes without their batches. A free axis stays free, whatever the other is."""
    if len(one) < len(other):
        one, other = other, one
    if not other:
        return one
    found = list(one[: -len(other)])
    for first, second in zip(one[-len(other) :], other, strict=True):
        if first is None or second is None:
            found.append(None)
        elif 1 in (first, second) or first == second:
            found.append(second if first == 1 else first)
        else:
            refuse("build", f"shapes {' and '.join(map(text, every))} cannot be merged: {first} against {second}")
    return tuple(found)


def _merge(arguments: Arguments, call: Call, two: bool = False) -> Output:
    shapes = _shapes(call)
    if not shapes:
        raise Unclear
    batches = {each[0] for each in shapes if each} - {None}
    if len(batches) > 1:
        refuse("build", f"different batch sizes: shapes {' and '.join(map(text, shapes))}")
    if not all(shapes):
        raise Unclear
    found = shapes[0][1:]
    for each in shapes[1:]:
        found = _broadcast(found, each[1:], shapes)
    if two and len(shapes) != 2:
        refuse("build", f"exactly 2 tensors are expected, got {len(shapes)}")
    if arguments.keras == 2:
        return _keras2(arguments, call, shapes)
    batch = next(iter(batches)) if batches else None
    return Tensor((batch, *found), _dtype(arguments, call))


def _keras2(arguments: Arguments, call: Call, shapes: list[Known]) -> Output:
    """TensorFlow's own shape: tensors of a lower rank get axes after the batch, a free axis gives way to a number."""
    rank = max(map(len, shapes))
    found = None
    for each in shapes:
        mine: Known = (each[0], *((1,) * (rank - len(each))), *each[1:])
        found = mine if found is None else tuple(map(_axis, found, mine))
    return Tensor(found or (), _dtype(arguments, call))


def _axis(first: int | None, second: int | None) -> int | None:
    if first is None or second is None:
        known = second if first is None else first
        return None if known == 1 else known
    return second if first == 1 else first


def _concatenate(arguments: Arguments, call: Call) -> Output:
    axis = arguments["axis"]
    if isinstance(call.inputs, Tensor):
        refuse("build", "Concatenate wants a list of tensors, not one tensor")
    shapes = [dimensions(each) for each in call.inputs]
    if not shapes or not isinstance(axis, int):
        raise Unclear
    ranks = {len(each) for each in shapes}
    for each in shapes:
        if not -len(each) <= axis < len(each):
            if arguments.keras == 3 and axis > 0:
                _beyond(shapes, axis)
            refuse("build", f"axis {axis} of a tensor of rank {len(each)}: shape {text(each)}")
    row = "concatenate-squeezed" if any(1 in each[1:] for each in shapes) else ""
    if len(ranks) != 1:
        refuse("build", f"different ranks: shapes {' and '.join(map(text, shapes))}", row)
    rank = ranks.pop()
    found: list[int | None] = []
    for at, sizes in enumerate(zip(*shapes, strict=True)):
        known = {each for each in sizes if each is not None}
        if at == axis % rank:
            found.append(None if None in sizes else sum(known_size for known_size in sizes if known_size is not None))
        elif len(known) > 1:
            why = f"axis {at} must be equal (only axis {axis} may differ): {' and '.join(map(text, shapes))}"
            refuse("build", why, row)
        else:
            # Keras 3 repeats what the first tensor has; TensorFlow takes what any of them knows.
            found.append(sizes[0] if arguments.keras == 3 else next(iter(known), None))
    return Tensor(tuple(found), _dtype(arguments, call))


def _beyond(shapes: list[Known], axis: int) -> None:
    """An axis that is not there: Keras 3 compares the other ones first, and sees it in the call."""
    if len({len(each) for each in shapes}) != 1:
        raise Unclear
    same = all(len({each for each in sizes if each is not None}) < 2 for sizes in zip(*shapes, strict=True))
    if same and len(shapes) > 1:
        refuse("call", f"axis {axis} of a tensor of rank {len(shapes[0])}: shape {text(shapes[0])}")
    if same:
        raise Unclear


def _dot_axes(arguments: Arguments) -> int | tuple[int, int]:
    axes = arguments["axes"]
    if isinstance(axes, int):
        return axes
    if not isinstance(axes, (tuple, list)):
        refuse("construction", f"axes={axes!r} is not a whole number, or two of them")
    if len(axes) != 2 or not all(isinstance(each, int) for each in axes):
        refuse("construction", f"axes={axes!r}: two whole numbers are expected, one for each tensor")
    return axes[0], axes[1]


def _dot(arguments: Arguments, call: Call) -> Output:
    axes = _dot_axes(arguments)
    if isinstance(call.inputs, Tensor) or len(call.inputs) != 2:
        refuse("build", "Dot wants a list of 2 tensors")
    one, other = (dimensions(each) for each in call.inputs)
    pair = (axes, axes) if isinstance(axes, int) else axes
    if isinstance(axes, int) and axes < 0:
        pair = (axes % len(one), axes % len(other))
    for axis, shape in zip(pair, (one, other), strict=True):
        if not -len(shape) <= axis < len(shape):
            refuse("build", f"axis {axis} of a tensor of rank {len(shape)}: shape {text(shape)}")
    if one[pair[0]] != other[pair[1]]:
        refuse("build", f"axis {pair[0]} of {text(one)} and axis {pair[1]} of {text(other)} must be equal")
    if arguments.keras == 2 and (pair[0] % len(one) == 0 or pair[1] % len(other) == 0):
        raise Unclear
    left, right = list(one), list(other)
    left.pop(pair[0])
    right.pop(pair[1])
    if not right:
        raise Unclear
    batch = right.pop(0)
    if arguments.keras == 2 and batch != left[0]:
        if 1 in (batch, left[0]) or None not in (batch, left[0]):
            raise Unclear
        left[0] = batch if left[0] is None else left[0]
    found = [*left, *right]
    return Tensor((*found, 1) if len(found) == 1 else tuple(found), _dtype(arguments, call))


RULES = (
    *(Rule(name, "", partial(_merge)) for name in ("Add", "Multiply", "Average", "Maximum", "Minimum")),
    Rule("Subtract", "", partial(_merge, two=True)),
    Rule("Concatenate", "axis=-1", _concatenate),
    Rule("Dot", "axes, normalize=False", _dot),
)
