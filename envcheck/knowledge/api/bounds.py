"""Whether a row's releases (``{keras: ">=3.0", tensorflow: ">=2.0"}``) hold for a name in a target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.knowledge.api.history import SEAM, Shelf
from envcheck.knowledge.api.target import FIRST_OWN_KERAS, KERAS_3, Target

Bounds = Mapping[str, str]
"""Specifiers by package.

``keras`` bounds Keras's releases (of ``keras``, and of ``tf.keras`` from TensorFlow 2.16 on), ``tensorflow`` those of
TensorFlow and of the ``tf.keras`` that TensorFlow 2.15 and older bring along. A row about both says both; ``<2.4 or >=3.0``
is either.
"""


def root_of(name: str) -> str:
    """The root whose releases decide about a whole name: ``tensorflow.keras`` for ``tensorflow.keras.layers.Dense``."""
    first, _, rest = name.partition(".")
    return "tensorflow.keras" if first == "tensorflow" and rest.partition(".")[0] == "keras" else first


def holds(bounds: Bounds, root: str, target: Target, shelf: Shelf) -> bool | None:
    """Whether a row holds for the names of one root in a target.

    Args:
        bounds: the row's releases; none: it holds in all.
        root: ``keras``, ``tensorflow.keras``, ``tf_keras``, or ``tensorflow``, whose rows the installed Keras may bound too.
        target: the releases asked about.
        shelf: which Keras releases there are, where the target leaves that open.

    Returns:
        None where the target does not tell, or allows releases on which it holds and others on which it does not.
    """
    if not bounds:
        return True
    if root == "tensorflow" and "tensorflow" not in bounds:
        root = "tensorflow.keras"
    if root == "tensorflow.keras" and target.through_tf_keras:
        root = "tf_keras"
    answers = {_within(bounds, *release) for release in _releases(root, target, shelf)}
    return answers.pop() if len(answers) == 1 else None


def _within(bounds: Bounds, packages: tuple[str, ...], release: Version) -> bool | None:
    """By the first of the packages that the row bounds."""
    specifier = next((bounds[package] for package in packages if package in bounds), None)
    return None if specifier is None else any(one.contains(release, prereleases=True) for one in _specifiers(specifier))


def _releases(root: str, target: Target, shelf: Shelf) -> Iterator[tuple[tuple[str, ...], Version]]:
    """The releases that may decide, each with the packages whose specifiers speak of it, the fittest first."""
    tensorflow = target.tensorflow
    # Keras 2 from 2.6 on, tf_keras and the tf.keras of TensorFlow count alike: the specifier of one fits the others.
    if root == "tensorflow":
        yield from [(("tensorflow",), tensorflow)] if tensorflow else []
    elif root == "tf_keras":
        release = target.tf_keras or (tensorflow if target.through_tf_keras else None)
        yield from [(("tf_keras", "tensorflow", "keras"), release)] if release else []
    elif root == "tensorflow.keras" and (tensorflow is None or tensorflow < SEAM):
        yield from [(("tensorflow", "keras"), tensorflow)] if tensorflow else []
    elif target.keras is not None:
        yield (("keras",), target.keras)
    elif tensorflow is not None and tensorflow >= SEAM:
        yield from ((("keras",), release) for release in shelf.book("keras").versions if release >= KERAS_3)
    elif tensorflow is not None and tensorflow >= FIRST_OWN_KERAS:
        yield (("keras", "tensorflow"), tensorflow)


@cache
def _specifiers(text: str) -> tuple[SpecifierSet, ...]:
    return tuple(SpecifierSet(part) for part in text.split(" or "))
