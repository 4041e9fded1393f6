"""What is forgotten of arrays that are written to, and what is not told where code is guarded, skipped or cut off."""

from __future__ import annotations

import ast
import gc
import weakref

import pytest
from model.reading import events, read, read_text

from envcheck.model.core import MOST_STEPS
from envcheck.model.events import Array, LayerMade, Trained
from envcheck.model.reading import read_models
from envcheck.model.source import Source

FIT = "\nkeras.Sequential([layers.Dense(8)]).fit(np.zeros((4, 3)), y)"


def labels(source: str) -> Array:
    (found,) = events(f"y = np.array([0, 1, 9, 8])\n{source}{FIT}", Trained)
    assert isinstance(found.y, Array), found.y
    return found.y


WRITING = (
    "y[y > 6] -= 2",
    "y[2] = 1",
    "y[2:] -= 5",
    "y[2], y[3] = 1, 2",
    "for y[3] in [1]: pass",
    "v = y\nv[v > 6] = 2",
    "v = y[:]\nv[v > 6] = 2",
    "v = y.ravel()\nv[2] = 2",
    "v = y\nv -= 3",
    "def lower(a):\n    a[a > 6] = 0\nlower(y)",
    "class D: pass\nd = D()\nd.y = y\nd.y[d.y > 6] = 2",
    "np.place(y, y > 6, 2)",
    "np.putmask(y, y > 6, 2)",
    "np.copyto(y, np.zeros(4))",
    "np.subtract.at(y, [2], 3)",
    "np.clip(y, 0, 7, out=y)",
    "np.minimum(y, 7, out=y)",
    "y.clip(0, 7, out=y)",
    "y.fill(2)",
    "y.put([2, 3], 1)",
    "y.flat[2] = 1",
    "lower(y)",
    "if unknown:\n    y[2] = 1",
    "for i in unknown:\n    y[i] = 1",
    "y = y.astype(bool)",
    "y = y.astype(unknown)",
    "y = np.array(y, dtype=bool)",
    "y = y[y < 5]",
    "y = y[np.argsort(y)]",
)


@pytest.mark.parametrize("source", WRITING)
def test_the_numbers_of_an_array_that_is_written_to_are_not_known(source: str) -> None:
    assert labels(source).values is None


READING = (
    "",
    "print(y)",
    "y.max()",
    "np.unique(y)",
    "z = y.copy()\nz2 = z + 1",
    "other = np.zeros(3)\nother[1] = 5",
    "y = y.astype('int32')",
    "y = y.astype('float32')",
    "y = np.asarray(y)",
    "if False:\n    y[2] = 1",
    "w = y + 0\nw[2] = 1",
)


@pytest.mark.parametrize("source", READING)
def test_the_numbers_of_an_array_that_is_read_stay_known(source: str) -> None:
    values = labels(source).values
    assert values is not None
    assert (values.low, values.high) == (0, 9)


def test_what_a_write_changes_comes_after_what_was_told() -> None:
    source = f"y = np.array([0, 9])\nm = keras.Sequential([layers.Dense(8)]){FIT}\ny[1] = 3{FIT}"
    before, after = (each.y for each in events(source, Trained))
    assert isinstance(before, Array)
    assert isinstance(after, Array)
    assert before.values is not None
    assert before.values.high == 9
    assert after.values is None


def test_a_write_in_a_branch_that_ends_is_taken_back() -> None:
    assert labels("if unknown:\n    y[2] = 1\n    raise SystemExit").values is not None


@pytest.mark.parametrize(
    "change", ["x.shape = (3, 4)", "z = x\nz.shape = (3, 4)", "x.resize((3, 4))", "x = x.tolist()\nx.append(4)"]
)
def test_a_shape_that_is_changed_in_place_is_not_known(change: str) -> None:
    (found,) = events(f"x = np.zeros((4, 3))\n{change}\nkeras.Sequential([layers.Dense(8)]).fit(x, x)", Trained)
    assert not isinstance(found.x, Array) or found.x.shape != (4, 3)


