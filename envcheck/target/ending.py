"""How a child ended: every way has a name, and words for a person."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]
"""One line of a child's answer."""


class Kind(enum.Enum):
    """How a child ended."""

    ANSWERED = "answered"
    EXITED = "exited"
    """It ended by itself with a non-zero exit code, before its answer was complete."""
    SIGNALLED = "signalled"
    """A signal ended it before its answer was complete."""
    TIMED_OUT = "timed out"
    UNKILLABLE = "unkillable"
    """It outlived the deadline and SIGKILL: it is blocked in the kernel or a driver, and was left behind."""
    NO_ANSWER = "no answer"
    UNPARSABLE = "unparsable answer"
    NOT_STARTED = "not started"


SIGNAL_WORDS = {
    "SIGILL": "an illegal instruction (SIGILL): the binary uses CPU instructions that this processor does not have",
    "SIGSEGV": "a segmentation fault (SIGSEGV): native code touched memory that is not its own",
    "SIGABRT": "an abort (SIGABRT): native code gave up on a failed assertion",
    "SIGBUS": "a bus error (SIGBUS): usually a full /dev/shm, or a file cut short while it was mapped",
    "SIGFPE": "an arithmetic error (SIGFPE)",
    "SIGKILL": "SIGKILL: from outside, nearly always by the kernel because memory ran out (OOM)",
    "SIGTERM": "SIGTERM: somebody asked it to end",
}


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a driver's child was stopped before its answer was complete.

    ``status`` is ``hung``, ``unkillable``, ``crashed`` or ``not asked`` (the fault is not the driver's). ``call`` is the call
    that it had announced, ``device`` the device's number if it was about one, ``detail`` how it ended, to stand after "it".
    """

    status: str
    call: str
    device: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended, what it answered until then, and the end of what it printed.

    ``code`` is an exit code, ``signal`` a name such as ``SIGILL``. ``detail`` says why it could not be started or what
    could not be parsed. ``seconds`` is wall time.
    """

    kind: Kind
    records: tuple[Record, ...] = ()
    code: int | None = None
    signal: str | None = None
    detail: str = ""
    output: str = ""
    seconds: float = 0.0

    @property
    def answered(self) -> bool:
        """Whether the answer is complete."""
        return self.kind is Kind.ANSWERED

    def words(self) -> str:
        """How it ended, to stand after "it": ``was ended by …``, ``did not end within …``."""
        if self.kind is Kind.SIGNALLED:
            return f"was ended by {SIGNAL_WORDS.get(self.signal or '', self.signal)}"
        return {
            Kind.ANSWERED: "answered",
            Kind.EXITED: f"ended with exit code {self.code}",
            Kind.TIMED_OUT: f"did not end within {self.seconds:.0f} s and was killed",
            Kind.UNKILLABLE: f"did not end within {self.seconds:.0f} s and could not be killed: it is blocked in the "
            "kernel or in a driver",
            Kind.NO_ANSWER: "ended without an answer",
            Kind.UNPARSABLE: f"gave an answer that cannot be read ({self.detail})",
            Kind.NOT_STARTED: f"could not be started: {self.detail}",
        }[self.kind]

    @property
    def stopped(self) -> Stop | None:
        """Where a child that announces each call (``{"call": …, "device": …}``) was stopped; None where it answered."""
        if self.answered:
            return None
        last = self.records[-1] if self.records else {}
        call, device = str(last.get("call", "")), last.get("device")
        if self.kind in (Kind.TIMED_OUT, Kind.UNKILLABLE):
            # Without a call on record it was still loading itself, on a very slow file system for example.
            return Stop("hung" if self.kind is Kind.TIMED_OUT else "unkillable", call or "starting up", device, "")
        # SIGKILL comes from outside, mostly for want of memory: that says nothing about the driver.
        crashed = bool(call) and self.kind is not Kind.NOT_STARTED and self.signal not in ("SIGKILL", "SIGTERM")
        printed = " ".join(self.output.split())[-300:]
        detail = self.words() + (f"; it printed: {printed}" if printed and not crashed else "")
        return Stop("crashed" if crashed else "not asked", call, device, detail)
