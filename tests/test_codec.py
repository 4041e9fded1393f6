"""Inventories travel: what is written is read again, and what is no inventory is a usage error of one line."""

from __future__ import annotations

import dataclasses
import json
import typing
from typing import Any

import jsonschema
import literals
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from envcheck.codec import (
    decode_inventory,
    encode_inventory,
    encode_report,
    facts_type,
    inventory_schema,
    report_schema,
)
from envcheck.errors import UsageError
from envcheck.findings import Finding, Fix, Location, Outcome, Report, Severity, Status, Unseen
from envcheck.inventory import SCHEMA_VERSION, Inventory, Unavailable
from envcheck.probes.keras import Resolved
from envcheck.probes.packages import Distribution
from envcheck.probes.tensorflow import TensorFlowFacts
from envcheck.registry import probes


def hints(kind: type) -> dict[str, Any]:
    """The fields of a dataclass without a default, but the version, with their types."""
    found = typing.get_type_hints(kind)
    plain = [field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING]
    return {name: found[name] for name in plain if name != "version"}


TYPES = {name: facts_type(probe.collect) for name, probe in probes().items()}

# What JSON can hold: no NaN, and integers of 64 bits.
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(int, st.integers(-(2**63), 2**63 - 1))

TEXT = st.text(max_size=20)
VERSIONS = st.sampled_from(["1.15.5", "2.15.0.post1", "2.17.0+nv25.2", "2.22.0.dev20251101", "2.16.0rc0"])
for kind in (Distribution, Resolved, TensorFlowFacts):  # the ones that refuse a version nobody can compare
    st.register_type_strategy(
        kind,
        lambda kind: st.builds(
            kind, version=VERSIONS, **{name: st.from_type(hint) for name, hint in hints(kind).items()}
        ),
    )
UNAVAILABLE = st.builds(Unavailable, TEXT, st.booleans(), st.booleans())
INVENTORIES = st.fixed_dictionaries(
    {}, optional={name: UNAVAILABLE | st.from_type(kind) for name, kind in TYPES.items()}
).flatmap(lambda facts: st.builds(Inventory, st.just(facts), TEXT, TEXT))
INVENTORY_SCHEMA = jsonschema.Draft202012Validator(inventory_schema(TYPES))


def read(data: object) -> Inventory:
    return decode_inventory(json.dumps(data), TYPES, "saved.json")


def written(**facts: object) -> dict[str, Any]:
    return encode_inventory(Inventory(facts, "2026-11-20T12:00:00Z", "0.1.0"))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(INVENTORIES)
def test_what_is_written_is_read(inventory: Inventory) -> None:
    assert read(encode_inventory(inventory)) == inventory


@pytest.mark.parametrize("name", sorted(TYPES))
def test_facts_have_no_field_that_the_json_needs_itself(name: str) -> None:
    assert not {"status", "reason", "broken", "absent"} & {field.name for field in dataclasses.fields(TYPES[name])}


def test_the_json_is_as_documented() -> None:
    data = written(python=literals.python(), gpu=Unavailable("no driver"), host=literals.host())
    assert list(data) == ["schema_version", "tool", "collected_at", "inventory"]
    assert data["schema_version"] == SCHEMA_VERSION == 1
    assert data["tool"] == {"name": "envcheck", "version": "0.1.0"}
    assert list(data["inventory"]) == ["gpu", "host", "python"]
    assert data["inventory"]["gpu"] == {"status": "unavailable", "reason": "no driver"}
    assert data["inventory"]["python"]["status"] == "ok"
    assert data["inventory"]["python"]["version"] == "3.12.4"


def test_a_broken_probe_stays_broken_on_its_way() -> None:
    assert read(written(gpu=Unavailable("a bug", broken=True))).facts["gpu"] == Unavailable("a bug", broken=True)


def test_a_report_is_read_as_the_inventory_in_it() -> None:
    report = Report("0.1.0", Inventory({"host": literals.host()}), (), 0)
    assert read(encode_report(report)).facts == {"host": literals.host()}


def test_what_a_newer_envcheck_added_is_passed_over() -> None:
    data = written(host=literals.host())
    data["inventory"]["host"]["new_field"] = [1, 2]
    data["inventory"]["new_probe"] = {"status": "ok", "x": 1}
    data["new"] = {}
    assert read(data).facts == {"host": literals.host()}


def test_a_field_that_an_older_envcheck_did_not_have_is_its_default() -> None:
    data = written(host=literals.host())
    del data["inventory"]["host"]["rosetta"]
    assert read(data).facts == {"host": literals.host()}


# --- what is no inventory


