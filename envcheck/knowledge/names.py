"""The small tables: sets of names, and the date up to which releases are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

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
