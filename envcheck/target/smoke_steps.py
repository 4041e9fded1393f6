"""Part of smoke.py: the steps, their order, and what is written about each. Standard library only."""

import os
import time
from typing import Any, Callable, Dict, List

STEPS = (
    "import",
    "devices",
    "matmul",
    "dtypes",
    "convolution",
    "rnn",
    "fit",
    "mixed",
    "xla",
    "save_load",
    "each_device",
    "all_reduce",
    "process",
)
NEEDS = {
    "import": (),
    "devices": ("framework",),
    "matmul": ("devices",),
    "dtypes": ("devices",),
    "convolution": ("devices",),
    "rnn": ("framework", "keras", "devices"),
    "fit": ("framework", "keras", "devices"),
    "mixed": ("framework", "keras", "devices"),
    "xla": ("devices",),
    "save_load": ("fit",),
    "each_device": ("devices",),
    "all_reduce": ("devices",),
    "process": ("devices",),
}
"""What a step needs: a step that went well, or a part ("framework", "keras") that the import step has loaded."""
MOST_FRAMES = 6
MOST_TEXT = 700
"""Characters of a message: long ones of TensorFlow and XLA say what matters at either end."""


class Skipped(Exception):
    """Raised by a step that cannot be asked here; the text says why."""


class Wrong(Exception):
    """Raised by a step that ran, and whose result is not what it must be."""


def run_steps(framework: Any, write: Callable[[Dict[str, Any]], None]) -> None:
    """Run every step of ``framework`` (its methods ``do_import``, ``do_devices``, …) whose needs are met.

    A method returns its message and the device where it ran. ``framework.has`` grows with each step that went well;
    ``framework.more`` is what a step adds to its record.
    """
    why: Dict[str, str] = {}
    for name in STEPS:
        missing = [need for need in NEEDS[name] if need not in framework.has]
        if missing:
            record: Dict[str, Any] = {"status": "skipped", "message": why[missing[0]]}
        else:
            write({"step": name, "status": "running", "folder": framework.folder})
            framework.more = {}
            start = time.perf_counter()
            record = _attempt(getattr(framework, "do_" + name))
            record["seconds"] = round(time.perf_counter() - start, 4)
            record.update(framework.more)
        if record["status"] == "ok":
            framework.has.add(name)
        else:  # what needs this step has the same reason, so that the first cause stands behind all of them
            why[name] = record["message"] if record["status"] == "skipped" else "the {} step failed".format(name)
        if name == "import":
            record.update(versions=framework.versions, files=framework.files)
            why.update(framework=why.get(name, ""), keras="Keras could not be imported")
        record["step"] = name
        write(record)


def _attempt(step: Callable[[], Any]) -> Dict[str, Any]:
    try:
        message, device = step()
    except Skipped as reason:
        return {"status": "skipped", "message": str(reason)}
    except BaseException as error:  # a SystemExit from a module that is imported, too
        return _failure(error)
    return {"status": "ok", "message": message, "device": device}


def _failure(error: BaseException) -> Dict[str, Any]:
    deep = _deepest(error)
    message = _one_line(error)
    shown = error
    if message.startswith("Traceback (most recent"):  # TensorFlow 1 and 2 put a whole traceback into an ImportError
        message, shown = _one_line(deep), deep
    elif deep is not error and _one_line(deep) not in message:
        message += " (after {}: {})".format(type(deep).__name__, _one_line(deep))
    frames = _frames(error) + (_frames(deep) if deep is not error else [])
    return {
        "status": "failed",
        "error": type(shown).__name__,
        "message": message,
        "frames": frames[-MOST_FRAMES:],
        "missing": (deep.name or "") if isinstance(deep, ModuleNotFoundError) else "",
    }


def _deepest(error: BaseException) -> BaseException:
    """Where it began: through every ``raise … from``, and through ImportErrors, which wrap each other without it."""
    for _ in range(20):
        inner = error.__cause__
        if inner is None and isinstance(error, ImportError) and not error.__suppress_context__:
            inner = error.__context__
        if inner is None:
            break
        error = inner
    return error


def _one_line(error: BaseException) -> str:
    try:
        text = " ".join(str(error).split())
    except Exception as trouble:
        text = "(its text cannot be had: {})".format(type(trouble).__name__)
    if len(text) > MOST_TEXT:
        text = text[: MOST_TEXT // 2] + " … " + text[-MOST_TEXT // 2 :]
    return text


def _frames(error: BaseException) -> List[str]:
    """The frames of an error, outermost first, without ours: ``/path/file.py:12 in function: the source line``."""
    own = os.path.dirname(os.path.abspath(__file__))
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if os.path.dirname(code.co_filename) != own:
            source = _source_line(code.co_filename, trace.tb_lineno)
            frames.append("{}:{} in {}".format(code.co_filename, trace.tb_lineno, code.co_name) + source)
        trace = trace.tb_next
    return frames


def _source_line(path: str, number: int) -> str:
    # Not linecache: what it imports at that moment may be shadowed by a module of the user's.
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for count, line in enumerate(file, 1):
                if count == number:
                    return ": " + line.strip()[:120]
    except OSError:
        pass  # <frozen importlib>, a zip archive: the frame alone has to do
    return ""
