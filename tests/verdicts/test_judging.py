"""What becomes of references on a target; the claims about TensorFlow and Keras are asked of the packages in tests/real."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from envcheck.findings import Coverage
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import folder
from envcheck.source.tree import FileReading, read_file
from envcheck.verdicts.code import Library, judge
from envcheck.verdicts.found import Code
from envcheck.verdicts.targets import completed, label

LIBRARY = Library(folder() / "api")
HIDDEN = ("deprecated", "private", "behaviour")
OLD, MIDDLE, NEW = "tensorflow==1.15.5", "tensorflow==2.11.1", "tensorflow==2.21.0"


def judged(files: dict[str, str], *targets: str) -> tuple[Code, Coverage]:
    project = frozenset(part for path in files for part in Path(path).with_suffix("").parts)
    readings = [read_file(path, textwrap.dedent(code).encode(), project) for path, code in files.items()]
    chosen = [completed(Target.parse(target), LIBRARY.api.shelf) for target in targets or [NEW]]
    return judge(readings, chosen, LIBRARY, lambda _: None)


def found(code: str, target: str = NEW) -> list[tuple[int, str, str, str | None]]:
    verdicts = judged({"a.py": code}, target)[0].verdicts
    return [(v.place.line, v.kind, v.symbol, v.parameter) for v in verdicts if v.kind not in HIDDEN]


@pytest.mark.parametrize(
    ("code", "target", "kind", "symbol", "parameter"),
    [
        ("import tensorflow as tf\ntf.Session()", NEW, "moved", "tensorflow.Session", None),
        (
            "import tensorflow as tf\ntf.contrib.layers.conv2d(1)",
            NEW,
            "absent-module",
            "tensorflow.contrib.layers.conv2d",
            None,
        ),
        ("import keras\nkeras.backend.dot(1, 2)", NEW, "absent-name", "keras.backend.dot", None),
        ("import keras\nkeras.ops.matmul(1, 2)", MIDDLE, "not-yet", "keras.ops.matmul", None),
        ("from keras.layers.merge import concatenate", NEW, "moved", "keras.layers.merge.concatenate", None),
        ("from keras.engine.topology import Nix", NEW, "absent-module", "keras.engine.topology.Nix", None),
        ("import keras.utils.np_utils", NEW, "absent-module", "keras.utils.np_utils", None),
        (
            "import keras\nm = keras.Sequential()\nm.fit_generator()",
            NEW,
            "method",
            "keras.Sequential.fit_generator",
            None,
        ),
        (
            "import keras\nm = keras.models.load_model('a.h5')\nm.predict_classes()",
            NEW,
            "method",
            "keras.Sequential.predict_classes",
            None,
        ),
        (
            "import keras\nm = keras.Sequential()\nm.fit(1, workers=3)",
            NEW,
            "absent-parameter",
            "keras.Sequential.fit",
            "workers",
        ),
        ("import keras\nkeras.optimizers.Adam(lr=1)", NEW, "absent-parameter", "keras.optimizers.Adam", "lr"),
        ("import keras\nkeras.Sequential([], 'a', True, 3)", NEW, "positional", "keras.Sequential", "argument 4"),
        (
            "from tensorflow.python.keras.layers import Dense",
            NEW,
            "foreign",
            "tensorflow.python.keras.layers.Dense",
            None,
        ),
        (
            "import tensorflow as tf\ntf.keras.saving.load_model('a.keras')",
            NEW,
            "absent-name",
            "tensorflow.keras.saving.load_model",
            None,
        ),
        (
            "from tensorflow.distribute import Strategy",
            "tensorflow==2.1.0",
            "absent-module",
            "tensorflow.distribute.Strategy",
            None,
        ),
    ],
)
def test_what_is_reported(code: str, target: str, kind: str, symbol: str, parameter: str | None) -> None:
    assert [each[1:] for each in found(code, target)] == [(kind, symbol, parameter)]


@pytest.mark.parametrize(
    ("code", "target"),
    [
        ("import tensorflow as tf\ntf.Session()", OLD),
        ("import keras\nkeras.backend.dot(1, 2)", MIDDLE),
        ("import tensorflow as tf\ntf.keras.backend.dot(1, 2)", NEW),
        ("from tensorflow.keras.saving import load_model", NEW),
        ("import tensorflow as tf\nimport tensorflow.keras.saving\ntf.keras.saving.load_model('a.keras')", NEW),
        ("import keras\nkeras.layers.Embedding(3, 4, input_length=3)", NEW),
        ("import keras\nkeras.layers.Embedding(3, 4, weights=[1])", NEW),
        ("import keras\nkeras.layers.LeakyReLU(alpha=0.1)", NEW),
        ("import tensorflow as tf\ntf.config.experimental.list_physical_devices('GPU')", NEW),
        ("import tensorflow as tf\ntf.distribute.experimental.MultiWorkerMirroredStrategy()", NEW),
        ("import keras\nm = keras.Model(a, b)\nm.outputs", NEW),
        ("import tensorflow as tf\ntf.keras.optimizers.Adam(lr=1)", "tensorflow==2.8.4"),
        ("import tensorflow as tf\nif tf.__version__ < '2': tf.Session()", NEW),
        ("import tensorflow as tf\nif hasattr(tf, 'Session'): tf.Session()", NEW),
        ("try:\n from keras.utils import np_utils\nexcept ImportError:\n np_utils = None", NEW),
        ("import tensorflow as tf\ntf.log = tf.math.log\ntf.log(3)", NEW),
        ("import keras\nclass M(keras.Model):\n def fit_generator(self): pass\nM().fit_generator()", NEW),
        ("import keras\nm = keras.Sequential()\nm.my_own = 3\nm.my_own", NEW),
    ],
)
def test_what_is_not_reported(code: str, target: str) -> None:
    assert found(code, target) == []


def test_a_guarded_branch_is_judged_where_it_runs() -> None:
    code = "import tensorflow as tf\nif tf.__version__ >= '2':\n tf.Session()"
    assert [each[2] for each in found(code, NEW)] == ["tensorflow.Session"]
    assert found(code, OLD) == []


def test_the_handler_is_judged_where_the_first_try_fails() -> None:
    code = "try:\n from keras.ops import matmul\nexcept ImportError:\n from keras.nothing import matmul"
    assert found(code, NEW) == []
    assert [each[:2] for each in found(code, MIDDLE)] == [(4, "absent-module")]


def test_uses_of_a_failed_import_are_folded_into_it() -> None:
    code, coverage = judged(
        {"a.py": "from keras.layers.merge import concatenate as c\nc([1])\nc([2])\nc([3]).shape"}, NEW
    )
    assert [(each.place.line, each.folded) for each in code.verdicts] == [(1, 4)]
    assert (coverage.known, coverage.folded) == (1, 4)


def test_what_hangs_on_an_absent_name_is_not_reported_again() -> None:
    assert len(found("import tensorflow as tf\ns = tf.Session()\ns.run(1)\ns.close()")) == 1


def test_a_star_import_gives_what_its_module_has() -> None:
    code = "from keras.layers import *\nDense(3)\nMaxoutDense(3)\nprint(other)"
    assert [each[:3] for each in found(code)] == [(3, "absent-name", "keras.layers.MaxoutDense")]


PROJECT = {
    "pkg/__init__.py": "",
    "pkg/common.py": """
        import keras.backend as K
        import keras
        class Base(keras.layers.Layer):
            def own(self): pass
        OLD = keras.__version__ < '3'
        """,
    "pkg/model.py": """
        from .common import K, Base, OLD
        from . import common
        K.dot(1, 2)
        common.K.dot(3, 4)
        class Mine(Base):
            def call(self, x):
                self.own()
                self.add_update(x)
        if OLD:
            K.placeholder()
        """,
    "script.py": "from pkg.model import *\nK.eval(3)\n",
}


def test_names_are_followed_through_the_project() -> None:
    code, _ = judged(PROJECT, NEW)
    assert [(v.place.path, v.place.line, v.symbol) for v in code.verdicts if v.kind not in HIDDEN] == [
        ("pkg/model.py", 4, "keras.backend.dot"),
        ("pkg/model.py", 5, "keras.backend.dot"),
        ("pkg/model.py", 9, "keras.layers.Layer.add_update"),
        ("script.py", 2, "keras.backend.eval"),
    ]


def test_several_targets_are_judged_one_by_one() -> None:
    code, coverage = judged(
        {"a.py": "import tensorflow as tf\ntf.Session()\ntf.io.gfile.GFile"}, "tensorflow==1.13.1", MIDDLE
    )
    assert [(v.symbol, v.target) for v in code.verdicts if v.kind not in HIDDEN] == [
        ("tensorflow.Session", "TensorFlow 2.11.1 with Keras 2.11.0")
    ]
    assert coverage.total == 6


def test_what_is_not_recorded_is_unknown() -> None:
    _, coverage = judged({"a.py": "import keras\nkeras.layers.Dense(3)"}, "tensorflow==2.99.0,keras==9.9.9")
    assert (coverage.known, coverage.unknown) == (0, 2)


def test_the_window_names_what_bounds_it() -> None:
    code = (
        "import tensorflow as tf\nimport keras\ntf.function(f)\ntf.keras.utils.multi_gpu_model\nkeras.layers.Dense(3)\n"
    )
    _, coverage = judged({"d/a.py": code})
    tree = {window.package: window for window in coverage.windows if window.scope == "."}
    window = tree["tensorflow"]
    assert window.upper is not None
    assert window.upper.symbol == "tensorflow.keras.utils.multi_gpu_model"
    assert window.upper.location.line == 4
    assert window.releases[-1][1] == "2.3"
    assert {each.scope for each in coverage.windows} >= {".", "d/a.py"}


def test_a_window_that_is_empty_names_both_sides() -> None:
    code = "import tensorflow as tf\ntf.Session()\ntf.keras.ops.matmul\ntf.random.Generator\n"
    _, coverage = judged({"a.py": code})
    window = next(window for window in coverage.windows if window.package == "tensorflow")
    assert window.releases == ()
    assert {bound.symbol for bound in (window.lower, window.upper) if bound} == {
        "tensorflow.Session",
        "tensorflow.keras.ops.matmul",
    }


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("tensorflow==2.15.1", "TensorFlow 2.15.1 with Keras 2.15.0"),
        ("tensorflow==1.15.5", "TensorFlow 1.15.5 with Keras 2.3.1"),
        ("tensorflow==2.16.2,keras==3.3.3", "TensorFlow 2.16.2 with Keras 3.3.3"),
        ("keras==3.3.3", "Keras 3.3.3"),
    ],
)
def test_a_target_is_completed_with_its_keras(target: str, words: str) -> None:
    assert label(completed(Target.parse(target), LIBRARY.api.shelf)) == words


def test_places_in_a_notebook_are_those_of_the_cell() -> None:
    notebook = (
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": ['
        '{"cell_type": "markdown", "source": "a"},'
        '{"cell_type": "code", "source": ["import keras\\n", "K = keras.backend"]},'
        '{"cell_type": "code", "source": "%matplotlib inline\\nK.dot(1, 2)"}]}'
    )
    reading: FileReading = read_file("a.ipynb", notebook.encode())
    target = completed(Target.parse(NEW), LIBRARY.api.shelf)
    code, _ = judge([reading], [target], LIBRARY, lambda _: None)
    assert [(v.place.cell, v.place.line, v.symbol) for v in code.verdicts] == [(3, 2, "keras.backend.dot")]


def test_a_star_import_may_be_one_of_two_alternatives() -> None:
    code = "import tensorflow as tf\nfrom keras.layers import *\nif a:\n x = tf.zeros\nelse:\n x = Dense\nx(3)\nx(3).get_config()"
    assert found(code) == []


def test_a_row_and_a_signature_say_it_once() -> None:
    code = "import keras\nkeras.layers.Bidirectional(1, backward_layer=2)"
    assert found(code, "tensorflow==1.15.5,keras==2.3.1") == [
        (2, "absent-parameter", "keras.layers.Bidirectional", "backward_layer")
    ]


def test_a_caught_call_that_a_row_speaks_of_is_guarded() -> None:
    code = """\
    import keras
    try:
        keras.layers.Bidirectional(1, backward_layer=2)
    except AttributeError:
        pass
    """
    old = judged({"a.py": code}, "tensorflow==1.15.5,keras==2.3.1")
    new = judged({"a.py": code}, NEW)
    assert (old[0].verdicts, old[1].guarded - new[1].guarded) == ((), 1)
