"""The GPUs as the fake NVML describes them, and what CUDA_VISIBLE_DEVICES leaves."""

from __future__ import annotations

import os

import gpu_literals as given
import msgspec
import pytest
from conftest import FakeDriver
from hypothesis import example
from hypothesis import given as drawn
from hypothesis import strategies as st

from envcheck.inventory import Unavailable
from envcheck.probes.driver import DriverFacts
from envcheck.probes.driver import collect as collect_driver
from envcheck.probes.gpu import GpuFacts, collect

MIB = 1 << 20


def look(fake_driver: FakeDriver, steer: str) -> tuple[DriverFacts, GpuFacts]:
    host = fake_driver(steer, timeout=10.0)
    driver = collect_driver(host)
    gpu = collect(host, driver)
    assert isinstance(gpu, GpuFacts), gpu
    return driver, gpu


def test_one_gpu_in_full(fake_driver: FakeDriver) -> None:
    _, gpu = look(fake_driver, "cc=8.6 total=24576 used=1024 processes=11:300,12:-1,13:700 mode=3 ecc=2 persistence=0")
    (device,) = gpu.devices
    assert (device.index, device.name) == (0, "Fake H100")
    assert device.uuid == "GPU-00000001-0000-4000-8000-000000000000"
    assert (device.pci, device.compute_capability) == ("00000000:01:00.0", "8.6")
    assert (device.memory_total, device.memory_used, device.memory_free) == (24576 * MIB, 1024 * MIB, 23552 * MIB)
    assert [(p.pid, p.memory, p.kind) for p in device.processes] == [
        (13, 700 * MIB, "compute"),
        (11, 300 * MIB, "compute"),
        (12, None, "compute"),
    ]
    assert (device.compute_mode, device.persistence, device.ecc, device.ecc_uncorrected) == (
        "exclusive process",
        False,
        True,
        2,
    )
    assert (device.mig, device.mig_pending, device.mig_instances) == (False, False, None)
    assert device.errors == {}
    assert msgspec.convert(msgspec.to_builtins(gpu), GpuFacts) == gpu


def test_envcheck_s_own_processes_are_told_from_others(fake_driver: FakeDriver) -> None:
    """The script's parent is this process: what descends from it is envcheck's own."""
    parents = {4711: os.getpid(), 4712: 4711, 4713: 1, 4714: 4715, 4715: 4714}
    files = {f"/proc/{pid}/status": f"Name:\tpython\nPid:\t{pid}\nPPid:\t{parent}\n" for pid, parent in parents.items()}
    files["/proc/4717/status"] = "Name:\tpython\n"
    host = fake_driver("mig=1 instances=1 processes=4711:7,4712:6,4713:5,4714:4,4716:3,4717:2", files, timeout=10.0)
    gpu = collect(host, collect_driver(host))
    assert isinstance(gpu, GpuFacts)
    (device,) = gpu.devices
    assert device.mig_instances is not None
    for processes in (device.processes, device.mig_instances[0].processes):
        assert {process.pid: process.own for process in processes} == {
            4711: True, 4712: True, 4713: False, 4714: False, 4716: False, 4717: False
        }  # fmt: skip
    assert [process.pid for process in device.others] == [4713, 4714, 4716, 4717]


def test_no_gpu(fake_driver: FakeDriver) -> None:
    host = fake_driver("count=0")
    driver = collect_driver(host)
    assert driver.nvml.ok
    assert (driver.device_count, driver.usable_devices) == (0, 0)
    assert collect(host, driver) == Unavailable("the driver reports no GPU", absent=True)


def test_eight_gpus_of_which_one_is_lost(fake_driver: FakeDriver) -> None:
    driver, gpu = look(fake_driver, "count=8 nvmlDeviceGetHandleByIndex_v2@3=15")
    assert (driver.device_count, driver.usable_devices) == (8, 7)
    assert [device.failure for device in gpu.devices] == [None] * 3 + ["GPU_IS_LOST"] + [None] * 4
    assert len({device.uuid for device in gpu.usable}) == 7


def test_mig(fake_driver: FakeDriver) -> None:
    _, gpu = look(fake_driver, "mig=1 instances=2 total=40960")
    (device,) = gpu.devices
    assert (device.mig, len(device.cuda)) == (True, 2)
    assert device.mig_instances is not None
    assert [instance.uuid for instance in device.mig_instances] == [
        "MIG-00000001-0001-5000-8000-000000000000",
        "MIG-00000001-0002-5000-8000-000000000000",
    ]
    assert device.mig_instances[0].memory_total == 10240 * MIB


def test_mig_without_an_instance_and_mig_that_may_not_be_seen(fake_driver: FakeDriver) -> None:
    _, gpu = look(fake_driver, "count=2 mig=1 nvmlDeviceGetMigDeviceHandleByIndex@1=4")
    assert [device.mig_instances for device in gpu.devices] == [(), None]
    assert gpu.devices[1].errors == {"mig_instances": "NO_PERMISSION"}


@pytest.mark.parametrize("code", [2, 3, 13, 25, 26])
def test_a_driver_older_than_the_binding_is_asked_the_older_way(code: int, fake_driver: FakeDriver) -> None:
    driver, gpu = look(
        fake_driver,
        f"nvmlDeviceGetMemoryInfo_v2={code} nvmlSystemGetCudaDriverVersion_v2={code} "
        f"nvmlDeviceGetComputeRunningProcesses_v3={code} processes=5:10",
    )
    (device,) = gpu.devices
    assert device.memory_total == 81920 * MIB
    assert [process.pid for process in device.processes] == [5]
    assert driver.cuda_version == "12.4"
    assert device.errors == {}


