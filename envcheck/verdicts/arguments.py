"""What the arguments of a call say on a target: values that it refuses, strings that name nothing, objects of another Keras."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from envcheck.knowledge.api.answers import Status
from envcheck.knowledge.api.bounds import root_of
from envcheck.knowledge.api.identifiers import Identifiers
from envcheck.knowledge.api.returns import keras_name
from envcheck.knowledge.api.target import FIRST_OWN_KERAS
from envcheck.knowledge.api.values import Argument, Call, Instance, Judged, Other, Text, Value, Values
from envcheck.source.names.uses import Call as Written
from envcheck.source.names.uses import Use
from envcheck.verdicts.found import Place, Verdict
from envcheck.verdicts.names import Names, Seen

RUNS = {"raises": "raises", "may-raise": "warns", "ignored": "differs", "differs": "differs", "deprecated": "works"}
KERAS = ("keras", "tensorflow.keras", "tf_keras")
KERAS_3 = 3
OLD_OPTIMIZER = re.compile(r"tensorflow\.(compat\.v1\.)?train\.\w+Optimizer\(\)")
JOINING = (".add", ".compile", ".Sequential", ".Model", ".__call__")
"""What takes objects of Keras and refuses those of another one."""


Locate = Callable[[], Place]
"""Says where a reference stands: most need not be asked."""


class About(NamedTuple):
    """The names of one object, its own and canonical ones, and whether rows about values, and about identifiers, speak of it."""

    names: list[str]
    values: bool
    identifiers: bool


class Arguments:
    """Judges arguments on one target.

    Args:
        values: what values do.
        identifiers: which strings name objects.
        names: what symbols are on the target.
        label: the target in words.
    """

    def __init__(self, values: Values, identifiers: Identifiers, names: Names, label: str) -> None:
        self._values = values
        self._identifiers = identifiers
        self._names = names
        self._label = label
        self._known: dict[str, About] = {}
        self._called: frozenset[str] = frozenset()
        self._metrics: frozenset[str] = frozenset()

    def begin(self, uses: Iterable[Use]) -> None:
        """Before the uses of a file are judged: what it calls, and the metrics that it names."""
        called: set[str] = set()
        metrics: set[str] = set()
        for use in uses:
            if use.call is not None:
                called.add(use.symbol.rpartition(".")[2])
                for place, kind, value in use.call.values:
                    compiled = place == 2 and use.symbol.endswith(".compile")
                    if (place == "metrics" or compiled) and kind == "constant":
                        texts = value if isinstance(value, (list, tuple)) else [value]
                        metrics.update(each for each in texts if isinstance(each, str))
        self._called = frozenset(called)
        self._metrics = frozenset(metrics)

    def read(self, seen: Seen, use: Use, place: Locate) -> Iterator[Verdict]:
        """An attribute that is read, or an item behind it."""
        names, known, _ = self._about(seen)
        if not known:
            return
        if use.how == "item" and use.call is not None:
            judged = self._values.of_item(names, use.call.values[0][2], self._names.target)
        else:
            judged = self._values.of_read(names, self._names.target)
        yield from (self._verdict(each, seen, use, place) for each in judged if self._speaks(each.row))

    def call(self, seen: Seen, use: Use, symbol: str, place: Locate) -> Iterator[Verdict]:
        """A call."""
        assert use.call is not None
        about = self._about(seen)
        if about.values:
            arguments, target = self._arguments(use.call), self._names.target
            judged = self._values.of_call(about.names, arguments, target, instance="()" in symbol)
            yield from (self._verdict(each, seen, use, place) for each in judged if self._speaks(each.row))
        if about.identifiers:
            yield from self._named(about.names, seen, use, place)
        yield from self._mixed(seen, use, symbol, place)

    def _about(self, seen: Seen) -> About:
        """What is known about the arguments of a name, which for most is nothing."""
        if seen.name not in self._known:
            names = self._canonical(seen)
            own = [keras_name(name) or name for name in names]
            wide = [*own, *(f"{name.rpartition('.')[0]}.*" for name in own)]
            values, identifiers = self._values.rows.names, self._identifiers.rows.names
            self._known[seen.name] = About(
                names, any(name in values for name in wide), any(name in identifiers for name in wide)
            )
        return self._known[seen.name]

    def _canonical(self, seen: Seen) -> list[str]:
        # TensorFlow's old copy of Keras is an object of its own, whatever public name it had once.
        found = seen.answer.found if seen.answer and not seen.name.startswith("tensorflow.python.") else ()
        return list(dict.fromkeys([seen.name, *(one.name for one in found)]))

    def _arguments(self, written: Written) -> Call:
        given = {place: self._argument(kind, value) for place, kind, value in written.values}
        positional = tuple(given.get(place, Other.COMPUTED) for place in range(max(0, written.positional)))
        keywords = {name: given.get(name, Other.COMPUTED) for name in written.keywords}
        return Call(positional, keywords, written.more or written.positional < 0)

    def _argument(self, kind: str, value: Any) -> Argument:
        if kind == "tail":
            return Text((None, value))
        if kind == "symbol":
            thing = (
                self._names.thing(value)
                if value.endswith("()") and value[:1] not in "@*" and "|" not in value
                else None
            )
            return Instance(thing.classes) if thing is not None else Other.COMPUTED
        if isinstance(value, (list, tuple)):
            if _numbers(value):
                return Other.NUMBERS
            return Other.TEXTS if value and all(isinstance(each, str) for each in value) else Other.COMPUTED
        return value  # type: ignore[no-any-return]

    def _speaks(self, row: Value) -> bool:
        """Whether what else stands in the file lets the row speak."""
        if any(name.rpartition(".")[2] in self._called for name in row.unless):
            return False
        if row.metrics is None:
            return True
        other = {"accuracy": "acc", "acc": "accuracy"}.get(row.metrics)
        return row.metrics in self._metrics and other not in self._metrics

    def _verdict(self, judged: Judged, seen: Seen, use: Use, place: Locate) -> Verdict:
        row = judged.row
        parameter = (
            row.parameter
            if row.parameter is not None
            else str(judged.argument)
            if judged.argument is not None
            else None
        )
        always = row.outcome == "raises" and row.when is None and row.parameter is not None and not row.beside
        return Verdict(
            "absent-parameter" if always else "value",
            seen.name,
            self._label,
            place(),
            row.message,
            None,
            row.use,
            None,
            parameter,
            RUNS[row.outcome],
            sources=row.source.sources,
            asked=use.how,
        )

    def _named(self, names: list[str], seen: Seen, use: Use, place: Locate) -> Iterator[Verdict]:
        """Strings that name objects."""
        assert use.call is not None
        root = root_of(seen.name)
        if root not in KERAS:
            return
        for where, kind, value in use.call.values:
            texts = [value] if isinstance(value, str) else value if isinstance(value, (list, tuple)) else []
            wanted = self._wanted(names, where) if kind == "constant" else None
            if wanted is None:
                continue
            parameter, sort = wanted
            for text in texts:
                if not isinstance(text, str):
                    continue
                if self._identifiers.accepts(sort, text, root, self._names.target) is Status.ABSENT:
                    why = f"knows no {sort} {text!r}"
                    near = [
                        each
                        for each in self._identifiers.known(sort, root, self._names.target)
                        if each.lower() == text.lower()
                    ]
                    yield Verdict(
                        "identifier",
                        seen.name,
                        self._label,
                        place(),
                        why,
                        None,
                        f"write {near[0]!r}" if near else None,
                        None,
                        parameter,
                        asked="call",
                        details={"identifier": text},
                    )

    def _wanted(self, names: list[str], where: int | str) -> tuple[str, Any] | None:
        """The parameter at a place, and what its string names."""
        for name in names:
            if isinstance(where, int):
                found = self._identifiers.at(name, where)
                if found is not None:
                    return found
            else:
                sort = self._identifiers.kind(name, where)
                if sort is not None:
                    return where, sort
        return None

    def _mixed(self, seen: Seen, use: Use, symbol: str, place: Locate) -> Iterator[Verdict]:
        """Objects of ``keras`` in a model of ``tf.keras``, where those are two libraries."""
        assert use.call is not None
        yield from self._old_optimizers(seen, use, place)
        own = root_of(seen.name)
        joins = symbol.endswith(JOINING) or ("()" in symbol and symbol.endswith("()"))
        if own not in KERAS or not joins or not self._two():
            return
        for where, kind, value in use.call.values:
            if kind != "symbol" or "()" not in value or value[:1] in "@*" or "|" in value:
                continue
            thing = self._names.thing(value) if value.endswith("()") else None
            other = root_of(value.partition("(")[0])
            if thing is not None and other in KERAS and other != own and {own, other} != {"keras", "tf_keras"}:
                why = f"an object of {other} is given to one of {own}; two libraries here, which refuse each other's objects"
                yield Verdict(
                    "mixed",
                    seen.name,
                    self._label,
                    place(),
                    why,
                    None,
                    f"import all of it from {own}",
                    parameter=str(where),
                    asked="call",
                )
                return

    def _old_optimizers(self, seen: Seen, use: Use, place: Locate) -> Iterator[Verdict]:
        """TensorFlow 1's optimizers, which Keras 3 refuses (measured: TensorFlow 2.21.0 with Keras 3.15.1)."""
        assert use.call is not None
        target = self._names.target
        new = target.keras is not None and target.keras.major >= KERAS_3 and not target.through_tf_keras
        if not new or not seen.name.endswith(".compile"):
            return
        for where, kind, value in use.call.values:
            if kind == "symbol" and OLD_OPTIMIZER.fullmatch(value) and self._names.thing(value) is not None:
                why = f"{value[:-2]} is an optimizer of TensorFlow 1, which Keras 3 does not take"
                advice = "give one of keras.optimizers"
                yield Verdict(
                    "foreign", value[:-2], self._label, place(), why, None, advice, parameter=str(where), asked="call"
                )

    def _two(self) -> bool:
        """Whether ``keras`` and ``tf.keras`` are two libraries on the target."""
        target = self._names.target
        if target.tensorflow is None or target.keras is None:
            return False
        return target.through_tf_keras or target.tensorflow < FIRST_OWN_KERAS


def _numbers(value: Any) -> bool:
    """Whether a list holds nothing but numbers, or such lists."""
    inner = value if isinstance(value, (list, tuple)) else ()
    return bool(inner) and all(
        _numbers(each)
        if isinstance(each, (list, tuple))
        else isinstance(each, (int, float)) and not isinstance(each, bool)
        for each in inner
    )
