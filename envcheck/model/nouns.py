"""What events are about: places, layers as they are made, tensors, data, models, classes. Nouns without opinions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from envcheck.model.cells import Buffer
from envcheck.model.tensors import UNKNOWN, Shape, Tensor, Unknown


@dataclass(frozen=True, slots=True)
class Where:
    """A place in the source, and how sure it is that it runs.

    Attributes:
        line: From 1.
        column: From 0, in bytes of UTF-8, as ``ast`` counts.
        end_column: The same; -1 when the expression ends on another line.
        attempted: It lies in a ``try`` whose ``except`` takes such an error, or where a test expects one.
        conditional: It runs only under a condition that the source does not decide.
        function: The innermost function it lies in; empty at the module's level.
    """

    line: int
    column: int = 0
    end_column: int = -1
    attempted: bool = False
    conditional: bool = False
    function: str = ""


NOWHERE = Where(0)


@dataclass(frozen=True, slots=True)
class Reference:
    """A function or class that is named, not called: ``tf.nn.relu`` as an activation, ``Dense`` without parentheses.

    Attributes:
        name: Canonical (``keras.layers.Dense``) or, for what the file itself defines, the name it has there.
        own: ``class``, ``function`` or ``lambda`` of the file; empty for what lies outside.
    """

    name: str
    own: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A layer, optimizer, loss, metric, initializer… as it is made in source. Each one is itself: compare by ``is``.

    Attributes:
        name: Canonical, such as ``keras.layers.Conv2D``; for a class of the file its own name.
        positional: Arguments without a name.
        keywords: Arguments by name.
        complete: Whether these are all arguments; not so after ``*args`` or ``**kwargs`` that cannot be read.
        where: The call that makes it.
        own: Its class, when the file defines it.
    """

    name: str
    positional: tuple[object, ...] = ()
    keywords: Mapping[str, object] = field(default_factory=dict)
    complete: bool = True
    where: Where = NOWHERE
    own: ClassDefined | None = None

    def argument(self, name: str, position: int | None = None, default: object = None) -> object:
        """An argument by name, or by its place; UNKNOWN when it may hide in ``**kwargs``."""
        if name in self.keywords:
            return self.keywords[name]
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return default if self.complete else UNKNOWN


@dataclass(frozen=True, slots=True, eq=False)
class KerasTensor:
    """A symbolic tensor in a graph of layers. Each one is itself: compare by ``is``.

    Attributes:
        tensor: Its shape and dtype.
        made_by: The layer or model that gave it, the canonical name of the operation (``tensorflow.argmax``, ``operator.add``),
            ``None`` for an ``Input``, or UNKNOWN.
        inputs: What that was called on; UNKNOWN when it cannot be told.
    """

    tensor: Tensor
    made_by: Made | Model | str | Unknown | None = field(default=UNKNOWN, repr=False)
    inputs: tuple[KerasTensor, ...] | Unknown = field(default=UNKNOWN, repr=False)


@dataclass(frozen=True, slots=True)
class Values:
    """What is known of an array's numbers.

    Attributes:
        low: No number is smaller.
        high: No number is larger.
        reached: Whether both are certainly among the numbers: so in ``arange(3)`` and literals, not in ``randint(0, 3, 99)``.
        nan: Whether a NaN or an infinity is certainly among them.
        buffer: Where the numbers lie.
    """

    low: float
    high: float
    reached: bool = False
    nan: bool = False
    buffer: Buffer = field(default_factory=Buffer, compare=False, repr=False)

    def some(self) -> Values:
        """The range of some of these numbers."""
        return replace(self, reached=False, nan=False)


@dataclass(frozen=True, slots=True)
class Array:
    """An array or tensor of data.

    Attributes:
        shape: Dimensions as far as known; the first one counts samples.
        dtype: A name as numpy writes it, such as ``float64``, ``uint8``, ``str`` or ``object``.
        library: ``numpy``, ``tensorflow``, or ``list`` for a plain Python list.
        numbers: The range of its numbers when they were written first.
        made_by: The canonical name of the call that made it or its labels (``keras.utils.to_categorical``).
    """

    shape: Shape = UNKNOWN
    dtype: str | Unknown = UNKNOWN
    library: str = "numpy"
    numbers: Values | None = None
    made_by: str = ""

    @property
    def values(self) -> Values | None:
        """The range of its numbers; None where they may have been changed in place."""
        return None if self.numbers is None or self.numbers.buffer.state["written"] else self.numbers

    def now(self) -> Array:
        """The same, whatever is written later."""
        values = self.values
        return replace(self, numbers=None if values is None else replace(values, buffer=Buffer()))


