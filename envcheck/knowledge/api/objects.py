"""Attributes that live objects have and their classes do not show: set from outside, or answered by ``__getattribute__``.

``optimizer.lr`` up to TensorFlow 2.10 and ``model.history`` are such. Measured: objects of every recorded release were asked for
each attribute that their class had in any other release (``python -m tools.try_identifiers``; ``compat_matrix/api/objects/``).
"""

from __future__ import annotations

from pathlib import Path

from envcheck.knowledge.api.bounds import root_of
from envcheck.knowledge.api.history import Shelf
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.api.words import Words


class Objects:
    """What objects have besides what the history tells of their classes.

    Args:
        folder: ``compat_matrix/api``.
        shelf: the recorded releases.
    """

    def __init__(self, folder: Path, shelf: Shelf) -> None:
        self._folder = folder / "objects"
        self._shelf = shelf
        self._words: dict[str, Words] = {}

    def releases(self, name: str) -> int:
        """The releases of the name's book in which an object has an attribute that the history lacks.

        Args:
            name: class and attribute by whole name, ``tensorflow.keras.optimizers.SGD.lr``; the class by its canonical name.

        Raises:
            EnvcheckError: the data is damaged.
        """
        root = root_of(name)
        return self._releases(root, name[len(root) + 1 :]) if root != "tensorflow" else 0

    def has(self, name: str, target: Target) -> bool:
        """Whether objects have it in all releases that a target allows."""
        root = root_of(name)
        title = "tf_keras" if root == "tensorflow.keras" and target.through_tf_keras else root
        if title == "tensorflow":
            return False
        chosen = target.chosen(self._shelf)(title)
        return bool(chosen) and self._releases(title, name[len(root) + 1 :]) & chosen == chosen

    def _releases(self, title: str, name: str) -> int:
        if title not in self._words:
            self._words[title] = Words(self._folder / f"{title}.txt")
        owner, _, attribute = name.rpartition(".")
        return self._words[title].of(owner).get(attribute, 0)
