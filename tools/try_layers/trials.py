"""All trials of one seed, and how they are written for the interpreter that has Keras."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.tensors import Layer, Tensor
from tools.try_layers import others, preparing, sequences, spatial
from tools.try_layers.drawing import Draw, Trial


def trials(seed: int, percent: float = 100, odd: float = 0.07) -> Iterator[tuple[str, Trial]]:
    """Layer and trial, in an order that only the seed decides. ``percent`` makes them more or fewer, for every layer."""
    for family in (spatial, sequences, others, preparing):
        for name, drawer, count in family.trials():
            for index in range(max(1, round(count * percent / 100))):
                yield name, drawer(Draw(f"{seed} {name} {index}", odd))


def written(trial: Trial) -> str:
    """One line of Python literals, which ``real.py`` reads."""
    return repr((_plain(trial.layer), _plain(trial.inputs), {key: _plain(value) for key, value in trial.call.items()}))


def _plain(value: object) -> object:
    if isinstance(value, Layer):
        keywords = {key: _plain(each) for key, each in value.keywords.items()}
        return ("$layer", value.name, tuple(_plain(each) for each in value.positional), keywords)
    if isinstance(value, Tensor):
        return ("$tensor", value.shape, value.dtype)
    if isinstance(value, tuple):
        return tuple(_plain(each) for each in value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value
