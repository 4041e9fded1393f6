"""``model.h5``: what the attributes of an HDF5 file say. They are read by h5py in the target interpreter (``saved_h5``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envcheck.saved import configs
from envcheck.saved.found import COMPILE, HDF5, Part, SavedModel, Unread

SIGNATURE = b"\x89HDF\r\n\x1a\n"
FARTHEST = 1 << 20
"""Bytes before the farthest signature that is looked for: it may stand at 0, 512, 1024, 2048 and so on."""


def is_hdf5(path: str) -> bool:
    """Whether a file has the signature of HDF5; False where it cannot be read."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a path may hold what pathlib would change
            place = 0
            while place <= FARTHEST:
                file.seek(place)
                start = file.read(len(SIGNATURE))
                if start == SIGNATURE:
                    return True
                if len(start) < len(SIGNATURE):
                    return False
                place = max(512, place * 2)
    except (OSError, ValueError):
        pass
    return False


def read(path: str, record: Mapping[str, Any]) -> SavedModel | Unread:
    """What the child answered about a file, as a model.

    Args:
        path: of the file.
        record: ``attributes`` of the file's root by name, or ``error``.
    """
    if record.get("error"):
        return Unread(path, f"h5py cannot read it: {' '.join(str(record['error']).split())[:160]}")
    attributes = record.get("attributes")
    told = attributes if isinstance(attributes, dict) else {}
    if not isinstance(told.get("model_config"), str):
        weights = record.get("weights")
        what = "weights alone, without a model" if weights else "an HDF5 file, and no model of Keras"
        return Unread(path, f"this is {what}: it has no model_config", strange=True)
    try:
        training = told.get("training_config")
        compiled = configs.parsed(training) if isinstance(training, str) else None
        contents = configs.read(configs.parsed(told["model_config"]), compiled)
        if isinstance(compiled, dict):
            plain = {name: each for name, each in compiled.items() if isinstance(each, str)}
            contents.parts.append(Part(COMPILE, values=plain))
    except configs.Damaged as damage:
        return Unread(path, f"its config {damage}")
    return SavedModel(
        path,
        HDF5,
        _text(told.get("keras_version")),
        None,
        _text(told.get("backend")),
        None,
        tuple(contents.parts),
        tuple(contents.code),
        compiled is not None,
    )


def _text(value: Any) -> str | None:
    return value[:80] if isinstance(value, str) else None
