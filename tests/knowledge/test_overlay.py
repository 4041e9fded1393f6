"""A team's own rows: what they change, and that what is wrong with their file is one line with file and line."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from envcheck.errors import UsageError
from envcheck.knowledge.matrix import Matrix, load_matrix
from envcheck.knowledge.overlay import Overlay
from envcheck.knowledge.rows import LARGEST, folder, read
from envcheck.knowledge.tables import CLOSED, LAID, TABLES, Tables

OURS = load_matrix()
ROW = """tensorflow:
- series: "2.99"
  python: ["3.14"]
  keras: null
  tf_keras: null
  cuda: "13.0"
  cudnn: "9.10"
  sass: null
  ptx: null
  glibc: "2.28"
  reason: built in house
"""


def laid(tmp_path: Path, text: str) -> Matrix:
    path = tmp_path / "team.yaml"
    path.write_text(text, "utf-8")
    return load_matrix(overlay=path)


# --- what rows do


def test_a_row_is_added(tmp_path: Path) -> None:
    matrix = laid(tmp_path, ROW)
    row = matrix.series(Version("2.99.1"))
    assert row is not None
    assert row == matrix.rows[0]
    assert row.source.own
    assert row.source.path == f"{tmp_path}/team.yaml"
    assert row.source.line == 2
    assert row.source.known == "reported"
    assert row.source.sources == (f"{tmp_path}/team.yaml:2: built in house",)
    assert matrix.rows[1:] == OURS.rows
    assert OURS.series(Version("2.99.1")) is None


def test_a_row_changes_the_columns_that_it_gives(tmp_path: Path) -> None:
    matrix = laid(
        tmp_path,
        '# ours\n\ntensorflow:\n  - series: "2.21"\n    glibc: "2.17"\n    checked: 2026-10-01\n    reason: rebuilt\n',
    )
    row, ours = matrix.rows[0], OURS.rows[0]
    assert (row.glibc, row.python, row.cuda) == ("2.17", ours.python, ours.cuda)
    assert (row.source.line, row.source.checked) == (4, "2026-10-01")
    assert row.source.sources == (f"{tmp_path}/team.yaml:4: rebuilt", *ours.source.sources)
    assert matrix.rows[1:] == OURS.rows[1:]
    assert not matrix.rows[1].source.own
    assert matrix.rows[1].source.path == "compat_matrix/tensorflow.yaml"


def test_a_row_is_taken_away_and_each_override_is_kept_with_its_reason(tmp_path: Path) -> None:
    matrix = laid(tmp_path, "knots:\n- id: numpy2-abi\n  remove: true\n  reason: ' patched '\n" + ROW)
    assert "numpy2-abi" not in {knot.id for knot in matrix.knots}
    assert len(matrix.knots) == len(OURS.knots) - 1
    told = [(override.line, override.table, override.row, override.reason) for override in matrix.overrides]
    assert told == [(2, "knots", "numpy2-abi", "patched"), (6, "tensorflow", "2.99", "built in house")]
    assert OURS.overrides == ()


def test_a_table_of_names_can_be_changed(tmp_path: Path) -> None:
    matrix = laid(tmp_path, "names:\n- {what: optional_requirements, names: [numpy], reason: ours}\n")
    assert matrix.optional == {"numpy"}
    assert matrix.loads == OURS.loads


def test_the_file_is_read_anew_each_time(tmp_path: Path) -> None:
    assert laid(tmp_path, ROW).rows[0].glibc == "2.28"
    assert laid(tmp_path, ROW.replace("2.28", "2.31")).rows[0].glibc == "2.31"


@pytest.mark.parametrize("name", LAID)
def test_every_row_of_ours_can_be_changed_and_named_by_its_key(name: str) -> None:
    table = TABLES[name]
    content = read(folder() / table.file)
    rows = content if table.section is None else content[table.section]
    keys = [tuple(str(row[column]) for column in table.key) for row in rows]
    assert len(keys) == len(set(keys))


def test_a_time_stamp_that_no_calendar_has(tmp_path: Path) -> None:
    path = tmp_path / "team.yaml"
    path.write_text(ROW)
    os.utime(path, (2**45, 2**45))  # file systems keep as much of it as they can
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", load_matrix(overlay=path).rows[0].source.checked)


# --- what is wrong with them

SERIES = '- {series: "2.21", glibc: "2.17", reason: r'
CASES = {
    "empty": ("", 1, "expected tables of rows"),
    "only a comment": ("# nothing\n", 1, "expected tables of rows"),
    "a list": ("- a\n", 1, "expected tables of rows"),
    "text": ("hello", 1, "expected tables of rows"),
    "two documents": ("a: 1\n---\nb: 1\n", 2, "found another document"),
    "no YAML": ("knots:\n- {id: x\n", 3, "no YAML that can be read"),
    "a tab": ("knots:\n\t- id: x\n", 2, "no YAML that can be read"),
    "an alias": ("knots: &a\n- id: x\ntensorflow: *a\n", 3, "aliases"),
    "an alias bomb": (
        "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*{p}, *{p}]\n" for n, p in zip("bcdef", "abcde", strict=True)),
        2,
        "*a",
    ),
    "nested too deep": ("knots: " + "[" * 5000, 1, "nested deeper than 20 levels"),
    "a long value": (f"knots:\n- id: {'9' * 5000}\n", 2, "a value of more than 4000 characters"),
    "a Python object": ("knots:\n- !!python/object/apply:os.system [true]\n", 2, "tags (tag:yaml.org,2002:python/"),
    "a Python name": ("knots: !!python/name:os.system ''\n", 1, "tags (tag:yaml.org,2002:python/"),
    "a set that is a list": ("!!set\n- id: x\n", 1, "tags (tag:yaml.org,2002:set) are not read here"),
    "a tag that hides a type": ("knots: !!int ''\n", 1, "tags (tag:yaml.org,2002:int) are not read here"),
    "an unhashable key": ("knots:\n- [a]: b\n", 2, "unhashable"),
    "a key twice": ('tensorflow:\n- series: "2.21"\n  glibc: "2.17"\n  glibc: "2.18"\n', 4, "glibc stands twice"),
    "a table twice": ("knots: []\nknots: []\n", 2, "knots stands twice"),
    "no date": (f"tensorflow:\n{SERIES},\n  checked: 2026-13-99}}\n", 3, "month must be in 1..12"),
    "no date, in quotes": (f"tensorflow:\n{SERIES}, checked: today}}\n", 2, "checked"),
    "NUL": ("knots:\n- id: a\0b\n", 2, "no YAML that can be read"),
    "an unknown table": ("# hi\nknots: []\ntensorflows: []\n", 3, "unknown table tensorflows; there are tensorflow, "),
    "a table that is a number": ("2: []\n", 1, "unknown table 2"),
    "a table that is not a team's": ("refreshed: []\n", 1, "unknown table refreshed"),
    "no rows": ("knots: []\ntensorflow:\n", 2, "tensorflow is no list of rows"),
    "a mapping for rows": ("tensorflow: {series: 1}\n", 1, "tensorflow is no list of rows"),
    "a row that is text": ("knots: []\ntensorflow: [abc]\n", 2, "a row that is no mapping: abc"),
    "no key": ("knots:\n- {severity: note, reason: r}\n", 2, "which row of knots? id is missing"),
    "a null key": ("knots:\n- {id: null, severity: note, reason: r}\n", 2, "which row of knots? id is missing"),
    "a number for a series": ("tensorflow:\n- {series: 2.10, reason: r}\n", 2, "put 2.1 in quotes"),
    "no reason": ("knots:\n- {id: numpy2-abi, severity: note}\n", 2, "says its reason"),
    "an empty reason": ("knots:\n- {id: numpy2-abi, severity: note, reason: ' '}\n", 2, "says its reason"),
    "a reason that is no text": ("knots:\n- {id: numpy2-abi, severity: note, reason: 5}\n", 2, "says its reason"),
    "remove is a word": ("knots:\n- {id: numpy2-abi, remove: 'yes', reason: r}\n", 2, "remove is true or not there"),
    "remove is false": ("knots:\n- {id: numpy2-abi, remove: false, reason: r}\n", 2, "remove is true or not there"),
    "remove and change": ("knots:\n- {id: numpy2-abi, remove: true, fix: x, reason: r}\n", 2, "has no fix"),
    "remove what is not there": (
        "\nknots:\n- {id: nope, remove: true, reason: r}\n",
        3,
        "knots has no row nope to remove",
    ),
    "nothing changed": ("knots:\n- {id: numpy2-abi, reason: r}\n", 2, "changes nothing"),
    "the same row twice": (
        "knots:\n- {id: numpy2-abi, fix: a, reason: r}\n- {id: numpy2-abi, fix: b, reason: r}\n",
        3,
        "knots numpy2-abi stands on line 2 already",
    ),
    "an unknown column": (f"tensorflow:\n{SERIES}, glib: 1}}\n", 2, "unknown column glib; there are cuda, "),
    "a wrong type": (f"tensorflow:\n{SERIES}, python: 3.12}}\n", 2, "python: expected `array`, got `float`"),
    "a wrong type inside": (f"tensorflow:\n{SERIES}, python: [3.12]}}\n", 2, "python[0]: expected `str`, got `float`"),
    "bytes": (f"tensorflow:\n{SERIES}, cuda: !!binary aGk=}}\n", 2, "tags (tag:yaml.org,2002:binary) are"),
    "a patch release as series": (
        'tensorflow:\n- {series: "2.21.1", glibc: "2.17", reason: r}\n',
        2,
        "2.21.1|series|missing",
    ),
    "no specifier": (f"tensorflow:\n{SERIES}, keras: about 3}}\n", 2, "about 3"),
    "no specifier in a knot": ("knots:\n- {id: numpy2-abi, when: {numpy: two}, reason: r}\n", 2, "two"),
    "a name that is not normalized": (
        "knots:\n- {id: numpy2-abi, when: {TF_Keras: '>2'}, reason: r}\n",
        2,
        "write tf-keras for TF_Keras",
    ),
    "a new row that is not whole": ("knots:\n- {id: mine, severity: note, reason: r}\n", 2, "missing required field"),
    "how it is known": (f"tensorflow:\n{SERIES}, known: guessed}}\n", 2, "known: invalid enum value 'guessed'"),
    "a source that is text": (f"tensorflow:\n{SERIES}, source: me}}\n", 2, "sources: expected `array`, got `str`"),
    "a set of names more": ("names:\n- {what: more, names: [a], reason: r}\n", 2, "rows of names can be changed only"),
    "a set of names less": (
        "names:\n- {what: packages, remove: true, reason: r}\n",
        2,
        "rows of names can be changed only; there are ",
    ),
}


@pytest.mark.parametrize(("text", "line", "said"), CASES.values(), ids=CASES.keys())
def test_what_is_wrong_is_one_line_with_file_and_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        laid(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/team.yaml:{line}: ")
    assert "\n" not in message
    assert said in message or (("|" in said) and re.search(said, message))


def test_every_row_of_a_table_cannot_be_taken_away(tmp_path: Path) -> None:
    away = "".join(f'- {{series: "{row.series}", remove: true, reason: r}}\n' for row in OURS.rows)
    with pytest.raises(UsageError, match=rf"team\.yaml:{len(OURS.rows) + 1}: tensorflow has no row left"):
        laid(tmp_path, f"tensorflow:\n{away}")


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"knots:\n- id: \xff\xfe\n", ":2: "), (b"\xff\xfe\x00", "no YAML"), (b"\x80abc", ":1: "), (b"\x00" * 50, ":1: ")],
)
def test_what_is_no_text(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "team.yaml"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=rf"team\.yaml.*{said}|team\.yaml{said}"):
        load_matrix(overlay=path)


def test_what_is_no_ordinary_file(tmp_path: Path) -> None:
    fifo, loop, huge = tmp_path / "fifo", tmp_path / "loop", tmp_path / "huge"
    os.mkfifo(fifo)
    loop.symlink_to(loop)
    huge.touch()
    os.truncate(huge, 100 << 20)
    for path, said in (
        (tmp_path, "this is no ordinary file"),
        (fifo, "this is no ordinary file"),
        (Path("/dev/zero"), "this is no ordinary file"),
        (loop, "symbolic links"),
        (tmp_path / "none.yaml", "No such file"),
        (tmp_path / ("x" * 300), "too long"),
        (Path("a\0b"), "null"),
        (huge, "larger than 1 MiB, the most that is read"),
    ):
        with pytest.raises(UsageError, match=said) as caught:
            load_matrix(overlay=path)
        assert str(path) in str(caught.value) or "\\x00" in str(caught.value)
    assert LARGEST == 1 << 20


def test_a_mistake_of_ours_is_not_blamed_on_the_team(tmp_path: Path) -> None:
    for path in folder().glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    ours = tmp_path / "tensorflow.yaml"
    ours.write_text(ours.read_text("utf-8").replace("glibc:", "glib:", 1))
    team = tmp_path / "team.yaml"
    team.write_text(ROW)
    tables = Tables(tmp_path, Overlay(team, LAID, CLOSED))
    with pytest.raises(Exception, match=r"envcheck's own data is damaged: tensorflow\.yaml:\d+: ") as caught:
        tables.check_overlay()
    assert not isinstance(caught.value, UsageError)


_WORDS = st.sampled_from(
    [
        *(
            "tensorflow:",
            "knots:",
            "- series: '2.21'",
            "- id: numpy2-abi",
            "  reason: r",
            "  remove: true",
            "  glibc: '2'",
        ),
        *(
            "  python: [",
            "]",
            "{",
            "}",
            "&a",
            "*a",
            "!!set",
            "<<: {a: 1}",
            "?",
            "|",
            "'",
            '"',
            "\t",
            "\0",
            "---",
            "%YAML 9",
        ),
    ]
)


@given(st.lists(_WORDS, max_size=9).map("\n".join) | st.text(max_size=60))
def test_any_text_is_rows_or_one_line(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, "utf-8", "replace")
    said = ""
    try:
        assert load_matrix(overlay=path).rows
    except UsageError as error:
        said = str(error)
    assert not said or str(path) in said
    assert "\n" not in said
