"""What a program can change in place."""

from __future__ import annotations

from itertools import count
from typing import Any

BIRTHS = count(1)


class Cell:
    """Something that can change: its content is ``state``, written only by :class:`envcheck.model.state.State`.

    ``born`` orders cells by when they were made.
    """

    __slots__ = ("born", "state")

    def __init__(self, **state: Any) -> None:
        self.state: dict[str, Any] = state
        self.born = next(BIRTHS)


class Buffer(Cell):
    """The memory that an array shares with its views, and here with its copies too.

    State: ``written``, whether its numbers may have changed in place.
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(written=False)
