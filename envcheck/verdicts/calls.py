"""Calls on one target: keywords that it lacks, ignores or renamed, and more arguments by position than it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from packaging.version import Version

from envcheck.knowledge.api.answers import Api, History, Status
from envcheck.knowledge.api.history import Found
from envcheck.source.names.uses import Call
from envcheck.verdicts.names import Names, Seen

UNSIGNED = frozenset(("tensorflow.Variable", "tensorflow.compat.v2.Variable", "tensorflow.compat.v1.Variable"))
FIRST_UNSIGNED = Version("2.12")
"""From here on a metaclass takes what the signature does not tell: ``tf.Variable(1.0, collections=[])`` works (measured:
TensorFlow 2.15.1 and 2.21.0 take it, 2.11.1 does not; what lies between is not judged)."""


class Fault(NamedTuple):
    """One thing about a call: ``kind`` as of a verdict, the parameter, and how many arguments it takes by position."""

    kind: str
    parameter: str
    most: int = -1


def faults(call: Call, seen: Seen, names: Names) -> Iterator[Fault]:
    """What a call says that the target's signature does not."""
    if seen.answer is None or seen.status in (None, Status.ABSENT, Status.UNKNOWN):
        return
    tensorflow = names.target.tensorflow
    if seen.name in UNSIGNED and tensorflow is not None and tensorflow >= FIRST_UNSIGNED:
        return
    for keyword in call.keywords:
        status = names.api.keyword(seen.name, keyword, names.target).status
        if status is Status.ABSENT:
            yield Fault("absent-parameter", keyword)
        elif status is Status.IGNORED:
            yield Fault("ignored", keyword)
    most = positional(seen) if seen.member or not _is_method(seen) else None  # Class.method(self, x) has one more
    if most is not None and call.positional > most:
        yield Fault("positional", f"argument {most + 1}", most)


def _is_method(seen: Seen) -> bool:
    return seen.answer is not None and any(one.member for one in seen.answer.found)


def positional(seen: Seen) -> int | None:
    """How many arguments a callable takes by position; None where it does not tell, or it may be any number."""
    found = (
        {_places(text) for one in seen.answer.found if seen.answer for text in _signatures(one)}
        if seen.answer
        else set()
    )
    return found.pop() if len(found) == 1 else None


def _signatures(found: Found) -> list[str]:
    return [fact.text for fact in found.entry.holding("(", found.mask)] if found.entry else ["?"]


def _places(text: str) -> int | None:
    count = 0
    for word in text.split(" ") if text else ():
        if word == "?" or (word.startswith("*") and not word.startswith("**") and word != "*"):
            return None
        if word.startswith("*"):
            break
        if word != "/":
            count += 1
    return count


def releases(history: History, keyword: str, api: Api) -> int:
    """The releases whose call takes a keyword."""
    parameter = api.parameters(history.found).get(keyword)
    return parameter.named | parameter.taken if parameter else 0
