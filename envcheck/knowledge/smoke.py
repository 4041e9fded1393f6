"""What the smoke run's log means, and what to do when one of its steps goes wrong."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, Protocol

import msgspec
from packaging.version import InvalidVersion, Version

from envcheck.findings import Fix
from envcheck.knowledge.knots import Symptom
from envcheck.knowledge.rows import Source

AND_CUDA = "tensorflow[and-cuda]"


class LogRow(msgspec.Struct, frozen=True):
    """What a line of TensorFlow's log (a regular expression) means; log_lines.yaml says more.

    Raises:
        ValueError: the pattern is no regular expression.
    """

    id: str
    pattern: str
    meaning: str
    harmless: Literal["always", "without a gpu", "never"]
    source: Source

    def __post_init__(self) -> None:
        """Refuse what is no pattern."""
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern: {error}") from None

    def finds(self, text: str) -> bool:
        """Whether the pattern is found in a line."""
        return re.search(self.pattern, text) is not None

    def harmless_where(self, *, gpu: bool) -> bool:
        """Whether the line means no trouble on a machine with or without a GPU to use."""
        return self.harmless == "always" or (self.harmless == "without a gpu" and not gpu)


class Ended(Protocol):
    """A step that went wrong; ``told`` is the text in which a symptom may be found, ``early`` that the run ended in it.

    ``longer`` is how many seconds to allow a further try; ``versions`` are those of the imported packages.
    """

    @property
    def told(self) -> str:
        """The text."""

    @property
    def early(self) -> bool:
        """Whether the run ended."""

    @property
    def longer(self) -> float:
        """Seconds."""

    @property
    def versions(self) -> Mapping[str, str]:
        """The versions by package."""


class Installer(Protocol):
    """The interpreter in which it went wrong."""

    @property
    def executable(self) -> str:
        """Its path."""

    @property
    def series(self) -> str:
        """Its series, such as ``3.12``."""

    def install(self, requirement: str) -> str:
        """The command that installs a requirement."""


def remedy(
    symptoms: Iterable[Symptom],
    trouble: Ended,
    python: Installer,
    has_extra: Callable[[Version, str, str], bool],
) -> Fix:
    """The fix of the first symptom that is found in what the step told."""
    kinds = ("both", "ending" if trouble.early else "message")
    for row in symptoms:
        match = re.search(row.pattern, trouble.told, re.MULTILINE) if row.of in kinds else None
        if match is None:
            continue
        wanted = (row.install or "").replace("{}", (match.groups() or ("",))[0] or "")
        if wanted == AND_CUDA:
            wanted = _this_very(trouble.versions.get("tensorflow", ""), python.series, has_extra)
        filled = [_filled(command, trouble, python) for command in row.commands]
        if wanted:
            filled.insert(0, python.install(wanted))
        verify = _filled(row.verify, trouble, python) if row.verify else None
        return Fix(row.remedy, tuple(filled), verify, row.safe)
    raise LookupError("symptoms.yaml has no row for what is not known")


def _filled(text: str, trouble: Ended, python: Installer) -> str:
    return text.replace("{python}", shlex.quote(python.executable)).replace("{seconds}", f"{trouble.longer:.0f}")


def _this_very(version: str, series: str, has_extra: Callable[[Version, str, str], bool]) -> str:
    """The extra ``and-cuda`` of the very version that is there, where that has it."""
    try:
        known = has_extra(Version(version), "and-cuda", series)
    except InvalidVersion:
        known = False
    return f"{AND_CUDA}=={version}" if known else ""
