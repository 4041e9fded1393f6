"""Whether names are there, asked in a process that has imported what the file with the question imports, and nothing else."""

from __future__ import annotations

import inspect
import types
from typing import TYPE_CHECKING

ROOTS = ("tensorflow", "keras", "tf_keras")

if TYPE_CHECKING:
    from typing import Any

    Found = tuple[str, int, str]


def load(statements: list[str]) -> None:
    """Run a file's imports; each may fail."""
    for statement in statements:
        try:
            exec(statement, {})  # noqa: S102 - an import statement that the oracle wrote
        except Exception as error:  # the question about this import tells it
            del error


def answer(statement: str, attributes: list[str]) -> Found:
    """`(status, found, detail)` for what ``statement`` binds and the attributes taken of it.

    ``status`` is ``present``, ``absent``, ``dynamic`` (the missing attribute is one of an instance, not of a module or class),
    ``uninstalled`` (the root is not there at all) or ``unknown``; ``found`` counts the attributes that were there (-1: the
    import failed); ``detail`` says what was raised.
    """
    space: dict[str, Any] = {}
    try:
        exec(statement, space)  # noqa: S102 - see load
    except Exception as error:
        return failed_import(statement, error)
    if statement.endswith("*"):
        if attributes[0] not in space:
            return "absent", 0, "not in the star"
        value, rest, found = space[attributes[0]], attributes[1:], 1
    else:
        value, rest, found = space["_"], attributes, 0
    return follow(value, rest, found)


def follow(value: Any, attributes: list[str], found: int = 0) -> Found:
    """The same for attributes of a value."""
    for name in attributes:
        try:
            value = getattr(value, name)
        except AttributeError as error:
            is_static = isinstance(value, types.ModuleType) or inspect.isclass(value)
            return "absent" if is_static else "dynamic", found, f"AttributeError: {error}"
        except Exception as error:
            return "unknown", found, f"{type(error).__name__}: {error}"
        found += 1
    return "present", found, ""


def failed_import(statement: str, error: Exception) -> Found:
    """What a failed import says: absent where TensorFlow or Keras lack it, unknown where something else is missing."""
    detail = f"{type(error).__name__}: {str(error)[:300]}"
    missing = getattr(error, "name", None) or ""
    root = statement.split()[1].partition(".")[0]
    if isinstance(error, ModuleNotFoundError):
        if missing == root:
            return "uninstalled", -1, detail
        return ("absent" if missing.partition(".")[0] in ROOTS else "unknown"), -1, detail
    if isinstance(error, ImportError):
        said = str(error)
        return ("absent" if said.startswith("cannot import name") else "unknown"), -1, detail
    return "unknown", -1, detail


def value_of(statement: str, attributes: list[str]) -> Any:
    """The object itself, or None."""
    space: dict[str, Any] = {}
    try:
        exec(statement, space)  # noqa: S102 - see load
        value = space.get("_", space.get(attributes[0] if attributes else ""))
        for name in attributes[1:] if statement.endswith("*") else attributes:
            value = getattr(value, name)
    except Exception as error:
        del error
        return None
    return value
