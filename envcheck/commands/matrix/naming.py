"""What a user names on the command line: a distribution with versions, or a TensorFlow series."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from envcheck.errors import UsageError

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix


def asked(text: str, matrix: Matrix) -> tuple[str, SpecifierSet]:
    """A distribution and the range asked for: ``2.16`` and ``tensorflow==2.16`` are the whole series.

    Raises:
        UsageError: it is no requirement, or its distribution is not recorded.
    """
    if re.fullmatch(r"\d[\w.+]*", text):
        text = f"tensorflow=={text}"
    text = re.sub(r"==(\d+\.\d+)$", r"==\1.*", text)
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        raise UsageError(f"{text}: a distribution and a version such as tensorflow==2.16.2 is expected") from None
    name = re.sub(r"[-_.]+", "-", requirement.name).lower()
    names = matrix.releases.names()
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        raise UsageError(
            f"{name}: not recorded in the matrix; "
            + (f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}")
        )
    return name, requirement.specifier


def specifier(option: str, text: str) -> SpecifierSet:
    """A version range of an option; a bare version is that one.

    Raises:
        UsageError: it is none.
    """
    try:
        return SpecifierSet(f"=={text}" if re.fullmatch(r"\d[\w.*+]*", text) else text)
    except InvalidSpecifier:
        raise UsageError(f'{option} {text}: a version range such as ">=2.12,<2.16" is expected') from None
