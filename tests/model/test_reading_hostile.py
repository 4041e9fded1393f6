"""Reading models never fails and never hangs, whatever the file is."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path

import pytest
from model.reading import read_text
from source.hostile import inputs

from envcheck.model.reading import read_models
from envcheck.model.source import Source
from envcheck.source.parsing import parse
from envcheck.source.reading import Document, document

HERE = Path(__file__).parent
IMPORTS = """\
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from keras.layers import *
"""
SECONDS = 10.0
"""CPU that one hostile file may take; the limit on steps allows about 1 on the machine this was written on."""

HOSTILE = {
    "a sum of many terms": "x = " + " + ".join(["1"] * 2_500),
    "deep brackets": "x = " + "[" * 90 + "]" * 90,
    "deep calls": "x = " + "Dense(" * 80 + "1" + ")" * 80,
    "deep attributes": "x = tf" + ".keras" * 900,
    "deep functions": "".join(f"{'  ' * n}def f{n}():\n" for n in range(90)) + "  " * 90 + "Dense(1)",
    "a large power": "x = 9 ** 9 ** 9 ** 9\ny = 2 ** 100000\nDense(1 << 100000)",
    "a long text": "x = 'a' * 10 ** 9\ny = x * 10 ** 9\nz = '%999999999d' % 3\nw = '{:999999999}'.format(3)\nDense(1, name=x)",
    "a long list": "x = [0] * 10 ** 12\ny = list(range(10 ** 12))\nz = [a for a in range(10 ** 12)]\nSequential(z)",
    "a list in itself": "x = []\nx.append(x)\nx += x\nm = keras.Sequential(x)\nm.fit(x, x)\nunknown(x)\nkeras.Model(x, x)",
    "wide lists in wide lists": "a = [0] * 500\n"
    + "".join(f"a = [a] * 500\nb{n} = (a,) * 400\n" for n in range(6))
    + "m = keras.Sequential(a)\nm.fit(a, b3)\nx = np.array(a)\nunknown(a, b5)\n"
    + "z = b4 if unknown else b5\nb4 == b5\nkeras.Model(a, b5)",
    "a model in itself": "m = keras.Sequential()\nm.add(m)\nm.add(m)\nm.compile()\n"
    "m.fit(np.zeros((3, 3)), 1)\nm(keras.Input((3,)))",
    "models in models": "m = keras.Sequential([keras.Input((2,))])\n"
    + "m = keras.Sequential([m] * 300)\n" * 8
    + "m.compile()",
    "endless recursion": "def f(x):\n    return f(f(x)) + g(x)\ndef g(x):\n    return f(x)\nf(Dense(3))",
    "mutual recursion in classes": "class A(B): pass\nclass B(A): pass\nclass A(B, A): pass\nA().x.y()\nclass C(C): pass\nC()",
    "a class that is its own base": "class L(Layer):\n    def call(self, x):\n        return self(x)\nL()(keras.Input((3,)))",
    "an endless loop": "while True:\n    x = Dense(3)\n    while True:\n        while True:\n            y = x(x)\n",
    "loops in loops": "".join(f"{' ' * n}for x{n} in unknown:\n" for n in range(18)) + " " * 18 + "Dense(x0)",
    "known loops in known loops": "".join(f"{' ' * n}for x{n} in range(100):\n" for n in range(8))
    + " " * 8
    + "Dense(x0)",
    "many branches": "m = keras.Sequential()\n"
    + "if unknown():\n    m.add(Dense(3))\nelse:\n    m.add(Dense(4))\n" * 500,
    "branches in branches": "".join(f"{' ' * n}if u{n}:\n" for n in range(80)) + " " * 80 + "Dense(1)",
    "functions that call two": "def f0(x): return Dense(3)(x)\n"
    + "".join(f"def f{n}(x): return f{n - 1}(x) + f{n - 1}(x)\n" for n in range(1, 30))
    + "f29(keras.Input((3,)))",
    "a deep model": "x = i = keras.Input((3,))\n"
    + "x = Dense(3)(x)\n" * 5_000
    + "m = keras.Model(i, x)\nm.compile()\nm(i)",
    "a wide model": "m = keras.Sequential()\n" + "m.add(Dense(3))\n" * 5_000 + "m.build((None, 3))",
    "a file of 50,000 lines": "Dense(3)(x)\n" * 50_000,
    "shapes of nonsense": "\n".join(
        f"layers.{name}({value})(keras.Input({value}))"
        for name in ("Dense", "Conv2D", "LSTM", "Reshape", "Flatten", "Concatenate", "Embedding", "Permute", "Dot")
        for value in (
            "-1",
            "'a'",
            "None",
            "(None,)",
            "[[]]",
            "{}",
            "lambda: 0",
            "Dense",
            "10**30",
            "1e300",
            "b''",
            "...",
            "()",
            "[1, 'a']",
        )
    ),
    "data of nonsense": "\n".join(
        f"x = np.{name}({value})\nx[{value}]\nx + {value}\nx.reshape({value})\nnp.expand_dims(x, {value})"
        for name in (
            "zeros",
            "arange",
            "array",
            "full",
            "concatenate",
            "stack",
            "linspace",
            "random.randint",
            "repeat",
            "transpose",
        )
        for value in (
            "-1",
            "'a'",
            "None",
            "(None,)",
            "[[]]",
            "{}",
            "0, 0, 0",
            "1, 5, -1",
            "10**18",
            "1e300",
            "(3, -1, -1)",
            "[1, 'a']",
            "()",
        )
    ),
    "methods of nonsense": "\n".join(
        f"{owner}.{name}({value})"
        for owner in (
            "keras.Sequential()",
            "[1]",
            "{'a': 1}",
            "'a'",
            "(1, 2)",
            "np.zeros(3)",
            "Dense(3)",
            "keras.Input((3,))",
            "super()",
        )
        for name in (
            "add",
            "pop",
            "fit",
            "get",
            "update",
            "format",
            "index",
            "insert",
            "reshape",
            "build",
            "compile",
            "layers",
            "max",
        )
        for value in ("", "-1", "None", "'{0.__class__}'", "[[]]", "**{'a': 1}", "*x", "9, 9, 9, 9", "{'a': 1}")
    ),
}


def cost(text: str, keras: int) -> float:
    tree, _ = parse(text)
    start = time.process_time()
    reading = read_models(tree, keras, Source(text))
    assert reading.broken == ()
    return time.process_time() - start


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("keras", [2, 3])
def test_a_hostile_file(source: str, keras: int) -> None:
    assert cost(IMPORTS + source, keras) < SECONDS


def test_a_reading_that_is_cut_says_so() -> None:
    text = IMPORTS + HOSTILE["a file of 50,000 lines"]
    reading = read_text(text)
    assert reading.cut
    assert reading.events
    assert not read_text(IMPORTS + "Dense(3)").cut


def test_mutated_files_and_soups_of_tokens() -> None:
    files = [each.read_bytes() for each in sorted(HERE.glob("test_reading*.py"))]
    files += [(IMPORTS + each).encode() for each in HOSTILE.values() if len(each) < 2_000]
    for made in islice(inputs(7, files), 600):
        read = document(made.path, made.data)
        if isinstance(read, Document):
            for part in read.parts:
                assert read_models(parse(part.text)[0], 3, Source(part.text)).broken == (), made
