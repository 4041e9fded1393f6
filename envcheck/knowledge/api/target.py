"""What a question is asked of: a TensorFlow release, a Keras release, and whether tf_keras stands in for ``tf.keras``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from packaging.version import Version

from envcheck.errors import UsageError
from envcheck.knowledge.api.history import SEAM, Chosen, Shelf

FLAG = "TF_USE_LEGACY_KERAS"
FIRST_FLAG = Version("2.15")
"""The first TensorFlow that knows the flag (measured: 2.14 ignores it)."""
FIRST_OWN_KERAS = Version("2.6")
"""From here up to the seam, TensorFlow's wheel requires the keras of its own minor, and ``tf.keras`` is that."""
KERAS_3 = Version("3")
DISTRIBUTIONS = {
    **dict.fromkeys(
        ("tensorflow", "tf", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-macos", "tensorflow-intel"), "tensorflow"
    ),
    **dict.fromkeys(("tensorflow-rocm", "tensorflow-cpu-aws"), "tensorflow"),
    "keras": "keras",
    "tf-keras": "tf_keras",
}


@dataclass(frozen=True, slots=True)
class Target:
    """The releases that a question is about; None: that one is not named.

    Args:
        tensorflow: a TensorFlow release.
        keras: a release of the distribution keras.
        tf_keras: a release of tf_keras (Keras 2 for TensorFlow 2.16 and newer).
        legacy: TF_USE_LEGACY_KERAS is set, so that ``tf.keras`` is tf_keras.
    """

    tensorflow: Version | None = None
    keras: Version | None = None
    tf_keras: Version | None = None
    legacy: bool = False

    def __str__(self) -> str:
        """As ``--target`` takes it."""
        named = [("tensorflow", self.tensorflow), ("keras", self.keras), ("tf_keras", self.tf_keras)]
        words = [f"{name}=={release}" for name, release in named if release is not None]
        return ",".join([*words, *([f"{FLAG}=1"] if self.legacy else [])])

    @classmethod
    def parse(cls, text: str) -> Target:
        """``tensorflow==2.16.2,keras==3.3.3`` or ``tensorflow==2.16.2,tf_keras==2.16.0,TF_USE_LEGACY_KERAS=1``.

        Raises:
            UsageError: it is none of that.
        """
        found: dict[str, Version] = {}
        legacy = False
        for part in filter(None, (part.strip() for part in text.split(","))):
            flag = re.fullmatch(rf"{FLAG}=(\w+)", part)
            if flag:
                if flag[1].lower() not in ("0", "1", "true", "false"):
                    raise UsageError(f"--target: {FLAG}={flag[1]}: it takes 1 or 0")
                legacy = flag[1].lower() in ("1", "true")
                continue
            name, equals, release = part.partition("==")
            package = DISTRIBUTIONS.get(re.sub(r"[-_.]+", "-", name.strip()).lower())
            if not equals or package is None:
                raise UsageError(f"--target: {part!r} is none of tensorflow==X, keras==X, tf_keras==X and {FLAG}=1")
            if package in found:
                raise UsageError(f"--target: {package} stands twice in {text!r}")
            found[package] = _version(release.strip())
        if not found:
            raise UsageError(f"--target: {text!r} names no release; it takes tensorflow==2.16.2,keras==3.3.3")
        return cls(found.get("tensorflow"), found.get("keras"), found.get("tf_keras"), legacy)

    @property
    def knows_flag(self) -> bool:
        """Whether its TensorFlow heeds TF_USE_LEGACY_KERAS."""
        return self.tensorflow is not None and self.tensorflow >= FIRST_FLAG

    @property
    def through_tf_keras(self) -> bool:
        """Whether ``tf.keras`` is tf_keras here."""
        return self.legacy and self.knows_flag

    def chosen(self, shelf: Shelf) -> Chosen:
        """For each book, the releases that tell of this target; none (0) where nothing is known of it (see :meth:`why`)."""
        return cache(lambda title: self._columns(shelf, title))

    def _columns(self, shelf: Shelf, title: str) -> int:
        if title == "tensorflow":
            return shelf.book(title).columns(self.tensorflow) if self.tensorflow else 0
        if title == "tf_keras":
            release = self.tf_keras or (self.tensorflow if self.through_tf_keras else None)
            return shelf.book(title).columns(_minor(release)) if release else 0
        if title == "tensorflow.keras":
            if self.tensorflow is None or self.through_tf_keras:
                return 0
            if self.tensorflow < SEAM:
                return shelf.book(title).columns(self.tensorflow) if self.keras is None or self.keras < KERAS_3 else 0
        if self.keras is not None:
            return shelf.book(title).columns(self.keras) if title == "keras" or self.keras >= KERAS_3 else 0
        if self.tensorflow is None or self.tensorflow < FIRST_OWN_KERAS:
            return 0
        if self.tensorflow < SEAM:
            return shelf.book(title).columns(_minor(self.tensorflow))
        if not shelf.book("tensorflow").columns(self.tensorflow):
            return 0
        book = shelf.book(title)
        return sum(1 << place for place, release in enumerate(book.versions) if release >= KERAS_3)

    def why(self, title: str, shelf: Shelf) -> str:
        """Why nothing can be said about a book's names, or only what all its releases agree on."""
        tensorflow = self.tensorflow is not None and shelf.book("tensorflow").columns(self.tensorflow)
        if self.tensorflow is None and title.startswith("tensorflow"):
            return "the target names no TensorFlow"
        if not tensorflow and self.tensorflow is not None and (title == "tensorflow" or self.keras is None):
            return f"TensorFlow {self.tensorflow} is not recorded"
        if title == "tf_keras":
            return f"tf_keras {self.tf_keras} is not recorded" if self.tf_keras else "the target names no tf_keras"
        if self.keras is None and self.tensorflow is not None and self.tensorflow >= SEAM:
            return "it differs among the Keras releases that this TensorFlow allows: name one in the target, as keras==3.3.3"
        if self.keras is None:
            return "the target names no Keras"
        if (
            title == "tensorflow.keras"
            and self.tensorflow is not None
            and (self.tensorflow < SEAM) != (self.keras < KERAS_3)
        ):
            return f"TensorFlow {self.tensorflow} with Keras {self.keras} is not recorded"
        if shelf.book(title).columns(self.keras):
            return f"it differs between the recorded releases before and after Keras {self.keras}"
        return f"Keras {self.keras} is not recorded"


def _version(text: str) -> Version:
    try:
        release = Version(text)
        str(release)  # a number of 5000 digits is refused only when it is used
    except ValueError:
        said = text if len(text) < 40 else f"{text[:40]}…"
        raise UsageError(f"--target: {said!r} is no version; it takes one release, such as 2.16.2") from None
    return release


def _minor(release: Version) -> Version:
    return Version(f"{release.major}.{release.minor}")
