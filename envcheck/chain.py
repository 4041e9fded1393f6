"""Where the chain breaks: how every link from the hardware to the framework stands, told from facts and outcomes.

Pure, and it has no opinions: a link is broken where a check says so, sound where something was seen that cannot be without
it, and unknown otherwise. ``envcheck doctor --from`` tells the same of a saved inventory as on the machine itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from envcheck.findings import Outcome, Severity, Status
from envcheck.inventory import Unavailable
from envcheck.links import Link, LinkState, Standing

if TYPE_CHECKING:
    from envcheck.probes.cuda import CudaFacts
    from envcheck.probes.driver import DriverFacts
    from envcheck.probes.gpu import GpuFacts
    from envcheck.probes.gpu_libraries import GpuLibrariesFacts
    from envcheck.probes.others import OthersFacts
    from envcheck.probes.smoke import SmokeFacts

FACTS = ("driver", "cuda", "gpu", "gpu_libraries", "smoke", "others")
"""The facts that tell how a link stands."""
SEEN, UNSEEN = True, False
Evidence = tuple[bool, str]
"""Whether the link was seen to hold, and what was seen; else why it was not."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The facts by their types; None where there are none of a kind."""

    driver: DriverFacts
    cuda: CudaFacts | None
    gpu: GpuFacts | None
    libraries: GpuLibrariesFacts | None
    smoke: SmokeFacts | None
    others: OthersFacts | None
    reasons: Mapping[str, str]
    outcomes: Mapping[str, Outcome]

    def passed(self, code: str) -> bool:
        """Whether a check passed."""
        return code in self.outcomes and self.outcomes[code].status is Status.PASSED

    def why(self, code: str) -> str:
        """Why a check said nothing."""
        outcome = self.outcomes.get(code)
        return "not asked" if outcome is None else outcome.reason or "not known"


def chain(facts: Mapping[str, object], outcomes: Sequence[Outcome]) -> tuple[LinkState, ...]:
    """One state per link, in order. Empty where nobody asked for the GPU (``--device cpu``, other checks selected)."""
    driver = facts.get("driver")
    if driver is None or isinstance(driver, Unavailable):
        reason = "" if driver is None or driver.absent else driver.reason
        return (LinkState(Link.PCI, Standing.UNKNOWN, reason),) if reason else ()
    seen = _seen(cast("DriverFacts", driver), facts, outcomes)
    if seen.driver.nvml.status == "not covered":
        there = f"; {seen.others.words}" if seen.others and seen.others.gpus else ""
        return (LinkState(Link.PCI, Standing.UNKNOWN, seen.driver.nvml.words + there),)
    broken = _broken(outcomes, Severity.ERROR)
    doubtful = _broken(outcomes, Severity.WARNING)
    # Where there is no GPU, the framework's steps ran on the CPU: they say nothing of a chain to it.
    reached = [link for link in (*broken, *doubtful) if link.place <= Link.CUINIT.place]
    if not reached and _no_gpu(seen):
        return (LinkState(Link.PCI, Standing.ABSENT, _absence(seen)),)
    return _states(seen, broken, doubtful)


def _states(seen: _Seen, broken: Mapping[Link, str], doubtful: Mapping[Link, str]) -> tuple[LinkState, ...]:
    evidence = {link: _EVIDENCE[link](seen) for link in Link}
    last = max((link.place for link in Link if evidence[link][0] and not link.stands_alone), default=-1)
    states: list[LinkState] = []
    over = False
    for link in Link:
        was_seen, words = evidence[link]
        code = broken.get(link)
        if code is None and not was_seen and link.place > last:
            code = doubtful.get(link)
        if code is not None and (not over or link.stands_alone):
            states.append(LinkState(link, Standing.BROKEN, _title(seen, code), code))
        elif over:
            states.append(LinkState(link, Standing.NOT_REACHED, ""))
        else:
            states.append(LinkState(link, Standing.OK if was_seen else Standing.UNKNOWN, words))
        over = over or states[-1].standing is Standing.BROKEN
    return tuple(states)


