"""TOML that strangers wrote: pyproject.toml, Pipfile, the tables of lock files."""

from __future__ import annotations

import re
import sys
from typing import Any

DEEPEST_KEY = 50
"""Parts of the longest dotted key that is read."""


class NoToml(ValueError):  # noqa: N818 - its reader makes an error or a value of it
    """What is wrong with a text that is no TOML, and on which line (from 1; None where that is not known)."""

    def __init__(self, reason: str, line: int | None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.reason = reason
        self.line = line


def read(text: str) -> dict[str, Any]:
    """The content of a TOML text.

    Raises:
        NoToml: it is none, is nested too deep, or has a dotted key of more than 50 parts.
    """
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415 - most runs read no TOML
    else:
        import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - as above

    _refuse_long_keys(text)
    try:
        content: dict[str, Any] = tomllib.loads(text)
    except RecursionError:
        raise NoToml("nested too deep", None) from None
    except ValueError as error:  # its own error is one, and so is a number of 5000 digits
        found = re.search(r"line (\d+)", str(error))
        raise NoToml(re.sub(r" \(at .*\)$", "", str(error)), int(found[1]) if found else None) from None
    return content


def _refuse_long_keys(text: str) -> None:
    """A dotted key of 20,000 parts (40 kB) takes tomllib 3 s, one of 40,000 parts four times as long (measured, 3.11)."""
    if text.count(".") <= DEEPEST_KEY:
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > DEEPEST_KEY:
            bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", line)
            if re.search(rf"(?:\.[\w \t-]*){{{DEEPEST_KEY}}}", bare):
                raise NoToml(f"a dotted key of more than {DEEPEST_KEY} parts", number)
