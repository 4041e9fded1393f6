"""The environments with real packages that `envcheck scan` is measured against."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_ENVIRONMENTS = "ENVCHECK_REAL_ENVIRONMENTS"
_CORPORA = "ENVCHECK_CORPORA"


@dataclass(frozen=True, slots=True)
class Target:
    """A release: its short name, how `--target` writes it, and the folder of its environment.

    The distributions are those installed there: `tensorflow` 1.15.5 brings no Keras, so its environment has the last
    multi-backend one; 2.16.2 and 2.21.0 have the newest Keras that their requirements take.
    """

    name: str
    written: str
    environment: str

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        folder = os.environ.get(_ENVIRONMENTS) or Path.home() / ".cache" / "envcheck-real"
        return Path(folder) / self.environment / "bin" / "python"


TARGETS = (
    Target("1.15.5", "tensorflow==1.15.5,keras==2.3.1", "tf115-keras"),
    Target("2.11.1", "tensorflow==2.11.1,keras==2.11.0", "tf211"),
    Target("2.15.1", "tensorflow==2.15.1,keras==2.15.0", "tf215"),
    Target("2.16.2", "tensorflow==2.16.2,keras==3.15.1", "tf216"),
    Target("2.21.0", "tensorflow==2.21.0,keras==3.15.1", "tf221"),
)


def target(name: str) -> Target:
    """The target of that name; raises KeyError."""
    return {one.name: one for one in TARGETS}[name]


def corpora() -> Path:
    """The folder that holds one tree of files per project (`ENVCHECK_CORPORA` names another)."""
    return Path(os.environ.get(_CORPORA) or Path.home() / ".cache" / "envcheck" / "corpora")


def results() -> Path:
    """Where references, answers and results are kept."""
    return corpora() / "oracle"
