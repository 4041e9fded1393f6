"""TensorFlow's SavedModel: a folder with ``saved_model.pb`` and, written by Keras 2.5 and later, ``keras_metadata.pb``.

Field numbers: tensorflow/core/protobuf/saved_model.proto, meta_graph.proto, saved_object_graph.proto, and
keras/protobuf/saved_metadata.proto.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Any

from envcheck.saved import configs, wire
from envcheck.saved.found import EXPORTED, OPERATIONS, SAVED_MODEL, Part, SavedModel, Unread

GRAPH = "saved_model.pb"
KERAS = "keras_metadata.pb"
LARGEST = 512 << 20
"""Bytes of the largest graph that is read: protocol buffers end at 2 GB, graphs of large models are some ten MB."""
OF_KERAS = "_tf_keras_"
"""How the identifiers of objects that Keras wrote begin."""


def read(path: str) -> SavedModel | Unread:
    """What the folder says; a value, whatever it holds."""
    try:
        graph = _content(os.path.join(path, GRAPH))  # noqa: PTH118 - pathlib would change the path
        own = os.path.join(path, KERAS)  # noqa: PTH118
        return _read(path, graph, _content(own) if os.path.isfile(own) else None)  # noqa: PTH113
    except OSError as error:
        return Unread(path, f"{GRAPH} cannot be read: {error.strerror or type(error).__name__}")
    except wire.Broken as error:
        return Unread(path, f"{GRAPH} is damaged: {error}")
    except (configs.Damaged, ValueError) as error:
        return Unread(path, f"it cannot be read: {error}")


def _content(path: str) -> memoryview:
    status = os.stat(path)  # noqa: PTH116 - a path may hold what pathlib would change
    if not stat.S_ISREG(status.st_mode):
        raise wire.Broken("it is no ordinary file")
    if status.st_size > LARGEST:
        raise wire.Broken(f"it is larger than {LARGEST >> 20} MB")
    with open(path, "rb") as file:  # noqa: PTH123
        return memoryview(file.read(LARGEST + 1))


def _read(path: str, graph: memoryview, own: memoryview | None) -> SavedModel | Unread:
    metas = list(wire.inner(graph, 2))
    if not metas:
        return Unread(path, f"{GRAPH} holds no graph: this is no SavedModel, or it is cut short")
    tensorflow = next((wire.text(info, 5) for info in wire.inner(metas[0], 1)), "")
    objects = list(_of_metadata(own) if own is not None else _of_graph(metas[0]))
    if not objects:
        return SavedModel(path, EXPORTED, tensorflow=tensorflow or None)
    parsed: list[dict[str, Any]] = []
    for text in objects:
        value = configs.parsed(text)
        if isinstance(value, dict):
            parsed.append(value)
    root = parsed[0] if parsed else {}
    contents = configs.Contents()
    operations = {wire.text(each, 1): None for info in wire.inner(metas[0], 1) for each in _operations(info)}
    contents.parts.append(Part(OPERATIONS, values=operations))
    whole = [each for each in parsed if isinstance(each.get("model_config"), dict)]
    for each in [whole[0]["model_config"]] if whole else parsed:  # a subclassed model has no config of its whole
        if isinstance(each.get("class_name"), str):
            found = configs.read(each, root.get("training_config"))
            contents.parts += found.parts
            contents.code += found.code
    keras = next((each["keras_version"] for each in parsed if isinstance(each.get("keras_version"), str)), None)
    backend = root.get("backend")
    compiled = isinstance(root.get("training_config"), dict)
    return SavedModel(
        path,
        SAVED_MODEL,
        keras,
        tensorflow or None,
        backend if isinstance(backend, str) else None,
        None,
        tuple(contents.parts),
        tuple(contents.code),
        compiled,
    )


def _operations(info: memoryview) -> Iterator[memoryview]:
    """The operations of a graph: MetaInfoDef.stripped_op_list, OpList.op."""
    for listed in wire.inner(info, 2):
        yield from wire.inner(listed, 1)


def _of_metadata(data: memoryview) -> Iterator[bytes]:
    """The JSON of each object, the root first: SavedMetadata.nodes, SavedObject.metadata."""
    for node in wire.inner(data, 1):
        if wire.text(node, 4).startswith(OF_KERAS):
            yield from (bytes(each) for each in wire.inner(node, 5))


def _of_graph(meta: memoryview) -> Iterator[bytes]:
    """The same as Keras up to 2.4 kept it: object_graph_def.nodes, SavedObject.user_object, its identifier and metadata."""
    for graph in wire.inner(meta, 7):
        for node in wire.inner(graph, 1):
            for user in wire.inner(node, 4):
                if wire.text(user, 1).startswith(OF_KERAS):
                    yield from (bytes(each) for each in wire.inner(user, 3))
