"""How many GPUs there must be, and which of those that are there a program gets."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envcheck.commands.state import State
    from envcheck.probes.gpu import Device, GpuFacts

CUDA, TOOLKIT = "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"
NOBODY = ("", "none", "void")
"""Values of NVIDIA_VISIBLE_DEVICES that name no GPU: with CDI the toolkit itself says "void", whatever it hands in.
https://github.com/NVIDIA/nvidia-container-toolkit/pull/395"""


@dataclass(frozen=True, slots=True)
class Expected:
    """At least ``count`` GPUs must answer, because of ``why``, which stands in brackets behind the number.

    ``each`` says that a program must get that many of them, too.
    """

    count: int
    why: str
    each: bool = False

    @property
    def words(self) -> str:
        """The expectation as a clause."""
        return f"{self.count} {'GPU is' if self.count == 1 else 'GPUs are'} expected ({self.why})"


def expected(
    gpus: int | None, state: State | None, environ: Mapping[str, str], nodes: Sequence[str], free: int | None = None
) -> Expected | None:
    """The number that must be there: the first of these that says one; None where none does.

    1. ``--gpus``; 2. the state file: as many as the last smoke run had; none where it was asked for the CPU;
    3. CUDA_VISIBLE_DEVICES; 4. NVIDIA_VISIBLE_DEVICES, where it names any; 5. the device nodes that are here.
    Whoever asks for ``free`` memory expects one at least.
    """
    found = _told(gpus, state, environ, nodes)
    if free is not None and (found is None or found.count == 0):
        return Expected(1, "--min-free-memory", each=True)
    return found


def _told(gpus: int | None, state: State | None, environ: Mapping[str, str], nodes: Sequence[str]) -> Expected | None:
    if gpus is not None:
        return Expected(gpus, f"--gpus {gpus}", each=True)
    if state is not None and state.wanted == "cpu":
        return Expected(0, "the smoke run in the state file was asked for the CPU")
    if state is not None and state.gpus:
        return Expected(len(state.gpus), "as the smoke run in the state file had")
    named = entries(environ)
    if named is not None:
        return Expected(_fewest(named), f"{CUDA}={environ[CUDA]}")
    toolkit = environ.get(TOOLKIT, "").strip()
    if toolkit.lower() not in NOBODY:
        names = {name.strip() for name in toolkit.split(",") if name.strip()}
        # "all" is one at least; so are instances ("1:0", "MIG-…"), and the path where Kubernetes mounts what it hands in.
        single = all(re.fullmatch(r"\d+|GPU-[\w-]+|nvidia\.com/gpu=\d+", name) for name in names)
        return Expected(len(names) if single else 1, f"{TOOLKIT}={toolkit}")
    return Expected(len(nodes), f"{_few(nodes)} {'is' if len(nodes) == 1 else 'are'} here") if nodes else None


def entries(environ: Mapping[str, str]) -> list[str] | None:
    """The entries of CUDA_VISIBLE_DEVICES up to the first that names nothing, such as -1; None where it is not set."""
    if CUDA not in environ:
        return None
    found = []
    for entry in environ[CUDA].split(","):
        if not re.match(r"\+?[0-9]|GPU-|MIG-", entry.strip()):
            break
        found.append(entry.strip())
    return found


def _fewest(named: Sequence[str]) -> int:
    """How many GPUs there are at least where these entries mean what they say."""
    if not named or named[0].startswith("MIG-"):  # several instances may be slices of one GPU
        return min(1, len(named))
    numbers = [int(found[0]) for entry in named if (found := re.match(r"\+?[0-9]{1,6}", entry))]
    return max(len(set(named)), *(number + 1 for number in numbers), 0)


def may_get(gpu: GpuFacts, environ: Mapping[str, str]) -> tuple[tuple[Device, ...], str | None]:
    """The GPUs that CUDA_VISIBLE_DEVICES leaves to a program, and the entry of it that names none of them, if any.

    All that may be meant, where GPUs differ and it names numbers: CUDA counts the fastest first. Names were not asked for:
    GPUs of the same memory are taken for the same.
    """
    if environ.get(CUDA, "").strip().startswith("MIG-"):  # instances were not asked for either
        return gpu.usable, None
    alike = tuple(dataclasses.replace(device, name=str(device.memory_total)) for device in gpu.devices)
    found = dataclasses.replace(gpu, devices=alike).visible(environ)
    left = {device.index for device in found.devices}
    return tuple(device for device in gpu.usable if device.index in left), found.stop


def _few(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) < 4 else f"{names[0]} to {names[-1]}"
