"""Comments that say what is not to be reported: where they hold, what is wrong with them, and which hold nothing back."""

from __future__ import annotations

import io
import time
import tokenize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcheck.source.remarks import Ignore, Sieve, remarks, unknown


@pytest.mark.parametrize(
    ("comment", "codes", "reason"),
    [
        ("# envcheck: ignore", (), ""),
        ("#envcheck:ignore", (), ""),
        ("# envcheck: ignore[API001]", ("API001",), ""),
        ("# envcheck: ignore[API001,api2 , MDL] until May", ("API001", "API2", "MDL"), "until May"),
        ("# envcheck: ignore [API1] - Ada knows", ("API1",), "Ada knows"),
        ("# envcheck: ignore: old data only", (), "old data only"),
        ("# noqa: E501  # envcheck: ignore[API1] here  # type: ignore", ("API1",), "here"),
    ],
)
def test_a_comment(comment: str, codes: tuple[str, ...], reason: str) -> None:
    assert remarks(f"\nx = 1  {comment}\n") == ((Ignore(codes, reason, 2, 2),), ())


@pytest.mark.parametrize(
    "text",
    [
        'x = "# envcheck: ignore"',
        'x = """\n# envcheck: ignore\n"""',
        "x = 'it\\'s # envcheck: ignore'",
        "# about envcheck: ignore it",
        "# envchecker: ignore",
        "envcheck = 1",
        "",
    ],
)
def test_what_is_no_comment_for_us(text: str) -> None:
    assert remarks(text) == ((), ())


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        (
            "# envcheck: skip",
            "'skip' is nothing that envcheck knows: there is ignore, ignore[CODE] and ignore-file[CODE]",
        ),
        ("# envcheck:", "'' is nothing that envcheck knows"),
        ("# envcheck: ignored", "'ignored' is nothing"),
        ("# envcheck: ignore[API001", "'ignore[API001': codes stand between brackets, as in ignore[API101]"),
        ("# envcheck: ignore API001", "'ignore API001': codes stand between brackets"),
        ("# envcheck: ignore-file: API001", "'ignore-file: API001': codes stand between brackets, as in ignore-file["),
        ("# envcheck: ignore[]", "'' is no code: API101 is one, and API1 the beginning of some"),
        ("# envcheck: ignore[API001,]", "'' is no code"),
        ("# envcheck: ignore[A1]", "'A1' is no code"),
        ("# envcheck: ignore[API0011]", "'API0011' is no code"),
        ("# envcheck: ignore-file", "ignore-file stands on a line of its own"),
    ],
)
def test_a_comment_that_is_written_wrongly_hides_nothing(comment: str, said: str) -> None:
    ignores, (misread,) = remarks(f"\nx = 1  {comment}\n", 3)
    assert ignores == ()
    assert (misread.line, misread.cell) == (2, 3)
    assert misread.reason.startswith(said)


def test_every_comment_is_read_with_its_line() -> None:
    text = "# envcheck: ignore[API1]\n'# envcheck: ignore'\nx = (1,  # envcheck: ignore[API2]\n)  # envcheck: ignore[API3]\n"
    assert [(each.codes, each.line, each.until) for each in remarks(text).ignores] == [
        (("API1",), 1, 1),
        (("API2",), 3, 4),
        (("API3",), 4, 4),
    ]


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("a(  # envcheck: ignore\n  b,\n  c)\nd\n", [1, 2, 3]),
        ("a(\n  b,  # envcheck: ignore\n  c)\n", [2]),
        ("a(\n  b)  # envcheck: ignore\n", [2]),
        ("class A(  # envcheck: ignore\n  B\n):\n  c = d\n", [1, 2, 3]),
        ("if a:  # envcheck: ignore\n  b\n", [1]),
        ("@a  # envcheck: ignore\ndef b(): pass\n", [1]),
        ('a("""\n""")  # envcheck: ignore\n', [2]),
        ("# envcheck: ignore\na\n", [1]),
        ("a = b + \\\n  c  # envcheck: ignore\n", [2]),
        ("print a(1,  # envcheck: ignore\n  2)\nb\n", [1, 2]),
        ("a(  # envcheck: ignore\ndef f():\n  b\n", [1]),
        ("a\n# envcheck: ignore-file\nb\n", [1, 2, 3, 4]),
        ("a  # envcheck: ignore", [1]),
    ],
)
def test_the_lines_it_holds_for(text: str, held: list[int]) -> None:
    sieve = Sieve(remarks(text).ignores)
    assert [line for line in range(1, text.count("\n") + 2) if sieve.holds("API101", line)] == held


