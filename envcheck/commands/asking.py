"""Which machine ``envcheck suggest`` is asked about: the facts of this one, and what the options say instead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envcheck.errors import UsageError
from envcheck.inventory import Unavailable
from envcheck.knowledge.choice import PLATFORMS, Platform
from envcheck.knowledge.matrix import Matrix
from envcheck.suggestion.machine import Machine
from envcheck.versions import numbers

if TYPE_CHECKING:
    from envcheck.engine import Facts
    from envcheck.probes.driver import DriverFacts
    from envcheck.probes.gpu import GpuFacts
    from envcheck.probes.host import HostFacts
    from envcheck.probes.python import PythonFacts


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options say; None: as this machine is."""

    device: str
    gpu: str | None
    driver: str | None
    python: str | None
    platform: str | None

    def machine(self, facts: Facts | None, matrix: Matrix) -> Machine:
        """The machine to choose for.

        Raises:
            UsageError: an option names nothing that is known, or what is not given could not be seen.
        """
        python = self._python()
        if self.driver is not None and not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})*", self.driver):
            raise UsageError(f"--driver {self.driver}: a version such as 535.104 is expected")
        if facts is None:
            assert python is not None
            assert self.platform is not None
            machine = Machine(python, PLATFORMS[self.platform])
        else:
            machine = _here(facts, python, PLATFORMS[self.platform] if self.platform else None)
        capability = self._capability(matrix)
        if self.gpu or self.driver or self.device == "gpu":
            if machine.device != "gpu":
                machine = machine.but(device="gpu")
            if self.gpu:
                machine = machine.but(
                    gpu=None if re.fullmatch(r"[0-9]{1,2}\.[0-9]", self.gpu) else self.gpu, capability=capability
                )
            return machine.but(driver=self.driver or machine.driver)
        return machine.but(device="cpu") if self.device == "cpu" or self.platform else machine

    def _python(self) -> str | None:
        if self.python is None:
            return None
        found = re.fullmatch(r"(3\.[0-9]{1,2})(\.[0-9]+)?", self.python)
        if found is None:
            raise UsageError(f"--target-python {self.python}: a series such as 3.11 is expected")
        return found[1]

    def _capability(self, matrix: Matrix) -> str | None:
        if self.gpu is None or re.fullmatch(r"[0-9]{1,2}\.[0-9]", self.gpu):
            return self.gpu
        product = matrix.product(self.gpu)
        if product is None:
            raise UsageError(
                f"--gpu {self.gpu}: this GPU is not in the matrix; give its compute capability, such as 8.6"
            )
        return product.capability


def _here(facts: Facts, python: str | None, platform: Platform | None) -> Machine:
    """This machine, with another Python or platform where one is asked for."""
    target: PythonFacts | Unavailable = facts.get("python")  # type: ignore[assignment]
    if isinstance(target, Unavailable):
        raise UsageError(
            f"the interpreter cannot be looked at: {target.reason}; ask with --target-python and --platform"
        )
    host: HostFacts | Unavailable = facts.get("host")  # type: ignore[assignment]
    own = platform is None
    if isinstance(host, Unavailable):
        if own:
            raise UsageError(f"this machine cannot be looked at: {host.reason}; ask with --platform")
        return Machine(python or target.series, platform or PLATFORMS["linux-x86_64"])
    here = Platform(
        host.system,
        target.marker_environment.get("platform_machine") or host.machine,
        target.libc or host.libc or None,
        target.libc_version or host.libc_version or None,
    )
    machine = Machine(
        python or target.series,
        platform or here,
        free_threaded=target.free_threaded and python is None,
        bits=64 if python else target.bits,
        wsl=bool(host.wsl) and own,
    )
    return _with_gpu(machine, facts) if own else machine


def _with_gpu(machine: Machine, facts: Facts) -> Machine:
    """With the GPUs of this machine: the oldest of them counts, for a set must run on all."""
    gpu: GpuFacts | Unavailable = facts.get("gpu")  # type: ignore[assignment]
    driver: DriverFacts | Unavailable = facts.get("driver")  # type: ignore[assignment]
    version = None if isinstance(driver, Unavailable) else driver.version
    if isinstance(gpu, Unavailable) or not gpu.usable:
        return machine.but(driver=version)
    told = [device for device in gpu.usable if device.compute_capability]
    oldest = min(told, key=lambda device: numbers(device.compute_capability or ""), default=gpu.usable[0])
    return machine.but(device="gpu", gpu=oldest.name, capability=oldest.compute_capability, driver=version)
