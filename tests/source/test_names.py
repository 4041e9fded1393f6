"""References resolved by scope: each case is a program and the symbols that must be read from it."""

from __future__ import annotations

import ast
import textwrap

import pytest

from envcheck.source.names.reader import read
from envcheck.source.names.uses import Reading


def reading(code: str, project: frozenset[str] = frozenset()) -> Reading:
    return read(ast.parse(textwrap.dedent(code)), project)


def symbols(code: str, *hows: str) -> list[str]:
    found = reading(code)
    return [use.symbol for use in found.uses if (use.how in hows if hows else use.how not in ("import", "from"))]


IMPORTS = {
    "import tensorflow as tf\ntf.zeros(3)": ["tensorflow.zeros"],
    "import tensorflow.keras.layers\ntensorflow.nn.relu": ["tensorflow.nn.relu"],
    "import tensorflow.keras.layers as L\nL.Dense(1)": ["tensorflow.keras.layers.Dense"],
    "from tensorflow import keras\nkeras.Model": ["tensorflow.keras.Model"],
    "from keras import backend as K\nK.dot(1, 2)": ["keras.backend.dot"],
    "import tensorflow.compat.v1 as tf\ntf.Session()": ["tensorflow.compat.v1.Session"],
    "from keras.layers import Dense as D\nD(3)": ["keras.layers.Dense"],
    "import importlib\nL = importlib.import_module('keras.layers')\nL.Dense(1)": ["keras.layers", "keras.layers.Dense"],
    "from keras.layers import *\nDense(3)": ["*keras.layers:Dense"],
    "import keras\ngetattr(keras.backend, 'dot')": ["keras.backend", "keras.backend.dot"],
    "tf = __import__('tensorflow')\ntf.zeros(1)": ["tensorflow", "tensorflow.zeros"],
}


@pytest.mark.parametrize("code", IMPORTS)
def test_imports_in_every_form(code: str) -> None:
    found = [
        use.symbol for use in reading(code).uses if use.how != "from" and (use.how != "import" or "import_" in code)
    ]
    assert [symbol for symbol in found if symbol != "tensorflow"] == [s for s in IMPORTS[code] if s != "tensorflow"]


BOUND = {
    "an alias by assignment": ("import keras\nL = keras.layers\nconv = L.Conv2D\nconv(3, 3)", "keras.layers.Conv2D"),
    "a name of an outer function": ("import keras\ndef f():\n def g():\n  keras.Input(3)\n g()\nf()", "keras.Input"),
    "a global set in a function": (
        "import keras\ndef f():\n global K\n K = keras.backend\nf()\nK.dot()",
        "keras.backend.dot",
    ),
    "two targets": ("import keras\na, b = keras.layers, keras.models\nb.load_model('x')", "keras.models.load_model"),
    "an instance": ("import keras\nm = keras.Sequential()\nm.fit_generator()", "keras.Sequential().fit_generator"),
    "a layer called": ("import keras\nx = keras.layers.Dense(1)(y)\nx.get_shape()", "keras.layers.Dense()().get_shape"),
    "an attribute of self": (
        "import keras\nclass A:\n def f(self):\n  self.m.fit_generator()\n def __init__(self):\n  self.m = keras.Sequential()",
        "keras.Sequential().fit_generator",
    ),
    "set by a method that comes later": (
        "import keras\nclass A:\n def f(self):\n  self.m.fit_generator()\n def g(self):\n  self.m = keras.Sequential()",
        "keras.Sequential().fit_generator",
    ),
    "an inherited method": (
        "import keras\nclass M(keras.Model):\n def f(self):\n  self.add_weight()",
        "keras.Model().add_weight",
    ),
    "through a base of the file": (
        "import keras\nclass A(keras.Model): pass\nclass B(A):\n def f(self):\n  self.add_weight()",
        "keras.Model().add_weight",
    ),
    "super": (
        "import keras\nclass M(keras.Model):\n def __init__(self):\n  super().__init__(dynamic=1)",
        "keras.Model().__init__",
    ),
    "what a function returns": (
        "import keras\ndef build():\n m = keras.Sequential()\n return m\nbuild().fit_generator()",
        "keras.Sequential().fit_generator",
    ),
    "what a function is given": (
        "import keras\ndef train(m):\n m.fit_generator()\ntrain(keras.Sequential())",
        "keras.Sequential().fit_generator",
    ),
    "an annotated parameter": (
        "import keras\ndef f(m: keras.Model):\n m.fit_generator()",
        "keras.Model().fit_generator",
    ),
    "with": ("import tensorflow as tf\nwith tf.Session() as s:\n s.run(1)", "tensorflow.Session().__enter__().run"),
    "a branch that knows nothing": (
        "import keras\nif a:\n m = other()\nelse:\n m = keras.Sequential()\nm.fit_generator()",
        "keras.Sequential().fit_generator",
    ),
    "two ways to import": (
        "try:\n import tensorflow.compat.v1 as tf\nexcept ImportError:\n import tensorflow as tf\ntf.Session()",
        "tensorflow.compat.v1.Session|tensorflow.Session",
    ),
    "partial": (
        "import keras\nfrom functools import partial\nc = partial(keras.layers.Conv2D, 3)\nc(2)",
        "keras.layers.Conv2D",
    ),
    "a loop over classes": ("import keras\nfor c in [keras.layers.Dense]:\n c(3)", "keras.layers.Dense"),
}


