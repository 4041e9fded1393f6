"""The workshop for GPUs that nobody has here: a tree of files, a fake NVML and a fake libcuda make a machine.

The probes are the real ones, and so are their children: they load the fakes through LD_LIBRARY_PATH, and read the tree through
``Host(root=…)``. Only what Python and TensorFlow are stands there as literal facts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gpu_literals as given
import literals

from envcheck.chain import FACTS, chain
from envcheck.engine import Facts, run
from envcheck.findings import Outcome, Status
from envcheck.host import Host
from envcheck.inventory import Expectations, Unavailable
from envcheck.knowledge.matrix import load_matrix
from envcheck.links import LinkState
from envcheck.probes.cuda import begin as begin_cuda
from envcheck.probes.driver import begin as begin_driver
from envcheck.probes.gpu_libraries import GpuLibrariesFacts, Library
from envcheck.probes.smoke import SmokeFacts
from envcheck.registry import checks, probes

MATRIX = load_matrix()
CHECKS = tuple(check for check in checks() if check.code.startswith(("GPU", "SMK")))
LOOKED_AT = ("driver", "gpu", "cuda", "others", "host", "environment")
"""What the probes look at; everything else is given."""

GPU = "0000:01:00.0"
VERSION = (
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024\nGCC version:  12.2.0\n"
)
MODULE = {"/proc/driver/nvidia/version": VERSION}
NODES = {"/dev/nvidiactl": "", "/dev/nvidia0": "", "/dev/nvidia-uvm": ""}
DOCKER = {"/.dockerenv": ""}
LIBRARIES = ("cudart", "cublas", "cublasLt", "cufft", "cusolver", "cusparse", "cudnn")


def pci(driver: str | None = "nvidia", vendor: str = "0x10de", address: str = GPU) -> dict[str, str]:
    """A display controller on the bus, and the kernel driver that holds it; a value that starts with ``->`` is a link."""
    folder = f"/sys/bus/pci/devices/{address}"
    found = {f"{folder}/vendor": f"{vendor}\n", f"{folder}/device": "0x2330\n", f"{folder}/class": "0x030200\n"}
    return {**found, **({f"{folder}/driver": f"->../../drivers/{driver}"} if driver else {})}


BARE = {"/sys/bus/pci/devices/0000:00:00.0/vendor": "0x8086\n", "/sys/bus/pci/devices/0000:00:00.0/class": "0x060000\n"}
SOUND = {**BARE, **pci(), **MODULE, **NODES}


def libraries(*lacking: str) -> GpuLibrariesFacts:
    """What TensorFlow's loader says of its libraries: all load but those named."""
    found = (
        Library(
            name,
            f"lib{name}.so.12",
            path=None if name in lacking else f"/srv/nvidia/{name}/lib/lib{name}.so.12",
            error=f"lib{name}.so.12: cannot open shared object file: No such file or directory"
            if name in lacking
            else "",
            lacking=f"lib{name}.so.12" if name in lacking else "",
            version="12.5" if name == "cudart" else None,
            proven=True,
        )
        for name in LIBRARIES
    )
    return GpuLibrariesFacts("/srv/site-packages/tensorflow/libtensorflow_framework.so.2", tuple(found))


def failing(name: str) -> SmokeFacts:
    """A smoke run on the GPU of which one step failed."""
    run_on_gpu = given.smoke("GPU:0")
    steps = tuple(
        replace(step, status="failed", error="InternalError", message="DNN library is not found.")
        if step.name == name
        else step
        for step in run_on_gpu.steps
    )
    return replace(run_on_gpu, steps=steps)


@dataclass(frozen=True)
class Fault:
    """A machine with one fault, the first link that it breaks, the code of the finding, and a phrase of its fix.

    ``nvml`` and ``cuda`` steer the fakes; None takes the library away. ``libcuda`` puts something else in its place (see
    :func:`put`). ``facts`` are literal ones in place of a sound machine's.
    """

    name: str
    link: str
    code: str
    fix: str
    files: Mapping[str, str] = field(default_factory=lambda: SOUND)
    nvml: str | None = ""
    cuda: str | None = ""
    libcuda: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    required: bool = True
    denied: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    host: Mapping[str, Any] = field(default_factory=dict)


