"""Writes the JSON Schemas that ship with envcheck from the annotations of facts and rows: ``python tools/write_schemas.py``.

``report`` and ``inventory`` describe what envcheck writes, ``matrix`` a team's own rows (for an editor that checks while one
types; under ``$defs``, by file name, the files of compat_matrix/), ``releases`` the files of compat_matrix/releases/,
``api`` what ``envcheck api`` writes, ``state`` what ``doctor`` and ``smoke`` leave behind with ``--state``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from envcheck.codec import facts_type, inventory_schema, report_schema
from envcheck.commands.api.symbols import Symbol
from envcheck.commands.state import State
from envcheck.knowledge.releases import Release
from envcheck.knowledge.rows import KNOWN
from envcheck.knowledge.tables import CLOSED, LAID, TABLES
from envcheck.registry import probes

FOLDER = Path(__file__).parent.parent / "envcheck" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
JSON = dict[str, Any]


def schemas() -> dict[str, str]:
    """The text of each schema by file name."""
    types = {name: facts_type(probe.collect) for name, probe in probes().items()}
    made = {
        "report.schema.json": report_schema(types),
        "inventory.schema.json": inventory_schema(types),
        "matrix.schema.json": matrix_schema(),
        "releases.schema.json": releases_schema(),
        "api.schema.json": api_schema(),
        "state.schema.json": state_schema(),
    }
    return {name: json.dumps(schema, indent=1, sort_keys=True) + "\n" for name, schema in made.items()}


def api_schema() -> JSON:
    """What ``envcheck api --format json`` writes."""
    schema: JSON = msgspec.json.schema(list[Symbol])
    return {"$schema": DIALECT, "title": "The answers of envcheck api", **schema}


def state_schema() -> JSON:
    """What ``--state FILE`` leaves behind, and ``envcheck healthcheck`` reads."""
    (state,), definitions = msgspec.json.schema_components([State], ref_template="#/$defs/{name}")
    definitions = {name: _strict(schema) for name, schema in definitions.items()}
    return {"$schema": DIALECT, "title": "The state file of envcheck", **state, "$defs": definitions}


def matrix_schema() -> JSON:
    """A team's own file; under ``$defs`` the whole files of compat_matrix/ by their names."""
    kinds = list(dict.fromkeys(table.kind for table in TABLES.values()))
    _, definitions = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    definitions.pop("Source")
    own: JSON = {}
    files: JSON = {}
    for name, table in TABLES.items():
        row = definitions[table.kind.__name__]
        whole = {"type": "array", "minItems": 1, "items": _whole(row)}
        if table.section is None:
            files[table.file] = whole
        else:
            file = files.setdefault(table.file, {"type": "object", "properties": {}, "additionalProperties": False})
            file["properties"][table.section] = whole
        if name in LAID:
            own[name] = {"type": "array", "items": _changed(row, LAID[name], removable=name not in CLOSED)}
    rows = {kind.__name__ for kind in kinds}
    nested = {name: _strict(schema) for name, schema in definitions.items() if name not in rows}
    return {
        "$schema": DIALECT,
        "title": "Rows of your own over envcheck's compatibility matrix",
        "type": "object",
        "properties": own,
        "additionalProperties": False,
        "minProperties": 1,
        "$defs": {**nested, **files},
    }


def _whole(row: JSON) -> JSON:
    """A row of ours: every column without a default, and how it is known."""
    columns = {**row["properties"], **_KNOWN_BY}
    required = [*(name for name in row["required"] if name != "source"), *_KNOWN_BY]
    return {"type": "object", "properties": columns, "required": required, "additionalProperties": False}


def _changed(row: JSON, key: tuple[str, ...], *, removable: bool) -> JSON:
    """A row of a team's: the key, the reason, and the columns that differ; or that it is taken away."""
    columns = {**row["properties"], **_KNOWN_BY, "reason": {"type": "string", "pattern": r"\S"}}
    if removable:
        columns["remove"] = {"const": True}
    return {"type": "object", "properties": columns, "required": [*key, "reason"], "additionalProperties": False}


_KNOWN_BY: JSON = {
    "known": {"enum": list(KNOWN)},
    "checked": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
    "source": {"type": "array", "items": {"type": "string"}, "minItems": 1},
}


def releases_schema() -> JSON:
    """One file of compat_matrix/releases/: the releases of one distribution."""
    (release,), definitions = msgspec.json.schema_components([Release], ref_template="#/$defs/{name}")
    return {
        "$schema": DIALECT,
        "title": "The releases of one distribution, oldest first",
        "type": "array",
        "items": release,
        "$defs": {name: _strict(schema) for name, schema in definitions.items()},
    }


def _strict(schema: JSON) -> JSON:
    """Without the docstring, which Python 3.13 indents in another way, and with no column but its own."""
    return {**{name: value for name, value in schema.items() if name != "description"}, "additionalProperties": False}


if __name__ == "__main__":
    for name, text in schemas().items():
        (FOLDER / name).write_text(text, "utf-8")
