"""SIGINT, SIGTERM and SIGHUP: an exception that ends the children on its way out, held back while one is being started."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType

from envcheck.errors import HUNG_UP, INTERRUPTED, TERMINATED, Stopped

_ENDINGS = {signal.SIGINT: ("interrupted", INTERRUPTED), signal.SIGTERM: ("terminated", TERMINATED)}
if sys.platform != "win32":
    _ENDINGS[signal.SIGHUP] = ("the terminal was closed", HUNG_UP)
_held = 0
_pending: Stopped | None = None
received: Stopped | None = None
"""The signal that arrived last: where Python wraps an exception (``__set_name__`` during an import does), it still counts."""


def install() -> None:
    """Have these signals raise :class:`Stopped`; one that is ignored stays so: ``nohup`` and scripts mean it."""
    for number in _ENDINGS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def _stop(number: int, _frame: FrameType | None) -> None:
    global _pending, received  # noqa: PLW0603 - a signal belongs to the whole process
    stopped = received = Stopped(*_ENDINGS[signal.Signals(number)])
    if not _held:
        raise stopped
    _pending = stopped


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Hold signals back: between a child's start and the moment where someone knows of it, none may get lost."""
    global _held, _pending  # noqa: PLW0603
    _held += 1
    try:
        yield
    finally:
        _held -= 1
        if not _held and _pending is not None:
            stopped, _pending = _pending, None
            raise stopped
