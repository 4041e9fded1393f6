"""Whether a condition holds on a target: True, False, or None where that cannot be told."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from packaging.version import InvalidVersion, Version

from envcheck.knowledge.api.answers import Status
from envcheck.source.names.conditions import ABOUT_VERSIONS
from envcheck.source.names.uses import Condition
from envcheck.verdicts.names import Names

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "in": lambda left, right: left in right,
    "not in": lambda left, right: left not in right,
    "holds": lambda left, right: right in left,
    "startswith": lambda left, right: left.startswith(right),
}
Flag = Callable[[str], Condition | None]
"""What a name of another module of the project asks."""


def holds(condition: Condition, names: Names, flag: Flag) -> bool | None:
    """One condition (see :data:`envcheck.source.names.uses.Condition`) on the target of ``names``."""
    kind = condition[0]
    if kind == "not":
        inside = holds(condition[1], names, flag)
        return None if inside is None else not inside
    if kind in ("and", "or"):
        answers = [holds(each, names, flag) for each in condition[1:]]
        decisive = kind == "or"
        if decisive in answers:
            return bool(decisive)
        return None if None in answers else bool(not decisive)
    if kind == "never":
        return False
    if kind == "has":
        return _there(condition[1], names)
    if kind == "failed":
        answers = [_there(symbol, names) for symbol in condition[1]]
        return True if False in answers else None if None in answers else False
    if kind == "flag":
        test = flag(condition[1])
        if test is not None:
            return holds(test, names, flag)
        return None if ABOUT_VERSIONS.search(condition[1].rpartition(":")[2]) else True
    if kind == "version":
        symbol, form, sign, literal = condition[1:]
        return _version(symbol, form, sign, literal, names)
    return None


def _there(symbol: str, names: Names) -> bool | None:
    answers = []
    for one in symbol.split("|"):
        if one[:1] in "@*":
            return None
        status = names.see(one).status
        answers.append(None if status in (None, Status.UNKNOWN) else status is not Status.ABSENT)
    return True if True in answers else None if None in answers else False


def _version(symbol: str, form: str, sign: str, literal: Any, names: Names) -> bool | None:
    target = names.target
    release = target.tensorflow
    if symbol.partition(".")[0] == "tf_keras":
        release = target.tf_keras
    elif symbol.startswith(("keras.", "tensorflow.keras.", "tensorflow.compat.v1.keras.")):
        release = target.keras
    if release is None:
        return None
    try:
        return bool(OPERATORS[sign](*_sides(str(release), release, form, literal)))
    except (TypeError, ValueError, InvalidVersion, AttributeError, KeyError):
        return None  # code that compares so would raise, or does something that is not understood


def _sides(text: str, release: Version, form: str, literal: Any) -> tuple[Any, Any]:
    """Both sides as the code compares them."""
    if form == "parsed":
        if isinstance(literal, tuple):
            return tuple(Version(each) if isinstance(each, str) else each for each in literal), literal
        return release, Version(str(literal))
    numbers = tuple(release.release)
    parts = tuple(text.split("."))
    forms: dict[str, Any] = {
        "text": text,
        "first": parts[0],
        "second": parts[1] if len(parts) > 1 else "0",
        "major": release.major,
        "minor": release.minor,
        "float": float(f"{release.major}.{text.split('.')[1][:1]}"),
        "parts": parts,
        "numbers": numbers,
        "tuple": numbers,
        "list": numbers,
    }
    for name in ("prefix", "parts", "numbers"):
        count = form[len(name) :]
        if form.startswith(name) and count.isdigit():
            whole = {"prefix": text, "parts": parts, "numbers": numbers}[name]
            return whole[: int(count)], literal
    return forms[form], literal
