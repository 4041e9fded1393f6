"""The nouns: what a saved model says about itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KERAS = "keras"
"""The archive that Keras writes as ``model.keras``."""
HDF5 = "hdf5"
"""One HDF5 file, ``model.h5``."""
RENAMED = "hdf5-as-keras"
"""The same under a name that ends with ``.keras``, as Keras up to 2.12 wrote it."""
SAVED_MODEL = "saved-model"
"""TensorFlow's folder with ``saved_model.pb``, written by Keras itself."""
EXPORTED = "exported"
"""Such a folder without what Keras writes into it: signatures for serving."""

COMPILE = "compile()"
"""Stands for the class of a part that tells what ``compile`` was given."""
OPERATIONS = "operations()"
"""Stands for the class of a part whose values are the names of a graph's operations."""


@dataclass(frozen=True, slots=True)
class Part:
    """One object that a model's config describes: a layer, an initializer, an optimizer.

    Args:
        class_name: as it is written, ``Dense``; a registered one may be ``package>Name``.
        module: ``keras.layers``; empty where the format does not say.
        registered: the name that it was registered under; empty where there is none.
        name: of the layer, where it has one.
        values: its config: parameters and their values.
        kind: ``layer``, ``model`` or ``object``.
        traits: how it hangs together with others (``structure``).
    """

    class_name: str
    module: str = ""
    registered: str = ""
    name: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    kind: str = "object"
    traits: frozenset[str] = frozenset()

    @property
    def words(self) -> str:
        """``Dense 'head'``."""
        return f"{self.class_name} {self.name!r}" if self.name else self.class_name


@dataclass(frozen=True, slots=True)
class Code:
    """Code or a function that a config refers to.

    Args:
        what: ``lambda`` (marshalled bytecode) or ``function`` (a name).
        name: of the function; empty for a lambda.
        where: the layer that it belongs to, in words.
        module: that the function is said to be from; empty where the format does not say.
    """

    what: str
    name: str
    where: str
    module: str = ""


@dataclass(frozen=True, slots=True)
class SavedModel:
    """A saved model.

    Args:
        path: its file or folder.
        form: one of the formats above.
        keras: the release of Keras that wrote it, as it is written; None where it does not say.
        tensorflow: the release of TensorFlow, where the format keeps it.
        backend: of Keras, where the format keeps it.
        date: when it was saved, as it is written.
        parts: its objects, in the order of the config.
        code: functions and bytecode.
        compiled: whether its optimizer and losses are saved with it.
        remarks: what is odd about the file, a sentence each.
    """

    path: str
    form: str
    keras: str | None = None
    tensorflow: str | None = None
    backend: str | None = None
    date: str | None = None
    parts: tuple[Part, ...] = ()
    code: tuple[Code, ...] = ()
    compiled: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """A saved model that could not be read: ``reason`` ends the sentence "PATH: …". ``strange``: it is none of Keras's."""

    path: str
    reason: str
    strange: bool = False
