"""Layers: what making one and calling one gives."""

from __future__ import annotations

from envcheck.model import layers as rules
from envcheck.model.core import Call, Core
from envcheck.model.events import Array, KerasTensor, LayerCalled, LayerMade, Made, Where
from envcheck.model.names import MERGING, words
from envcheck.model.publish import layer as as_rule
from envcheck.model.publish import public
from envcheck.model.tensors import UNKNOWN, Layer, Output, Refused, Shape, Tensor, Unknown
from envcheck.model.values import Bound, Function, LayerObject, List, Symbol, Value

_MORE = {"MultiHeadAttention": ("value", "key")}
"""Names of what a layer's call takes by position after its first argument."""
_CHANNELS = (
    "Conv",
    "Pool",
    "Cropping",
    "ZeroPadding",
    "UpSampling",
    "Flatten",
    "SpatialDropout",
    "Separable",
    "Depthwise",
)
_LISTS = words(
    "Add Average Concatenate Dot Maximum Minimum Multiply Subtract Attention AdditiveAttention HashedCrossing"
)
_KERAS_1 = words(
    "nb_filter nb_row nb_col nb_feature border_mode subsample subsample_length filter_length output_dim init inner_init "
    "forget_bias_init inner_activation W_regularizer b_regularizer U_regularizer W_constraint b_constraint U_constraint bias "
    "dim_ordering pool_length atrous_rate p dropout_W dropout_U"
)
"""Names of arguments that Keras 1 had: https://github.com/keras-team/keras/wiki/Keras-2.0-release-notes"""
_WITHOUT_SHAPE = frozenset(
    ("training", "mask", "initial_state", "attention_mask", "query_mask", "use_causal_mask", "name")
)


def make(machine: Core, name: str, call: Call, announce: bool = True) -> LayerObject:
    """A layer of Keras is made."""
    positional = tuple(public(machine, each) for each in call.positional)
    keywords = {key: public(machine, each) for key, each in call.keywords.items()}
    made = Made(name, positional, keywords, call.complete, call.where)
    trainable = made.keywords.get("trainable", True)
    layer = LayerObject(made, trainable if isinstance(trainable, bool) else UNKNOWN)
    function = call.get("function", 0) if name == "keras.layers.Lambda" else None
    if isinstance(function, Bound):
        function = function.function
    if isinstance(function, (Function, Symbol)):
        layer.state["function"] = function
    machine.objects[id(made)] = layer
    if announce:
        machine.emit(LayerMade(made, _refused(machine, layer), call.where))
    return layer


def _refused(machine: Core, layer: LayerObject) -> Refused | None:
    """Why a layer cannot be made, if so; layers of the same arguments are asked about once."""
    usual = machine.policy_known and machine.channels_known and not machine.patched
    key = _key(layer.made) if usual else None
    if key is not None and key in machine.constructions:
        return machine.constructions[key]
    refused = None
    try:
        ask(machine, layer, Tensor(), {})
    except Refused as found:
        refused = _kept(found) if found.stage == "construction" else None
    if key is not None:
        machine.constructions[key] = refused
    return refused


def _key(made: Made) -> tuple[object, ...] | None:
    """What a layer is made of, where that is plain; 1, 1.0 and True are not the same."""
    found: list[object] = [made.name, made.complete, *made.keywords]
    for each in (*made.positional, *made.keywords.values()):
        kind = type(each)
        if kind is tuple and all(type(one) is int for one in each):  # type: ignore[attr-defined]
            kind = list  # its items are ints, which no other key says
        elif kind not in _PLAIN:
            return None
        found.append((kind, each))
    return tuple(found)


_PLAIN = frozenset((int, float, str, bool, type(None)))


def _kept(refusal: Refused) -> Refused:
    """A refusal without the frames that it came through: they hold the whole program."""
    refusal.__traceback__ = refusal.__context__ = refusal.__cause__ = None
    return refusal


def ask(machine: Core, layer: LayerObject, inputs: Tensor | tuple[Tensor, ...], call: dict[str, object]) -> Output:
    """What the layer's rule says. Raises :class:`Refused` where it does."""
    made = layer.made
    if not made.complete or layer.state.get("set") or not known_class(machine, made.name):
        return UNKNOWN
    name = made.name.rpartition(".")[2]
    if inputs == Tensor() and name in _LISTS:
        return UNKNOWN  # what is not known may be a list
    if _of_keras_1(made):
        return UNKNOWN  # no argument of this Keras: that is said elsewhere, and what would come of it is nothing
    rule = as_rule(made)
    if not machine.channels_known and made.name.removeprefix("keras.layers.").startswith(_CHANNELS):
        return UNKNOWN
    if not machine.policy_known and "dtype" not in rule.keywords:
        rule = Layer(rule.name, rule.positional, {**rule.keywords, "dtype": UNKNOWN})
    try:
        return rules.output(rule, inputs, machine.keras, call)
    except Refused:
        raise
    except Exception as error:
        machine.broken.append(f"{made.name}, line {made.where.line}: {type(error).__name__}: {error}")
        return UNKNOWN