@pytest.mark.parametrize("case", BOUND)
def test_what_a_name_stands_for(case: str) -> None:
    code, expected = BOUND[case]
    assert expected in symbols(code)


SHADOWED = [
    "import tensorflow as tf\ndef f(tf):\n tf.nothing()",
    "import tensorflow as tf\nfor tf in range(3):\n tf.nothing()",
    "import tensorflow as tf\n[tf.nothing for tf in x]",
    "import tensorflow as tf\n(lambda tf: tf.nothing)(1)",
    "import tensorflow as tf\ntf = object()\ntf.nothing()",
    "import tensorflow as tf\nclass A:\n tf = 3\n def f(self):\n  self.tf.nothing()",
    "import keras\nclass M(keras.Model):\n def nothing(self): pass\n def f(self):\n  self.nothing()",
    "import keras\nclass M(Unknown, keras.Model):\n def f(self):\n  self.nothing()",
    "import keras\nfrom x import *\nprint(nothing)",
]


@pytest.mark.parametrize("code", SHADOWED)
def test_a_name_that_stands_for_something_else(code: str) -> None:
    assert not any("nothing" in symbol for symbol in symbols(code))


def guards_of(code: str, name: str) -> tuple[object, ...]:
    found = reading(code)
    use = next(use for use in found.uses if use.symbol.endswith(name))
    return found.guards[use.guard]


VERSION = ("version", "tensorflow.__version__")


