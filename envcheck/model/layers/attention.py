"""Attention.

Keras 3 promises the shapes of a symbolic call without looking whether the tensors fit; TensorFlow looks once there is
data. Keras 2 looks in the call.

Source: https://keras.io/api/layers/attention_layers/ ; ``keras/src/layers/attention`` of both versions.
"""

from __future__ import annotations

from functools import partial

from envcheck.model.layers.dtypes import FLOATS, computing, floating, kept
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, dimensions, refuse
from envcheck.model.tensors import Output, Tensor, text

Known = tuple[int | None, ...]


def _inputs(arguments: Arguments, call: Call, stage_of_few: str) -> list[Known]:
    """The shapes of query, value and key."""
    if isinstance(call.inputs, Tensor):
        if arguments.keras == 2:
            raise Unclear
        refuse("build", "a list of query and value, or of query, value and key, is expected, not one tensor")
    if not 2 <= len(call.inputs) <= 3:
        reason = f"a list of 2 or 3 tensors is expected, got {len(call.inputs)}"
        refuse("build" if stage_of_few == "build" or arguments.keras == 3 else "call", reason)
    shapes = [dimensions(each) for each in call.inputs]
    return [*shapes, shapes[1]] if len(shapes) == 2 else shapes


def _attend(arguments: Arguments, call: Call, additive: bool) -> Output:
    mode = "additive" if additive else arguments["score_mode"]
    if mode not in ("dot", "concat", "additive"):
        refuse("construction", f"score_mode={mode!r} is not 'dot' or 'concat'")
    dropout = arguments["dropout"]
    if not isinstance(dropout, (int, float)):
        raise Unclear
    query, value, key = _inputs(arguments, call, "build" if additive else "call")
    scale = arguments["use_scale"]
    if additive and scale:
        if (query if arguments.keras == 3 else value)[-1] is None:
            refuse("build", f"the last axis is free (None): shapes {text(query)} and {text(value)}")
        floating(arguments)
    if arguments.keras == 3:
        if len(query) < 2 or len(key) < 2:
            raise Unclear
        found: Known = (*query[:-1], value[-1])
        scores: Known = (*query[:-1], key[-2])
    else:
        _floats(arguments, call)
        found, scores = _product(query, value, key, str(mode), value[-1] if additive and scale else None)
    dtype = computing(arguments)
    if call.flag("return_attention_scores"):
        return Tensor(found, dtype), Tensor(scores, dtype)
    return Tensor(found, dtype)


def _floats(arguments: Arguments, call: Call) -> None:
    assert not isinstance(call.inputs, Tensor)
    dtypes = {kept(each, arguments) for each in call.inputs}
    if dtypes != {computing(arguments)} or not dtypes <= set(FLOATS):
        raise Unclear


def _product(query: Known, value: Known, key: Known, mode: str, scale: int | None) -> tuple[Known, Known]:
    """What TensorFlow makes of three tensors: the result and the scores."""
    if not len(query) == len(value) == len(key) >= 3:
        raise Unclear
    depth = query[-1], key[-1]
    fits = depth[0] == depth[1] or None in depth or (mode != "dot" and 1 in depth)
    if not fits:
        refuse("call", f"the last axes of query and key must be equal: {text(query)} and {text(key)}")
    if scale is not None:
        widest = max((each for each in depth if each is not None), default=1)
        if None not in depth and scale not in (1, widest) and widest != 1:
            refuse("call", f"the last axis of the value is {scale}, of query and key {widest}")
        if None in depth:
            raise Unclear
    if key[-2] != value[-2] and None not in (key[-2], value[-2]):
        refuse("call", f"key and value must have the same length: {text(key)} and {text(value)}")
    batch = tuple(_same(sizes) for sizes in zip(query[:-2], key[:-2], value[:-2], strict=True))
    return (*batch, query[-2], value[-1]), (*batch, query[-2], key[-2])


def _same(sizes: tuple[int | None, ...]) -> int | None:
    """One axis of several tensors that TensorFlow broadcasts: only the plain cases."""
    known = {each for each in sizes if each is not None}
    if len(known) > 1 or 1 in known:
        raise Unclear
    return next(iter(known), None)


def _heads(arguments: Arguments) -> int:
    """How many heads the query has."""
    heads, shared, size = arguments["num_query_heads"], arguments["num_key_value_heads"], arguments["head_dim"]
    if not isinstance(heads, int) or not isinstance(shared, int) or shared <= 0:
        raise Unclear
    if heads % shared:
        refuse("construction", f"num_query_heads={heads} cannot be divided by num_key_value_heads={shared}")
    if size == 0:
        refuse("construction", "head_dim=0: at least 1 is expected", "grouped-query-size")
    return heads


def _grouped(arguments: Arguments, call: Call) -> Output:
    heads, size = _heads(arguments), arguments["head_dim"]
    query, value = call.tensor(), call.keywords.get("value")
    if value is None:
        refuse("call", "the argument 'value' of the call is missing: layer(query, value)")
    if not isinstance(value, Tensor) or call.keywords.get("key") is not None:
        raise Unclear
    if not isinstance(size, int) or size < 0 or heads <= 0:
        raise Unclear
    one, other = dimensions(query), dimensions(value)
    if len(one) != 3 or len(other) != 3:
        raise Unclear
    if one[-1] is None or other[-1] is None:
        refuse("build", f"the last axis is free (None): shapes {text(one)} and {text(other)}")
    dtype = floating(arguments)
    if one[-1] != other[-1]:
        refuse("call", f"the last axes of query and value must be equal: {text(one)} and {text(other)}")
    found = Tensor(one, dtype)
    if call.flag("return_attention_scores"):
        return found, Tensor((one[0], heads, one[1], other[1]), dtype)
    return found


RULES = (
    Rule("Attention", "use_scale=False, score_mode='dot', dropout=0.0", partial(_attend, additive=False)),
    Rule("AdditiveAttention", "use_scale=True, dropout=0.0", partial(_attend, additive=True)),
    Rule("GroupedQueryAttention", "head_dim, num_query_heads, num_key_value_heads", _grouped, only=3),
)
