"""``EinsumDense``.

Source: https://keras.io/api/layers/core_layers/einsum_dense/ ; ``_analyze_einsum_string`` of both versions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from envcheck.model.layers.checked import activation
from envcheck.model.layers.dtypes import FLOATS, floating, promised, refuse_whole
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, dimensions, refuse
from envcheck.model.tensors import Output, Tensor, text

Known = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class _Equation:
    """The letters of an equation, and on which side an ellipsis stands (``left``, ``right`` or nowhere)."""

    inputs: str
    weights: str
    outputs: str
    ellipsis: str


def _read(equation: str) -> _Equation:
    """The three forms that Keras knows."""
    dots = equation.replace("...", "0")
    forms = (
        ("([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)", ""),
        ("0([a-zA-Z]+),([a-zA-Z]+)->0([a-zA-Z]+)", "left"),
        ("([a-zA-Z]{2,})0,([a-zA-Z]+)->([a-zA-Z]+)0", "right"),
    )
    found = ((re.match(form, dots), ellipsis) for form, ellipsis in forms)
    match, ellipsis = next((each for each in found if each[0] is not None), (None, ""))
    if match is None:
        refuse("build", f"equation '{equation}' is not of the form X,Y->Z, ...X,Y->...Z or X...,Y->Z...")
    return _Equation(match[1], match[2], match[3], ellipsis)


def _einsum(arguments: Arguments, call: Call) -> Output:
    equation, wanted = arguments["equation"], arguments["output_shape"]
    bias, tensor = arguments["bias_axes"], call.tensor()
    activation(arguments)
    if not isinstance(equation, str) or not (bias is None or isinstance(bias, str)):
        raise Unclear
    partial = [wanted] if isinstance(wanted, int) else wanted
    if not isinstance(partial, (tuple, list)) or not all(each is None or isinstance(each, int) for each in partial):
        raise Unclear
    shape = dimensions(tensor)
    letters = _read(equation)
    if any(isinstance(each, int) and each <= 0 for each in partial):
        raise Unclear
    full, sizes = _sizes(letters, shape, tuple(partial))
    for letter in letters.weights:
        if sizes.get(letter) is None:
            refuse("build", f"the weight's axis '{letter}' of '{equation}' is not known: shape {text(shape)}")
    for letter in bias or "":
        if letter not in letters.outputs:
            refuse("build", f"bias_axes='{bias}': '{letter}' is no axis of the output '{letters.outputs}'")
    mine, inside = floating(arguments), promised(tensor, arguments)
    if inside not in FLOATS:
        refuse_whole(inside, mine)
    return Tensor(full, inside)


def _sizes(letters: _Equation, shape: Known, partial: Known) -> tuple[Known, dict[str, int | None]]:
    """The output's shape, and the size of every letter that the weight may have."""
    hidden = len(shape) - len(letters.inputs)
    if hidden < 0:
        refuse(
            "build",
            f"the input '{letters.inputs}' has {len(letters.inputs)} axes, the tensor {len(shape)}: {text(shape)}",
        )
    if hidden and not letters.ellipsis:
        raise Unclear
    left = hidden if letters.ellipsis == "left" else 0
    batch = shape[:1]
    # The ellipsis on the left hides the batch, too.
    full = (*batch, *shape[1:left], *partial) if left else (*batch, *partial)
    if letters.ellipsis == "right" and hidden:
        full = (*full, *shape[-hidden:])
    if letters.ellipsis == "left" and not left:
        raise Unclear
    if len(full) != left + len(letters.outputs) + (hidden if letters.ellipsis == "right" else 0):
        raise Unclear
    inputs = dict(zip(letters.inputs, shape[left:], strict=False))
    outputs = dict(zip(letters.outputs, full[left:], strict=False))
    _agree(letters, inputs, outputs)
    return full, {**inputs, **outputs}


def _agree(letters: _Equation, inputs: dict[str, int | None], outputs: dict[str, int | None]) -> None:
    """Every letter stands where it must, with one size."""
    for letter in letters.inputs:
        if letter in outputs and outputs[letter] is not None and outputs[letter] != inputs[letter]:
            refuse("build", f"axis '{letter}' is {inputs[letter]} in the input and {outputs[letter]} in output_shape")
    for letter in letters.outputs:
        if letter not in letters.inputs and letter not in letters.weights:
            refuse("build", f"axis '{letter}' of the output is neither in the input nor in the weight")
    for letter in letters.weights:
        if letter not in outputs and letter not in inputs:
            refuse("build", f"axis '{letter}' of the weight is neither in the input nor in the output")


def _rule(arguments: Arguments, call: Call) -> Output:
    """In Keras 2 TensorFlow also tells the axes that ``output_shape`` leaves open."""
    found = _einsum(arguments, call)
    if arguments.keras == 3 or not isinstance(found, Tensor) or not isinstance(found.shape, tuple):
        return found
    equation = arguments["equation"]
    assert isinstance(equation, str)
    letters, shape = _read(equation), dimensions(call.tensor())
    left = len(shape) - len(letters.inputs) if letters.ellipsis == "left" else 0
    inputs = dict(zip(letters.inputs, shape[left:], strict=False))
    after = list(found.shape)
    for at, letter in enumerate(letters.outputs, start=left):
        if after[at] is None:
            after[at] = inputs.get(letter)
    return Tensor(tuple(after), found.dtype)


RULES = (Rule("EinsumDense", "equation, output_shape, activation=None, bias_axes=None", _rule),)
