"""NVIDIA's side: which driver a CUDA toolkit needs, and what the return codes of NVML and of the CUDA driver mean."""

from __future__ import annotations

import msgspec

from envcheck.knowledge.rows import Source


class Driver(msgspec.Struct, frozen=True):
    """The oldest NVIDIA driver that serves a CUDA toolkit; None where the vendor names none for that system."""

    cuda: str
    linux: str | None
    windows: str | None
    source: Source

    def on(self, system: str) -> str | None:
        """The floor on ``Linux`` or ``Windows``."""
        return {"Linux": self.linux, "Windows": self.windows}.get(system)


class NvmlCode(msgspec.Struct, frozen=True):
    """What one NVML return code means and what to do; the YAML file says what each column means.

    ``name`` is without ``NVML_ERROR_``. ``container`` is the remedy inside a container where it differs.
    """

    code: int
    name: str
    meaning: str
    remedy: str
    container: str | None
    commands: tuple[str, ...]
    source: Source


class CudaCode(msgspec.Struct, frozen=True):
    """What one CUresult of cuInit means and what to do; the YAML file says what each column means.

    ``name`` is cuda.h's. ``container`` is the remedy inside a container where it differs.
    """

    code: int
    name: str
    meaning: str
    remedy: str
    container: str | None
    commands: tuple[str, ...]
    source: Source