def _broken(outcomes: Sequence[Outcome], severity: Severity) -> dict[Link, str]:
    """The code of what breaks each link with this severity, and is no consequence of anything else."""
    found: dict[Link, str] = {}
    for outcome in outcomes:
        if outcome.link is not None and outcome.worst is severity and outcome.caused_by is None:
            found.setdefault(outcome.link, outcome.code)
    return found


def _title(seen: _Seen, code: str) -> str:
    """What the gravest finding says."""
    outcome = seen.outcomes[code]
    worst = outcome.worst
    grave = [each for each in outcome.findings if (each.severity or outcome.severity) is worst]
    return grave[0].message if grave else outcome.title


def _seen(driver: DriverFacts, facts: Mapping[str, object], outcomes: Sequence[Outcome]) -> _Seen:
    def known(name: str) -> object:
        fact = facts.get(name)
        return None if isinstance(fact, Unavailable) else fact

    reasons = {name: fact.reason for name, fact in facts.items() if isinstance(fact, Unavailable)}
    return _Seen(
        driver,
        cast("CudaFacts | None", known("cuda")),
        cast("GpuFacts | None", known("gpu")),
        cast("GpuLibrariesFacts | None", known("gpu_libraries")),
        cast("SmokeFacts | None", known("smoke")),
        cast("OthersFacts | None", known("others")),
        reasons,
        {outcome.code: outcome for outcome in outcomes},
    )


def _no_gpu(seen: _Seen) -> bool:
    """Whether nothing shows an NVIDIA GPU; a driver without one may be there."""
    driver = seen.driver
    if driver.device_count or (seen.cuda and seen.cuda.count) or driver.dxg or driver.wsl_library or driver.tegra:
        return False
    if driver.pci is None:
        return not driver.hardware
    return not driver.pci and not driver.gpu_nodes


def _absence(seen: _Seen) -> str:
    unseen = " (the PCI bus cannot be seen)" if seen.driver.linux and seen.driver.pci is None else ""
    there = f"; {seen.others.words}, which envcheck does not judge" if seen.others and seen.others.gpus else ""
    return f"no NVIDIA GPU on this machine{unseen}{there}"


def _pci(seen: _Seen) -> Evidence:
    driver = seen.driver
    if driver.pci:
        places = [device.address for device in driver.pci]
        named = ", ".join(places[:4]) + (f" and {len(places) - 4} more" if len(places) > 4 else "")
        return SEEN, f"{len(places)} NVIDIA device{'' if len(places) == 1 else 's'} at {named}"
    if driver.dxg:
        return SEEN, "/dev/dxg, which WSL has in place of a PCI device"
    if driver.tegra:
        return SEEN, "a Jetson: its GPU is part of the processor"
    if not driver.linux:
        return UNSEEN, "looked at on Linux only"
    return UNSEEN, "the PCI bus cannot be seen here" if driver.pci is None else "no NVIDIA device on the PCI bus"


def _module(seen: _Seen) -> Evidence:
    driver = seen.driver
    if driver.kernel_version:
        kind = {True: " (open)", False: " (closed)", None: ""}[driver.kernel_open]
        return SEEN, f"nvidia {driver.kernel_version}{kind}"
    if driver.dxg:
        return SEEN, "the driver of Windows"
    return UNSEEN, "no loaded kernel module was seen" if driver.linux else "looked at on Linux only"


def _nodes(seen: _Seen) -> Evidence:
    driver = seen.driver
    if driver.dxg:
        return SEEN, "/dev/dxg"
    if not driver.linux:
        return UNSEEN, "looked at on Linux only"
    if driver.node_errors:
        return UNSEEN, "; ".join(f"{node}: {error}" for node, error in driver.node_errors.items())
    if "/dev/nvidiactl" in driver.nodes and driver.gpu_nodes:
        unified = "" if "/dev/nvidia-uvm" in driver.nodes else "; no /dev/nvidia-uvm yet"
        count = len(driver.gpu_nodes)
        return SEEN, f"/dev/nvidiactl, {driver.gpu_nodes[0]}" + (
            f" and {count - 1} more" if count > 1 else ""
        ) + unified
    return UNSEEN, "no NVIDIA device nodes were seen"


