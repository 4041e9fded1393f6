"""Every reference of every file on every target: what is absent, moved, private, called wrongly; and how much was understood."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from envcheck.knowledge.api.answers import Api, Status
from envcheck.knowledge.api.identifiers import Identifiers
from envcheck.knowledge.api.objects import Objects
from envcheck.knowledge.api.replacements import Replacements
from envcheck.knowledge.api.returns import Returns
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.api.values import Values
from envcheck.source.names.uses import Call, Condition, Use
from envcheck.verdicts import explain, guards
from envcheck.verdicts.arguments import Arguments
from envcheck.verdicts.calls import Fault, faults
from envcheck.verdicts.found import Place, Verdict
from envcheck.verdicts.names import Names, Seen
from envcheck.verdicts.project import Project
from envcheck.verdicts.windows import Windows

IMPORTS = ("import", "from")
_ROOT = re.compile(r"(tensorflow|keras|tf_keras)(?=[.(]|$)")


@dataclass(slots=True)
class Tally:
    """What is counted while references are judged."""

    counts: Counter[str] = field(default_factory=Counter)
    references: list[dict[str, object]] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A file: its path, uses and guards, and what tells the line in its cell, and the cell, of a line of the reading."""

    path: str
    uses: tuple[Use, ...]
    guards: tuple[tuple[Condition, ...], ...]
    place: Callable[[int], tuple[int, int | None]]


