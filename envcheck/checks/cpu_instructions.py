"""ENV106: the instructions of the processor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from packaging.version import Version

from envcheck.findings import Finding, Fix, Skip, check

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.host import HostFacts
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts

_OFFICIAL = ("manylinux", "macosx", "win_amd64")


@check("ENV106", "The processor has the instructions that TensorFlow's wheels use", explains=("SMK",), unless="SMK105")
def cpu_instructions(
    host: HostFacts, python: PythonFacts, packages: PackagesFacts, matrix: Matrix
) -> Iterator[Finding]:
    """The processor lacks AVX, which TensorFlow's x86-64 wheels need.

    Cause: From 1.6 on, TensorFlow's official wheels for x86-64 are compiled with AVX (2.4.0 with AVX2, by mistake).
    On a processor without it, `import tensorflow` ends with "Illegal instruction (core dumped)", exit code 132, or
    with "The TensorFlow library was compiled to use AVX instructions, but these aren't available on your machine".
    Processors without AVX are Intel's Celeron, Pentium and Atom lines up to about 2020, and everything from before
    2011. A virtual machine can hide AVX although the processor has it. An Intel build of Python on Apple silicon runs
    under Rosetta 2, which reports no AVX, and so does an x86-64 container there.

    How to fix: In a virtual machine, pass the host's processor through (QEMU: `-cpu host`; VirtualBox and Proxmox:
    CPU type "host"). On Apple silicon, use an arm64 Python, and `--platform linux/arm64` for containers. On an old
    processor, try conda-forge's build (its compilers do not use AVX unless told to), or build TensorFlow from source.

    Source: TensorFlow's RELEASE.md, 1.6.0 ("Prebuilt binaries will use AVX instructions") and 2.4.1;
    https://www.tensorflow.org/install/pip#hardware-requirements;
    https://developer.apple.com/documentation/apple-silicon/about-the-rosetta-translation-environment
    """
    if host.rosetta:
        yield _translated(host, python)
        return
    if host.machine not in ("x86_64", "AMD64"):
        raise Skip(f"AVX is a question of x86-64 processors; this one is {host.machine}")
    if host.instruction_sets is None:
        raise Skip(f"which instructions the processor has is not known on {host.system}", unknown=True)
    installed = next(iter(packages.providers("tensorflow")), None)
    needed, who = "avx", "every TensorFlow wheel of today"
    if installed:
        if installed.installer == "conda" or not any(mark in tag for tag in installed.wheel_tags for mark in _OFFICIAL):
            raise Skip(
                "this TensorFlow is no wheel from PyPI, and for which processors it was built is not known",
                unknown=True,
            )
        told = matrix.instructions(Version(installed.version))
        if told is None:
            return
        needed = told
        who = f"the wheel of {installed.name} {installed.version}"
    if needed not in host.instruction_sets:
        yield Finding(
            f"this processor ({host.cpu_model or 'of unknown model'}) has no {needed.upper()}, which {who} needs",
            fix=_fix(host, python, needed),
            evidence={
                "cpu": host.cpu_model,
                "instruction_sets": list(host.instruction_sets),
                "virtual_machine": host.virtual_machine,
            },
        )


def _fix(host: HostFacts, python: PythonFacts, needed: str) -> Fix:
    if needed == "avx2" and "avx" in (host.instruction_sets or ()):
        return Fix(
            "Install another patch release of its series: only this one needs AVX2.",
            commands=(python.install("tensorflow==2.4.*"),),
        )
    if host.virtual_machine:
        return Fix(
            f"Let the virtual machine ({host.virtual_machine}) see the processor as it is: with QEMU `-cpu host`, in "
            "Proxmox and libvirt the CPU type `host` or `host-passthrough`; then start it again. If the processor "
            "itself has no AVX, try conda-forge's build.",
            verify="grep -c avx /proc/cpuinfo",
        )
    return Fix(
        "Try conda-forge's build of TensorFlow, whose compilers do not use AVX unless told to, or use another machine.",
        commands=("conda create --name tensorflow --channel conda-forge tensorflow",),
        safe=True,
    )


def _translated(host: HostFacts, python: PythonFacts) -> Finding:
    return Finding(
        "this Python is an Intel (x86_64) build, translated by Rosetta 2 on Apple silicon, which reports no AVX; "
        "TensorFlow's x86_64 wheels need AVX, and from 2.17 on there are none for macOS",
        fix=Fix(
            "Make the environment with an arm64 Python; TensorFlow has arm64 wheels for macOS from 2.13 on.",
            commands=(f"uv venv --python cpython-{python.series}-macos-aarch64 tensorflow-env",),
            verify='python -c "import platform; print(platform.machine())"',
            safe=True,
        ),
        evidence={"executable": python.executable, "os": host.os_name},
    )
