"""What a rule of a layer is, and what it may ask of the layer's arguments and of the call.

A rule answers for one built-in layer: the tensors it returns, or :class:`~envcheck.model.tensors.Refused` where Keras
raises. It raises :class:`Unclear` as soon as the answer depends on something that the source does not tell, or that
nobody has looked at in the real package: silence is always allowed, a wrong refusal never.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import NoReturn, Protocol

from envcheck.model.tensors import UNKNOWN, Inputs, Layer, Output, Refused, Shape, Stage, Tensor, Unknown, text


class Unclear(Exception):  # noqa: N818 - an answer, not an error
    """The rule cannot say."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a layer is called on: its first argument, and the others by name (tensors, tuples of them, plain values)."""

    inputs: Inputs
    keywords: Mapping[str, object] = field(default_factory=dict)

    def tensor(self) -> Tensor:
        """The one tensor that it is called on. Raises :class:`Unclear` for a list."""
        if isinstance(self.inputs, Tensor):
            return self.inputs
        raise Unclear

    def flag(self, name: str) -> bool:
        """A yes or no among the keywords, no by default. Raises :class:`Unclear` for anything else."""
        value = self.keywords.get(name, False)
        if isinstance(value, bool):
            return value
        raise Unclear


class WrongRank(Refused):
    """``input_spec`` refuses the rank: wrappers do not always ask it."""


class Inside(Protocol):
    """What a rule may ask about a layer that its own layer holds."""

    def apply(self, layer: Layer, inputs: Inputs, call: Mapping[str, object]) -> Output:
        """What the layer returns. Raises :class:`Unclear` and :class:`Refused` as rules do."""

    def bind(self, layer: Layer) -> tuple[str, Arguments]:
        """The layer's class, and its arguments by name. Raises as :meth:`apply` does."""


class Arguments:
    """The arguments of one layer by name, defaults filled in.

    Attributes:
        keras: The major version of Keras, 2 or 3.
        inside: Answers about layers among the arguments.
    """

    __slots__ = ("_given", "_values", "inside", "keras")

    def __init__(self, values: Mapping[str, object], given: frozenset[str], keras: int, inside: Inside) -> None:
        self._values, self._given = values, given
        self.keras = keras
        self.inside = inside

    def __getitem__(self, name: str) -> object:
        """A value. Raises :class:`Unclear` where it, or a part of it, is not known."""
        value = self._values.get(name)
        if not _known(value):
            raise Unclear
        return value

    def look(self, name: str) -> object:
        """A value that may be :data:`UNKNOWN`, or have unknown parts."""
        return self._values.get(name)

    def given(self, name: str) -> bool:
        """Whether the source names it."""
        return name in self._given


Answer = Callable[[Arguments, Call], Output]


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of one layer.

    Attributes:
        name: The class, such as ``Conv2D``.
        parameters: Its signature as Python writes it. Before the ``*`` stands what may be given by position, in the order
            of the real constructor; behind it what the rule reads besides.
        answer: What it returns, or refuses.
        parameters3: The signature in Keras 3 where the order or a default differs.
        only: The one major version that has the layer, if only one has.
    """

    name: str
    parameters: str
    answer: Answer
    parameters3: str | None = None
    only: int | None = None

    def signature(self, keras: int) -> Signature:
        """The constructor's parameters in one version."""
        return signature(self.parameters if self.parameters3 is None or keras == 2 else self.parameters3)

    def bind(self, layer: Layer, keras: int, inside: Inside) -> Arguments:
        """The layer's arguments by name.

        Raises:
            Refused: a required one is missing, or one is given twice.
            Unclear: more are given by position than the rule has names for.
        """
        mine = self.signature(keras)
        if len(layer.positional) > len(mine.positional):
            raise Unclear
        given = dict(zip(mine.positional, layer.positional, strict=False))
        for name in layer.keywords:
            if name in given:
                refuse("construction", f"argument '{name}' is given twice, by position and by name")
        given.update(layer.keywords)
        for name in mine.names:
            if name not in mine.defaults and name not in given:
                refuse("construction", f"argument '{name}' is missing")
        return Arguments({**mine.defaults, **given}, frozenset(given), keras, inside)