@pytest.mark.parametrize(
    ("codes", "code", "held"),
    [
        ("", "API101", True),
        ("[API101]", "API101", True),
        ("[API1]", "API101", True),
        ("[MDL,API]", "API101", True),
        ("[API102]", "API101", False),
        ("[API2]", "API101", False),
        ("[MDL]", "API101", False),
    ],
)
def test_the_codes_it_holds_for(codes: str, code: str, held: bool) -> None:
    assert Sieve(remarks(f"x  # envcheck: ignore{codes}").ignores).holds(code, 1) is held
    assert Sieve(remarks(f"# envcheck: ignore-file{codes}").ignores).holds(code, None) is held


def test_cells_are_apart_and_a_file_s_comment_holds_for_all_of_them() -> None:
    sieve = Sieve([*remarks("x  # envcheck: ignore", 2).ignores, *remarks("# envcheck: ignore-file[MDL]", 5).ignores])
    assert [sieve.holds("API101", 1, cell) for cell in (1, 2, 3)] == [False, True, False]
    assert sieve.holds("MDL101", 7, 1)


def test_comments_that_hold_nothing_back() -> None:
    text = "a  # envcheck: ignore[API1,API2]\nb  # envcheck: ignore\nc  # envcheck: ignore[SMK]\nd  # envcheck: ignore[API2]\n"
    ignores = remarks(text).ignores
    sieve = Sieve(ignores)
    judged = ("API101", "API201", "MDL101")
    assert [(each.line, prefix) for each, prefix in sieve.unused(judged)] == [
        (1, "API1"),
        (1, "API2"),
        (2, ""),
        (4, "API2"),
    ]
    assert sieve.holds("API101", 1)
    assert sieve.holds("API101", 2)
    assert sieve.holds("API201", 4)
    assert [(each.line, prefix) for each, prefix in sieve.unused(judged)] == [(1, "API2")]


def test_a_comment_that_a_wider_one_makes_needless_is_used_too() -> None:
    sieve = Sieve(remarks("a  # envcheck: ignore[API1]\n# envcheck: ignore-file\n").ignores)
    assert sieve.holds("API101", 1)
    assert list(sieve.unused(["API101"])) == []


def test_codes_that_there_are_not() -> None:
    (ignore,) = remarks("x  # envcheck: ignore[API1,API9,XYZ]").ignores
    assert unknown(ignore, ["API101", "MDL101"]) == ("API9", "XYZ")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(["# envcheck: ignore", "[API1]", "x", " ", "\n", "'", '"', '"""', "(", ")", "\\", "f", "#"])
    )
)
def test_comments_are_those_that_python_finds(pieces: list[str]) -> None:
    text = "".join(pieces) + "\n"
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        tokens = []  # it is enough that ours did not raise
    found = remarks(text)
    if tokens and not any(token.type == tokenize.ERRORTOKEN for token in tokens):
        lines = {token.start[0] for token in tokens if token.type == tokenize.COMMENT and "# envcheck:" in token.string}
        assert {each.line for each in found.ignores} | {each.line for each in found.misread} == lines


@pytest.mark.parametrize(
    "text",
    [
        "# envcheck: ignore[API1]\n" * 200_000,
        "# envcheck: " * 200_000,
        "x = ('''" * 200_000 + "# envcheck: ignore",
        "(  # envcheck: ignore\n" * 100_000,
        "(  # envcheck: ignore-file\n" * 100_000,
        "(" + "# envcheck: ignore " * 100_000 + "\n" * 100_000,
        "(" + "# envcheck: ignore-file " * 100_000 + "\n" * 100_000,
        "# envcheck: ignore[" + "API1," * 500_000 + "API1]",
        "\\'''\n" * 400_000 + "# envcheck: ignore",
    ],
    ids=[
        "many",
        "one line",
        "quotes",
        "never closed",
        "never closed, file",
        "one head",
        "one head, file",
        "codes",
        "escapes",
    ],
)
def test_hostile_texts(text: str) -> None:
    start = time.process_time()
    sieve = Sieve(remarks(text).ignores)
    sieve.holds("API101", 1)
    assert time.process_time() - start < 15
