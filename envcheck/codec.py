"""Reports and inventories to and from JSON, and the JSON Schema that describes them.

msgspec does the typed work: it checks every value against the facts' own annotations and names the place of the first
one that does not fit.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from envcheck.errors import UsageError
from envcheck.findings import Basis, Coverage, Finding, Outcome, Report, Severity, Status, Window
from envcheck.inventory import SCHEMA_VERSION, Inventory, Unavailable
from envcheck.links import Link, Standing

JSON = dict[str, Any]


def facts_type(collect: Callable[..., object]) -> type:
    """The facts that a probe's ``collect`` returns: its annotation, ``Unavailable`` aside."""
    annotation = typing.get_type_hints(collect)["return"]
    members = typing.get_args(annotation) or (annotation,)
    (found,) = (member for member in members if member is not Unavailable)
    return typing.cast(type, found)


def encode_inventory(inventory: Inventory) -> JSON:
    """The JSON of an inventory; keys stand in a fixed order."""
    facts: JSON = {}
    for name in sorted(inventory.facts):
        fact = inventory.facts[name]
        if isinstance(fact, Unavailable):
            facts[name] = {"status": "unavailable", "reason": fact.reason}
            facts[name] |= {mark: True for mark in ("broken", "absent") if getattr(fact, mark)}
        else:
            facts[name] = {"status": "ok", **msgspec.to_builtins(fact)}
    return {
        "schema_version": inventory.schema_version,
        "tool": {"name": "envcheck", "version": inventory.tool_version},
        "collected_at": inventory.collected_at,
        "inventory": facts,
    }


def decode_inventory(text: str | bytes, types: Mapping[str, type], source: str) -> Inventory:
    """The inventory in ``text``: what ``envcheck inventory`` or ``envcheck doctor --format json`` wrote.

    Unknown probes and fields (a newer envcheck) are passed over.

    Raises:
        UsageError: it is cut short, is no inventory, has a newer schema, or a value does not fit; one line says where.
    """
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UsageError(f"{source} is not JSON, or is cut short: {error}") from None
    if not isinstance(data, dict) or not isinstance(data.get("inventory"), dict):
        raise UsageError(f"{source} is no envcheck inventory: make one with `envcheck inventory -o {source}`")
    version = data.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise UsageError(f"{source} has no valid schema_version: make it again with `envcheck inventory`")
    if version > SCHEMA_VERSION:
        raise UsageError(
            f"{source} has schema version {version}; this envcheck reads up to {SCHEMA_VERSION}: upgrade envcheck"
        )
    facts: dict[str, object] = {}
    for name, value in data["inventory"].items():
        if name in types:
            facts[name] = _decode_facts(name, value, types[name], source)
    tool = data.get("tool")
    return Inventory(
        facts=facts,
        collected_at=str(data.get("collected_at", "")),
        tool_version=str(tool.get("version", "")) if isinstance(tool, dict) else "",
        schema_version=version,
    )


def _decode_facts(name: str, value: object, kind: type, source: str) -> object:
    status = value.get("status") if isinstance(value, dict) else None
    if status == "unavailable":
        told = typing.cast(JSON, value)
        return Unavailable(
            str(told.get("reason", "no reason given")),
            broken=told.get("broken") is True,
            absent=told.get("absent") is True,
        )
    if status != "ok":
        raise UsageError(f"{source}: the {name} facts say neither 'ok' nor 'unavailable'")
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{source}: the {name} facts do not fit: {error}") from None


def encode_report(report: Report) -> JSON:
    """The JSON of a report, as its JSON Schema (:func:`report_schema`) describes it."""
    counts = report.counts()
    return {
        **encode_inventory(report.inventory),
        "tool": {"name": "envcheck", "version": report.tool_version},
        "outcomes": [encode_outcome(outcome) for outcome in report.outcomes],
        "coverage": _encode_coverage(report.coverage or Coverage()),
        "chain": [
            {"link": each.link.value, "standing": each.standing.value, "words": each.words, "code": each.code}
            for each in report.chain
        ],
        "unseen": [{"what": unseen.what, "why": unseen.why} for unseen in report.unseen],
        "matrix": None if report.matrix is None else msgspec.to_builtins(report.matrix),
        "summary": counts,
        "exit_code": report.exit_code,
    }


def _encode_coverage(coverage: Coverage) -> JSON:
    """Files and references as they were counted; all are 0 where no code was scanned."""
    return {
        "files": {name: getattr(coverage, name) for name in ("scanned", "skipped", "unparsed")},
        "references": {
            name: getattr(coverage, name) for name in ("total", "known", "unknown", "guarded", "folded", "untyped")
        },
        "hidden": coverage.hidden,
        "targets": list(coverage.targets),
        "windows": [msgspec.to_builtins(window) for window in coverage.windows],
        "notes": list(coverage.notes),
    }


def encode_outcome(outcome: Outcome) -> JSON:
    """The JSON of one check's outcome."""
    return {
        "code": outcome.code,
        "title": outcome.title,
        "severity": outcome.severity.value,
        "status": outcome.status.value,
        "reason": outcome.reason,
        "caused_by": outcome.caused_by,
        "link": outcome.link.value if outcome.link else None,
        "seconds": outcome.seconds,
        "findings": [encode_finding(finding, outcome.severity) for finding in outcome.findings],
    }


