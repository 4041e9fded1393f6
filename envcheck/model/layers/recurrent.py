"""Recurrent layers and their cells.

Source: https://keras.io/api/layers/recurrent_layers/ ; ``keras/src/layers/rnn`` of both versions.
"""

from __future__ import annotations

from functools import partial

from envcheck.model.layers.checked import activation, made_of
from envcheck.model.layers.dtypes import FLOATS, computing, floating, kept, refuse_whole
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, ranked, refuse, require_rank
from envcheck.model.tensors import UNKNOWN, Dimension, Layer, Output, Tensor, Unknown, text

LAYERS = ("SimpleRNN", "GRU", "LSTM")
CELLS = {"SimpleRNNCell": 1, "GRUCell": 1, "LSTMCell": 2}
"""Each cell and how many states it has."""


def _units(arguments: Arguments, states: int, nested: bool) -> Dimension | float:
    """The number of units. A fraction passes the check ``units <= 0``, and fails a little later."""
    value = arguments.look("units")
    if isinstance(value, Unknown):
        return value
    if not isinstance(value, (int, float)) or value <= 0:
        row = "units-zero" if value == 0 else ""
        refuse("construction", f"units={value!r}: a whole number above 0 is expected", row)
    if isinstance(value, float):
        # One state: Keras 3 looks at its size at once. Two: Keras 2 does.
        if not nested and (states == 1) == (arguments.keras == 3):
            refuse("construction", f"units={value!r} is not a whole number")
        return value
    if isinstance(value, bool) and arguments.keras == 2:
        raise Unclear
    return int(value)


def _common(arguments: Arguments, states: int, nested: bool = False) -> Dimension | float:
    """What a cell's constructor checks, which is also a layer's."""
    units = _units(arguments, states, nested)
    activation(arguments)
    if states != 1 or arguments.given("recurrent_activation"):
        activation(arguments, "recurrent_activation")
    for name in ("dropout", "recurrent_dropout"):
        value = arguments.look(name)
        if not isinstance(value, (int, float, Unknown)):
            refuse("construction", f"{name}={value!r} is not a number")
    if arguments.keras == 3 and arguments.given("time_major"):
        refuse("construction", "Keras 3 has no argument 'time_major'")
    return units


def _flag(arguments: Arguments, name: str) -> bool:
    value = arguments[name]
    if value is None:
        return False
    if isinstance(value, (bool, int)):
        return bool(value)
    raise Unclear


def outputs(
    arguments: Arguments,
    shape: tuple[Dimension, ...],
    features: tuple[Dimension, ...],
    states: list[Dimension],
    dtype: str,
) -> Output:
    """What a recurrent layer returns: the last step or all of them, and its states if it is asked for them.

    Args:
        arguments: The layer's.
        shape: The input's; batch and steps are read.
        features: The axes after batch and steps.
        states: The sizes of the states where they are vectors; empty: two states like the output.
        dtype: Of all of them.
    """
    batch, steps = shape[0], shape[1]
    if arguments.keras == 2 and _flag(arguments, "time_major"):
        batch, steps = steps, batch
        sequence: tuple[Dimension, ...] = (steps, batch, *features)
    else:
        sequence = (batch, steps, *features)
    first = Tensor(sequence if _flag(arguments, "return_sequences") else (batch, *features), dtype)
    if not _flag(arguments, "return_state"):
        return first
    if arguments.keras == 2 and _flag(arguments, "time_major") and batch is not None:
        batch = UNKNOWN  # it depends on the initial states, and on the release
    shapes = [(batch, size) for size in states] if states else [(batch, *features)] * 2
    return (first, *(Tensor(each, dtype) for each in shapes))


def prepare(arguments: Arguments, tensor: Tensor) -> tuple[tuple[Dimension, ...], str]:
    """What every recurrent layer checks when it is built and called; the shape and the dtype inside."""
    shape = ranked(tensor)
    batch, steps = (shape[1], shape[0]) if _flag(arguments, "time_major") else (shape[0], shape[1])
    if _flag(arguments, "stateful") and batch is None:
        refuse("build", f"stateful=True needs to know the batch size, which is free (None): shape {text(shape)}")
    mine = floating(arguments)
    if arguments.keras == 3:
        return shape, computing(arguments)
    if _flag(arguments, "unroll") and steps is None:
        refuse("call", f"unroll=True needs to know the number of steps, which is free (None): shape {text(shape)}")
    inside = kept(tensor, arguments)
    if inside not in FLOATS:
        refuse_whole(inside, mine)
    return shape, inside


def _recur(arguments: Arguments, call: Call, states: int) -> Output:
    units = _common(arguments, states)
    shape = ranked(call.tensor())
    initial = call.keywords.get("initial_state")
    if initial is not None and arguments.keras == 2:
        forgets = shape[0] is not None and _flag(arguments, "return_state")  # the states' batch is that of those given
        if len(shape) != 3 or shape[0] == 1 or forgets or computing(arguments) != "float32":
            raise Unclear
        _initial(initial, units, states)
    require_rank(shape, exactly=3)
    units = made_of(units, "units")
    if shape[-1] is None:
        refuse("build", f"the last axis of the input is free (None): shape {text(shape)}")
    shape, dtype = prepare(arguments, call.tensor())
    return outputs(arguments, shape, (units,), [units] * states, dtype)


