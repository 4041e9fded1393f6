"""Runs in the target interpreter: a model of the user's, from its import to a training step and back from a file.

Called as ``python build.py ANSWER REQUEST``. The answer gets one record before and one after each step, so that a crash or a
hang names its step. The user's file is imported as ``python FILE`` would run it: its folder is searched first, ``sys.argv``
has only its name, and the working folder is the caller's; but ``__name__`` is not ``__main__``. Runs on Python 3.6 and newer.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
if HERE not in sys.path:  # PYTHONSAFEPATH leaves it out
    sys.path.append(HERE)

# First: it makes the standard library and this folder all that is searched, until look_like_users_script.
from smoke import (  # type: ignore[import-not-found] # noqa: E402, I001
    keep_watch,
    look_like_users_script,
    use_own_keras_home,
)

import inspect  # noqa: E402, F401 - loaded before a module of the user's can stand in for it
import json  # noqa: E402
import random  # noqa: E402, F401
from typing import Any, Dict  # noqa: E402

from build_steps import Building, run_steps  # type: ignore[import-not-found] # noqa: E402
from build_watch import Watch  # type: ignore[import-not-found] # noqa: E402


def hide_devices(device: str) -> None:
    """Leave only the device that is asked for: whatever the user's module imports then, it sees no other one."""
    os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"  # never all of the memory: somebody may be training
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        os.environ["JAX_PLATFORMS"] = "cpu"
    elif device.startswith("gpu:"):
        listed = [each.strip() for each in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if each.strip()]
        number = int(device[4:])
        chosen = listed[number : number + 1] if listed else [str(number)]
        os.environ["CUDA_VISIBLE_DEVICES"] = chosen[0] if chosen else "-1"


def main(answer_path: str, request_path: str) -> None:
    """Answer the request."""
    with open(request_path, encoding="utf-8") as file:
        request = json.load(file)
    keep_watch(request["deadline"])
    with open(answer_path, "w", encoding="utf-8") as answer:

        def write(record: Dict[str, Any]) -> None:
            answer.write(json.dumps(record) + "\n")
            answer.flush()

        use_own_keras_home(request["folder"])
        os.environ["TMPDIR"] = request["folder"]
        hide_devices(request["device"])
        look_like_users_script(os.path.dirname(request["file"]))
        sys.argv[:] = [request["file"]]
        watch = Watch()
        sys.meta_path.insert(0, watch)
        run_steps(Building(request, watch), write)
        write({"done": True})
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # Every step has its record; what is left is only the tearing down of a framework, and threads of the user's.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
