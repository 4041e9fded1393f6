"""Runs in envcheck's own interpreter: asks the NVIDIA driver through NVML, call by call.

Every call is announced before it is made and the line is flushed, so that a hang or a crash shows where it happened::

    {"call": "nvmlDeviceGetMemoryInfo", "device": 3}              about to be made
    {"what": "memory", "device": 3, "value": {…}}                 its answer; null where the binding cannot ask
    {"what": "memory", "device": 3, "error": {"code": 15, "name": "GPU_IS_LOST", "detail": ""}}

An error is an answer, never the end: the other questions and the other devices go on. Nothing is changed on the driver.
The request's key ``brief`` asks only what ``envcheck healthcheck`` wants to know.
"""

from __future__ import annotations

import os
import sys

# sys.path[0] is the folder of this script: nothing in it, nor in the current folder, may stand for a standard module.
_OWN = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - before any other import
sys.path[:] = [entry for entry in sys.path if entry and os.path.abspath(entry) not in (_OWN, os.getcwd())]  # noqa: PTH100, PTH109

import errno  # noqa: E402
import importlib.machinery  # noqa: E402
import importlib.util  # noqa: E402
import json  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import IO, Any  # noqa: E402

sys.path.append(_OWN)

from nvml_asking import Asker  # type: ignore[import-not-found]  # noqa: E402 - lies in _OWN


def open_nodes(nodes: dict[str, str], asker_write: Callable[..., None]) -> None:
    """Whether the control nodes can be opened: a device cgroup refuses where the file's mode would allow."""
    for name, path in nodes.items():
        asker_write(call=f"open {name}", device=None)
        try:
            os.close(os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0)))
        except OSError as refused:
            asker_write(what="node", node=name, error=errno.errorcode.get(refused.errno or 0, str(refused)))
        else:
            asker_write(what="node", node=name, error=None)


def load_binding(folder: str | None) -> Any:
    """The very ``pynvml`` that envcheck itself would import, whatever else this interpreter could find.

    Raises:
        ImportError: it is not in ``folder``.
    """
    spec = importlib.machinery.PathFinder.find_spec("pynvml", [folder]) if folder else None
    if spec is None or spec.loader is None:
        raise ImportError("no module named pynvml")
    module = sys.modules["pynvml"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(answer: IO[str], request: dict[str, Any]) -> None:
    """Ask everything; the answer is complete when this returns."""
    try:
        pynvml = load_binding(request.get("binding"))
    except ImportError as missing:
        answer.write(
            json.dumps({"what": "binding", "error": {"code": None, "name": str(missing), "detail": ""}}) + "\n"
        )
        return
    asker = Asker(pynvml, answer)
    open_nodes(request.get("nodes") or {}, asker.write)
    answered, _ = asker.ask("init", asker.function("nvmlInit"), must=True)
    if not answered:
        return
    brief = bool(request.get("brief"))
    count = asker.system(brief)
    if brief:
        for index in range(count):
            asker.brief(index)
        return
    from nvml_device import Questions  # type: ignore[import-not-found]  # noqa: PLC0415 - brief does without

    Questions(asker, request.get("proc") or "/proc").about(count)


if __name__ == "__main__":
    with Path(sys.argv[1]).open("w", encoding="utf-8") as file:
        main(file, json.loads(Path(sys.argv[2]).read_text("utf-8")))
        file.write('{"done": true}\n')
