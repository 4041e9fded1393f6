"""How the engine runs: facts on demand and once, skips with their reason, broken things as values, one cause named."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from envcheck.engine import Facts, exit_code, run
from envcheck.errors import UsageError
from envcheck.findings import Check, Finding, Link, Outcome, Severity, Skip, Status, check
from envcheck.inventory import Unavailable
from envcheck.registry import Probe

WRONG = Finding("wrong")


class Machine:
    """A host that counts how often each probe looked at it."""

    def __init__(self) -> None:
        self.looks: list[str] = []


def probe(name: str, result: Any = None, needs: tuple[str, ...] = (), tolerates: tuple[str, ...] = ()) -> Probe:
    """A probe that gives ``result``, or raises it, or calls it with the facts it needs."""

    def collect(host: Any, *facts: Any) -> Any:
        host.looks.append(name)
        if isinstance(result, BaseException):
            raise result
        return result(*facts) if callable(result) else result or name

    return Probe(name, collect, needs, frozenset(tolerates))


def facts(*probes: Probe, **given: Any) -> Facts:
    return Facts(given, {found.name: found for found in probes}, Machine())


def looks(of: Facts) -> list[str]:
    machine = of._host
    assert isinstance(machine, Machine)
    return machine.looks


def asking(code: str, *names: str, judge: Callable[..., Any] = lambda *_: (), **more: Any) -> Check:
    """A check of the facts ``names`` whose findings are what ``judge`` returns."""

    def generator(*wanted: Any) -> Iterator[Finding]:
        yield from judge(*wanted)

    tolerates = frozenset(more.pop("tolerates", ()))
    return Check(
        code, f"title of {code}", more.pop("severity", Severity.ERROR), names, generator, **more, tolerates=tolerates
    )


def fails(code: str, **more: Any) -> Check:
    return asking(code, judge=lambda *_: [WRONG], **more)


def skip(*_: Any) -> None:
    raise Skip("there is nothing to judge")


# --- facts


def test_nothing_is_collected_that_nobody_asks_for() -> None:
    known = facts(probe("a"), probe("b"))
    run([asking("ENV001", "a")], known)
    assert looks(known) == ["a"]


def test_each_probe_looks_once() -> None:
    known = facts(probe("a"), probe("b", needs=("a",)), probe("c", needs=("a", "b")))
    run([asking("ENV001", "c"), asking("ENV002", "a", "b"), asking("ENV003", "c")], known)
    assert sorted(looks(known)) == ["a", "b", "c"]


def test_a_probe_that_cannot_look_is_asked_once_too() -> None:
    known = facts(probe("a", Unavailable("no driver")))
    run([asking("ENV001", "a"), asking("ENV002", "a")], known)
    assert looks(known) == ["a"]


def test_needs_are_handed_over_in_the_order_of_the_parameters() -> None:
    known = facts(probe("a", "A"), probe("b", "B"), probe("c", lambda *got: got, needs=("b", "a")))
    assert known.get("c") == ("B", "A")


def test_what_was_seen_can_be_had_without_looking() -> None:
    known = facts(probe("a", "A"), matrix="data")
    assert known.seen("a") is None
    assert looks(known) == []
    known.get("a")
    assert (known.seen("a"), known.seen("matrix")) == ("A", "data")


def test_what_is_given_is_never_collected() -> None:
    known = facts(probe("a"), a="from a file")
    assert known.get("a") == "from a file"
    assert looks(known) == []


def test_collected_facts_are_those_of_probes() -> None:
    known = facts(probe("a", "A"), probe("b", Unavailable("why")), probe("c"), matrix="data")
    run([asking("ENV001", "a", "b", "matrix")], known)
    assert known.collected() == {"a": "A", "b": Unavailable("why")}


def test_a_fact_that_no_probe_knows_is_unavailable() -> None:
    assert facts().get("gpu") == Unavailable("this inventory holds no gpu facts")


def test_a_need_that_is_unavailable_passes_its_reason_on() -> None:
    known = facts(probe("a", Unavailable("no driver")), probe("b", needs=("a",)), probe("c", needs=("b",)))
    assert known.get("c") == Unavailable("no driver")
    assert looks(known) == ["a"]


def test_a_need_that_is_tolerated_is_handed_over() -> None:
    known = facts(probe("a", Unavailable("no driver")), probe("b", lambda a: a.reason, needs=("a",), tolerates=("a",)))
    assert known.get("b") == "no driver"


def test_a_probe_that_raises_is_a_value_of_one_line() -> None:
    known = facts(probe("a", RuntimeError("first\nsecond")))
    assert known.get("a") == Unavailable("envcheck's own a probe failed: RuntimeError: first second", broken=True)


def test_what_cannot_be_done_at_all_is_raised() -> None:
    with pytest.raises(UsageError, match="no such interpreter"):
        facts(probe("a", UsageError("no such interpreter"))).get("a")


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_passes(interruption: type[BaseException]) -> None:
    with pytest.raises(interruption):
        facts(probe("a", interruption())).get("a")


# --- outcomes


def only(check_: Check, known: Facts) -> Outcome:
    (outcome,) = run([check_], known)
    assert (outcome.code, outcome.title, outcome.severity) == (check_.code, check_.title, check_.severity)
    return outcome


def test_passed() -> None:
    outcome = only(asking("ENV001", "a", judge=lambda a: [WRONG] if a != "A" else []), facts(a="A"))
    assert (outcome.status, outcome.reason, outcome.findings) == (Status.PASSED, None, ())
    assert outcome.seconds >= 0


def test_failed() -> None:
    outcome = only(asking("ENV001", judge=lambda: [WRONG, WRONG]), facts())
    assert (outcome.status, outcome.reason, outcome.findings) == (Status.FAILED, None, (WRONG, WRONG))


def test_skipped_because_a_fact_is_missing() -> None:
    outcome = only(asking("ENV001", "a", "b"), facts(probe("a"), probe("b", Unavailable("no driver"))))
    assert (outcome.status, outcome.reason) == (Status.SKIPPED, "no driver")


def test_skipped_because_the_question_does_not_arise() -> None:
    outcome = only(asking("ENV001", judge=skip), facts())
    assert (outcome.status, outcome.reason) == (Status.NOT_APPLICABLE, "there is nothing to judge")


def test_skipped_because_the_check_could_not_look() -> None:
    def judge() -> Iterator[Finding]:
        raise Skip("nobody knows", unknown=True)
        yield WRONG

    outcome = only(asking("ENV001", judge=judge), facts())
    assert (outcome.status, outcome.reason) == (Status.SKIPPED, "nobody knows")


def test_what_is_absent_is_no_gap() -> None:
    absent = facts(gpu=Unavailable("there is no GPU", absent=True))
    outcome = only(asking("GPU001", "gpu"), absent)
    assert (outcome.status, outcome.reason) == (Status.NOT_APPLICABLE, "there is no GPU")
    assert exit_code([outcome], "error", strict=True) == 0


def test_an_error_that_was_disproved_is_a_warning() -> None:
    def judge() -> Iterator[Finding]:
        yield WRONG
        yield dataclasses.replace(WRONG, severity=Severity.NOTE)

    foretells = Check("ENV001", "t", Severity.ERROR, (), judge, explains=("SMK",), unless="SMK105")
    outcomes = {outcome.code: outcome for outcome in run([foretells, asking("SMK105")], facts())}
    severities = [finding.severity for finding in outcomes["ENV001"].findings]
    assert severities == [Severity.WARNING, Severity.NOTE]
    assert outcomes["ENV001"].findings[0].message.endswith("(the tiny model trained all the same)")
    assert exit_code(list(outcomes.values()), "error", strict=False) == 0
    came_true = run([foretells, asking("SMK105"), fails("SMK107")], facts())
    assert came_true[0].worst is Severity.ERROR
    assert came_true[2].caused_by == "ENV001"
    (alone,) = run([foretells], facts())
    assert alone.worst is Severity.ERROR


def test_a_skip_takes_back_what_was_found_before_it() -> None:
    def judge() -> Iterator[Finding]:
        yield WRONG
        skip()

    outcome = only(asking("ENV001", judge=judge), facts())
    assert (outcome.status, outcome.findings) == (Status.NOT_APPLICABLE, ())


def test_broken_when_the_check_raises_and_the_others_still_run() -> None:
    def judge() -> Iterator[Finding]:
        yield WRONG
        raise ValueError("a bug\nin two lines")

    broken, after = run([asking("ENV001", judge=judge), fails("ENV002")], facts())
    assert (broken.status, broken.reason, broken.findings) == (Status.BROKEN, "ValueError: a bug in two lines", ())
    assert after.status is Status.FAILED


def test_broken_when_the_probe_raised() -> None:
    outcome = only(asking("ENV001", "a"), facts(probe("a", RuntimeError("bug"))))
    assert outcome.status is Status.BROKEN
    assert outcome.reason == "envcheck's own a probe failed: RuntimeError: bug"


def test_a_check_may_tolerate_a_missing_fact() -> None:
    outcome = only(
        asking("ENV001", "a", judge=lambda a: [Finding(a.reason)], tolerates=("a",)),
        facts(probe("a", Unavailable("no driver"))),
    )
    assert outcome.findings == (Finding("no driver"),)


def test_the_decorator_takes_facts_and_tolerance_from_the_signature() -> None:
    @check("ENV001", "a title", Severity.NOTE, explains=("SMK",))
    def judge(python: str, gpu: int | Unavailable) -> Iterator[Finding]:
        """What explain prints."""
        local = python
        yield Finding(local)

    assert judge.facts == ("python", "gpu")
    assert judge.tolerates == {"gpu"}
    assert (judge.code, judge.title, judge.severity, judge.explains) == ("ENV001", "a title", Severity.NOTE, ("SMK",))
    assert judge.doc == "What explain prints."


# --- one cause


def causes(*checks: Check) -> dict[str, str | None]:
    return {outcome.code: outcome.caused_by for outcome in run(checks, facts())}


def test_a_failure_that_an_error_explains_names_it() -> None:
    found = causes(fails("ENV301", explains=("SMK", "GPU2")), fails("SMK100"), fails("GPU201"), fails("GPU301"))
    assert found == {"ENV301": None, "SMK100": "ENV301", "GPU201": "ENV301", "GPU301": None}


def test_the_order_of_the_checks_does_not_matter() -> None:
    assert causes(fails("SMK100"), fails("TOP001", explains=("SMK",)))["SMK100"] == "TOP001"


def test_only_what_failed_is_a_consequence() -> None:
    found = causes(fails("ENV301", explains=("SMK",)), asking("SMK100"), asking("SMK101", judge=skip))
    assert found == {"ENV301": None, "SMK100": None, "SMK101": None}


def test_a_warning_explains_nothing() -> None:
    assert causes(fails("ENV301", severity=Severity.WARNING, explains=("SMK",)), fails("SMK100"))["SMK100"] is None
    mild = asking("ENV301", judge=lambda: [Finding("x", severity=Severity.NOTE)], explains=("SMK",))
    assert causes(mild, fails("SMK100"))["SMK100"] is None


def test_a_finding_raised_to_an_error_explains() -> None:
    grave = asking(
        "ENV301", judge=lambda: [Finding("x", severity=Severity.ERROR)], severity=Severity.NOTE, explains=("SMK",)
    )
    assert causes(grave, fails("SMK100"))["SMK100"] == "ENV301"


def test_nothing_is_its_own_cause() -> None:
    assert causes(fails("ENV301", explains=("ENV3",))) == {"ENV301": None}


def test_of_two_that_explain_each_other_one_stays_a_cause() -> None:
    found = causes(fails("ENV201", explains=("ENV3",)), fails("ENV301", explains=("ENV2",)))
    assert list(found.values()).count(None) == 1


# --- the chain to the GPU


def test_what_fails_further_along_is_a_consequence_of_the_first_broken_link() -> None:
    found = causes(
        fails("SMK102", link=Link.DEVICES),
        fails("GPU110", link=Link.CUINIT),
        fails("GPU103", link=Link.DEVICE_NODES),
        fails("GPU301"),
        fails("ENV301"),
    )
    assert found == {"SMK102": "GPU103", "GPU110": "GPU103", "GPU103": None, "GPU301": None, "ENV301": None}


def test_links_that_hold_are_no_consequence() -> None:
    found = causes(
        fails("GPU110", link=Link.CUINIT), asking("SMK102", link=Link.DEVICES), fails("GPU103", link=Link.DEVICE_NODES)
    )
    assert found == {"GPU110": "GPU103", "SMK102": None, "GPU103": None}


def test_at_one_link_nothing_causes_another() -> None:
    assert causes(fails("GPU110", link=Link.CUINIT), fails("GPU303", link=Link.CUINIT)) == {
        "GPU110": None,
        "GPU303": None,
    }


@pytest.mark.parametrize("link", [Link.CUDA_LIBRARIES, Link.CAPABILITY])
def test_what_is_wrong_in_the_packages_stays_a_finding(link: Link) -> None:
    found = causes(fails("GPU102", link=Link.PCI), fails("GPU207", link=link), fails("SMK108", link=Link.DEVICES))
    assert found == {"GPU102": None, "GPU207": None, "SMK108": "GPU102"}


def test_a_warning_breaks_no_link() -> None:
    mild = fails("GPU103", severity=Severity.WARNING, link=Link.DEVICE_NODES)
    assert causes(mild, fails("SMK102", link=Link.DEVICES))["SMK102"] is None


def test_a_consequence_breaks_no_link() -> None:
    found = causes(
        fails("ENV301", explains=("GPU1",)), fails("GPU103", link=Link.DEVICE_NODES), fails("SMK102", link=Link.DEVICES)
    )
    assert found == {"ENV301": None, "GPU103": "ENV301", "SMK102": None}


def test_a_finding_may_break_another_link_than_its_check() -> None:
    def judge() -> list[Finding]:
        return [
            Finding("mild", severity=Severity.WARNING, link=Link.PCI),
            Finding("grave", link=Link.DRIVER_LIBRARY),
            Finding("grave too"),
        ]

    check_ = asking("GPU101", judge=lambda *_: judge(), link=Link.NVML)
    assert only(check_, facts()).link is Link.DRIVER_LIBRARY
    assert only(asking("GPU101", link=Link.NVML), facts()).link is Link.NVML
    assert only(asking("GPU301"), facts()).link is None


@pytest.mark.parametrize(
    ("foretells", "came", "worst"),
    [
        (Link.DEVICE_NODES, Link.DEVICES, Severity.ERROR),
        (Link.DEVICE_NODES, Link.OPERATION, Severity.WARNING),  # it trained on the GPU: the nodes are not why
        (Link.CUDA_LIBRARIES, Link.OPERATION, Severity.ERROR),
        (Link.CAPABILITY, Link.OPERATION, Severity.ERROR),
        (Link.OPERATION, Link.DEVICES, Severity.WARNING),
    ],
)
def test_an_error_stays_one_only_where_it_came_true(foretells: Link, came: Link, worst: Severity) -> None:
    suspects = fails("GPU201", unless="SMK108", link=foretells)
    outcomes = run([suspects, asking("SMK108", link=Link.DEVICES), fails("SMK104", link=came)], facts())
    assert outcomes[0].worst is worst


def test_links_stand_in_their_order() -> None:
    assert [link.place for link in Link] == list(range(len(Link)))
    assert len({link.words for link in Link}) == len(Link)


# --- exit codes


def ended(status: Status, *severities: Severity) -> Outcome:
    findings = tuple(Finding("x", severity=severity) for severity in severities)
    return Outcome("ENV001", "t", Severity.ERROR, status, findings=findings)


@pytest.mark.parametrize(
    ("outcome", "fail_on", "strict", "code"),
    [
        (ended(Status.PASSED), "note", True, 0),
        (ended(Status.FAILED, Severity.ERROR), "error", False, 1),
        (ended(Status.FAILED, Severity.WARNING), "error", False, 0),
        (ended(Status.FAILED, Severity.WARNING), "warning", False, 1),
        (ended(Status.FAILED, Severity.NOTE), "warning", False, 0),
        (ended(Status.FAILED, Severity.NOTE, Severity.ERROR), "error", False, 1),
        (ended(Status.FAILED, Severity.ERROR), "never", False, 0),
        (ended(Status.SKIPPED), "note", False, 0),
        (ended(Status.SKIPPED), "error", True, 1),
        (ended(Status.BROKEN), "never", False, 3),
    ],
)
def test_exit_code(outcome: Outcome, fail_on: str, strict: bool, code: int) -> None:
    assert exit_code([outcome], fail_on, strict=strict) == code


def test_a_broken_check_goes_before_findings() -> None:
    assert exit_code([ended(Status.FAILED, Severity.ERROR), ended(Status.BROKEN)], "error", strict=False) == 3
