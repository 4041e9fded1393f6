"""Versions that break each other although no metadata says so, and what the messages of a failed run mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from envcheck.knowledge.rows import Source


class Knot(msgspec.Struct, frozen=True):
    """One such knot.

    ``when`` maps distributions to version ranges, ``python`` among them; all must hold. ``install`` and ``uninstall``
    are the fix, with ``{series}`` standing for the TensorFlow series found.

    Raises:
        ValueError: a range is no version specifier, or a name is not normalized.
    """

    id: str
    when: Annotated[Mapping[str, str], msgspec.Meta(min_length=1)]
    severity: Literal["error", "warning", "note"]
    consequence: str
    fix: str
    source: Source
    install: tuple[str, ...] = ()
    uninstall: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no specifier, and a name under which nothing is ever found."""
        for name, wanted in self.when.items():
            SpecifierSet(wanted)
            if name != canonicalize_name(name):
                raise ValueError(f"when: write {canonicalize_name(name)} for {name}")

    def ties(self, installed: Mapping[str, Version]) -> bool:
        """Whether every range of ``when`` holds for what is installed."""
        return all(
            name in installed and SpecifierSet(wanted).contains(installed[name], prereleases=True)
            for name, wanted in self.when.items()
        )


class Symptom(msgspec.Struct, frozen=True):
    """What a message or the ending of a failed smoke step says (a regular expression), and what to do; symptoms.yaml says
    more.

    Raises:
        ValueError: the pattern is no regular expression.
    """

    id: str
    pattern: str
    remedy: str
    install: str | None
    source: Source
    of: Literal["message", "ending", "both"] = "message"
    commands: tuple[str, ...] = ()
    verify: str | None = None
    safe: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no pattern."""
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern: {error}") from None