@pytest.mark.parametrize(
    ("code", "conditions"),
    [
        ("if tf.__version__ >= '2.0': tf.x", ((*VERSION, "text", ">=", "2.0"),)),
        ("if tf.__version__.startswith('1'): pass\nelse: tf.x", (("not", (*VERSION, "text", "startswith", "1")),)),
        ("if int(tf.__version__.split('.')[0]) > 1: tf.x", ((*VERSION, "major", ">", 1),)),
        ("if int(tf.__version__[0]) > 1: tf.x", ((*VERSION, "major", ">", 1),)),
        ("if tf.__version__[0] == '2': tf.x", ((*VERSION, "first", "==", "2"),)),
        ("if version.parse(tf.__version__) < version.parse('2.4'): tf.x", ((*VERSION, "parsed", "<", "2.4"),)),
        ("if version.parse('2.4') <= version.parse(tf.__version__): tf.x", ((*VERSION, "parsed", ">=", "2.4"),)),
        ("if LooseVersion(tf.__version__) < '2.4': tf.x", ((*VERSION, "parsed", "<", "2.4"),)),
        ("if Version(tf.__version__).major == 2: tf.x", ((*VERSION, "major", "==", 2),)),
        ("if tuple(map(int, tf.__version__.split('.')[:2])) >= (2, 4): tf.x", ((*VERSION, "numbers2", ">=", (2, 4)),)),
        ("if '2.' in tf.__version__: tf.x", ((*VERSION, "text", "holds", "2."),)),
        ("TF2 = tf.__version__ > '2'\nif not TF2: tf.x", (("not", (*VERSION, "text", ">", "2")),)),
        ("if hasattr(tf, 'x'): tf.x", (("has", "tensorflow.x"),)),
        ("if tf.__version__ < '2': raise SystemExit\ntf.x", (("not", (*VERSION, "text", "<", "2")),)),
        ("assert tf.__version__ >= '2'\ntf.x", ((*VERSION, "text", ">=", "2"),)),
        ("if TYPE_CHECKING: tf.x", (("never",),)),
        ("if is_tf2(): tf.x", (("opaque",),)),
        ("if args.verbose: tf.x", ()),
        ("try: tf.x\nexcept AttributeError: pass", (("try",),)),
        ("try: tf.x\nexcept KeyError: pass", ()),
        ("try: tf.x\nexcept AttributeError: raise", ()),
        ("try: tf.y\nexcept AttributeError: tf.x", (("failed", ("tensorflow.y",)),)),
        ("with contextlib.suppress(AttributeError): tf.x", (("try",),)),
        ("with pytest.raises(AttributeError): tf.x", (("try",),)),
        ("getattr(tf, 'x', None)", (("has", "tensorflow.x"),)),
        ("hasattr(tf, 'x') and tf.x", (("has", "tensorflow.x"),)),
        ("tf.x if hasattr(tf, 'x') else 3", (("has", "tensorflow.x"),)),
        ("@tf.function\ndef f(): tf.x", ()),
        ("from tensorflow import function\n@function\ndef f(): tf.x", ()),
        ("@unittest.skipIf(tf.__version__ < '2', 'old')\ndef f(): tf.x", (("opaque",),)),
    ],
)
def test_what_guards_a_use(code: str, conditions: tuple[object, ...]) -> None:
    assert guards_of(f"import tensorflow as tf\n{code}", ".x") == conditions


def test_arguments_of_a_call() -> None:
    code = "import keras\nP = 'a' + '.h5'\nkeras.x(1, 'adam', *z, k=keras.optimizers.Adam(), path=f'{a}.tf', m=['acc'], **more)\n"
    call = next(use.call for use in reading(code).uses if use.symbol == "keras.x")
    assert call is not None
    assert (call.positional, call.keywords, call.more) == (-1, ("k", "path", "m"), True)
    assert call.values == (
        ("k", "symbol", "keras.optimizers.Adam()"),
        ("path", "tail", ".tf"),
        ("m", "constant", ("acc",)),
    )


def test_names_of_the_project_are_left_to_be_followed() -> None:
    code = "from .common import K\nimport common\nfrom other import x\nK.dot()\ncommon.L.Dense()\nx.y()"
    found = [use.symbol for use in reading(code, frozenset({"common"})).uses]
    assert found == ["@.common:K.dot", "@common:.L.Dense"]


def test_exports_tell_importers_what_a_name_is() -> None:
    code = """
        import keras
        L = keras.layers
        class M(keras.Model):
            def f(self): self.a = 1
        def build(): return keras.Sequential()
        build()
        """
    exports = reading(code).exports
    assert exports["L"].text == "keras.layers"
    assert exports["M"].bases == ("keras.Model",)
    assert exports["M"].names == {"f", "a"}
    assert exports["build"].text == "keras.Sequential()"


def test_a_nest_too_deep_to_read_costs_only_itself() -> None:
    deep = "import keras\nkeras.a\nx = " + "[" * 90 + "keras.b" + "]" * 90 + "\nkeras.c\n"
    assert {"keras.a", "keras.c"} <= set(symbols(deep))


def test_places_are_those_of_the_reference() -> None:
    use = next(use for use in reading("import keras\n\nx = 1; keras.layers.Dense(3)\n").uses if use.how == "call")
    assert (use.line, use.column, use.end) == (3, 7, 25)
