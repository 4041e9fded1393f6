"""What saved models say for a target: whether it loads them, and what of them it lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.version import Version

from envcheck.findings import Location
from envcheck.knowledge.api.answers import Api
from envcheck.knowledge.api.identifiers import Identifiers
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.saved_models import Row, SavedModels, version
from envcheck.saved.found import EXPORTED, HDF5, RENAMED, SAVED_MODEL, Part, SavedModel
from envcheck.verdicts.found import Place, Verdict
from envcheck.verdicts.saved_objects import Objects, Say, bytecode
from envcheck.verdicts.targets import label

WORDS = {
    "keras": "a .keras archive",
    "hdf5": "an HDF5 file",
    "hdf5-as-keras": "an HDF5 file",
    "saved-model": "a SavedModel of Keras",
}
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
        self._known = known
        self._label = label(target)
        self._rows: dict[tuple[str, Version | None], tuple[Row, ...]] = {}
        self._reading = target.tf_keras if target.through_tf_keras else target.keras or target.tf_keras
        # Keras 3 looks its own classes up, whatever tf.keras has besides.
        new = target.keras is not None and target.keras.major >= KERAS_3 and not target.through_tf_keras
        root = "keras" if new or not target.tensorflow else "tensorflow.keras"
        if not target.tensorflow and target.keras is None:
            root = "tf_keras"
        self._objects = Objects(target, root, api, identifiers)

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
                yield from self._objects.functions(model, say)
        yield from bytecode(model, say)

    def _about(self, form: str, written: Version | None, reading: Version) -> tuple[Row, ...]:
        """The rows about a format and who wrote it; the same for many models."""
        if (form, written) not in self._rows:
            self._rows[form, written] = tuple(self._known.of(form, written, reading))
        return self._rows[form, written]

    def _parts(self, model: SavedModel, rows: tuple[Row, ...], say: Say) -> Iterator[Verdict]:
        seen: set[tuple[str, str]] = set()
        for part in model.parts:
            for verdict in self._part(part, model.form, rows, say):
                key = (verdict.symbol, verdict.parameter or str(verdict.details.get("row")))
                if model.form == SAVED_MODEL and verdict.kind == "saved-custom":
                    continue  # a SavedModel brings the graph of what it cannot make
                if key not in seen:  # each of a hundred layers would say the same
                    seen.add(key)
                    yield verdict

    def _part(self, part: Part, form: str, rows: tuple[Row, ...], say: Say) -> Iterator[Verdict]:
        speaking = [
            (row, found) for row in rows if (found := row.about(part.class_name, part.values, part.traits)) is not None
        ]
        raising = next(((row, found) for row, found in speaking if row.outcome == "raises"), None)
        loads = {each for row, _ in speaking for each in row.parameter or ("*",)}
        if raising is not None:
            row, parameter = raising
            kind = "saved-parameter" if parameter else "saved-layer"
            more = {"sources": row.source.sources, "row": row.id, "layer": part.name, "parameter": parameter or None}
            symbol = next(iter(self._objects.names(part)), part.class_name)
            yield say(kind, symbol, f"{part.words}: {row.why}", row.use, **more)
        else:
            yield from self._objects.judged(part, form, loads, say)
