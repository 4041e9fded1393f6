"""The libraries that TensorFlow opens for a GPU: what each is for, whether it must be there, and who brings it."""

from __future__ import annotations

import re
from typing import Literal

import msgspec
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.knowledge.rows import Source


class GpuLibrary(msgspec.Struct, frozen=True):
    """One library; gpu_libraries.yaml says what each column means.

    Raises:
        ValueError: ``tensorflow`` is no version specifier.
    """

    library: str
    tensorflow: str
    need: Literal["gpu", "several-gpus", "profiler", "driver", "library", "compiler"]
    purpose: str
    wheel: str | None
    conda: str | None
    source: Source

    def __post_init__(self) -> None:
        """Refuse what is no specifier."""
        SpecifierSet(self.tensorflow)

    def holds(self, version: str) -> bool:
        """Whether the row is about a TensorFlow version."""
        return SpecifierSet(self.tensorflow).contains(Version(version).base_version, prereleases=True)


def library_row(rows: tuple[GpuLibrary, ...], soname: str, tensorflow: str) -> GpuLibrary | None:
    """The row of a soname (``libcudnn_ops.so.9`` is part of cudnn) for a TensorFlow version; None for one not known."""
    match = re.match(r"lib(?P<name>\w+?)(?:_\w+)?\.so(?:\.|$)", soname)
    return next((row for row in rows if match and row.library == match["name"] and row.holds(tensorflow)), None)
