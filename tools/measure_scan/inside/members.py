"""Asks for a dotted name as a scan writes it: modules are imported on the way, `()` is an instance of what stands before it."""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING

from . import calls, names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Found = tuple[Any, str, str]
    Instances = Callable[[type], Iterator[Any]]


def answer(name: str, keyword: str | None, instances: Instances) -> dict[str, Any]:
    """Whether the name is there; with ``keyword``, also whether what it names takes it. ``instances`` makes some of a class."""
    row: dict[str, Any] = {"kind": "member", "name": name, "keyword": keyword}
    value, status, detail = resolved(name, instances)
    row.update(status=status, detail=detail[:300])
    if keyword and status == "present":
        row["accepts"], row["how"] = calls.keyword(value, keyword, [], [])
    return row


def resolved(name: str, instances: Instances) -> Found:
    """`(value, status, detail)` of a dotted name."""
    before, call, rest = name.partition("()")
    value, status, detail = imported(before, instances)
    while status == "present" and call:
        segment, call, rest = rest.lstrip(".").partition("()")
        parts = [part for part in segment.split(".") if part]
        value, status, detail = member(value, parts, instances)
    return value, status, detail


def imported(name: str, instances: Instances) -> Found:
    """What a plain dotted name means: attributes, modules that an import finds where there is no attribute, and attributes
    that only instances of a class have."""
    parts = name.split(".")
    try:
        value = importlib.import_module(parts[0])
    except ImportError as error:
        return (None, *names.failed_import(f"import {parts[0]}", error)[::2])
    for number, part in enumerate(parts[1:], 1):
        if inspect.isclass(value):
            return member(value, parts[number:], instances)
        try:
            value = getattr(value, part)
        except Exception as error:
            try:
                value = importlib.import_module(".".join(parts[: number + 1]))
            except Exception as second:
                status, _, detail = names.follow(value, [part])
                if status == "absent" and not isinstance(second, ModuleNotFoundError) and inspect.ismodule(value):
                    status = "unknown"
                return None, status, detail or f"{error}; {second}"
    return value, "present", ""


def member(value: Any, parts: list[str], instances: Instances) -> Found:
    """Attributes of a class or of an instance of it: looked for on the class first, which needs no instance."""
    if not parts:
        return value, "present", ""
    if not inspect.isclass(value):
        return None, "unknown", "the result of a function"
    owner, made = (value, True) if hasattr(value, parts[0]) else (None, False)
    for one in instances(value) if owner is None else ():
        made = True
        if hasattr(one, parts[0]):
            owner = one
            break
    if owner is None:
        detail = f"{value.__name__} has no {parts[0]}"
        return None, "absent" if made else "unknown", detail if made else f"{detail}, and no instance could be made"
    found = owner
    for part in parts:
        status, _, detail = names.follow(found, [part])
        if status != "present":
            return None, status, detail
        found = getattr(found, part)
    return found, "present", ""
