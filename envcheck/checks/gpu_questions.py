"""Does the driver answer every question about the GPU?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Severity, check

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.gpu import GpuFacts
    from envcheck.probes.host import HostFacts

NO_FAULT = (
    # There is no such thing, or the driver is older than the question.
    "NOT_SUPPORTED", "FUNCTION_NOT_FOUND", "ARGUMENT_VERSION_MISMATCH", "DEPRECATED", "INVALID_ARGUMENT",
    # Others than the administrator are not told everything; a figure that is not there (yet); a list that keeps changing.
    "NO_PERMISSION", "NO_DATA", "NOT_AVAILABLE", "NOT_FOUND", "INSUFFICIENT_SIZE",
)  # fmt: skip
ELSEWHERE = ("NO_ANSWER", "INSUFFICIENT_POWER", "IRQ_ISSUE", "GPU_IS_LOST", "RESET_REQUIRED")
"""What GPU101 (NVML hangs or crashes) and GPU305 (the GPU itself is out of order) report."""


@check("GPU313", "The driver answers every question about the GPU", Severity.WARNING)
def questions(gpu: GpuFacts, matrix: Matrix, host: HostFacts) -> Iterator[Finding]:
    """NVML answers a question about a GPU with an error, or with figures that contradict each other.

    Cause: the message names NVML's error: a damaged infoROM, a driver that fails inside or lets its time limit pass. What
    was asked is not known, and checks that need it say so. What a GPU does not have, what this user may not see, and
    what is newer than the driver is no error.

    How to fix: the message names the remedy; mostly the kernel log tells more.

    Source: the comments of nvml.h
    """
    found: dict[str, dict[int, list[str]]] = {}
    for device in gpu.usable:
        for question, error in device.errors.items():
            name = error.partition(" ")[0]
            if name not in NO_FAULT + ELSEWHERE:
                found.setdefault(error, {}).setdefault(device.index, []).append(question)
    for error, asked in found.items():
        devices = [device for device in gpu.usable if device.index in asked]
        (group,) = gpu.grouped(devices, lambda _: None)
        every = ", ".join(
            sorted({question.replace("_", " ") for questions in asked.values() for question in questions})
        )
        row = matrix.nvml_code(error)
        if error.startswith("IMPLAUSIBLE"):
            message = f"NVML's figures contradict each other: {error.partition(' ')[2].strip('()')}"
            fix = Fix("update the driver, or look at the kernel log for NVRM lines", ("nvidia-smi -q -d MEMORY",))
        elif row is None:
            message = f"NVML answers {error}, which envcheck does not know, when asked for: {every}"
            fix = Fix("look at the kernel log for NVRM and Xid lines; update envcheck and its dependency nvidia-ml-py")
        else:
            message = f"NVML answers {error} when asked for: {every}: {row.meaning}"
            remedy = row.container if row.container and host.container else row.remedy
            fix = Fix(remedy, () if host.container else group.commands(*row.commands))
        yield Finding(
            f"{group.label}: {message}",
            fix,
            evidence={"error": error, "questions": every.split(", "), "gpus": group.indexes},
        )
