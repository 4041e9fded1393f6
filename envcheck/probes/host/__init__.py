"""The machine: operating system, C library, processor, memory, shared memory, container and virtual machine."""

from __future__ import annotations

import re
from dataclasses import dataclass

from envcheck.host import Host
from envcheck.probes.host.cpu import Processor, processor
from envcheck.probes.host.isolation import container, virtual_machine, wsl
from envcheck.probes.host.memory import Memory, Space, memory, shared_memory
from envcheck.probes.python import PythonFacts

__all__ = ["HostFacts", "collect"]

_LIBC_FILES = (
    "/lib64/libc.so.6",
    "/lib/x86_64-linux-gnu/libc.so.6",
    "/lib/aarch64-linux-gnu/libc.so.6",
    "/usr/lib/libc.so.6",
    "/lib/libc.so.6",
)


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What the machine says of itself; None is what could not be seen, which on macOS and Windows is most of it.

    ``system`` is ``Linux``, ``Darwin`` or ``Windows``, ``release`` the kernel's, ``machine`` the architecture
    (``x86_64``, ``aarch64``). ``libc`` is ``glibc``, ``musl`` or empty, of the machine and not of the interpreter.
    ``cpu_count`` are the processors this process may run on, ``cpu_quota`` how many of them its control group pays for.
    ``instruction_sets`` are those that matter here, as the kernel spells them. Memory is in bytes: ``memory_limit`` is
    the lowest limit along this process's control groups (None without one), ``oom_kills`` how often that limit killed
    a process. ``shm_total`` and ``shm_free`` are of ``/dev/shm``.

    ``container`` is ``docker``, ``podman``, ``kubernetes``, ``lxc``, ``apptainer``, ``singularity``, ``systemd-nspawn``
    or ``container`` (one of unknown make); ``wsl`` is 1 or 2; ``virtual_machine`` is the hypervisor's name, or
    ``unknown``. ``rosetta`` tells whether the target interpreter is an Intel build translated on Apple silicon.
    """

    system: str
    release: str
    os_name: str
    machine: str
    libc: str = ""
    libc_version: str = ""
    cpu_model: str | None = None
    cpu_count: int | None = None
    cpu_quota: float | None = None
    instruction_sets: tuple[str, ...] | None = None
    memory_total: int | None = None
    memory_available: int | None = None
    memory_limit: int | None = None
    oom_kills: int | None = None
    shm_total: int | None = None
    shm_free: int | None = None
    container: str | None = None
    wsl: int | None = None
    virtual_machine: str | None = None
    rosetta: bool | None = None


def collect(host: Host, python: PythonFacts) -> HostFacts:
    """Read the files in which the kernel and the distribution describe the machine.

    The interpreter is asked for what no file tells: Windows' version, and on macOS whether it is being translated.
    """
    linux = host.system == "Linux"
    libc, libc_version = _libc(host) if linux else ("", "")
    chip = processor(host) if linux else Processor()
    ram = memory(host) if linux else Memory()
    shm = shared_memory(host) if linux else Space()
    return HostFacts(
        system=host.system,
        release=host.release,
        os_name=_os_name(host, python),
        machine=host.machine,
        libc=libc,
        libc_version=libc_version,
        cpu_model=chip.model,
        cpu_count=chip.count,
        cpu_quota=chip.quota,
        instruction_sets=chip.instruction_sets,
        memory_total=ram.total,
        memory_available=ram.available,
        memory_limit=ram.limit,
        oom_kills=ram.oom_kills,
        shm_total=shm.total,
        shm_free=shm.free,
        container=container(host) if linux else None,
        wsl=wsl(host) if linux else None,
        virtual_machine=virtual_machine(host) if linux else None,
        rosetta=_rosetta(python) if host.system == "Darwin" else None,
    )


def _os_name(host: Host, python: PythonFacts) -> str:
    """The name and version a person knows the system by; empty when no file tells it."""
    if host.system == "Darwin":
        text = host.read("/System/Library/CoreServices/SystemVersion.plist") or ""
        found = re.search(r"<key>ProductVersion</key>\s*<string>([0-9.]{1,20})</string>", text)
        return f"macOS {found[1]}" if found else ""
    if host.system == "Windows":
        release, version = (python.marker_environment.get(f"platform_{part}", "") for part in ("release", "version"))
        return f"Windows {release} ({version})" if version else ""
    # https://www.freedesktop.org/software/systemd/man/latest/os-release.html
    text = host.read("/etc/os-release") or host.read("/usr/lib/os-release") or ""
    found = re.search(r"""(?m)^PRETTY_NAME=(["']?)([^"'\n]{1,200})\1\s*$""", text)
    return found[2].strip() if found else ""


def _libc(host: Host) -> tuple[str, str]:
    """The C library programs of this machine are linked with, by what its own file says.

    The names of loaders do not decide: Debian can carry musl's beside its own, and Alpine's gcompat brings a
    ``ld-linux-x86-64.so.2``.
    """
    for file in _LIBC_FILES:
        try:
            content = host.path(file).read_bytes()
        except (OSError, ValueError):
            continue
        if found := re.search(rb"GNU C Library[^\n]{0,200}release version (\d+\.\d+)", content):
            return "glibc", found[1].decode("ascii")
    if any(name.startswith("ld-musl-") for name in host.names("/lib")):
        installed = re.search(r"(?m)^P:musl\nV:(\d+(?:\.\d+)*)", host.read("/lib/apk/db/installed") or "")
        return "musl", installed[1] if installed else ""
    return "", ""


def _rosetta(python: PythonFacts) -> bool | None:
    """A translated process is told that its machine is x86_64, by a kernel whose build names ARM64."""
    kernel = python.marker_environment.get("platform_version", "")
    if not kernel:
        return None
    return python.marker_environment.get("platform_machine") == "x86_64" and "ARM64" in kernel
