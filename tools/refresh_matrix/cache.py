"""What was read of a wheel, kept by the digest of its content: a wheel never changes, so it is read once."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import msgspec

from tools.refresh_matrix.wheels import WheelFacts

FORM = 1
"""Counted up when what is read of a wheel changes: older answers are then not used."""


def default() -> Path:
    """The user's cache directory: https://specifications.freedesktop.org/basedir-spec/latest/"""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "envcheck" / "refresh"


class Cache:
    """Facts by digest under ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / str(FORM)

    def get(self, digest: str) -> WheelFacts | None:
        """What was kept; None when there is nothing, or nothing that can be read."""
        try:
            return msgspec.json.decode(self._path(digest).read_bytes(), type=WheelFacts)
        except (OSError, msgspec.MsgspecError):
            return None

    def put(self, digest: str, facts: WheelFacts) -> None:
        """Keep ``facts``."""
        write(self._path(digest), msgspec.json.encode(facts))

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.json"


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)