def _of_keras_1(made: Made) -> bool:
    """Whether a layer, or one that it wraps, is given arguments that only Keras 1 had."""
    if not _KERAS_1.isdisjoint(made.keywords) and made.name != "keras.layers.Embedding":
        return True
    return any(isinstance(each, Made) and _of_keras_1(each) for each in (*made.positional, *made.keywords.values()))


def known_class(machine: Core, name: str) -> bool:
    """Whether the file leaves a class of Keras as it is."""
    return not machine.patched or not any(each in machine.patched for each in (name, name.rpartition(".")[0]))


def tensors(value: Value) -> tuple[KerasTensor, ...] | KerasTensor | None:
    """What a layer is called on, as symbolic tensors; None where it is anything else."""
    if isinstance(value, KerasTensor):
        return value
    if isinstance(value, Array):
        return eager(value)
    if isinstance(value, List):
        value = value.items
    if isinstance(value, tuple) and value and all(isinstance(each, (KerasTensor, Array)) for each in value):
        return tuple(each if isinstance(each, KerasTensor) else eager(each) for each in value)
    return None


def eager(value: Array) -> KerasTensor:
    """An array as a layer sees it; plain lists and numpy's float64 become the backend's float."""
    dtype = value.dtype
    if value.library == "list" or (dtype == "float64" and value.library == "numpy"):
        dtype = "float32" if dtype == "float64" else UNKNOWN
    return KerasTensor(Tensor(value.shape, "string" if dtype == "str" else dtype), None, ())


def split(call: Call, machine: Core, layer: LayerObject) -> tuple[Value, dict[str, object]]:
    """The first argument of a layer's call, and the others by name as rules want them."""
    first: Value = (
        call.positional[0] if call.positional else call.keywords.get("inputs", call.keywords.get("query", UNKNOWN))
    )
    others: dict[str, object] = {}
    names = _MORE.get(layer.made.name.rpartition(".")[2], ())
    for number, each in enumerate(call.positional[1:]):
        others[names[number] if number < len(names) else f"?{number}"] = each
    others.update({key: each for key, each in call.keywords.items() if key not in ("inputs", "query")})
    found: dict[str, object] = {}
    for key, each in others.items():
        if key in _WITHOUT_SHAPE or (key.startswith("?") and isinstance(each, (bool, type(None)))):
            continue
        met = tensors(each)
        if isinstance(met, KerasTensor):
            found[key] = met.tensor
        elif isinstance(met, tuple):
            found[key] = tuple(one.tensor for one in met)
        else:
            found[key] = public(machine, each)
    return first, found


def on_tensors(machine: Core, layer: LayerObject, call: Call) -> Value:
    """A layer is called as the program calls it."""
    first, others = split(call, machine, layer)
    inputs = tensors(first)
    if inputs is None:
        if first is not UNKNOWN or not call.positional:
            return UNKNOWN
        inputs = KerasTensor(Tensor())
    if not call.complete or any(key.startswith("?") for key in others):
        others = {"?": UNKNOWN}
    found = connect(machine, layer, inputs, call.where, others)
    if isinstance(first, Array) and isinstance(found, KerasTensor):
        return Array(found.tensor.shape, found.tensor.dtype, "tensorflow")
    return found


def connect(
    machine: Core,
    layer: LayerObject,
    inputs: KerasTensor | tuple[KerasTensor, ...],
    where: Where,
    others: dict[str, object] | None = None,
) -> Value:
    """A layer of Keras meets tensors: the tensors that come out."""
    machine.step()
    single = isinstance(inputs, KerasTensor)
    each_input = (inputs,) if isinstance(inputs, KerasTensor) else inputs
    given = tuple(each.tensor for each in each_input)
    output: Output = UNKNOWN
    refused = None
    built_on = layer.state["built_on"]
    if layer.made.name == "keras.layers.Lambda":
        output = _lambda(machine, layer, inputs)
    elif others is None or "?" not in others:
        try:
            output = ask(machine, layer, given[0] if single else given, others or {})
        except Refused as found:
            refused = _kept(found)
    machine.emit(LayerCalled(layer.made, given, output, refused, built_on, machine.stage, where))
    result = (
        results(layer.made, output, each_input) if refused is None else KerasTensor(Tensor(), layer.made, each_input)
    )
    _built(machine, layer, given, result)
    return result


