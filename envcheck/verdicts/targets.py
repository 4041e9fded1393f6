"""Targets as a scan takes them: a TensorFlow alone brings the Keras that belongs to it."""

from __future__ import annotations

from dataclasses import replace

from packaging.version import Version

from envcheck.knowledge.api.history import SEAM, Shelf
from envcheck.knowledge.api.target import FIRST_OWN_KERAS, KERAS_3, Target

LAST_FOR_OLD = (("2.2", "2.4.3"), ("1.0", "2.3.1"))
"""The last keras of its own that runs on a TensorFlow from this release on; 2.4 requires TensorFlow 2.2 (its release notes)."""


def completed(target: Target, shelf: Shelf) -> Target:
    """A target that names no Keras, with the one that pip would install beside it.

    From TensorFlow 2.16 on that is the newest Keras 3 that is recorded, of 2.6 to 2.15 the one of the same minor; before, pip
    installs none, and the last one that runs on it is taken.
    """
    tensorflow = target.tensorflow
    if tensorflow is None:
        return target
    if target.keras is None and tensorflow >= SEAM:
        newest = [release for release in shelf.book("keras").versions if release >= KERAS_3][-1]
        target = replace(target, keras=newest)
    elif target.keras is None and tensorflow >= FIRST_OWN_KERAS:
        target = replace(target, keras=Version(f"{tensorflow.major}.{tensorflow.minor}.0"))
    elif target.keras is None:
        last = next((keras for first, keras in LAST_FOR_OLD if tensorflow >= Version(first)), None)
        target = replace(target, keras=Version(last)) if last else target
    return with_flag(target) if target.legacy else target


def with_flag(target: Target) -> Target:
    """A target as it is for a program that sets TF_USE_LEGACY_KERAS itself; tf_keras has the numbers of TensorFlow."""
    if not target.knows_flag or target.tensorflow is None:
        return target
    own = Version(f"{target.tensorflow.major}.{target.tensorflow.minor}.0")
    return replace(target, legacy=True, tf_keras=target.tf_keras or own)


def label(target: Target) -> str:
    """``TensorFlow 2.16.2 with Keras 3.3.3``."""
    words = [
        f"{name} {release}"
        for name, release in (("TensorFlow", target.tensorflow), ("Keras", target.keras), ("tf_keras", target.tf_keras))
        if release is not None
    ]
    legacy = " and TF_USE_LEGACY_KERAS=1" if target.legacy else ""
    return " with ".join([words[0], ", ".join(words[1:])] if len(words) > 1 else words) + legacy
