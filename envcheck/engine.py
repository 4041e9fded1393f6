"""Collects the facts that are asked for, runs the checks, and says which failure is the consequence of which."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Collection, Iterable, Mapping, Sequence

from envcheck.errors import FAILED, FINDINGS, OK, EnvcheckError
from envcheck.findings import Check, Finding, Link, Outcome, Severity, Skip, Status
from envcheck.inventory import Unavailable
from envcheck.registry import Probe


class Facts:
    """Facts by name, each collected once and only when asked for.

    ``given`` facts (a saved inventory, the compatibility matrix, what the user expects) are never collected.
    """

    def __init__(self, given: Mapping[str, object], probes: Mapping[str, Probe], host: object = None) -> None:
        self._known = dict(given)
        self._probes = probes
        self._host = host

    def get(self, name: str) -> object:
        """The facts called ``name``, or :class:`Unavailable` with the reason. Never raises for a broken probe."""
        if name not in self._known:
            self._known[name] = self._collect(name)
        return self._known[name]

    def seen(self, name: str) -> object:
        """The facts called ``name`` as far as they are known by now, without looking; None where nobody asked for them."""
        return self._known.get(name)

    def give(self, name: str, fact: object) -> None:
        """Add a fact that no probe collects."""
        self._known[name] = fact

    def begin(self, names: Iterable[str]) -> None:
        """Start what takes long for the facts called ``names``; everything else is looked at meanwhile."""
        for name in names:
            probe = self._probes.get(name)
            if name not in self._known and probe is not None and probe.begin is not None:
                probe.begin(self._host)

    def collected(self) -> dict[str, object]:
        """All facts about the machine that are known by now: what probes saw, or could not see and why."""
        return {name: fact for name, fact in self._known.items() if name in self._probes}

    def _collect(self, name: str) -> object:
        probe = self._probes.get(name)
        if probe is None:
            return Unavailable(f"this inventory holds no {name} facts")
        needed = [self.get(need) for need in probe.needs]
        for name_needed, fact in zip(probe.needs, needed, strict=True):
            if isinstance(fact, Unavailable) and name_needed not in probe.tolerates:
                return fact
        try:
            return probe.collect(self._host, *needed)
        except EnvcheckError:
            raise  # what was asked for cannot be done at all: the command line says so
        except Exception as error:  # a broken probe is a value: the rest of the run goes on
            return Unavailable(f"envcheck's own {name} probe failed: {_oneline(error)}", broken=True)


def run(checks: Iterable[Check], facts: Facts) -> tuple[Outcome, ...]:
    """Run every check; one that raises is BROKEN and the rest still run."""
    by_code = {check.code: check for check in checks}
    outcomes = [_run(check, facts) for check in by_code.values()]
    proven = {outcome.code for outcome in outcomes if outcome.status is Status.PASSED}
    ran_and_failed = [o for o in outcomes if o.status is Status.FAILED and o.code.startswith("SMK")]
    weighed = [_weighed(outcome, by_code[outcome.code], proven, ran_and_failed) for outcome in outcomes]
    return _consequences(weighed, by_code)


def _weighed(outcome: Outcome, check: Check, proven: Collection[str], ran_and_failed: Collection[Outcome]) -> Outcome:
    """Lower errors to warnings where what they foretell was seen to work, all of it."""
    came_true = any(_foretold(failed, outcome, check) for failed in ran_and_failed)
    if outcome.status is not Status.FAILED or check.unless not in proven or came_true:
        return outcome
    findings = tuple(
        finding
        if (finding.severity or outcome.severity) is not Severity.ERROR
        else dataclasses.replace(
            finding, severity=Severity.WARNING, message=f"{finding.message} (the tiny model trained all the same)"
        )
        for finding in outcome.findings
    )
    return dataclasses.replace(outcome, findings=findings)


def _foretold(failed: Outcome, outcome: Outcome, check: Check) -> bool:
    """Whether a step of the smoke run failed as ``outcome`` lets expect.

    Without a library, or code, for one kind of operation the others run all the same; where the GPU cannot be reached,
    already the list of devices shows it.
    """
    if failed.code.startswith(check.explains):
        return True
    if outcome.link is None or failed.link is None or failed.link.place <= outcome.link.place:
        return False
    return failed.link is Link.DEVICES or outcome.link.stands_alone


def _run(check: Check, facts: Facts) -> Outcome:
    outcome = _judged(check, facts)
    return dataclasses.replace(outcome, link=_link(outcome, check))


def _link(outcome: Outcome, check: Check) -> Link | None:
    """The first link that one of the gravest findings breaks; without findings the check's own."""
    worst = outcome.worst
    links = [
        link
        for finding in outcome.findings
        if (finding.severity or outcome.severity) is worst and (link := finding.link or check.link)
    ]
    return min(links, key=lambda link: link.place, default=check.link)