def _initial(value: object, units: Dimension | float, states: int) -> None:
    """Keras 2 compares the given states with the cell's. Keras 3 does not before there is data."""
    tensors = value if isinstance(value, (tuple, list)) else (value,)
    if not all(isinstance(each, Tensor) for each in tensors):
        raise Unclear
    sizes = []
    for each in tensors:
        shape = ranked(each)
        if len(shape) != 2 or shape[0] is not None or each.dtype != "float32":
            raise Unclear
        sizes.append(shape[1])
    if UNKNOWN in sizes or isinstance(units, Unknown):
        raise Unclear
    if len(sizes) != states or any(each != units for each in sizes):
        refuse("build", f"initial states of sizes {sizes} for {states} of size {units}")


def _call_cell(arguments: Arguments, call: Call, states: int) -> Output:
    """A cell called by hand, on one step and its states."""
    units = _common(arguments, states, nested=True)
    shape = ranked(call.tensor())
    given = call.keywords.get("states")
    if shape[-1] is None:
        refuse("build", f"the last axis of the input is free (None): shape {text(shape)}")
    units = made_of(units, "units")
    if len(shape) != 2 or arguments.given("dtype") or call.tensor().dtype != "float32":
        raise Unclear
    if not isinstance(given, (tuple, list)) or len(given) != states:
        raise Unclear
    batch = shape[0]
    for each in given:
        if not isinstance(each, Tensor) or each.dtype != "float32":
            raise Unclear
        other = ranked(each)
        if len(other) != 2 or isinstance(units, Unknown) or other[0] is not None or isinstance(other[1], Unknown):
            raise Unclear
        if other[1] != units:
            if other[1] in (1, None) or units == 1:
                raise Unclear
            refuse("call", f"a state of size {other[1]} in a cell of {units} units")
    if batch == 1:
        raise Unclear
    return tuple(Tensor((batch, units), "float32") for _ in range(states + 1))


def _cells(arguments: Arguments, value: object) -> list[tuple[Dimension | float, int]]:
    """The units and the number of states of a cell, or of each of several."""
    if isinstance(value, (tuple, list)):
        return [found for each in value for found in _cells(arguments, each)]
    if not isinstance(value, Layer):
        raise Unclear
    name, inner = arguments.inside.bind(value)
    if name == "StackedRNNCells":
        return _cells(arguments, inner["cells"])
    if name not in CELLS:
        refuse("construction", f"{name} is no cell of a recurrent layer: it has no states")
    units = _common(inner, CELLS[name], nested=True)
    if inner.given("dtype") and (arguments.keras == 2 or computing(inner) not in FLOATS):
        raise Unclear
    return [(units, CELLS[name])]


def _stacked(arguments: Arguments, layer: Layer) -> bool:
    return arguments.inside.bind(layer)[0] == "StackedRNNCells"


def _recur_cell(arguments: Arguments, call: Call) -> Output:
    """``RNN``. It has no ``input_spec`` of its own."""
    cells = _cells(arguments, arguments["cell"])
    cell = arguments["cell"]
    single = isinstance(cell, Layer) and len(cells) == 1 and not _stacked(arguments, cell)
    if arguments.keras == 3 and single and cells[0][1] == 1 and isinstance(cells[0][0], float):
        refuse("construction", f"units={cells[0][0]} of the cell is not a whole number")
    if not cells or (arguments.keras == 2 and arguments.given("dtype")):
        raise Unclear
    shape = ranked(call.tensor())
    if len(shape) != 3:
        raise Unclear
    if shape[-1] is None:
        refuse("build", f"the last axis of the input is free (None): shape {text(shape)}")
    sizes: list[Dimension] = [made_of(units, "units") for units, states in cells for _ in range(states)]
    shape, dtype = prepare(arguments, call.tensor())
    return outputs(arguments, shape, (made_of(cells[-1][0], "units"),), sizes, dtype)


def _stack(arguments: Arguments, _call: Call) -> Output:
    _cells(arguments, arguments["cells"])
    raise Unclear


FLAGS = "return_sequences=False, return_state=False, go_backwards=False, stateful=False"
_SIMPLE = "units, activation='tanh', use_bias=True"
_GATED = "units, activation='tanh', recurrent_activation='sigmoid', use_bias=True"
_REST = "*, dropout=0.0, recurrent_dropout=0.0, unroll=False"

RULES = (
    Rule("SimpleRNN", f"{_SIMPLE}, {_REST}, {FLAGS}", partial(_recur, states=1)),
    Rule("GRU", f"{_GATED}, {_REST}, {FLAGS}", partial(_recur, states=1)),
    Rule("LSTM", f"{_GATED}, {_REST}, {FLAGS}", partial(_recur, states=2)),
    Rule("SimpleRNNCell", f"{_SIMPLE}, {_REST}", partial(_call_cell, states=1)),
    Rule("GRUCell", f"{_GATED}, {_REST}", partial(_call_cell, states=1)),
    Rule("LSTMCell", f"{_GATED}, {_REST}", partial(_call_cell, states=2)),
    Rule("StackedRNNCells", "cells", _stack),
    Rule("RNN", f"cell, {FLAGS}, unroll=False", _recur_cell),
)
