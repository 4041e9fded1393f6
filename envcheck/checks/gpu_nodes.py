"""Are the kernel module and the device nodes there, which TensorFlow needs to reach an NVIDIA GPU?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Link, Severity, Skip, check
from envcheck.inventory import Unavailable

if TYPE_CHECKING:
    from envcheck.inventory import Expectations
    from envcheck.probes.driver import DriverFacts
    from envcheck.probes.host import HostFacts
    from envcheck.probes.tensorflow import TensorFlowFacts

CONTROL, MEMORY = "/dev/nvidiactl", "/dev/nvidia-uvm"

# How each kind of container is given the GPU: summary and command.
HAND_IN: dict[str, tuple[str, tuple[str, ...]]] = {
    "docker": (
        "start the container with the GPU (the host needs the NVIDIA Container Toolkit); in a Compose file reserve the "
        "device under deploy.resources.reservations.devices",
        ("docker run --gpus all IMAGE",),
    ),
    "podman": ("start the container with the GPU's CDI device", ("podman run --device nvidia.com/gpu=all IMAGE",)),
    "kubernetes": (
        "ask for the GPU in the pod: resources.limits with nvidia.com/gpu: 1 (the cluster needs NVIDIA's device plugin)",
        (),
    ),
    "apptainer": ("start the container with --nv", ("apptainer exec --nv IMAGE COMMAND",)),
    "singularity": ("start the container with --nv", ("singularity exec --nv IMAGE COMMAND",)),
}
HAND_IN_ANY = ("start the container with access to /dev/nvidiactl, /dev/nvidia-uvm and /dev/nvidia0", ())
DENIED = {
    "EPERM": "the device control group does not allow it: the container was started without the device, or lost it when "
    "systemd reloaded its units",
    "EACCES": "the mode of the file does not allow it for this user",
}


@check("GPU103", "The NVIDIA device nodes are there", explains=("GPU107",), unless="SMK108", link=Link.DEVICE_NODES)
def device_nodes(driver: DriverFacts, host: HostFacts, expectations: Expectations) -> Iterator[Finding]:
    """The files through which programs reach an NVIDIA GPU are missing under /dev, or cannot be opened.

    Cause: in a container, the GPU was not handed in (no `--gpus all`, no `nvidia.com/gpu` limit, no `--nv`), or the
    container lost it when the host's systemd reloaded its units. On a host, the kernel module is loaded and nobody
    created the nodes, or this user may not open them. WSL has /dev/dxg in place of all of them.

    How to fix: start the container with the GPU; on a host let `nvidia-modprobe` create the nodes. For containers that
    lose the GPU, use CDI, or create the /dev/char links with `nvidia-ctk system create-dev-char-symlinks --create-all`.

    Source: https://github.com/NVIDIA/nvidia-container-toolkit/issues/48
    """
    _only_where_nodes_are(driver, host)
    if CONTROL in driver.node_errors:
        yield _denied(CONTROL, driver.node_errors[CONTROL], host)
        return
    missing = CONTROL if CONTROL not in driver.nodes else "/dev/nvidia0" if not driver.gpu_nodes else None
    if missing is None or driver.usable_devices:
        return
    if host.container:
        # A machine's GPU is no reason for every container on it to use it.
        tried = expectations.gpu_required or bool(driver.nodes) or driver.nvml.status != "no library"
        summary, commands = HAND_IN.get(host.container, HAND_IN_ANY)
        yield Finding(
            f"this container ({host.container}) was not given the machine's NVIDIA GPU: there is no {missing}",
            Fix(summary, commands, verify="nvidia-smi -L"),
            evidence={"nodes": list(driver.nodes), "kernel_module": driver.kernel_version},
            severity=None if tried else Severity.WARNING,
        )
        return
    if not driver.kernel_version:
        raise Skip("no NVIDIA driver is loaded")
    yield Finding(
        f"the NVIDIA kernel module {driver.kernel_version} is loaded and {missing} is missing",
        Fix(
            "let the driver's helper create the device nodes", ("sudo nvidia-modprobe -c 0 -u",), verify="nvidia-smi -L"
        ),
        evidence={"nodes": list(driver.nodes)},
    )


def _only_where_nodes_are(driver: DriverFacts, host: HostFacts) -> None:
    """Raises :class:`Skip` where no NVIDIA device node can be expected."""
    if not driver.linux:
        raise Skip(f"NVIDIA device nodes are Linux's: not covered on {host.system}")
    if driver.tegra:
        raise Skip("this is a Jetson, which is not covered: its GPU has other nodes", unknown=True)
    if driver.dxg or host.wsl:
        raise Skip("WSL has /dev/dxg in place of the NVIDIA device nodes")
    if not driver.hardware:
        raise Skip("no NVIDIA GPU or driver here")


def _denied(node: str, error: str, host: HostFacts) -> Finding:
    if host.container:
        fix = Fix(
            "start the container anew with the GPU; for good, use CDI, or create the /dev/char links on the host: "
            "nvidia-ctk system create-dev-char-symlinks --create-all",
            verify="nvidia-smi -L",
        )
    else:
        fix = Fix("let this user read and write the device nodes", ("ls -l /dev/nvidia*", "id"), verify="nvidia-smi -L")
    return Finding(
        f"{node} cannot be opened ({error}): {DENIED.get(error, 'the kernel refuses it')}",
        fix,
        evidence={"node": node, "error": error},
        url="https://github.com/NVIDIA/nvidia-container-toolkit/issues/48" if error == "EPERM" else None,
    )


@check(
    "GPU104",
    "The NVIDIA kernel module drives the GPU",
    explains=("GPU103",),
    unless="SMK108",
    link=Link.KERNEL_MODULE,
)
def kernel_module(
    driver: DriverFacts, host: HostFacts, expectations: Expectations, tensorflow: TensorFlowFacts | Unavailable
) -> Iterator[Finding]:
    """There is an NVIDIA GPU on the PCI bus, and the NVIDIA kernel module is not loaded.

    Cause: the driver was never installed; its module was not built for the running kernel (a kernel update, DKMS);
    Secure Boot refuses an unsigned module; or another kernel driver holds the GPU: nouveau, which has no CUDA, or
    vfio-pci, which hands the GPU to a virtual machine.

    How to fix: install the NVIDIA driver from your distribution and reboot. `dkms status`, `mokutil --sb-state` and
    `lspci -nnk -d 10de:` show which of the causes it is.

    Source: https://www.kernel.org/doc/html/latest/PCI/sysfs-pci.html for what is looked at.
    """
    if driver.kernel_version or driver.nvml.ok:
        return
    if not driver.linux:
        raise Skip(f"the PCI bus is looked at on Linux only: not covered on {host.system}", unknown=True)
    if driver.pci is None:
        raise Skip("the PCI bus cannot be seen here", unknown=True)
    if not driver.pci:
        raise Skip("there is no NVIDIA GPU on the PCI bus")
    holders = sorted({device.driver for device in driver.pci if device.driver})
    held = f"; {' and '.join(holders)} holds it" if holders else "; no kernel driver holds it"
    given_away = holders == ["vfio-pci"] or host.container is not None
    for_cpu = not isinstance(tensorflow, Unavailable) and tensorflow.cpu_on_purpose
    yield Finding(
        f"the PCI bus has {len(driver.pci)} NVIDIA GPU(s) ({', '.join(device.address for device in driver.pci)}) and the "
        f"NVIDIA kernel module is not loaded{held}",
        Fix(
            _module_fix(holders, host),
            commands=() if host.container else ("lspci -nnk -d 10de:", "sudo modprobe nvidia", "dkms status"),
            verify="nvidia-smi",
        ),
        evidence={"pci": [device.address for device in driver.pci], "held_by": holders},
        severity=Severity.WARNING if (given_away or for_cpu) and not expectations.gpu_required else None,
    )


def _module_fix(holders: list[str], host: HostFacts) -> str:
    if host.container:
        return "install the NVIDIA driver on the host of this container: a container cannot load it"
    if "vfio-pci" in holders:
        return "the GPU is set aside for a virtual machine: use it there, or take it back from vfio-pci"
    if "nouveau" in holders:
        return "install the NVIDIA driver and reboot: nouveau has no CUDA"
    return (
        "install the NVIDIA driver and reboot; if it is installed, see whether its module was built for this kernel and "
        "whether Secure Boot refuses it (mokutil --sb-state)"
    )


@check("GPU107", "The unified memory device node is there", unless="SMK108", link=Link.DEVICE_NODES)
def unified_memory_node(driver: DriverFacts, host: HostFacts) -> Iterator[Finding]:
    """/dev/nvidia-uvm is missing or cannot be opened, while the driver itself answers.

    Cause: CUDA needs this node besides those that `nvidia-smi` uses. It is created on first use by `nvidia-modprobe`,
    which needs root's rights; in a container nobody can create it, and after suspend the module may be stale. CUDA then
    fails with error 999 (CUDA_ERROR_UNKNOWN) although `nvidia-smi` shows the GPU.

    How to fix: install and run `nvidia-modprobe`; start the container with the node.

    Source: https://github.com/tensorflow/tensorflow/issues/394, https://github.com/tensorflow/tensorflow/issues/5777
    """
    _only_where_nodes_are(driver, host)
    if CONTROL not in driver.nodes or not driver.nvml.ok:
        raise Skip("the NVIDIA driver does not answer")
    if MEMORY in driver.node_errors:
        yield _denied(MEMORY, driver.node_errors[MEMORY], host)
    elif MEMORY not in driver.nodes and host.container:
        summary, commands = HAND_IN.get(host.container, HAND_IN_ANY)
        yield Finding(
            f"this container ({host.container}) has no {MEMORY}: CUDA cannot start without it",
            Fix(summary, commands, verify=f"ls -l {MEMORY}"),
            evidence={"nodes": list(driver.nodes)},
        )
    elif MEMORY not in driver.nodes and not driver.modprobe:
        yield Finding(
            f"there is no {MEMORY}, and no nvidia-modprobe that could create it when CUDA starts: only root can use the "
            "GPU then",
            Fix(
                "install nvidia-modprobe, or load the module and create the node at boot",
                ("sudo modprobe nvidia-uvm",),
                verify=f"ls -l {MEMORY}",
            ),
            evidence={"nodes": list(driver.nodes)},
            severity=Severity.WARNING,
        )
