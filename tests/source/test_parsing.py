"""Text to trees: columns and lines stay the text's, whatever had to be done to parse it."""

from __future__ import annotations

import ast
import sys
import time

import pytest

from envcheck.source import parsing
from envcheck.source.parsing import Unparsed, parse


def uses(text: str) -> list[str]:
    """Every ``tf.…`` in the tree; each is looked up in the text, so that its line and columns are proven."""
    found = []
    rows = text.split("\n")
    for node in ast.walk(parse(text)[0]):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "tf":
            row = rows[node.lineno - 1].encode("utf-8", "surrogatepass")
            assert row[node.col_offset : node.end_col_offset].decode() == f"tf.{node.attr}", (node.lineno, row)
            found.append((node.lineno, node.col_offset, node.attr))
    return [name for _, _, name in sorted(found)]


def gaps(text: str) -> list[tuple[int, int, bool]]:
    return [(each.line, each.end_line, each.read) for each in parse(text)[1]]


def test_python_is_parsed_as_it_stands() -> None:
    text = "import tensorflow as tf\n\n\nx = '\\d'\ntf.add(1, é.b)\n"
    tree, unparsed = parse(text)
    assert unparsed == ()
    assert ast.dump(tree, include_attributes=True) == ast.dump(ast.parse(text.replace("\\d", "\\\\d"))) or uses(
        text
    ) == ["add"]


OF_3_12 = sys.version_info >= (3, 12)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("print tf.a", "a"),
        ("print tf.a, 'x' % tf.b,  # tf.c", "ab"),
        ("print'é', tf.a", "a"),
        ("print  u'é' + tf.a", "a"),
        ("print not tf.a", "a"),
        ("print \\\n  tf.a, \\\n  tf.b", "ab"),
        ("tf.a('C:\\Users', r'C:\\Users', '\\\\Users', 1E-05, -7L.x, 0.5, tf.b)", "ab"),
        ("if async: tf.a", "a"),
        ("if x: print tf.a; print tf.b", "ab"),
        ("print (tf.a), tf.b; print tf.c", "abc"),
        ("print >>tf.a, tf.b; exec tf.c in tf.d", "abcd"),
        ("raise tf.a, 'x %s' % tf.b, tf.c", "abc"),
        ("x = `tf.a` + `tf.b`", "ab"),
        ("if tf.a <> tf.b: pass", "ab"),
        ("tf.a(0777, 10L, 0xFFL, 00, tf.b)", "ab"),
        ("tf.a(ur'x', tf.b)", "ab"),
        ("tf.a(lambda (a, b): a, tf.b)", "ab"),
        ("tf.a(async=True, x=y.async, z=tf.b)", "ab"),
        ("def f(a, (b, c), d=(1, 2)): return tf.a(tf.b)", "ab"),
        ("tf.a(“x”, 1 − tf.b)\u00a0# “", "ab"),
        ("\u200btf.a", "a"),
        ("x = tf.a + {{ cookiecutter.b }}.c + tf.b {# tf.c #}", "ab"),
        ("x = '''\ntf.d''' + `tf.a` + tf.b", "ab"),
        ("type X[T: (int, str)] = tf.a[T]", "a"),
        ("class A[T: tf.a, *U](tf.b): pass", "ab" if OF_3_12 else "b"),
        ("async def f[**P](x: tf.b): pass", "b"),
        ("tf.a(t'x', tf.b)", "ab"),
        ("x = tf.a\0 + tf.b", "ab"),
        ("tf.a('\ud800', tf.b)", "ab"),
    ],
)
def test_other_dialects_keep_their_names_and_columns(line: str, names: str) -> None:
    text = f"def before():\n    tf.before\n\n{line}\ntf.after\n"
    assert uses(text) == ["before", *names, "after"]
    assert lost(text) == []
    assert parse(text)[1] or OF_3_12


