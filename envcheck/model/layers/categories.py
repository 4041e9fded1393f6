"""Preprocessing of categories and text: counting, hashing, looking up.

Keras 3 promises a shape by a formula of each layer; Keras 2 lets TensorFlow count, which takes tensors of at most two
axes and refuses the others in the call.

Source: https://keras.io/api/layers/preprocessing_layers/ ; ``keras/src/layers/preprocessing`` of both versions.
"""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.model.layers.dtypes import computing
from envcheck.model.layers.rule import Arguments, Call, Rule, Unclear, ranked, refuse
from envcheck.model.tensors import UNKNOWN, Dimension, Output, Tensor, Unknown, text

Dimensions = tuple[Dimension, ...]
COUNTING = ("count", "one_hot", "multi_hot")


def mode(arguments: Arguments, allowed: tuple[str, ...]) -> str:
    """The output mode; ``binary`` is an old name of ``multi_hot``, where that is allowed."""
    value = arguments["output_mode"]
    if value == "binary" and "multi_hot" in allowed:
        raise Unclear
    if not isinstance(value, str) or value not in allowed:
        refuse("construction", f"output_mode={value!r} is not one of {', '.join(allowed)}")
    return value


def counted(shape: Dimensions, how: str, depth: Dimension) -> Dimensions:
    """The shape of a count in Keras 2: ``preprocessing_utils.encode_categorical_inputs``."""
    rank = len(shape)
    if how == "one_hot" and last_known(shape) != 1:
        rank += 1
    if rank > 2:
        refuse("call", f"output_mode='{how}' makes a tensor of rank {rank}, at most 2 is possible: shape {text(shape)}")
    return (depth,) if rank == 1 else (shape[0], depth)


def last_known(shape: Dimensions) -> Dimension:
    """The last axis, where the rank of the result depends on whether it is 1."""
    if isinstance(shape[-1], Unknown):
        raise Unclear
    return shape[-1]


def plain(arguments: Arguments) -> None:
    """A dtype of one's own changes what these layers are; that is left open."""
    if arguments.given("dtype") or arguments.given("sparse") or arguments.given("ragged"):
        raise Unclear


def _encode(arguments: Arguments, call: Call) -> Output:
    how = mode(arguments, COUNTING)
    tokens = arguments["num_tokens"]
    if tokens is None:
        refuse("construction", "num_tokens is missing")
    if not isinstance(tokens, (int, float)):
        raise Unclear
    if tokens < 1:
        refuse("construction", f"num_tokens={tokens}: at least 1 is expected")
    shape = ranked(call.tensor())
    if arguments.keras == 2:
        _encoded2(arguments, call, how)
    if isinstance(tokens, bool):
        raise Unclear
    if isinstance(tokens, float):
        refuse("call", f"num_tokens={tokens} is not a whole number")
    if arguments.keras == 2:
        return Tensor(counted(shape, how, tokens), "float32")
    dtype = computing(arguments)
    if how == "one_hot" and (len(shape) == 1 or last_known(shape) != 1):
        return Tensor((*shape, tokens), dtype)
    return Tensor((*shape[:-1], tokens), dtype)


def _encoded2(arguments: Arguments, call: Call, how: str) -> None:
    """What Keras 2 looks at besides."""
    plain(arguments)
    weights = call.keywords.get("count_weights") is not None
    if weights and how != "count":
        refuse("call", f"count_weights is only for output_mode='count', not '{how}'")
    if call.tensor().dtype in ("bool", "string"):
        refuse("call", f"an input of dtype {call.tensor().dtype}: numbers of categories are expected")
    if weights:
        raise Unclear


def _discretize(arguments: Arguments, call: Call) -> Output:
    how = mode(arguments, ("int", *COUNTING))
    _, edges = _bins(arguments)
    plain(arguments)
    shape = ranked(call.tensor())
    if arguments.keras == 2:
        return _discretized2(call, how, shape, edges)
    if how != "int":
        raise Unclear  # each release of Keras 3 promises something else
    return Tensor(shape, UNKNOWN)  # int64 in some, int32 in others


def _bins(arguments: Arguments) -> tuple[int | None, Sequence[object] | None]:
    """The number of bins, or their edges."""
    bins, edges = arguments["num_bins"], arguments["bin_boundaries"]
    if bins is not None and not isinstance(bins, int):
        raise Unclear
    if bins is not None and bins < 0:
        refuse("construction", f"num_bins={bins}: 0 or more is expected")
    if bins is not None and edges is not None:
        refuse("construction", "num_bins and bin_boundaries are given: only one of them may be", "discretization-bins")
    if arguments.keras == 3 and bins is None and edges is None:
        refuse("construction", "one of num_bins and bin_boundaries is needed", "discretization-bins")
    if edges is not None and not isinstance(edges, (tuple, list)):
        raise Unclear
    return bins, edges


