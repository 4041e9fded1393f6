"""What Keras's built-in layers make of their inputs, or why they refuse them: one module per family, one rule per layer.

A new family is a module with ``RULES`` here and its name in :data:`FAMILIES`; tests compare that with the folder.
Each rule is compared with the real layer, in Keras 2 and Keras 3, over generated configurations: ``tools/try_layers``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from envcheck.model.layers import (
    activations,
    attention,
    borders,
    categories,
    convolution,
    convolution_recurrent,
    convolution_transpose,
    core,
    einsum,
    locally_connected,
    lookups,
    merging,
    multi_head,
    normalization,
    pooling,
    preprocessing,
    recurrent,
    regularization,
    reshaping,
    wrappers,
)
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, single
from envcheck.model.tensors import UNKNOWN, Inputs, Layer, Output

FAMILIES = (
    activations,
    attention,
    borders,
    categories,
    convolution,
    convolution_recurrent,
    convolution_transpose,
    core,
    einsum,
    locally_connected,
    lookups,
    merging,
    multi_head,
    normalization,
    pooling,
    preprocessing,
    recurrent,
    regularization,
    reshaping,
    wrappers,
)
RULES: Mapping[str, Rule] = MappingProxyType(single([rule for family in FAMILIES for rule in family.RULES]))
"""Every rule by the class's own name."""
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        **{f"AvgPool{rank}D": f"AveragePooling{rank}D" for rank in (1, 2, 3)},
        **{f"MaxPool{rank}D": f"MaxPooling{rank}D" for rank in (1, 2, 3)},
        **{f"GlobalAvgPool{rank}D": f"GlobalAveragePooling{rank}D" for rank in (1, 2, 3)},
        **{f"GlobalMaxPool{rank}D": f"GlobalMaxPooling{rank}D" for rank in (1, 2, 3)},
        **{f"Convolution{rank}D": f"Conv{rank}D" for rank in (1, 2, 3)},
        **{f"Convolution{rank}DTranspose": f"Conv{rank}DTranspose" for rank in (1, 2, 3)},
        **{f"SeparableConvolution{rank}D": f"SeparableConv{rank}D" for rank in (1, 2)},
        "GroupQueryAttention": "GroupedQueryAttention",
    }
)
_NOTHING: Mapping[str, object] = MappingProxyType({})
_PLACES = frozenset(
    {"keras", "keras.layers", "tensorflow.keras", "tensorflow.keras.layers", "tf.keras.layers", "tf_keras.layers"}
)


def find(name: str) -> Rule | None:
    """The rule of a layer by its canonical name, such as ``keras.layers.Conv2D``; None where there is none."""
    place, _, last = name.rpartition(".")
    if place not in _PLACES or (place in ("keras", "tensorflow.keras") and last != "Input"):
        return None
    return RULES.get(ALIASES.get(last, last))


def output(layer: Layer, inputs: Inputs, keras_major: int, call: Mapping[str, object] = _NOTHING) -> Output:
    """What a layer returns.

    Args:
        layer: How it is made.
        inputs: The first argument of its call: a tensor, or a tuple of them for a list.
        keras_major: 2 or 3.
        call: The other arguments of the call by name.

    Returns:
        One tensor, several, or UNKNOWN: the layer is not a built-in one, or the rule cannot say.

    Raises:
        Refused: Keras raises; with the stage and the reason. What is refused when the layer is made is refused with
            unknown inputs (``Tensor()``), too.
    """
    try:
        return _answer(layer, inputs, keras_major, call)
    except Unclear:
        return UNKNOWN


def _answer(layer: Layer, inputs: Inputs, keras_major: int, call: Mapping[str, object]) -> Output:
    rule, arguments = _Inside(keras_major).found(layer)
    return rule.answer(arguments, Call(inputs, call))


@dataclass(frozen=True, slots=True)
class _Inside:
    """Answers a rule's questions about the layers that its own layer holds."""

    keras: int

    def found(self, layer: Layer) -> tuple[Rule, Arguments]:
        rule = find(layer.name)
        if rule is None or rule.only not in (None, self.keras):
            raise Unclear
        return rule, rule.bind(layer, self.keras, self)

    def apply(self, layer: Layer, inputs: Inputs, call: Mapping[str, object]) -> Output:
        return _answer(layer, inputs, self.keras, call)

    def bind(self, layer: Layer) -> tuple[str, Arguments]:
        rule, arguments = self.found(layer)
        return rule.name, arguments
