"""What every part of the reader shares: the state of the program, the events, the places, and the limits."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from envcheck.model.cells import Cell
from envcheck.model.events import Array, Event, Model, Where
from envcheck.model.source import Source
from envcheck.model.state import Snapshot, State
from envcheck.model.tensors import UNKNOWN, Refused
from envcheck.model.values import Class, Dict, Function, Instance, LayerObject, List, ModelObject, Scope, Value

MOST_STEPS = 50_000
"""Expressions and statements of a module, with the functions that it calls, that are looked at."""
MOST_LATER = 100_000
"""The same for all functions together that the module itself does not call."""
MOST_ALONE = 2_000
"""The same for one of them, with all that it calls."""
DEEPEST_ALONE = 5
DEEPEST = 12
"""Calls of the file's own functions inside of one another that are followed."""
MOST_TAINTED = 5_000
LONGEST = 512
"""Items of a list that are kept; a longer one is UNKNOWN."""


class Cut(Exception):  # noqa: N818 - no error: a reading ends here
    """The reading takes more steps than it may."""


@dataclass(slots=True)
class Frame:
    """A function that is being run."""

    name: str
    depth: int
    """The path that was opened for it."""
    ends: list[tuple[Value, Snapshot]] = field(default_factory=list)
    nested: list[Function] = field(default_factory=list)
    """Functions that are defined in it."""
    straight: bool = False
    """Whether it has one end, and what it wrote stands as it was there."""

    def end(self, value: Value, state: State, sure: bool) -> None:
        """Note that it may end here; ``sure`` where nothing after it runs."""
        self.straight = sure and not self.ends and state.depth == self.depth + 1
        self.ends.append((value, {} if self.straight else state.since(self.depth)))


@dataclass(slots=True)
class Loop:
    """A loop that is being run."""

    depth: int
    turn: int = 0
    broken: list[Snapshot] = field(default_factory=list)
    continued: list[Snapshot] = field(default_factory=list)


class Call:
    """A call, with its arguments evaluated.

    ``complete`` is false where ``*args`` or ``**kwargs`` may bring others; ``place`` is its node, or where it stands.
    """

    __slots__ = ("complete", "keywords", "machine", "name", "place", "positional")

    def __init__(
        self,
        machine: Core,
        name: str,
        positional: tuple[Value, ...],
        keywords: dict[str, Value],
        complete: bool,
        place: ast.expr | ast.stmt | Where,
    ) -> None:
        self.machine = machine
        self.name = name
        self.positional = positional
        self.keywords = keywords
        self.complete = complete
        self.place = place

    @property
    def where(self) -> Where:
        """Where it stands, as sure as what runs now."""
        if not isinstance(self.place, Where):
            self.place = self.machine.where(self.place)
        return self.place

    def but(self, positional: tuple[Value, ...], keywords: dict[str, Value] | None = None, name: str = "") -> Call:
        """The same call with other arguments."""
        given = self.keywords if keywords is None else keywords
        return Call(self.machine, name, positional, given, self.complete, self.place)

    def get(self, name: str, position: int | None = None, default: Value = None) -> Value:
        """An argument by name or place; UNKNOWN where it may be hidden."""
        if name in self.keywords:
            return self.keywords[name]
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return default if self.complete else UNKNOWN

    def everything(self) -> tuple[Value, ...]:
        """All arguments."""
        return (*self.positional, *self.keywords.values())


