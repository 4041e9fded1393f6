"""Healthy or not: the one line that a health check prints."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from envcheck.printable import printable

MOST = 3800
"""Bytes of the line at most: Docker keeps 4096 of what a health check prints.
https://docs.docker.com/reference/dockerfile/#healthcheck"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``reasons`` say why it is not healthy, ``seen`` what was found well, ``unseen`` what was not looked at."""

    reasons: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons

    def line(self) -> str:
        """One line, at most :data:`MOST` bytes of it."""
        if not self.healthy:
            return cut(f"unhealthy: {'; '.join(self.reasons)}", MOST)
        unseen = f" (not looked at: {', '.join(self.unseen)})" if self.unseen else ""
        return cut(f"healthy: {'; '.join(self.seen)}{unseen}", MOST)

    def json(self) -> str:
        """The same as one line of JSON."""
        told = {"reasons": self.reasons, "seen": self.seen, "unseen": self.unseen}
        room = MOST // 4
        while True:  # escapes make text longer than it was
            lists = {name: _fitting(texts, room) for name, texts in told.items()}
            line = json.dumps({"schema_version": 1, "healthy": self.healthy, **lists})
            if len(line) <= MOST:
                return line
            room //= 2


def cut(text: str, most: int) -> str:
    """``text`` on one line, fit for a terminal, in at most ``most`` bytes of UTF-8."""
    data = printable(text).replace("–", "-").encode("utf-8", "replace")  # a health check's log may be read as ASCII
    if len(data) <= most:
        return data.decode("utf-8")
    return data[: most - 3].decode("utf-8", "ignore") + "..."


def _fitting(texts: tuple[str, ...], room: int) -> list[str]:
    found: list[str] = []
    for text in texts:
        left = room - sum(map(len, found))
        if left < 8:
            break
        found.append(cut(text, left))
    return found


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """All of several, in their order."""
    every = tuple(verdicts)
    return Verdict(
        tuple(reason for verdict in every for reason in verdict.reasons),
        tuple(words for verdict in every for words in verdict.seen),
        tuple(words for verdict in every for words in verdict.unseen),
    )