class Judge:
    """Judges the references of a project on one target.

    Args:
        api: the history.
        replacements: what to write instead.
        returns: what calls give.
        objects: what objects have and their classes do not show.
        values: what arguments do.
        identifiers: which strings name objects.
        target: the releases, ``label`` in words.
        project: the modules of the project.
        tally: what is counted.
        window: is told every reference that is not guarded; None where another target's judge tells it.
    """

    def __init__(
        self,
        api: Api,
        replacements: Replacements,
        returns: Returns,
        objects: Objects,
        values: Values,
        identifiers: Identifiers,
        target: Target,
        label: str,
        project: Project,
        tally: Tally,
        window: Windows | None = None,
    ) -> None:
        self.names = Names(api, returns, objects, target)
        self.label = label
        self._arguments = Arguments(values, identifiers, self.names, label)
        self._explain = explain.Explain(api, replacements, target)
        self._project = project
        self._tally = tally
        self._window = window
        self._known_faults: dict[tuple[str, bool, int, tuple[str, ...]], tuple[Fault, ...]] = {}
        self._patched: set[str] = set()
        self._imported: frozenset[str] = frozenset()

    def file(self, source: Source) -> Iterator[Verdict]:
        """The verdicts of one file."""
        failed: dict[str, Verdict | None] = {}
        found: list[Verdict] = []
        folded: Counter[str] = Counter()
        uses = source.uses
        self._arguments.begin(uses)
        self._patched = {use.symbol for use in uses if use.how == "set"}
        self._imported = frozenset(_modules(use.symbol for use in uses if use.how in IMPORTS))
        active: dict[int, bool | None] = {}
        for use in uses:
            if use.guard not in active:
                active[use.guard] = self._active(source.guards[use.guard], source.path)
            symbol = self._linked(use, source.path)
            if symbol is None or use.how == "set":
                continue
            if use.how == "item":
                found += self._item(source, use, symbol, active[use.guard])
                continue
            for verdict in self._use(source, use, symbol, active[use.guard], failed, folded):
                found.append(verdict)
        for verdict in found:
            key_of = verdict.symbol if verdict.asked in IMPORTS else ""
            count = folded.pop(key_of, 0) if key_of else 0
            yield replace(verdict, folded=count) if count else verdict

    def _item(self, source: Source, use: Use, symbol: str, active: bool | None) -> Iterator[Verdict]:
        """What stands in brackets behind a reference, which is counted itself."""
        seen = self.names.see(symbol) if active and "|" not in symbol else None
        if seen is not None and seen.status in (Status.PRESENT, Status.DEPRECATED):
            yield from self._arguments.read(seen, use, lambda: self._place(source, use))

    def _active(self, conditions: tuple[Condition, ...], path: str) -> bool | None:
        """Whether what is under these conditions runs on the target; None: an absent name is caught, or it cannot be told."""

        def flag(symbol: str) -> Condition | None:
            return self._project.condition(symbol, path)

        answers = [guards.holds(each, self.names, flag) for each in conditions]
        return False if False in answers else None if None in answers else True

    def _linked(self, use: Use, path: str) -> str | None:
        symbol = self._project.link(use.symbol, path)
        if symbol is None:
            return None
        found = [self._starred(one) if one[0] == "*" else one for one in symbol.split("|")]
        kept = [one for one in found if one is not None and _ROOT.match(one)]
        return "|".join(kept) if kept and len(kept) == len(found) else None

    def _starred(self, symbol: str) -> str | None:
        """The last star import whose module has the name in any release."""
        modules, _, name = symbol[1:].partition(":")
        first = name.partition(".")[0].partition("(")[0]
        for module in reversed(modules.split(",")):
            history = self.names.api.history(f"{module}.{first}") if not first.startswith("_") else None
            if history is not None and history.present:
                return f"{module}.{name}"
        return None

    def _use(
        self,
        source: Source,
        use: Use,
        symbol: str,
        active: bool | None,
        failed: dict[str, Verdict | None],
        folded: Counter[str],
    ) -> Iterator[Verdict]:
        if active is False:
            self._count("guarded", source, use, symbol)
            return
        seen = self._see(use, symbol)
        root = None if use.how in IMPORTS else _prefix(symbol, failed)
        if root is not None:
            folded[root] += 1
            self._count("folded", source, use, symbol)
            return
        if seen.status is None:
            self._count("untyped", source, use, symbol)
            if seen.member and active:
                yield from self._valued(source, use, symbol, seen)
        elif seen.status is Status.UNKNOWN:
            self._count("unknown", source, use, symbol)
        elif seen.status is Status.ABSENT and seen.missing != symbol and "()" in symbol:
            self._count("folded", source, use, symbol)  # what it is called on is absent, and reported
        elif seen.status is Status.ABSENT:
            yield from self._absent(source, use, symbol, seen, active, failed)
        else:
            caught = active is None and self._fails(source, use, symbol, seen)
            self._count("guarded" if caught else "known", source, use, symbol)
            if active is not None:
                yield from self._present(source, use, symbol, seen)
        if self._window is not None and use.guard == 0 and seen.status is not None:
            self._window.add(source.path, use, seen.name, lambda: self._place(source, use))

    def _valued(self, source: Source, use: Use, symbol: str, seen: Seen) -> Iterator[Verdict]:
        """What rows about values say."""
        if use.how == "attribute":
            yield from self._arguments.read(seen, use, lambda: self._place(source, use))
        if use.call is not None:
            yield from self._arguments.call(seen, use, symbol, lambda: self._place(source, use))

    def _absent(
        self, source: Source, use: Use, symbol: str, seen: Seen, active: bool | None, failed: dict[str, Verdict | None]
    ) -> Iterator[Verdict]:
        caught = active is None or self._is_patched(symbol)
        verdict = None if caught else self._explain.absent(use.how, seen, symbol, self._place(source, use), self.label)
        if use.how in IMPORTS:
            failed[symbol] = verdict
        self._count("guarded" if caught else "reported", source, use, symbol)
        if verdict is not None:
            yield verdict

    def _see(self, use: Use, symbol: str) -> Seen:
        """The first alternative that is there; else the first one."""
        best: Seen | None = None
        for one in symbol.split("|"):
            seen = self._one(use, one)
            if seen.status not in (Status.ABSENT, None):
                return seen
            if best is None or best.status is Status.ABSENT:
                best = seen
        assert best is not None
        return best

    def _one(self, use: Use, symbol: str) -> Seen:
        if use.how == "call" and symbol.endswith("()"):  # an object is called, most often a layer
            seen = self.names.see(f"{symbol}.__call__")
            return (
                seen
                if seen.status is not Status.ABSENT or seen.missing != f"{symbol}.__call__"
                else seen._replace(status=None)
            )
        seen = self.names.see(symbol)
        if use.how == "import" and seen.status is not Status.ABSENT:
            status = self.names.importable(symbol)
            return seen._replace(status=status, missing=symbol)
        if use.how == "from":
            module = symbol.rpartition(".")[0]
            status = self.names.importable(module)
            if status is Status.ABSENT:
                return seen._replace(status=status, missing=module)
        elif use.how not in IMPORTS and self._is_late(seen) and "@" not in use.symbol and not self._loaded(symbol):
            return seen._replace(status=Status.ABSENT, missing=symbol)
        return seen

    def _is_late(self, seen: Seen) -> bool:
        """Whether attribute access finds it only after an import."""
        return seen.answer is not None and seen.answer.imported and not seen.member

    def _loaded(self, symbol: str) -> bool:
        """Whether this file imports the module, or one below it, so that attribute access finds it."""
        parts = symbol.split(".")
        return any(".".join(parts[:length]) in self._imported for length in range(2, len(parts) + 1))

    def _is_patched(self, symbol: str) -> bool:
        return any(_within(symbol, each) for each in self._patched)

    def _present(self, source: Source, use: Use, symbol: str, seen: Seen) -> Iterator[Verdict]:
        yield from self._explain.there(use, seen, lambda: self._place(source, use), self.label)
        said = set()
        for valued in self._valued(source, use, symbol, seen):
            said.add(valued.parameter if valued.kind == "absent-parameter" else None)
            yield valued
        if use.call is not None:
            for fault in self._faults(use.call, seen):
                if fault.kind == "absent-parameter" and fault.parameter in said:
                    continue  # a row explains it better
                verdict = self._explain.call(fault, use, seen, self._place(source, use), self.label)
                if verdict is not None:
                    yield verdict

    def _fails(self, source: Source, use: Use, symbol: str, seen: Seen) -> bool:
        """Whether a call of what is there fails, by its signature or by what is known of the parameter."""
        if use.call is None:
            return False
        valued = self._valued(source, use, symbol, seen)
        return bool(self._faults(use.call, seen)) or any(each.kind == "absent-parameter" for each in valued)

    def _faults(self, call: Call, seen: Seen) -> tuple[Fault, ...]:
        key = (seen.name, seen.member, call.positional, call.keywords)
        if key not in self._known_faults:
            self._known_faults[key] = tuple(faults(call, seen, self.names))
        return self._known_faults[key]

    def _place(self, source: Source, use: Use) -> Place:
        width = use.end - use.column if use.end > use.column else 0
        line, cell = source.place(use.line)
        return Place(source.path, line, use.column + 1, cell, width)

    def _count(self, status: str, source: Source, use: Use, symbol: str) -> None:
        self._tally.counts["known" if status == "reported" else status] += 1
        if self._tally.references is not None:
            line, cell = source.place(use.line)
            self._tally.references.append(
                {
                    "path": source.path,
                    "cell": cell,
                    "line": line,
                    "column": use.column + 1,
                    "symbol": symbol,
                    "kind": use.how,
                    "status": status,
                    "target": self.label,
                    "keywords": list(use.call.keywords) if use.call else [],
                }
            )


def _modules(symbols: Iterable[str]) -> Iterator[str]:
    """Every module that an import of these loads, as far as their names tell."""
    for symbol in symbols:
        parts = symbol.split(".")
        yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _prefix(symbol: str, failed: Mapping[str, object]) -> str | None:
    """The failed import that a symbol begins with."""
    if not failed:
        return None
    return next((each for one in symbol.split("|") for each in failed if _within(one, each)), None)


def _within(symbol: str, whole: str) -> bool:
    """Whether a symbol is another one, or goes on from it."""
    return symbol == whole or symbol.startswith((whole + ".", whole + "("))
