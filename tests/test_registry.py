"""The catalogue: unique codes, explained checks, known facts; and the filters that choose from it."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections import Counter

import pytest

from envcheck.codec import facts_type
from envcheck.errors import UsageError
from envcheck.findings import Check
from envcheck.registry import Probe, checks, probes, select

CHECKS = checks()
PROBES = probes()
GIVEN = {"code", "build", "matrix", "expectations"}
"""Facts that no probe collects: the command line gives them."""

each_check = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
each_probe = pytest.mark.parametrize("probe", PROBES.values(), ids=lambda probe: probe.name)


def test_codes_are_unique_and_in_order() -> None:
    assert [code for code, count in Counter(check.code for check in CHECKS).items() if count > 1] == []
    assert [check.code for check in CHECKS] == sorted(check.code for check in CHECKS)


@each_check
def test_a_code_is_three_letters_of_a_family_and_three_digits(check: Check) -> None:
    assert re.fullmatch(r"(ENV|GPU|API|MDL|SMK)\d{3}", check.code)


@each_check
def test_a_check_is_explained_with_cause_fix_and_source(check: Check) -> None:
    assert check.title.strip()
    assert check.title[-1] != "."
    doc = inspect.cleandoc(check.doc)
    assert len(doc.splitlines()[0]) > 20
    for part in ("Cause:", "How to fix:", "Source:"):
        assert re.search(rf"(?m)^{part}", doc), f"{check.code} does not say {part}"


@each_check
def test_a_check_asks_for_facts_that_exist(check: Check) -> None:
    assert check.facts
    assert set(check.facts) <= set(PROBES) | GIVEN
    assert check.tolerates <= set(check.facts)


@each_check
def test_a_check_is_a_generator(check: Check) -> None:
    assert inspect.isgeneratorfunction(check.judge)


@each_check
def test_what_a_check_explains_is_a_prefix_of_codes(check: Check) -> None:
    for prefix in check.explains:
        assert re.fullmatch(r"[A-Z]{3}\d{0,3}", prefix)
        assert any(other.code.startswith(prefix) for other in CHECKS), f"no check has a code like {prefix}"


def test_every_check_module_is_found() -> None:
    assert {"ENV103", "ENV105", "ENV106", "ENV107", "ENV109", "ENV110", "ENV111"} <= {check.code for check in CHECKS}


@each_probe
def test_the_needs_of_a_probe_exist(probe: Probe) -> None:
    assert set(probe.needs) <= set(PROBES) | GIVEN
    assert probe.tolerates <= set(probe.needs)
    assert next(iter(inspect.signature(probe.collect).parameters)) == "host"


def test_no_probe_needs_itself() -> None:
    def reached(name: str, seen: tuple[str, ...] = ()) -> None:
        assert name not in seen, " needs ".join((*seen, name))
        for need in PROBES[name].needs if name in PROBES else ():
            reached(need, (*seen, name))

    for name in PROBES:
        reached(name)


@each_probe
def test_facts_are_documented_plain_data(probe: Probe) -> None:
    kind = facts_type(probe.collect)
    assert dataclasses.is_dataclass(kind)
    assert kind.__name__.endswith("Facts")
    assert hasattr(kind, "__slots__")
    assert getattr(kind, "__dataclass_params__").frozen  # noqa: B009 - typing does not know the attribute
    assert (kind.__doc__ or "").strip()
    assert not (kind.__doc__ or "").startswith(f"{kind.__name__}(")  # what dataclass writes when nobody did
    assert (probe.collect.__doc__ or "").strip()


# --- select


def codes(selected: tuple[str, ...] = (), ignored: tuple[str, ...] = ()) -> list[str]:
    return [check.code for check in select(CHECKS, selected, ignored)]


def test_without_filters_all_are_chosen() -> None:
    assert codes() == [check.code for check in CHECKS]


def test_prefixes_choose_and_leave_out() -> None:
    assert codes(("ENV105",)) == ["ENV105"]
    assert all(code.startswith("ENV1") for code in codes(("ENV1",)))
    assert codes(("ENV105", "ENV106"), ("ENV106",)) == ["ENV105"]
    assert "ENV105" not in codes(ignored=("ENV1",))
    assert {"ENV105", "ENV301"} <= set(codes(("ENV1", "ENV3")))


@pytest.mark.parametrize("prefix", ["XYZ", "env1", "ENV9999", "1"])
def test_a_filter_that_matches_nothing_is_a_usage_error(prefix: str) -> None:
    for selected, ignored in (((prefix,), ()), ((), (prefix,)), (("ENV1", prefix), ())):
        with pytest.raises(UsageError, match=prefix):
            select(CHECKS, selected, ignored)


def test_filters_that_leave_nothing_are_a_usage_error() -> None:
    with pytest.raises(UsageError, match="leave no check"):
        select(CHECKS, ("ENV105",), ("ENV1",))


def test_an_empty_prefix_is_a_usage_error() -> None:
    # `--select ""` and `--ignore ""` match every code by their letters and none by their meaning.
    for selected, ignored in ((("",), ()), ((), ("",))):
        with pytest.raises(UsageError):
            select(CHECKS, selected, ignored)
