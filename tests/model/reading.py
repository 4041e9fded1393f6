"""Reading a piece of source, and its events in short."""

from __future__ import annotations

import ast
from textwrap import dedent
from typing import TypeVar

from envcheck.model.events import Array, Event, KerasTensor, LayerCalled, LayerMade, Model, ModelMade, Reading, Trained
from envcheck.model.reading import read_models
from envcheck.model.source import Source
from envcheck.model.tensors import Refused, Tensor, Unknown, text

IMPORTS = """\
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
"""
Kind = TypeVar("Kind")


def read(source: str, keras: int = 3) -> Reading:
    return read_text(IMPORTS + dedent(source), keras)


def read_text(text: str, keras: int = 3) -> Reading:
    return read_models(ast.parse(text), keras, Source(text))


def events(source: str, kind: type[Kind], keras: int = 3) -> list[Kind]:
    return [each for each in read(source, keras).events if isinstance(each, kind)]


def line(event: Event) -> int:
    """Counted in the piece of source, from 1."""
    return event.where.line - IMPORTS.count("\n")


def shape(value: object) -> str:
    if isinstance(value, KerasTensor):
        value = value.tensor
    if isinstance(value, (Tensor, Array)):
        return text(value.shape)
    if isinstance(value, tuple):
        return " ".join(map(shape, value))
    assert isinstance(value, Unknown), value
    return "?"


def calls(source: str, keras: int = 3) -> list[str]:
    """Each call of a layer as ``Dense (None, 3) -> (None, 4)``; a refusal as ``Dense (None,) ! call``."""
    found: list[str] = []
    for each in events(source, LayerCalled, keras):
        result = f"! {each.refused.stage}" if each.refused is not None else f"-> {shape(each.output)}"
        found.append(f"{each.layer.name.rpartition('.')[2]} {shape(each.inputs)} {result}")
    return found


def model(source: str, keras: int = 3) -> Model:
    """The model that is made last."""
    return events(source, ModelMade, keras)[-1].model


def trained(source: str, keras: int = 3) -> Trained:
    """The last meeting of a model with data."""
    return events(source, Trained, keras)[-1]


def data(expression: str, before: str = "", keras: int = 3) -> Array:
    """What an expression is, as ``fit`` gets it."""
    x = trained(f"{before}\nmodel = keras.Sequential([layers.Dense(1)])\nmodel.fit({expression}, None)\n", keras).x
    assert isinstance(x, Array), x
    return x


def refusals(source: str, keras: int = 3) -> list[tuple[Event, Refused]]:
    """Where Keras raises."""
    found: list[tuple[Event, Refused]] = []
    for each in read(source, keras).events:
        refused = each.refused if isinstance(each, (LayerMade, LayerCalled)) else None
        if refused is not None:
            found.append((each, refused))
    return found
