"""Pins in Dockerfiles: TensorFlow's own images, and what ``RUN pip install`` names.

Sources: https://docs.docker.com/reference/dockerfile/, https://hub.docker.com/r/tensorflow/tensorflow
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envcheck.source.pins.pin import Pin, Told, pinned

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")
_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|\S+")
_SETTING = re.compile(rf"(\w+)(?:=| +)({_WORD.pattern})")
_IMAGE = re.compile(r"(?:[\w.-]+(?::\d+)?/)?tensorflow/tensorflow:(\d+(?:\.\d+)+(?:-?rc\d+)?)(?:-[\w.-]+)?(?:@\S+)?")
_INSTALL = re.compile(r"\bpip[\d.]*\s+install\s+([^&|;]*)")
LONGEST = 100_000
"""Characters of the longest instruction, and of one with its variables filled in, that is looked at."""


def read(path: str, text: str) -> Iterator[Told]:
    """What a Dockerfile says."""
    variables: dict[str, str] = {}
    for line, words in _instructions(text):
        name, _, rest = words.lstrip().partition(" ")
        if name.upper() in ("ARG", "ENV"):
            for key, value in _SETTING.findall(_filled(rest, variables)):
                variables[key] = value.strip("\"'")[:1000]
        elif name.upper() == "FROM":
            yield from _image(path, line, _filled(rest, variables))
        elif name.upper() == "RUN":
            yield from _installs(path, line, words, variables)


def _instructions(text: str) -> Iterator[tuple[int, str]]:
    """The instructions with the number (from 1) of their first line; those of several lines keep their line ends.

    Lines of comment inside of one are empty in it.
    """
    held: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        comment = line.lstrip().startswith("#")
        if comment and not held:
            continue
        going_on = comment or line.rstrip().endswith("\\")
        held.append("" if comment else line.rstrip().removesuffix("\\"))
        if not going_on:
            yield number - len(held) + 1, "\n".join(held)[:LONGEST]
            held = []
    if held:
        yield text.count("\n") + 2 - len(held), "\n".join(held)[:LONGEST]


def _image(path: str, line: int, rest: str) -> Iterator[Pin]:
    """TensorFlow's image ``tensorflow/tensorflow:2.4.1-gpu``; its tags ``latest`` and ``nightly`` name no release."""
    image = next((word for word in rest.split() if not word.startswith("--")), "")
    found = _IMAGE.fullmatch(image)
    if found is not None:
        yield Pin("tensorflow", f"=={found[1].replace('-', '')}", path, line)


def _installs(path: str, line: int, words: str, variables: dict[str, str]) -> Iterator[Told]:
    for install in _INSTALL.finditer(words):
        for word in _WORD.finditer(install[1]):
            at = line + words.count("\n", 0, install.start(1) + word.start())
            plain = word[0].strip("\"'")
            for each in _filled(plain, variables).split() if "$" in plain else [plain]:
                yield from pinned(each, path, at)


def _filled(words: str, variables: dict[str, str]) -> str:
    """The words with the variables that the file sets; others are empty, as Docker has them."""
    return _VARIABLE.sub(lambda found: variables.get(found[1] or found[3], found[2] or ""), words)[:LONGEST]
