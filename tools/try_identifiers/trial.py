"""Runs in a release's own interpreter (Python 3.6+) with `tools/` on its path.

Usage: python -m try_identifiers.trial ASKED.json ANSWERS.json
Asked: {"strings": {kind: [...]}, "modules": {kind: module}, "compiled": [...], "roots": {root: {class: [names]}}}.
Answers: {root: {"version": ..., "strings": {kind: [those taken]}, "compiled": [...], "objects": {class: [names it has]}}}.
"""

import importlib
import json
import logging
import sys
import warnings
from pathlib import Path
from typing import Any, Dict, List, Optional  # noqa: UP035 - Python 3.6

import numpy as np
from extract_api import signatures, trials  # type: ignore[import-not-found]  # on the path there, not here

SHAPES = ((3,), (4, 3), (4, 4, 3), (4, 4, 4, 3))
"""What a layer may be built for, without the batch."""
OWN = ("keras", "tensorflow", "tf_keras", "keras_core")
PLUMBING = (
    "get", "serialize", "deserialize", "serialize_keras_object", "deserialize_keras_object", "keras_export", "tf_export",
    "clone_metric", "clone_metrics", "is_categorical_crossentropy",
)  # fmt: skip


def main() -> None:
    """Answer for every root."""
    asked = json.loads(Path(sys.argv[1]).read_text())
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    answers = {}
    for root in asked["roots"]:
        keras = (
            importlib.import_module("tensorflow").keras if root == "tensorflow.keras" else importlib.import_module(root)
        )
        modules = {kind: module_of(keras, root, name) for kind, name in asked["modules"].items()}
        answers[root] = {
            "version": getattr(keras, "__version__", ""),
            "strings": {
                kind: [text for text in texts if taken(modules[kind], text)] for kind, texts in asked["strings"].items()
            },
            "compiled": [text for text in asked["compiled"] if trains(keras, text)],
            "objects": objects(keras, root, asked["roots"][root]),
        }
    Path(sys.argv[2]).write_text(json.dumps(answers, indent=0, sort_keys=True))


def module_of(keras: Any, root: str, name: str) -> Any:
    """A module of Keras; an import where the attribute is not bound."""
    return getattr(keras, name, None) or importlib.import_module(f"{root}.{name}")


def taken(module: Any, text: str) -> bool:
    """Whether the module's `get` makes an object of Keras's own of a string.

    Where it looks a string up among all names of a module, it finds the module's imports too; and some releases hand a
    string that they do not know back as it is. Neither counts.
    """
    try:
        found = module.get(text)
    except Exception:  # any refusal is an answer
        return False
    home = getattr(found, "__module__", None) or type(found).__module__
    made = (callable(found) or hasattr(found, "get_config")) and not isinstance(found, type)
    return made and home.split(".")[0] in OWN and text not in PLUMBING


def models(keras: Any) -> Any:
    """A Sequential and a functional model, both trained."""
    x, y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    sequential = keras.models.Sequential([keras.layers.Dense(2, input_shape=(3,))])
    start = keras.layers.Input((3,))
    functional = keras.models.Model(start, keras.layers.Dense(2)(start))
    for model in (sequential, functional):
        model.compile("sgd", "mse")
        model.fit(x, y, verbose=0)
    return sequential, functional


def trains(keras: Any, metric: str) -> bool:
    """Whether a model compiled with this metric trains."""
    x, y = np.ones((4, 3), "float32"), np.array([[1.0, 0.0]] * 4, "float32")
    try:
        model = keras.models.Sequential([keras.layers.Dense(2, activation="softmax", input_shape=(3,))])
        model.compile("sgd", "categorical_crossentropy", metrics=[metric])
        model.train_on_batch(x, y)
        model.evaluate(x, y, verbose=0)
    except Exception:  # any refusal is an answer
        return False
    return True


def objects(keras: Any, root: str, wanted: Dict[str, List[str]]) -> Dict[str, List[str]]:  # noqa: UP006 - Python 3.6
    """For each class, the names that an object of it has; empty where one was made and has none."""
    sequential, functional = models(keras)
    found = {}
    for name, names in wanted.items():
        cls = find(keras, root, name)
        if cls is None:
            continue
        made = {"Model": functional, "Sequential": sequential}.get(name.rpartition(".")[2]) or make(cls, sequential)
        if made is not None:
            found[name] = [one for one in names if present(made, one)]
    return found


def find(keras: Any, root: str, name: str) -> Optional[type]:  # noqa: UP045 - Python 3.6
    """A class by its name below the root."""
    module, _, last = name.rpartition(".")
    thing = keras
    try:
        for part in name.split("."):
            thing = getattr(thing, part)
    except AttributeError:
        try:
            thing = getattr(importlib.import_module(f"{root}.{module}"), last)
        except (ImportError, AttributeError):
            return None
    return thing if isinstance(thing, type) else None


def make(cls: type, model: Any) -> Any:
    """An object of a class as it is in use: a layer is built, a callback has its model. None where it is not made cheaply."""
    line = signatures.of_class(cls)
    given = trials.needed(line) if line is not None else None
    made = trials.make(cls, given) if given is not None else None
    if made is None or isinstance(made, trials.Failure):
        return None
    if hasattr(made, "set_model"):
        attempt(made.set_model, model)
        attempt(made.set_params, {})
    elif hasattr(made, "build") and hasattr(made, "call"):
        for shape in SHAPES:
            again = trials.make(cls, given)
            if attempt(again, np.ones((2, *shape), "float32")):
                return again
    return made


def attempt(call: Any, *given: Any) -> bool:
    """Whether a call ends without an error."""
    try:
        call(*given)
    except Exception:  # any refusal is an answer
        return False
    return True


def present(thing: Any, name: str) -> bool:
    """Whether an object has an attribute; one that raises something else is not counted."""
    try:
        getattr(thing, name)
    except Exception:  # any refusal is an answer
        return False
    return True


if __name__ == "__main__":
    main()
