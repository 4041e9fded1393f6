"""GPU103, GPU104 and GPU107: device nodes and kernel module."""

from __future__ import annotations

from typing import Any

import gpu_literals as given
import literals
import pytest

from envcheck.checks.gpu_nodes import device_nodes, kernel_module, unified_memory_node
from envcheck.findings import Finding, Severity, Skip
from envcheck.inventory import Expectations, Unavailable
from envcheck.probes.driver import DriverFacts, NvmlState, PciDevice
from envcheck.probes.tensorflow import TensorFlowFacts

REQUIRED = Expectations(require_gpu=True)
UNSEEN = Unavailable("not looked at")


def nodes(driver: DriverFacts, expectations: Expectations | None = None, **host: Any) -> list[Finding]:
    return list(device_nodes.judge(driver, literals.host(**host), expectations or Expectations()))


def module(
    driver: DriverFacts,
    expectations: Expectations | None = None,
    tensorflow: TensorFlowFacts | Unavailable = UNSEEN,
    **host: Any,
) -> list[Finding]:
    return list(kernel_module.judge(driver, literals.host(**host), expectations or Expectations(), tensorflow))


def memory(driver: DriverFacts, **host: Any) -> list[Finding]:
    return list(unified_memory_node.judge(driver, literals.host(**host)))


def test_all_nodes_are_there() -> None:
    assert nodes(given.driver()) == []
    assert memory(given.driver()) == []


@pytest.mark.parametrize(
    ("driver", "host", "reason"),
    [
        (given.nothing(), {}, "no NVIDIA GPU or driver here"),
        (given.driver(dxg=True, nodes=()), {"wsl": 2}, "WSL has /dev/dxg in place of the NVIDIA device nodes"),
        (given.driver(linux=False), {"system": "Windows"}, "NVIDIA device nodes are Linux's: not covered on Windows"),
    ],
)
def test_where_no_node_is_expected(driver: DriverFacts, host: dict[str, Any], reason: str) -> None:
    for judge in (nodes, memory):
        with pytest.raises(Skip) as skip:
            judge(driver, **host)
        assert skip.value.reason == reason


def test_a_jetson_has_other_nodes() -> None:
    for judge in (nodes, memory):
        with pytest.raises(Skip, match="Jetson") as skip:
            judge(given.driver(tegra=True, nodes=("/dev/nvidiactl",), pci=(), modprobe=False))
        assert skip.value.unknown


@pytest.mark.parametrize(
    ("container", "command"),
    [
        ("docker", "docker run --gpus all IMAGE"),
        ("podman", "podman run --device nvidia.com/gpu=all IMAGE"),
        ("apptainer", "apptainer exec --nv IMAGE COMMAND"),
    ],
)
def test_a_container_without_the_machine_s_gpu(container: str, command: str) -> None:
    driver = given.nothing(pci=(given.PCI,), kernel_version="550.54.14")
    (finding,) = nodes(driver, container=container)
    assert f"this container ({container}) was not given the machine's NVIDIA GPU" in finding.message
    assert finding.severity is Severity.WARNING  # it may well be meant for the CPU
    assert finding.fix is not None
    assert finding.fix.commands == (command,)
    (finding,) = nodes(driver, REQUIRED, container=container)
    assert finding.severity is None


def test_kubernetes_and_unknown_containers_have_words() -> None:
    driver = given.nothing(pci=(given.PCI,))
    for container, said in (("kubernetes", "nvidia.com/gpu: 1"), ("lxc", "/dev/nvidiactl")):
        (finding,) = nodes(driver, container=container)
        assert finding.fix is not None
        assert said in finding.fix.summary


def test_a_container_with_the_control_node_alone() -> None:
    driver = given.driver(nodes=("/dev/nvidiactl",), usable_devices=0)
    (finding,) = nodes(driver, container="docker")
    assert "there is no /dev/nvidia0" in finding.message
    assert finding.severity is None


