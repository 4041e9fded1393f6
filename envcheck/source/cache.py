"""What files said, kept by their content, so that a second run reads only what changed."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")
DIGEST = 16
"""Bytes of the checksum that opens an entry: a damaged one is not taken for a reading."""


class Cache:
    """Entries in a folder, one file each; it may be deleted at any time, and several runs may use it at once.

    Args:
        folder: where the entries lie; made when the first one is written.
        also: what else decides what an entry says.
    """

    def __init__(self, folder: Path, also: bytes = b"") -> None:
        self._folder = folder
        self._project: frozenset[str] | None = None
        self._names = b""
        self._salt = f"{sys.version_info[:2]} {_reader()}".encode() + also

    def key(self, data: bytes, notebook: bool, project: frozenset[str]) -> str:
        """The name of the entry for the content of a file, read as part of a project."""
        if project is not self._project:
            self._project = project
            self._names = ",".join(sorted(project)).encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(self._salt, digest_size=20)
        digest.update(b"n" if notebook else b"p")
        digest.update(self._names)
        digest.update(b"\0")
        digest.update(data)
        return digest.hexdigest()

    def whole(self, parts: Iterable[bytes]) -> str:
        """The name of an entry about several things at once."""
        digest = hashlib.blake2b(self._salt, digest_size=20)
        for part in parts:
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
        return digest.hexdigest()

    def get(self, key: str, kind: type[T]) -> T | None:
        """An entry; None where there is none, or it is damaged."""
        try:
            whole = (self._folder / key[:2] / key[2:]).read_bytes()
        except OSError:
            return None
        payload = whole[DIGEST:]
        if hashlib.blake2b(payload, digest_size=DIGEST).digest() != whole[:DIGEST]:
            return None
        try:
            return msgspec.msgpack.decode(payload, type=kind)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None

    def put(self, key: str, value: object) -> None:
        """Keep an entry; a folder that cannot be written to, or a value that cannot be kept, only costs time."""
        place = self._folder / key[:2] / key[2:]
        try:
            payload = msgspec.msgpack.encode(value)
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as stream:
                stream.write(hashlib.blake2b(payload, digest_size=DIGEST).digest() + payload)
            Path(stream.name).replace(place)
        except (OSError, UnicodeError, OverflowError, RecursionError):
            return


def _reader() -> str:
    """The state of the modules that read files: an entry of other ones is no entry."""
    digest = hashlib.blake2b(digest_size=8)
    folder = Path(__file__).parent
    for path in sorted([*folder.glob("*.py"), *folder.glob("names/*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()
