"""scikit-learn: splits, generated and built-in data, scaling and encoding.

Source: https://scikit-learn.org/stable/api/sklearn.datasets.html and …/sklearn.model_selection.html
"""

from __future__ import annotations

import math
from collections.abc import Callable

from envcheck.model.core import Call
from envcheck.model.data.numpy import array_of
from envcheck.model.events import Array, Values
from envcheck.model.tensors import UNKNOWN
from envcheck.model.values import List, Value

Handler = Callable[[Call], Value]


def _split(call: Call) -> Value:
    """``train_test_split``: the test part is rounded up; without sizes it is a quarter."""
    arrays = [array_of(each) for each in call.positional]
    if not call.complete or not arrays:
        return List(items=UNKNOWN)
    found: list[Value] = []
    for each in arrays:
        if each is None or not isinstance(each.shape, tuple) or not each.shape:
            found += [UNKNOWN, UNKNOWN]
            continue
        for count in _parts(each.shape[0], call):
            values = None if each.values is None else each.values.some()
            library = "numpy" if each.library == "list" else each.library
            found.append(Array((count, *each.shape[1:]), each.dtype, library, values, each.made_by))
    return List(items=tuple(found))


def _parts(count: Value, call: Call) -> tuple[Value, Value]:
    test, train = call.get("test_size"), call.get("train_size")
    if type(count) is not int or train is not None:
        return UNKNOWN, UNKNOWN
    test = 0.25 if test is None else test
    if isinstance(test, float) and 0 < test < 1:
        size = math.ceil(test * count)
    elif type(test) is int and 0 < test < count:
        size = test
    else:
        return UNKNOWN, UNKNOWN
    return count - size, size


_BUILT_IN: dict[str, tuple[tuple[int, ...], int | None]] = {
    "load_iris": ((150, 4), 3),
    "load_wine": ((178, 13), 3),
    "load_breast_cancer": ((569, 30), 2),
    "load_digits": ((1797, 64), 10),
    "load_diabetes": ((442, 10), None),
}


def _loaded(call: Call) -> Value:
    shape, classes = _BUILT_IN[call.name.rpartition(".")[2]]
    if call.get("return_X_y", default=False) is not True:
        return UNKNOWN
    labels = Values(0, classes - 1, True) if classes else None
    return Array(shape, "float64"), Array(shape[:1], "int64" if classes else "float64", "numpy", labels)


def _generated(call: Call) -> Value:
    """``make_classification``, ``make_regression``, ``make_blobs``, ``make_moons``, ``make_circles``."""
    name = call.name.rpartition(".")[2]
    count = call.get("n_samples", 0, 100)
    features = {"make_classification": 20, "make_regression": 100, "make_moons": 2, "make_circles": 2}.get(name, 2)
    wide = call.get("n_features", None if name in ("make_moons", "make_circles") else 1, features)
    classes = call.get("n_classes", default=2) if name == "make_classification" else 2
    x = Array(tuple(each if type(each) is int else UNKNOWN for each in (count, wide)), "float64")
    if name in ("make_regression", "make_blobs"):
        return (
            (x, Array((x.shape[0],) if isinstance(x.shape, tuple) else UNKNOWN))
            if name == "make_regression"
            else UNKNOWN
        )
    labels = Values(0, classes - 1, True) if type(classes) is int else None
    return x, Array((x.shape[0],) if isinstance(x.shape, tuple) else UNKNOWN, "int64", "numpy", labels)


FUNCTIONS: dict[str, Handler] = {
    "sklearn.model_selection.train_test_split": _split,
    "sklearn.cross_validation.train_test_split": _split,
    **{f"sklearn.datasets.{name}": _loaded for name in _BUILT_IN},
    **{
        f"sklearn.datasets.{name}": _generated
        for name in ("make_classification", "make_regression", "make_moons", "make_circles")
    },
}
