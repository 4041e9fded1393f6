"""What saved models say for a target: whether it loads them, and what of them it lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from envcheck.findings import Location
from envcheck.knowledge.api.answers import Api, Status
from envcheck.knowledge.api.identifiers import Identifiers
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.saved_models import Row, SavedModels, version
from envcheck.saved.found import COMPILE, EXPORTED, KERAS, SAVED_MODEL, Part, SavedModel
from envcheck.verdicts.found import Place, Verdict
from envcheck.verdicts.targets import label

WORDS = {"keras": "a .keras archive", "hdf5": "an HDF5 file", "saved-model": "a SavedModel of Keras"}
CUSTOM = "pass custom_objects="
UNLESS = "unless its code is imported and it is registered or given"
ROOTS = ("keras", "tensorflow", "tf_keras")
OTHERS = ("initializers", "regularizers", "constraints", "optimizers", "losses", "metrics")
"""Where the objects lie that are no layers; formats without ``module`` do not say which they are."""

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

        rows = tuple(self._known.of(model.form, written, self._reading))
        whole = next((row for row in rows if not row.classes), None)
        if whole is not None and whole.outcome == "raises":
            wrote = f"Keras {model.keras}" if model.keras else "a Keras that it does not name"
            why = f"{WORDS[model.form]}, written by {wrote}: {whole.why}"
            yield say("saved-format", "", why, whole.use, sources=whole.source.sources, row=whole.id)
        else:
            yield from self._parts(model, rows, say)
            if model.form != SAVED_MODEL:
                yield from _functions(model, say)
        yield from _code(model, say)

    def _parts(self, model: SavedModel, rows: tuple[Row, ...], say: Callable[..., Verdict]) -> Iterator[Verdict]:
        seen: set[tuple[str, str]] = set()
        for part in model.parts:
            for verdict in self._part(part, model.form, rows, say):
                key = (verdict.symbol, verdict.parameter or "")
                if model.form == SAVED_MODEL and verdict.kind == "saved-custom":
                    continue  # a SavedModel brings the graph of what it cannot make
                if key not in seen:  # each of a hundred layers would say the same
                    seen.add(key)
                    yield verdict

    def _part(self, part: Part, form: str, rows: tuple[Row, ...], say: Callable[..., Verdict]) -> Iterator[Verdict]:
        speaking = [(row, found) for row in rows if (found := row.about(part.class_name, part.values)) is not None]
        raising = next(((row, found) for row, found in speaking if row.outcome == "raises"), None)
        loads = {each for row, _ in speaking for each in row.parameter or ("*",)}
        if raising is not None:
            row, parameter = raising
            kind = "saved-parameter" if parameter else "saved-layer"
            more = {"sources": row.source.sources, "row": row.id, "layer": part.name, "parameter": parameter or None}
            yield say(kind, self._name(part) or part.class_name, f"{part.words}: {row.why}", row.use, **more)
        elif part.class_name == COMPILE:
            yield from self._strings(f"{self._root}.Model.compile", part, loads, say)
        elif part.kind != "model" and "*" not in loads:
            found = self._name(part)
            yield from _custom(part, say) if found is None else self._own(found, part, form, loads, say)

    def _own(self, name: str, part: Part, form: str, loads: set[str], say: Callable[..., Verdict]) -> Iterator[Verdict]:
        """An object of Keras's own: whether the target has it, and takes what its config says."""
        answer = self._api.ask(name, self._target)
        if answer.status is Status.ABSENT:
            if self._elsewhere(part, form):
                return
            why = f"the model has {part.words}, and there is no {name}"
            advice = "load it with a release that has it, and make the model again with a layer that the target has"
            yield say("saved-layer", name, why, advice, layer=part.name)
            return
        for parameter, value in part.values.items():
            if parameter in loads or not parameter.isidentifier():
                continue
            if self._api.keyword(name, parameter, self._target).status is Status.ABSENT:
                given = f"{parameter}={_shown(value)}"
                why = f"the config of {part.words} has {given}, which {name} refuses"
                advice = "make the model in code on the target, and load the weights alone (model.load_weights)"
                yield say("saved-parameter", name, why, advice, layer=part.name, parameter=parameter)
        yield from self._strings(name, part, loads, say)

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
            elif status is Status.ABSENT:
                why = f"{part.words} has {parameter}={text!r}, and there is no {sort} of that name"
                yield say(
                    "saved-parameter",
                    name,
                    why,
                    f"{CUSTOM}{{'{text}': …}} to load_model",
                    layer=part.name,
                    parameter=parameter,
                )

    def _name(self, part: Part) -> str | None:
        """The public name of an object of Keras's own; None for what is not, or cannot be told."""
        if ">" in part.class_name or ">" in part.registered or not part.class_name.isidentifier():
            return None
        first, _, rest = part.module.partition(".")
        folders: tuple[str, ...] = ("layers",) if part.kind == "layer" else OTHERS
        if part.module:
            if first not in ROOTS or part.registered not in ("", part.class_name):
                return None
            folders = (rest.partition("keras.")[2] if first == "tensorflow" else rest,)
        for each in folders:
            name = ".".join(word for word in (self._root, each, part.class_name) if word)
            history = self._api.history(name)
            if history is not None and history.present:
                return name
        return None


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


def _functions(model: SavedModel, say: Callable[..., Verdict]) -> Iterator[Verdict]:
    foreign = (
        (code.name, code.where)
        for code in model.code
        if code.what == "function" and code.name and _foreign(code.module)
    )
    for name, where in list(dict.fromkeys(foreign))[:20]:
        yield from _function(name, where, say)


def _foreign(module: str) -> bool:
    return bool(module) and module.partition(".")[0] not in ROOTS


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