def _built(machine: Core, layer: LayerObject, given: tuple[Tensor, ...], result: Value) -> None:
    if layer.state["built_on"] is None:
        machine.state.write(layer, "built_on", given)
    calls = layer.state["calls"]
    machine.state.write(layer, "calls", calls + 1 if isinstance(calls, int) else UNKNOWN)
    machine.state.write(layer, "output", result)


def results(made: Made, output: Output, inputs: tuple[KerasTensor, ...]) -> Value:
    """What a call gives the program: tensors that know where they come from.

    A layer without a known output shape still gives a tensor, if it is one that always gives one.
    """
    if isinstance(output, Unknown):
        shape = least(made)
        one = made.name.rpartition(".")[2] in _ONE or isinstance(shape, tuple)
        return KerasTensor(Tensor(shape), made, inputs) if one else UNKNOWN
    if isinstance(output, Tensor):
        return KerasTensor(output, made, inputs)
    return List(items=tuple(KerasTensor(each, made, inputs) for each in output))


_RANKS = {
    **dict.fromkeys(("Flatten", *(f"Global{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3))), 2),
    **{f"{kind}Pooling{n}D": n + 2 for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"{kind}{n}D": n + 2 for kind in ("UpSampling", "ZeroPadding", "Cropping") for n in (1, 2, 3)},
    "RepeatVector": 3,
}
"""The rank of what comes out, whatever goes in."""


def least(made: Made) -> Shape:
    """What is known of a layer's output when nothing is known of its input: the rank, for some."""
    name = made.name.rpartition(".")[2]
    sequences = made.argument("return_sequences", default=False)
    if not made.complete or made.argument("keepdims", default=False) is not False:
        return UNKNOWN
    if name in ("LSTM", "GRU", "SimpleRNN") and isinstance(sequences, bool):
        plain = made.argument("return_state", default=False) is False
        return (UNKNOWN,) * (3 if sequences else 2) if plain else UNKNOWN
    return (UNKNOWN,) * _RANKS[name] if name in _RANKS else UNKNOWN


_ONE = words(
    "Dense Activation Dropout Flatten Reshape Permute RepeatVector Embedding Masking BatchNormalization LayerNormalization Add "
    "Concatenate Average Maximum Minimum Multiply Subtract Dot Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose "
    "Conv3DTranspose SeparableConv1D SeparableConv2D DepthwiseConv2D MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D "
    "AveragePooling2D AveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalAveragePooling1D GlobalAveragePooling2D "
    "UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D Cropping2D LeakyReLU PReLU "
    "ELU ReLU Softmax GaussianNoise GaussianDropout SpatialDropout1D SpatialDropout2D SpatialDropout3D TimeDistributed"
)


def _lambda(machine: Core, layer: LayerObject, inputs: KerasTensor | tuple[KerasTensor, ...]) -> Output:
    """A ``Lambda`` layer: what its function makes of the tensors."""
    function = layer.state.get("function")
    if function is None or "output_shape" in layer.made.keywords or len(layer.made.positional) > 1:
        return UNKNOWN
    arguments = layer.made.keywords.get("arguments", {})
    if not isinstance(arguments, dict):
        return UNKNOWN
    before, machine.inside = machine.inside, "keras.layers.Lambda"
    first = inputs if isinstance(inputs, KerasTensor) else List(items=inputs)
    try:
        found = machine.call(function, Call(machine, "", (first,), dict(arguments), True, layer.made.where))
    finally:
        machine.inside = before
    return found.tensor if isinstance(found, KerasTensor) else UNKNOWN


def merge(machine: Core, name: str, call: Call) -> Value:
    """A function such as ``keras.layers.concatenate([a, b])``: makes a layer and calls it."""
    keywords = {key: each for key, each in call.keywords.items() if key != "inputs"}
    made = call.but(call.positional[1:], keywords)
    layer = make(machine, f"keras.layers.{MERGING[name]}", made, announce=False)
    inputs = tensors(call.get("inputs", 0))
    return UNKNOWN if inputs is None else connect(machine, layer, inputs, call.where)
