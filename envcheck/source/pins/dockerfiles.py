"""Pins in Dockerfiles: TensorFlow's own images, and what ``RUN pip install`` names.

Sources: https://docs.docker.com/reference/dockerfile/, https://hub.docker.com/r/tensorflow/tensorflow
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envcheck.source.pins.pin import Pin, Told, pinned

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))")
_IMAGE = re.compile(r"(?:[\w.-]+(?::\d+)?/)?tensorflow/tensorflow:(\d+(?:\.\d+)+(?:-?rc\d+)?)(?:-[\w.-]+)?(?:@\S+)?")
_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|\S+")
_SETTING = re.compile(rf"(\w+)(?:=| +)({_WORD.pattern})")
_INSTALL = re.compile(r"\bpip[\d.]*\s+install\s+([^&|;]*)")


def read(path: str, text: str) -> Iterator[Told]:
    """What a Dockerfile says."""
    variables: dict[str, str] = {}
    for line, words in _instructions(text):
        name, _, rest = words.partition(" ")
        rest = rest.strip()
        if name.upper() in ("ARG", "ENV"):
            for key, value in _SETTING.findall(_filled(rest, variables)):
                variables[key] = value.strip("\"'")
        elif name.upper() == "FROM":
            yield from _image(path, line, _filled(rest, variables))
        elif name.upper() == "RUN":
            for install in _INSTALL.finditer(_filled(rest, variables)):
                for word in _WORD.findall(install[1]):
                    yield from pinned(word.strip("\"'"), path, line)


def _instructions(text: str) -> Iterator[tuple[int, str]]:
    """The instructions with the number (from 1) of their first line; comments inside of one are left out."""
    held, start = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("#"):
            continue
        start = start or number
        held += line.strip()
        if held.endswith("\\"):
            held = f"{held[:-1]} "
            continue
        if held:
            yield start, held
        held, start = "", 0


def _image(path: str, line: int, rest: str) -> Iterator[Pin]:
    """TensorFlow's image ``tensorflow/tensorflow:2.4.1-gpu``; its tags ``latest`` and ``nightly`` name no release."""
    image = next((word for word in rest.split() if not word.startswith("--")), "")
    found = _IMAGE.fullmatch(image)
    if found is not None:
        yield Pin("tensorflow", f"=={found[1].replace('-', '')}", path, line)


def _filled(words: str, variables: dict[str, str]) -> str:
    """The words with variables as the file sets them; a hostile one may not grow without end."""
    filled = _VARIABLE.sub(lambda found: variables.get(found[1] or found[3], found[2] or "")[:1000], words[:100_000])
    return filled[:100_000]