def test_memory_that_the_driver_does_not_tell(fake_driver: FakeDriver) -> None:
    _, gpu = look(fake_driver, "nvmlDeviceGetMemoryInfo_v2=3 nvmlDeviceGetMemoryInfo=3")
    assert gpu.devices[0].memory_total is None
    assert gpu.devices[0].errors == {"memory": "NOT_SUPPORTED"}


# --- CUDA_VISIBLE_DEVICES

FOUR = given.gpu(*(given.device(index) for index in range(4)))
MIXED = given.gpu(given.device(0, name="NVIDIA T400"), given.device(1))
SLICED = given.gpu(given.device(0, mig=True, mig_instances=(given.instance(16), given.instance(17))))


def left(gpu: GpuFacts, value: str, **more: str) -> tuple[list[int], str | None]:
    selection = gpu.visible({"CUDA_VISIBLE_DEVICES": value, **more})
    return [device.index for device in selection.devices], selection.stop


@pytest.mark.parametrize(
    ("value", "indexes", "stop"),
    [
        ("0", [0], None),
        ("3,1", [3, 1], None),
        (" 2 , 0 ", [2, 0], None),
        ("", [], ""),
        ("-1", [], "-1"),
        ("NoDevFiles", [], "NoDevFiles"),
        ("4", [], "4"),
        ("0,2,-1,1", [0, 2], "-1"),  # the example of NVIDIA's own documentation
        ("1,9,2", [1], "9"),
        ("0,GPU-00000002", [0], "GPU-00000002"),
        ("1x", [1], None),
        ("GPU-00000003-0000-4000-8000-000000000000", [2], None),
        ("GPU-00000003,GPU-00000001", [2, 0], None),
        ("gpu-00000003", [], "gpu-00000003"),
        ("GPU-0000000", [], "GPU-0000000"),  # four begin like this
        ("GPU-00000001,GPU-ffffffff,GPU-00000002", [0], "GPU-ffffffff"),
        ("GPU-00000001,1", [0], "1"),
        ("MIG-GPU-00000002-0000-4000-8000-000000000000/1/0", [1], None),
        ("MIG-12345678", [], "MIG-12345678"),
    ],
)
def test_what_cuda_visible_devices_leaves(value: str, indexes: list[int], stop: str | None) -> None:
    assert left(FOUR, value) == (indexes, stop)


def test_without_the_variable_all_are_left() -> None:
    selection = FOUR.visible({})
    assert len(selection.devices) == 4
    assert selection.stop is None


@pytest.mark.parametrize("value", ["0,0", "GPU-00000001,GPU-00000001"])
def test_an_entry_that_stands_twice_leaves_none(value: str) -> None:
    selection = FOUR.visible({"CUDA_VISIBLE_DEVICES": value})
    assert selection.devices == ()
    assert selection.repeated in value.split(",")


def first(gpu: GpuFacts, **variables: str) -> list[int]:
    return [each.device.index for each in gpu.visible(variables).first]


def test_the_first_device_of_cuda() -> None:
    assert first(FOUR) == [0]
    assert first(FOUR, CUDA_VISIBLE_DEVICES="2,1") == [2]
    assert first(FOUR, CUDA_VISIBLE_DEVICES="GPU-00000003,GPU-00000001") == [2]
    assert first(FOUR, CUDA_VISIBLE_DEVICES="-1") == []
    assert first(MIXED) == [0, 1]
    assert first(MIXED, CUDA_DEVICE_ORDER="PCI_BUS_ID") == [0]
    assert first(SLICED) == first(SLICED, CUDA_VISIBLE_DEVICES="0") == [0, 0]  # either of its two instances
    (named,) = SLICED.visible({"CUDA_VISIBLE_DEVICES": "MIG-00000011"}).first
    assert named.instance == given.instance(17)


def test_an_abbreviation_that_fits_two_instances_names_none() -> None:
    assert left(SLICED, "MIG-0000001") == ([], "MIG-0000001")


def test_an_instance_that_may_not_be_seen_is_not_called_missing() -> None:
    unseen = given.gpu(given.device(0), given.device(1, mig=True, mig_instances=None))
    assert left(unseen, "MIG-00000011") == ([1], None)


def test_cuda_numbers_different_gpus_in_its_own_order() -> None:
    selection = MIXED.visible({"CUDA_VISIBLE_DEVICES": "0"})
    assert [device.index for device in selection.devices] == [0, 1]  # either may be meant
    assert not selection.certain
    assert left(MIXED, "1", CUDA_DEVICE_ORDER="PCI_BUS_ID") == ([1], None)
    assert left(MIXED, "2") == ([], "2")


def test_mig_instances_are_devices_of_cuda() -> None:
    assert left(SLICED, "1") == ([0], None)
    assert left(SLICED, "2") == ([], "2")
    assert left(SLICED, "MIG-00000011") == ([0], None)
    assert left(SLICED, "MIG-00000099") == ([], "MIG-00000099")


@drawn(
    st.text(alphabet="0123456789,-+ GPUMIGx", max_size=40) | st.text(max_size=20),
    st.sampled_from([FOUR, MIXED, SLICED]),
)
@example("9" * 5000, FOUR)
@example("GPU-", FOUR)
@example("²", FOUR)
def test_no_value_is_too_strange(value: str, gpu: GpuFacts) -> None:
    selection = gpu.visible({"CUDA_VISIBLE_DEVICES": value})
    assert {device.index for device in selection.devices} <= {device.index for device in gpu.devices}
    assert selection.devices or selection.stop is not None or selection.repeated is not None


def test_a_gpu_that_was_not_reached_is_not_called_out_of_range() -> None:
    assert left(given.gpu(given.device(0), count=3), "2") == ([0], None)
