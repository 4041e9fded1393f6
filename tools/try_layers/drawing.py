"""What one trial is, and seeded draws of its parts: most of them fine, some of them what people really get wrong."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from envcheck.model.tensors import Inputs, Layer, Tensor

ODD_UNITS = (0, -1, 2.5, "3", None, True)
ODD_RATES = (-0.1, 1.0, 1.5, 50, "0.5", None)
ODD_PADDINGS = ("causal", "full", "SAME", None, 1)
ODD_DATA_FORMATS = ("channels_middle", "NHWC", 3)
ODD_DTYPES = ("int32", "int64", "float16", "float64", "uint8", "bool", "string")
ODD_AXES = (0, 1, 2, 3, -2, -3, 5, -6, "1", None)
NO_ACTIVATIONS = ("rellu", "leaky", 3)


@dataclass(frozen=True)
class Trial:
    """One layer, made and called.

    Attributes:
        layer: How it is made.
        inputs: What it is called on, as its first argument.
        call: Further arguments of the call: tensors (or lists of them) and plain values, by name.
    """

    layer: Layer
    inputs: Inputs
    call: Mapping[str, object] = field(default_factory=dict)


class Draw:
    """Draws from one seed.

    Args:
        seed: The same seed gives the same trials on every machine.
        odd: How probable it is that one draw is an odd one, 0 to 1.
    """

    def __init__(self, seed: str, odd: float = 0.07) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable is what is wanted
        self._odd = odd

    def chance(self, probability: float) -> bool:
        """True with a probability of 0 to 1."""
        return self._random.random() < probability

    def one(self, values: Sequence[object]) -> object:
        """One of the values."""
        return values[self._random.randrange(len(values))]

    def number(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self._random.randint(low, high)

    def pick(self, fine: Sequence[object], odd: Sequence[object] = ()) -> object:
        """One of the fine values, seldom one of the odd ones."""
        return self.one(odd) if odd and self.chance(self._odd) else self.one(fine)

    def units(self) -> object:
        """A number of units or filters."""
        return self.pick((1, 2, 3, 4, 6, 8), ODD_UNITS)

    def sizes(
        self, rank: int, fine: Sequence[int] = (1, 2, 3), odd: Sequence[object] = (0, -1, 2.5, "2", None)
    ) -> object:
        """A kernel, stride or pool size: one number, or one per spatial axis, seldom one too many."""
        if self.chance(0.5):
            return self.pick(fine, odd)
        if self.chance(self._odd):
            return tuple(self.one(fine) for _ in range(rank + 1))
        return tuple(self.pick(fine, odd) if self.chance(0.3) else self.one(fine) for _ in range(rank))

    def dimension(self) -> int | None:
        """A dimension, seldom 0, sometimes free."""
        if self.chance(0.15):
            return None
        return 0 if self.chance(0.01) else self.number(1, 8)

    def shape(self, rank: int, last: Sequence[int | None] = ()) -> tuple[int | None, ...]:
        """A shape of ``rank`` dimensions with the batch, seldom of another rank."""
        if self.chance(self._odd):
            rank = max(1, rank + self.number(-2, 1))
        dimensions = [self.dimension() for _ in range(rank)]
        if not self.chance(0.2):
            dimensions[0] = None
        if last and rank > 1 and not self.chance(self._odd):
            chosen = self.one(last)
            assert chosen is None or isinstance(chosen, int)
            dimensions[-1] = chosen
        return tuple(dimensions)

    def tensor(
        self,
        rank: int,
        dtypes: Sequence[str] = ("float32",),
        odd: Sequence[str] = ODD_DTYPES,
        last: Sequence[int | None] = (),
    ) -> Tensor:
        """A tensor of ``rank`` dimensions with the batch."""
        dtype = self.one(odd) if odd and self.chance(self._odd / 2) else self.one(dtypes)
        assert isinstance(dtype, str)
        return Tensor(self.shape(rank, last), dtype)

    def some(self, **arguments: object) -> dict[str, object]:
        """Some of the arguments, the others left to their defaults."""
        return {name: value for name, value in arguments.items() if self.chance(0.4)}

    def layer(self, name: str, required: Mapping[str, object], optional: Mapping[str, object] = {}) -> Layer:
        """A layer with what it needs (seldom without), often by position, and some of what it may have."""
        needed = dict(required)
        if needed and self.chance(self._odd / 4):
            needed.pop(next(reversed(needed)))
        keywords = self.some(**optional)
        if self.chance(0.05):
            keywords["dtype"] = self.one(("float16", "float64", "mixed_float16", "float32", "int32"))
        if self.chance(0.5):
            return Layer(f"keras.layers.{name}", tuple(needed.values()), keywords)
        return Layer(f"keras.layers.{name}", (), {**needed, **keywords})
