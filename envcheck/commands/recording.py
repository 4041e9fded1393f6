"""What of a doctor's or smoke run's facts goes into the state file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from envcheck import __version__
from envcheck.commands.state import FAILED, NOT_RUN, OK, Package, State
from envcheck.findings import Outcome, Severity, Status
from envcheck.inventory import Unavailable
from envcheck.probes.driver import DriverFacts
from envcheck.probes.gpu import GpuFacts
from envcheck.probes.packages import PackagesFacts
from envcheck.probes.python import PythonFacts
from envcheck.probes.smoke import SmokeFacts
from envcheck.probes.tensorflow import TensorFlowFacts

if TYPE_CHECKING:
    from envcheck.engine import Facts

WELL = ("ok", "skipped")
"""How a step may end in a smoke run that went well."""


def recorded(facts: Facts, outcomes: Iterable[Outcome], exit_code: int, when: str) -> State:
    """The state to be left behind. A smoke run that was not asked for is not made for it; the driver is asked, and
    packages are looked at."""
    smoke = facts.collected().get("smoke", Unavailable("it was not asked for"))
    if not isinstance(smoke, SmokeFacts):
        reason = smoke.reason if isinstance(smoke, Unavailable) else ""
        return State(when, exit_code, NOT_RUN, reason, gpus=_gpus(facts), tool_version=__version__)
    reason = _trouble(smoke, outcomes)
    return State(
        when,
        exit_code,
        FAILED if reason else OK,
        reason,
        wanted=smoke.wanted,
        device=_trained_on(smoke),
        gpus=_gpus(facts),
        packages=tuple(_packages(facts, smoke.versions)),
        python=_python(facts),
        tool_version=__version__,
    )


def _trouble(smoke: SmokeFacts, outcomes: Iterable[Outcome]) -> str:
    """Why the smoke run did not go well; empty when it did."""
    for outcome in outcomes:
        if outcome.code.startswith("SMK") and outcome.status is Status.FAILED and outcome.worst is Severity.ERROR:
            return f"{outcome.code}: {outcome.findings[0].message}"
    step = next((step for step in smoke.steps if step.status not in WELL), None)
    return "" if step is None else f"the step {step.name}: {step.status}{step.message and f', {step.message}'}"


def _trained_on(smoke: SmokeFacts) -> str:
    """Where the model was fitted; where it was not, the first device on which anything ran."""
    devices = {step.name: step.device for step in smoke.steps if step.device}
    return devices.get("fit") or next(iter(devices.values()), "")


def _python(facts: Facts) -> str:
    """The interpreter that was looked at; empty where it is envcheck's own, which needs no option to be found."""
    python = facts.get("python")
    return python.executable if isinstance(python, PythonFacts) and python.executable != sys.executable else ""


def _gpus(facts: Facts) -> tuple[str, ...] | None:
    """The UUIDs of the GPUs that answer; None where that is not known."""
    gpu = facts.get("gpu")
    if isinstance(gpu, GpuFacts):
        return tuple(device.uuid for device in gpu.usable if device.uuid)
    return () if isinstance(gpu, Unavailable) and gpu.absent and isinstance(facts.get("driver"), DriverFacts) else None


def _packages(facts: Facts, imported: Mapping[str, str]) -> Iterator[Package]:
    """The distributions of what was imported: TensorFlow or the backend, and Keras."""
    packages, tensorflow = facts.get("packages"), facts.get("tensorflow")
    if not isinstance(packages, PackagesFacts):
        return
    for module in imported:
        copies = packages.providers(module)
        if module == "tensorflow" and isinstance(tensorflow, TensorFlowFacts):
            used = (tensorflow.distribution, tensorflow.version, tensorflow.location)
            copies = tuple(d for d in (*copies, *packages.shadowed) if (d.key, d.version, d.location) == used)
        for found in copies[:1]:
            yield Package(found.key, found.version, f"{found.location}/{found.metadata}")
