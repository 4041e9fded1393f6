"""Part of build.py: the model in a file, and back from it. Standard library only at first."""

import inspect
import os
from typing import Any, Dict, List

from build_memory import layers  # type: ignore[import-not-found]
from build_model import ours  # type: ignore[import-not-found]
from smoke_steps import Wrong  # type: ignore[import-not-found]


def saved_and_loaded(building: Any) -> str:
    """Save the model of ``building``, load it, and have both predict the same.

    Raises:
        Wrong: they do not.
    """
    import numpy as np

    model, models = building.model, building.keras.models
    suffix = suffix_of(building.keras)
    path = os.path.join(building.request["folder"], "model" + suffix)
    model.save(path)
    building.more.update(bytes=_size_on_disk(path), format=suffix)
    custom: Dict[str, Any] = {}
    building.more["saved"] = True
    try:
        loaded = models.load_model(path)
    except Exception as error:
        custom = own_of(model)
        if not custom:
            raise
        building.more["plain"] = " ".join("{}: {}".format(type(error).__name__, error).split())[:300]
        building.watch.forget()
        try:
            loaded = models.load_model(path, custom_objects=custom)
        except Exception:
            # Without what compile was given: where that helps, the layers are not to blame.
            loaded = models.load_model(path, custom_objects=custom, compile=False)
            building.more["uncompiled"] = True
    building.more["custom"] = sorted(custom)
    data = building.tensors(building.inputs)
    predicted = [arrays(each(data, training=False)) for each in (model, model, loaded)]
    if not _same(predicted[0], predicted[1], np):
        return "it is saved and loaded; it predicts something else each time, so that nothing can be compared"
    if not _same(predicted[0], predicted[2], np):
        raise Wrong("the loaded model predicts something else than the saved one")
    return "saved as {}, loaded, and it predicts the same".format(suffix)


def own_of(model: Any) -> Dict[str, Any]:
    """The classes and functions of the user's that Keras must find again by name: layers, losses, metrics, optimizer."""
    metrics = getattr(model, "_compile_metrics", None) or getattr(
        getattr(model, "compiled_metrics", None), "_user_metrics", None
    )
    parts = [model, *layers(model), getattr(model, "optimizer", None)]
    parts += [*_flat(getattr(model, "loss", None)), *_flat(getattr(metrics, "_user_metrics", metrics))]
    found = {}
    for part in parts:
        kind = part if inspect.isfunction(part) else type(part)
        if part is not None and not isinstance(part, str) and not ours(kind):
            found[kind.__name__] = kind
    return found


def _flat(value: Any) -> List[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [inner for each in value for inner in _flat(each)]
    return [value]


def suffix_of(keras: Any) -> str:
    """The ending of a file in the format that this Keras saves best: ``.keras`` from 2.12 on."""
    version = tuple(int(each) for each in str(keras.__version__).split(".")[:2] if each.isdigit())
    return ".keras" if version >= (2, 12) else ".h5"


def arrays(result: Any) -> List[Any]:
    """The outputs of a model as NumPy arrays."""
    import numpy as np

    if isinstance(result, dict):
        return [array for each in result.values() for array in arrays(each)]
    if isinstance(result, (list, tuple)):
        return [array for each in result for array in arrays(each)]
    if hasattr(result, "detach"):
        result = result.detach().cpu()
    return [np.asarray(result)]


def _same(left: List[Any], right: List[Any], np: Any) -> bool:
    return len(left) == len(right) and all(
        one.shape == other.shape and np.allclose(one, other, rtol=1e-3, atol=1e-5, equal_nan=True)
        for one, other in zip(left, right)
        if one.dtype.kind in "fiub"
    )


def _size_on_disk(path: str) -> int:
    if os.path.isdir(path):
        return sum(os.path.getsize(os.path.join(root, name)) for root, _, names in os.walk(path) for name in names)
    return os.path.getsize(path)
