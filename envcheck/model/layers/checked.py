"""Arguments that many layers share, checked as Keras checks them: sizes, padding, data format, activation, rates.

Sources: ``keras/src/utils/conv_utils.py`` (Keras 2) and ``keras/src/utils/argument_validation.py`` (Keras 3);
https://keras.io/api/layers/activations/ for the names.
"""

from __future__ import annotations

from envcheck.model.layers.rule import Arguments, Unclear, refuse, refusing
from envcheck.model.tensors import UNKNOWN, Dimension, Layer, Unknown

_ACTIVATIONS = frozenset(
    (
        *("celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish"),
        *("hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu"),
        *("sigmoid", "silu", "softmax", "softplus", "softsign", "soft_shrink", "sparse_plus", "sparse_sigmoid"),
        *("sparsemax", "squareplus", "swish", "tanh", "tanh_shrink", "threshold"),
    )
)
"""Names of any release. Which release has which is another check's question."""


def activation(arguments: Arguments, name: str = "activation") -> None:
    """An activation that no release has, and that is neither a function nor a layer, is refused."""
    value = arguments.look(name)
    if value is None or isinstance(value, (Unknown, Layer)):
        return
    if isinstance(value, str):
        # Names of classes, and names that somebody registered in another way, are not decided here.
        if value.islower() and value.isidentifier() and value not in _ACTIVATIONS:
            refuse("construction", f"{name}='{value}' is no activation that Keras knows")
    elif isinstance(value, (int, float)):
        refuse("construction", f"{name}={value!r} is no activation: a name or a function is expected")
    else:
        raise Unclear


def sizes(arguments: Arguments, name: str, rank: int, zero: bool = False) -> tuple[int, ...] | Unknown:
    """A size per spatial axis, as ``conv_utils.normalize_tuple`` makes them.

    A float inside of a tuple passes here and fails later, in another place in each layer: that raises
    :class:`Unclear`.
    """
    value = arguments.look(name)
    if isinstance(value, Unknown):
        return UNKNOWN
    return checked_sizes(arguments[name], name, rank, zero)


def checked_sizes(value: object, name: str, rank: int, zero: bool = False) -> tuple[int, ...]:
    """The same for a value."""
    wanted = f"{name}={value!r} is not {rank} whole number{'s' if rank > 1 else ''}"
    if isinstance(value, int):
        each: tuple[object, ...] = (value,) * rank
    elif isinstance(value, (tuple, list, str)):
        each = tuple(value)
    elif isinstance(value, (dict, Layer)):
        raise Unclear
    else:
        refuse("construction", wanted)
    if len(each) != rank or any(isinstance(number, str) for number in each):
        # Text that looks like a number passes int() and fails in the comparison that follows.
        refuse("construction", wanted, "sizes-in-range" if len(each) == rank else "")
    found = []
    fraction = False
    for number in each:
        if isinstance(number, float):
            fraction = True
        elif not isinstance(number, int):
            refuse("construction", wanted)
        if number < 0 or (number == 0 and not zero):
            at_least = "0 or more" if zero else "at least 1"
            refuse("construction", f"{name}={value!r}: each must be {at_least}", "sizes-in-range")
        found.append(int(number))
    if fraction:
        raise Unclear
    return tuple(found)


def padding(arguments: Arguments, causal: bool = False) -> str:
    """``valid`` or ``same`` (or ``causal``), in lower case."""
    value = arguments["padding"]
    if isinstance(value, (tuple, list)):
        raise Unclear
    if not isinstance(value, str):
        refuse("construction", f"padding={value!r} is not 'valid' or 'same'")
    if value.lower() not in ("valid", "same", *(("causal",) if causal else ())):
        allowed = "'valid', 'same' or 'causal'" if causal else "'valid' or 'same'"
        refuse("construction", f"padding='{value}' is not {allowed}")
    return value.lower()


def channels_first(arguments: Arguments) -> bool:
    """Whether the channels come first. Keras's configuration file may say so where the source says nothing."""
    value = arguments["data_format"]
    if value is None:
        value = "channels_last"
    if not isinstance(value, str) or value.lower() not in ("channels_first", "channels_last"):
        refuse("construction", f"data_format={value!r} is not 'channels_last' or 'channels_first'")
    return value.lower() == "channels_first"


def positive(arguments: Arguments, name: str, row: str = "") -> Dimension:
    """A number of units as Keras 3 wants it: a whole number above 0."""
    value = arguments.look(name)
    if isinstance(value, Unknown):
        return value
    if not isinstance(value, int) or value <= 0:
        refuse("construction", f"{name}={value!r}: a whole number above 0 is expected", row)
    return int(value)


def filters(arguments: Arguments) -> Dimension | float:
    """A number of filters. None passes the construction, and no weights can be made of it: :func:`made_of`.

    Keras 2 cuts a fraction off; in Keras 3 the fraction stays, and fails like None.
    """
    value = arguments.look("filters")
    if isinstance(value, Unknown):
        return value
    if value is None:
        return None
    if not isinstance(value, (int, float)):
        refuse("construction", f"filters={value!r}: a whole number above 0 is expected")
    if isinstance(value, float) and arguments.keras == 2:
        with refusing("construction", f"filters={value!r}: a whole number above 0 is expected"):
            value = int(value)
    if value <= 0:
        row = "filters-zero" if value == 0 else ""
        refuse("construction", f"filters={value!r}: at least 1 is expected", row)
    return value if isinstance(value, float) else int(value)


def made_of(count: Dimension | float, name: str = "filters") -> int | Unknown:
    """A number that weights are made of."""
    if count is None or isinstance(count, float):
        refuse("build", f"weights cannot be made for {name}={count}")
    return count