def put(kind: str, folder: Path) -> None:
    """Something that is no library for this process, under the name of libcuda."""
    path = folder / "libcuda.so.1"
    if kind == "directory":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("/* GNU ld script */ INPUT(libcuda.so.550.54.14)\n", "ascii")
    elif kind == "truncated":
        path.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\x3e\x00")
    elif kind == "32-bit":
        # e_type DYN, e_machine 386, e_version 1, and a header of 52 bytes: <elf.h>, Elf32_Ehdr
        header = b"\x7fELF\x01\x01\x01" + bytes(9) + b"\x03\x00\x03\x00\x01\x00\x00\x00" + bytes(12)
        path.write_bytes(header + bytes(4) + b"\x34\x00\x20\x00" + bytes(8) + bytes(4096))
    elif kind == "another processor":
        # the same for 64 bits, of a processor that nobody builds any more (EM_ALPHA's old number)
        header = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\x29\x00\x01\x00\x00\x00" + bytes(24)
        path.write_bytes(header + bytes(4) + b"\x40\x00\x38\x00" + bytes(8) + bytes(4096))
    else:
        raise AssertionError(kind)


def laid(root: Path, files: Mapping[str, str]) -> Path:
    """The tree of files; a name that ends in a slash is a folder."""
    for name, content in files.items():
        path = root / name.lstrip("/")
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith("->"):
            path.symlink_to(content[2:])
        else:
            path.write_text(content, "utf-8")
    return root


@dataclass(frozen=True)
class Judged:
    """What came of a machine."""

    facts: Mapping[str, object]
    outcomes: tuple[Outcome, ...]
    chain: tuple[LinkState, ...]

    @property
    def roots(self) -> dict[str, Outcome]:
        """What failed and is no consequence."""
        return {each.code: each for each in self.outcomes if each.status is Status.FAILED and each.caused_by is None}


def sound(**changes: Any) -> dict[str, object]:
    """The literal facts of an environment in which everything is right, and what differs."""
    return {
        "tensorflow": given.tensorflow("2.20.0"),
        "keras": given.keras(),
        "python": literals.python(),
        "packages": literals.packages(),
        "gpu_libraries": libraries(),
        "smoke": given.smoke("GPU:0"),
        **changes,
    }


def made(fault: Fault, place: Path, nvml: Path, cuda: Path, denying: Path) -> Host:
    """The host of a fault. ``place`` is an empty folder, the others are those with the fakes."""
    other = place / "lib"
    other.mkdir()
    folders = [other]
    if fault.nvml is not None:
        folders.append(nvml)
    if fault.libcuda is not None:
        put(fault.libcuda, other)
    elif fault.cuda is not None:
        folders.append(cuda)
    environ = {
        "PATH": os.environ["PATH"],
        "LD_LIBRARY_PATH": ":".join(map(str, folders)),
        "FAKE_NVML": fault.nvml or "",
        "FAKE_CUDA": fault.cuda or "",
        **({"LD_PRELOAD": str(denying), "FAKE_DENIED": fault.denied} if fault.denied else {}),
        **fault.environ,
    }
    return Host(
        root=laid(place / "root", {**fault.files, "/etc/": ""}),
        environ=environ,
        expectations=Expectations(require_gpu=fault.required),
        **{"system": "Linux", "machine": "x86_64", "release": "6.1.0", "timeout": 20.0, **fault.host},
    )


def looked(fault: Fault, host: Host) -> dict[str, object]:
    """All facts of the machine: those that the probes see, and the literal ones."""
    begin_driver(host)  # both children at once, as `envcheck doctor` starts them
    begin_cuda(host)
    facts = Facts({**sound(**fault.facts), "expectations": host.expectations, "matrix": MATRIX}, probes(), host)
    found = {name: facts.get(name) for name in LOOKED_AT}
    return {**sound(**fault.facts), **found}


def judged(facts: Mapping[str, object], *, required: bool) -> Judged:
    """What the checks say, and the chain."""
    expectations = Expectations(require_gpu=required)
    engine = Facts({**facts, "expectations": expectations, "matrix": MATRIX}, {})
    outcomes = run(CHECKS, engine)
    return Judged(facts, outcomes, chain({name: facts.get(name) for name in FACTS}, outcomes))


def unavailable(reason: str) -> Unavailable:
    """What is left when a probe could not look."""
    return Unavailable(reason)


def first_broken(states: Sequence[LinkState]) -> tuple[str, str | None] | None:
    """The link that is broken first, and the code of the finding."""
    return next(((each.link.value, each.code) for each in states if each.standing.value == "broken"), None)
