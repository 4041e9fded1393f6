"""Runs in a release's own interpreter (Python 3.6+): evaluates expressions, and tries pieces of code.

Usage: python evaluate.py QUESTIONS.json, a list of {"root", "code", …}; the answers are written over it.
With "classes": None where the expression gives (a list of, with "items"; exactly, with "exact") instances of one of them, else
what it gives. Without: how the code ended, each in a process of its own: its error, its output, its warnings.
"""

import importlib
import io
import json
import os
import re
import sys
import tempfile
import traceback
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Dict, Optional  # noqa: UP035 - Python 3.6

PRELUDE = """
import numpy as np
try:
    import tensorflow as tf
except ImportError:
    tf = None
if ROOT == "tensorflow.keras":
    keras = tf.keras
elif ROOT == "keras":
    import keras
elif ROOT == "tf_keras":
    import tf_keras as keras
KERAS_3 = hasattr(keras, "ops")
x = np.ones((4, 3), "float32")
y = np.ones((4, 2), "float32")
def new(*metrics):
    made = keras.models.Sequential([keras.layers.Dense(2, input_shape=(3,))])
    made.compile("sgd", "mse", metrics=list(metrics))
    return made
"""
# A picture of one pixel.
BMP = b"BM:\0\0\0\0\0\0\0006\0\0\0(\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0\0\0\0\0\4\0\0\0" + b"\0" * 20
MODELS = """
import os
model = new()
start = keras.layers.Input((3,))
functional = keras.models.Model(start, keras.layers.Dense(2)(start))
CSV = "table.csv"
open(CSV, "w").write("a,b\\n1,2\\n3,4\\n")
for folder, file, data in (("texts", "a.txt", b"words"), ("pictures", "a.bmp", BMP)):
    for label in "one", "two":
        os.makedirs(os.path.join(folder, label))
        open(os.path.join(folder, label, file), "wb").write(data)
def placed(name):
    with tf.Graph().as_default():
        return eval(name)(tf.float32, [2])
"""
NEEDS_MODELS = re.compile(r"\b(model|functional|CSV|placed)\b")
Answer = Dict[str, Any]  # noqa: UP006 - Python 3.6


def find(name: str) -> Any:
    """The object behind a whole dotted name, modules imported as needed; None where there is none."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            found = getattr(found, part, None)
        return found
    return None


def fits(value: Any, question: Answer) -> Optional[str]:  # noqa: UP045 - Python 3.6
    """None where a value is what the question says; else what it is."""
    values = list(value) if question["items"] else [value]
    classes = tuple(filter(None, map(find, question["classes"])))
    if not classes:
        return "there is none of {}".format(question["classes"])
    for one in values:
        stands_for = not question["judged"] and type(one).__name__ in ("KerasTensor", "Variable")
        right = type(one) in classes if question["exact"] else isinstance(one, classes)
        if not right and not stands_for:
            return f"{type(one).__module__}.{type(one).__name__}"
    return None if values else "nothing in it"


def evaluate(question: Answer, names: Answer) -> Optional[str]:  # noqa: UP045 - Python 3.6
    """None where the expression gives what the question says; else what it gave."""
    code = question["code"]
    if "{}" in code:
        names["NAMED"] = find(question["name"])
        code = code.replace("'{}'", repr(question["name"].replace("tensorflow.", "tf."))).replace("{}", "NAMED")
    try:
        value = eval(code, names)  # noqa: S307 - our own rows
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:300]}"
    return fits(value, question)


def attempt(question: Answer) -> Answer:
    """How a piece of code ended: its output, its warnings, and the error with its lines, if any."""
    names: Answer = {"ROOT": question.get("root", ""), "BMP": BMP, "__name__": "__main__"}
    said = io.StringIO()
    ended = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            if names["ROOT"]:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    run(PRELUDE + (MODELS if NEEDS_MODELS.search(question["code"]) else ""), names, "<prelude>")
            run(question.get("before", ""), dict(names), "<before>")
            with redirect_stdout(said):
                run(question["code"], names, "<row>")
        except (Exception, SystemExit) as error:
            lines = [frame[1] for frame in traceback.extract_tb(sys.exc_info()[2]) if frame[0] == "<row>"]
            ended = {"type": type(error).__name__, "message": str(error)[:2000], "lines": lines}
    mine = [str(one.message) for one in caught if one.filename == "<row>" or "keras" in one.filename]
    return {"error": ended, "output": said.getvalue(), "warnings": mine}


def run(code: str, names: Answer, title: str) -> None:
    """Execute our own rows."""
    exec(compile(code, title, "exec"), names)  # noqa: S102


def apart(question: Answer) -> Answer:
    """`attempt` in a process of its own, so that what one piece of code imports or registers is not there for the next."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.chdir(tempfile.mkdtemp(dir=os.curdir))
        with os.fdopen(writer, "w") as stream:
            json.dump(attempt(question), stream)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    crashed = {"error": {"type": "crash", "message": "", "lines": []}, "output": "", "warnings": []}
    answer: Answer = json.loads(text) if text else crashed
    return answer


def main() -> None:
    """Answer every question in the file, in a folder of its own."""
    path = Path(sys.argv[1]).resolve()
    questions = json.loads(path.read_text())
    os.chdir(tempfile.mkdtemp(dir=str(path.parent)))
    if all("classes" not in question for question in questions):
        find("tensorflow")  # once, not in each process
    prepared: Answer = {}
    answers: Any = []
    for question in questions:
        if "classes" not in question:
            answers.append(apart(question))
            continue
        root = question["root"]
        if root not in prepared:
            names: Answer = {"ROOT": root, "BMP": BMP}
            run(PRELUDE + MODELS, names, "<prelude>")
            names["model"].fit(names["x"], names["y"], verbose=0)
            prepared[root] = names
        answers.append(evaluate(question, prepared[root]))
    path.write_text(json.dumps(answers))


if __name__ == "__main__":
    main()
