"""What saved models say for a target: whether it loads them, and what of them it lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.version import Version

from envcheck.findings import Location
from envcheck.knowledge.api.answers import Api, Status
from envcheck.knowledge.api.identifiers import KINDS, Identifiers
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.saved_models import Row, SavedModels, version
from envcheck.saved.found import COMPILE, EXPORTED, HDF5, KERAS, RENAMED, SAVED_MODEL, Part, SavedModel
from envcheck.verdicts.found import Place, Verdict
from envcheck.verdicts.targets import label

WORDS = {
    "keras": "a .keras archive",
    "hdf5": "an HDF5 file",
    "hdf5-as-keras": "an HDF5 file",
    "saved-model": "a SavedModel of Keras",
}
CUSTOM = "pass custom_objects="
UNLESS = "unless its code is imported and it is registered or given"
ROOTS = ("keras", "tensorflow", "tf_keras")
OTHERS = ("initializers", "regularizers", "constraints", "optimizers", "losses", "metrics")
"""Where the objects lie that are no layers; formats without ``module`` do not say which they are."""

COMPILED = ("optimizers", "losses", "metrics")
"""Those that ``compile`` was given."""
MAKE_AGAIN = "make the model in code on the target, and load the weights alone (model.load_weights)"
COMPILE_AGAIN = "load_model(path, compile=False), and compile it again"
MOST_SHOWN = 3
"""Refused arguments of one object that are shown with their values."""

KERAS_3 = 3
TAKE_AGAIN = "take the file from where it comes from again, and do not unpack it"


@dataclass(frozen=True, slots=True)
class SavedVerdict(Verdict):
    """A verdict on a saved model: a file without lines."""

    @property
    def location(self) -> Location:
        """The file or folder."""
        return Location(self.place.path)

    @property
    def evidence(self) -> dict[str, Any]:
        """What machines want to know, as JSON values."""
        return {
            "kind": "saved-model",
            "what": self.kind,
            "parameter": self.parameter,
            "target": self.target,
            **self.details,
        }


def judged(
    models: Sequence[SavedModel], targets: Sequence[Target], api: Api, identifiers: Identifiers, known: SavedModels
) -> Iterator[Verdict]:
    """What is worth saying about saved models on each target.

    Args:
        models: what was read.
        targets: the releases, completed.
        api: the API history.
        identifiers: which strings name objects.
        known: which Keras loads what.
    """
    for model in models:
        for remark in model.remarks:
            yield SavedVerdict("saved-odd", "", "", Place(model.path, 1, 1), remark, advice=TAKE_AGAIN)
    for target in targets:
        one = _Judge(target, api, identifiers, known)
        for model in models:
            yield from one.model(model)


class _Judge:
    def __init__(self, target: Target, api: Api, identifiers: Identifiers, known: SavedModels) -> None:
        self._api = api
        self._identifiers = identifiers
        self._known = known
        self._target = target
        self._label = label(target)
        self._rows: dict[tuple[str, Version | None], tuple[Row, ...]] = {}
        self._reading = target.tf_keras if target.through_tf_keras else target.keras or target.tf_keras
        # Keras 3 looks its own classes up, whatever tf.keras has besides.
        new = target.keras is not None and target.keras.major >= KERAS_3 and not target.through_tf_keras
        self._root = "keras" if new or not target.tensorflow else "tensorflow.keras"
        if not target.tensorflow and target.keras is None:
            self._root = "tf_keras"

    def model(self, model: SavedModel) -> Iterator[Verdict]:
        if self._reading is None or model.form == EXPORTED:
            return
        written = version(model.keras)
        details = {"format": model.form, "written": model.keras, "date": model.date}

        def say(kind: str, symbol: str, why: str, advice: str | None, **more: Any) -> Verdict:
            place = Place(model.path, 1, 1)
            sources = more.pop("sources", ())
            parameter = more.pop("parameter", None)
            return SavedVerdict(
                kind,
                symbol,
                self._label,
                place,
                why,
                None,
                advice,
                None,
                parameter,
                sources=sources,
                details={**details, **more},
            )

        if model.form == RENAMED:
            for row in self._about(RENAMED, written, self._reading):
                yield say(
                    "saved-format",
                    "",
                    f"{WORDS[model.form]}: {row.why}",
                    row.use,
                    sources=row.source.sources,
                    row=row.id,
                )
        rows = self._about(HDF5 if model.form == RENAMED else model.form, written, self._reading)
        present = {part.class_name for part in model.parts}
        whole = next(
            (row for row in rows if not row.classes and (not row.having or not present.isdisjoint(row.having))), None
        )
        if whole is not None and whole.outcome == "raises":
            wrote = f"Keras {model.keras}" if model.keras else "a Keras that it does not name"
            why = f"{WORDS[model.form]}, written by {wrote}: {whole.why}"
            yield say("saved-format", "", why, whole.use, sources=whole.source.sources, row=whole.id)
        else:
            yield from self._parts(model, rows, say)
            if model.form != SAVED_MODEL:
                yield from self._functions(model, say)
        yield from _code(model, say)

    def _about(self, form: str, written: Version | None, reading: Version) -> tuple[Row, ...]:
        """The rows about a format and who wrote it; the same for many models."""
        if (form, written) not in self._rows:
            self._rows[form, written] = tuple(self._known.of(form, written, reading))
        return self._rows[form, written]

    def _parts(self, model: SavedModel, rows: tuple[Row, ...], say: Callable[..., Verdict]) -> Iterator[Verdict]:
        seen: set[tuple[str, str]] = set()
        for part in model.parts:
            for verdict in self._part(part, model.form, rows, say):
                key = (verdict.symbol, verdict.parameter or str(verdict.details.get("row")))
                if model.form == SAVED_MODEL and verdict.kind == "saved-custom":
                    continue  # a SavedModel brings the graph of what it cannot make
                if key not in seen:  # each of a hundred layers would say the same
                    seen.add(key)
                    yield verdict

    def _part(self, part: Part, form: str, rows: tuple[Row, ...], say: Callable[..., Verdict]) -> Iterator[Verdict]:
        speaking = [
            (row, found) for row in rows if (found := row.about(part.class_name, part.values, part.traits)) is not None
        ]
        raising = next(((row, found) for row, found in speaking if row.outcome == "raises"), None)
        loads = {each for row, _ in speaking for each in row.parameter or ("*",)}
        if raising is not None:
            row, parameter = raising
            kind = "saved-parameter" if parameter else "saved-layer"
            more = {"sources": row.source.sources, "row": row.id, "layer": part.name, "parameter": parameter or None}
            yield say(kind, next(iter(self._names(part)), part.class_name), f"{part.words}: {row.why}", row.use, **more)
        elif part.class_name == COMPILE:
            yield from self._strings(f"{self._root}.Model.compile", part, loads, say)
        elif part.kind != "model" and "*" not in loads:
            names = self._names(part)
            yield from self._own(names, part, form, loads, say) if names else _custom(part, say)

    def _own(
        self, names: Sequence[str], part: Part, form: str, loads: set[str], say: Callable[..., Verdict]
    ) -> Iterator[Verdict]:
        """An object of Keras's own: whether the target has it, and takes what its config says.

        Of several names (a loss and a metric may share one) any may be meant.
        """
        first = names[0]
        names = [each for each in names if self._api.ask(each, self._target).status is not Status.ABSENT]
        if not names:
            if self._elsewhere(part, form):
                return
            why = f"the model has {part.words}, and there is no {first}: load_model raises"
            advice = "load it with a release that has it, and make the model again with a layer that the target has"
            yield say("saved-layer", first, why, advice, layer=part.name)
            return
        refused = {
            parameter: value
            for parameter, value in part.values.items()
            if parameter not in loads
            and parameter.isidentifier()
            and all(self._api.keyword(each, parameter, self._target).status is Status.ABSENT for each in names)
        }
        if refused:
            given = ", ".join(f"{parameter}={_shown(value)}" for parameter, value in list(refused.items())[:MOST_SHOWN])
            more = f" and {len(refused) - MOST_SHOWN} more" if len(refused) > MOST_SHOWN else ""
            why = f"the config of {part.words} has {given}{more}, which {names[0]} refuses: load_model raises"
            advice = COMPILE_AGAIN if names[0].split(".")[-2] in COMPILED else MAKE_AGAIN
            yield say(
                "saved-parameter",
                names[0],
                why,
                advice,
                layer=part.name,
                parameter=next(iter(refused)),
                refused=[*refused],
            )
        yield from self._strings(names[0], part, loads, say)

    def _elsewhere(self, part: Part, form: str) -> bool:
        """Whether load_model may find what has no public name: formats without modules look through private lists."""
        if form == KERAS:
            return False
        names = (f"{self._root}.layers.experimental.{inner}{part.class_name}" for inner in ("", "preprocessing."))
        return part.kind != "layer" or any(
            self._api.ask(name, self._target).status is not Status.ABSENT for name in names
        )

    def _strings(self, name: str, part: Part, loads: set[str], say: Callable[..., Verdict]) -> Iterator[Verdict]:
        """Strings of a config that name an activation, a loss and the like."""
        for parameter, text in part.values.items():
            sort = self._identifiers.kind(name, parameter) if isinstance(text, str) and parameter not in loads else None
            if sort is None:
                continue
            status = self._identifiers.accepts(sort, text, self._root, self._target)
            if status is None:
                yield from _function(text, part.words, say)
            elif status is Status.ABSENT and (part.class_name != COMPILE or sort != "metric"):  # metrics are made later
                why = f"{part.words} has {parameter}={text!r}, and there is no {sort} of that name"
                yield say(
                    "saved-parameter",
                    name,
                    why,
                    f"{CUSTOM}{{'{text}': …}} to load_model",
                    layer=part.name,
                    parameter=parameter,
                )

    def _functions(self, model: SavedModel, say: Callable[..., Verdict]) -> Iterator[Verdict]:
        """Functions that are not Keras's own; what the target takes by its name alone is found without its module."""
        foreign = ((code.name, code.where) for code in model.code if code.what == "function" and _foreign(code.module))
        for name, where in list(dict.fromkeys(foreign))[:20]:
            taken = (self._identifiers.accepts(kind, name, self._root, self._target) for kind in KINDS)
            if name and Status.PRESENT not in taken:
                yield from _function(name, where, say)

    def _names(self, part: Part) -> list[str]:
        """The public names that an object of Keras's own may have; none for what is not, or cannot be told."""
        if ">" in part.class_name or ">" in part.registered or not part.class_name.isidentifier():
            return []
        first, _, rest = part.module.partition(".")
        folders: tuple[str, ...] = ("layers",) if part.kind == "layer" else OTHERS
        if part.module:
            if first not in ROOTS or part.registered not in ("", part.class_name):
                return []
            folders = (rest.partition("keras.")[2] if first == "tensorflow" else rest,)
        names = (".".join(word for word in (self._root, each, part.class_name) if word) for each in folders)
        return [name for name in names if (history := self._api.history(name)) is not None and history.present]


