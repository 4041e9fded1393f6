"""The extractor on a package made for it: what it sees of names, aliases, classes, keywords, modules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).parent.parent.parent / "tools"
FILES = {
    "__init__.py": """
        __version__ = "9.9.9"
        from keras import layers, optimizers, lazy
        from keras.src.core import Model, old
        from keras.src.core import Model as Net
        _hidden = 1
        del Net
        Net = Model
    """,
    "layers/__init__.py": "from keras.src.core import Dense, Dense as Affine, plain",
    "optimizers/__init__.py": "from keras.src.optimizers.adam import Adam",
    "lazy/__init__.py": """
        def __getattr__(name):
            if name == "late":
                return 1
            raise AttributeError(name)
        def __dir__():
            return ["late", "broken"]
    """,
    "applications/__init__.py": "def VGG(weights='imagenet', *, classes=1000): pass",
    "src/__init__.py": "",
    "src/optimizers/__init__.py": "",
    "src/optimizers/adam.py": """
        class Adam:
            def __init__(self, learning_rate=0.1, **kwargs):
                self.learning_rate = learning_rate
                kwargs.pop("decay", None)
                if "lr" in kwargs:
                    self.learning_rate = kwargs.pop("lr")
                if kwargs:
                    raise TypeError("no such keyword: %s" % sorted(kwargs))
    """,
    "src/core.py": """
        import functools, warnings
        from os import path as osp
        try:
            import no_such_module
        except ImportError:
            no_such_module = None
        globals().update(dynamic=1)
        class Base(dict):
            def call(self, inputs, training=False): pass
            @property
            def size(self): return 1
        class Dense(Base):
            def __init__(self, units, activation=None, **kwargs):
                self.units = units
                self._private = 1
            def call(self, inputs): pass
            @classmethod
            def from_config(cls, config): pass
            @staticmethod
            def helper(a, /, b): pass
        class Model:
            def fit(self, x, *, epochs=1): pass
            def fit_generator(self, generator):
                "DEPRECATED. Use fit."
            def predict_classes(self, x):
                warnings.warn("`predict_classes` is deprecated")
                return x
        def plain(a, b=1, *args, c, **kwargs):
            '''Do it.

            Warning: THIS FUNCTION IS DEPRECATED. It will be removed after 2030-01-31.
            Instructions for updating:
            Use `keras.better` instead.
            '''
        @functools.wraps(plain)
        def old(*args, **kwargs): pass
    """,
    "src/core_test.py": "import pytest",
}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    site = tmp_path_factory.mktemp("lib") / "site-packages"
    for name, text in FILES.items():
        path = site / "keras" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(line[8:] if line.startswith(" " * 8) else line for line in text.split("\n")), "utf-8")
    out = site / "record.json"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TOOLS), str(site)])}
    command = [sys.executable, "-m", "extract_api", "--root", "keras", str(out)]
    subprocess.run(command, env=environ, check=True, capture_output=True, timeout=60)
    found: dict[str, Any] = json.loads(out.read_text("utf-8"))
    return found


def thing(record: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = record["objects"][record["names"][name]]
    return found


def test_names_and_aliases(record: dict[str, Any]) -> None:
    names = record["names"]
    assert names["layers.Dense"] == names["layers.Affine"]
    assert names["Model"] == names["Net"]
    assert names["__version__"] == {"data": "str"}
    assert names["layers"]["entered"]
    assert not names["src"]["entered"]
    assert "_hidden" not in names
    assert not any(name.startswith("src.") for name in names)


def test_lazy_names_are_followed(record: dict[str, Any]) -> None:
    assert record["names"]["lazy.late"] == {"data": "int"}
    assert record["names"]["lazy.broken"] == {"raises": "AttributeError"}


def test_what_a_bare_import_leaves_out(record: dict[str, Any]) -> None:
    assert record["imported"] == ["applications", "applications.VGG"]
    assert thing(record, "applications.VGG")["call"] == "weights= * classes="
    assert "applications" in record["importable"]


def test_signatures(record: dict[str, Any]) -> None:
    assert thing(record, "layers.plain")["call"] == "a b= *args c **kwargs"
    assert thing(record, "old")["call"] == "a b= *args c **kwargs"  # what it wraps
    assert thing(record, "layers.Dense")["call"] == "units activation= **kwargs"


def test_members(record: dict[str, Any]) -> None:
    members = thing(record, "layers.Dense")["members"]
    assert members["call"] == {"kind": "method", "call": "inputs"}
    assert members["from_config"]["call"] == "config"
    assert members["helper"]["call"] == "a / b"
    assert members["size"]["kind"] == "property"
    assert members["units"] == {"kind": "attribute"}
    assert "_private" not in members
    assert thing(record, "layers.Dense")["bases"] == ["!dict"]  # Base itself is not public


def test_deprecations(record: dict[str, Any]) -> None:
    assert thing(record, "layers.plain")["deprecated"] == {
        "marked": True,
        "after": "2030-01-31",
        "instead": ["keras.better"],
    }
    members = thing(record, "Model")["members"]
    assert members["fit_generator"]["deprecated"] == {"marked": True}
    assert members["predict_classes"]["deprecated"] == {"marked": True}
    assert "deprecated" not in members["fit"]


def test_keywords_are_tried(record: dict[str, Any]) -> None:
    tried = thing(record, "optimizers.Adam")["keywords"]
    assert tried["accepted"] == ["lr"]
    assert tried["ignored"] == ["decay"]
    assert tried["other"] == "rejected"
    assert {"momentum", "clipnorm"} <= set(tried["rejected"])


def test_modules_are_read(record: dict[str, Any]) -> None:
    modules = record["modules"]
    assert "keras.src.core_test" not in modules
    core = modules["keras.src.core"]
    assert {"Dense", "plain", "osp", "no_such_module", "dynamic"} <= set(core["names"])
    assert core["public"]["Dense"] == "layers.Dense"
    assert "keras.applications" not in record["bound"]
    assert {"keras", "keras.layers", "keras.src.core"} <= set(record["bound"])


def test_a_module_that_was_not_loaded_is_read_without_running_it(tmp_path: Path) -> None:
    sys.path.insert(0, str(TOOLS))
    try:
        from extract_api import sources  # type: ignore[import-not-found] # it is a folder of tools
    finally:
        sys.path.remove(str(TOOLS))
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from pkg.star import *\nfrom . import other as o\nraise SystemExit('never run')\n"
    )
    (package / "star.py").write_text("__all__ = ['a', 'b']\na = b = c = 1\nif c:\n    d, (e, *f) = 1, (2, 3)\ndel c\n")
    (package / "dynamic.py").write_text("x = 1\nglobals()['y'] = 2\n")
    (package / "removed.py").write_text("x = 1\nremove_undocumented(__name__)\n")
    (package / "broken.py").write_text("def (:\n")
    (package / "script.py").write_text("x = 1\nif __name__ == '__main__':\n    y = 1\n")
    (package / "types.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import gone\nelse:\n    kept = 1\n"
    )
    found = {name: (path, is_package) for name, path, is_package in sources.modules(str(package), "pkg")}
    top = sources.TopLevel(found, sources.Sources())
    assert top.names("pkg") == (frozenset({"a", "b", "o"}), False)
    assert top.names("pkg.star") == (frozenset({"__all__", "a", "b", "d", "e", "f"}), False)
    assert top.names("pkg.dynamic") == (frozenset({"x"}), True)
    assert top.names("pkg.removed") == (frozenset(), True)
    assert top.names("pkg.broken") == (frozenset(), True)
    assert top.names("pkg.script") == (frozenset({"x"}), False)
    assert top.names("pkg.types") == (frozenset({"TYPE_CHECKING", "kept"}), False)
