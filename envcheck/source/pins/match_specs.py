"""What conda calls a match specification: ``conda-forge::tensorflow=2.10``, ``tensorflow >=2.4,<2.9``.

Source: https://docs.conda.io/projects/conda/en/stable/user-guide/concepts/pkg-specs.html#package-match-specifications
"""

from __future__ import annotations

import re

from envcheck.source.pins.pin import NAMED, PACKAGES, Unclear, checked, normalized

VARIANTS = {
    **dict.fromkeys(("tensorflow-base", "tensorflow-mkl", "tensorflow-eigen"), "tensorflow"),
    "keras-gpu": "keras",
    "keras-base": "keras",
}
"""Packages of conda's channels that bring what the index calls otherwise, in the same versions."""


def match_spec(text: str) -> tuple[str, str] | None:
    """The distribution and the specifier (PEP 440) of a match specification; None for one that is not looked for.

    Raises:
        Unclear: its versions are no single range.
    """
    if not NAMED.search(text):
        return None
    spec = text.partition("#")[0].strip().rpartition("::")[2]
    found = re.match(r"[\w.-]+", spec)
    name = normalized(found[0]) if found else ""
    name = VARIANTS.get(name, name)
    if found is None or name not in PACKAGES:
        return None
    rest = spec[found.end() :].strip()
    brackets = re.search(r"\[([^\]]*)\]$", rest)
    if brackets is not None:
        inside = re.search(r"version\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|([^,\s]+))", brackets[1])
        rest = next(filter(None, inside.groups()), "") if inside else rest[: brackets.start()].strip()
    if "|" in rest:
        raise Unclear(f"these versions are not one range: {spec[:80]}")
    return name, _specifier(rest)


def _specifier(rest: str) -> str:
    whole = re.fullmatch(r"((?:==?)?\s*([\w.!+*]+))(?:=|\s+)[\w.*]+", rest)  # version and build
    if whole:
        return checked(_clause(whole[1]) if "*" in whole[2] else f"=={whole[2]}")
    return checked(",".join(_clause(clause.strip()) for clause in rest.split(",")))


def _clause(clause: str) -> str:
    """One clause as PEP 440 has it; ``=2.10`` is any 2.10, and ``=2.10.0`` the one release of that name."""
    fuzzy = re.fullmatch(r"=\s*([\w.!+]+?)(\.?\*)?", clause)
    if fuzzy:
        return f"=={fuzzy[1]}" if fuzzy[1].count(".") > 1 and not fuzzy[2] else f"=={fuzzy[1]}.*"
    bare = re.fullmatch(r"(\d[\w.!+]*?)(\.?\*)?", clause)
    if bare:
        return f"=={bare[1]}.*" if bare[2] else f"=={bare[1]}"
    return re.sub(r"^([<>]=?\s*[\w.!+]+?)\.\*$", r"\1", clause)