def encode_finding(finding: Finding, default: Severity) -> JSON:
    """The JSON of a finding; without a severity of its own it has its check's."""
    encoded: JSON = msgspec.to_builtins(finding)
    encoded["severity"] = (finding.severity or default).value
    del encoded["link"]  # the outcome tells it: a scan writes thousands of findings
    return encoded


def inventory_schema(types: Mapping[str, type]) -> JSON:
    """The JSON Schema (2020-12) of what ``envcheck inventory`` writes."""
    definitions, properties = _facts_schema(types)
    return _schema("An envcheck inventory", properties, definitions, {}, [])


def report_schema(types: Mapping[str, type]) -> JSON:
    """The JSON Schema (2020-12) of what ``--format json`` writes."""
    definitions, properties = _facts_schema(types)
    (finding, basis, window), components = msgspec.json.schema_components(
        [Finding, Basis, Window], ref_template="#/$defs/{name}"
    )
    definitions |= components
    definitions["Basis"]["required"].append("overrides")
    del definitions["Finding"]["properties"]["link"]
    del definitions["Link"]
    definitions["Finding"]["properties"]["severity"] = {"enum": [severity.value for severity in Severity]}
    definitions["Outcome"] = {
        "type": "object",
        "properties": {
            "code": {"type": "string", "pattern": "^[A-Z]{3}[0-9]{3}$"},
            "title": {"type": "string"},
            "severity": {"enum": [severity.value for severity in Severity]},
            "status": {"enum": [status.value for status in Status]},
            "reason": {"type": ["string", "null"]},
            "caused_by": {"type": ["string", "null"]},
            "link": {"enum": [*(link.value for link in Link), None]},
            "seconds": {"type": "number", "minimum": 0},
            "findings": {"type": "array", "items": finding},
        },
        "required": ["code", "title", "severity", "status", "reason", "caused_by", "link", "seconds", "findings"],
    }
    text = {"type": "string"}
    more = {
        "coverage": {
            "type": "object",
            "properties": {
                "files": _counters("scanned", "skipped", "unparsed"),
                "references": _counters("total", "known", "unknown", "guarded", "folded", "untyped"),
                "hidden": {"type": "integer", "minimum": 0},
                "targets": {"type": "array", "items": text},
                "windows": {"type": "array", "items": window},
                "notes": {"type": "array", "items": text},
            },
            "required": ["files", "references", "hidden", "targets", "windows", "notes"],
        },
        "outcomes": {"type": "array", "items": {"$ref": "#/$defs/Outcome"}},
        "unseen": {
            "type": "array",
            "items": {"type": "object", "properties": {"what": text, "why": text}, "required": ["what", "why"]},
        },
        "chain": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "link": {"enum": [link.value for link in Link]},
                    "standing": {"enum": [standing.value for standing in Standing]},
                    "words": text,
                    "code": {"type": ["string", "null"]},
                },
                "required": ["link", "standing", "words", "code"],
            },
        },
        "matrix": {"anyOf": [basis, {"type": "null"}]},
        "summary": _counters("error", "warning", "note", "passed", "not_applicable", "skipped", "broken"),
        "exit_code": {"enum": [0, 1, 3]},
    }
    return _schema("An envcheck report", properties, definitions, more, list(more))


def _counters(*names: str) -> JSON:
    counter = {"type": "integer", "minimum": 0}
    return {"type": "object", "properties": dict.fromkeys(names, counter), "required": list(names)}


def _facts_schema(types: Mapping[str, type]) -> tuple[JSON, JSON]:
    names = sorted(types)
    references, definitions = msgspec.json.schema_components(
        [types[name] for name in names], ref_template="#/$defs/{name}"
    )
    unavailable = {
        "type": "object",
        "properties": {
            "status": {"const": "unavailable"},
            "reason": {"type": "string"},
            "broken": {"type": "boolean"},
            "absent": {"type": "boolean"},
        },
        "required": ["status", "reason"],
    }
    known = {"properties": {"status": {"const": "ok"}}, "required": ["status"]}
    properties = {
        name: {"anyOf": [{"allOf": [known, reference]}, unavailable]}
        for name, reference in zip(names, references, strict=True)
    }
    return definitions, properties


def _schema(title: str, facts: JSON, definitions: JSON, more: JSON, required: list[str]) -> JSON:
    text = {"type": "string"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": {
            "schema_version": {"const": SCHEMA_VERSION},
            "tool": {
                "type": "object",
                "properties": {"name": {"const": "envcheck"}, "version": text},
                "required": ["name", "version"],
            },
            "collected_at": text,
            "inventory": {"type": "object", "properties": facts},
            **more,
        },
        "required": ["schema_version", "tool", "collected_at", "inventory", *required],
        "$defs": _undescribed(definitions),
    }


def _undescribed(schema: Any) -> Any:
    """A schema without the docstrings that msgspec puts into it: Python 3.13 indents them in another way."""
    if isinstance(schema, list):
        return [_undescribed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _undescribed(value)
        for name, value in schema.items()
        if name != "description" or not isinstance(value, str)
    }