def _library(seen: _Seen) -> Evidence:
    cuda, nvml = seen.cuda, seen.driver.nvml
    if cuda and cuda.library:
        place = {"stub": " (a stub)", "compat": " (cuda-compat)"}.get(cuda.kind, "")
        return SEEN, f"{cuda.library}{place}"
    if cuda and cuda.status == "no library":
        return UNSEEN, cuda.words
    if cuda and cuda.status != "not asked":
        return SEEN, "libcuda loads"
    if nvml.status in ("ok", "error"):
        return SEEN, "the library of NVML loads; that of CUDA was not asked for"
    return UNSEEN, nvml.words


def _nvml(seen: _Seen) -> Evidence:
    driver = seen.driver
    if not driver.nvml.ok:
        return UNSEEN, driver.nvml.words
    count = driver.usable_devices or 0
    virtual = seen.gpu is not None and any(device.virtualization == "vGPU" for device in seen.gpu.usable)
    kind = "vGPU" if virtual else "GPU"
    version = driver.driver_version or "of unknown version"
    return count > 0, f"driver {version}, {count} usable {kind}{'' if count == 1 else 's'}"


def _cuinit(seen: _Seen) -> Evidence:
    if seen.cuda is None:
        return UNSEEN, seen.reasons.get("cuda", "not asked")
    return seen.cuda.ok and bool(seen.cuda.count), seen.cuda.words


def _libraries(seen: _Seen) -> Evidence:
    if not seen.passed("GPU207"):
        return UNSEEN, seen.why("GPU207")
    if seen.libraries is None:
        return SEEN, "found"
    loading = [library for library in seen.libraries.libraries if library.loads]
    told = [f"{each.name} {each.version}" for each in loading if each.version and each.name in ("cudart", "cudnn")]
    proof = f"; not proven: {seen.libraries.unproven}" if seen.libraries.unproven else ""
    return SEEN, f"{len(loading)} load" + (f" ({', '.join(told)})" if told else "") + proof


def _capability(seen: _Seen) -> Evidence:
    if not seen.passed("GPU203"):
        return UNSEEN, seen.why("GPU203")
    found = (
        sorted({device.compute_capability for device in seen.gpu.usable if device.compute_capability})
        if seen.gpu
        else []
    )
    return SEEN, f"TensorFlow has code for {', '.join(found)}" if found else "TensorFlow has code for it"


def _devices(seen: _Seen) -> Evidence:
    on_gpu = _on_gpu(seen)
    if seen.smoke is None:
        return UNSEEN, seen.reasons.get("smoke", "nothing was run")
    if not on_gpu:
        return UNSEEN, "no step of the smoke run was on a GPU"
    return SEEN, f"{seen.smoke.framework} uses {', '.join(dict.fromkeys(on_gpu.values()))}"


def _operation(seen: _Seen) -> Evidence:
    found = {name: device for name, device in _on_gpu(seen).items() if name in ("matmul", "convolution", "fit")}
    if not found:
        return UNSEEN, seen.reasons.get("smoke", "nothing was run on a GPU")
    return SEEN, f"{', '.join(found)} ran on {', '.join(dict.fromkeys(found.values()))}"


def _on_gpu(seen: _Seen) -> dict[str, str]:
    """The steps that went well on a GPU, and on which."""
    if seen.smoke is None:
        return {}
    return {
        step.name: step.device
        for step in seen.smoke.steps
        if step.status == "ok" and step.device and not step.device.upper().startswith("CPU")
    }


_EVIDENCE: Mapping[Link, Callable[[_Seen], Evidence]] = {
    Link.PCI: _pci,
    Link.KERNEL_MODULE: _module,
    Link.DEVICE_NODES: _nodes,
    Link.DRIVER_LIBRARY: _library,
    Link.NVML: _nvml,
    Link.CUINIT: _cuinit,
    Link.CUDA_LIBRARIES: _libraries,
    Link.CAPABILITY: _capability,
    Link.DEVICES: _devices,
    Link.OPERATION: _operation,
}
