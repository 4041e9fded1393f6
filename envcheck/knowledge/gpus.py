"""GPUs and what runs on them: compute capabilities, products, cuDNN, faults that appear only there, and platforms."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.knowledge.rows import Dotted, Minor, Source

Branch = Annotated[str, msgspec.Meta(pattern=r"^\d{3}$")]


class Architecture(msgspec.Struct, frozen=True):
    """One compute capability, and the first and last toolkit, driver branch and cuDNN for it; gpus.yaml says more."""

    capability: Minor
    name: str
    first_cuda: Dotted
    last_cuda: Dotted | None
    first_driver: Branch | None
    last_driver: Branch | None
    last_cudnn: Dotted | None
    source: Source


class Products(msgspec.Struct, frozen=True):
    """Products of one kind that share a compute capability."""

    capability: Minor
    kind: Literal["data centre", "workstation", "consumer", "jetson"]
    names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    source: Source


class DriverBranch(msgspec.Struct, frozen=True):
    """One driver branch: the highest CUDA that it runs, and the month (``2027-03``) in which its support ends."""

    branch: Branch
    cuda: Minor
    ends: str | None
    source: Source


class ForwardCompatibility(msgspec.Struct, frozen=True):
    """A package that brings a newer libcuda than the driver's own, and the GPUs on which that works."""

    package: str
    systems: tuple[str, ...]
    gpus: tuple[str, ...]
    refused: tuple[str, ...]
    failure: str
    source: Source


class Cudnn(msgspec.Struct, frozen=True):
    """A range of cuDNN versions: the CUDA majors it has builds for, and the oldest compute capability it serves."""

    cudnn: str
    cuda: tuple[str, ...]
    capability: Minor | None
    source: Source

    def __post_init__(self) -> None:
        """Refuse what is no specifier."""
        SpecifierSet(self.cudnn)

    def holds(self, version: str) -> bool:
        """Whether a cuDNN version is in this range."""
        return SpecifierSet(self.cudnn).contains(version)


class Backend(msgspec.Struct, frozen=True):
    """What a range of versions of a Keras 3 backend needs of a GPU."""

    distribution: str
    versions: str
    cuda: str
    capability: Minor | None
    driver: str | None
    source: Source

    def __post_init__(self) -> None:
        """Refuse what is no specifier."""
        SpecifierSet(self.versions)


class GpuKnot(msgspec.Struct, frozen=True):
    """A fault that appears only on a GPU; gpu_knots.yaml says what each column means."""

    id: str
    tensorflow: str
    extra: str | None
    cudnn: str | None
    capability: str | None
    gpus: int
    library: str | None
    severity: Literal["error", "warning"]
    consequence: str
    fix: str
    install: tuple[str, ...]
    source: Source
    seen_by: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no specifier."""
        for wanted in (self.tensorflow, self.cudnn, self.capability):
            SpecifierSet(wanted or "")

    def holds(self, version: str) -> bool:
        """Whether it is about a TensorFlow version."""
        return SpecifierSet(self.tensorflow).contains(version, prereleases=True)

    def ties(
        self, tensorflow: Version, *, extra: bool, cudnn: Version | None, capabilities: Iterable[str], gpus: int
    ) -> bool:
        """Whether it appears with these versions and GPUs; what is not known does not tie.

        ``extra``: the CUDA libraries are those of ``[and-cuda]``. ``gpus``: how many there are.
        """
        return (
            SpecifierSet(self.tensorflow).contains(tensorflow, prereleases=True)
            and (self.extra is None or extra)
            and (self.cudnn is None or (cudnn is not None and SpecifierSet(self.cudnn).contains(cudnn)))
            and (self.capability is None or any(SpecifierSet(self.capability).contains(each) for each in capabilities))
            and gpus >= self.gpus
        )


class PlatformLimit(msgspec.Struct, frozen=True):
    """Where TensorFlow, or its use of a GPU, cannot be had; platforms.yaml says what each column means."""

    id: str
    system: str | None
    machine: str | None
    libc: str | None
    tensorflow: str
    device: Literal["any", "gpu"]
    reason: str
    instead: str
    source: Source

    def __post_init__(self) -> None:
        """Refuse what is no specifier."""
        SpecifierSet(self.tensorflow)

    def holds(self, version: str) -> bool:
        """Whether it holds for a TensorFlow version."""
        return SpecifierSet(self.tensorflow).contains(version, prereleases=True)


def product(rows: Iterable[Products], name: str) -> Products | None:
    """The products among which an NVML name is (``NVIDIA A100-SXM4-80GB``); the longest name that fits decides."""
    here = _words(name)
    best: tuple[int, Products | None] = (0, None)
    for row in rows:
        for each in row.names:
            words = _words(each)
            inside = any(here[place : place + len(words)] == words for place in range(len(here) - len(words) + 1))
            if inside and len(words) > best[0]:
                best = (len(words), row)
    return best[1]


def _words(name: str) -> list[str]:
    """The words of a name that tell products apart."""
    return [word for word in re.split(r"[\s/-]+", name.lower()) if word not in ("", "nvidia", "geforce", "tesla")]
