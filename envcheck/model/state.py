"""Changes that can be undone, and what is known where paths through a program meet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from envcheck.model.cells import BIRTHS, Cell
from envcheck.model.events import Array, KerasTensor
from envcheck.model.names import canonical
from envcheck.model.tensors import UNKNOWN, Shape, Tensor, Unknown
from envcheck.model.values import Symbol, Value

MOST_COMPARED = 2_000
"""Items of two tuples that are compared; after that they are taken to differ."""
LONGEST_JOINED = 64
"""Items of tuples of which each may differ; longer ones that differ are UNKNOWN."""
MISSING = object()
"""A name or key that is not there."""
Key: TypeAlias = "tuple[int, str]"
Snapshot: TypeAlias = "dict[Key, tuple[Cell, str, Value]]"
"""What a path has written: where, and what stands there at its end."""


class State:
    """Writes to cells, and remembers what they overwrite while a path is open."""

    def __init__(self) -> None:
        self._open: list[Snapshot] = []

    def write(self, cell: Cell, key: str, value: Value) -> None:
        """Set one key of a cell."""
        if self._open:
            place = (id(cell), key)
            if place not in self._open[-1]:
                self._open[-1][place] = (cell, key, cell.state.get(key, MISSING))
        _put(cell, key, value)

    def begin(self) -> int:
        """Open a path; what is returned tells it from those around it."""
        self._open.append({})
        return len(self._open) - 1

    def keep(self, depth: int) -> None:
        """Close a path (and any left open in it): what it wrote stays."""
        while len(self._open) > depth:
            closed = self._open.pop()
            if self._open:
                outer = self._open[-1]
                for place, old in closed.items():
                    outer.setdefault(place, old)

    def undo(self, depth: int) -> Snapshot:
        """Close a path and take back what it wrote, which is returned."""
        self.keep(depth + 1)
        closed = self._open.pop()
        after: Snapshot = {}
        for place, (cell, key, old) in closed.items():
            after[place] = (cell, key, cell.state.get(key, MISSING))
            _put(cell, key, old)
        return after

    def since(self, depth: int) -> Snapshot:
        """What has been written since a path was opened; nothing is taken back."""
        after: Snapshot = {}
        for each in self._open[depth:]:
            for place, (cell, key, _) in each.items():
                after[place] = (cell, key, cell.state.get(key, MISSING))
        return after

    @property
    def depth(self) -> int:
        """How many paths are open."""
        return len(self._open)

    def settle(self, ends: list[Snapshot], mark: int) -> bool:
        """Go on from where several paths meet.

        Args:
            ends: What each of them wrote; all began here.
            mark: :meth:`mark` from before the first of them. What was made on a path is there on no other one.

        Returns:
            Whether that changed anything that was there before.
        """
        places: Snapshot = {}
        for end in ends:
            places.update(end)
        changed = False
        for place, (cell, key, value) in places.items():
            here = cell.state.get(key, MISSING)
            if cell.born > mark:
                met = join(end[place][2] for end in ends if place in end)
            elif len(ends) == 1:
                met = value
            else:
                met = join(end[place][2] if place in end else here for end in ends)
            if not same(met, here):
                changed = changed or cell.born <= mark
                self.write(cell, key, met)
        return changed

    @staticmethod
    def mark() -> int:
        """A number between those of the cells that are there and those that will be made."""
        return next(BIRTHS)

    def forget(self, places: Iterable[tuple[Cell, str, Value]]) -> None:
        """Nothing is known any more of what stands in these places."""
        for cell, key, _ in places:
            self.write(cell, key, UNKNOWN)


def _put(cell: Cell, key: str, value: Value) -> None:
    if value is MISSING:
        cell.state.pop(key, None)
    else:
        cell.state[key] = value


def same(one: Value, two: Value) -> bool:
    """Whether two values are the same for sure; ``1`` is neither ``True`` nor ``1.0``."""
    waiting = [(one, two)]
    for _ in range(MOST_COMPARED):
        if not waiting:
            return True
        a, b = waiting.pop()
        if a is b:
            continue
        if type(a) is not type(b):
            return False
        if isinstance(a, tuple):
            if len(a) != len(b):
                return False
            waiting += zip(a, b, strict=True)
        elif a != b:
            return False
    return False


def join(values: Iterable[Value]) -> Value:
    """What is known of a value that is one of several."""
    met: Value = MISSING
    for number, value in enumerate(values):
        met = value if number == 0 else _joined(met, value, 0)
        if met is UNKNOWN:
            return UNKNOWN
    return met


def _joined(one: Value, two: Value, depth: int) -> Value:
    if same(one, two):
        return one
    if isinstance(one, tuple) and isinstance(two, tuple):
        if len(one) != len(two) or len(one) > LONGEST_JOINED or depth > 2:
            return UNKNOWN
        return tuple(_joined(a, b, depth + 1) for a, b in zip(one, two, strict=True))
    if isinstance(one, Symbol) and isinstance(two, Symbol) and canonical(one.name) == canonical(two.name):
        return one
    if isinstance(one, KerasTensor) and isinstance(two, KerasTensor):
        tensor = either(one.tensor, two.tensor)
        for each in (one, two):
            if each.made_by is UNKNOWN and each.inputs is UNKNOWN and tensor == each.tensor:
                return each
        return KerasTensor(tensor)
    if isinstance(one, Array) and isinstance(two, Array) and one.library == two.library:
        return Array(
            shape_of_either(one.shape, two.shape), one.dtype if one.dtype == two.dtype else UNKNOWN, one.library
        )
    return UNKNOWN


def either(one: Tensor, two: Tensor) -> Tensor:
    """What is known of a tensor that is one of two."""
    dtype = one.dtype if one.dtype == two.dtype else UNKNOWN
    return Tensor(shape_of_either(one.shape, two.shape), dtype)


def shape_of_either(one: Shape, two: Shape) -> Shape:
    """What is known of a shape that is one of two."""
    if isinstance(one, Unknown) or isinstance(two, Unknown) or len(one) != len(two):
        return UNKNOWN
    return tuple(a if a is b or a == b else UNKNOWN for a, b in zip(one, two, strict=True))
