"""Writes the JSON Schemas that ship with envcheck from the facts' own annotations: ``python tools/write_schemas.py``."""

from __future__ import annotations

import json
from pathlib import Path

from envcheck.codec import facts_type, inventory_schema, report_schema
from envcheck.registry import probes

FOLDER = Path(__file__).parent.parent / "envcheck" / "schemas"


def schemas() -> dict[str, str]:
    """The text of each schema by file name."""
    types = {name: facts_type(probe.collect) for name, probe in probes().items()}
    made = {"report.schema.json": report_schema(types), "inventory.schema.json": inventory_schema(types)}
    return {name: json.dumps(schema, indent=1, sort_keys=True) + "\n" for name, schema in made.items()}


if __name__ == "__main__":
    for name, text in schemas().items():
        (FOLDER / name).write_text(text, "utf-8")
