"""What the objects of saved models say for a target: what it lacks of them, and what it has to be told of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from envcheck.knowledge.api.answers import Api, Status
from envcheck.knowledge.api.identifiers import KINDS, Identifiers
from envcheck.knowledge.api.target import Target
from envcheck.saved.found import COMPILE, KERAS, Part, SavedModel
from envcheck.verdicts.found import Verdict

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

Say = Callable[..., Verdict]
"""Makes a verdict on the model that is judged: ``say(kind, symbol, why, advice, **details)``."""


class Objects:
    """What a target says of objects, one at a time.

    Args:
        target: the release, completed.
        root: the package whose objects load_model looks up.
        api: the API history.
        identifiers: which strings name objects.
    """

    def __init__(self, target: Target, root: str, api: Api, identifiers: Identifiers) -> None:
        self._target = target
        self._root = root
        self._api = api
        self._identifiers = identifiers

    def judged(self, part: Part, form: str, loads: set[str], say: Say) -> Iterator[Verdict]:
        """What is worth saying about an object.

        Args:
            part: the object.
            form: the format that it is written in.
            loads: its parameters that load_model is known to take, whatever the API history says; ``*``: the object itself.
            say: makes the verdicts.
        """
        if part.class_name == COMPILE:
            yield from self._strings(f"{self._root}.Model.compile", part, loads, say)
        elif part.kind != "model" and "*" not in loads:
            names = self.names(part)
            yield from self._own(names, part, form, loads, say) if names else _custom(part, say)

    def functions(self, model: SavedModel, say: Say) -> Iterator[Verdict]:
        """Functions that are not Keras's own; what the target takes by its name alone is found without its module."""
        foreign = ((code.name, code.where) for code in model.code if code.what == "function" and _foreign(code.module))
        for name, where in list(dict.fromkeys(foreign))[:20]:
            taken = (self._identifiers.accepts(kind, name, self._root, self._target) for kind in KINDS)
            if name and Status.PRESENT not in taken:
                yield from _function(name, where, say)

    def names(self, part: Part) -> list[str]:
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

    def _own(self, names: Sequence[str], part: Part, form: str, loads: set[str], say: Say) -> Iterator[Verdict]:
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

    def _strings(self, name: str, part: Part, loads: set[str], say: Say) -> Iterator[Verdict]:
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


def _custom(part: Part, say: Say) -> Iterator[Verdict]:
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


def _function(name: str, where: str, say: Say) -> Iterator[Verdict]:
    why = f"{where or 'the model'} uses the function {name}, which is none of Keras: load_model raises {UNLESS}"
    yield say("saved-custom", name, why, f"{CUSTOM}{{'{name}': {name}}} to load_model", layer=where)


def bytecode(model: SavedModel, say: Say) -> Iterator[Verdict]:
    """What loading runs of the file itself.

    Args:
        model: what was read.
        say: makes the verdict.
    """
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
