"""The compatibility matrix: every row is whole and says where it is from; what is unknown is unknown; damage is named."""

from __future__ import annotations

import datetime
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.errors import EnvcheckError
from envcheck.findings import Severity
from envcheck.knowledge.knots import Knot
from envcheck.knowledge.matrix import Matrix, load_matrix
from envcheck.knowledge.nvidia import Driver
from envcheck.knowledge.rows import KNOWN, LINE, folder, read
from envcheck.knowledge.series import Series
from envcheck.knowledge.tables import TABLES, Tables
from envcheck.versions import numbers

MATRIX = load_matrix()


def rows() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row of every file: the outermost mappings, of a list or of a section."""
    for path in sorted(folder().glob("*.yaml")):
        found = read(path)
        for section in found.values() if isinstance(found, dict) else [found]:
            for row in section if isinstance(section, list) else [section]:
                if isinstance(row, dict):
                    yield path.name, row


ROWS = list(rows())


def dotted(text: object) -> bool:
    return isinstance(text, str) and re.fullmatch(r"\d+(\.\d+)+", text) is not None


# --- the data


def test_there_are_rows() -> None:
    assert len(ROWS) > 50


@pytest.mark.parametrize(("file", "row"), ROWS, ids=[f"{file}:{row[LINE]}" for file, row in ROWS])
def test_a_row_says_how_it_is_known_and_when_it_was_checked(file: str, row: dict[str, Any]) -> None:
    assert row["known"] in KNOWN
    assert isinstance(row["checked"], datetime.date)
    assert row["checked"] >= datetime.date(2024, 1, 1)
    assert isinstance(row["source"], list)
    assert row["source"]
    assert all(isinstance(source, str) and source for source in row["source"])


@pytest.mark.parametrize("path", sorted(folder().glob("*.yaml")), ids=lambda path: path.name)
def test_no_key_stands_twice_in_a_mapping(path: Path) -> None:
    def visit(node: yaml.Node | None) -> None:
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            assert len(keys) == len(set(keys)), f"{path.name}:{node.start_mark.line + 1}"
            for _, value in node.value:
                visit(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                visit(value)

    visit(yaml.compose(path.read_text("utf-8")))


@pytest.mark.parametrize("row", MATRIX.rows, ids=lambda row: row.series)
def test_a_series_is_whole(row: Series) -> None:
    assert dotted(row.series)
    assert row.python
    assert all(dotted(python) for python in row.python)  # 3.10 without quotes would be the number 3.1
    assert list(row.python) == sorted(row.python, key=numbers)
    assert dotted(row.cuda)
    assert dotted(row.cudnn)
    assert dotted(row.glibc)
    for wanted in (row.keras, row.tf_keras):
        assert wanted is None or SpecifierSet(wanted)
    for capabilities in (row.sass, row.ptx):
        assert capabilities is None or (capabilities and all(dotted(capability) for capability in capabilities))


def test_series_stand_once_each_and_newest_first() -> None:
    order = [numbers(row.series) for row in MATRIX.rows]
    assert order == sorted(set(order), reverse=True)


def test_every_series_of_tensorflow_2_up_to_the_newest_is_there() -> None:
    known = {row.series for row in MATRIX.rows}
    newest = numbers(MATRIX.rows[0].series)
    assert known >= {f"2.{minor}" for minor in range(newest[1] + 1)}


def test_keras_is_separate_from_2_6_on() -> None:
    for row in MATRIX.rows:
        assert (row.keras is not None) == (numbers(row.series) >= (2, 6)), row.series


@pytest.mark.parametrize("row", [*MATRIX.toolkits, *MATRIX.families], ids=lambda row: row.cuda)
def test_a_driver_row_is_whole(row: Driver) -> None:
    assert dotted(row.linux)
    assert row.windows is None or dotted(row.windows)
    assert row.on("Linux") == row.linux
    assert row.on("Windows") == row.windows
    assert row.on("Darwin") is None


def test_newer_toolkits_need_newer_drivers() -> None:
    floors = [numbers(row.linux or "") for row in sorted(MATRIX.toolkits, key=lambda row: numbers(row.cuda))]
    assert floors == sorted(floors)


def test_every_series_names_a_toolkit_whose_driver_is_known() -> None:
    for row in MATRIX.rows:
        assert row.cuda is not None
        assert MATRIX.toolkit_driver(row.cuda) is not None, row.series


@pytest.mark.parametrize("knot", MATRIX.knots, ids=lambda knot: knot.id)
def test_a_knot_is_whole(knot: Knot) -> None:
    assert knot.severity in [severity.value for severity in Severity]
    assert knot.consequence
    assert knot.fix
    assert len(knot.when) >= 1
    assert LINE not in knot.when


def test_knots_have_ids_of_their_own() -> None:
    assert len({knot.id for knot in MATRIX.knots}) == len(MATRIX.knots)


# --- asking


def test_a_series_is_found_by_any_of_its_versions() -> None:
    for version in ("2.15.0", "2.15.1", "2.15.0.post1", "2.15.0rc1", "2.15.1+nv24.2"):
        found = MATRIX.series(Version(version))
        assert found is not None
        assert found.series == "2.15"


def test_a_newer_version_is_unknown_and_its_nearest_row_is_said() -> None:
    newest = numbers(MATRIX.rows[0].series)
    for version in (f"2.{newest[1] + 1}.0", f"2.{newest[1] + 30}.1", "3.0.0"):
        assert MATRIX.series(Version(version)) is None
        assert MATRIX.nearest(Version(version)) == MATRIX.rows[0]
    assert MATRIX.nearest(Version("1.99.0")).series == "1.15"


def test_an_older_version_is_unknown_too() -> None:
    oldest = MATRIX.rows[-1]
    assert MATRIX.series(Version("0.12.0")) is None
    assert MATRIX.nearest(Version("0.12.0")).series.split(".")[0] == oldest.series.split(".")[0]


@given(st.integers(0, 99), st.integers(0, 99))
def test_any_version_has_a_nearest_row(major: int, minor: int) -> None:
    version = Version(f"{major}.{minor}.0")
    assert MATRIX.nearest(version) in MATRIX.rows
    assert MATRIX.series(version) in (None, MATRIX.nearest(version))


def test_supporting_is_by_the_whole_minor_version() -> None:
    assert MATRIX.supporting("3.12")[0] == MATRIX.rows[0].series
    assert "2.15" not in MATRIX.supporting("3.12")
    assert MATRIX.supporting("3.1") == ()


def test_a_toolkit_is_found_by_its_patch_release_and_not_by_its_prefix() -> None:
    found = MATRIX.toolkit_driver("12.5.1")
    assert found is not None
    assert found.cuda == "12.5"
    assert MATRIX.toolkit_driver("12") is None
    assert MATRIX.toolkit_driver("99.1") is None


def test_minor_version_compatibility_lowers_the_floor_from_cuda_11_on() -> None:
    for cuda, floor in (("12.5", "525.60.13"), ("11.8", "450.80.02"), ("10.1", "418.39")):
        found = MATRIX.driver_floor(cuda)
        assert found is not None
        assert found.linux == floor
    assert MATRIX.driver_floor("99.0") is None


def test_a_knot_ties_only_when_all_of_it_holds() -> None:
    def tied(**installed: str) -> set[str]:
        return {knot.id for knot in MATRIX.hits({name: Version(text) for name, text in installed.items()}, "3.11")}

    assert "numpy2-abi" in tied(tensorflow="2.15.1", numpy="2.2.6")
    assert "numpy2-abi" in tied(tensorflow="2.15.1", numpy="2.1.0rc1")
    assert "numpy2-abi" not in tied(tensorflow="2.15.1", numpy="1.26.4")
    assert "numpy2-abi" not in tied(tensorflow="2.18.0", numpy="2.2.6")
    assert "numpy2-abi" not in tied(numpy="2.2.6")
    assert tied() == set()


# --- damage


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A copy of the data, to be damaged."""
    for path in folder().glob("*.yaml"):
        shutil.copy(path, tmp_path)
    return tmp_path


