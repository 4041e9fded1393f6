"""Bytes to text: every encoding and every shape of notebook gives text or one clear reason."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from envcheck.source.notebook import python
from envcheck.source.reading import Document, Part, Unread, document, read_bytes


def text(data: bytes) -> tuple[str, str]:
    """The text of a .py file, and what was assumed."""
    read = document("a.py", data)
    assert isinstance(read, Document)
    (part,) = read.parts
    assert (part.cell, part.line) == (None, 1)
    return part.text, read.remark


def why(data: bytes) -> str:
    """Why a notebook is not read."""
    read = document("a.ipynb", data)
    assert isinstance(read, Unread)
    assert "\n" not in read.reason
    return read.reason


def cells(*cells: object, **notebook: object) -> list[tuple[int | None, str]]:
    read = document("a.ipynb", json.dumps({"nbformat": 4, "cells": cells, "metadata": {}, **notebook}).encode())
    assert isinstance(read, Document)
    return [(part.cell, part.text) for part in read.parts]


def code(source: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", ""),
        ("é = 1\n".encode(), "é = 1\n"),
        (b"\xef\xbb\xbfx = 1\r\ny\rz\x0c\x0b\x1c\n", "x = 1\ny\nz\x0c\x0b\x1c\n"),
        ("# coding: gbk\nx = '中'".encode("gbk"), "# coding: gbk\nx = '中'"),
        ("#!/usr/bin/python\n# vim: set fileencoding=latin-1 :\né".encode("latin-1"), None),
        (b"# coding: no-such\nx = 1\n", "# coding: no-such\nx = 1\n"),
    ],
)
def test_what_python_reads_is_read_as_python_does(data: bytes, expected: str | None) -> None:
    assert text(data) == (data.decode("latin-1") if expected is None else expected, "")


@pytest.mark.parametrize(
    ("data", "expected", "remark"),
    [
        (b"x = '\xe9'\ntf.a", "x = 'é'\ntf.a", "Latin-1"),
        (b"x = 1\n# coding: gbk\n\xd6\xd0", "x = 1\n# coding: gbk\nÖÐ", "Latin-1"),
        (b"# coding: no-such\n\xe9", "# coding: no-such\né", "no-such"),
        (b"# coding: utf-16\n\xe9", "# coding: utf-16\né", "utf-16"),
        (b"# coding: rot13\n\xe9", "# coding: rot13\né", "rot13"),
        (b"# coding: unicode_escape\n\\n\xe9", "# coding: unicode_escape\n\\né", "unicode_escape"),
        ("# coding: ascii\né".encode(), "# coding: ascii\né", "UTF-8"),
        ("é\ntf.a".encode("utf-16"), "é\ntf.a", "UTF-16"),
        ("é\ntf.a".encode("utf-32"), "é\ntf.a", "UTF-32"),
    ],
)
def test_what_python_cannot_read_is_read_and_told(data: bytes, expected: str, remark: str) -> None:
    read, told = text(data)
    assert read == expected
    assert remark in told


def test_a_notebook_gives_its_python_cells_by_their_number() -> None:
    assert cells(
        {"cell_type": "markdown", "source": "# x"},
        code("import a\r\nb"),
        code(["import c\n", "d"]),
        code("%%bash\nls"),
        code([]),
        {"cell_type": "code", "source": "x", "metadata": {"vscode": {"languageId": "r"}}},
        {"cell_type": "code", "source": "y", "metadata": {"vscode": {"languageId": "python"}}},
        code("z\ud800\0"),
    ) == [(2, "import a\nb"), (3, "import c\nd"), (5, ""), (7, "y"), (8, "z?\x01")]


def test_notebooks_before_format_4() -> None:
    sheet = {
        "cells": [
            {"cell_type": "code", "language": "python", "input": ["a\n", "b"]},
            {"cell_type": "code", "language": "r"},
        ]
    }
    read = document("a.ipynb", json.dumps({"nbformat": 3, "worksheets": [sheet, {}, sheet]}).encode("utf-8-sig"))
    assert read == Document("a.ipynb", (Part("a\nb", 1, 1), Part("a\nb", 3, 1)))


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({"kernelspec": {"language": "R", "name": "ir"}}, "R"),
        ({"language_info": {"name": "julia"}}, "julia"),
        ({"language_info": {"name": "python"}, "kernelspec": {"language": "R"}}, ""),
        ({"language_info": {"name": "pyspark"}}, ""),
        ({"language_info": {"name": 3}, "kernelspec": []}, ""),
        ({}, ""),
        ([], ""),
    ],
)
def test_only_notebooks_of_python_kernels(metadata: object, language: str) -> None:
    if language:
        assert (
            why(json.dumps({"cells": [code("x")], "metadata": metadata}).encode())
            == f"a notebook in {language}, not in Python"
        )
    else:
        assert cells(code("x"), metadata=metadata) == [(1, "x")]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b"import a", "not JSON"),
        (b"\xff\xfe\xfd", "not JSON"),
        (b"9" * 10_000, "not JSON" if hasattr(sys, "get_int_max_str_digits") else "not an object"),
        (b"[" * 1_000_000, "nested too deeply"),
        (b'{"a":' * 1_000_000, "nested too deeply"),
        (b"[]", "not an object"),
        (b"{}", "no list of cells"),
        (b'{"cells": 1}', "no list of cells"),
        (b'{"cells": [1]}', "cell 1 is not an object"),
        (b'{"cells": [{"cell_type": "code", "source": [1]}]}', "the source of cell 1"),
        (b'{"cells": [{}, {"cell_type": "code", "source": {}}]}', "the source of cell 2"),
        (b'{"worksheets": 1}', "worksheets"),
    ],
)
def test_what_is_no_notebook_is_told(data: bytes, reason: str) -> None:
    assert reason in why(data)


def test_of_equal_keys_the_last_one_counts_as_for_jupyter() -> None:
    read = document("a.ipynb", b'{"cells": 1, "cells": [{"cell_type": "code", "source": "a", "source": "b"}]}')
    assert read == Document("a.ipynb", (Part("b", 1, 1),))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("!pip install x\nimport a", "pass\nimport a"),
        ("if a:\n    !ls \\\n  foo\nb", "if a:\n    pass\n\nb"),
        ("%matplotlib inline\n?tf.a\ntf.b??\n%%time\nx", "pass\npass\npass\npass\nx"),
        ("!echo \"it's\n'''\n!x\n'''", "pass\n'''\n!x\n'''"),
        ("x = (1\n %y)\n!z", "x = (1\n %y)\npass"),
        ("x = 1 \\\n % y\n!z", "x = 1 \\\n % y\npass"),
        ("files = !ls *.h5\nhere = %pwd\nx, y = 1, 2 % 3", "files = []\nhere = None\nx, y = 1, 2 % 3"),
        (
            "%time f(tf.a)\n%timeit -n 3 -r2 -o tf.b\n%prun -s time tf.c",
            "if 1: f(tf.a)\nif 1:               tf.b\nif 1:         tf.c",
        ),
        ("%timeit -n 2 for x in y: f(x)", "for x in y: f(x)"),
        ("x = %time tf.a", "x =       tf.a"),
        ("%%timeit x = tf.a\ny", "if 1:    x = tf.a\ny"),
        ("%%time\n\nx", "pass\n\nx"),
        ("\n# why\n%%capture out\n!y\nx", "\n# why\npass\npass\nx"),
        ("%%mine\nx = 1", "pass\nx = 1"),
        ("pip install tensorflow\nls -la models\ncd ..\nx", "pass\npass\npass\nx"),
        ("ls = 1\nls - 1\nx % 2", "ls = 1\nls - 1\nx % 2"),
        ("s = '''\n!x\n%y\nz?\n'''", "s = '''\n!x\n%y\nz?\n'''"),
        ("print 'x'\n%time x", "print 'x'\nif 1: x"),
        ("", ""),
    ],
)
def test_what_ipython_adds_is_put_out_of_the_way(source: str, expected: str) -> None:
    assert python(source) == expected
    assert expected.count("\n") == source.count("\n")


def test_columns_stay_behind_a_magic() -> None:
    for source in ("%timeit -n 10 tf.a", "x = %timeit -o -n 10 tf.a", "%%timeit tf.a\n1", "if x:\n    %time tf.a"):
        changed = python(source)
        assert changed is not None
        assert [line.find("tf.a") for line in changed.split("\n")] == [line.find("tf.a") for line in source.split("\n")]


@pytest.mark.parametrize(
    "source",
    [
        "%%bash\nls",
        "#@title x\n%%html\n<b>",
        "%%writefile a.py\nimport a",
        "%%mine\nno python",
        "%sql\nselect 1",
        "%%R -i x\ny",
    ],
)
def test_cells_in_other_languages_are_passed_over(source: str) -> None:
    assert python(source) is None


@pytest.mark.parametrize(
    "source",
    [
        "%" * 100_000,
        "!\\\n" * 50_000,
        "x = %timeit " + "-n 1 " * 50_000,
        "?" * 100_000,
        "[" * 100_000 + "\n!x",
        "a = " * 50_000 + "!",
        "#\n" * 50_000 + "%%x",
        "x" * 100_000 + "?",
        "%time " + "-s " * 50_000,
        "a, " * 50_000 + "\n!x",
        "\n" * 100_000 + "!x",
    ],
    ids=lambda source: repr(source[:10]),
)
def test_hostile_cells_take_no_time(source: str) -> None:
    start = time.process_time()
    changed = python(source)
    assert time.process_time() - start < 3
    assert changed is None or changed.count("\n") == source.count("\n")


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x\r\n")
    assert read_bytes(str(tmp_path / "a.py")) == b"x\r\n"
    assert read_bytes(str(tmp_path / "a.py"), 3) == b"x\r\n"
    assert read_bytes(str(tmp_path / "a.py"), 2) == Unread(str(tmp_path / "a.py"), "larger than the limit of 2e-06 MB")


def test_what_is_no_readable_file_is_told(tmp_path: Path) -> None:
    for path, reason in [(tmp_path / "none", "cannot be read: "), (Path(f"{tmp_path}/a\0b"), "NUL")]:
        read = read_bytes(str(path))
        assert isinstance(read, Unread)
        assert reason in read.reason


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_a_pipe_a_device_and_a_folder_are_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    for path, reason in [
        (str(tmp_path / "pipe.py"), "this is a named pipe, not a file"),
        ("/dev/zero", "this is a device, not a file"),
        (str(tmp_path), "this is a folder, not a file"),
    ]:
        assert read_bytes(path) == Unread(path, reason)
