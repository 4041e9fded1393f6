"""The nouns of looking: one machine's facts, and what is left where a probe could not look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SCHEMA_VERSION = 1
"""Raised when a reader of the JSON must change; new optional fields do not raise it."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """What is left when a probe could not look; the reason ends the sentence "not available: …".

    ``absent`` says that it did look and there is no such thing (no TensorFlow, no GPU). ``broken`` marks a bug in the
    probe itself, which is never a statement about the environment.
    """

    reason: str
    broken: bool = False
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Inventory:
    """One machine's facts by probe name. It round-trips through JSON and travels between machines.

    ``collected_at`` is an ISO 8601 time in UTC.
    """

    facts: Mapping[str, object] = field(default_factory=dict)
    collected_at: str = ""
    tool_version: str = ""
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class Expectations:
    """What the user asks of the environment, on the command line.

    ``device`` is ``auto`` (use a GPU when there is one), ``cpu``, ``gpu`` or ``gpu:N``, the framework's number;
    ``min_gpu_memory`` is in bytes.
    ``whole_environment`` asks for distributions as well that have nothing to do with TensorFlow and Keras.
    """

    device: str = "auto"
    require_gpu: bool = False
    min_gpu_memory: int | None = None
    whole_environment: bool = False

    @property
    def gpu_required(self) -> bool:
        """Whether a missing GPU is an error."""
        return self.require_gpu or self.device.startswith("gpu") or self.min_gpu_memory is not None