def test_what_was_translated_is_told_by_line() -> None:
    text = "x = 1\nprint x\nprint x\n\ny = `x`\n"
    assert parse(text)[1] == (
        Unparsed(2, 3, "Python 2: print statement", read=True),
        Unparsed(5, 5, "Python 2: backquotes", read=True),
    )


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="`except A, B:` is a tuple from Python 3.14 on")
def test_handlers_of_python_2_bind_the_exception() -> None:
    text = "try:\n    tf.a\nexcept (A, tf.b), e: tf.c(e)\nexcept tf.d,e:\n    tf.e\nexcept tf.f, (g, h): pass\n"
    assert uses(text) == ["a", "b", "c", "d", "e", "f"]
    tree = parse(text)[0].body[0]
    assert isinstance(tree, ast.Try)
    assert [handler.name for handler in tree.handlers] == ["e", "e", None]


def lost(text: str) -> list[int]:
    """The lines that are not in the tree."""
    return [line for first, last, read in gaps(text) if not read for line in range(first, last + 1)]


DAMAGED = """\
import tensorflow as tf
class A(tf.B:
    def f(self):
        return tf.x

    @tf.foo(
    def g(self) -> :
        if tf.a
            tf.b()
        elif tf.c:
            tf.d() tf.e()
            tf.f()
    tf.g()
   tf.h()
if x:
\ttf.i()
        tf.j(a)
try:
    tf.k
else:
    tf.l
for x in tf.m:  # comment
"""


def test_damaged_statements_are_left_out_and_their_blocks_read() -> None:
    assert uses(DAMAGED) == ["x", "b", "f", "g", "h", "i", "j", "k", "l", "m"]
    assert lost(DAMAGED) == [2, 6, 7, 8, 10, 11, 18, 20]


def test_scopes_of_damaged_heads_stay() -> None:
    tree, _ = parse("class A(x y):\n    def f(self) -> :\n        tf.a\n")
    outer = tree.body[0]
    assert isinstance(outer, ast.ClassDef)
    assert outer.name == "A"
    assert isinstance(outer.body[0], ast.FunctionDef)
    assert outer.body[0].name == "f"


def test_a_damaged_handler_still_guards() -> None:
    tree = parse("try:\n    tf.a\nexcept A as :\n    tf.b\n")[0].body[0]
    assert isinstance(tree, ast.Try)
    assert isinstance(tree.handlers[0].type, ast.Name)
    assert tree.handlers[0].type.id == "Exception"


@pytest.mark.parametrize(
    ("text", "names", "left_out"),
    [
        ("tf.a\nx = tf.b(1,\n", ["a"], [(2, 3)]),
        ("x = tf.a(1,\ndef f():\n    tf.b\n", ["b"], [(1, 1)]),
        ("tf.a\nx = '''\ntf.b\n", ["a"], [(2, 4)]),
        ("tf.a\nx = 'it's\ntf.b\n", ["a", "b"], [(2, 2)]),
        ("    tf.a\n    tf.b\n", ["a", "b"], []),
        ("if x:\n        tf.a\n    tf.b\ntf.c\n", ["a", "b", "c"], []),
        ("if x:\n    tf.a\n\ttf.b\n", ["a", "b"], []),
        ("else:\n    tf.a\n", ["a"], [(1, 1)]),
        ("match tf.a:\n    case tf.b(x):\n        tf.c\n    case 1 2:\n        tf.d\n", ["c", "d"], [(1, 2), (4, 4)]),
        ("def f():\n\ntf.a\n", ["a"], []),
        ("@tf.a\n", [], [(1, 1)]),
        ("@tf.a\n@tf.b b\ndef f(): tf.c\n", ["a", "c"], [(2, 2)]),
        ("tf.a\r\rx y\r\ntf.b\n", ["a", "b"], [(3, 3)]),
        ("tf.a\n\ftf.b\nx y\n\f\ntf.c\n", ["a", "b", "c"], [(3, 3)]),
    ],
)
def test_what_is_lost_is_told(text: str, names: list[str], left_out: list[tuple[int, int]]) -> None:
    assert uses(text.replace("\r\n", "\n").replace("\r", "\n")) == names
    assert lost(text) == [line for first, last in left_out for line in range(first, last + 1)]
    assert parse(text)[1], "what is not Python is never called Python"


