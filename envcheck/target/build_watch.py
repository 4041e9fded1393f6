"""Part of build.py: which layer fails, and the shapes that reached it. Standard library only.

The base class of layers is given a ``__call__`` that keeps the layers on the way down; where one raises, the innermost
of them and its inputs are remembered. Keras's own messages name the class at most, and not which layer of that class.
"""

import functools
import sys
from typing import Any, Callable, Dict, List, Optional

HOMES = (
    "keras.src.layers.layer",
    "keras.src.engine.base_layer",
    "keras.engine.base_layer",
    "tf_keras.src.engine.base_layer",
    "tensorflow.python.keras.engine.base_layer",
)
"""Where the class ``Layer`` is defined: Keras 3, Keras 2.12 to 2.15, 2.6 to 2.11, tf_keras, and TensorFlow before 2.6."""
MOST_PATH = 8


class Watch:
    """Remembers the first layer that fails. It goes on ``sys.meta_path``, to meet Keras when it is imported."""

    def __init__(self) -> None:
        self.way: List[Any] = []
        self.failed: Optional[Dict[str, Any]] = None
        self.raised: Optional[BaseException] = None

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """What the other finders find; a module with the class is changed once it has run."""
        if name not in HOMES:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = None if finder is self or find is None else find(name, path, target)
            if spec is not None and spec.loader is not None:
                run = spec.loader.exec_module

                def exec_module(module: Any, run: Callable[[Any], None] = run) -> None:
                    run(module)
                    self.follow(module.Layer)

                spec.loader.exec_module = exec_module
                return spec
        return None

    def follow(self, layer_class: Any) -> None:
        """Have every call of a layer tell us how it went."""
        inner = layer_class.__call__

        # wraps: AutoGraph goes by the module of a function, and leaves Keras's own alone.
        @functools.wraps(inner)
        def called(layer: Any, *arguments: Any, **named: Any) -> Any:
            self.way.append(layer)
            try:
                return inner(layer, *arguments, **named)
            except Exception as error:
                # Keras wraps an error on its way up, often in a new object: the innermost layer is the first to see it.
                if self.failed is None or (self.raised is not error and not _follows(error, self.raised)):
                    self.failed = describe(layer, arguments, named, self.way)
                self.raised = error
                raise
            finally:
                self.way.pop()

        layer_class.__call__ = called

    def forget(self) -> None:
        """A new step begins."""
        self.failed = self.raised = None
        self.way.clear()


def _follows(error: BaseException, before: Optional[BaseException]) -> bool:
    """Whether ``error`` is ``before`` on its way up: raised from it, or instead of it with the same words."""
    seen: Optional[BaseException] = error
    for _ in range(20):
        if seen is None:
            return False
        if seen is before:
            return True
        seen = seen.__cause__ or seen.__context__
    return before is not None and bool(str(before)) and str(before)[:60] in str(error)


def describe(layer: Any, arguments: Any, named: Dict[str, Any], way: List[Any]) -> Dict[str, Any]:
    """A layer and what reached it, in words."""
    given = list(arguments) + [value for key, value in named.items() if key not in ("training", "mask")]
    return {
        "name": str(getattr(layer, "name", "?")),
        "type": type(layer).__name__,
        "way": [str(getattr(each, "name", "?")) for each in way[-MOST_PATH:]],
        "inputs": shown(given[0] if given else None),
    }


def shown(value: Any) -> str:
    """The shapes and types of tensors: ``(2, 28, 28) float32``; several in brackets."""
    if isinstance(value, dict):
        return "{" + ", ".join("{}: {}".format(key, shown(each)) for key, each in value.items()) + "}"
    if isinstance(value, (list, tuple)) and not hasattr(value, "dtype"):
        return "[" + ", ".join(shown(each) for each in value) + "]"
    shape = getattr(value, "shape", None)
    if shape is None:
        return type(value).__name__
    try:
        words = "({})".format(", ".join(str(size) for size in shape) + ("," if len(shape) == 1 else ""))
    except Exception:  # a tensor of unknown rank has no dimensions to count
        words = "(unknown rank)"
    return "{} {}".format(words, dtype_name(getattr(value, "dtype", "")))


def dtype_name(dtype: Any) -> str:
    """``float32``, whatever a framework makes of it."""
    return str(getattr(dtype, "name", dtype)).replace("torch.", "")
