"""``model.h5``: what the attributes of an HDF5 file say. They are read by h5py in the target interpreter (``saved_h5``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from envcheck.saved import configs, structure
from envcheck.saved.found import COMPILE, HDF5, RENAMED, Part, SavedModel, Unread

SIGNATURE = b"\x89HDF\r\n\x1a\n"
CUT = re.compile(r"truncated file: eof = (\d+),.*stored_eof = (\d+)")
"""How h5py says that a file is cut short."""
WRAPPERS = ("LossFunctionWrapper", "MeanMetricWrapper")
"""What Keras 2 makes of a function."""
MOST = 1000
"""Losses and metrics that are looked at."""
FARTHEST = 1 << 20
"""Bytes before the farthest signature that is looked for: it may stand at 0, 512, 1024, 2048 and so on."""


def is_hdf5(path: str) -> bool | Unread:
    """Whether a file has the signature of HDF5."""
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
    except (OSError, ValueError) as error:
        return Unread(path, f"cannot be read: {getattr(error, 'strerror', None) or error}")
    return False


def read(path: str, record: Mapping[str, Any]) -> SavedModel | Unread:
    """What the child answered about a file, as a model.

    Args:
        path: of the file.
        record: ``attributes`` of the file's root by name and whether it is ``trained`` (has weights), or ``error``.
    """
    if record.get("error"):
        cut = CUT.search(str(record["error"]))
        if cut:
            return Unread(
                path,
                f"it is cut short: {cut[1]} of its {cut[2]} bytes are there; copy it again, or save the model again",
            )
        return Unread(path, f"h5py cannot read it: {' '.join(str(record['error']).split())[:160]}")
    attributes = record.get("attributes")
    told = attributes if isinstance(attributes, dict) else {}
    if not isinstance(told.get("model_config"), str):
        if "model_config" in told:
            return Unread(path, "its model_config is no text, or larger than any that is read: it is damaged")
        weights = record.get("weights")
        what = "weights alone, without a model" if weights else "an HDF5 file, and no model of Keras"
        return Unread(path, f"this is {what}: it has no model_config", strange=True)
    try:
        training = told.get("training_config")
        compiled = configs.parsed(training) if isinstance(training, str) else None
        config = configs.parsed(told["model_config"])
        contents = configs.read(config, compiled)
        if record.get("trained") and structure.shapeless(config):
            contents.parts[0] = replace(contents.parts[0], traits=contents.parts[0].traits | {structure.UNBUILT})
        if isinstance(compiled, dict):
            contents.parts += _compiled(compiled)
    except configs.Damaged as damage:
        return Unread(path, f"its config {damage}")
    return SavedModel(
        path,
        RENAMED if path.endswith(".keras") else HDF5,
        _text(told.get("keras_version")),
        None,
        _text(told.get("backend")),
        None,
        tuple(contents.parts),
        tuple(contents.code),
        compiled is not None,
    )


def _compiled(training: Mapping[str, Any]) -> Iterator[Part]:
    """What ``compile`` was given by name: ``"mse"``, each of a list, and the function of a wrapper."""
    for name, given in training.items():
        waiting = [given]
        for value in waiting:  # it grows, and ends with MOST
            if isinstance(value, str):
                yield Part(COMPILE, values={name: value})
            elif isinstance(value, list) and len(waiting) < MOST:
                waiting += value
            elif (
                isinstance(value, dict)
                and value.get("class_name") in WRAPPERS
                and isinstance(value.get("config"), dict)
            ):
                waiting.append(value["config"].get("fn"))


def _text(value: Any) -> str | None:
    return value[:80] if isinstance(value, str) else None
