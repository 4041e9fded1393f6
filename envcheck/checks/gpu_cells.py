"""Are faulty cells of the GPU's memory out of use?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Severity, check

if TYPE_CHECKING:
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import GpuFacts


@check("GPU307", "Faulty rows of the GPU's memory are replaced")
def remapped_rows(gpu: GpuFacts, environment: EnvironmentFacts) -> Iterator[Finding]:
    """A row of the GPU's memory that had errors could not be replaced by a spare one, or is only at the next reset.

    Cause: failing memory cells. GPUs from Ampere on replace a row with uncorrectable errors by a spare one when they are
    reset; until then data centre GPUs keep its page out of use. Where no spare is left the replacement fails.

    How to fix: pending: reset the GPU when nothing uses it. Failed: have the GPU replaced; NVIDIA counts it as a reason.

    Source: https://docs.nvidia.com/deploy/a100-gpu-mem-error-mgmt/error-recovery-and-response-flags.html; NVIDIA's DCGM
    takes a failure for unhealthy (DcgmHealthWatch.cpp).
    """
    devices = gpu.need_told(
        environment.variables,
        "remapped_rows",
        lambda device: device.remap_failed,
        "the driver does not tell which rows of memory this GPU replaced",
    )
    for group in gpu.grouped(devices, lambda device: (bool(device.remap_failed), bool(device.remap_pending))):
        first = group.devices[0]
        evidence = {"failed": first.remap_failed, "pending": first.remap_pending, "gpus": group.indexes}
        look = group.commands("nvidia-smi -q -d ROW_REMAPPER -i {index}")
        if first.remap_failed:
            yield Finding(
                f"{group.label}: a faulty row of {group.verb('its', 'their')} memory could not be replaced; every row that "
                "had uncorrectable errors is expected to be",
                Fix(
                    f"have the GPU{group.verb('', 's')} replaced: NVIDIA counts a failed replacement as a reason",
                    look,
                ),
                evidence=evidence,
            )
        elif first.remap_pending:
            yield Finding(
                f"{group.label}: a faulty row of {group.verb('its', 'their')} memory is replaced only at the next reset",
                Fix(
                    "reset when nothing uses the GPU; until then, data centre GPUs keep the page with that row out of use",
                    (*look, *group.commands("sudo nvidia-smi --gpu-reset -i {index}")),
                ),
                evidence=evidence,
                severity=Severity.WARNING,
            )


@check("GPU308", "No page of the GPU's memory waits to be retired", Severity.WARNING)
def retired_pages(gpu: GpuFacts, environment: EnvironmentFacts) -> Iterator[Finding]:
    """Pages of the GPU's memory that had errors are still in use until the driver is loaded anew.

    Cause: failing memory cells of a GPU before Ampere: such a page is retired after an error that could not be corrected,
    or two in the same place that could, but only when the driver starts.

    How to fix: end what uses the GPU and reset it, or reboot.

    Source: https://docs.nvidia.com/deploy/dynamic-page-retirement/visibility.html
    """
    devices = gpu.need_told(
        environment.variables,
        "retired_pending",
        lambda device: device.retired_pending,
        "the driver does not tell which pages of memory this GPU retired",
    )
    for group in gpu.grouped((device for device in devices if device.retired_pending), lambda _: None):
        yield Finding(
            f"{group.label}: pages of {group.verb('its', 'their')} memory that had errors are in use until the driver is "
            "loaded anew",
            Fix(
                "end what uses the GPU and reset it, or reboot",
                group.commands("nvidia-smi -q -d PAGE_RETIREMENT -i {index}", "sudo nvidia-smi --gpu-reset -i {index}"),
            ),
            evidence={"gpus": group.indexes},
        )
