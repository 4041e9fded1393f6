"""What a release says of its own names: which are deprecated, when they are to go, and what to use instead.

Read from the places where TensorFlow and Keras write it: the notice that tensorflow/python/util/deprecation.py puts
into docstrings, the endpoints it marks on objects, a docstring that opens with "Deprecated", and a warning that a function's
body always gives.
Only facts are kept (dates and names), never the prose.
"""

import ast
import re

NOTICE = re.compile(r"THIS (?:FUNCTION|CLASS|PROPERTY|METHOD|SYMBOL)?\s*IS DEPRECATED")
ARGUMENTS = re.compile(r"SOME ARGUMENTS ARE DEPRECATED: `\(([^)]*)\)`")
REMOVED = re.compile(r"removed (?:after (\d{4}-\d{2}-\d{2})|in a future version)")
INSTRUCTIONS = re.compile(r"Instructions for updating:\s*(.+?)(?:\n\s*\n|\Z)", re.S)
OPENS = re.compile(
    r"\A\s*(?:\*\*)?(?:DEPRECATED\b|Deprecated[\s:.,](?!\s*SOME ARGUMENT))"
    r"|^\s*(?:Deprecated:(?!\s*SOME ARGUMENT)|DEPRECATED[.:]|\.\. deprecated::)",
    re.M,
)
NAMED = re.compile(
    r"\b(?:tf|keras|tf_keras|tensorflow|tfp|tensorflow_addons)\.[A-Za-z_][\w.]*\w|`([A-Za-z_][\w.]*)(?:\([^`]*\))?`"
)
WARNS = ("warn", "warning", "warning_once", "log_first_n")


def in_docstring(text):
    """The marks in one docstring: {} where there are none.

    Returns: a dict with any of `marked` (True), `after` (a date), `instead` (names), `arguments` (parameter names).
    """
    if not text or not isinstance(text, str):
        return {}
    found = {}
    head = text[:6000]
    arguments = ARGUMENTS.search(head)
    if arguments:
        found["arguments"] = sorted(word.strip() for word in arguments.group(1).split(",") if word.strip())
    if NOTICE.search(head) or OPENS.search(head[:1500]):
        found["marked"] = True
        after = REMOVED.search(head)
        if after and after.group(1):
            found["after"] = after.group(1)
        advice = INSTRUCTIONS.search(head)
        if advice:
            names = [hit.group(1) or hit.group(0) for hit in NAMED.finditer(advice.group(1))]
            if names:
                found["instead"] = list(dict.fromkeys(names))[:4]
    return found


def in_body(node):
    """Whether a function's body always warns that it is deprecated: a call at its top level, in no branch."""
    for statement in getattr(node, "body", ()):
        if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
            continue
        function = statement.value.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name in WARNS and "deprecated" in _text(statement.value.args).lower():
            return True
    return False


def endpoints(thing):
    """The public names of an object that its release calls deprecated (`deprecated_endpoints`), without the root."""
    names = []
    for attribute in ("_tf_deprecated_api_names", "_tf_deprecated_v1_names"):
        try:
            value = vars(thing).get(attribute, ())
        except TypeError:
            value = ()
        names += [name for name in value if isinstance(name, str)]
    return sorted(set(names))


def _text(nodes):
    words = []
    for node in nodes:
        for inner in ast.walk(node):
            value = getattr(inner, "s", None) if type(inner).__name__ == "Str" else getattr(inner, "value", None)
            if isinstance(value, str):
                words.append(value)
    return " ".join(words)
