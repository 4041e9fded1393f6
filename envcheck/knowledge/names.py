"""The small tables: names, backends of Keras, processors, and the date up to which releases are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec
from packaging.specifiers import SpecifierSet

from envcheck.knowledge.rows import Source


class Names(msgspec.Struct, frozen=True):
    """A set of names: ``what`` tells of what."""

    what: str
    names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    source: Source


class Refreshed(msgspec.Struct, frozen=True):
    """When (ISO 8601 date) the releases were last read from the package index."""

    what: str
    as_of: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d$")]
    source: Source


class KerasBackends(msgspec.Struct, frozen=True):
    """The backends of a range of Keras versions: the import package each needs, and the oldest version of some."""

    versions: str
    backends: Mapping[str, str]
    oldest: Mapping[str, str]
    source: Source

    def __post_init__(self) -> None:
        """Refuse what is no specifier."""
        SpecifierSet(self.versions)


class Processor(msgspec.Struct, frozen=True):
    """The instruction set that the x86-64 wheels of a range of TensorFlow versions need."""

    tensorflow: str
    needs: str
    source: Source

    def __post_init__(self) -> None:
        """Refuse what is no specifier."""
        SpecifierSet(self.tensorflow)
