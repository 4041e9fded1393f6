"""Asks the packages of an environment, once for each distinct question; answers are kept."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .targets import Target, results

Record = Mapping[str, Any]
_HERE = Path(__file__).parent
# What each kind of question is answered by; a change of it makes kept answers stale.
_PROGRAMS = {
    "names": ("__main__", "names"),
    "calls": ("__main__", "names", "members", "calls", "cheap"),
    "members": ("__main__", "names", "members", "calls", "cheap"),
}
_NOTHING: Mapping[str, list[dict[str, Any]]] = {kind: [] for kind in _PROGRAMS}
_EXAMPLES = 4  # literals tried for one keyword
_CALLS = 2  # whole calls tried for one keyword


class NoAnswerError(Exception):
    """The environment's interpreter did not answer."""


def questions(records: Iterable[Record]) -> dict[str, list[dict[str, Any]]]:
    """What there is to ask about references: names by the imports of their files, keywords by callable."""
    groups: dict[tuple[str, ...], dict[tuple[str, tuple[str, ...]], None]] = {}
    calls: dict[str, dict[str, Any]] = {}
    for record in records:
        asked = groups.setdefault(tuple(record["loads"]), {})
        for reference in record["references"]:
            asked[reference["statement"], tuple(reference["attributes"])] = None
            if reference["kind"] == "call":
                _add_call(calls, reference)
    return {
        "names": [
            {
                "id": group(loads),
                "loads": list(loads),
                "questions": [[statement, list(rest)] for statement, rest in asked],
            }
            for loads, asked in groups.items()
            if asked
        ],
        "calls": sorted(calls.values(), key=lambda call: str(call["name"])),
        "members": [],
    }


def group(loads: Iterable[str]) -> str:
    """The id of the files that load the same."""
    return hashlib.sha256("\n".join(loads).encode()).hexdigest()[:16]


def _add_call(calls: dict[str, dict[str, Any]], reference: Record) -> None:
    call = calls.setdefault(
        reference["name"],
        {
            "name": reference["name"],
            "statement": reference["statement"],
            "attributes": reference["attributes"],
            "keywords": {},
            "positional": [],
        },
    )
    count = reference["positional"]
    for word, value in reference["keywords"].items():
        known = call["keywords"].setdefault(word, {"values": [], "calls": []})
        if value is not None and value not in known["values"] and len(known["values"]) < _EXAMPLES:
            known["values"].append(value)
        if len(known["calls"]) < _CALLS:
            known["calls"].append([count or 0, reference["keywords"]])
    if count and count not in call["positional"]:
        call["positional"].append(count)


def ask(target: Target, asked: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The answers of a target's environment; of each kind from the cache where the same was asked by the same program.

    Raises :class:`NoAnswerError` when its interpreter is not there or ends with an error.
    """
    answers: list[dict[str, Any]] = []
    for kind, program in _PROGRAMS.items():
        if asked[kind]:
            answers += _ask_kind(target, kind, program, json.dumps({**_NOTHING, kind: asked[kind]}, sort_keys=True))
    return answers


def _ask_kind(target: Target, kind: str, program: tuple[str, ...], text: str) -> list[dict[str, Any]]:
    source = "".join((_HERE / "inside" / f"{name}.py").read_text() for name in program)
    key = hashlib.sha256(f"{target}\n{source}\n{text}".encode()).hexdigest()[:16]
    kept = results() / f"{target.name}-{kind}-{key}.jsonl"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        _run(target, text, kept)
    with kept.open() as stream:
        return [json.loads(line) for line in stream]


def _run(target: Target, text: str, kept: Path) -> None:
    if not target.python.exists():
        raise NoAnswerError(f"{target.name}: no interpreter at {target.python}")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "questions.json").write_text(text)
        log = kept.with_suffix(".log")
        with log.open("w") as stream:
            done = subprocess.run(
                [str(target.python), "-m", "inside", "questions.json", "answers.jsonl"],
                cwd=folder,
                env={
                    **os.environ,
                    "PYTHONPATH": str(_HERE),
                    "CUDA_VISIBLE_DEVICES": "",
                    "TF_CPP_MIN_LOG_LEVEL": "3",
                    "KERAS_HOME": folder,
                    "PYTHONDONTWRITEBYTECODE": "1",
                },
                stdout=stream,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            raise NoAnswerError(f"{target.name}: ended with status {done.returncode}; see {log}")
        part = kept.with_suffix(".part")
        part.write_bytes((Path(folder) / "answers.jsonl").read_bytes())
        part.replace(kept)
