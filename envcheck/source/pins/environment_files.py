"""Pins in conda's environment files: ``dependencies``, and the list ``pip`` in it.

Source: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from envcheck.source.pins.pin import Told
from envcheck.source.pins.requirement_files import conda_spec, requirement_line
from envcheck.source.reading import Unread

DEEPEST_VALUE = 4
"""Levels of the deepest value that is looked at: the mapping, its list, the mapping ``pip`` in it, and that one's list."""
DEEPEST = 50
"""Levels of the deepest document that is read: 100,000 brackets took libyaml half a minute (measured)."""


@dataclass(slots=True)
class _Level:
    """A list or a mapping that is open: ``key`` is what its next value belongs to, None where a key is to come."""

    mapping: bool
    is_key: bool
    key: str | None = None


def read(path: str, text: str) -> Iterator[Told]:
    """What an environment file says; the group of its pins is the environment's name."""
    name, entries = "", []
    try:
        for keys, value, line in _scalars(text):
            if keys == ("name",):
                name = value
            elif keys in (("dependencies",), ("dependencies", "pip")):
                entries.append((keys[-1], value, line))
    except (yaml.YAMLError, UnicodeError) as error:
        yield Unread(path, _no_yaml(error))
    for kind, value, line in entries:
        words = value.split(" #")[0].strip()
        read_one = requirement_line if kind == "pip" else conda_spec
        yield from read_one(path, line, words, name)


def _scalars(text: str) -> Iterator[tuple[tuple[str, ...], str, int]]:
    """The values of a YAML document with the keys that lead to them and their lines.

    It is read as events: nothing is built of it, so that aliases and tags cost nothing.
    """
    levels: list[_Level] = []
    for event in yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        around = levels[-1] if levels else None
        key_to_come = around is not None and around.mapping and around.key is None
        if isinstance(event, yaml.CollectionStartEvent):
            levels.append(_Level(isinstance(event, yaml.MappingStartEvent), key_to_come))
            if len(levels) > DEEPEST:
                raise yaml.YAMLError(f"nested deeper than {DEEPEST} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = levels.pop()
            if levels:
                levels[-1].key = "" if ended.is_key else None
        elif around is not None and isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
            value = event.value if isinstance(event, yaml.ScalarEvent) else ""
            if not key_to_come and len(levels) <= DEEPEST_VALUE:
                line = event.start_mark.line + 1 if event.start_mark else 1
                yield tuple(level.key or "" for level in levels if level.mapping), value, line
            around.key = value if key_to_come else None


def _no_yaml(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    where = f"line {mark.line + 1}: " if mark is not None else ""
    return f"{where}this is no YAML that can be read: {problem}"
