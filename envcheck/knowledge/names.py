"""The small tables: names, backends of Keras, processors, and the date up to which releases are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec
from packaging.specifiers import SpecifierSet

from envcheck.knowledge.rows import Source


@dataclass(frozen=True, slots=True)
class Names:
    """A set of names: ``what`` tells of what."""

    what: str
    names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    source: Source


@dataclass(frozen=True, slots=True)
class Refreshed:
    """When (ISO 8601 date) the releases were last read from the package index."""

    what: str
    as_of: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d$")]
    source: Source


@dataclass(frozen=True, slots=True)
class KerasBackends:
    """The backends of a range of Keras versions: the import package each needs, and the oldest version of some."""

    versions: str
    backends: Mapping[str, str]
    oldest: Mapping[str, str]
    source: Source

    def __post_init__(self) -> None:
        """Refuse what is no specifier."""
        SpecifierSet(self.versions)


@dataclass(frozen=True, slots=True)
class Processor:
    """The instruction set that the x86-64 wheels of a range of TensorFlow versions need."""

    tensorflow: str
    needs: str
    source: Source

    def __post_init__(self) -> None:
        """Refuse what is no specifier."""
        SpecifierSet(self.tensorflow)
