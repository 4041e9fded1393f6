"""The noun: one mistake in a file's models, for one major version of Keras."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from envcheck.model.events import Made, Model, Reference, Where

_LINE = re.compile("⟦(\\d+)⟧")


class Fault(NamedTuple):
    """One mistake.

    ``kind``: which check tells it. ``line`` (from 1, over all cells), ``column`` and ``end`` (from 0, in bytes): where it
    stands; ``end`` is -1 where it ends on another line. ``symbol``: the layer, loss or method that it is about, canonical.
    ``why``: what is and what was expected; lines in it are written by :func:`line_of`. ``advice``: what to do. ``runs``: what
    happens: ``raises``, ``differs`` (it runs and is most likely wrong) or ``works``. ``stage``: when Keras raises:
    ``construction``, ``build``, ``compile``, ``fit``, ``predict``, ``save``, ``load``; ``silent`` where it never does.
    ``row``: what tells which releases raise (``compat_matrix/refusals.yaml``); empty where all of the major version do.
    """

    kind: str
    line: int
    column: int
    end: int
    symbol: str
    why: str
    advice: str
    runs: str
    stage: str
    row: str = ""


PACK = msgspec.msgpack.Encoder()
UNPACK = msgspec.msgpack.Decoder(tuple[tuple[int, tuple[Fault, ...]], ...])
"""By major version of Keras."""


def fault(
    kind: str,
    where: Where,
    symbol: str,
    why: str,
    advice: str,
    *,
    runs: str = "raises",
    stage: str = "construction",
    row: str = "",
) -> Fault:
    """A mistake at a place of the source."""
    return Fault(kind, where.line, where.column, where.end_column, symbol, why, advice, runs, stage, row)


def line_of(where: Where) -> str:
    """A line inside of ``why``: which one it is for a reader, and in which cell, is told by :func:`with_lines`."""
    return f"⟦{where.line}⟧"


def with_lines(text: str, place: Callable[[int], tuple[int, int | None]]) -> str:
    """A text with its lines as a reader counts them."""

    def said(match: re.Match[str]) -> str:
        line, cell = place(int(match[1]))
        return f"line {line}" if cell is None else f"cell {cell}, line {line}"

    return _LINE.sub(said, text)


def short(name: str) -> str:
    """``Conv2D`` of ``keras.layers.Conv2D``."""
    return name.rpartition(".")[2]


def named(item: object) -> str:
    """A layer, model or anything else in a model, in one word."""
    if isinstance(item, (Made, Model, Reference)):
        return short(item.name)
    return "something that is no layer"
