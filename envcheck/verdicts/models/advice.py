"""What works and could be better, where Keras itself says so: kernels that a GPU has and a layer does not take, slow ways."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from envcheck.model.events import Array, Compilation, Compiled, LayerMade, Trained, Where
from envcheck.model.tensors import Unknown
from envcheck.verdicts.models.faults import Fault, fault, line_of, short
from envcheck.verdicts.models.losses import activation, heads
from envcheck.verdicts.models.told import Told

GATED = ("keras.layers.LSTM", "keras.layers.GRU")
POLICIES = ("set_global_policy", "set_dtype_policy", "set_policy")
"""Functions that set the dtype policy of every layer that is made after them."""
HALVES = ("mixed_float16", "float16")


def recurrent(_told: Told, event: LayerMade) -> Iterator[Fault]:
    """An LSTM or GRU with an argument that cuDNN's kernel does not have."""
    layer = event.layer
    if layer.name not in GATED or layer.own is not None or not layer.complete or event.refused is not None:
        return
    if layer.argument("use_cudnn", default="auto") is False:
        return  # somebody decided that
    away = [said for said in _arguments(event) if said]
    if away:
        why = f"{' and '.join(away)}: on a GPU, Keras takes its generic implementation and not the fast one of cuDNN"
        advice = (
            "cuDNN has activation='tanh', recurrent_activation='sigmoid', recurrent_dropout=0, unroll=False, use_bias=True"
            + (", reset_after=True" if layer.name.endswith("GRU") else "")
        )
        yield fault("model-cudnn", event.where, layer.name, why, advice, runs="works", stage="silent")


def _arguments(event: LayerMade) -> Iterator[str]:
    argument = event.layer.argument
    for name, place, wanted in (("activation", 1, "tanh"), ("recurrent_activation", 2, "sigmoid")):
        is_one = activation(argument(name, place, default=wanted))
        if is_one is not None and is_one != wanted:
            yield f"{name}='{is_one}'"
    rate = argument("recurrent_dropout", default=0)
    if isinstance(rate, (int, float)) and rate > 0:
        yield f"recurrent_dropout={rate:g}"
    wishes = {"unroll": (None, False), "use_bias": (3, True), "reset_after": (None, True)}
    for name, (where, usual) in wishes.items():
        if argument(name, where, default=usual) is (not usual):
            yield f"{name}={not usual}"


def compiled(told: Told, event: Compiled) -> Iterator[Fault]:
    """Eager training; an output of half precision."""
    compilation = event.model.compiled
    if not isinstance(compilation, Compilation):
        return
    if compilation.arguments.get("run_eagerly") is True:
        yield fault(
            "model-eagerly",
            event.where,
            "keras.Model.compile",
            "run_eagerly=True: every step runs as plain Python, without a graph; it is meant for debugging",
            "leave it out for training",
            runs="works",
            stage="silent",
        )
    policy = told.once(_halved) if told.mentions("float16") else None
    found = heads(event.model)
    if policy is None or len(found) != 1 or found[0].layer is None:
        return
    last = found[0].layer
    if last.own is None and last.complete and "dtype" not in last.keywords and last.where.line > policy.line:
        yield fault(
            "model-half",
            last.where,
            last.name,
            f"the policy of {line_of(policy)} makes the model's output a float16, which ends at 65504 and has three digits: "
            "softmax and loss may become unstable",
            f"give the last layer dtype='float32': {short(last.name)}(…, dtype='float32')",
            runs="works",
            stage="silent",
        )


def _halved(tree: ast.Module) -> Where | None:
    """Where the module, unconditionally and only once, sets a policy of half precision."""
    calls = [each for each in ast.walk(tree) if isinstance(each, ast.Call) and _called(each) in POLICIES]
    if len(calls) != 1 or not any(isinstance(each, ast.Expr) and each.value is calls[0] for each in tree.body):
        return None
    given = [*calls[0].args, *(each.value for each in calls[0].keywords)]
    name = given[0].value if len(given) == 1 and isinstance(given[0], ast.Constant) else None
    return Where(calls[0].lineno) if name in HALVES else None


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def trained(told: Told, event: Trained) -> Iterator[Fault]:
    """``predict`` of one sample after the other."""
    if event.method != "predict" or event.model.own is not None or not isinstance(event.x, Array):
        return
    shape = event.x.shape
    if isinstance(shape, Unknown) or not shape or shape[0] != 1 or not told.in_loop(event.where):
        return
    yield fault(
        "model-predict",
        event.where,
        "keras.Model.predict",
        "predict() of one sample in a loop: each call sets up a dataset and a loop of its own, which takes longer than the model",
        "call the model itself, model(x, training=False), or predict all samples at once",
        runs="works",
        stage="silent",
    )