def read_all(data: Path) -> None:
    """Every table, read anew."""
    tables = Tables(data)
    for name, table in TABLES.items():
        tables.rows(name, table.kind)


def test_the_copy_is_as_good_as_the_data(data: Path) -> None:
    read_all(data)
    assert Matrix(Tables(data)).rows == MATRIX.rows


FILES = sorted({table.file for table in TABLES.values()})


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(data: Path, name: str) -> None:
    (data / name).unlink()
    with pytest.raises(EnvcheckError, match=rf"damaged: .*{name}"):
        read_all(data)


@pytest.mark.parametrize("column", ["known", "checked", "source", "series", "python", "cuda", "glibc", "sass"])
def test_a_row_without_a_column_is_named_by_its_line(data: Path, column: str) -> None:
    path = data / "tensorflow.yaml"
    text = path.read_text("utf-8")
    third = [match.start() for match in re.finditer(r"(?m)^- ", text)][2]
    line = text[:third].count("\n") + 1
    damaged = re.sub(rf"(?m)^(- |  ){column}: .*", r"\1", text[third:], count=1)
    path.write_text(text[:third] + damaged, "utf-8")
    with pytest.raises(EnvcheckError, match=rf"tensorflow\.yaml:{line + (column == 'series')}: .*{column}"):
        read_all(data)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('series: "2.15"', "series: 2.15", "series: expected `str`, got `float`"),
        ('"3.11"]', "3.11]", r"python\[2\]: expected `str`, got `float`"),
        ("known: released", "known: guessed", "known: invalid enum value 'guessed'"),
        ('keras: "==2.15.*"', 'keras: "about 2.15"', "about 2.15"),
        ("  glibc:", "  glib: 1\n  glibc:", "unknown column glib; there are cuda, "),
        ("checked: 2026", "checked: 2O26", "checked"),
    ],
)
def test_a_column_of_another_kind_is_named(data: Path, old: str, new: str, said: str) -> None:
    path = data / "tensorflow.yaml"
    before, row, after = path.read_text("utf-8").partition('- series: "2.15"')
    assert old in row + after
    path.write_text(before + (row + after).replace(old, new, 1), "utf-8")
    with pytest.raises(EnvcheckError, match=rf"tensorflow\.yaml:{before.count(chr(10)) + 1}: .*{said}"):
        read_all(data)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    "content",
    [
        "",
        "null",
        "[]: 1",
        "- a\n- b",
        "toolkits: 3",
        "just text",
        "- [1]",
        "{",
        "\tx: 1",
        "- {series: 1",
        "!!python/none x",
        "- {a: 1, a: 2}",
        "- 2026-13-99",
    ],
)
def test_any_other_damage_names_the_file(data: Path, file: str, content: str) -> None:
    (data / file).write_text(content, "utf-8")
    with pytest.raises(EnvcheckError, match=re.escape(file)) as caught:
        read_all(data)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("envcheck's own data is damaged: ")


def test_a_version_range_that_is_none_is_named_by_its_line(data: Path) -> None:
    path = data / "knots.yaml"
    path.write_text(path.read_text("utf-8").replace('numpy: ">=2"', 'numpy: "two"', 1), "utf-8")
    with pytest.raises(EnvcheckError, match=r"knots\.yaml:\d+: .*two"):
        read_all(data)


def test_bytes_that_are_no_text_are_damage(data: Path) -> None:
    (data / "knots.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EnvcheckError, match=r"knots\.yaml"):
        read_all(data)
