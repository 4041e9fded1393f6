"""The distinct names and keywords that each target lacks, counted over the corpora."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .truth import Truth

Record = Mapping[str, Any]


def absences(records: Iterable[Record], truths: Mapping[str, Truth], target: str) -> dict[str, list[dict[str, Any]]]:
    """``names`` and ``keywords`` absent on ``target``, those most used first.

    Each with ``count`` (references that :func:`set_aside` keeps, in projects that have no package of that name themselves),
    ``other`` (the rest), one example, what was raised, and the targets that have it: a name that none has
    may be a mistake of the oracle.
    """
    names: dict[str, dict[str, Any]] = {}
    keywords: dict[str, dict[str, Any]] = {}
    for record in records:
        for reference in record["references"]:
            answer = truths[target].name(record["loads"], reference)
            if answer.status == "absent":
                row = _row(names, reference["name"], record, reference, answer.detail)
                row["there"].update(
                    one for one in truths if truths[one].name(record["loads"], reference).status == "present"
                )
            for keyword in reference["keywords"]:
                found = truths[target].keyword(reference["name"], keyword)
                if found.status == "rejected":
                    row = _row(keywords, f"{reference['name']}({keyword}=)", record, reference, found.detail)
                    row["there"].update(
                        one for one in truths if truths[one].keyword(reference["name"], keyword).status == "accepted"
                    )
    return {"names": _sorted(names), "keywords": _sorted(keywords)}


def _row(
    rows: dict[str, dict[str, Any]], name: str, record: Record, reference: Mapping[str, Any], detail: str
) -> dict[str, Any]:
    example = {"path": record["path"], "cell": reference["cell"], "line": reference["line"]}
    row = rows.setdefault(
        name, {"name": name, "count": 0, "other": 0, "example": example, "detail": detail, "there": set()}
    )
    row["other" if set_aside(reference) or reference["local"] else "count"] += 1
    return row


def set_aside(reference: Mapping[str, Any]) -> bool:
    """Whether a reference says nothing sure about what fails: it is guarded, its name stands for other things too, or only a
    star import could have given it."""
    return bool(reference["guard"] or reference["ambiguous"] or reference["statement"].endswith("*"))


def _sorted(rows: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    for row in rows.values():
        row["there"] = sorted(row["there"])
    return sorted(rows.values(), key=lambda row: (-row["count"], row["name"]))