class Core:
    """The program's state while it is read.

    Args:
        keras: The major version of Keras that would run it.
        source: The words of the file.
        rebound: Names that some function declares global or nonlocal: they may change at any time.
    """

    def __init__(self, keras: int, source: Source, rebound: frozenset[str]) -> None:
        self.keras = keras
        self.source = source
        self.rebound = rebound
        self.state = State()
        self.module = Scope()
        self.scope = self.module
        self.events: list[Event] = []
        self.steps = 0
        self.limit = MOST_STEPS
        self.frames: list[Frame] = []
        self.loops: list[Loop] = []
        self.attempted = 0
        self.conditional = 0
        self.inside = ""
        """The layer class whose ``call`` is being run."""
        self.stage = "definition"
        self.broken: list[str] = []
        """Rules that raised what they should not."""
        self.policy_known = True
        """Whether layers compute in ``float32`` and have their channels last, as is the default."""
        self.channels_known = True
        self.trainable_known = True
        self.patched: set[str] = set()
        """Modules and classes outside of the file that it changes (``keras.layers.Dense.call = …``)."""
        self.unfinished = False
        """Whether the module's end was not reached: what its names stand for then cannot be told."""
        self.late = False
        """Whether the module's end is reached, and functions are run that it does not call itself."""
        self.objects: dict[int, LayerObject | ModelObject] = {}
        """What an event's :class:`Made` (by ``id``) or a model's number stands for."""
        self.entered: set[int] = set()
        """Functions of the file that were run, by ``id`` of the node."""
        self.functions: list[Function] = []
        """Functions of the file, in the order in which they are defined."""
        self.classes: list[Class] = []
        self.constructions: dict[tuple[object, ...], Refused | None] = {}
        """Why layers with just these arguments cannot be made."""
        self.homes: list[Scope] = []
        """Scopes that functions are defined in: each holds the function that holds it."""
        self.depth = 0
        """Calls of the file's own layers inside of one another."""
        self.published = 0
        self.snapshots: dict[int, tuple[tuple[Value, ...], Value, Model | None]] = {}
        """The last snapshot of each model, and the state it is of."""
        self._number = 0

    def value(self, node: ast.expr) -> Value:
        """What an expression stands for."""
        raise NotImplementedError

    def peek(self, node: ast.expr) -> Value:
        """What a plain dotted name stands for; nothing is run or noted."""
        raise NotImplementedError

    def call(self, callee: Value, call: Call) -> Value:
        """What a call gives."""
        raise NotImplementedError

    def run(self, statements: list[ast.stmt]) -> bool:
        """Run statements; whether what follows them is reached."""
        raise NotImplementedError

    def assign(self, target: ast.expr, value: Value) -> None:
        """Give a value to a target."""
        raise NotImplementedError

    def step(self) -> None:
        """Count one step.

        Raises:
            Cut: There were too many.
        """
        self.steps += 1
        if self.steps > self.limit:
            raise Cut

    def end(self) -> None:
        """Let go of the program: without this its trees stay in memory until the collector finds them, which costs seconds."""
        for scope in (*self.homes, self.module):
            scope.state.clear()

    def stop(self) -> None:
        """Forget where the program was when it was cut."""
        self.stage, self.inside, self.depth = "definition", "", 0

    def number(self) -> int:
        """A number for a new model."""
        self._number += 1
        return self._number

    def emit(self, event: Event) -> None:
        """Note an event."""
        self.events.append(event)

    def where(self, node: ast.expr | ast.stmt) -> Where:
        """The place of a node."""
        end = node.end_col_offset if node.end_lineno == node.lineno and node.end_col_offset is not None else -1
        name = self.frames[-1].name if self.frames else ""
        return Where(node.lineno, node.col_offset, end, self.attempted > 0, self.conditional > 0, name)

    def here(self, where: Where) -> Where:
        """A place that was noted earlier, as sure as what runs now."""
        attempted, conditional = self.attempted > 0, self.conditional > 0
        if (where.attempted, where.conditional) == (attempted, conditional):
            return where
        return replace(where, attempted=where.attempted or attempted, conditional=where.conditional or conditional)

    def store(self, name: str, value: Value) -> None:
        """Bind a name in the scope that runs."""
        scope = self.scope
        if name in self.rebound:
            value = UNKNOWN
        if scope.kind == "module":
            if name in scope.state:
                scope.often.add(name)
        elif scope.kind == "comprehension":
            scope.state[name] = value
            return
        self.state.write(scope, name, value)

    @contextmanager
    def maybe(self) -> Iterator[None]:
        """What runs here may not run."""
        self.conditional += 1
        try:
            yield
        finally:
            self.conditional -= 1

    @contextmanager
    def trying(self, caught: bool = True) -> Iterator[None]:
        """What is raised here may be caught."""
        self.attempted += caught
        try:
            yield
        finally:
            self.attempted -= caught

    def written(self, array: Array) -> None:
        """Numbers are written into an array, and so into all that share its memory."""
        if array.values is not None:
            self.state.write(array.values.buffer, "written", True)

    def reshaped(self) -> None:
        """An array's shape is changed in place: every name of every array may stand for that one."""
        scope: Scope | None = self.scope
        while scope is not None:
            for name, value in list(scope.state.items()):
                if isinstance(value, Array):
                    self.state.write(scope, name, Array())
                elif isinstance(value, (tuple, List, Dict, Instance)):
                    self.state.write(scope, name, UNKNOWN)
            scope = scope.parent

    def taint(self, value: Value, seen: set[int] | None = None) -> None:
        """Something unknown got hold of a value and may have changed it."""
        if isinstance(value, Array):
            self.written(value)
        if not isinstance(value, (tuple, Cell)):
            return
        seen = set() if seen is None else seen
        if id(value) in seen or len(seen) > MOST_TAINTED:
            return
        seen.add(id(value))
        for each in _held(value):
            self.taint(each, seen)
        if not isinstance(value, (tuple, Scope)):
            for key in list(value.state):
                self.state.write(value, key, UNKNOWN)


def _held(value: tuple[Value, ...] | Cell) -> tuple[Value, ...]:
    """What can be reached, and changed, through a value."""
    if isinstance(value, tuple):
        return value
    if isinstance(value, (List, Dict)):
        return (value.items,)
    if isinstance(value, ModelObject):
        return (value.state["layers"],)
    return (*value.state.values(), value.core) if isinstance(value, Instance) else ()
