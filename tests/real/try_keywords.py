"""Runs in a release's own interpreter (Python 3.6+): makes each class once with each keyword, and says what became of it.

Usage: python try_keywords.py ROOT QUESTIONS.json, {class below the root: [keyword]}; the answers are written over it:
{class: {keyword: "refused", "taken" or "unclear"}}, without the classes that cannot be made here. ``tools`` is on the path.
"""

import importlib
import inspect
import json
import logging
import re
import sys
import warnings
from functools import reduce
from pathlib import Path
from typing import Any

from extract_api import signatures, trials  # type: ignore[import-not-found]

REFUSED = re.compile(
    r"unexpected keyword|not understood|unrecogni[sz]ed|not recogni[sz]ed|no longer supported|is deprecated|not supported|"
    r"invalid argument|multiple values|received both|passed to optimizer",
    re.IGNORECASE,
)

VALUES = 3
"""Values that are refused until the keyword is."""


def main() -> None:
    """Answer the file."""
    root, path = sys.argv[1], Path(sys.argv[2])
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    package = importlib.import_module(root.split(".")[0])
    keras = getattr(package, "keras") if root == "tensorflow.keras" else package  # noqa: B009 - loaded when asked for
    answers = {}
    for name, words in json.loads(path.read_text()).items():
        cls = reduce(lambda thing, part: getattr(thing, part, None), name.split("."), keras)
        given = needed(cls, keras.layers)
        if given is not None and not isinstance(trials.make(cls, given), trials.Failure):
            answers[name] = {word: tried(cls, given, word) for word in words if word not in given}
    path.write_text(json.dumps(answers))


def needed(cls: Any, layers: Any) -> Any:
    """A value for each parameter without a default; None where there is none to give."""
    line = signatures.of_class(cls) if inspect.isclass(cls) else None
    if line is None:
        return None
    inner = layers.LSTM(2, return_sequences=True) if "Bidirectional" in cls.__name__ else layers.Dense(2)
    ours = {"cell": layers.LSTMCell(2), "cells": [layers.LSTMCell(2)], "layer": inner}
    required = [word for word in line.split() if not word.startswith("*") and word != "/" and not word.endswith("=")]
    values = {**trials.NEEDED, **ours}
    return {word: values[word] for word in required} if all(word in values for word in required) else None


def tried(cls: Any, given: Any, word: str) -> str:
    """Refused where it is for several values, before any is taken."""
    refusals = 0
    own = [trials.KEYWORDS[word]] if word in trials.KEYWORDS else []
    for value in [*own, None, -0.5, True, 1, "same", (1,)]:
        made = trials.make(cls, {**given, word: value})
        if not isinstance(made, trials.Failure):
            return "taken"
        refusals += bool(REFUSED.search(made.message))
        if refusals == VALUES:
            return "refused"
    return "unclear"


main()
