"""The second look at the GPUs: who is on them while the smoke run holds their memory."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from envcheck.host import Host
from envcheck.inventory import Unavailable
from envcheck.probes import driver, gpu

PATIENCE = 10.0
"""Seconds that the driver may take; the smoke run waits for twice as long."""


def look(host: Host, folder: str) -> None:
    """Ask NVML now, whatever was asked before, and leave the answer where the waiting smoke run reads it."""
    try:
        answer = json.dumps(seen(host))
        unfinished = Path(folder, "seen.json.part")
        unfinished.write_text(answer, "utf-8")
        unfinished.replace(Path(folder, "seen.json"))
    except OSError:
        return  # the run has ended meanwhile, or the disk is full: it says that nobody looked


def seen(host: Host) -> dict[str, object]:
    """The GPUs as :class:`~envcheck.probes.smoke.facts.Held` has them, or the reason why they cannot be seen."""
    # A host without answers: this one keeps what the driver said before.
    again = dataclasses.replace(
        host, timeout=min(PATIENCE, host.timeout), progress=lambda _: None, _answers={}, _begun={}
    )
    try:
        found = gpu.collect(again, driver.collect(again))
    except Exception as error:  # a second look is worth no smoke run
        return {"reason": f"who is on the GPU cannot be seen: {type(error).__name__}: {error}"}
    if isinstance(found, Unavailable):
        return {"reason": f"who is on the GPU cannot be seen: {found.reason}"}
    return {
        "held": [
            {
                "index": device.index,
                "uuid": device.uuid,
                "pci": device.pci,
                "memory_used": device.memory_used,
                "own": any(process.own for process in processes),
                "processes": len(processes),
            }
            for device in found.usable
            for instances in [device.mig_instances or ()]
            for processes in [(*device.processes, *(p for instance in instances for p in instance.processes))]
        ]
    }
