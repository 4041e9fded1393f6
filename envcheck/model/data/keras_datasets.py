"""The data sets of ``keras.datasets``: what ``load_data`` gives.

Source: https://keras.io/api/datasets/ ; the modules ``keras/src/datasets/*.py``. The texts (imdb, reuters) come as arrays of
lists, one per sample.
"""

from __future__ import annotations

from envcheck.model.core import Call
from envcheck.model.events import Array, Values
from envcheck.model.tensors import UNKNOWN, Unknown
from envcheck.model.values import Value


def _images(train: int, test: int, side: tuple[int, ...], labels: tuple[int, ...], classes: int) -> Value:
    def part(count: int) -> Value:
        x = Array((count, *side), "uint8", "numpy", Values(0, 255), "keras.datasets")
        return x, Array((count, *labels), "uint8", "numpy", Values(0, classes - 1, True), "keras.datasets")

    return part(train), part(test)


def _texts(train: int, test: int, classes: int) -> Value:
    def part(count: int) -> Value:
        return Array((count,), "object"), Array((count,), "int64", "numpy", Values(0, classes - 1, True))

    return part(train), part(test)


def _numbers(train: int | Unknown, test: int | Unknown, features: int, name: str) -> Value:
    def part(count: int | Unknown) -> Value:
        return Array((count, features), UNKNOWN), Array((count,), UNKNOWN, made_by=name)

    return part(train), part(test)


def load(call: Call) -> Value:
    """``keras.datasets.NAME.load_data()``: two pairs of arrays."""
    name = call.name.removeprefix("keras.datasets.").partition(".")[0]
    plain = not call.positional and not call.keywords and call.complete
    if name in ("mnist", "fashion_mnist"):
        return _images(60_000, 10_000, (28, 28), (), 10)
    if name == "cifar10":
        return _images(50_000, 10_000, (32, 32, 3), (1,), 10)
    if name == "cifar100":
        coarse = call.get("label_mode", 0, "fine")
        classes = {"fine": 100, "coarse": 20}.get(coarse) if isinstance(coarse, str) else None
        return UNKNOWN if classes is None else _images(50_000, 10_000, (32, 32, 3), (1,), classes)
    if name == "imdb":
        simple = set(call.keywords) <= {"num_words", "path", "seed", "skip_top", "start_char", "oov_char", "index_from"}
        return _texts(25_000, 25_000, 2) if simple and call.complete else UNKNOWN
    if name == "reuters":
        simple = set(call.keywords) <= {"num_words"} and len(call.positional) < 3 and call.complete
        return _texts(8_982, 2_246, 46) if simple else UNKNOWN
    if name == "boston_housing":
        return _numbers(404, 102, 13, call.name) if plain else _numbers(UNKNOWN, UNKNOWN, 13, call.name)
    if name == "california_housing":
        return _numbers(UNKNOWN, UNKNOWN, 8, call.name)
    return UNKNOWN


NAMES = ("mnist", "fashion_mnist", "cifar10", "cifar100", "imdb", "reuters", "boston_housing", "california_housing")
FUNCTIONS = {f"keras.datasets.{name}.load_data": load for name in NAMES}
