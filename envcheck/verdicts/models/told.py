"""What the events of a file have told so far."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import TypeVar

from envcheck.model.events import ClassDefined, LayerCalled, Made, ModelUsed, OperationCalled, Trained, Where
from envcheck.model.tensors import Shape, Tensor, Unknown
from envcheck.verdicts.models.faults import line_of, short

SHAPES = ("input_shape", "batch_input_shape", "batch_shape", "input_dim")
"""Arguments that declare a model's input in its first layer."""
Answer = TypeVar("Answer")
_INPUT = re.compile(r"\bInput(?:Layer)?\(")
_WEIGHTED = re.compile(
    r"Dense$|Conv|Separable|Depthwise|LSTM$|GRU$|SimpleRNN$|Embedding$|BatchNorm|LayerNorm|MultiHead|add_weight$|add_variable$|Variable$|PReLU$"
)


class Told:
    """What earlier events say that later ones are judged by.

    Attributes:
        keras: The major version of Keras.
        refused: Layers (by ``id``) that were refused when they were made.
        classes: The file's own classes by name.
        tried: Own classes whose objects are used where an error is expected.
        called: Own classes whose objects are called, and models of them that are made, anywhere else.
        fits: By model and method, the calls with data so far.
        operations: Operations outside of layers so far.
        cuts: Layers (by ``id``) that let no gradient through, and the operation that stops it.
        frozen: Models, by number, that were compiled with nothing to train, and where.
        stepped: Models that were trained since they were compiled, in the same way.
        saved: By path, where weights were saved.
    """

    def __init__(self, keras: int, tree: ast.Module, text: str) -> None:
        self.keras = keras
        self._tree = tree
        self._text = text
        self._lines: list[str] = []
        self.refused: set[int] = set()
        self.classes: dict[str, ClassDefined] = {}
        self.tried: set[str] = set()
        self.called: set[str] = set()
        self.fits: dict[tuple[int, str], Trained] = {}
        self.operations: list[OperationCalled] = []
        self.cuts: dict[int, OperationCalled] = {}
        self.frozen: set[tuple[int, Where]] = set()
        self.stepped: set[tuple[int, Where]] = set()
        self.saved: dict[str, ModelUsed] = {}
        self._by_identity: dict[int, LayerCalled] = {}
        self._kept: list[Tensor] = []
        self._once: dict[object, object] = {}
        self._loops: list[tuple[int, int, bool]] | None = None

    def flows(self, event: LayerCalled) -> None:
        """Remember what a layer gives."""
        outputs = event.output if isinstance(event.output, tuple) else (event.output,)
        for each in outputs:
            if isinstance(each, Tensor):
                self._by_identity[id(each)] = event
                self._kept.append(each)

    def symbolic(self, event: LayerCalled) -> bool:
        """Whether a layer is called while a model is defined, not on data."""
        return event.stage == "definition" and any(
            not isinstance(each.shape, Unknown) and each.shape[:1] == (None,) for each in event.inputs
        )

    def on_data(self, event: LayerCalled) -> bool:
        """Whether a layer is called on data by the program itself."""
        return event.stage == "definition" and event.where != event.layer.where and not self.symbolic(event)

    def is_used(self, where: Where) -> bool:
        """Whether something stands beside a call on its line that takes what it gives."""
        self._lines = self._lines or self._text.split("\n")
        line = self._lines[where.line - 1].encode("utf-8", "surrogatepass")
        end = where.end_column if where.end_column >= 0 else len(line)
        return bool(line[: where.column].strip() or line[end:].partition(b"#")[0].strip())

    def name_at(self, where: Where) -> str:
        """The last part of the name that stands at a place."""
        self._lines = self._lines or self._text.split("\n")
        line = self._lines[where.line - 1].encode("utf-8", "surrogatepass")[where.column :].decode("utf-8", "replace")
        name = re.match(r"[\w.]*", line)
        return "" if name is None else name[0].rpartition(".")[2]

    def makes_weights(self, where: Where) -> bool:
        """Whether what is made at a place has weights, as far as its name tells."""
        return _WEIGHTED.match(self.name_at(where)) is not None

    def takes_more(self, name: str) -> bool:
        """Whether ``__init__`` of a class at the module's level has ``**kwargs``; so too where that cannot be told."""
        for each in self._tree.body:
            if isinstance(each, ast.ClassDef) and each.name == name:
                inits = [one for one in each.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
                return not inits or inits[-1].args.kwarg is not None
        return True

    def mentions(self, word: str) -> bool:
        """Whether a word stands anywhere in the file."""
        return word in self._text

    def once(self, question: Callable[[ast.Module], Answer]) -> Answer:
        """What a look at the whole file answers; it is looked at once."""
        if question not in self._once:
            self._once[question] = question(self._tree)
        return self._once[question]  # type: ignore[return-value]

    def in_loop(self, where: Where) -> bool:
        """Whether a place runs again and again: the innermost loop or function around it is a loop."""
        if self._loops is None:
            self._loops = [
                (each.body[0].lineno, each.end_lineno or 0, isinstance(each, (ast.For, ast.While)))
                for each in ast.walk(self._tree)
                if isinstance(each, (ast.For, ast.While, ast.FunctionDef, ast.ClassDef))
            ]
        around = [(last - first, -first, loop) for first, last, loop in self._loops if first <= where.line <= last]
        return bool(around) and min(around)[2]

    def _source(self, tensor: Tensor) -> LayerCalled | None:
        return self._by_identity.get(id(tensor))

    def origin(self, tensor: Tensor, into: LayerCalled) -> str:
        """Where a tensor that reaches a layer comes from, in words; empty where that cannot be told."""
        event = self._source(tensor)
        if event is not None:
            return f"{short(event.layer.name)} ({line_of(event.where)})"
        if isinstance(into.layer, Made) and any(name in into.layer.keywords for name in SHAPES):
            return "its own " + next(name for name in SHAPES if name in into.layer.keywords)
        if into.stage == "use":
            return "the data"
        if self.on_data(into):
            return ""
        self._lines = self._lines or self._text.split("\n")
        named = [
            number for number, line in enumerate(self._lines, 1) if _INPUT.search(line) and number <= into.where.line
        ]
        return f"Input ({line_of(Where(named[0]))})" if len(named) == 1 else "an Input" if named else ""

    def beginning(self, tensor: Tensor) -> Shape:
        """The shape of the input that a tensor was made of, along the first inputs of the layers between."""
        for _ in range(len(self._kept)):
            event = self._source(tensor)
            if event is None or not event.inputs:
                break
            tensor = event.inputs[0]
        return tensor.shape

    def layer_before(self, tensor: Tensor) -> str:
        """The class of the layer that gave a tensor; empty for an input of the model."""
        event = self._source(tensor)
        return "" if event is None else short(event.layer.name)
