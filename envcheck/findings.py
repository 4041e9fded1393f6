"""The nouns of judging: what a check is, what it finds, how it ended, and the report of all of them.

Plain data and the standard library only. Everything else in envcheck speaks in these words.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from envcheck.links import Link as Link  # noqa: PLC0414 - checks take their words from here
from envcheck.links import LinkState

if TYPE_CHECKING:
    from envcheck.inventory import Inventory


class Severity(enum.Enum):
    """What a finding means for the training run."""

    ERROR = "error"
    """Training will fail, or run on the wrong device."""
    WARNING = "warning"
    """Trouble is likely."""
    NOTE = "note"
    """Worth knowing; nothing breaks."""

    @property
    def rank(self) -> int:
        """0 for a note, 1 for a warning, 2 for an error: comparable."""
        return {"note": 0, "warning": 1, "error": 2}[self.value]


class Status(enum.Enum):
    """How one check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"
    """The question does not arise here: there is no GPU, the variable is not set; the outcome says why."""
    SKIPPED = "skipped"
    """A fact that the check needs could not be seen: nothing is known, and the outcome says why."""
    BROKEN = "broken"
    """The check itself raised: a bug in envcheck, never a statement about the environment."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a finding is: a file, and where it helps a line (from 1), a column (from 1) and a notebook cell (from 1)."""

    path: str
    line: int | None = None
    column: int | None = None
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do about a finding.

    ``commands`` are exact and run in order, for the package manager in use. ``safe`` says that running them cannot
    lose anything the user may want to keep.
    """

    summary: str
    commands: tuple[str, ...] = ()
    verify: str | None = None
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: what is, what was expected, and what to do.

    ``severity`` and ``link`` stand only where they differ from the check's own. ``evidence`` holds JSON values.
    """

    message: str
    fix: Fix | None = None
    location: Location | None = None
    symbol: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity | None = None
    url: str | None = None
    link: Link | None = None


