"""Makes and calls real layers; runs in the interpreter that has Keras: ``python real.py TRIALS ANSWERS``.

Each line of TRIALS is a literal that ``trials.written`` wrote; each line of ANSWERS is a JSON object with the same
number: ``stage``, ``error`` and ``message`` where Keras raised, else ``outputs`` (shape and dtype of each tensor), and
``computed``, what ``compute_output_shape`` says of the same layer.
"""

from __future__ import annotations

import ast
import json
import os
import sys
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import tensorflow as tf  # noqa: I001 - what it says while it is imported is silenced first
import keras

IN_CALL = {
    "call",
    "compute_output_spec",
    "compute_output_shape",
    "assert_input_compatibility",
    "_assert_input_compatibility",
}


def make(value: Any) -> Any:
    """A literal with its layers and tensors made."""
    if isinstance(value, tuple) and value[:1] == ("$layer",):
        kind = find(value[1].rpartition(".")[2])
        return kind(*[make(each) for each in value[2]], **{key: make(each) for key, each in value[3].items()})
    if isinstance(value, tuple) and value[:1] == ("$tensor",):
        return tf.keras.Input(batch_shape=value[1], dtype=value[2])
    if isinstance(value, (tuple, list)):
        return [make(each) for each in value] if is_list(value) else type(value)(make(each) for each in value)
    return value


def find(name: str) -> Any:
    """A layer of ``keras.layers``, or one that only ``tf.keras.layers`` still has."""
    if name == "Input":
        return tf.keras.Input
    return getattr(keras.layers, name, None) or getattr(tf.keras.layers, name, None)


def is_list(value: Any) -> bool:
    """Whether it holds tensors: those come as a list."""
    return bool(value) and isinstance(value[0], tuple) and value[0][:1] == ("$tensor",)


def stage(error: BaseException) -> str:
    """``build`` or ``call``: whichever method of a layer Keras entered first."""
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_name
        inside = f"{os.sep}keras{os.sep}" in trace.tb_frame.f_code.co_filename
        if inside and name == "build":
            return "build"
        if inside and name in IN_CALL:
            return "call"
        trace = trace.tb_next
    return "call"


def flat(value: Any) -> list[Any]:
    """Every tensor of a structure, as ``[shape, dtype]``."""
    if isinstance(value, (list, tuple)):
        return [each for part in value for each in flat(part)]
    if isinstance(value, dict):
        return [each for part in value.values() for each in flat(part)]
    shape = [None if each is None else int(each) for each in value.shape] if value.shape.rank is not None else None
    dtype = value.dtype if isinstance(value.dtype, str) else value.dtype.name
    return [[shape, dtype]]


def flat3(value: Any) -> list[Any]:
    """The same of Keras 3, whose shapes are tuples."""
    if isinstance(value, (list, tuple)):
        return [each for part in value for each in flat3(part)]
    if isinstance(value, dict):
        return [each for part in value.values() for each in flat3(part)]
    if value is None:
        return [None]
    return [[None if value.shape is None else list(value.shape), str(value.dtype)]]


def raised(at: str, error: BaseException) -> dict[str, Any]:
    """An answer that is an error."""
    return {"stage": at, "error": type(error).__name__, "message": str(error)[:600]}


def answer(line: str) -> dict[str, Any]:
    """What Keras does with one trial."""
    layer, inputs, call = ast.literal_eval(line)
    if layer[1].rpartition(".")[2] in ("Input", "InputLayer"):
        try:
            outputs = make(layer)
            return {"outputs": read(outputs if layer[1].endswith("Input") else outputs.output)}
        except Exception as error:
            return raised("construction", error)
    if find(layer[1].rpartition(".")[2]) is None:
        return {"absent": True}
    try:
        tensors, more = make(inputs), {key: make(value) for key, value in call.items()}
    except Exception as error:
        return {"absent": True, "message": str(error)[:200]}  # the trial itself is impossible here: no such input
    try:
        made = make(layer)
    except Exception as error:
        return raised("construction", error)
    try:
        outputs = made(tensors, **more)
    except Exception as error:
        return raised(stage(error), error)
    found: dict[str, Any] = {"outputs": read(outputs), "several": isinstance(outputs, (list, tuple))}
    if not more and layer[1].rpartition(".")[2] != "Lambda":
        shapes = [each.shape for each in tensors] if isinstance(tensors, list) else tensors.shape
        try:
            computed = made.compute_output_shape(shapes)
            found["computed"] = json.loads(json.dumps(plain_shape(computed)))
        except Exception as error:
            found["computed"] = type(error).__name__
    return found


def plain_shape(value: Any) -> Any:
    """A shape (or several) as lists."""
    if hasattr(value, "as_list"):
        return value.as_list() if value.rank is not None else None
    if isinstance(value, dict):
        return [plain_shape(each) for each in value.values()]
    if isinstance(value, (list, tuple)):
        return [plain_shape(each) for each in value]
    return None if value is None else int(value)


def read(outputs: Any) -> Any:
    """Shapes and dtypes of what a layer returned."""
    return flat3(outputs) if KERAS >= 3 else flat(outputs)


def _keras() -> int:
    return int(keras.__version__.split(".")[0])


KERAS = _keras()


def show_all_frames() -> None:
    """Errors keep Keras's own frames: :func:`stage` reads them."""
    if KERAS >= 3:
        tf.keras.config.disable_traceback_filtering()
    elif hasattr(tf.debugging, "disable_traceback_filtering"):  # the first own releases of Keras filter nothing
        tf.debugging.disable_traceback_filtering()


def main(source: str, target: str) -> None:
    """Answers every line of ``source``; what was answered stands in ``target`` even if the process dies."""
    show_all_frames()
    with open(source, encoding="utf-8") as trials, open(target, "w", encoding="utf-8") as answers:  # noqa: PTH123
        for number, line in enumerate(trials):
            answers.write(json.dumps(answer(line)) + "\n")
            answers.flush()
            if number % 50 == 49:
                tf.keras.backend.clear_session()
                show_all_frames()  # the session kept that setting, too


if __name__ == "__main__":
    main(*sys.argv[1:])
