"""The wire format of protocol buffers, as far as a few fields need it: https://protobuf.dev/programming-guides/encoding/."""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
LONGEST_VARINT = 10


class Broken(Exception):  # noqa: N818 - it is turned into a value
    """Bytes that are no message."""


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of one message, by number, without looking into them: an integer, or the bytes.

    Raises:
        Broken: a field does not fit, or is of a group or an unknown type.
    """
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, sort = key >> 3, key & 7
        if not number:
            raise Broken("a field has number 0")
        if sort == VARINT:
            value, place = _varint(data, place)
            yield number, value
            continue
        if sort == BYTES:
            size, place = _varint(data, place)
        elif sort in (FIXED64, FIXED32):
            size = 8 if sort == FIXED64 else 4
        else:
            raise Broken(f"a field is of type {sort}")
        if size > len(data) - place:
            raise Broken("a field is longer than the file: it is cut short")
        yield number, data[place : place + size]
        place += size


def inner(data: memoryview, number: int) -> Iterator[memoryview]:
    """The fields of one number that are bytes."""
    for each, value in fields(data):
        if each == number and isinstance(value, memoryview):
            yield value


def text(data: memoryview, number: int) -> str:
    """The last text under a number; empty where there is none."""
    found = ""
    for value in inner(data, number):
        found = bytes(value[:1000]).decode("utf-8", "replace")
    return found


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for count in range(LONGEST_VARINT):
        if place >= len(data):
            raise Broken("it is cut short")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:  # the last byte of a varint
            return value, place
    raise Broken("a number is longer than any can be")