def refused(text: str | bytes) -> str:
    with pytest.raises(UsageError) as caught:
        decode_inventory(text, TYPES, "saved.json")
    assert str(caught.value).startswith("saved.json")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_cut_short_anywhere() -> None:
    text = json.dumps(written(host=literals.host(), python=literals.python()))
    for length in range(0, len(text), 37):
        assert "is not JSON, or is cut short" in refused(text[:length])


@pytest.mark.parametrize("text", [b"\xff\xfe", "[" * 100_000, '"\udcff"', "{]", "NaN", "1e999", "\0"])
def test_no_json(text: str | bytes) -> None:
    assert "is not JSON" in refused(text)


@pytest.mark.parametrize("data", [None, 1, "x", [], {}, {"inventory": []}, {"inventory": None}, {"outcomes": []}])
def test_other_json(data: object) -> None:
    assert "is no envcheck inventory" in refused(json.dumps(data))


@pytest.mark.parametrize("version", [None, "1", 0, -1, 1.5, [], True])
def test_no_valid_schema_version(version: object) -> None:
    assert "schema_version" in refused(json.dumps({"schema_version": version, "inventory": {}}))


def test_a_newer_schema() -> None:
    said = refused(json.dumps({"schema_version": SCHEMA_VERSION + 1, "inventory": {}}))
    assert f"schema version {SCHEMA_VERSION + 1}" in said
    assert "upgrade envcheck" in said


@pytest.mark.parametrize("facts", [None, [], "x", {}, {"status": "fine"}, {"status": None, "reason": "x"}])
def test_facts_without_a_status(facts: object) -> None:
    said = refused(json.dumps({"schema_version": 1, "inventory": {"host": facts}}))
    assert "the host facts" in said


@pytest.mark.parametrize(("field", "value"), [("system", 3), ("memory_limit", "2G"), ("rosetta", "no"), ("wsl", 1.5)])
def test_a_value_of_the_wrong_type_is_named(field: str, value: object) -> None:
    data = written(host=literals.host())
    data["inventory"]["host"][field] = value
    said = refused(json.dumps(data))
    assert "the host facts do not fit" in said
    assert f"$.{field}" in said


def test_a_missing_field_is_named() -> None:
    data = written(host=literals.host())
    del data["inventory"]["host"]["system"]
    assert "system" in refused(json.dumps(data))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    st.binary(max_size=60)
    | st.text(st.characters(), max_size=60)
    | st.builds(
        lambda facts: json.dumps({"schema_version": 1, "inventory": facts, "tool": facts}),
        st.dictionaries(st.sampled_from([*TYPES, "x"]), JSON_VALUES | st.just({"status": "ok"}), max_size=3),
    )
)
def test_nothing_but_a_usage_error_is_raised(text: str | bytes) -> None:
    try:
        decode_inventory(text, TYPES, "saved.json")
    except UsageError as error:
        assert "\n" not in str(error)  # noqa: PT017 - no error is right too


# --- the schemas


# Without shrinking: a schema error is clear as it stands, and making it smaller takes minutes.
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(INVENTORIES)
def test_an_inventory_fits_its_schema(inventory: Inventory) -> None:
    data = json.loads(json.dumps(encode_inventory(inventory)))
    assert jsonschema.exceptions.best_match(INVENTORY_SCHEMA.iter_errors(data)) is None


def test_a_report_fits_its_schema() -> None:
    findings = (
        Finding("bare"),
        Finding(
            "full",
            fix=Fix("do this", ("a", "b"), "look", safe=True),
            location=Location("train.py", 3, 1, 2),
            symbol="tf.x",
            evidence={"a": [1, None, {"b": 1.5}]},
            severity=Severity.NOTE,
            url="https://example.org",
        ),
    )
    outcomes = (
        Outcome("ENV101", "t", Severity.ERROR, Status.FAILED, findings=findings, seconds=0.1, caused_by="ENV102"),
        Outcome("ENV102", "t", Severity.WARNING, Status.SKIPPED, "why"),
        Outcome("ENV103", "t", Severity.NOTE, Status.BROKEN, "bug"),
    )
    inventory = Inventory({"host": literals.host(), "gpu": Unavailable("no driver", broken=True)}, "2026", "0.1.0")
    data = json.loads(json.dumps(encode_report(Report("0.1.0", inventory, outcomes, 3, (Unseen("a", "b"),)))))
    jsonschema.Draft202012Validator.check_schema(report_schema(TYPES))
    jsonschema.validate(data, report_schema(TYPES))
    assert [finding["severity"] for finding in data["outcomes"][0]["findings"]] == ["error", "note"]
    data["outcomes"][0]["status"] = "fine"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, report_schema(TYPES))


def test_the_schema_refuses_facts_that_do_not_fit() -> None:
    data = written(host=literals.host())
    data["inventory"]["host"]["system"] = 3
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, inventory_schema(TYPES))
