"""The processor: its name, the instructions it has, and how much of it this process may use."""

from __future__ import annotations

import re
from dataclasses import dataclass

from envcheck.host import Host
from envcheck.probes.host.cgroup import folders

INSTRUCTION_SETS = (
    # x86-64: what TensorFlow's wheels are compiled for, and what oneDNN, XLA and Eigen choose from at run time
    "sse4_1", "sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16",
    "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16",
    # aarch64: https://docs.kernel.org/arch/arm64/elf_hwcaps.html
    "asimd", "asimdhp", "asimddp", "sve", "sve2", "bf16", "i8mm",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Processor:
    """``count`` processors, of which ``quota`` may be used at a time; ``instruction_sets`` in the kernel's spelling."""

    model: str | None = None
    count: int | None = None
    quota: float | None = None
    instruction_sets: tuple[str, ...] | None = None


def processor(host: Host) -> Processor:
    """``/proc/cpuinfo``, the affinity in ``/proc/self/status``, and the quota of the control groups."""
    text = host.read("/proc/cpuinfo") or ""
    model = re.search(r"(?m)^(?:model name|Model|cpu model)[ \t]*:[ \t]*(\S[^\n]{0,200})", text)
    return Processor(
        model=model[1].strip() if model else None,
        count=_count(host, text),
        quota=_quota(host),
        instruction_sets=_instruction_sets(text),
    )


def flags(cpuinfo: str) -> frozenset[str] | None:
    """The flags that all processors share (big and little cores differ); None when none are listed."""
    lines = set(re.findall(r"(?m)^(?:flags|Features)[ \t]*:([^\n]*)", cpuinfo))
    return frozenset.intersection(*(frozenset(line.split()) for line in lines)) if lines else None


def _instruction_sets(cpuinfo: str) -> tuple[str, ...] | None:
    known = flags(cpuinfo)
    return None if known is None else tuple(name for name in INSTRUCTION_SETS if name in known)


def _count(host: Host, cpuinfo: str) -> int | None:
    """Processors in the affinity list, such as ``0-3,8``; where there is no such list, all that there are."""
    allowed = re.search(r"(?m)^Cpus_allowed_list:[ \t]*([0-9,-]+)[ \t]*$", host.read("/proc/self/status") or "")
    if allowed:
        ranges = re.findall(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", allowed[1])
        count = sum(max(0, int(last or first) - int(first) + 1) for first, last in ranges)
    else:
        count = len(re.findall(r"(?m)^processor[ \t]*:", cpuinfo))
    return count or None


def _quota(host: Host) -> float | None:
    """The lowest quota along the control groups, as a number of processors; None without one."""
    found = []
    for folder in folders(host, "cpu"):
        text = host.read(f"{folder}/cpu.max")
        if text is None:
            parts = (host.read(f"{folder}/cpu.cfs_{name}_us") for name in ("quota", "period"))
            text = " ".join((part or "").strip() for part in parts)
        if numbers := re.fullmatch(r"([0-9]{1,15}) ([0-9]{1,15})\s*", text):
            quota, period = int(numbers[1]), int(numbers[2])
            if quota and period:
                found.append(quota / period)
    return round(min(found), 3) if found else None
