"""ENV103: the kind of Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Severity, check

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts


@check("ENV103", "This kind of Python has TensorFlow wheels", explains=("ENV102", "ENV301", "SMK"), unless="SMK105")
def interpreter(python: PythonFacts, packages: PackagesFacts, matrix: Matrix) -> Iterator[Finding]:
    """TensorFlow has no wheel for this kind of Python.

    Cause: TensorFlow's wheels are built for the ordinary CPython of a 64-bit system. A 32-bit Python, PyPy or another
    implementation, and a free-threaded CPython ("3.13t") each have another ABI, for which no release has wheels;
    neither has a debug build older than Python 3.8. pip then says "No matching distribution found for tensorflow
    (from versions: none)". If TensorFlow is there all the same, somebody built it for this Python, or its files
    belong to another one.

    How to fix: Make an environment with an ordinary 64-bit CPython of a version that TensorFlow has wheels for. On a
    32-bit system (Raspberry Pi OS 32-bit, for one) the system itself must be a 64-bit one.

    Source: The file names of all TensorFlow releases on PyPI (checked 2026-11-20): 64-bit platforms and the ABI tags
    cp33m to cp313 only. ABI tags: https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/
    """
    kind = _odd_kind(python)
    if not kind:
        return
    installed = packages.providers("tensorflow")
    newest = matrix.rows[0].python[-1]
    message = f"this Python is {kind}; TensorFlow has wheels for the ordinary 64-bit CPython only"
    if installed:
        message += f", so the {installed[0].name} {installed[0].version} here is not one of them"
    yield Finding(
        message,
        fix=Fix(
            f"Make an environment with an ordinary 64-bit CPython, {matrix.rows[0].python[0]} to {newest}.",
            commands=(
                (f"conda create --name tensorflow python={newest}",)
                if python.manager == "conda"
                else (f"uv venv --python cpython-{newest} tensorflow-env",)
            ),
            verify="python -c \"import struct, sys; print(sys.implementation.name, struct.calcsize('P') * 8)\"",
            safe=True,
        ),
        evidence={
            "executable": python.executable,
            "implementation": python.implementation,
            "bits": python.bits,
            "soabi": python.soabi,
        },
        # A build of one's own can be all right: then the import says so.
        severity=Severity.WARNING if installed else None,
    )


def _odd_kind(python: PythonFacts) -> str:
    if python.implementation != "CPython":
        return python.implementation
    if python.bits != 64:
        return f"a {python.bits}-bit build"
    if python.free_threaded:
        return f'a free-threaded build ("{python.series}t")'
    if python.debug and python.version_info < (3, 8):  # from 3.8 on, debug builds load ordinary extension modules
        return "a debug build, which before Python 3.8 has an ABI of its own"
    return ""
