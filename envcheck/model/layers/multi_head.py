"""``MultiHeadAttention``.

Keras 2 makes its weights inside of the call, so that everything it refuses is refused there. Keras 3 looks at the
arguments when it is made and at the shapes when it is built, and leaves it to TensorFlow, once there is data, whether
query and value fit. Its promise of the scores takes the query's length for the key's.

Source: https://keras.io/api/layers/attention_layers/multi_head_attention/
"""

from __future__ import annotations

from envcheck.model.layers.dtypes import FLOATS, computing, floating, kept, policy
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, dimensions, refuse
from envcheck.model.tensors import Output, Tensor, text

Known = tuple[int | None, ...]


def _attend(arguments: Arguments, call: Call) -> Output:
    heads = arguments["num_heads"]
    if arguments.keras == 3:
        for name in ("num_heads", "key_dim", "value_dim"):
            value = arguments[name]
            if name == "value_dim" and value is None:
                continue
            if not isinstance(value, int) or value <= 0:
                refuse("construction", f"{name}={value!r}: a whole number above 0 is expected", "newly-checked")
    extra = _extra(arguments["output_shape"])
    query, value, key = _tensors(call)
    shapes = dimensions(query), dimensions(value), dimensions(key)
    if arguments.keras == 3:
        if arguments.given("attention_axes") or arguments.given("sliding_window"):
            _axes(arguments, len(shapes[1]))
        return _symbolic(arguments, call, shapes, extra, heads)
    for each in (query, value, key):
        if kept(each, arguments) not in FLOATS:
            refuse("call", f"a tensor of dtype {each.dtype}: a float dtype is expected")
    return _called(arguments, call, shapes, extra)


def _extra(value: object) -> Known:
    """The last axes of the output where ``output_shape`` gives them."""
    if not value:
        return ()
    if isinstance(value, int) and not isinstance(value, bool):
        return (value,)
    if isinstance(value, (tuple, list)) and all(isinstance(each, int) for each in value):
        return tuple(value)
    raise Unclear


def _tensors(call: Call) -> tuple[Tensor, Tensor, Tensor]:
    query, value, key = call.tensor(), call.keywords.get("value"), call.keywords.get("key")
    if value is None:
        refuse("call", "the argument 'value' of the call is missing: layer(query, value)")
    key = value if key is None else key
    if not isinstance(value, Tensor) or not isinstance(key, Tensor):
        raise Unclear
    return query, value, key


def _axes(arguments: Arguments, rank: int) -> tuple[int, ...]:
    """The axes that are attended over: all between the batch and the last one by default."""
    value = arguments["attention_axes"]
    if value is None:
        return tuple(range(1, rank - 1))
    axes = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    found = []
    for each in axes:
        if not isinstance(each, int) or not 0 < each < rank - 1:
            raise Unclear
        found.append(each)
    return tuple(found)


def _symbolic(
    arguments: Arguments, call: Call, shapes: tuple[Known, Known, Known], extra: Known, heads: object
) -> Output:
    query, value, key = shapes
    if min(map(len, shapes)) < 2:
        raise Unclear
    if value[1:-1] != key[1:-1]:
        refuse("build", f"value and key must be equal but for the last axis: {text(value)} and {text(key)}")
    for each in shapes:
        if each[-1] is None:
            refuse("build", f"the last axis is free (None): shape {text(each)}")
    dtype = floating(arguments)
    if min(map(len, shapes)) < 3:
        raise Unclear
    found = Tensor((*query[:-1], *extra) if extra else query, dtype)
    if call.flag("return_attention_scores"):
        assert isinstance(heads, int)
        return found, Tensor((query[0], int(heads), query[1], query[1]), dtype)
    return found


def _called(arguments: Arguments, call: Call, shapes: tuple[Known, Known, Known], extra: Known) -> Output:
    query, value, key = shapes
    _weights(arguments, shapes)
    if len(query) != len(value) or len(key) != len(value):
        refuse("call", f"query, value and key must have the same rank: {', '.join(map(text, shapes))}")
    rank = len(query)
    if rank < 3:
        raise Unclear
    axes = _axes(arguments, rank)
    if call.flag("use_causal_mask") and (rank != 3 or axes != (1,)):
        raise Unclear
    rest = [_equal(axis, shapes) for axis in range(rank - 1) if axis not in axes]
    for axis in axes:
        if None not in (key[axis], value[axis]) and key[axis] != value[axis]:
            refuse("call", f"key and value must be equal at axis {axis}: {text(key)} and {text(value)}")
    dtype = computing(arguments)
    between = iter(rest)
    found: list[int | None] = [query[axis] if axis in axes else next(between) for axis in range(rank - 1)]
    output = Tensor((*found, *(extra or query[-1:])), dtype)
    if call.flag("return_attention_scores"):
        heads = arguments["num_heads"]
        assert isinstance(heads, int)
        scores = (*rest, heads, *(query[axis] for axis in axes), *(key[axis] for axis in axes))
        return output, Tensor(scores, dtype)
    return output


def _weights(arguments: Arguments, shapes: tuple[Known, Known, Known]) -> None:
    """What the dense layers inside need."""
    for each in shapes:
        if each[-1] is None:
            refuse("call", f"the last axis is free (None): shape {text(each)}")
    for name in ("num_heads", "key_dim", "value_dim"):
        size = arguments[name]
        if size is None and name == "value_dim":
            continue
        if not isinstance(size, int) or size < 0:
            refuse("call", f"{name}={size!r}: a whole number above 0 is expected")
        if isinstance(size, bool) or (size == 0 and name != "value_dim"):
            raise Unclear
    dtype = policy(arguments)[1]
    if dtype not in FLOATS:
        why = f"weights of dtype {dtype} cannot be initialized: a float dtype is expected"
        refuse("call", why, "multi-head-dtype")


def _equal(axis: int, shapes: tuple[Known, Known, Known]) -> int | None:
    """An axis that query, value and key share."""
    known = {each[axis] for each in shapes} - {None}
    if len(known) > 1:
        if 1 in known:
            raise Unclear
        refuse("call", f"query, value and key must be equal at axis {axis}: {', '.join(map(text, shapes))}")
    return next(iter(known), None)


_PARAMETERS = "num_heads, key_dim, value_dim=None, dropout=0.0, use_bias=True, output_shape=None, attention_axes=None"

RULES = (Rule("MultiHeadAttention", _PARAMETERS, _attend),)
