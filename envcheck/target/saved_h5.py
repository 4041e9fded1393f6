"""Runs in the target interpreter: the attributes of HDF5 files, read by the h5py that is installed there.

One line before, ``{"ready": true}``, and one for each file, by its number among those that were asked for, in their order::

    {"file": 0, "attributes": {"keras_version": "2.15.0", "model_config": "…"}, "weights": false, "trained": true}
    {"file": 1, "error": "OSError: Unable to open file (truncated file…)"}

A file that takes longer than ``PATIENCE`` ends the process with SIGALRM: who asked begins again behind it.
Nothing of Keras or TensorFlow is imported, and no data set is read. Needs Python 3.6, its standard library, and h5py; where
that is missing, the only line is ``{"missing": "…"}``.
"""

import sys
from pathlib import Path

# sys.path[0] is the folder of this script: nothing in it, nor in the current folder, may stand for a standard module.
_OWN = [str(Path(__file__).parent.absolute()), str(Path.cwd())]
sys.path[:] = [entry for entry in sys.path if entry and str(Path(entry).absolute()) not in _OWN]

import importlib  # noqa: E402
import json  # noqa: E402
import signal  # noqa: E402
from typing import Any, Dict  # noqa: E402, UP035

WANTED = ("keras_version", "backend", "model_config", "training_config")
PATIENCE = 10
"""Seconds for one file."""
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
        here = {name for name in ("model_weights", "layers") if own(h5py, file, name)}
        weights = here or "layer_names" in file.attrs or own(h5py, file, "_layer_names")
        return {"attributes": found, "weights": bool(weights), "trained": trained(h5py, file)}


def own(h5py: Any, group: Any, name: str) -> bool:
    """Whether something lies in the file itself: a link may lead to any other file, or to a pipe that never answers."""
    return isinstance(group.get(name, getlink=True), h5py.HardLink)


def trained(h5py: Any, file: Any) -> bool:
    """Whether a model's file has the weights of any layer."""
    try:
        group = file["model_weights"] if own(h5py, file, "model_weights") else {}
        names = (name for name in group if own(h5py, group, name))
        return any(len(group[name].attrs.get("weight_names", ())) > 0 for name in names)
    except (KeyError, AttributeError, OSError, RuntimeError, TypeError, ValueError):
        return False


def main() -> None:
    """Answer for each path of the request."""
    paths = json.loads(Path(sys.argv[2]).read_text("utf-8"))["paths"]
    with Path(sys.argv[1]).open("w") as answer:
        try:
            h5py = importlib.import_module("h5py")
            answer.write('{"ready": true}\n')
            answer.flush()
        except Exception as error:
            answer.write(json.dumps({"missing": words(error)}) + "\n")
            paths = []
        for number, path in enumerate(paths):
            if hasattr(signal, "alarm"):
                signal.alarm(PATIENCE)  # it ends this process: nothing else stops native code that waits
            try:
                record = attributes(h5py, path)
            except Exception as error:
                record = {"error": words(error)}
            answer.write(json.dumps(dict(record, file=number)) + "\n")
            answer.flush()
        answer.write('{"done": true}\n')


if __name__ == "__main__":
    main()