class Skip(Exception):  # noqa: N818 - it is no error: it is how a check says that it has no opinion
    """Raised by a check whose question does not arise here, or which could not look (``unknown``).

    The reason ends the sentence "not applicable: …" or "not checked: …".
    """

    def __init__(self, reason: str, *, unknown: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unknown = unknown


@dataclass(frozen=True, slots=True)
class Check:
    """A named opinion: a pure generator from facts to findings.

    ``facts`` are the parameter names of ``judge``; the engine collects each one on demand. ``explains`` lists code
    prefixes: when this check fails with an error, failures of those codes are its consequence and are not counted again.
    ``unless`` is the code of a check whose passing proves that this one's errors do not matter here: they become
    warnings. ``tolerates`` are the facts (annotated ``| Unavailable``) that the check can judge without. ``link`` is the
    link of the chain to the GPU that its failure breaks: what fails further along is then its consequence.
    """

    code: str
    title: str
    severity: Severity
    facts: tuple[str, ...]
    judge: Callable[..., Iterator[Finding]]
    explains: tuple[str, ...] = ()
    unless: str | None = None
    tolerates: frozenset[str] = frozenset()
    link: Link | None = None

    @property
    def doc(self) -> str:
        """What ``envcheck explain CODE`` prints: cause, fix, source."""
        return self.judge.__doc__ or ""


JudgeT = TypeVar("JudgeT", bound=Callable[..., Iterator[Finding]])


def check(
    code: str,
    title: str,
    severity: Severity = Severity.ERROR,
    *,
    explains: tuple[str, ...] = (),
    unless: str | None = None,
    link: Link | None = None,
) -> Callable[[JudgeT], Check]:
    """Make a generator function a :class:`Check`; its parameter names are the facts that it wants."""

    def decorate(judge: JudgeT) -> Check:
        names = judge.__code__.co_varnames[: judge.__code__.co_argcount]
        return Check(code, title, severity, names, judge, explains, unless, tolerated(judge), link)

    return decorate


def tolerated(function: Callable[..., object]) -> frozenset[str]:
    """The parameters annotated ``| Unavailable``: they are handed over even where a probe could not look."""
    return frozenset(name for name, hint in function.__annotations__.items() if "Unavailable" in str(hint)) - {"return"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one check ended, with its findings, and the seconds it took.

    ``reason`` is there when it was skipped or broken. ``caused_by`` is the code of the failed check that explains it.
    ``link`` is the link of the chain to the GPU that it is about: where it failed, the one that its gravest finding breaks.
    """

    code: str
    title: str
    severity: Severity
    status: Status
    reason: str | None = None
    seconds: float = 0.0
    findings: tuple[Finding, ...] = ()
    caused_by: str | None = None
    link: Link | None = None

    @property
    def worst(self) -> Severity | None:
        """The gravest severity among the findings; None without any."""
        there = {finding.severity or self.severity for finding in self.findings}
        return max(there, key=lambda severity: severity.rank, default=None)


@dataclass(frozen=True, slots=True)
class Unseen:
    """Something a user might believe was looked at and was not: what, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Override:
    """One row of a team's own over the compatibility matrix: where it stands, the table and row it changes, and why."""

    file: str
    line: int
    table: str
    row: str
    reason: str


@dataclass(frozen=True, slots=True)
class Basis:
    """What was judged by: the matrix, with releases up to ``as_of`` (ISO 8601 date), and what a team's own file changes."""

    as_of: str
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """The reference that bounds a window on one side: its dotted name, and where it stands."""

    symbol: str
    location: Location


@dataclass(frozen=True, slots=True)
class Window:
    """The releases of one package on which every reference of a file, a folder or the whole tree exists.

    Args:
        scope: the path of the file or folder; ``.`` for all that was scanned.
        package: ``tensorflow``, ``keras`` or ``tf_keras``; ``tf.keras`` counts as tensorflow, and from TensorFlow 2.16 on as
            ``keras under tf.keras``, for the installed Keras decides there.
        releases: intervals, (first, last); last is None where it is the newest recorded release. None at all: no release has all.
        lower, upper: what rules out older and newer releases.
    """

    scope: str
    package: str
    releases: tuple[tuple[str, str | None], ...]
    lower: Bound | None = None
    upper: Bound | None = None

    @property
    def words(self) -> str:
        """``tensorflow 2.4-2.15``, as the last interval says it."""
        if not self.releases:
            return f"no release of {self.package}"
        parts = [
            first if last == first else f"{first} or newer" if last is None else f"{first}-{last}"
            for first, last in self.releases
        ]
        return f"{self.package} {', '.join(parts)}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much model code was looked at and understood.

    ``scanned``, ``skipped`` and ``unparsed`` count files; unparsed ones, in whole or in part, are among the scanned.
    ``known``, ``unknown`` and ``guarded`` count references over all targets: judged; nothing is recorded about them; not run
    on the target, or an absent name is caught. ``folded`` ones fail only because of another finding, ``untyped`` are attributes
    of objects whose class could not be told; neither is in ``total``. ``hidden`` findings were left out by comments, settings
    or a baseline. ``targets`` are the targets in words, ``notes`` what else must be known.
    """

    scanned: int = 0
    skipped: int = 0
    unparsed: int = 0
    total: int = 0
    known: int = 0
    unknown: int = 0
    guarded: int = 0
    folded: int = 0
    untyped: int = 0
    hidden: int = 0
    targets: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All that a reporter may use; ``matrix`` is None where no check asked the matrix, ``coverage`` where no code was scanned.

    ``chain`` leads from the hardware to the framework, link by link; empty where nobody asked for the GPU.
    """

    tool_version: str
    inventory: Inventory
    outcomes: tuple[Outcome, ...]
    exit_code: int
    unseen: tuple[Unseen, ...] = ()
    matrix: Basis | None = None
    coverage: Coverage | None = None
    chain: tuple[LinkState, ...] = ()

    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity (consequences of another finding left out), and how many
        checks were passed, skipped or broken."""
        counts = dict.fromkeys(("error", "warning", "note", "passed", "not_applicable", "skipped", "broken"), 0)
        for outcome in self.outcomes:
            if outcome.status is not Status.FAILED:
                counts[outcome.status.value] += 1
            elif outcome.caused_by is None:
                for finding in outcome.findings:
                    counts[(finding.severity or outcome.severity).value] += 1
        return counts
