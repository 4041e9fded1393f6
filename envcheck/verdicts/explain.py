"""What is known about a reference that is absent, gone private, or called wrongly: releases, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.knowledge.api.answers import Api, History, Status, deprecations
from envcheck.knowledge.api.history import SEAM
from envcheck.knowledge.api.replacements import Advice, Replacement, Replacements, canonical
from envcheck.knowledge.api.target import Target
from envcheck.source.names.uses import Use
from envcheck.verdicts.calls import Fault, releases
from envcheck.verdicts.found import Place, Verdict
from envcheck.verdicts.names import Seen

PRIVATE = ("keras.src.", "tf_keras.src.", "keras.engine.", "tensorflow.python.", "keras.api.", "tensorflow.keras.src.")
PACKAGES = {"tensorflow": "TensorFlow", "tensorflow.keras": "TensorFlow", "keras": "Keras", "tf_keras": "tf_keras"}


class Explain:
    """Puts what the history and the replacements know into verdicts.

    Args:
        api: the history.
        replacements: what to write instead.
        target: the releases.
    """

    def __init__(self, api: Api, replacements: Replacements, target: Target) -> None:
        self._api = api
        self._replacements = replacements
        self._target = target
        self._absent: dict[tuple[str, str], Verdict] = {}
        self._there: dict[tuple[str, str, bool], tuple[Verdict, ...]] = {}
        self._behaviours: dict[tuple[str, str | None], Replacement | None] = {}

    def absent(self, how: str, seen: Seen, symbol: str, place: Place, label: str) -> Verdict:
        """A name that the target lacks."""
        key = (how, symbol)
        if key not in self._absent:
            self._absent[key] = self._explain_absent(how, seen, place, label)
        found = self._absent[key]
        return found if found.place == place else _at(found, place)

    def _explain_absent(self, how: str, seen: Seen, place: Place, label: str) -> Verdict:
        name = seen.name
        history = self._api.history(name)
        there = self._api.ask(name, self._target)
        late = there.status not in (Status.ABSENT, Status.UNKNOWN)
        if late and how not in ("import", "from"):  # attribute access finds it only after an import
            why = f"attribute access finds it only after `import {_module_of(name, self._api)}`"
            return Verdict(
                "absent-name",
                name,
                label,
                place,
                why,
                advice=f"import it: from {name.rpartition('.')[0]} import {name.rpartition('.')[2]}",
                asked=how,
            )
        if late:
            module = seen.missing
            why = f"{module} is there as an attribute and cannot be imported by that path"
            return Verdict(
                "absent-module",
                name,
                label,
                place,
                why,
                advice=f"import {name.partition('.')[0]} and write {name}",
                asked=how,
            )
        advice = (
            self._replacements.advice(history, self._target)
            if history and (history.present or history.unknown)
            else None
        )
        kind = self._kind(how, seen, history, advice)
        return Verdict(
            kind,
            name,
            label,
            place,
            self.releases(history),
            advice.use if advice else None,
            advice.note if advice else None,
            advice.example if advice else None,
            sources=advice.sources if advice else (),
            asked=how,
            details={"missing": seen.missing},
        )

    def _kind(self, how: str, seen: Seen, history: History | None, advice: Advice | None) -> str:
        if seen.member:
            return "not-yet" if history and self._not_yet(history) else "method"
        if history is not None and history.present and self._not_yet(history):
            return "not-yet"
        last = seen.name.rpartition(".")[2]
        use = advice.use if advice is not None else None
        same = advice is not None and (not advice.written or (use or "").rpartition(".")[2] == last)
        if use and same and self._api.ask(use, self._target).status in (Status.PRESENT, Status.DEPRECATED):
            return "moved"
        missing = self._api.history(seen.missing) if "()" not in seen.missing else None
        module = how == "import" or (how == "from" and seen.missing != seen.name)
        if module or (missing is not None and any(one.kind in ("module", "internal") for one in missing.found)):
            return "absent-module"
        return "absent-name"

    def _not_yet(self, history: History) -> bool:
        """Whether all the releases that have it are newer than the target's."""
        release = self._release(history.book)
        versions = self._api.shelf.book(history.book).versions
        first = next((place for place in range(len(versions)) if history.present >> place & 1), None)
        return release is not None and first is not None and versions[first] > release

    def _release(self, book: str) -> Version | None:
        target = self._target
        if book == "tensorflow" or (book == "tensorflow.keras" and target.tensorflow and target.tensorflow < SEAM):
            return target.tensorflow
        return target.tf_keras if book == "tf_keras" else target.keras

    def releases(self, history: History | None) -> str:
        """The releases that have a name, in words."""
        if history is None or not history.present:
            return (
                "no recorded release has it"
                if history is None or not history.unknown
                else "which releases have it is not recorded"
            )
        return f"it is there in {spans(history.book, history.present, self._api)}"

    def there(self, use: Use, seen: Seen, place: Callable[[], Place], label: str) -> Iterator[Verdict]:
        """What is worth saying about a name that is there."""
        key = (use.how, seen.name, seen.member)
        if key not in self._there:
            self._there[key] = tuple(self._worth_saying(use, seen, place(), label))
        yield from (_at(verdict, place()) for verdict in self._there[key])

    def _worth_saying(self, use: Use, seen: Seen, place: Place, label: str) -> Iterator[Verdict]:
        name = seen.name
        assert seen.answer is not None
        if seen.status is Status.FOREIGN and use.how in ("import", "from", "base", "call"):
            use_instead = "tensorflow.keras" + name[len("tensorflow.python.keras") :]
            other = use_instead if self._api.ask(use_instead, self._target).status is Status.PRESENT else None
            why = "it is TensorFlow's old copy of Keras; the installed Keras refuses its objects"
            yield Verdict("foreign", name, label, place, why, other, runs="warns", asked=use.how)
        elif seen.status is Status.DEPRECATED and not seen.member:
            yield from self._is_deprecated(seen, use, place, label)
        if name.startswith(PRIVATE) and use.how in ("import", "from") and seen.status is not Status.FOREIGN:
            history = self._api.history(name)
            public = next((one for one in canonical(history) if not one.startswith(PRIVATE)), None) if history else None
            why = "it is private: releases move and remove such names without notice"
            yield Verdict("private", name, label, place, why, public, runs="works", asked=use.how)
        if use.how not in ("import", "from"):
            row = self._behaviour(seen, None)
            if row is not None:
                yield self._changed(row, name, place, label, None)

    def _is_deprecated(self, seen: Seen, use: Use, place: Place, label: str) -> Iterator[Verdict]:
        assert seen.answer is not None
        texts = [fact.text for one in seen.answer.found for fact in deprecations(one)]
        if texts and all(
            text == "name" for text in texts
        ):  # another name of the object is preferred: nothing will break
            return
        history = self._api.history(seen.name)
        advice = self._replacements.advice(history, self._target) if history else None
        said = next((text for text in texts if text not in ("yes", "name")), "")
        why = f"the release itself says that it is deprecated{': ' + said if said else ''}"
        use_instead, note = (advice.use, advice.note) if advice else (None, None)
        yield Verdict("deprecated", seen.name, label, place, why, use_instead, note, runs="works", asked=use.how)

    def _behaviour(self, seen: Seen, parameter: str | None) -> Replacement | None:
        """The row that says what a name, or a keyword of it, silently does on the target, and did not before."""
        key = (seen.name, parameter)
        if key not in self._behaviours:
            history = self._api.history(seen.name)
            row = self._replacements.written(history, parameter, changed=True) if history else None
            self._behaviours[key] = row if row is not None and self._holds(row) else None
        return self._behaviours[key]

    def _holds(self, row: Replacement) -> bool:
        releases = {
            "tensorflow": self._target.tensorflow,
            "keras": self._target.keras,
            "tf_keras": self._target.tf_keras,
        }
        if self._target.through_tf_keras:
            releases["keras"] = self._target.tf_keras
        return any(
            release is not None and SpecifierSet(row.changed[package]).contains(release, prereleases=True)
            for package, release in releases.items()
            if package in row.changed
        )

    def _changed(self, row: Replacement, name: str, place: Place, label: str, parameter: str | None) -> Verdict:
        return Verdict(
            "behaviour",
            name,
            label,
            place,
            row.note or "it does something else than before",
            row.use,
            None,
            row.example,
            parameter,
            runs="differs",
            sources=row.source.sources,
        )

    def call(self, fault: Fault, use: Use, seen: Seen, place: Place, label: str) -> Verdict | None:
        """A keyword that the target lacks or ignores, or an argument too many."""
        history = self._api.history(seen.name)
        if history is None:
            return None
        if fault.kind == "positional":
            assert use.call is not None
            most = f"{fault.most} argument{'s' if fault.most != 1 else ''}"
            why = f"it takes {most} by position, and is given {use.call.positional}"
            return Verdict("positional", seen.name, label, place, why, parameter=fault.parameter, asked="call")
        row = self._replacements.written(history, fault.parameter)
        if fault.kind == "ignored":
            if ".optimizers." not in seen.name:
                return None
            why = "it is taken and has no effect"
            use_instead = row.use if row else None
            note = row.note if row else None
            return Verdict(
                "behaviour",
                seen.name,
                label,
                place,
                why,
                use_instead,
                note,
                None,
                fault.parameter,
                "differs",
                asked="call",
            )
        mask = releases(history, fault.parameter, self._api)
        if mask:
            why = f"it takes {fault.parameter}= in {spans(history.book, mask, self._api)}"
        elif self._api.untold(history.found, fault.parameter):
            why = f"no recorded release has {fault.parameter}= in its signature"
        else:
            why = f"no recorded release takes {fault.parameter}="
        return Verdict(
            "absent-parameter",
            seen.name,
            label,
            place,
            why,
            row.use if row else None,
            row.note if row else None,
            row.example if row else None,
            fault.parameter,
            sources=row.source.sources if row else (),
            asked="call",
        )


def spans(book: str, mask: int, api: Api) -> str:
    """``TensorFlow 1.13-2.5, Keras 3.0-3.3``: a set of releases in words."""
    shelf = api.shelf.book(book)
    versions = dict(zip(shelf.labels, shelf.versions, strict=True))
    words: dict[str, list[str]] = {}
    for first, last in shelf.intervals(mask):
        seam = book == "tensorflow.keras" and versions[first] >= SEAM
        package = "Keras" if seam else PACKAGES[book]
        end = last or shelf.labels[-1]
        words.setdefault(package, []).append(first if end == first else f"{first}-{end}")
    return ", ".join(f"{package} {', '.join(parts)}" for package, parts in words.items())


def _module_of(name: str, api: Api) -> str:
    parent = name.rpartition(".")[0]
    history = api.history(name)
    module = history is not None and any(one.kind in ("module", "internal") for one in history.found)
    return name if module or parent.count(".") == 0 else parent


def _at(verdict: Verdict, place: Place) -> Verdict:
    return replace(verdict, place=place)
