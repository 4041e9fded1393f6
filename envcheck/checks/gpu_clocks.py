"""Does heat or a want of power hold the GPU's clocks down?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Severity, check

if TYPE_CHECKING:
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import Device, GpuFacts

HOT = "software thermal slowdown", "hardware thermal slowdown"
BRAKED = "hardware power brake"
SLOWED = {
    HOT[0]: "it is too hot",
    HOT[1]: "it is so hot that its hardware halves the clocks or more",
    BRAKED: "the machine's power supply asks for it",
    "hardware slowdown": "its hardware halves the clocks or more",
}
"""What holds clocks down that should not be; an idle GPU, a power cap and chosen clocks are harmless."""


@check("GPU309", "Neither heat nor power holds the GPU's clocks down", Severity.WARNING)
def clocks(gpu: GpuFacts, environment: EnvironmentFacts) -> Iterator[Finding]:
    """The GPU runs below its clocks because it is too hot, or because its power supply cannot keep up.

    Cause: blocked air or a dead fan, a hot room, a power brake that the machine's power supply pulls, loose power cables.
    Training is slower, often without anybody noticing. That the GPU is idle or keeps to its power limit is no fault.

    How to fix: let it cool (fans, dust, air flow, the room), look at the power supply and its cables.

    Source: https://docs.nvidia.com/deploy/nvml-api/api/group__nvmlClocksEventReasons.html
    """
    devices = gpu.need_told(
        environment.variables,
        "clock_reasons",
        lambda device: device.clock_reasons,
        "the driver does not tell what holds the clocks of this GPU down",
    )
    for group in gpu.grouped(filter(_slow, devices), _slow):
        reasons = _slow(group.devices[0])
        because = ", ".join(f"{reason}: {SLOWED[reason]}" for reason in reasons)
        yield Finding(
            f"{group.label} {group.verb('runs', 'run')} below {group.verb('its', 'their')} clocks ({because})",
            Fix(
                _remedy(reasons),
                group.commands("nvidia-smi -q -d PERFORMANCE,TEMPERATURE,POWER -i {index}"),
            ),
            evidence={"reasons": list(reasons), "gpus": group.indexes},
        )


def _slow(device: Device) -> tuple[str, ...]:
    found = tuple(reason for reason in device.clock_reasons or () if reason in SLOWED)
    # The general reason says nothing beside the one that names what it is.
    return tuple(reason for reason in found if reason != "hardware slowdown" or len(found) == 1)


def _remedy(reasons: tuple[str, ...]) -> str:
    remedies = []
    if any(reason in HOT for reason in reasons):
        remedies.append("let it cool: look at its fans, at dust and the air flow, at the temperature of the room")
    if BRAKED in reasons:
        remedies.append("look at the machine's power supply: it is too weak, or one of several has failed")
    return "; ".join(remedies) or "look at its temperature, its power cables and the machine's power supply"
