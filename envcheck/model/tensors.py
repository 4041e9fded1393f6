"""The nouns of the static reading of models: dimensions, shapes, tensors, and layers as they stand in source.

Two different things may be missing. ``None`` is what Keras itself writes for a dimension that is free until there is
data (the batch). :data:`UNKNOWN` is what *we* could not read from the source. Nothing is ever concluded from the latter.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias


class Unknown(enum.Enum):
    """What cannot be read from source. Its one member is :data:`UNKNOWN`."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        """As it is written in source."""
        return "UNKNOWN"


UNKNOWN: Final = Unknown.UNKNOWN
"""A dimension, a rank, a dtype or an argument that the source does not tell."""

Dimension: TypeAlias = "int | Unknown | None"
Shape: TypeAlias = "tuple[Dimension, ...] | Unknown"
"""Dimensions, the batch first; UNKNOWN when not even the rank is known."""
Stage = Literal["construction", "build", "call"]
"""When Keras raises: the layer is made, its weights are made, or it is called on a (symbolic) tensor."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A symbolic tensor.

    Attributes:
        shape: The batch first.
        dtype: A name as Keras writes it, such as ``float32`` or ``string``.
    """

    shape: Shape = UNKNOWN
    dtype: str | Unknown = UNKNOWN


@dataclass(frozen=True)
class Layer:
    """A layer as it is made in source: nothing says that Keras accepts it.

    Attributes:
        name: Its canonical name, such as ``keras.layers.Conv2D``.
        positional: Arguments without a name. Values are Python's own, :data:`UNKNOWN`, or a :class:`Layer`.
        keywords: Arguments by name.
    """

    name: str
    positional: tuple[object, ...] = ()
    keywords: Mapping[str, object] = field(default_factory=dict)


Inputs: TypeAlias = "Tensor | tuple[Tensor, ...]"
"""What a layer is called on: one tensor, or a list of them."""
Output: TypeAlias = "Tensor | tuple[Tensor, ...] | Unknown"
"""What a layer returns: one tensor, several, or UNKNOWN when a rule cannot say."""


class Refused(Exception):  # noqa: N818 - not an error of ours: it is an answer
    """Keras raises here.

    Attributes:
        stage: When.
        reason: Why, in the words of the field and with the numbers.
    """

    def __init__(self, stage: Stage, reason: str) -> None:
        super().__init__(stage, reason)
        self.stage: Stage = stage
        self.reason = reason


def text(shape: Shape) -> str:
    """A shape as people write it: ``(None, 28, 28, 1)``, with ``?`` for what is unknown."""
    if isinstance(shape, Unknown):
        return "(?)"
    inner = ", ".join("?" if isinstance(each, Unknown) else str(each) for each in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"