@dataclass(frozen=True, slots=True)
class Dataset:
    """A ``tf.data.Dataset``.

    Attributes:
        element: What one step of it gives: a tuple is ``(x, y)``; shapes have the batch dimension only when ``batched``.
        batched: How often ``.batch`` was applied (0: not at all), UNKNOWN after a step that may do anything.
        endless: After ``.repeat()`` without a count.
    """

    element: object = UNKNOWN
    batched: int | Unknown = UNKNOWN
    endless: bool | Unknown = UNKNOWN


@dataclass(frozen=True, slots=True)
class Compilation:
    """``compile`` as it was called last.

    Attributes:
        arguments: By name: ``optimizer``, ``loss``, ``metrics``, ``loss_weights``, ``run_eagerly``…; a missing one was not given.
        complete: Whether these are all arguments.
        where: The call.
    """

    arguments: Mapping[str, object]
    complete: bool
    where: Where


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A model at one moment: events hold one each, of the moment they happen.

    Attributes:
        number: Which model of the reading; the same for all moments of one model.
        kind: ``sequential``, ``functional``, ``subclass``, ``application`` (of ``keras.applications``) or ``loaded``.
        name: Its class, canonical or of the file.
        layers: In the order they were given: :class:`Made`, :class:`Model`, or whatever else stands there; UNKNOWN when the
            number of layers cannot be told. A functional model has those that lead from its inputs to its outputs.
        inputs: One tensor per input; UNKNOWN when it cannot be told, empty when the model has none yet.
        outputs: The same for outputs. Of a nested or shared model these are those of its own graph.
        built: Whether it has weights; UNKNOWN when it cannot be told.
        compiled: How, ``None`` when not at all, UNKNOWN when it cannot be told.
        trainable: By layer, in the order of ``layers``; UNKNOWN when it cannot be told.
        own_losses: Whether ``add_loss`` was called on it or in one of its layers.
        where: Where it is made.
        own: Its class, when the file defines it.
    """

    number: int
    kind: str
    name: str
    layers: tuple[object, ...] | Unknown = UNKNOWN
    inputs: tuple[KerasTensor, ...] | Unknown = UNKNOWN
    outputs: tuple[KerasTensor, ...] | Unknown = UNKNOWN
    built: bool | Unknown = UNKNOWN
    compiled: Compilation | Unknown | None = None
    trainable: tuple[bool | Unknown, ...] | Unknown = UNKNOWN
    own_losses: bool | Unknown = False
    where: Where = NOWHERE
    own: ClassDefined | None = None


@dataclass(frozen=True, slots=True)
class Assigned:
    """``self.attribute = …`` in a layer's or model's method.

    Attributes:
        attribute: Its name.
        method: In which method.
        holds: Canonical names of layers (and names of the file's own layer classes) made in the assigned expression.
        container: ``""`` for a plain value, else what wraps the layers: ``list``, ``dict``, ``tuple``, ``nested`` for a
            container in a container, ``call`` for an unknown function's argument.
        before_super: Whether it stands before ``super().__init__()`` in ``__init__``.
        where: The statement.
    """

    attribute: str
    method: str
    holds: tuple[str, ...]
    container: str
    before_super: bool
    where: Where


@dataclass(frozen=True, slots=True, eq=False)
class ClassDefined:
    """A layer or model class of the file, as it is written.

    Attributes:
        name: Its name.
        kind: ``layer`` or ``model``.
        bases: Canonical names of the bases outside of the file that it comes from; ``keras.layers.Layer``, ``keras.Model``…
        bases_known: Whether every base could be resolved; if not, methods may come from elsewhere.
        methods: Names of its methods and of those of its bases in the file, to the line that defines them.
        own_init: Whether the class itself has ``__init__``.
        calls_super: Whether ``__init__`` calls a base's ``__init__`` anywhere; ``None`` without an ``__init__``.
        parameters: Of ``__init__``, without ``self``, ``*args`` and ``**kwargs``; a base's where it has none itself.
        assigned: Attributes set on ``self``, in the order of the text.
        weights_in_call: Places in ``call`` that make weights or layers.
        call_returns: ``value``, ``nothing`` (no return, or only ``return`` and ``return None``), ``some`` (not on every path),
            ``raises``, or ``""`` without a ``call``.
        call_parameters: Of ``call``, without ``self``.
        decorated: Names of the decorators.
        where: The class statement.
        takes_more: Whether ``__init__`` takes ``**kwargs``, too.
    """

    name: str
    kind: str
    bases: tuple[str, ...]
    bases_known: bool
    methods: Mapping[str, int]
    own_init: bool
    calls_super: bool | None
    parameters: tuple[str, ...]
    assigned: tuple[Assigned, ...]
    weights_in_call: tuple[Where, ...]
    call_returns: str
    call_parameters: tuple[str, ...]
    decorated: tuple[str, ...]
    where: Where
    takes_more: bool = True
