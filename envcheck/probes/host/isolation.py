"""What stands between this process and the bare machine: a container, a virtual machine, Windows' Linux."""

from __future__ import annotations

import re

from envcheck.host import Host
from envcheck.probes.host.cpu import flags

_NAMES = {
    "docker": "docker",
    "podman": "podman",
    "lxc": "lxc",
    "lxc-libvirt": "lxc",
    "systemd-nspawn": "systemd-nspawn",
    "apptainer": "apptainer",
    "singularity": "singularity",
    "kubernetes": "kubernetes",
    "oci": "container",
}
"""What engines write into ``container=``: https://systemd.io/CONTAINER_INTERFACE/"""

_CGROUP = re.compile(
    r"(?P<kubernetes>/kubepods)|(?P<docker>/docker[/-])|(?P<podman>/libpod[_-])|(?P<lxc>/lxc[./])"
    r"|(?P<container>/containerd/|cri-containerd|/crio-)"
)
_ROOT_LAYER = re.compile(
    r"(?P<docker>/docker/(?:overlay2|aufs|btrfs|zfs)/)|(?P<podman>/containers/storage/overlay)"
    r"|(?P<container>io\.containerd\.)"
)
_VENDORS = (
    (r"VMware", "VMware"),
    (r"VirtualBox|innotek GmbH", "VirtualBox"),
    (r"Parallels", "Parallels"),
    (r"Microsoft Corporation.*Virtual Machine", "Hyper-V"),
    (r"Amazon EC2", "Amazon EC2"),
    (r"Google Compute Engine", "Google Compute Engine"),
    (r"OpenStack", "OpenStack"),
    (r"Xen", "Xen"),
    (r"KVM", "KVM"),
    (r"QEMU", "QEMU"),
    (r"Bochs", "Bochs"),
    (r"Apple Virtualization", "Apple Virtualization"),
)
_CLOCKS = {"kvm-clock": "KVM", "hyperv_clocksource_tsc_page": "Hyper-V", "hyperv_clocksource": "Hyper-V", "xen": "Xen"}


def container(host: Host) -> str | None:
    """The kind of container, by the first mark that leaves no doubt; None where no mark is.

    Apptainer is asked for first, since it runs on machines and inside of pods alike; then Kubernetes, since its pods
    carry the marks of the engine below it.
    """
    groups = _CGROUP.search(host.read("/proc/self/cgroup") or "")
    by_group = groups.lastgroup if groups else None
    if kind := _apptainer(host):
        return kind
    if _in_pod(host) or by_group == "kubernetes":
        return "kubernetes"
    return _by_file(host) or _named(host) or by_group or _by_root_mount(host)


def _apptainer(host: Host) -> str | None:
    for kind in ("APPTAINER", "SINGULARITY"):  # Apptainer sets the old names too
        if host.environ.get(f"{kind}_NAME") or host.environ.get(f"{kind}_CONTAINER"):
            return kind.lower()
    return "singularity" if host.exists("/.singularity.d") else None


def _in_pod(host: Host) -> bool:
    return bool(host.environ.get("KUBERNETES_SERVICE_HOST")) or host.exists("/var/run/secrets/kubernetes.io")


def _by_file(host: Host) -> str | None:
    marks = {
        "/run/.containerenv": "podman",
        "/.dockerenv": "docker",
        "/dev/lxd/sock": "lxc",
        "/dev/incus/sock": "lxc",
    }
    return next((kind for file, kind in marks.items() if host.exists(file)), None)


def _named(host: Host) -> str | None:
    """What the engine told the first process, which systemd writes down for all to read."""
    first = (host.read("/proc/1/environ") or "").split("\0")
    told = [
        (host.read("/run/systemd/container") or "").strip(),
        *(line.removeprefix("container=") for line in first if line.startswith("container=")),
        host.environ.get("container", ""),
    ]
    return next((_NAMES[name] for name in told if name in _NAMES), None)


def _by_root_mount(host: Host) -> str | None:
    lines = (host.read("/proc/self/mountinfo") or "").splitlines()
    root = next((line for line in lines if line.split(" ")[4:5] == ["/"]), "")
    layer = _ROOT_LAYER.search(root)
    return layer.lastgroup if layer else None


def wsl(host: Host) -> int | None:
    """1 or 2 under the Windows Subsystem for Linux, by the kernel's name: version 2 has a kernel of its own."""
    version = re.match(r"Linux version (\S+)", host.read("/proc/version") or "")
    names = f"{host.release} {version[1] if version else ''}"
    if "microsoft-standard" in names or "WSL2" in names:
        return 2
    if re.search(r"-Microsoft\b", names):
        return 1
    # A kernel of the user's own has another name; only version 2 can run one.
    return 2 if host.exists("/proc/sys/fs/binfmt_misc/WSLInterop") else None


def virtual_machine(host: Host) -> str | None:
    """The hypervisor; ``unknown`` when the processor says that there is one and nothing names it; None otherwise."""
    hypervisor = "hypervisor" in (flags(host.read("/proc/cpuinfo") or "") or ())
    files = ("sys_vendor", "product_name", "board_vendor", "bios_vendor")
    firmware = " ".join((host.read(f"/sys/class/dmi/id/{name}") or "").strip() for name in files)
    # Bare-metal machines of a cloud carry its name as well: on x86 only the processor's word counts.
    if hypervisor or host.machine not in ("x86_64", "AMD64", "i686"):
        for pattern, name in _VENDORS:
            if re.search(pattern, firmware) and ".metal" not in firmware:
                return name
    if not hypervisor:
        return None
    if wsl(host):
        return "Hyper-V"
    clocks = host.read("/sys/devices/system/clocksource/clocksource0/available_clocksource") or ""
    return next((_CLOCKS[clock] for clock in clocks.split() if clock in _CLOCKS), "unknown")
