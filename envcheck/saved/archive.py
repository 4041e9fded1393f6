"""``model.keras``: a zip with ``metadata.json`` and ``config.json``, of which nothing is unpacked to disk."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from envcheck.saved import configs
from envcheck.saved.found import KERAS, SavedModel, Unread

CONFIG = "config.json"
METADATA = "metadata.json"
LARGEST = 64 << 20
"""Bytes of the largest config that is read; those of large models are a few MB."""
MOST_MEMBERS = 100_000


def read(path: str) -> SavedModel | Unread:
    """What the file says; a value, whatever it holds."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(path, archive)
    except zipfile.BadZipFile:
        return Unread(path, "this is no zip archive, or it is cut short: a .keras file is one; save or copy it again")
    except configs.Damaged as damage:
        return Unread(path, f"its config {damage}")
    except OSError as error:
        return Unread(path, f"cannot be read: {error.strerror or type(error).__name__}")
    except (ValueError, NotImplementedError, RuntimeError, EOFError, zlib.error, MemoryError) as error:
        return Unread(
            path, f"its zip archive is damaged ({' '.join(str(error).split())[:120] or type(error).__name__})"
        )


def _read(path: str, archive: zipfile.ZipFile) -> SavedModel | Unread:
    names = archive.namelist()
    if len(names) > MOST_MEMBERS:
        return Unread(path, f"the archive has {len(names)} members: no model has so many")
    if CONFIG not in names:
        return Unread(path, f"the archive has no {CONFIG}: this is no model of Keras", strange=True)
    config = configs.parsed(_member(archive, CONFIG))
    metadata: Any = configs.parsed(_member(archive, METADATA)) if METADATA in names else {}
    contents = configs.read(config)
    told = metadata if isinstance(metadata, dict) else {}
    compiled = isinstance(config.get("compile_config"), dict)
    return SavedModel(
        path,
        KERAS,
        _text(told.get("keras_version")),
        None,
        None,
        _text(told.get("date_saved")),
        tuple(contents.parts),
        tuple(contents.code),
        compiled,
        tuple(_remarks(names)),
    )


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """One member's content: its stated size is not believed.

    Raises:
        Damaged: it is too large.
    """
    with archive.open(name) as stream:
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise configs.Damaged(f"({name}) is larger than {LARGEST >> 20} MB unpacked")
    return data


def _remarks(names: list[str]) -> list[str]:
    outside = [name for name in names if _leaves(name)]
    if not outside:
        return []
    shown = outside[0][:80]
    return [f"the archive has a member {shown!r} that would be unpacked outside of its folder; Keras writes none such"]


def _leaves(name: str) -> bool:
    pure = PurePosixPath(name), PureWindowsPath(name)
    return any(each.is_absolute() or each.drive or ".." in each.parts for each in pure)


def _text(value: Any) -> str | None:
    return value[:80] if isinstance(value, str) else None
