"""Literal facts of an ordinary machine, for tests to change: a venv with Python 3.12 on Debian, x86-64."""

from __future__ import annotations

import dataclasses
from typing import Any

from envcheck.knowledge.matrix import Matrix
from envcheck.knowledge.rows import Source, folder
from envcheck.knowledge.series import Series
from envcheck.knowledge.tables import Tables
from envcheck.probes.environment import EnvironmentFacts
from envcheck.probes.host import HostFacts
from envcheck.probes.packages import Distribution, PackagesFacts
from envcheck.probes.python import PythonFacts

SITE = "/srv/venv/lib/python3.12/site-packages"
USER_SITE = "/home/ada/.local/lib/python3.12/site-packages"

_PYTHON = PythonFacts(
    executable="/srv/venv/bin/python",
    version="3.12.4",
    version_info=(3, 12, 4),
    implementation="CPython",
    bits=64,
    soabi="cpython-312-x86_64-linux-gnu",
    free_threaded=False,
    debug=False,
    prefix="/srv/venv",
    base_prefix="/usr",
    stdlib="/usr/lib/python3.12",
    manager="venv",
    installer="pip",
    externally_managed=False,
    sys_path=("/usr/lib/python312.zip", "/usr/lib/python3.12", "/usr/lib/python3.12/lib-dynload", SITE),
    user_site=USER_SITE,
    user_site_enabled=False,
    home="/home/ada",
    libc="glibc",
    libc_version="2.36",
    marker_environment={"sys_platform": "linux", "platform_machine": "x86_64", "platform_version": "#1 SMP"},
    standard_modules=("json", "os", "random"),
    builtin_modules=("sys",),
    loaded_at_start=("os", "sys"),
)
_HOST = HostFacts(
    system="Linux",
    release="6.1.0",
    os_name="Debian GNU/Linux 12 (bookworm)",
    machine="x86_64",
    libc="glibc",
    libc_version="2.36",
    cpu_model="Intel(R) Xeon(R)",
    cpu_count=8,
    instruction_sets=("sse4_1", "sse4_2", "avx", "avx2", "fma"),
    memory_total=64 << 30,
    memory_available=60 << 30,
    oom_kills=0,
    shm_total=32 << 30,
    shm_free=32 << 30,
)


def python(**changes: Any) -> PythonFacts:
    """The target interpreter."""
    return dataclasses.replace(_PYTHON, **changes)


def host(**changes: Any) -> HostFacts:
    """The machine."""
    return dataclasses.replace(_HOST, **changes)


def distribution(name: str, version: str, location: str = SITE, **more: Any) -> Distribution:
    """An installed distribution that pip installed and whose import package has its name."""
    given = {"installer": "pip", "modules": (name.replace("-", "_"),), "listed": True, **more}
    return Distribution(name, version, location, f"{name}-{version}.dist-info", **given)


def tensorflow(version: str = "2.21.0", tag: str = "manylinux_2_27_x86_64", **more: Any) -> Distribution:
    """An installed TensorFlow wheel."""
    given = {"wheel_tags": (f"cp312-cp312-{tag}",), **more}
    return distribution("tensorflow", version, **given)


def packages(*distributions: Distribution, shadowed: tuple[Distribution, ...] = ()) -> PackagesFacts:
    """What is installed."""
    return PackagesFacts(distributions=distributions, shadowed=shadowed)


def environment(**variables: str) -> EnvironmentFacts:
    """The variables that are set."""
    return EnvironmentFacts(variables)


def series(name: str, pythons: tuple[str, ...], glibc: str) -> Series:
    """One row of the matrix, of which only these columns matter."""
    source = Source("tensorflow.yaml", 1, "released", "2026-11-20", ("literal",))
    return Series(name, pythons, None, None, "12.5", "9.3", None, None, glibc, source)


class Given(Tables):
    """Tables with just these rows."""

    def __init__(self, given: dict[str, tuple[Any, ...]]) -> None:
        super().__init__(folder())
        self._given = given

    def rows(self, name: str, kind: type[Any]) -> tuple[Any, ...]:
        return self._given.get(name, ())


def matrix() -> Matrix:
    """Three series of TensorFlow, newest first."""
    rows = (
        series("2.21", ("3.10", "3.11", "3.12", "3.13"), "2.27"),
        series("2.20", ("3.9", "3.10", "3.11", "3.12", "3.13"), "2.17"),
        series("2.8", ("3.7", "3.8", "3.9", "3.10"), "2.12"),
    )
    return Matrix(Given({"tensorflow": rows}))
