"""NVML's answers folded into what is known of one GPU: what makes no sense is not believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from envcheck.probes.driver import Answers
from envcheck.probes.gpu.device import NOT_SUPPORTED, Device, Fabric, MigInstance, NvLinks, Pcie, Process

KINDS = {"compute_processes": "compute", "graphics_processes": "graphics", "mpscompute_processes": "mps"}
TOO_MUCH = 1 << 63
"""NVML says 2⁶⁴-1 where a figure is not available (NVML_VALUE_NOT_AVAILABLE in nvml.h)."""
IMPLAUSIBLE, NOT_AVAILABLE = "IMPLAUSIBLE", "NOT_AVAILABLE"
"""What ``errors`` says, in the place of an NVML error, of memory figures that contradict each other or are not given."""


def device(index: int, found: Answers) -> Device:
    """One GPU from the answers about it."""
    values, errors = found.values, dict(found.errors)
    failure = errors.pop("handle", None)
    if found.unanswered:
        errors[found.unanswered] = "NO_ANSWER"
        failure = failure or ("NO_ANSWER" if "handle" not in values else None)
    memory, doubt = _memory(values.get("memory"))
    if doubt:
        errors["memory"] = doubt
    if values.get("ecc_uncorrected") is not None and _amount(values["ecc_uncorrected"]) is None:
        errors["ecc_uncorrected"] = NOT_AVAILABLE
    fabric = _fabric(values.get("fabric"))
    if fabric is None and values.get("fabric"):
        errors["fabric"] = NOT_SUPPORTED  # the driver says so in the answer itself
    capability = values.get("compute_capability")
    mig, ecc = values.get("mig"), values.get("ecc")
    rows = values.get("remapped_rows")
    reasons, links = values.get("clock_reasons"), values.get("nvlink")
    return Device(
        index=index,
        name=values.get("name"),
        uuid=values.get("uuid"),
        pci=values.get("pci"),
        compute_capability=f"{capability[0]}.{capability[1]}" if capability else None,
        memory_total=memory.get("total"),
        memory_used=memory.get("used"),
        memory_free=memory.get("free"),
        memory_reserved=memory.get("reserved"),
        processes=_processes(values),
        compute_mode=values.get("compute_mode"),
        persistence=_truth(values.get("persistence")),
        virtualization=values.get("virtualization"),
        ecc=_truth(ecc and ecc[0]),
        ecc_uncorrected=_amount(values.get("ecc_uncorrected")),
        remapped_rows=None if rows is None else rows[0] + rows[1],
        remap_pending=_truth(rows and rows[2]),
        remap_failed=_truth(rows and rows[3]),
        retired_pending=_truth(values.get("retired_pending")),
        clock_reasons=None if reasons is None else tuple(reasons),
        pcie=_pcie(values),
        nvlinks=NvLinks(*links) if links else None,
        fabric=fabric,
        mig=_truth(mig and mig[0]),
        mig_pending=_truth(mig and mig[1]),
        mig_instances=_instances(values.get("mig_instances")),
        errors=errors,
        failure=failure,
    )


def _truth(value: int | None) -> bool | None:
    return {0: False, 1: True}.get(value) if value is not None else None


def _amount(value: int | None) -> int | None:
    return value if value is not None and 0 <= value < TOO_MUCH else None


def _memory(said: Mapping[str, int] | None) -> tuple[dict[str, int | None], str | None]:
    """The figures that can be believed, and what is wrong with the others."""
    if not said:
        return {}, None
    found = {name: _amount(value) for name, value in said.items()}
    total = found["total"]
    if total is None:
        return {}, NOT_AVAILABLE
    doubtful = [name for name, value in found.items() if not total or (value is not None and value > total)]
    if doubtful:
        told = ", ".join(f"{name} {said[name]}" for name in dict.fromkeys(("total", *doubtful)))
        # What is used and what is free are told together: where one is wrong, the other is not to be believed either.
        return {"total": total or None}, f"{IMPLAUSIBLE} ({told} bytes)"
    return found, NOT_AVAILABLE if None in (found["used"], found["free"]) else None


def _processes(values: Mapping[str, Any]) -> tuple[Process, ...]:
    found: dict[int, Process] = {}
    for what, kind in KINDS.items():
        for pid, memory, own, name in values.get(what) or ():
            # One process may be listed as compute and as graphics.
            found.setdefault(pid, Process(pid, _amount(memory), kind, own, name))
    return tuple(sorted(found.values(), key=lambda process: -(process.memory or 0)))


def _instances(found: Sequence[Mapping[str, Any]] | None) -> tuple[MigInstance, ...] | None:
    if found is None:
        return None
    return tuple(
        MigInstance(each["uuid"], memory.get("total"), memory.get("used"), memory.get("free"), _processes(each))
        for each in found
        for memory in [_memory(each["memory"])[0]]
    )


def _pcie(values: Mapping[str, Any]) -> Pcie | None:
    names = ("pcie_generation", "pcie_generation_max", "pcie_width", "pcie_width_max")
    found = [values.get(name) for name in names]
    return None if found == [None] * len(found) else Pcie(*found)


def _fabric(found: Mapping[str, Any] | None) -> Fabric | None:
    if not found or found["state"] == "not supported":
        return None
    # Only a registration that completed has an error and a health (nvml.h).
    if found["state"] != "completed":
        return Fabric(found["state"])
    return Fabric(found["state"], found["error"], found["health"], tuple(found["troubles"]))