def _judged(check: Check, facts: Facts) -> Outcome:
    wanted = [facts.get(name) for name in check.facts]
    for name, fact in zip(check.facts, wanted, strict=True):
        if isinstance(fact, Unavailable) and name not in check.tolerates:
            status = Status.BROKEN if fact.broken else Status.NOT_APPLICABLE if fact.absent else Status.SKIPPED
            return Outcome(check.code, check.title, check.severity, status, fact.reason)
    start = time.perf_counter()
    status, reason = Status.PASSED, None
    findings: tuple[Finding, ...] = ()
    try:
        findings = tuple(check.judge(*wanted))
        if findings:
            status = Status.FAILED
    except Skip as skip:
        status, reason = Status.SKIPPED if skip.unknown else Status.NOT_APPLICABLE, skip.reason
    except Exception as error:  # one check's bug must not hide what the others found
        status, reason = Status.BROKEN, _oneline(error)
    seconds = round(time.perf_counter() - start, 6)
    return Outcome(check.code, check.title, check.severity, status, reason, seconds, findings)


def _consequences(outcomes: Sequence[Outcome], checks: Mapping[str, Check]) -> tuple[Outcome, ...]:
    """Mark each failure that another one explains, so that a report names one cause."""
    causes = [
        outcome
        for outcome in outcomes
        if outcome.status is Status.FAILED and _rank(outcome) >= Severity.WARNING.rank and checks[outcome.code].explains
    ]
    caused_by: dict[str, str] = {}
    for outcome in outcomes:
        for cause in causes if outcome.status is Status.FAILED else ():
            # Where two explain each other, one must stay the cause: else both would vanish from the summary.
            # A warning may explain another one, never an error.
            explained = outcome.code.startswith(checks[cause.code].explains) and _rank(outcome) <= _rank(cause)
            if explained and outcome.code not in _chain(cause.code, caused_by):
                caused_by[outcome.code] = cause.code
                break
    caused_by.update(_along_the_chain(outcomes, caused_by))
    return tuple(dataclasses.replace(outcome, caused_by=caused_by.get(outcome.code)) for outcome in outcomes)


def _along_the_chain(outcomes: Sequence[Outcome], explained: Mapping[str, str]) -> dict[str, str]:
    """What fails further along the chain to the GPU than the first link that an error breaks, by its cause.

    What is wrong in the packages themselves is no consequence: mending the link before would not mend it.
    """
    broken = [
        (outcome.link, outcome.code)
        for outcome in outcomes
        if outcome.link is not None and outcome.worst is Severity.ERROR and outcome.code not in explained
    ]
    if not broken:
        return {}
    first, cause = min(broken, key=lambda each: each[0].place)
    return {
        outcome.code: cause
        for outcome in outcomes
        if outcome.status is Status.FAILED and outcome.code not in explained
        if outcome.link is not None and outcome.link.place > first.place and not outcome.link.stands_alone
    }


def _rank(outcome: Outcome) -> int:
    return outcome.worst.rank if outcome.worst else -1


def _chain(code: str, caused_by: Mapping[str, str]) -> list[str]:
    """``code``, its cause, the cause of that, and so on."""
    chain = [code]
    while chain[-1] in caused_by:
        chain.append(caused_by[chain[-1]])
    return chain


def exit_code(outcomes: Sequence[Outcome], fail_on: str, *, strict: bool) -> int:
    """The exit code of a run: 3 for a broken check, 1 for a finding at or above ``fail_on``, else 0.

    ``fail_on`` is a severity or ``never``; with ``strict`` a check that could not look fails like a finding. One whose
    question does not arise never does.
    """
    if any(outcome.status is Status.BROKEN for outcome in outcomes):
        return FAILED
    if fail_on != "never":
        least = Severity(fail_on).rank
        if any(outcome.worst is not None and outcome.worst.rank >= least for outcome in outcomes):
            return FINDINGS
    if strict and any(outcome.status is Status.SKIPPED for outcome in outcomes):
        return FINDINGS
    return OK


def _oneline(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
