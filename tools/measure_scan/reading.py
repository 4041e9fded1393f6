"""The references of all corpora, read once and kept."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .documents import files
from .project import Project
from .targets import results

_ORACLE = ("bound", "documents", "expressions", "guards", "imports", "project", "statements", "values")
_DEEP = 20_000  # expressions of thousands of terms are nested as deep


def projects(root: Path) -> list[Path]:
    """The trees below a folder of corpora: each of its folders but the oracle's own."""
    return sorted(one for one in root.iterdir() if one.is_dir() and one.name != results().name)


def records(trees: list[Path]) -> list[dict[str, Any]]:
    """What :meth:`.project.Project.records` says of every file of the trees; from the cache where neither they nor the
    oracle changed."""
    kept = results() / f"references-{_key(trees)}.jsonl"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")
        with part.open("w") as stream:
            for record in _read(trees):
                stream.write(json.dumps(record) + "\n")
        part.replace(kept)
    with kept.open() as stream:
        return [json.loads(line) for line in stream]


def _read(trees: list[Path]) -> Iterator[dict[str, Any]]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(_DEEP)
    for tree in trees:
        yield from Project(tree).records()
    sys.setrecursionlimit(limit)


def _key(trees: list[Path]) -> str:
    """Of the sizes and times of all files, and of the oracle's own text."""
    found = hashlib.sha256()
    for name in _ORACLE:
        found.update((Path(__file__).parent / f"{name}.py").read_bytes())
    for tree in trees:
        for path in files(tree):
            status = path.stat()
            found.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()[:16]
