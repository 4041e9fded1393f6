"""What happens to models in a module, as it would happen if the module ran: nouns without opinions.

An event is a fact of the source: "this layer is called on a tensor of this shape". Whether that is a mistake is a check's
business; only where a layer or Keras itself would raise does the event hold that refusal. Values are Python's own
(numbers, texts, ``None``, tuples, lists, dicts), :data:`~envcheck.model.tensors.UNKNOWN`, or one of the nouns here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from envcheck.model.nouns import (
    NOWHERE,
    Array,
    Assigned,
    ClassDefined,
    Compilation,
    Dataset,
    KerasTensor,
    Made,
    Model,
    Reference,
    Values,
    Where,
)
from envcheck.model.tensors import Refused, Tensor, Unknown


@dataclass(frozen=True, slots=True)
class LayerMade:
    """A layer is made: ``Dense(10)``. ``refused`` is set when Keras raises at construction."""

    layer: Made
    refused: Refused | None
    where: Where


@dataclass(frozen=True, slots=True)
class LayerCalled:
    """A layer meets a tensor: in the functional API, in a ``Sequential``, or in a subclassed model's ``call``.

    Attributes:
        layer: The layer, or a model used as one.
        inputs: Its input tensors; data that is not symbolic has shape and dtype all the same.
        output: What comes out, one or several; UNKNOWN when the rule cannot say.
        refused: Why Keras raises, if it does.
        built_on: The inputs of its first call, when this is a later one: the weights have their shape from then.
        stage: ``definition``, or ``use`` when the shapes came from data given to ``fit``, ``build``, ``predict``…
        where: Of the layer in a ``Sequential``, else of the call.
    """

    layer: Made | Model
    inputs: tuple[Tensor, ...]
    output: Tensor | tuple[Tensor, ...] | Unknown
    refused: Refused | None
    built_on: tuple[Tensor, ...] | None
    stage: str
    where: Where


@dataclass(frozen=True, slots=True)
class OperationCalled:
    """A function or operator outside of layers meets symbolic tensors: ``tf.reshape(x, …)``, ``x + y``, ``K.argmax(x)``.

    Attributes:
        name: Canonical; ``operator.add`` and so on for operators.
        inputs: The symbolic tensors it got.
        inside: The layer class in whose ``call`` or ``Lambda`` it happens; empty outside: there Keras 3 refuses
            TensorFlow's functions.
        where: The call.
    """

    name: str
    inputs: tuple[KerasTensor, ...]
    inside: str
    where: Where


@dataclass(frozen=True, slots=True)
class ModelMade:
    """A model is made. ``arguments`` are those of the call, by name; positional ones have the names ``0``, ``1``…"""

    model: Model
    arguments: Mapping[str, object]
    where: Where


@dataclass(frozen=True, slots=True)
class ModelChanged:
    """``add`` or ``pop`` on a ``Sequential``; ``item`` is what was added, ``number`` that of the model."""

    number: int
    method: str
    item: object
    where: Where


@dataclass(frozen=True, slots=True)
class Compiled:
    """``model.compile(…)``; the arguments are in ``model.compiled``."""

    model: Model
    where: Where


@dataclass(frozen=True, slots=True)
class Trained:
    """A model meets data: ``fit``, ``evaluate``, ``predict``, ``train_on_batch``, ``test_on_batch``, ``predict_on_batch``.

    Attributes:
        method: Which.
        model: At that moment; an unbuilt one is built by the data first, so that its outputs are known.
        was_built: Whether it had weights before.
        x: :class:`Array`, :class:`Dataset`, a list or dict of them, ``None`` when not given, UNKNOWN.
        y: The same.
        arguments: All others by name (``validation_data``, ``batch_size``, ``validation_split``, ``class_weight``…).
        where: The call.
    """

    method: str
    model: Model
    was_built: bool | Unknown
    x: object
    y: object
    arguments: Mapping[str, object]
    where: Where


@dataclass(frozen=True, slots=True)
class ModelUsed:
    """Another method of a model is called (``summary``, ``save``, ``get_weights``, ``load_weights``, ``count_params``…)."""

    model: Model
    method: str
    arguments: Mapping[str, object]
    where: Where


@dataclass(frozen=True, slots=True)
class ObjectMade:
    """An optimizer, loss, metric, initializer, regularizer, constraint or callback is made."""

    made: Made
    where: Where


Event: TypeAlias = (
    LayerMade
    | LayerCalled
    | OperationCalled
    | ModelMade
    | ModelChanged
    | Compiled
    | Trained
    | ModelUsed
    | ObjectMade
    | ClassDefined
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a module.

    Attributes:
        events: In the order in which they would happen; functions that nothing calls come last.
        models: How many model definitions (by place) were found.
        calls_known: How many calls of layers had a known output shape.
        calls_unknown: How many had not.
        cut: Whether the reading stopped early, because the file asks for more steps than a reading may take.
        broken: Layers' rules that failed on this file, and how: bugs of ours, never the file's.
    """

    events: tuple[Event, ...] = ()
    models: int = 0
    calls_known: int = 0
    calls_unknown: int = 0
    cut: bool = False
    broken: tuple[str, ...] = ()


__all__ = [
    "NOWHERE",
    "Array",
    "Assigned",
    "ClassDefined",
    "Compilation",
    "Compiled",
    "Dataset",
    "Event",
    "KerasTensor",
    "LayerCalled",
    "LayerMade",
    "Made",
    "Model",
    "ModelChanged",
    "ModelMade",
    "ModelUsed",
    "ObjectMade",
    "OperationCalled",
    "Reading",
    "Reference",
    "Trained",
    "Values",
    "Where",
]
