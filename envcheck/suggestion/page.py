"""A suggestion as text for people and as JSON for machines."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from envcheck.knowledge.matrix import Matrix
from envcheck.suggestion.fresh import Nothing, Plan
from envcheck.suggestion.lines import commands
from envcheck.suggestion.machine import Machine
from envcheck.suggestion.repair import Repair


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Everything that is said: ``repair`` is a text where none could be made, None when another machine was asked for.

    ``repair_commands`` install and uninstall what the repair changes, for the package manager in use. ``unread`` are lines
    of a requirements file that were not looked at.
    """

    machine: Machine
    fresh: Plan | Nothing
    repair: Repair | str | None = None
    repair_commands: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def text(suggestion: Suggestion, matrix: Matrix) -> str:
    """The page for a terminal or a pipe."""
    lines = [f"For {suggestion.machine}.", f"Releases known up to {matrix.as_of}.", ""]
    lines += [
        f"Your own row: {each.table} {each.row} ({each.file}:{each.line}): {each.reason}" for each in matrix.overrides
    ]
    if suggestion.repair is not None:
        lines += [*_repair(suggestion.repair, suggestion.repair_commands), ""]
    lines += _fresh(suggestion.fresh, suggestion.machine)
    if suggestion.unread:
        lines += ["", "Not looked at:", *(f"  {each}" for each in suggestion.unread)]
    return "\n".join(lines) + "\n"


def _repair(repair: Repair | str, repair_commands: Sequence[str]) -> Iterator[str]:
    if isinstance(repair, str):
        yield f"What is installed: {repair}."
        return
    if not repair.changes:
        yield f"What is installed belongs together: TensorFlow {repair.tensorflow}, nothing to change."
        return
    count = len(repair.changes)
    yield f"The smallest change to what is installed ({count} distribution{'s' if count > 1 else ''}):"
    width = max(len(change.name) for change in repair.changes)
    for change in repair.changes:
        step = f"{change.have or 'missing'} -> {(change.want or 'remove it').removeprefix('==') or 'any version'}"
        yield f"  {change.name:{width}}  {step}"
        yield from _wrapped(change.reason, width + 4)
    yield from ("", *(f"  {each}" for each in repair_commands))


def _fresh(fresh: Plan | Nothing, machine: Machine) -> Iterator[str]:
    if isinstance(fresh, Nothing):
        yield f"Nothing can work: {fresh.reason}."
        if fresh.instead:
            yield "What would work:"
            yield from (f"  - {each}" for each in fresh.instead)
        return
    yield "The newest set for a fresh environment:"
    width = max(len(str(pin)) for pin in fresh.pins)
    for pin in fresh.pins:
        first, *more = textwrap.wrap(pin.reason, max(40, 116 - width)) or [""]
        yield f"  {pin!s:{width}}  {first}"
        yield from (f"  {'':{width}}  {each}" for each in more)
    yield from (f"  Note: {note}." for note in fresh.notes)
    yield ""
    for tool, line in commands([str(pin) for pin in fresh.pins], machine.python).items():
        yield f"  {tool + ':':7}{line}"
    yield "  requirements.txt:"
    yield from (f"    {pin}" for pin in fresh.pins)


def _wrapped(words: str, indent: int) -> Iterator[str]:
    yield from textwrap.wrap(words, 118, initial_indent=" " * indent, subsequent_indent=" " * indent)


def as_json(suggestion: Suggestion, matrix: Matrix) -> str:
    """The same for machines, with a version."""
    fresh: dict[str, Any]
    if isinstance(suggestion.fresh, Nothing):
        fresh = {"found": False, "reason": suggestion.fresh.reason, "instead": list(suggestion.fresh.instead)}
    else:
        requirements = [str(pin) for pin in suggestion.fresh.pins]
        fresh = {
            "found": True,
            "pins": [asdict(pin) for pin in suggestion.fresh.pins],
            "requirements": requirements,
            "commands": commands(requirements, suggestion.machine.python),
            "notes": list(suggestion.fresh.notes),
        }
    page = {
        "schema_version": 1,
        "machine": asdict(suggestion.machine),
        "matrix": {"as_of": matrix.as_of, "overrides": [asdict(each) for each in matrix.overrides]},
        "fresh": fresh,
        "repair": _repair_json(suggestion),
        "unread": list(suggestion.unread),
    }
    return json.dumps(page, indent=1, ensure_ascii=False) + "\n"


def _repair_json(suggestion: Suggestion) -> dict[str, Any] | None:
    repair = suggestion.repair
    if repair is None:
        return None
    if isinstance(repair, str):
        return {"found": False, "reason": repair}
    changes = [asdict(change) for change in repair.changes]
    return {
        "found": True,
        "tensorflow": repair.tensorflow,
        "changes": changes,
        "commands": list(suggestion.repair_commands),
    }
