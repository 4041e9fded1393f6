"""``tf.data``: what a dataset gives, and whether it gives batches.

Source: https://www.tensorflow.org/api_docs/python/tf/data/Dataset
"""

from __future__ import annotations

from dataclasses import replace

from envcheck.model.core import Call
from envcheck.model.data.numpy import array_of
from envcheck.model.data.shapes import indexed
from envcheck.model.events import Array, Dataset
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import Dict, List, Value

_SAME = frozenset(("shuffle", "prefetch", "cache", "take", "skip", "with_options", "filter", "shard"))


def _element(value: Value, cut: bool) -> object:
    """One step of ``from_tensor_slices``; of ``from_tensors`` where nothing is cut."""
    if isinstance(value, tuple):
        return tuple(_element(each, cut) for each in value)
    if isinstance(value, Dict):
        content = value.mapping()
        return UNKNOWN if content is None else {key: _element(each, cut) for key, each in content.items()}
    array = array_of(value)
    if array is None:
        return UNKNOWN
    values = None if array.values is None else array.values.some()
    dtype = array.dtype
    if array.library == "list":
        dtype = {"float64": "float32", "int64": "int32"}.get(str(dtype), dtype)
    return Array(indexed(array.shape, 0) if cut else array.shape, dtype, "tensorflow", values, array.made_by)


def _slices(call: Call) -> Value:
    cut = not call.name.endswith("from_tensors")
    return Dataset(_element(call.get("tensors", 0, UNKNOWN), cut), 0, False)


def _zipped(call: Call) -> Value:
    given = call.positional[0] if len(call.positional) == 1 else call.positional
    items = given.items if isinstance(given, List) else given
    if not isinstance(items, tuple) or not all(isinstance(each, Dataset) for each in items):
        return Dataset()
    batched = {each.batched for each in items}
    return Dataset(tuple(each.element for each in items), batched.pop() if len(batched) == 1 else UNKNOWN)


def _batch(element: object, size: Value, rest: Value) -> object:
    if isinstance(element, tuple):
        return tuple(_batch(each, size, rest) for each in element)
    if isinstance(element, dict):
        return {key: _batch(each, size, rest) for key, each in element.items()}
    if not isinstance(element, Array) or not isinstance(element.shape, tuple):
        return UNKNOWN
    count = size if type(size) is int and rest is True else UNKNOWN
    return replace(element, shape=(count, *element.shape))


def method(dataset: Dataset, name: str, call: Call) -> Value:
    """``dataset.name(…)``."""
    if name in _SAME:
        return dataset
    if name == "batch":
        element = _batch(dataset.element, call.get("batch_size", 0, UNKNOWN), call.get("drop_remainder", 1, False))
        times = dataset.batched + 1 if isinstance(dataset.batched, int) else UNKNOWN
        return replace(dataset, element=element, batched=times)
    if name == "repeat":
        return replace(dataset, endless=call.get("count", 0) in (None, -1))
    if name in (
        "map",
        "padded_batch",
        "unbatch",
        "window",
        "flat_map",
        "interleave",
        "apply",
        "bucket_by_sequence_length",
    ):
        return _mapped(dataset, name, call)
    return Dataset() if name in ("concatenate", "enumerate", "rebatch") else UNKNOWN


def _mapped(dataset: Dataset, name: str, call: Call) -> Value:
    """After ``map`` and its like nothing is known of the element: a function may add or take the axis of the batch."""
    if name == "padded_batch":
        times = dataset.batched + 1 if isinstance(dataset.batched, int) else UNKNOWN
        return Dataset(UNKNOWN, times, dataset.endless)
    call.machine.taint(call.positional)
    return Dataset(UNKNOWN, UNKNOWN, dataset.endless)


def _counted(_: Call) -> Value:
    return Dataset(Array((), "int64", "tensorflow"), 0, False)


_MADE = "tensorflow.data.Dataset."
FUNCTIONS = {
    f"{_MADE}from_tensor_slices": _slices,
    f"{_MADE}from_tensors": _slices,
    f"{_MADE}zip": _zipped,
    f"{_MADE}range": _counted,
}