@dataclass(frozen=True, slots=True)
class Signature:
    """A constructor's parameters, as far as a rule has them.

    Attributes:
        positional: Those before the ``*``, in the order of the real constructor.
        defaults: The default of each; one that is required has none.
        names: All of them.
    """

    positional: tuple[str, ...]
    defaults: Mapping[str, object]
    names: tuple[str, ...]


@cache
def signature(parameters: str) -> Signature:
    """Reads parameters as Python writes them."""
    function = ast.parse(f"def f({parameters}): ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    found = function.args
    positional = tuple(each.arg for each in found.args)
    named = tuple(each.arg for each in found.kwonlyargs)
    last = positional[len(positional) - len(found.defaults) :]
    pairs = (*zip(last, found.defaults, strict=True), *zip(named, found.kw_defaults, strict=True))
    defaults = {name: ast.literal_eval(value) for name, value in pairs if value is not None}
    return Signature(positional, defaults, (*positional, *named))


def _known(value: object) -> bool:
    if isinstance(value, (tuple, list)):
        return all(_known(each) for each in value)
    return value is not UNKNOWN


class RefusedBySome(Refused):
    """Not every release of this major version refuses it.

    Attributes:
        row: The name of what says which ones do, and what the others make of it: ``compat_matrix/refusals.yaml``.
    """

    def __init__(self, stage: Stage, reason: str, row: str) -> None:
        super().__init__(stage, reason)
        self.row = row


def refuse(stage: Stage, reason: str, row: str = "") -> NoReturn:
    """Keras raises here, for this reason; ``row`` as in :class:`RefusedBySome`, without it every release does."""
    raise RefusedBySome(stage, reason, row) if row else Refused(stage, reason)


def row_of(refusal: Refused) -> str:
    """What tells which releases refuse it; empty where all of the major version do."""
    return refusal.row if isinstance(refusal, RefusedBySome) else ""


@contextmanager
def refusing(stage: Stage, reason: str) -> Iterator[None]:
    """What Python itself raises inside (a comparison of text and number, a float as a size), Keras raises, too."""
    try:
        yield
    except (TypeError, ValueError, AttributeError, OverflowError, ZeroDivisionError):
        raise Refused(stage, reason) from None


def dimensions(tensor: Tensor) -> tuple[int | None, ...]:
    """The dimensions. Raises :class:`Unclear` where the rank, or one of them, is not known."""
    found = []
    for each in ranked(tensor):
        if isinstance(each, Unknown):
            raise Unclear
        found.append(each)
    return tuple(found)


def ranked(tensor: Tensor) -> tuple[int | Unknown | None, ...]:
    """The dimensions, unknown ones among them.

    Raises :class:`Unclear` where even the rank is not known, for a scalar, and for an empty tensor (a dimension of 0):
    what Keras and TensorFlow make of those differs from layer to layer, and nobody trains on them.
    """
    if isinstance(tensor.shape, Unknown) or not tensor.shape or 0 in tensor.shape:
        raise Unclear
    return tensor.shape


def require_rank(shape: Shape, exactly: int | None = None, least: int = 0, most: int | None = None) -> None:
    """The check of ``input_spec`` before a layer is built."""
    if isinstance(shape, Unknown):
        raise Unclear
    rank = len(shape)
    if exactly is not None and rank != exactly:
        raise WrongRank("call", f"input_spec: expects rank {exactly}, got {rank}: shape {text(shape)}")
    if rank < least:
        raise WrongRank("call", f"input_spec: expects at least rank {least}, got {rank}: shape {text(shape)}")
    if most is not None and rank > most:
        raise WrongRank("call", f"input_spec: expects at most rank {most}, got {rank}: shape {text(shape)}")


def single(rules: Sequence[Rule]) -> dict[str, Rule]:
    """Rules by name. Raises :class:`ValueError` where two have the same."""
    found = {each.name: each for each in rules}
    if len(found) != len(rules):
        raise ValueError("two rules for one layer")
    return found
