"""The control groups of this process: the folders in which the kernel keeps its limits, its own first, then upwards."""

from __future__ import annotations

from pathlib import PurePosixPath

from envcheck.host import Host

_V1_ROOT, _V2_ROOTS = "/sys/fs/cgroup", ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
MAX_LEVELS = 64
"""How far up is looked: real hierarchies have fewer than ten levels."""


def folders(host: Host, controller: str) -> list[str]:
    """The folders of ``controller`` (``memory``, ``cpu``) that bind this process, of version 1 and 2 alike.

    A container often sees only a part of the hierarchy, mounted as if it were the whole, while its path is told from
    the machine's root. So each mount's own root, from ``/proc/self/mountinfo``, is taken off that path; see
    https://man7.org/linux/man-pages/man7/cgroups.7.html and
    https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
    """
    found: list[str] = []
    paths = _paths(host)
    for name in (controller, ""):
        if name not in paths:
            continue
        for mount, root in _mounts(host, name):
            found.extend(folder for folder in _upwards(mount, root, paths[name]) if folder not in found)
    return found


def _paths(host: Host) -> dict[str, str]:
    """This process's path in each hierarchy by controller; version 2 has the empty name."""
    paths = {}
    for line in (host.read("/proc/self/cgroup") or "").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number.isdecimal() and path.startswith("/"):
            for name in controllers.split(","):
                paths[name] = path.removesuffix(" (deleted)")
    return paths


def _mounts(host: Host, controller: str) -> list[tuple[str, str]]:
    """Where the hierarchy of ``controller`` is mounted, and which folder of it is the mount's root."""
    found = []
    for line in (host.read("/proc/self/mountinfo") or "").splitlines():
        left, _, right = line.partition(" - ")
        mount, system = left.split(" "), right.split(" ")
        if len(mount) < 5 or len(system) < 3:
            continue
        if system[0] == ("cgroup" if controller else "cgroup2") and (
            not controller or controller in system[2].split(",")
        ):
            found.append((mount[4], mount[3]))
    if found:
        return found
    return [(f"{_V1_ROOT}/{controller}", "/")] if controller else [(root, "/") for root in _V2_ROOTS]


def _upwards(mount: str, root: str, path: str) -> list[str]:
    own, top = PurePosixPath("/" + path.lstrip("/")), PurePosixPath(root)
    inside = own.relative_to(top) if own.is_relative_to(top) else own.relative_to("/")
    # "/../.." is how a control group namespace names a group outside of it: nothing of that can be seen from here.
    parts = () if ".." in inside.parts else inside.parts[:MAX_LEVELS]
    return [str(PurePosixPath(mount, *parts[:depth])) for depth in range(len(parts), -1, -1)]