def test_a_host_whose_nodes_nobody_made() -> None:
    driver = given.driver(nvml=given.nvml_error(9, "DRIVER_NOT_LOADED"), nodes=(), usable_devices=None)
    (finding,) = nodes(driver)
    assert finding.fix is not None
    assert finding.fix.commands == ("sudo nvidia-modprobe -c 0 -u",)
    with pytest.raises(Skip, match="no NVIDIA driver is loaded"):
        nodes(given.nothing(pci=(given.PCI,)))


@pytest.mark.parametrize(
    ("error", "said"), [("EPERM", "control group"), ("EACCES", "mode of the file"), ("EIO", "kernel")]
)
def test_a_node_that_cannot_be_opened(error: str, said: str) -> None:
    for container in (None, "docker"):
        (finding,) = nodes(given.driver(node_errors={"/dev/nvidiactl": error}), container=container)
        assert finding.message.startswith(f"/dev/nvidiactl cannot be opened ({error})")
        assert said in finding.message
        (finding,) = memory(given.driver(node_errors={"/dev/nvidia-uvm": error}), container=container)
        assert finding.message.startswith(f"/dev/nvidia-uvm cannot be opened ({error})")


# --- GPU107


def test_the_unified_memory_node_is_missing() -> None:
    without = {"nodes": ("/dev/nvidia0", "/dev/nvidiactl")}
    assert memory(given.driver(**without)) == []  # nvidia-modprobe makes it when CUDA starts
    (finding,) = memory(given.driver(**without, modprobe=False))
    assert finding.severity is Severity.WARNING
    (finding,) = memory(given.driver(**without), container="docker")
    assert finding.severity is None
    assert "CUDA cannot start without it" in finding.message
    with pytest.raises(Skip, match="does not answer"):
        memory(given.driver(**without, nvml=NvmlState("hung")))


# --- GPU104


def test_the_module_is_loaded() -> None:
    assert module(given.driver()) == []
    assert module(given.driver(kernel_version=None)) == []  # gVisor shows no module, and NVML answers


@pytest.mark.parametrize(
    ("holder", "said"),
    [("nouveau", "nouveau has no CUDA"), ("vfio-pci", "virtual machine"), (None, "Secure Boot")],
)
def test_a_gpu_without_its_module(holder: str | None, said: str) -> None:
    driver = given.nothing(pci=(PciDevice("0000:01:00.0", "0x2330", holder),))
    (finding,) = module(driver)
    assert "0000:01:00.0" in finding.message
    assert finding.fix is not None
    assert said in finding.fix.summary
    assert finding.severity is (Severity.WARNING if holder == "vfio-pci" else None)
    (finding,) = module(driver, REQUIRED)
    assert finding.severity is None


def test_a_tensorflow_for_the_cpu_needs_no_module() -> None:
    driver = given.nothing(pci=(PciDevice("0000:01:00.0", "0x2330", "nouveau"),))
    (finding,) = module(driver, tensorflow=given.tensorflow(distribution="tensorflow-cpu", is_cuda=False, cuda=None))
    assert finding.severity is Severity.WARNING
    (finding,) = module(driver, REQUIRED, given.tensorflow(distribution="tensorflow-cpu"))
    assert finding.severity is None
    (finding,) = module(driver, tensorflow=given.tensorflow())
    assert finding.severity is None


def test_a_container_cannot_load_it() -> None:
    (finding,) = module(given.nothing(pci=(given.PCI,)), container="docker")
    assert finding.fix is not None
    assert "on the host of this container" in finding.fix.summary
    assert finding.fix.commands == ()


@pytest.mark.parametrize(
    ("driver", "reason"),
    [
        (given.nothing(), "there is no NVIDIA GPU on the PCI bus"),
        (given.nothing(pci=None), "the PCI bus cannot be seen here"),
        (given.nothing(linux=False), "the PCI bus is looked at on Linux only: not covered on Linux"),
    ],
)
def test_where_no_module_is_expected(driver: DriverFacts, reason: str) -> None:
    with pytest.raises(Skip) as skip:
        module(driver)
    assert skip.value.reason == reason
    assert skip.value.unknown is (driver.pci is None or not driver.linux)
