"""Part of build.py: the user's module, and the model in it. Standard library only at first."""

import ast
import importlib
import importlib.util
import inspect
import os
import sys
from typing import Any, Dict, List, Tuple

from smoke_steps import Wrong  # type: ignore[import-not-found]

ROOTS = ("keras", "tf_keras", "tensorflow")
MOST_NAMES = 8


def imported(path: str) -> Any:
    """The user's module, imported by its own name; as a part of its package where it asks its neighbours (``from . import``)."""
    folder, name = os.path.dirname(path), os.path.splitext(os.path.basename(path))[0]
    packages: List[str] = []
    while os.path.isfile(os.path.join(folder, "__init__.py")) and os.path.basename(folder).isidentifier():
        packages.insert(0, os.path.basename(folder))
        folder = os.path.dirname(folder)
    if packages:
        sys.path.append(folder)  # where ``python -m package.module`` would be called
        if name.isidentifier() and asks_its_package(path):
            return importlib.import_module(".".join(packages if name == "__init__" else [*packages, name]))
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Wrong("{} is no Python file".format(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def asks_its_package(path: str) -> bool:
    """Whether a module imports relative to its package; False where it is none of Python's: importing it will say so."""
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(each, ast.ImportFrom) and bool(each.level) for each in ast.walk(tree))


def model_of(module: Any, path: str, wanted: str) -> Any:
    """The model that ``wanted`` names: itself, or what the function makes.

    Raises:
        Wrong: there is none.
    """
    found = module
    for part in wanted.split("."):
        if not hasattr(found, part):
            raise Wrong("there is no {}{}".format(wanted, _others(module, path)))
        found = getattr(found, part)
    return found if is_model(found) else _called(found, wanted)


def keras_of(model: Any) -> Tuple[Any, str, Dict[str, str]]:
    """The Keras that a model is of, the backend that it runs on, and what is told of both."""
    home = next(
        each.__module__.partition(".")[0] for each in type(model).__mro__ if each.__name__ == "Model" and ours(each)
    )
    keras = sys.modules["tensorflow"].keras if home == "tensorflow" else sys.modules[home]
    version = str(getattr(keras, "__version__", ""))
    backend = str(keras.backend.backend())
    if home == "keras" and not version.startswith("3"):
        backend = "tensorflow"
    return keras, backend, {"model": type(model).__name__, "keras": version, "backend": backend}


def is_model(value: Any) -> bool:
    """Whether it is a Keras model; a class of models is none."""
    return any(each.__name__ == "Model" and ours(each) for each in type(value).__mro__)


def ours(kind: Any) -> bool:
    """Whether a class is Keras's own."""
    return str(kind.__module__).partition(".")[0] in ROOTS


def _called(maker: Any, wanted: str) -> Any:
    if not callable(maker):
        raise Wrong("{} is {}, neither a model nor a function that makes one".format(wanted, _a(maker)))
    try:
        parameters: Any = inspect.signature(maker).parameters.values()
    except (TypeError, ValueError):  # built-in code tells nothing: calling it will
        parameters = ()
    needed = [
        each.name
        for each in parameters
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    if needed:
        raise Wrong(
            "{} needs arguments: {}; envcheck calls it without any, so give them defaults or name a function "
            "that needs none".format(wanted, ", ".join(needed))
        )
    made = maker()
    if not is_model(made):
        raise Wrong("{}() returns {}, not a Keras model{}".format(wanted, _a(made), _inside(made)))
    return made


def _inside(made: Any) -> str:
    """Where the models are in something that holds them."""
    if isinstance(made, (list, tuple)):
        places = [str(number) for number, each in enumerate(made) if is_model(each)]
    elif isinstance(made, dict):
        places = [repr(key) for key, each in made.items() if is_model(each)]
    else:
        return ""
    if not places:
        return ""
    return "; it has a model at [{}]: name a function that returns this one alone".format(
        "], [".join(places[:MOST_NAMES])
    )


def _others(module: Any, path: str) -> str:
    own = getattr(module, "__name__", "")
    names = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (is_model(value) or (callable(value) and getattr(value, "__module__", None) == own))
    ]
    if not names:
        return " in {}, and no model or function either".format(os.path.basename(path))
    return " in {}; it has {}".format(os.path.basename(path), ", ".join(names[:MOST_NAMES]))


def _a(value: Any) -> str:
    words = type(value).__name__
    return "None" if value is None else "{} {}".format("an" if words[0].lower() in "aeiou" else "a", words)
