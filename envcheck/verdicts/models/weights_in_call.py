"""Weights and layers that ``call()`` makes each time it runs.

Measured on Keras 2.15 and 3.15. A weight or layer that the object keeps (``self.add_weight(…)``, ``self.inner = Dense(4)``):
Keras 3 raises whenever it is called, Keras 2 has one more each time. One that is not kept (``Dense(4)(x)``): nothing raises
as long as it runs eagerly. In the graphs of fit(), evaluate() and predict() both raise, for a graph may make its variables
only once.
"""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.events import ClassDefined, Compilation, LayerCalled, ModelMade, Trained, Where
from envcheck.verdicts.models.classes import own_layers
from envcheck.verdicts.models.faults import Fault, fault, line_of
from envcheck.verdicts.models.told import Told

ADVICE = "make it in __init__ or build(), and use it in call()"


def defined(told: Told, event: ClassDefined) -> Iterator[Fault]:
    """Each place where ``call()`` makes one; what is likely here is certain once it is called or trained."""
    for place in event.weights_in_call:
        if not told.makes_weights(place):
            continue
        kept = _kept(told, event, place)
        if kept and told.keras == 3:
            why, stage = f"{_makes(event, kept)}: Keras 3 raises when it is called", "construction"
        else:
            why = (
                f"{_makes(event, kept)}: in fit(), evaluate() and predict() Keras {told.keras} raises, for a graph may make its "
                "variables only once; outside of them nothing raises, and it never learns"
            )
            stage = "silent"
        yield fault("model-weights-in-call", place, event.name, why, ADVICE, runs="differs", stage=stage)


def _makes(own: ClassDefined, kept: bool) -> str:
    what = "adds a weight or layer to itself" if kept else "makes a layer or weight"
    return f"call() of {own.name} {what} each time it runs"


def _kept(told: Told, own: ClassDefined, place: Where) -> bool:
    """Whether the layer keeps what it makes there."""
    if told.name_at(place) in ("add_weight", "add_variable"):
        return True
    return any(each.method == "call" and each.holds and each.where.line == place.line for each in own.assigned)


def _certain(told: Told, own: ClassDefined) -> Iterator[Where]:
    """The places that every call reaches."""
    if own.name in told.classes:
        for place in own.weights_in_call:
            if not place.conditional and not place.attempted and told.makes_weights(place):
                yield place


def model(told: Told, event: ModelMade) -> Iterator[Fault]:
    """Remember models of the file's own classes."""
    if event.model.own is not None:
        told.called.add(event.model.own.name)
    yield from ()


def called(told: Told, event: LayerCalled) -> Iterator[Fault]:
    """A layer that adds weights to itself is called: Keras 3 raises there."""
    own = event.layer.own
    if own is None:
        return
    told.called.add(own.name)
    if told.keras == 3:
        for place in _certain(told, own):
            if _kept(told, own, place):
                why = f"{_makes(own, True)}: Keras 3 raises when {line_of(event.where)} calls it"
                yield fault("model-weights-in-call", place, own.name, why, ADVICE)


def trained(told: Told, event: Trained) -> Iterator[Fault]:
    """A model that is, or has, such a layer and is trained."""
    compilation = event.model.compiled
    if event.method != "fit" or not isinstance(compilation, Compilation) or not compilation.complete:
        return
    if "run_eagerly" in compilation.arguments:
        return
    for own in (event.model.own, *(each.own for each in own_layers(event.model))):
        if own is None:
            continue
        for place in _certain(told, own):
            kept = _kept(told, own, place)
            why = f"{_makes(own, kept)}: Keras {told.keras} raises in fit() ({line_of(event.where)}), " + (
                "for all state is made in __init__ or build()"
                if kept and told.keras == 3
                else "which traces it twice, and a graph may make its variables only once"
            )
            yield fault("model-weights-in-call", place, own.name, why, ADVICE, stage="fit")
