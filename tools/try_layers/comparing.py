"""Compares what the rules say with what real Keras did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from packaging.version import Version

from envcheck.knowledge.refusals import Refusals
from envcheck.knowledge.rows import folder
from envcheck.model import layers
from envcheck.model.layers.rule import row_of
from envcheck.model.tensors import UNKNOWN, Refused, Tensor, Unknown
from tools.try_layers.drawing import Trial

REFUSALS = Refusals(folder())


@dataclass(frozen=True, slots=True)
class Difference:
    """One trial on which a rule and Keras do not agree: both answers as text.

    ``kind``: ``refused wrongly`` (a false error), ``another shape``, ``taken wrongly`` (Keras raises), ``another stage``.
    """

    name: str
    kind: str
    trial: Trial
    rule: str
    real: str


@dataclass(slots=True)
class Tally:
    """The trials of one layer: how many Keras could do, how many refused, how many the rule left open or got wrong."""

    tried: int = 0
    refused: int = 0
    agreed: int = 0
    silent: int = 0
    partial: int = 0
    wrong: int = 0


@dataclass(slots=True)
class Comparison:
    """Everything that was compared with one Keras."""

    keras: Version
    tallies: dict[str, Tally] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    inconsistent: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, trial: Trial, answer: dict[str, Any]) -> None:
        """One trial and what Keras did with it."""
        if answer.get("absent"):
            return
        tally = self.tallies.setdefault(name, Tally())
        tally.tried += 1
        tally.refused += "stage" in answer
        self._self_consistent(name, answer)
        self._weakened(name, trial, answer)
        verdict, said = judged(trial, self.keras, answer)
        if verdict == "wrong":
            tally.wrong += 1
            self.differences.append(Difference(name, _kind(said, answer), trial, said, real(answer)))
        elif verdict == "silent":
            tally.silent += 1
        else:
            tally.agreed += 1
            tally.partial += verdict == "partial"

    def _weakened(self, name: str, trial: Trial, answer: dict[str, Any]) -> None:
        """What Keras takes is not refused, and has no other shape, when a rule knows one thing less."""
        if "stage" in answer:
            return
        for less in weakened(trial):
            verdict, said = judged(less, self.keras, answer)
            if verdict == "wrong":
                self.differences.append(Difference(name, _kind(said, answer), less, said, real(answer)))
                self.tallies[name].wrong += 1
                return

    def _self_consistent(self, name: str, answer: dict[str, Any]) -> None:
        """Counts where the layer's own ``compute_output_shape`` says something else than its call."""
        computed, outputs = answer.get("computed"), answer.get("outputs")
        if isinstance(computed, list) and outputs and None not in outputs:
            shapes = [each[0] for each in outputs]
            if computed not in (shapes, shapes[0]):
                self.inconsistent[name] += 1

    def table(self) -> str:
        """One line per layer and one for all."""
        head = f"{'layer':<26}{'tried':>7}{'refused':>9}{'agreed':>8}{'silent':>8}{'wrong':>7}"
        lines = [f"Keras {self.keras}", head]
        rows = [*sorted(self.tallies.items()), ("all", total(self.tallies.values()))]
        for name, each in rows:
            lines.append(f"{name:<26}{each.tried:>7}{each.refused:>9}{each.agreed:>8}{each.silent:>8}{each.wrong:>7}")
        return "\n".join(lines)


def _kind(said: str, answer: dict[str, Any]) -> str:
    if said.startswith("refused"):
        return "another stage" if "stage" in answer else "refused wrongly"
    return "taken wrongly" if "stage" in answer else "another shape"


def weakened(trial: Trial) -> Iterator[Trial]:
    """The same trial with one argument, one dimension, a whole shape or a dtype unknown."""
    layer = trial.layer
    for key in layer.keywords:
        yield replace(trial, layer=replace(layer, keywords={**layer.keywords, key: UNKNOWN}))
    for at in range(len(layer.positional)):
        known = layer.positional
        yield replace(trial, layer=replace(layer, positional=(*known[:at], UNKNOWN, *known[at + 1 :])))
    tensors = [trial.inputs] if isinstance(trial.inputs, Tensor) else list(trial.inputs)
    for number, tensor in enumerate(tensors):
        for less in _less(tensor):
            others = [*tensors[:number], less, *tensors[number + 1 :]]
            yield replace(trial, inputs=less if isinstance(trial.inputs, Tensor) else tuple(others))
    for key in trial.call:
        yield replace(trial, call={**trial.call, key: UNKNOWN})


def _less(tensor: Tensor) -> Iterator[Tensor]:
    yield replace(tensor, dtype=UNKNOWN)
    yield replace(tensor, shape=UNKNOWN)
    if isinstance(tensor.shape, tuple):
        for at in [] if 0 in tensor.shape else range(len(tensor.shape)):  # rules do not judge empty tensors
            yield replace(tensor, shape=(*tensor.shape[:at], UNKNOWN, *tensor.shape[at + 1 :]))


def total(tallies: Iterable[Tally]) -> Tally:
    """The sum of all."""
    found = Tally()
    for each in tallies:
        for name in ("tried", "refused", "agreed", "silent", "partial", "wrong"):
            setattr(found, name, getattr(found, name) + getattr(each, name))
    return found


def judged(trial: Trial, keras: Version, answer: dict[str, Any]) -> tuple[str, str]:
    """``agreed``, ``partial`` (agreed, with unknown dimensions), ``silent`` or ``wrong``, and what the rule said."""
    try:
        said = layers.output(trial.layer, trial.inputs, keras.major, trial.call)
    except Refused as refusal:
        if not REFUSALS.holds(row_of(refusal), keras):
            return "silent", f"refused by other releases at {refusal.stage}: {refusal.reason}"
        same = answer.get("stage") == refusal.stage
        return "agreed" if same else "wrong", f"refused at {refusal.stage}: {refusal.reason}"
    if isinstance(said, Unknown):
        return "silent", "unknown"
    tensors = said if isinstance(said, tuple) else (said,)
    if "stage" in answer:
        return "wrong", str(said)
    outputs = answer["outputs"]
    if len(outputs) != len(tensors) or answer.get("several", len(tensors) > 1) != isinstance(said, tuple):
        return "wrong", str(said)
    exact = True
    for tensor, found in zip(tensors, outputs, strict=True):
        fits, known = fitting(tensor, found)
        exact = exact and known
        if not fits:
            return "wrong", str(said)
    return "agreed" if exact else "partial", str(said)


def fitting(tensor: Tensor, found: Any) -> tuple[bool, bool]:
    """Whether a tensor of a rule is the one that Keras made, and whether all of it was known."""
    if found is None:
        return False, True
    shape, dtype = found
    known = True
    if isinstance(tensor.dtype, Unknown):
        known = False
    elif tensor.dtype != dtype:
        return False, True
    if isinstance(tensor.shape, Unknown):
        return True, False
    if shape is None or len(shape) != len(tensor.shape):
        return False, True
    for mine, real_one in zip(tensor.shape, shape, strict=True):
        if isinstance(mine, Unknown):
            known = False
        elif mine != real_one:
            return False, True
    return True, known


def real(answer: dict[str, Any]) -> str:
    """What Keras did, in one line."""
    if "stage" in answer:
        return f"refused at {answer['stage']}: {answer['error']}: {answer['message']}"
    return f"{answer['outputs']} several={answer.get('several')}"
