"""The machine, read below fake roots: cgroups, libc, containers, WSL, hypervisors; nothing hostile makes it raise."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import literals
import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from envcheck.host import Host
from envcheck.probes import python as python_probe
from envcheck.probes.host import HostFacts, collect

GIB = 1 << 30


def look(root: Path, files: dict[str, str | bytes], **changes: Any) -> HostFacts:
    """The facts of a machine that has only these files."""
    for name, content in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    given_host = {"environ": {}, "system": "Linux", "machine": "x86_64", "release": "6.1.0", **changes}
    marker = given_host.pop("marker_environment", {"sys_platform": "linux"})
    return collect(Host(root=root, **given_host), literals.python(marker_environment=marker))


def test_an_empty_machine_says_nothing(tmp_path: Path) -> None:
    assert look(tmp_path, {}) == HostFacts(system="Linux", release="6.1.0", os_name="", machine="x86_64")


@pytest.mark.skipif(sys.platform != "linux", reason="looks at the real machine through Linux's files")
def test_this_machine() -> None:
    host = Host()
    facts = collect(host, python_probe.collect(host))
    assert facts.memory_total
    assert facts.memory_total == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert facts.cpu_count == len(os.sched_getaffinity(0))
    if facts.libc == "glibc":
        assert f"glibc {facts.libc_version}" == os.confstr("CS_GNU_LIBC_VERSION")
    assert facts.shm_total is None or facts.shm_total >= (facts.shm_free or 0)
    assert msgspec.convert(msgspec.to_builtins(facts), HostFacts) == facts


# --- operating system and C library


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\n', "Ubuntu 24.04.1 LTS"),
        ("PRETTY_NAME='Alpine Linux v3.20'\r\n", "Alpine Linux v3.20"),
        ("PRETTY_NAME=Minimal\n", "Minimal"),
        ('PRETTY_NAME="', ""),
        ("NAME=x\n", ""),
    ],
)
def test_os_name(tmp_path: Path, text: str, name: str) -> None:
    assert look(tmp_path, {"etc/os-release": text}).os_name == name


def test_os_name_from_the_vendor_s_file(tmp_path: Path) -> None:
    assert look(tmp_path, {"usr/lib/os-release": 'PRETTY_NAME="Fedora Linux 41"\n'}).os_name == "Fedora Linux 41"


GLIBC = b"\x7fELF\0\0GNU C Library (Ubuntu GLIBC 2.39-0ubuntu8.3) stable release version 2.39.\nCopyright\0"


def test_glibc(tmp_path: Path) -> None:
    facts = look(tmp_path, {"lib/x86_64-linux-gnu/libc.so.6": GLIBC, "lib/ld-musl-x86_64.so.1": b"\x7fELF"})
    assert (facts.libc, facts.libc_version) == ("glibc", "2.39")


def test_musl_even_with_gcompat(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "lib/ld-musl-x86_64.so.1": b"\x7fELF",
        "lib64/ld-linux-x86-64.so.2": b"\x7fELF",
        "lib64/libc.so.6": b"\x7fELF gcompat",
        "lib/apk/db/installed": "C:Q1\nP:musl\nV:1.2.5-r0\nA:x86_64\n\nP:musl-utils\nV:9.9\n",
    }
    facts = look(tmp_path, files)
    assert (facts.libc, facts.libc_version) == ("musl", "1.2.5")


# --- processor

CPUINFO = "processor\t: 0\nmodel name\t: AMD EPYC 7742\nflags\t\t: fpu sse4_1 sse4_2 avx {}\n\n"


def test_only_what_all_processors_have(tmp_path: Path) -> None:
    text = CPUINFO.format("avx2 fma") + CPUINFO.format("avx2")
    facts = look(tmp_path, {"proc/cpuinfo": text})
    assert facts.cpu_model == "AMD EPYC 7742"
    assert facts.instruction_sets == ("sse4_1", "sse4_2", "avx", "avx2")
    assert facts.cpu_count == 2


def test_aarch64(tmp_path: Path) -> None:
    facts = look(tmp_path, {"proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimd sve bf16\n"}, machine="aarch64")
    assert facts.instruction_sets == ("asimd", "sve", "bf16")
    assert facts.cpu_model is None


@pytest.mark.parametrize(("allowed", "count"), [("0-7", 8), ("1,3,5-6", 4), ("0", 1), ("9-3", None), ("x", 2)])
def test_affinity_goes_before_what_is_there(tmp_path: Path, allowed: str, count: int | None) -> None:
    files: dict[str, str | bytes] = {
        "proc/cpuinfo": CPUINFO.format("") * 2,
        "proc/self/status": f"Cpus_allowed:\tff\nCpus_allowed_list:\t{allowed}\n",
    }
    assert look(tmp_path, files).cpu_count == count


# --- memory and control groups


def test_meminfo_is_in_bytes(tmp_path: Path) -> None:
    facts = look(tmp_path, {"proc/meminfo": "MemTotal:       16384 kB\nMemAvailable:    4096 kB\n"})
    assert (facts.memory_total, facts.memory_available) == (16 << 20, 4 << 20)


V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup2 rw\n"


def test_cgroup_v2_takes_the_lowest_on_the_way_up(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "proc/self/cgroup": "0::/user.slice/job.scope\n",
        "proc/self/mountinfo": V2_MOUNT,
        "sys/fs/cgroup/user.slice/job.scope/memory.max": "max\n",
        "sys/fs/cgroup/user.slice/job.scope/memory.events": "low 0\noom 0\noom_kill 0\noom_group_kill 9\n",
        "sys/fs/cgroup/user.slice/job.scope/cpu.max": "400000 100000\n",
        "sys/fs/cgroup/user.slice/memory.max": f"{3 * GIB}\n",
        "sys/fs/cgroup/user.slice/memory.events": "oom 7\noom_kill 2\n",
        "sys/fs/cgroup/user.slice/cpu.max": "150000 100000\n",
        "sys/fs/cgroup/other/memory.max": "1\n",
    }
    facts = look(tmp_path, files)
    assert facts.memory_limit == 3 * GIB
    assert facts.oom_kills == 2
    assert facts.cpu_quota == 1.5


def test_cgroup_v2_in_a_container_with_its_own_namespace(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "proc/self/cgroup": "0::/\n",
        "proc/self/mountinfo": V2_MOUNT,
        "sys/fs/cgroup/memory.max": f"{GIB}\n",
        "sys/fs/cgroup/memory.events": "oom_kill 1\n",
        "sys/fs/cgroup/cpu.max": "max 100000\n",
    }
    facts = look(tmp_path, files)
    assert (facts.memory_limit, facts.oom_kills, facts.cpu_quota) == (GIB, 1, None)


def test_cgroup_v1_in_a_container_that_sees_the_machine_s_paths(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "proc/self/cgroup": "9:memory:/docker/abc/inner\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n",
        "proc/self/mountinfo": (
            "40 31 0:35 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
            "41 31 0:36 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
        ),
        "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2 * GIB}\n",
        "sys/fs/cgroup/memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n",
        "sys/fs/cgroup/memory/inner/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    }
    facts = look(tmp_path, files)
    assert (facts.memory_limit, facts.oom_kills, facts.cpu_quota) == (2 * GIB, 5, 0.5)
    assert facts.container == "docker"


def test_cgroup_v1_without_mountinfo_and_without_limit(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "proc/self/cgroup": "9:memory:/\n4:cpu:/\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    }
    facts = look(tmp_path, files)
    assert (facts.memory_limit, facts.oom_kills, facts.cpu_quota) == (None, None, None)


def test_a_group_outside_of_the_namespace_is_not_followed(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "proc/self/cgroup": "0::/../../secret\n",
        "proc/self/mountinfo": V2_MOUNT,
        "sys/secret/memory.max": "1\n",
        "sys/fs/cgroup/memory.max": "2\n",
    }
    assert look(tmp_path, files).memory_limit == 2


def test_shared_memory_is_asked_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "dev/shm").mkdir(parents=True)
    facts = look(tmp_path, {})
    expected = os.statvfs(tmp_path)
    assert facts.shm_total == expected.f_blocks * expected.f_frsize
    assert facts.shm_free is not None


# --- what stands in between

CONTAINERS: list[tuple[dict[str, str | bytes], dict[str, str], str | None]] = [
    ({}, {}, None),
    ({".dockerenv": ""}, {}, "docker"),
    ({"run/.containerenv": 'engine="podman-5.0"\n'}, {}, "podman"),
    ({".dockerenv": ""}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
    ({"var/run/secrets/kubernetes.io/serviceaccount/token": ""}, {}, "kubernetes"),
    ({"proc/self/cgroup": "0::/kubepods.slice/pod1/cri-containerd-abc.scope\n"}, {}, "kubernetes"),
    ({}, {"APPTAINER_NAME": "tf.sif", "SINGULARITY_NAME": "tf.sif"}, "apptainer"),
    ({}, {"SINGULARITY_NAME": "tf.sif"}, "singularity"),
    ({".singularity.d/runscript": ""}, {}, "singularity"),
    ({"run/systemd/container": "systemd-nspawn\n"}, {}, "systemd-nspawn"),
    ({"proc/1/environ": "HOME=/\0container=lxc\0"}, {}, "lxc"),
    ({"proc/1/environ": "HOME=/\0container=oci\0"}, {}, "container"),
    ({"proc/1/environ": "mycontainer=lxc\0container=anything\0"}, {}, None),
    ({}, {"container": "podman"}, "podman"),
    ({"dev/lxd/sock": ""}, {}, "lxc"),
    ({"proc/self/cgroup": "4:memory:/docker/0123abcd\n"}, {}, "docker"),
    ({"proc/self/cgroup": "0::/machine.slice/libpod-0123.scope\n"}, {}, "podman"),
    ({"proc/self/cgroup": "0::/user.slice/docker.service\n"}, {}, None),
    (
        {"proc/self/mountinfo": "1 0 0:1 / / rw - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A\n"},
        {},
        "docker",
    ),
    ({"proc/self/mountinfo": "1 0 0:1 / / rw - overlay overlay rw,upperdir=/run/live/rw\n"}, {}, None),
]


@pytest.mark.parametrize(("files", "environ", "kind"), CONTAINERS)
def test_container(tmp_path: Path, files: dict[str, str | bytes], environ: dict[str, str], kind: str | None) -> None:
    assert look(tmp_path, files, environ=environ).container == kind


@pytest.mark.parametrize(
    ("release", "files", "version"),
    [
        ("5.15.153.1-microsoft-standard-WSL2", {}, 2),
        ("4.4.0-19041-Microsoft", {}, 1),
        ("6.1.0-custom", {"proc/version": "Linux version 5.10.16.3-microsoft-standard-WSL2 (gcc)"}, 2),
        ("6.1.0-custom", {"proc/sys/fs/binfmt_misc/WSLInterop": "enabled\n"}, 2),
        ("6.5.0-1017-azure", {"proc/version": "Linux version 6.5.0-1017-azure (buildd@microsoft)"}, None),
    ],
)
def test_wsl(tmp_path: Path, release: str, files: dict[str, str | bytes], version: int | None) -> None:
    assert look(tmp_path, files, release=release).wsl == version


VIRTUAL = CPUINFO.format("hypervisor")
CLOCKS = "sys/devices/system/clocksource/clocksource0/available_clocksource"


@pytest.mark.parametrize(
    ("files", "changes", "name"),
    [
        ({"proc/cpuinfo": CPUINFO.format("")}, {}, None),
        ({"proc/cpuinfo": VIRTUAL}, {}, "unknown"),
        ({"proc/cpuinfo": VIRTUAL, CLOCKS: "tsc kvm-clock acpi_pm\n"}, {}, "KVM"),
        ({"proc/cpuinfo": VIRTUAL}, {"release": "5.15.153.1-microsoft-standard-WSL2"}, "Hyper-V"),
        ({"proc/cpuinfo": VIRTUAL, "sys/class/dmi/id/sys_vendor": "VMware, Inc.\n"}, {}, "VMware"),
        ({"proc/cpuinfo": VIRTUAL, "sys/class/dmi/id/sys_vendor": "QEMU\n"}, {}, "QEMU"),
        (
            {
                "proc/cpuinfo": VIRTUAL,
                "sys/class/dmi/id/sys_vendor": "Microsoft Corporation\n",
                "sys/class/dmi/id/product_name": "Virtual Machine\n",
            },
            {},
            "Hyper-V",
        ),
        ({"proc/cpuinfo": CPUINFO.format(""), "sys/class/dmi/id/sys_vendor": "Amazon EC2\n"}, {}, None),
        ({"sys/class/dmi/id/sys_vendor": "Amazon EC2\n"}, {"machine": "aarch64"}, "Amazon EC2"),
        (
            {"sys/class/dmi/id/sys_vendor": "Amazon EC2\n", "sys/class/dmi/id/product_name": "c7g.metal\n"},
            {"machine": "aarch64"},
            None,
        ),
    ],
)
def test_virtual_machine(
    tmp_path: Path, files: dict[str, str | bytes], changes: dict[str, str], name: str | None
) -> None:
    assert look(tmp_path, files, **changes).virtual_machine == name


# --- other systems

ARM_KERNEL = "Darwin Kernel Version 23.5.0: root:xnu-10063/RELEASE_ARM64_T6000"


@pytest.mark.parametrize(
    ("machine", "kernel", "translated"),
    [
        ("x86_64", ARM_KERNEL, True),
        ("arm64", ARM_KERNEL, False),
        ("x86_64", "…/RELEASE_X86_64", False),
        ("x86_64", "", None),
    ],
)
def test_macos(tmp_path: Path, machine: str, kernel: str, translated: bool | None) -> None:
    plist = "<dict><key>ProductVersion</key>\n\t<string>14.5</string></dict>"
    facts = look(
        tmp_path,
        {
            "System/Library/CoreServices/SystemVersion.plist": plist,
            "proc/meminfo": "MemTotal: 1 kB\n",
            ".dockerenv": "",
        },
        system="Darwin",
        release="23.5.0",
        machine=machine,
        marker_environment={"platform_machine": machine, "platform_version": kernel},
    )
    assert facts == HostFacts("Darwin", "23.5.0", "macOS 14.5", machine, rosetta=translated)


def test_windows(tmp_path: Path) -> None:
    marker = {"platform_release": "11", "platform_version": "10.0.22631"}
    facts = look(tmp_path, {}, system="Windows", release="11", machine="AMD64", marker_environment=marker)
    assert facts == HostFacts("Windows", "11", "Windows 11 (10.0.22631)", "AMD64")


# --- hostile content

FILES = (
    "etc/os-release",
    "lib64/libc.so.6",
    "lib/ld-musl-x86_64.so.1",
    "lib/apk/db/installed",
    "proc/cpuinfo",
    "proc/meminfo",
    "proc/self/status",
    "proc/self/cgroup",
    "proc/self/mountinfo",
    "proc/1/environ",
    "proc/version",
    "run/systemd/container",
    "sys/class/dmi/id/sys_vendor",
    "sys/fs/cgroup/memory.max",
    "sys/fs/cgroup/memory.events",
    "sys/fs/cgroup/cpu.max",
    "sys/fs/cgroup/memory/memory.limit_in_bytes",
    "sys/fs/cgroup/memory/memory.oom_control",
    "sys/fs/cgroup/cpu/cpu.cfs_quota_us",
    "sys/fs/cgroup/cpu/cpu.cfs_period_us",
    CLOCKS,
)
# Bytes alone rarely get past the first look at a file: pieces of real lines get further.
PIECES = st.sampled_from(
    [
        b"0::/", b"4:memory:", b"3:cpu,cpuacct:", b"/..", b"//", b"/a b", b"\0", b"\n",
        b" - cgroup cgroup rw,memory\n", b" - cgroup2 x rw\n", b"1 2 0:1 / /sys/fs/cgroup rw", b"1 2 0:1 /../x // rw",
        b"oom_kill ", b"max", b"100000 0\n", b"9" * 30, b"0", b"-1", b"\xd9\xa3", b"MemTotal: ", b" kB\n",
        b"Cpus_allowed_list:\t", b"0-", b",", b"flags\t: avx", b"GNU C Library release version 2.", b"P:musl\nV:",
        b"PRETTY_NAME=", b'"', b"Linux version ", b"container=docker",
    ]
)  # fmt: skip
CONTENT = st.binary(max_size=40) | st.lists(PIECES, max_size=8).map(b"".join)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.sampled_from(FILES), CONTENT, max_size=len(FILES)))
@example({"proc/self/cgroup": b"0::" + b"/x" * 5000 + b"\n"})
@example(
    {"proc/self/cgroup": b"0:://x\n4:memory:/\0\n", "proc/self/mountinfo": b"1 2 0:1 // /sys\0 rw - cgroup2 c rw\n"}
)
def test_no_content_makes_it_raise(tmp_path: Path, files: dict[str, bytes]) -> None:
    for name in FILES:
        (tmp_path / name).unlink(missing_ok=True)
    facts = look(tmp_path, dict(files))
    assert msgspec.convert(msgspec.to_builtins(facts), HostFacts) == facts


def test_folders_links_and_locked_files_in_place_of_files(tmp_path: Path) -> None:
    for number, name in enumerate(FILES):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if number % 2:
            path.mkdir()
        else:
            path.symlink_to(path)
    assert look(tmp_path, {}).memory_limit is None
