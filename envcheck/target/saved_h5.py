"""Runs in the target interpreter: the attributes of HDF5 files, read by the h5py that is installed there.

One line for each file::

    {"path": "model.h5", "attributes": {"keras_version": "2.15.0", "model_config": "…"}, "weights": false}
    {"path": "cut.h5", "error": "OSError: Unable to open file (truncated file…)"}

Nothing of Keras or TensorFlow is imported, and no data set is read. Needs Python 3.6, its standard library, and h5py; where
that is missing the first line is ``{"missing": "…"}``.
"""

import sys
from pathlib import Path

# sys.path[0] is the folder of this script: nothing in it, nor in the current folder, may stand for a standard module.
_OWN = [str(Path(__file__).parent.absolute()), str(Path.cwd())]
sys.path[:] = [entry for entry in sys.path if entry and str(Path(entry).absolute()) not in _OWN]

import importlib  # noqa: E402
import json  # noqa: E402
from typing import Any, Dict  # noqa: E402, UP035

WANTED = ("keras_version", "backend", "model_config", "training_config")
LONGEST = 16 << 20
"""Bytes of the longest attribute that is handed on."""


def words(error: Exception) -> str:
    """An error on one line."""
    return "{}: {}".format(type(error).__name__, " ".join(str(error).split())[:300])


def text(value: Any) -> Any:
    """An attribute as text; None where it is none."""
    if hasattr(value, "item") and not isinstance(value, (bytes, str)):
        value = value.item() if getattr(value, "size", 0) == 1 else None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value if isinstance(value, str) and len(value) <= LONGEST else None


def attributes(h5py: Any, path: str) -> Dict[str, Any]:  # noqa: UP006
    """What the attributes of one file say."""
    with h5py.File(path, "r") as file:
        found = {name: text(file.attrs[name]) for name in WANTED if name in file.attrs}
        weights = "layer_names" in file.attrs or "model_weights" in file or "layers" in file or "_layer_names" in file
        return {"path": path, "attributes": found, "weights": bool(weights)}


def main() -> None:
    """Answer for each path of the request."""
    paths = json.loads(Path(sys.argv[2]).read_text("utf-8"))["paths"]
    with Path(sys.argv[1]).open("w") as answer:
        try:
            h5py = importlib.import_module("h5py")
        except Exception as error:
            answer.write(json.dumps({"missing": words(error)}) + "\n")
            paths = []
        for path in paths:
            try:
                record = attributes(h5py, path)
            except Exception as error:
                record = {"path": path, "error": words(error)}
            answer.write(json.dumps(record) + "\n")
            answer.flush()
        answer.write('{"done": true}\n')


if __name__ == "__main__":
    main()