def _custom(part: Part, say: Callable[..., Verdict]) -> Iterator[Verdict]:
    """An object that is none of Keras's own."""
    if part.module.partition(".")[0] in ROOTS and part.registered in ("", part.class_name):
        return  # a private name of Keras: what became of it is not recorded
    if part.kind == "object" and not part.module and not part.registered:
        return  # formats without modules do not tell what it is
    known = part.registered and part.registered != part.class_name
    given = f" (registered as {part.registered})" if known else ""
    why = f"{part.words}{given} is no object of Keras: load_model raises {UNLESS}"
    advice = f"import the module that defines it; {CUSTOM}{{'{part.class_name}': {part.class_name}}} to load_model"
    yield say("saved-custom", part.class_name, why, advice, layer=part.name, module=part.module)


def _function(name: str, where: str, say: Callable[..., Verdict]) -> Iterator[Verdict]:
    why = f"{where or 'the model'} uses the function {name}, which is none of Keras: load_model raises {UNLESS}"
    yield say("saved-custom", name, why, f"{CUSTOM}{{'{name}': {name}}} to load_model", layer=where)


def _code(model: SavedModel, say: Callable[..., Verdict]) -> Iterator[Verdict]:
    places = list(dict.fromkeys(code.where for code in model.code if code.what == "lambda"))
    if places:
        shown = ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
        holds = "holds" if len(places) == 1 else "hold"
        needs = "needs the Python series that wrote it, and where Keras has a safe mode it refuses"
        why = f"{shown} {holds} Python bytecode: loading runs what the file says, {needs}"
        advice = (
            "write a Layer with call() in its place; only for a file that you trust: load_model(path, safe_mode=False)"
        )
        yield say("saved-code", "Lambda", why, advice, places=len(places))


def _foreign(module: str) -> bool:
    return bool(module) and module.partition(".")[0] not in ROOTS


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
