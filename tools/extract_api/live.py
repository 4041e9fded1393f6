"""Answer questions about names and keywords in the running interpreter, by asking the packages themselves.

`python -m extract_api.live QUESTIONS.json ANSWERS.json`; questions: {"root": "keras", "names": [...], "keywords":
[[name, keyword], ...]}. It shares no code with the extractor, so that a mistake there shows here.

Answers, one a question: for names "attribute" (found on what a bare import of the root gives), "import" (found once a
module was imported by its name), "absent", or "unable" (its module cannot be imported here); for keywords true or false
(may it be given by keyword?), or null (the callable does not say).
"""

import importlib
import inspect
import json
import logging
import sys
import types
import warnings

MISSING = object()


def main():
    questions_path, answers_path = sys.argv[1:3]
    del sys.argv[1:]
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    with open(questions_path) as stream:
        questions = json.load(stream)
    root = importlib.import_module(questions["root"])
    prefix = questions["root"] + "."
    values = [reach(root, name[len(prefix) :].split(".")) for name in questions["names"]]
    answers = ["absent" if value is MISSING else "attribute" for value in values]
    keywords = [takes(reach(root, name[len(prefix) :].split(".")), keyword) for name, keyword in questions["keywords"]]
    for place, name in enumerate(questions["names"]):  # last, for imports bind what attribute access did not find
        if answers[place] == "absent":
            answers[place] = imported(name)
    with open(answers_path, "w") as stream:
        json.dump({"names": answers, "keywords": keywords}, stream)


def reach(thing, parts):
    """What attribute access finds, or MISSING; a lazy module that cannot be loaded is missing."""
    for part in parts:
        try:
            thing = getattr(thing, part)
            if isinstance(thing, types.ModuleType):
                dir(thing)
        except Exception:
            return MISSING
    return thing


def imported(name):
    """import, absent, or unable: what `import` of the longest importable part, and attribute access from there, find.

    A module that is there and cannot be imported (it needs torch, or pytest) says nothing of its names.
    """
    parts = name.split(".")
    for length in range(len(parts), 1, -1):
        path = ".".join(parts[:length])
        try:
            module = importlib.import_module(path)
        except ImportError as error:
            if getattr(error, "name", None) and path.startswith(error.name) and isinstance(error, ModuleNotFoundError):
                continue  # there is no such module
            return "unable"
        except (Exception, SystemExit):  # a setup.py or a script among the modules
            return "unable"
        return "absent" if reach(module, parts[length:]) is MISSING else "import"
    return "absent"


def takes(thing, keyword):
    """Whether a call may name this keyword: Python's own binding decides, without a call. A class has two makers to pass."""
    if thing is MISSING or not callable(thing):
        return None
    makers = [thing]
    if inspect.isclass(thing):
        makers = [
            maker
            for maker in (thing.__new__, thing.__init__)
            if inspect.isfunction(maker) or hasattr(maker, "__wrapped__")
        ]
    answers = [binds(maker, keyword, inspect.isclass(thing)) for maker in makers]
    return None if not answers or None in answers else all(answers)


def binds(maker, keyword, bound):
    try:
        signature = inspect.signature(getattr(maker, "_original_function", maker))
    except (TypeError, ValueError):
        return None
    try:
        signature.bind_partial(*([None] if bound else []), **{keyword: None})
    except TypeError:
        return False
    return True


main()
