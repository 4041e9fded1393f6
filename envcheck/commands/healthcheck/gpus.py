"""What the driver and the GPUs say of their health: every reason for "no" with what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from envcheck.commands.healthcheck.counting import CUDA, Expected, entries, may_get
from envcheck.commands.healthcheck.verdict import Verdict
from envcheck.probes.driver import CONTROL, MEMORY, DriverFacts
from envcheck.probes.gpu import Device, GpuFacts

NOT_TOLD = (
    "NOT_SUPPORTED", "NO_PERMISSION", "FUNCTION_NOT_FOUND", "VGPU_ECC_NOT_SUPPORTED", "ARGUMENT_VERSION_MISMATCH",
    "INVALID_ARGUMENT", "DEPRECATED", "AttributeError", "NVMLError_FunctionNotFound",
)  # fmt: skip
"""What says of a single question that this GPU, driver or binding does not answer it. Any other error is trouble."""


def of_driver(driver: DriverFacts, expected: Expected | None) -> Verdict:
    """What the driver as a whole says. Where no GPU is expected and none is here, its silence is no fault."""
    wanted = expected is not None and expected.count > 0
    state = driver.nvml
    explain = "; `envcheck doctor --select GPU` names the cause"
    if state.status in ("hung", "unkillable"):
        return Verdict(
            (f"{state.words}: the driver is stuck; look for NVRM and Xid in the kernel log (dmesg), then reboot",)
        )
    if state.status == "crashed":
        return Verdict((f"{state.words}: the driver's library is damaged or of another version{explain}",))
    if state.status == "not asked":
        return Verdict((f"{state.words}; with --gpus 0 it is not asked",))
    denied = ", ".join(f"{node} cannot be opened ({error})" for node, error in driver.node_errors.items())
    if state.ok:
        if denied:
            return Verdict((f"{denied}: {_given_again(driver)}",))
        if CONTROL in driver.nodes and MEMORY not in driver.nodes and not (driver.modprobe or driver.tegra):
            return Verdict((f"there is no {MEMORY}, without which CUDA cannot start: {_given_again(driver)}",))
        return Verdict()
    if wanted or (state.status == "error" and driver.hardware):
        cause = f"{state.words}{f'; {denied}' if denied else ''}"
        number = f"{expected.words}, and " if expected is not None and wanted else ""
        return Verdict((f"{number}{cause}: {_given_again(driver)}{explain}",))
    if state.status == "no library":
        return Verdict(seen=("no NVIDIA GPU is expected, and no driver is here",))
    return Verdict(seen=(f"no NVIDIA GPU is expected or here: {state.words}",))


def _given_again(driver: DriverFacts) -> str:
    if driver.nodes and driver.nvml.status == "no library":
        return "a container needs NVIDIA_DRIVER_CAPABILITIES=compute,utility for it; elsewhere install the driver again"
    if driver.nodes or not driver.linux or driver.nvml.status == "error":
        return "start the container again, or load the driver anew"
    return "start the container with its GPU (docker run --gpus all), or load the driver; --gpus 0 if none is wanted"


def of_gpus(
    gpu: GpuFacts,
    environ: Mapping[str, str],
    expected: Expected | None,
    free: int | None,
) -> Verdict:
    """What the GPUs say. ``free`` is how many bytes each must have free."""
    devices, _ = may_get(gpu, environ)
    reasons = [*_missing(gpu, environ, expected), *_failures(gpu), *_short_of_memory(gpu, devices, free)]
    seen = [_well(gpu, devices, expected)]
    pending = [device for device in gpu.usable if device.remap_pending]
    if pending:
        seen.append(f"{_labels(gpu, pending)} should be reset when idle: a remapping of memory rows waits for it")
    unseen = []
    if gpu.usable and all(each.ecc_uncorrected is None and each.remap_failed is None for each in gpu.usable):
        unseen.append("memory errors, which are not counted here")
    return Verdict(tuple(reasons), tuple(seen), tuple(unseen))


def _missing(gpu: GpuFacts, environ: Mapping[str, str], expected: Expected | None) -> Iterator[str]:
    """GPUs that are expected and do not answer, or that CUDA_VISIBLE_DEVICES keeps from a program."""
    there = len(gpu.usable)
    if expected is None or not expected.count:
        return
    if there < expected.count:
        words = f"{expected.words}, and {there or 'none'} {'answers' if there < 2 else 'answer'}"
        if any(device.failure not in (None, "NO_PERMISSION") for device in gpu.devices):
            yield words  # what is said of those that fail goes on from here
            return
        fewer = "" if expected.why.startswith("--") else ", or say --gpus N if fewer are right"
        yield f"{words}: `nvidia-smi -L` lists those that are here; start the container again with all of them{fewer}"
        return
    devices, stop = may_get(gpu, environ)
    named = entries(environ)
    numbered = named is not None and not any(
        entry.startswith("MIG-") for entry in named
    )  # instances were not asked for
    left = min(len(devices), len(named or ())) if numbered else len(devices)
    if stop is not None and stop.startswith("GPU-"):
        yield f"{CUDA} names {stop}, and no GPU here has that UUID: `nvidia-smi -L` lists those that are here"
    elif left < (expected.count if expected.each else 1):
        yield (
            f"{expected.words}, and {CUDA}={environ[CUDA]} leaves {left or 'none'} of {there} to a program: name the "
            "others too, or unset it"
        )


def _failures(gpu: GpuFacts) -> Iterator[str]:
    """GPUs that do not answer, or whose memory failed."""
    for group in gpu.grouped(gpu.devices, lambda device: (device.failure, tuple(_errors(device)))):
        device = group.devices[0]
        if device.failure == "NO_PERMISSION" and gpu.usable:  # schedulers keep the GPUs of others so
            continue
        if device.failure is not None:
            yield (
                f"{group.label} cannot be opened: NVML says {device.failure}; look for Xid in the kernel log (dmesg), "
                "reset the GPU or reboot"
            )
        elif _errors(device):
            said = ", ".join(f"{error} on {what}" for what, error in _errors(device))
            yield f"{group.label} {group.verb('does', 'do')} not answer: NVML says {said}; reset it or reboot"
    for group in gpu.grouped((d for d in gpu.usable if d.ecc_uncorrected), lambda device: device.ecc_uncorrected):
        count = group.devices[0].ecc_uncorrected
        yield (
            f"{group.label} had {count} uncorrected memory error{'' if count == 1 else 's'} since the driver was loaded "
            "(0 are expected): reset the GPU, and if they come back have it checked"
        )
    failed = [device for device in gpu.usable if device.remap_failed]
    if failed:
        yield f"{_labels(gpu, failed)} could not replace failing memory rows: have the GPU exchanged"


def _errors(device: Device) -> list[tuple[str, str]]:
    return [(what, error) for what, error in device.errors.items() if error not in NOT_TOLD]


def _short_of_memory(gpu: GpuFacts, devices: tuple[Device, ...], free: int | None) -> Iterator[str]:
    if free is None:
        return
    for group in gpu.grouped(devices, lambda device: device.memory_free):
        there = group.devices[0].memory_free
        if there is None:
            yield f"{group.label}: how much memory is free is not told, and --min-free-memory asks for {_size(free)}"
        elif there < free:
            yield (
                f"{group.label} {group.verb('has', 'have')} {_size(there)} free, and {_size(free)} are expected "
                "(--min-free-memory): `nvidia-smi` shows who holds the rest"
            )


def _well(gpu: GpuFacts, devices: tuple[Device, ...], expected: Expected | None) -> str:
    known = [device.memory_free for device in devices if device.memory_free is not None]
    memory = ""
    if known and len(known) == len(devices):
        memory = f", {_size(min(known))} free{' on each at least' if len(known) > 1 else ''}"
    number = f", {expected.count} expected ({expected.why})" if expected is not None else ""
    there = len(gpu.usable)
    return f"{there} GPU{' answers' if there == 1 else 's answer'}{number}{memory}"


def _labels(gpu: GpuFacts, devices: list[Device]) -> str:
    return ", ".join(group.label for group in gpu.grouped(devices, lambda _: 0))


def _size(count: int) -> str:
    """``79.5 GiB``: bytes in the largest binary unit that gives one or more."""
    for unit, power in (("GiB", 3), ("MiB", 2)):
        if count >= 1024**power:
            return f"{count / 1024**power:.1f} {unit}"
    return f"{count} bytes"
