"""The JSON Schemas of what people write: the tables, a team's own rows, and the recorded releases."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from envcheck.knowledge.rows import folder
from envcheck.knowledge.tables import TABLES

SCHEMAS = Path(__file__).parent.parent / "envcheck" / "schemas"
MATRIX = json.loads((SCHEMAS / "matrix.schema.json").read_text("utf-8"))
RELEASES = json.loads((SCHEMAS / "releases.schema.json").read_text("utf-8"))
FILES = sorted({table.file for table in TABLES.values()})
RECORDED = sorted((folder() / "releases").glob("*.json"))


def content(text: str) -> Any:
    """YAML as JSON has it: a date is its text."""
    return json.loads(json.dumps(yaml.safe_load(text), default=datetime.date.isoformat))


def mistakes(schema: dict[str, Any], value: Any) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(value)]


def of_file(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}", "$defs": MATRIX["$defs"]}


@pytest.mark.parametrize("schema", [MATRIX, RELEASES, *map(of_file, FILES)])
def test_they_are_schemas(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", FILES)
def test_each_table_follows_its_schema(name: str) -> None:
    assert mistakes(of_file(name), content((folder() / name).read_text("utf-8"))) == []


@pytest.mark.parametrize("name", FILES)
def test_the_schema_of_a_table_refuses(name: str) -> None:
    found = content((folder() / name).read_text("utf-8"))
    row = (next(iter(found.values())) if isinstance(found, dict) else found)[0]
    for column in ("known", "checked", "source"):
        kept = row.pop(column)
        assert mistakes(of_file(name), found)
        row[column] = kept
    row["mistyped"] = 1
    assert mistakes(of_file(name), found)
    assert mistakes(of_file(name), [])


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_the_recorded_releases_follow_their_schema(path: Path) -> None:
    records = json.loads(path.read_text("utf-8"))
    assert mistakes(RELEASES, records[-40:]) == []  # the newest have everything; all of them would take seconds


@pytest.mark.parametrize(
    "record", [{}, {"version": 2}, {"version": "2.1", "pyton": ">=3"}, {"version": "2.1", "builds": [{}]}]
)
def test_the_schema_of_releases_refuses(record: dict[str, Any]) -> None:
    assert mistakes(RELEASES, [{"version": "2.1", "builds": [{"wheels": {}}]}]) == []
    assert mistakes(RELEASES, [record])


@pytest.mark.parametrize(
    "text",
    [
        "knots: [{id: numpy2-abi, remove: true, reason: patched}]",
        "tensorflow: [{series: '2.21', glibc: '2.17', checked: 2026-11-01, reason: rebuilt}]",
        "names: [{what: packages, names: [x], reason: ours}]",
    ],
)
def test_a_team_s_rows_follow_theirs(text: str) -> None:
    assert mistakes(MATRIX, content(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "- a",
        "knot: []",
        "refreshed: []",
        "knots: [{id: numpy2-abi, remove: true}]",
        "knots: [{id: numpy2-abi, remove: true, reason: ' '}]",
        "knots: [{id: numpy2-abi, remove: false, reason: r}]",
        "knots: [{remove: true, reason: r}]",
        "knots: [{id: numpy2-abi, severity: bad, reason: r}]",
        "tensorflow: [{series: 2.10, glibc: '2.17', reason: r}]",
        "tensorflow: [{series: '2.21', glib: '2.17', reason: r}]",
        "names: [{what: packages, remove: true, reason: r}]",
    ],
)
def test_the_schema_of_a_team_s_rows_refuses(text: str) -> None:
    assert mistakes(MATRIX, content(text))
