"""Finds checks and probes by folder: drop a file in, and it exists. No lists to forget, nothing done at import time."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType

from envcheck.errors import UsageError
from envcheck.findings import Check, tolerated


@dataclass(frozen=True, slots=True)
class Probe:
    """One subject and the function that looks at it.

    ``needs`` are the facts of other probes that it builds on; ``tolerates`` those of them (annotated ``| Unavailable``)
    that it can do without. ``begin``, where a probe has it, starts what takes long without waiting for it.
    """

    name: str
    collect: Callable[..., object]
    needs: tuple[str, ...]
    tolerates: frozenset[str] = frozenset()
    begin: Callable[..., None] | None = None


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for module in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"{package.__name__}.{module.name}")


def checks() -> tuple[Check, ...]:
    """Every check, ordered by code."""
    from envcheck import checks as package  # noqa: PLC0415 - loaded only by commands that judge

    found = (value for module in _modules(package) for value in vars(module).values() if isinstance(value, Check))
    return tuple(sorted(found, key=lambda check: check.code))


def probes() -> dict[str, Probe]:
    """Every probe by name. The first parameter of ``collect`` is the host; the others name facts."""
    from envcheck import probes as package  # noqa: PLC0415 - loaded only by commands that look

    found = {}
    for module in _modules(package):
        name = module.__name__.rpartition(".")[2]
        needs = inspect.getfullargspec(module.collect).args[1:]
        found[name] = Probe(
            name, module.collect, tuple(needs), tolerated(module.collect), getattr(module, "begin", None)
        )
    return found


def select(every: Sequence[Check], selected: Sequence[str], ignored: Sequence[str]) -> tuple[Check, ...]:
    """The checks whose code starts with one of ``selected`` (all when empty) and with none of ``ignored``.

    Raises:
        UsageError: a prefix matches no check, or no check is left: "all passed" would be a lie.
    """
    for prefix in (*selected, *ignored):
        if not prefix or not any(check.code.startswith(prefix) for check in every):
            raise UsageError(f"no check has a code that starts with {prefix!r}; `envcheck explain` lists them all")
    chosen = tuple(
        check
        for check in every
        if (not selected or check.code.startswith(tuple(selected))) and not check.code.startswith(tuple(ignored))
    )
    if not chosen:
        raise UsageError("the filters leave no check to run: nothing would have been checked")
    return chosen
