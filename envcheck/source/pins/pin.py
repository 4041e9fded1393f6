"""What a pin is, and the requirements of pip as one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from envcheck.source.reading import Unread

PACKAGES = {
    **dict.fromkeys(("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel"), "tensorflow"),
    **dict.fromkeys(("tensorflow-macos", "tensorflow-rocm", "tensorflow-cpu-aws"), "tensorflow"),
    "keras": "keras",
    "tf-keras": "tf_keras",
}
"""The distributions that are looked for, by normalized name, and the import package that each brings. tf-nightly is not among
them: its versions are days. Source: their pages on the Python Package Index."""
NAMED = re.compile(r"tensorflow|keras", re.IGNORECASE)
"""Every name of a distribution that is looked for has one of these words."""
LONGEST = 2000
"""Characters of the longest requirement that is read."""


@dataclass(frozen=True, slots=True)
class Pin:
    """What one line of a project's own files asks of TensorFlow or Keras.

    Args:
        distribution: its normalized name, a key of :data:`PACKAGES`: ``tensorflow-gpu``, ``tf-keras``.
        specifier: which versions (PEP 440): ``<2.9,>=2.4``; empty where any will do.
        path: the file, below the folder as it was given, with ``/``.
        line: from 1.
        group: the extra, dependency group or environment that it belongs to; empty for what is always installed.
        marker: under which condition it holds, as the file says it: ``python_version < "3.8"``; empty for always.
    """

    distribution: str
    specifier: str
    path: str
    line: int
    group: str = ""
    marker: str = ""

    @property
    def package(self) -> str:
        """The import package that the distribution brings: ``tensorflow``, ``keras`` or ``tf_keras``."""
        return PACKAGES[self.distribution]

    @property
    def exact(self) -> bool:
        """Whether it names one release: ``==2.4.1``."""
        return re.fullmatch(r"===?[^*,]+", self.specifier) is not None


class Unclear(ValueError):  # noqa: N818 - it becomes a value: what could not be read, and why
    """A line names TensorFlow or Keras and does not tell which versions; the text says why."""


def normalized(name: str) -> str:
    """A distribution's name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def asked(text: str) -> tuple[str, str, str] | None:
    """The distribution, specifier and marker of a requirement (PEP 508); None for a distribution that is not looked for.

    Raises:
        Unclear: it is no requirement, or comes from an address that does not tell the version.
    """
    text = text.strip()
    if not NAMED.search(text):
        return None
    if len(text) > LONGEST:
        raise Unclear(f"a requirement of more than {LONGEST} characters")
    if ("://" in text and "@" not in text.split("://")[0]) or text.endswith((".whl", ".tar.gz", ".zip")):
        return _from_address(text)
    name = re.match(r"[\w.-]+", text)
    if name is None or normalized(name[0]) not in PACKAGES:
        return None
    try:
        requirement = Requirement(text)
        marker = str(requirement.marker or "")
    except InvalidRequirement as error:
        raise Unclear(f"this is no requirement: {_short(text)} ({str(error).splitlines()[0]})") from None
    except RecursionError:
        raise Unclear(f"its marker is nested too deep: {_short(text)}") from None
    if requirement.url is not None:
        return _from_address(text)
    return normalized(requirement.name), checked(str(requirement.specifier)), marker


def checked(specifier: str) -> str:
    """A specifier in its usual spelling; the empty one for ``*``.

    Raises:
        Unclear: it is none.
    """
    if specifier.strip() in ("", "*"):
        return ""
    try:
        versions = SpecifierSet(specifier)
        versions.contains("1")  # a number of 5000 digits is refused only when it is compared
    except (InvalidSpecifier, ValueError):
        raise Unclear(f"this is no range of versions: {_short(specifier)}") from None
    return str(versions)


_ARCHIVE = re.compile(
    r"(?:/|^)(\w[\w.]*?)-(\d[\w.!+]*?)(?:(?:-\d\w*)?-[\w.]+-[\w.]+-[\w.]+\.whl|\.tar\.gz|\.zip)(?:[#?]|$)"
)
"""The end of an address that names a release: a wheel (PEP 427) or a source distribution (PEP 625)."""
_PROJECT = re.compile(r"egg=([\w.-]+)|/([\w-]+)/(?:archive|tarball|zipball)/|/([\w-]+)(?:\.git)?(?:[@#]|$)")


def _from_address(text: str) -> tuple[str, str, str] | None:
    """The release that the file at an address names; a repository may be any version."""
    address, _, marker = text.partition(" ;")
    archive = _ARCHIVE.search(address.strip())
    if archive is not None:
        name = normalized(archive[1])
        return (name, checked(f"=={archive[2]}"), marker.strip()) if name in PACKAGES else None
    direct = re.match(r"([\w.-]+)\s*(?:\[[^\]]*\])?\s*@", address)
    named = [
        name for found in (direct, *_PROJECT.finditer(address.strip())) if found for name in found.groups() if name
    ]
    if not any(normalized(name) in PACKAGES for name in named):
        return None
    raise Unclear(f"its address does not tell which version this is: {_short(text)}")


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"


@dataclass(frozen=True, slots=True)
class Include:
    """Another file of requirements that a file names: relative to the file's folder, as written."""

    path: str
    line: int


Told = Pin | Unread | Include
"""What a file's reader tells."""


def pinned(text: str, path: str, line: int, group: str = "", marker: str = "") -> Iterator[Pin | Unread]:
    """The pin in one requirement (PEP 508), or why it cannot be told; nothing for other distributions.

    ``marker`` is a condition that the file sets besides the requirement's own.
    """
    try:
        found = asked(text)
    except Unclear as unclear:
        yield unclear_at(path, line, unclear)
        return
    if found is not None:
        distribution, specifier, own = found
        yield Pin(distribution, specifier, path, line, group, " and ".join(filter(None, (own, marker))))


def unclear_at(path: str, line: int, what: object) -> Unread:
    """Something that could not be read, with its line."""
    return Unread(path, f"line {line}: {what}")


class Lines:
    """Finds the lines of values in a text whose reader keeps none: each search goes on where the last one ended."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._end = 0

    def find(self, pattern: str) -> int:
        """The line, from 1, of the next match of a regular expression (``^`` is a line's start), else of the first; else 1."""
        compiled = re.compile(pattern, re.MULTILINE)
        found = compiled.search(self._text, self._end) or compiled.search(self._text)
        if found is None:
            return 1
        self._end = found.end()
        return self._text.count("\n", 0, found.start()) + 1