def _discretized2(call: Call, how: str, shape: Dimensions, edges: Sequence[object] | None) -> Output:
    if call.tensor().dtype in ("bool", "string"):
        refuse("call", f"an input of dtype {call.tensor().dtype}: a number is expected")
    if call.tensor().dtype not in ("float32", "int32"):
        raise Unclear
    if how == "int":
        return Tensor(shape, "int64")
    # Without edges there is one bin until adapt() was called, whatever num_bins says.
    return Tensor(counted(shape, how, len(edges or ()) + 1), "float32")


def _hash(arguments: Arguments, call: Call) -> Output:
    bins, salt = arguments["num_bins"], arguments["salt"]
    if bins is None or (isinstance(bins, (int, float)) and bins <= 0):
        refuse("construction", f"num_bins={bins}: a whole number above 0 is expected")
    if not isinstance(bins, (int, float)):
        raise Unclear
    if salt is not None and not isinstance(salt, int) and not (isinstance(salt, (tuple, list)) and len(salt) == 2):
        refuse("construction", f"salt={salt!r} is not a whole number, or two of them")
    how = mode(arguments, ("int", *COUNTING))
    plain(arguments)
    shape = ranked(call.tensor())
    if isinstance(bins, bool):
        raise Unclear
    if arguments.keras == 2:
        _hashed2(arguments, call)
    if isinstance(bins, float) and arguments.keras == 2:
        raise Unclear  # TensorFlow takes it or not, by the kind of hash
    if isinstance(bins, float) and how != "int":
        refuse("call", f"num_bins={bins} is not a whole number")
    if how == "int" or isinstance(bins, float):
        return Tensor(shape, "int64")
    return Tensor((*shape[:-1], bins) if arguments.keras == 3 else counted(shape, how, bins), "float32")


def _hashed2(arguments: Arguments, call: Call) -> None:
    """What Keras 2 looks at besides."""
    dtype = call.tensor().dtype
    if dtype not in ("string", "int32", "int64"):
        if dtype in ("float16", "float32", "float64", "bool"):
            refuse("call", f"an input of dtype {dtype}: whole numbers or text are expected")
        raise Unclear
    mask = arguments["mask_value"]
    if mask is not None and isinstance(mask, str) != (dtype == "string"):
        refuse("call", f"mask_value={mask!r} cannot be compared with {dtype}")


def _cross(arguments: Arguments, call: Call) -> Output:
    how = mode(arguments, ("int", "one_hot"))
    plain(arguments)
    bins = arguments["num_bins"]
    tensors = () if isinstance(call.inputs, Tensor) else call.inputs
    if len(tensors) != 2:
        if len(tensors) > 2:
            raise Unclear
        refuse("call", "HashedCrossing wants a list of 2 tensors")
    one, other = ranked(tensors[0]), ranked(tensors[1])
    if UNKNOWN in (*one, *other):
        raise Unclear
    if arguments.keras == 3:
        if one[-1] != other[-1]:
            refuse("call", f"tensors of the same shape are expected: {text(one)} and {text(other)}")
        return _crossed3(one, how, bins)
    return _crossed2(tensors, one, other, how, bins)


def _crossed2(tensors: tuple[Tensor, ...], one: Dimensions, other: Dimensions, how: str, bins: object) -> Output:
    if len(one) != len(other) or any(a != b for a, b in zip(one, other, strict=True) if None not in (a, b)):
        refuse("call", f"tensors of the same shape are expected: {text(one)} and {text(other)}")
    if one != other:
        raise Unclear
    if len(one) > 2 or (len(one) == 2 and one[-1] != 1):
        refuse("call", f"tensors of shape (batch,) or (batch, 1) are expected: {text(one)}")
    dtypes = {each.dtype for each in tensors}
    if not dtypes <= {"string", "int32", "int64"}:
        if not dtypes & {"float16", "float32", "float64", "bool"}:
            raise Unclear
        refuse("call", f"whole numbers or text are expected, got {' and '.join(map(str, dtypes))}")
    if not isinstance(bins, int) or isinstance(bins, bool) or bins <= 0:
        raise Unclear
    if how == "int":
        return Tensor((None, 1) if len(one) == 2 else (None,), "int64")
    return Tensor((None, bins), "float32")


def _crossed3(shape: Dimensions, how: str, bins: object) -> Output:
    if how == "int":
        return Tensor(shape, "int64")
    if not isinstance(bins, int) or isinstance(bins, bool) or bins <= 0:
        raise Unclear
    return Tensor((*shape, bins) if shape[-1] != 1 else (*shape[:-1], bins), "float32")


RULES = (
    Rule("CategoryEncoding", "num_tokens=None, output_mode='multi_hot', sparse=False", _encode),
    Rule(
        "Discretization",
        "bin_boundaries=None, num_bins=None, epsilon=0.01, output_mode='int', sparse=False",
        _discretize,
    ),
    Rule("Hashing", "num_bins, mask_value=None, salt=None, output_mode='int', sparse=False", _hash),
    Rule("HashedCrossing", "num_bins, output_mode='int', sparse=False", _cross),
)
