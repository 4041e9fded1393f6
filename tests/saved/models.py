"""Saved models made by hand, as small as they can be."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

NONE: Mapping[str, bytes] = MappingProxyType({})


def layer(class_name: str, **values: Any) -> dict[str, Any]:
    """A layer as a .keras archive describes it."""
    name = class_name.lower()
    config = {"name": name, "trainable": True, **values}
    return {"module": "keras.layers", "class_name": class_name, "config": config, "registered_name": None}


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    """A model of layers."""
    config = {"name": "m", "layers": list(layers)}
    return {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None}


LAMBDA = layer("Lambda", function={"class_name": "__lambda__", "config": {"code": "4wEAAAA="}})
MINE = {"module": None, "class_name": "Mine", "config": {"name": "mine"}, "registered_name": "pkg>Mine"}


def archive(path: Path, config: Any, keras: str | None = "3.15.1", members: Mapping[str, bytes] = NONE) -> str:
    """Writes a .keras archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        if keras is not None:
            file.writestr("metadata.json", json.dumps({"keras_version": keras, "date_saved": "2026-11-21@13:21:00"}))
        if config is not None:
            file.writestr("config.json", json.dumps(config))
        for name, data in members.items():
            file.writestr(name, data)
    return str(path)


def varint(value: int) -> bytes:
    """A number of the wire format."""
    found = b""
    while value > 0x7F:
        found, value = found + bytes([value & 0x7F | 0x80]), value >> 7
    return found + bytes([value])


def field(number: int, value: bytes | str) -> bytes:
    """A field of the wire format that holds bytes."""
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def old_config(*layers: dict[str, Any]) -> dict[str, Any]:
    """A model as HDF5 and SavedModel describe it: without modules."""
    return {"class_name": "Sequential", "config": {"name": "m", "layers": list(layers)}}


def bundle(folder: Path, keras: str | None, config: Any = None, *, old: bool = False) -> str:
    """Writes a SavedModel; ``old``: as Keras up to 2.4, which kept its own in the graph."""
    folder.mkdir()
    metadata = json.dumps(
        {"keras_version": keras, "backend": "tensorflow", "model_config": config, "class_name": "Sequential"}
    )
    info = field(1, field(5, "2.11.1") + field(2, field(1, field(1, "MatMul"))))
    user = field(1, field(4, field(1, "_tf_keras_sequential") + field(3, metadata)))
    graph = field(7, user) if old else b""
    (folder / "saved_model.pb").write_bytes(b"\x08\x01" + field(2, info + graph))
    if keras is not None and not old:
        node = b"\x10\x00" + field(3, "root") + field(4, "_tf_keras_sequential") + field(5, metadata)
        (folder / "keras_metadata.pb").write_bytes(field(1, node))
    return str(folder)
