"""Optimizers: learning rates that cannot train."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.model.events import ObjectMade
from envcheck.verdicts.models.faults import Fault, fault, short
from envcheck.verdicts.models.told import Told

HIGHEST = {
    "SGD": 1.0,
    "Adam": 0.5,
    "AdamW": 0.5,
    "Nadam": 0.5,
    "Adamax": 1.0,
    "RMSprop": 0.5,
    "Adagrad": 10.0,
    "Ftrl": 10.0,
}
"""Learning rates above which training most likely diverges; the default ones are 0.01 and 0.001, 0.2 is seen in good code."""
LOWEST = 1e-8
"""A learning rate below which a step is lost in the rounding of float32."""


def made(told: Told, event: ObjectMade) -> Iterator[Fault]:
    """A learning rate that cannot train."""
    name = short(event.made.name)
    if not event.made.name.startswith("keras.optimizers.") or name not in HIGHEST:
        return
    rate = event.made.argument("learning_rate", 0, default=event.made.argument("lr"))
    if isinstance(rate, bool) or not isinstance(rate, (int, float)):
        return
    if told.keras == 3 and isinstance(rate, int):
        why = f"learning_rate={rate} is a whole number: Keras 3 raises when the optimizer is made"
        yield fault("model-learning-rate", event.where, event.made.name, why, f"write {rate}.0, if that is meant")
        return
    advice = "start from 0.01 (SGD) or 0.001 (the others)"
    if rate > HIGHEST[name]:
        why = f"learning_rate={rate:g} is above {HIGHEST[name]:g}: with {name} training most likely diverges"
        advice += ", and scale the inputs"
    elif rate == 0:
        why = f"learning_rate={rate}: no weight ever changes"
    elif rate < 0:
        why = f"learning_rate={rate:g} is negative: the weights go up the gradient"
    elif rate < LOWEST:
        why = f"learning_rate={rate:g} is below {LOWEST:g}: no step changes a float32 weight"
    else:
        return
    why += "; nothing raises"
    yield fault("model-learning-rate", event.where, event.made.name, why, advice, runs="differs", stage="silent")
