"""Bytes of a source file or notebook to text, with lines and columns as editors count them."""

from __future__ import annotations

import codecs
import os
import re
import stat
from dataclasses import dataclass

from envcheck.source.notebook import code_cells

LARGEST = 20_000_000
"""Bytes of the largest file that is read: a notebook holds its figures."""


@dataclass(frozen=True, slots=True)
class Part:
    r"""Python text that is parsed on its own.

    Attributes:
        text: with lines ended by ``\n``; nothing else is changed, so that lines and columns are the file's.
        cell: a notebook's cell, counted from 1 over all of its cells; None in a file.
        line: the line of the file, from 1, that the text begins with; in a notebook 1: people count a cell's lines.
    """

    text: str
    cell: int | None
    line: int


@dataclass(frozen=True, slots=True)
class Document:
    """A file's Python text. ``remark`` says what was assumed to read it; empty where nothing was."""

    path: str
    parts: tuple[Part, ...]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that could not be read, and why."""

    path: str
    reason: str


def read_bytes(path: str, limit: int = LARGEST) -> bytes | Unread:
    """The content of a regular file; never waits for a named pipe or a device.

    Args:
        path: of the file.
        limit: bytes; a larger file is not read.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    try:
        descriptor = os.open(path, flags)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return Unread(path, f"this is {what(status.st_mode)}, not a file")
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read(
                    min(status.st_size or limit, limit) + 1
                )  # a size of 0 can also mean "unknown", as in /proc
        finally:
            os.close(descriptor)
    except OSError as error:
        return Unread(path, f"cannot be read: {error.strerror or type(error).__name__}")
    except ValueError:
        return Unread(path, "no file can have this name: it holds a NUL character")
    if len(data) > limit:
        return Unread(path, f"larger than the limit of {limit / 1e6:g} MB")
    return data


def what(mode: int) -> str:
    """What lies there, by ``st_mode``: "a folder", "a named pipe"."""
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFLNK: "a link",
        stat.S_IFREG: "a file",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")


def document(path: str, data: bytes) -> Document | Unread:
    """The Python text in a file's content: a notebook's if the path ends in ``.ipynb``, else all of it."""
    if path.lower().endswith(".ipynb"):
        cells = code_cells(data)
        if isinstance(cells, str):
            return Unread(path, cells)
        return Document(path, tuple(Part(_newlines(cell.text), cell.number, 1) for cell in cells))
    text, remark = decoded(data)
    return Document(path, (Part(_newlines(text), None, 1),), remark)


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]{1,40})")
"""The second group of https://peps.python.org/pep-0263/, in one of the first two lines."""
_BLANK = re.compile(rb"[ \t\f]*(?:#[^\r\n]*)?(?:\r\n?|\n)")
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16: its mark begins with that one's
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NOT_LINE_BY_LINE = {"unicode_escape", "raw_unicode_escape", "punycode", "idna", "utf_7"}
"""Encodings that can hide line ends in other characters, or take quadratic time; nobody writes source in them."""


def decoded(data: bytes) -> tuple[str, str]:
    """The text of Python source, and a remark where it was not read as Python 3 would.

    A byte order mark decides, then the coding cookie, then UTF-8. What is none of these is read as Latin-1, in which every
    byte is a character: names are ASCII and come out right, as do columns.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding, "replace"), ("" if mark == codecs.BOM_UTF8 else f"read as {encoding.upper()}")
    if data.isascii():
        return data.decode("ascii"), ""
    cookie = _cookie(data)
    if cookie:
        text = _with_cookie(data, cookie)
        if text is not None:
            return text, ""
    try:
        text, read_as = data.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        text, read_as = data.decode("latin-1"), "Latin-1"
    if cookie:
        return text, f"read as {read_as}: it says that it is {cookie}, and is not"
    return text, "" if read_as == "UTF-8" else "read as Latin-1: it is not UTF-8 and names no other encoding"


def _cookie(data: bytes) -> str:
    """The encoding that one of the first two lines names; empty where none does."""
    found = _COOKIE.match(data)
    if not found:
        first = _BLANK.match(data)
        found = _COOKIE.match(data, first.end()) if first else None
    return found[1].decode("ascii", "replace") if found else ""


def _with_cookie(data: bytes, cookie: str) -> str | None:
    """The text in the encoding that a cookie names; None where there is no such encoding of text or the text is not in it."""
    try:
        codec = codecs.lookup(cookie)
        if codec.name.replace("-", "_") in _NOT_LINE_BY_LINE or b"#\n".decode(cookie) != "#\n":
            return None
        return data.decode(cookie)
    except (LookupError, ValueError):
        return None
