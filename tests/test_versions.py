"""Versions of drivers, CUDA and glibc are tuples of integers, never decimals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.versions import at_least, numbers

PARTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=5)


def dotted(parts: list[int]) -> str:
    return ".".join(map(str, parts))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("580.65.06", (580, 65, 6)),
        (" 12.5\n", (12, 5)),
        ("2.36-9+deb12u4", (2, 36)),
        ("535.", (535,)),
        ("12.5.x", (12, 5)),
        ("9", (9,)),
        ("", ()),
        ("v12.5", ()),
        (".5", ()),
        ("-1", ()),
    ],
)
def test_numbers(text: str, parts: tuple[int, ...]) -> None:
    assert numbers(text) == parts


@pytest.mark.parametrize(
    ("found", "floor", "enough"),
    [
        ("580.159", "580.65.06", True),
        ("580.65.06", "580.65.06", True),
        ("580.65.05", "580.65.06", False),
        ("525", "525.0.0", True),
        ("525.0.0", "525", True),
        ("525", "525.60.13", False),
        ("2.5", "2.17", False),
        ("10.0", "9.2", True),
        ("", "1", False),
        ("unknown", "1", False),
    ],
)
def test_at_least(found: str, floor: str, enough: bool) -> None:
    assert at_least(found, floor) is enough


@given(PARTS)
def test_what_is_written_is_read(parts: list[int]) -> None:
    assert numbers(dotted(parts)) == tuple(parts)
    assert numbers(f"{dotted(parts)} (build 7)") == tuple(parts)


@given(PARTS, PARTS)
def test_one_of_two_is_at_least_the_other(left: list[int], right: list[int]) -> None:
    one, other = dotted(left), dotted(right)
    assert at_least(one, other) or at_least(other, one)
    assert (at_least(one, other) and at_least(other, one)) == (one_padded(left) == one_padded(right))


def one_padded(parts: list[int]) -> list[int]:
    return parts + [0] * (5 - len(parts))


@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    assert all(part >= 0 for part in numbers(text))
