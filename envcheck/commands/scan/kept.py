"""What a scan found, kept as long as neither the files nor what envcheck knows change: then nothing is read or judged again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import envcheck
from envcheck.findings import Coverage
from envcheck.knowledge import refusals
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import folder
from envcheck.source.cache import Cache
from envcheck.source.reading import Unread, read_bytes
from envcheck.source.remarks import Remarks
from envcheck.verdicts.found import Code
from envcheck.verdicts.models.judged import by_major
from envcheck.verdicts.targets import with_flag

PARTS = ("source", "model", "verdicts", "knowledge")
"""The packages that decide what a scan finds."""


class Found(NamedTuple):
    """The result of a scan: with the files that were read, and the comments for envcheck of those that have some."""

    code: Code
    coverage: Coverage
    scanned: tuple[str, ...] = ()
    remarks: Mapping[str, Remarks] = {}


def key(cache: Cache, paths: Sequence[str], targets: Sequence[Target]) -> str:
    """The name under which the result for these files and targets is kept."""
    return cache.whole(_parts(paths, targets))


def models_state(targets: Sequence[Target]) -> bytes:
    """What decides what is kept of a file's models: the state of the modules that read them, and for which Keras."""
    majors = sorted(by_major(targets)), sorted(by_major([with_flag(each) for each in targets]))
    digest = hashlib.blake2b(repr(majors).encode(), digest_size=8)
    package = Path(envcheck.__file__).parent
    for root in (package / "model", package / "verdicts" / "models"):
        for path in sorted(root.rglob("*.py")):
            state = path.stat()
            digest.update(f"{path.name} {state.st_size} {state.st_mtime_ns}".encode())
    return digest.digest()


def _parts(paths: Sequence[str], targets: Sequence[Target]) -> Iterator[bytes]:
    yield " ".join(str(target) for target in targets).encode()
    package = Path(envcheck.__file__).parent
    known = [
        path for root in [*(package / part for part in PARTS), folder() / "api"] for path in sorted(root.rglob("*.*"))
    ]
    for path in (*known, folder() / refusals.FILE):
        if path.suffix in (".py", ".txt", ".yaml"):
            state = path.stat()
            yield f"{path.name} {state.st_size} {state.st_mtime_ns}".encode()
    for name in paths:
        yield os.fsencode(name)
        data = read_bytes(name)
        yield data.reason.encode() if isinstance(data, Unread) else hashlib.blake2b(data, digest_size=20).digest()
