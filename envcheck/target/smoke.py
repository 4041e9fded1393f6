"""Runs in the target interpreter: a tiny model, step by step, to prove what the device really executes.

Called as ``python smoke.py ANSWER REQUEST``. The answer gets one record before and one after each step, so that a crash
or a hang names its step. What is imported is what a script of the user's in the folder ``cwd`` would import.
Runs on Python 3.6 and newer. Nothing is written outside the temporary ``folder`` of the request, except what the
NVIDIA driver itself caches for every CUDA program (``~/.nv/ComputeCache``): redirecting that would repeat minutes of
compilation in each run.
"""

import os
import sys

# A random.py or json.py beside the user's script must not break the one who reports it: until our own imports are
# done, only the standard library and this folder are searched.
HERE = os.path.dirname(os.path.abspath(__file__))
AT_START = set(sys.modules)
SEARCHED = list(sys.path)
STDLIB = os.path.dirname(os.__file__)
sys.path[:] = [STDLIB, os.path.join(STDLIB, "lib-dynload")] + [p for p in SEARCHED if p.endswith(".zip")]
if os.name == "nt":
    sys.path[:] += [p for p in SEARCHED if p.upper().endswith("DLLS")]
sys.path.append(HERE)

import faulthandler  # noqa: E402
import json  # noqa: E402
import signal  # noqa: E402
from typing import Any, Dict  # noqa: E402

from smoke_jax import Jax, OtherBackend  # type: ignore[import-not-found]  # noqa: E402 - lies in HERE
from smoke_steps import run_steps  # type: ignore[import-not-found]  # noqa: E402
from smoke_tensorflow import TensorFlow  # type: ignore[import-not-found]  # noqa: E402
from smoke_torch import Torch  # type: ignore[import-not-found]  # noqa: E402

ORPHAN_GRACE = 60
"""Seconds after the deadline when the process ends itself, should nobody be left to end it."""


def look_like_users_script(cwd: str) -> None:
    """Make imports find what they would find for a script in ``cwd``: its folder first, and nothing loaded beforehand.

    Our own modules stay alive through our references; dropping them from ``sys.modules`` lets a ``json.py`` in ``cwd``
    shadow the standard one here as it does there. Extension modules stay: not all of them can be loaded twice.
    """
    for name, module in list(sys.modules.items()):
        if name not in AT_START and str(getattr(module, "__file__", "")).endswith(".py"):
            del sys.modules[name]
    sys.path[:] = SEARCHED
    # With -P, -I or PYTHONSAFEPATH the folder of a script is not searched: then there is nothing to replace.
    if SEARCHED and os.path.realpath(SEARCHED[0]) == os.path.realpath(HERE):
        sys.path[0] = cwd


def keep_watch(deadline: float) -> None:
    """Have a fatal signal, or a step that is still running shortly before ``deadline``, print the Python line."""
    faulthandler.enable()
    faulthandler.dump_traceback_later(deadline - min(max(1.0, 0.02 * deadline), deadline / 2))
    if hasattr(signal, "alarm"):  # not on Windows
        # The kernel ends us, whatever Python or native code is doing then.
        signal.alarm(int(deadline) + ORPHAN_GRACE)


def use_own_keras_home(folder: str) -> Dict[str, Any]:
    """Give Keras a copy of the user's ``keras.json``: it writes that file when it is missing. Returns what it says."""
    base = os.path.expanduser("~")
    home = os.environ.get("KERAS_HOME") or os.path.join(base if os.access(base, os.W_OK) else "/tmp", ".keras")  # noqa: S108
    os.environ["KERAS_HOME"] = os.path.join(folder, "keras")
    os.makedirs(os.environ["KERAS_HOME"])
    try:
        with open(os.path.join(os.path.expanduser(home), "keras.json"), "rb") as file:
            text = file.read()
    except OSError:
        return {}  # none, or not readable for us: Keras would go by its defaults, too
    with open(os.path.join(os.environ["KERAS_HOME"], "keras.json"), "wb") as file:
        file.write(text)
    try:
        settings = json.loads(text.decode("utf-8"))
    except ValueError:
        return {}  # Keras takes a damaged file for an empty one
    return settings if isinstance(settings, dict) else {}


def installed_keras() -> str:
    """The version of the distribution ``keras`` by the name of its metadata folder; empty without one."""
    for folder in sys.path:
        try:
            names = sorted(os.listdir(folder or "."))
        except OSError:
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")) and name.startswith(("keras-", "keras_nightly-", "Keras-")):
                return name.split("-")[1].replace(".dist", "").replace(".egg", "")
    return ""


def choose(backend: str, keras: str, request: Dict[str, Any]) -> Any:
    """The framework that the user's model would run on: only Keras 3 has a choice."""
    if keras.startswith("3") and backend in ("jax", "torch"):
        return {"jax": Jax, "torch": Torch}[backend](request["device"], request["folder"])
    if keras.startswith("3") and backend in ("numpy", "openvino"):
        return OtherBackend(request["device"], request["folder"])
    return TensorFlow(request["device"], request["folder"])


def main(answer_path: str, request_path: str) -> None:
    """Answer the request."""
    with open(request_path, encoding="utf-8") as file:
        request = json.load(file)
    keep_watch(request["deadline"])
    with open(answer_path, "w", encoding="utf-8") as answer:

        def write(record: Dict[str, Any]) -> None:
            answer.write(json.dumps(record) + "\n")
            answer.flush()

        settings = use_own_keras_home(request["folder"])
        os.environ["TMPDIR"] = request["folder"]
        look_like_users_script(request["cwd"])
        keras = installed_keras()
        framework = choose(os.environ.get("KERAS_BACKEND") or settings.get("backend", ""), keras, request)
        write({"framework": framework.name, "keras": keras})
        run_steps(framework, write)
        write({"done": True})
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # Every step has its record. Tearing a framework down takes 0.5 s (TensorFlow 1.15) to 1.4 s (PyTorch 2.13), and can
    # hang or crash in a driver, which would say nothing about training.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