GUARDED = (
    "if tf.__version__.startswith('1.'):\n    layers.Dropout(50)",
    "if int(tf.__version__.split('.')[0]) < 2:\n    layers.Dropout(50)",
    "if keras.backend.backend() == 'theano':\n    layers.Dropout(50)",
    "if not tf.executing_eagerly():\n    pass\nelse:\n    layers.Dropout(50)",
    "if hasattr(tf, 'Session'):\n    layers.Dropout(50)",
    "import sys\nif sys.version_info[0] < 3:\n    layers.Dropout(50)",
    "layers.Dropout(50) if tf.__version__ < '2' else None",
)


@pytest.mark.parametrize("source", GUARDED)
def test_each_side_of_a_condition_on_the_release_is_meant_for_its_own(source: str) -> None:
    (made,) = events(source, LayerMade)
    assert made.where.attempted


def test_a_condition_on_anything_else_is_no_guard() -> None:
    (made,) = events("if unknown:\n    layers.Dropout(50)", LayerMade)
    assert not made.where.attempted


SKIPPED = (
    "@pytest.mark.skip(reason='x')\ndef test():\n    layers.Dropout(50)",
    "@unittest.skip('x')\ndef test():\n    layers.Dropout(50)",
    "@pytest.mark.xfail\ndef test():\n    layers.Dropout(50)",
    "@test_utils.run_v1_only\ndef test():\n    layers.Dropout(50)",
    "@unittest.skip('x')\nclass T(unittest.TestCase):\n    def test(self):\n        layers.Dropout(50)",
    "def test():\n    pytest.skip('x')\n    layers.Dropout(50)",
    "class T(unittest.TestCase):\n    def test(self):\n        self.skipTest('x')\n        layers.Dropout(50)",
    "import sys\nsys.exit()\nlayers.Dropout(50)",
    "def test():\n    exit(1)\n    layers.Dropout(50)",
)


@pytest.mark.parametrize("source", SKIPPED)
def test_what_does_not_run_is_not_told(source: str) -> None:
    assert events(f"import pytest, unittest\n{source}", LayerMade) == []


def test_an_object_that_has_a_method_exit_does_not_end_the_program() -> None:
    assert len(events("context.exit()\nlayers.Dropout(50)", LayerMade)) == 1


def test_functions_are_read_though_the_module_is_cut_off() -> None:
    text = (
        "import keras\nn = 3\ndef later():\n    keras.layers.Dense(n)\n"
        + "keras.layers.Dense(3)\n" * (MOST_STEPS // 3)
        + "n = 4\n"
    )
    reading = read_text(text)
    assert reading.cut
    (late,) = [each for each in reading.events if isinstance(each, LayerMade) and each.where.line == 4]
    assert late.layer.positional != (3,)  # what n is at the end was not reached


def test_a_long_loop_does_not_cut_the_module_off() -> None:
    body = "\n".join(f"    layers.Dense({number})" for number in range(1, 301))
    reading = read(f"for each in range(100):\n{body}\nlayers.Dense(0)")
    assert not reading.cut
    made = [each for each in reading.events if isinstance(each, LayerMade)]
    assert made[-1].layer.positional == (0,)
    assert len(made) < 100 * 300


def test_a_program_is_let_go_when_it_is_read() -> None:
    text = (
        "from tensorflow import keras\n"
        "def make():\n    def inner(): return keras.layers.Dense(3)\n    return inner()\n"
        "class Mine(keras.layers.Layer):\n    def call(self, x): return self.other(x)\n    def other(self, x): return x\n"
        "make()\nkeras.layers.Dense(-1)\nkeras.layers.Conv2D(3, 3)(keras.Input((3,)))\n"
    )
    tree = ast.parse(text)
    held = weakref.ref(tree.body[1])
    gc.collect()
    gc.disable()
    try:
        reading = read_models(tree, 3, Source(text))
        del tree
        assert held() is None  # a scan disables the collector
    finally:
        gc.enable()
    assert len(reading.events) > 3
