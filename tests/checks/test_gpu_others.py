"""GPUs of other makers: seen by the probe, and said not to be covered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gpu_literals as given
import literals
import pytest
from machines.workshop import laid, pci

from envcheck.checks.gpu_others import other_makers
from envcheck.findings import Finding, Severity, Skip
from envcheck.host import Host
from envcheck.inventory import Unavailable
from envcheck.probes.driver import DriverFacts, NvmlState
from envcheck.probes.others import OtherGpu, OthersFacts, collect

AMD = OthersFacts((OtherGpu("AMD", "PCI 0000:03:00.0"),), rocm=True)
APPLE = OthersFacts((OtherGpu("Apple", "part of the processor"),))
UNSEEN = Unavailable("not looked at")


def look(root: Path, files: dict[str, str], system: str = "Linux", machine: str = "x86_64") -> OthersFacts:
    return collect(Host(root=laid(root, files), environ={}, system=system, machine=machine))


def test_nothing_is_there(tmp_path: Path) -> None:
    assert look(tmp_path, {}) == OthersFacts()
    assert look(tmp_path, pci()) == OthersFacts()
    assert look(tmp_path, {}, "Windows") == OthersFacts()
    assert look(tmp_path, {}, "Darwin", "x86_64") == OthersFacts()


def test_amd_on_the_bus_and_in_a_container(tmp_path: Path) -> None:
    seen = look(tmp_path / "a", {**pci("amdgpu", "0x1002", "0000:03:00.0"), "/dev/kfd": ""})
    assert seen == AMD
    assert seen.words == "an AMD GPU (PCI 0000:03:00.0) is there"
    assert look(tmp_path / "b", {"/dev/kfd": ""}) == OthersFacts((OtherGpu("AMD", "/dev/kfd"),), rocm=True)


def test_intel_and_what_is_built_into_the_processor(tmp_path: Path) -> None:
    built_in = pci("i915", "0x8086", "0000:00:02.0")
    assert look(tmp_path / "a", built_in) == OthersFacts()
    both = look(tmp_path / "b", {**built_in, **pci("xe", "0x8086", "0000:4d:00.0")})
    assert both.gpus == (OtherGpu("Intel", "PCI 0000:4d:00.0"),)


def test_every_arm_mac_has_one(tmp_path: Path) -> None:
    assert look(tmp_path, {}, "Darwin", "arm64") == APPLE


def judge(others: OthersFacts, driver: DriverFacts | None = None, **more: Any) -> list[Finding]:
    facts: dict[str, Any] = {
        "packages": literals.packages(),
        "tensorflow": given.tensorflow(is_cuda=False),
        "smoke": UNSEEN,
        **more,
    }
    return list(
        other_makers.judge(others, driver or given.nothing(), facts["packages"], facts["tensorflow"], facts["smoke"])
    )


@pytest.mark.parametrize(("others", "package"), [(AMD, "tensorflow-rocm"), (APPLE, "tensorflow-metal")])
def test_a_gpu_without_its_package(others: OthersFacts, package: str) -> None:
    driver = DriverFacts(NvmlState("not covered", detail="on Darwin")) if others is APPLE else given.nothing()
    (finding,) = judge(others, driver)
    assert other_makers.severity is Severity.NOTE
    assert "training runs on the CPU" in finding.message
    assert finding.fix is not None
    assert package in finding.fix.summary


def test_a_gpu_that_is_used_passes() -> None:
    assert judge(AMD, smoke=given.smoke("GPU:0")) == []


@pytest.mark.parametrize(
    ("others", "more", "reason"),
    [
        (OthersFacts(), {}, "no GPU of another maker"),
        (AMD, {"driver": given.driver()}, "NVIDIA GPU beside"),
        (AMD, {"tensorflow": given.tensorflow(is_cuda=False, is_rocm=True)}, "not covered"),
        (
            APPLE,
            {"packages": literals.packages(literals.distribution("tensorflow-metal", "1.2.0"))},
            "a package for it is installed: not covered",
        ),
    ],
)
def test_where_there_is_nothing_to_say(others: OthersFacts, more: dict[str, Any], reason: str) -> None:
    with pytest.raises(Skip, match=reason):
        judge(others, **more)