def test_both_sides_of_a_merge_conflict_are_read() -> None:
    text = "<<<<<<< HEAD\ntf.a\n=======\ntf.b\n>>>>>>> it's\nx = f(\n<<<<<<< HEAD\n  tf.c,\n=======\n  tf.d,\n>>>>>>> y\n)\n"
    assert uses(text) == ["a", "b", "c", "d"]
    assert [line for line, _, _ in gaps(text)] == [1, 3, 5, 7, 9, 11]


def test_a_heading_in_a_docstring_is_no_merge_conflict() -> None:
    text = "'''\nTitle\n=======\n'''\nprint tf.a\n"
    assert gaps(text) == [(5, 5, True)]


def test_a_template_is_read() -> None:
    text = '{% if a == "it\'s" %}\nimport {{ x.y }} as z\n{% endif %}\ntf.a({{ size }})\n'
    assert uses(text) == ["a"]
    assert gaps(text) == [(1, 4, True)]


@pytest.mark.parametrize(
    "text",
    [
        "-" * 100_000 + "1",
        "a" + ".b" * 500_000,
        "a" + "+a" * 50_000,
        "(" * 100_000,
        "x = " + "9" * 1_000_000,
        "if x:\n" + "".join(f"{' ' * level}if x:\n" for level in range(1, 200)) + " " * 200 + "x\n",
        "\0" * 10_000,
        "\\\n" * 50_000,
        "'''" + "\\'" * 200_000,
        "'\\" * 100_000,
        "print `\n" * 20_000,
        "x y\n" * 20_000,
        "if x y:\n x y\n" * 10_000,
        "@" * 50_000,
        "({[" * 100_000,
        "except a" + ", a" * 50_000 + "\n",
        "def f(" + "(a, " * 20_000 + "\n",
        "lambda" * 50_000 + ":\n",
        "raise " + "((" * 20_000 + ",\n" + "raise a, b" * 10_000,
        "class A[" * 10_000,
        "type X[" * 10_000 + "=",
        "{{" * 50_000,
        "{%" * 50_000,
        "<<<<<<< \n>>>>>>> \n" * 10_000,
        ">" * 100_000,
        " " * 100_000 + "x y",
        "0" * 100_000 + "8L",
        "\u00a0" * 100_000,
        "x = [" + "0, " * 200_000 + "\n",
        "print " * 50_000,
        "; print x" * 20_000,
        "async " * 50_000,
        "try:\n" * 5_000,
        "if 1:\n x\nelse y:\n x\n" * 5_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_hostile_text_takes_no_time_and_raises_nothing(text: str) -> None:
    start = time.process_time()
    tree, unparsed = parse(text)
    assert time.process_time() - start < 5
    assert unparsed
    last = text.count("\n") + 1
    assert all(1 <= each.line <= each.end_line <= last for each in unparsed)
    assert all(1 <= node.lineno <= last for node in ast.walk(tree) if isinstance(node, (ast.stmt, ast.expr)))


def test_a_text_over_the_limits_is_told() -> None:
    text = "x = 1\n" * (parsing.LARGEST // 6 + 1)
    tree, unparsed = parse(text)
    assert tree.body == []
    assert "4,000,000" in unparsed[0].reason
    text = "x = [" + "0, " * (parsing.DENSEST + 1) + "]\n"
    assert "300,000" in parse(text)[1][0].reason
    text = "x y\n" + "#" * parsing.LARGEST_MENDED
    tree, unparsed = parse(text)
    assert tree.body == []
    assert [(each.line, each.end_line, each.read) for each in unparsed] == [(1, 2, False)]
