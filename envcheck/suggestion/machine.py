"""What matters of a machine when versions are chosen for it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from envcheck.knowledge.choice import Platform


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine: ``python`` is a series such as ``3.12``; ``device`` is ``cpu`` or ``gpu``.

    ``capability`` is the compute capability of the oldest GPU to be used, ``gpu`` its name, ``driver`` the NVIDIA driver's
    version; None: not known. ``wsl`` says that Linux runs under Windows, whose driver then counts.
    """

    python: str
    platform: Platform
    device: str = "cpu"
    gpu: str | None = None
    capability: str | None = None
    driver: str | None = None
    free_threaded: bool = False
    bits: int = 64
    wsl: bool = False

    @property
    def driver_system(self) -> str:
        """The system whose driver numbers count."""
        return "Windows" if self.wsl else self.platform.system

    def __str__(self) -> str:
        """In words: ``Python 3.12 on Linux x86_64 (glibc 2.36), NVIDIA H100 (compute capability 9.0), driver 550.54``."""
        libc = f" ({self.platform.libc} {self.platform.libc_version})" if self.platform.libc_version else ""
        said = f"Python {self.python}{'t' if self.free_threaded else ''} on {self.platform.system} {self.platform.machine}{libc}"
        if self.device == "cpu":
            return f"{said}, CPU"
        capability = f" (compute capability {self.capability})" if self.capability else ""
        driver = f", driver {self.driver}" if self.driver else ""
        return f"{said}, {self.gpu or 'GPU'}{capability}{driver}"

    def but(self, **changes: object) -> Machine:
        """The same machine with something else about it."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]
