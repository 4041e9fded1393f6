"""GPU314 and GPU315: variables that name GPUs, and their order."""

from __future__ import annotations

import gpu_literals as given
import literals
import pytest

from envcheck.checks.gpu_named import device_order, named_gpus
from envcheck.findings import Finding, Severity, Skip
from envcheck.probes.gpu import GpuFacts

TWO = given.gpu(given.device(0), given.device(1))
SLICED = given.gpu(given.device(0, mig=True, mig_instances=(given.instance(16),)))
UNTOLD = given.gpu(given.device(0, mig=True, mig_instances=None))


def named(value: str | None, gpu: GpuFacts = TWO, container: str | None = "docker") -> list[Finding]:
    variables = {} if value is None else {"NVIDIA_VISIBLE_DEVICES": value}
    return list(named_gpus.judge(gpu, literals.environment(**variables), literals.host(container=container)))


@pytest.mark.parametrize("value", ["0", "2,3", "GPU-00000001", "GPU-00000002-0000-4000-8000-000000000000,0", "0,0,1"])
def test_the_gpus_that_were_asked_for(value: str) -> None:
    assert named(value) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("0,1,2", "names 3 GPUs; the driver shows 2 GPU(s) in this container"),
        ("GPU-dead,GPU-00000001", "names GPU-dead; the driver shows 2 GPU(s) in this container, not that one"),
        ("GPU-dead,MIG-beef", "names GPU-dead, MIG-beef; the driver shows 2 GPU(s) in this container, not those"),
    ],
)
def test_gpus_that_are_not_here(value: str, said: str) -> None:
    (finding,) = named(value)
    assert finding.message == f"NVIDIA_VISIBLE_DEVICES {said}"
    assert named_gpus.severity is Severity.WARNING


@pytest.mark.parametrize("value", [None, "", "all", "none", "void", "/var/run/nvidia-container-devices", "0:0"])
def test_a_value_that_names_no_single_gpu(value: str | None) -> None:
    with pytest.raises(Skip, match="names no single GPU"):
        named(value)
    with pytest.raises(Skip, match="no container"):
        named("0", container=None)


def test_mig_instances() -> None:
    assert named("MIG-00000010", SLICED) == []
    with pytest.raises(Skip, match="does not tell the UUIDs") as skip:
        named("MIG-00000010", UNTOLD)
    assert skip.value.unknown


def order(value: str | None, gpu: GpuFacts = TWO) -> list[Finding]:
    return list(
        device_order.judge(gpu, literals.environment(**({} if value is None else {"CUDA_DEVICE_ORDER": value})))
    )


def test_an_order() -> None:
    assert order("PCI_BUS_ID") == order("FASTEST_FIRST") == []
    (finding,) = order("pci")
    assert finding.message.startswith("CUDA_DEVICE_ORDER='pci' is neither FASTEST_FIRST nor PCI_BUS_ID")
    for value, gpu in ((None, TWO), ("pci", given.gpu())):
        with pytest.raises(Skip):
            order(value, gpu)
