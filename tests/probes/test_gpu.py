"""The GPUs as the fake NVML describes them, and what CUDA_VISIBLE_DEVICES leaves."""

from __future__ import annotations

import dataclasses
import importlib
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gpu_literals as given
import msgspec
import pytest
from conftest import FakeDriver
from hypothesis import example
from hypothesis import given as drawn
from hypothesis import strategies as st

import envcheck.target.runner
from envcheck.inventory import Unavailable
from envcheck.probes.driver import DriverFacts, answers, ask
from envcheck.probes.driver import collect as collect_driver
from envcheck.probes.gpu import Device, Fabric, GpuFacts, NvLinks, Pcie, collect

MIB = 1 << 20
SLOW = "degraded bandwidth"
LACKS = {"nvlink": "NOT_SUPPORTED", "fabric": "NOT_SUPPORTED"}
"""What the fake GPU does not have unless it is told to."""


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
    assert device.errors == LACKS
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
    assert gpu.devices[1].errors == {**LACKS, "mig_instances": "NO_PERMISSION"}


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
    assert device.errors == LACKS


def test_memory_that_the_driver_does_not_tell(fake_driver: FakeDriver) -> None:
    _, gpu = look(fake_driver, "nvmlDeviceGetMemoryInfo_v2=3 nvmlDeviceGetMemoryInfo=3")
    assert gpu.devices[0].memory_total is None
    assert gpu.devices[0].errors == {**LACKS, "memory": "NOT_SUPPORTED"}


def one(fake_driver: FakeDriver, steer: str) -> Device:
    (device,) = look(fake_driver, steer)[1].devices
    return device


def test_the_health_of_a_gpu(fake_driver: FakeDriver) -> None:
    device = one(
        fake_driver,
        "reserved=600 remapped=3 remap_pending=1 retired=1 clocks=0x45 pcie=1:5:8:16 nvlink=17:18 fabric=3:0:0x2a:1 virtual=1",
    )
    assert device.memory_reserved == 600 * MIB
    assert (device.remapped_rows, device.remap_pending, device.remap_failed) == (3, True, False)
    assert device.retired_pending is True
    assert device.clock_reasons == ("idle", "software power cap", "hardware thermal slowdown")
    assert device.pcie == Pcie(1, 5, 8, 16)
    assert device.nvlinks == NvLinks(17, 1)
    assert device.fabric == Fabric("completed", None, "healthy", ())
    assert device.virtualization == "passthrough"
    assert device.errors == {}


def test_a_slowdown_while_clocks_change_is_none(fake_driver: FakeDriver) -> None:
    assert one(fake_driver, "clocks=0x8 clocks_then=4").clock_reasons == ()
    assert one(fake_driver, "clocks=0x8c clocks_then=0x80").clock_reasons == (
        "software power cap",
        "hardware power brake",
    )
    assert one(fake_driver, "clocks=0x4001").clock_reasons == ("idle", "reason 0x4000")


@pytest.mark.parametrize("code", [13, 26])
def test_the_older_names_of_questions(code: int, fake_driver: FakeDriver) -> None:
    steer = f"clocks=4 nvmlDeviceGetCurrentClocksEventReasons={code} fabric=2 nvmlDeviceGetGpuFabricInfoV={code}"
    device = one(fake_driver, steer)
    assert device.clock_reasons == ("software power cap",)
    assert device.fabric == Fabric("in progress")
    assert device.errors == {"nvlink": "NOT_SUPPORTED"}


@pytest.mark.parametrize(
    ("said", "fabric"),
    [
        ("fabric=1", Fabric("not started")),
        ("fabric=2:9", Fabric("in progress")),  # the error is of a registration that completed (nvml.h)
        ("fabric=3:23:0x111:2", Fabric("completed", "INSUFFICIENT_RESOURCES", "unhealthy", (SLOW, "unhealthy routes"))),
        ("fabric=3:0:0x4aa:3", Fabric("completed", None, "limited capacity", ("incorrect configuration",))),
        ("fabric=3:0:0x41:0 fabric_version=2", Fabric("completed", None, None, (SLOW, "access timeout recovery in progress"))),
        ("fabric=9", Fabric("state 9")),
        ("fabric=0", None),
    ],
)  # fmt: skip
def test_the_fabric(said: str, fabric: Fabric | None, fake_driver: FakeDriver) -> None:
    device = one(fake_driver, said)
    assert device.fabric == fabric
    assert ("fabric" in device.errors) is (fabric is None)


@pytest.mark.parametrize("end", ["hang", "crash"])
def test_a_driver_that_ends_over_the_health_of_one_gpu_has_told_of_all(end: str, fake_driver: FakeDriver) -> None:
    host = fake_driver(f"count=3 {end}=nvmlDeviceGetNvLinkState@1 clocks=4", timeout=5.0)
    driver = collect_driver(host)
    gpu = collect(host, driver)
    assert isinstance(gpu, GpuFacts)
    assert (driver.nvml.call, driver.nvml.device) == ("nvmlDeviceGetNvLinkState", 1)
    assert [device.memory_total for device in gpu.devices] == [81920 * MIB] * 3
    assert [device.clock_reasons is None for device in gpu.devices] == [False, False, True]
    assert [device.errors.get("nvmlDeviceGetNvLinkState") for device in gpu.devices] == [None, "NO_ANSWER", None]


def test_links_whose_number_is_not_that_of_the_binding(fake_driver: FakeDriver) -> None:
    assert one(fake_driver, "nvlink=6:6").nvlinks == NvLinks(6, 0)
    assert one(fake_driver, "nvlink=0:12").nvlinks == NvLinks(0, 12)
    assert one(fake_driver, "nvlink=30:99").nvlinks == NvLinks(30, 6)
    device = one(fake_driver, "nvlink=0:0")
    assert (device.nvlinks, device.errors["nvlink"]) == (None, "NOT_SUPPORTED")
    device = one(fake_driver, "nvlink=1:2 nvmlDeviceGetNvLinkState=999")
    assert (device.nvlinks, device.errors["nvlink"]) == (None, "UNKNOWN")


def test_mig_instances_in_full(fake_driver: FakeDriver) -> None:
    device = one(fake_driver, "mig=1 instances=1 total=40960 used=1024 processes=5:10 called=/usr/bin/python3")
    assert device.mig_instances is not None
    (instance,) = device.mig_instances
    assert (instance.memory_total, instance.memory_used, instance.memory_free) == (10240 * MIB, 1024 * MIB, 9216 * MIB)
    assert [process.label for process in instance.processes] == ["5 (python3)"]


# --- answers that make no sense


@pytest.mark.parametrize(
    ("said", "total", "error"),
    [
        ("8:9:0", 8, "IMPLAUSIBLE (total 8, used 9 bytes)"),
        ("8:0:9", 8, "IMPLAUSIBLE (total 8, free 9 bytes)"),
        ("0:0:0", None, "IMPLAUSIBLE (total 0, used 0, free 0, reserved 0 bytes)"),
        (f"{2**64 - 1}:{2**64 - 1}:{2**64 - 1}", None, "NOT_AVAILABLE"),
        (f"8:{2**64 - 1}:8", 8, "NOT_AVAILABLE"),
    ],
)
def test_sizes_that_make_no_sense_are_not_believed(
    said: str, total: int | None, error: str, fake_driver: FakeDriver
) -> None:
    device = one(fake_driver, f"bytes={said}")
    assert device.memory_total == total
    assert device.memory_used is None
    assert device.errors["memory"] == error


def test_flags_and_counts_that_make_no_sense(fake_driver: FakeDriver) -> None:
    device = one(fake_driver, "remap_pending=-1 remap_failed=7 retired=-1 persistence=9 ecc=-1 mig=-1")
    assert (device.remap_pending, device.remap_failed, device.retired_pending, device.persistence) == (None,) * 4
    assert (device.ecc_uncorrected, device.errors["ecc_uncorrected"]) == (None, "NOT_AVAILABLE")
    assert device.mig is None


def test_more_gpus_than_any_machine_has(fake_driver: FakeDriver) -> None:
    host = fake_driver("count=-1", timeout=10.0)
    driver = collect_driver(host)
    assert driver.nvml.words == "NVML answers Implausible in nvmlDeviceGetCount (4294967295 GPUs)"
    assert isinstance(collect(host, driver), Unavailable)


def test_a_name_that_is_not_utf_8(fake_driver: FakeDriver) -> None:
    device = one(fake_driver, "name=\udcffH100\udcc3 processes=7:1 called=/opt/\udcfe/py\udcff")
    assert device.name == "�H100�"
    assert [process.name for process in device.processes] == ["py�"]


def test_128_gpus(fake_driver: FakeDriver) -> None:
    driver, gpu = look(fake_driver, "count=128 nvlink=17:18")
    assert (driver.device_count, driver.usable_devices, len(gpu.devices)) == (128, 128, 128)
    assert len({device.uuid for device in gpu.devices}) == 128
    assert gpu.visible({"CUDA_VISIBLE_DEVICES": "127"}).devices == gpu.devices[127:]


@pytest.mark.parametrize(("times", "found"), [(1, True), (4, True), (5, False), (-1, False)])
def test_a_list_of_processes_that_grows_while_it_is_read(times: int, found: bool, fake_driver: FakeDriver) -> None:
    device = one(fake_driver, f"processes=5:10,6:20 growing={times}")
    assert [process.pid for process in device.processes] == ([6, 5] if found else [])
    assert device.errors.get("compute_processes") == (None if found else "INSUFFICIENT_SIZE")


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("/usr/bin/python3", "python3"),
        ("python train.py --token=secret", "python"),
        ("/opt/my/run.sh --x /y/z", "run.sh"),
        ("C:\\Program Files\\Py\\python.exe", "python.exe"),
        ("python", "python"),
    ],
)
def test_a_process_has_its_program_s_name_alone(called: str, name: str, nvml_folder: Path) -> None:
    """A word of FAKE_NVML holds no spaces: the binding itself is given the name."""
    processes = processes_of(lambda _: called)
    assert processes.name(4711) == name


def processes_of(call: Callable[[int], str], proc: str = "/nowhere") -> Any:
    """The part of target/nvml.py that names processes, with a binding that answers ``call``."""
    with_target = str(Path(envcheck.target.runner.__file__).parent)
    sys.path.append(with_target)
    try:
        module = importlib.import_module("nvml_processes")
    finally:
        sys.path.remove(with_target)
    binding = types.SimpleNamespace(nvmlSystemGetProcessName=call)
    return module.Processes(types.SimpleNamespace(nvml=binding), proc)


def test_a_process_that_nobody_names(fake_driver: FakeDriver) -> None:
    assert [process.label for process in one(fake_driver, "processes=5:10").processes] == ["5"]


def test_the_kernel_names_a_process_before_the_driver_does(fake_driver: FakeDriver) -> None:
    files = {"/proc/5/comm": "trainer\n", "/proc/6/comm": "\n", "/proc/7/status": "PPid:\t\n"}
    host = fake_driver("processes=5:3,6:2,7:1 called=/x/python", files, timeout=10.0)
    gpu = collect(host, collect_driver(host))
    assert isinstance(gpu, GpuFacts)
    assert [process.label for process in gpu.devices[0].processes] == ["5 (trainer)", "6 (python)", "7 (python)"]


def test_in_a_container_a_number_is_somebody_else_s(fake_driver: FakeDriver, tmp_path: Path) -> None:
    """Its processes have numbers of their own, and NVML tells the host's."""
    host = fake_driver("processes=5:3 called=/x/python", {"/proc/5/comm": "somebody\n"}, timeout=10.0)
    space = host.path("/proc/self/ns/pid")
    space.parent.mkdir(parents=True)
    for named, label in (("pid:[4026532001]", "5"), ("pid:[4026531836]", "5 (somebody)")):
        space.unlink(missing_ok=True)
        space.symlink_to(named)
        again = dataclasses.replace(host, _answers={}, _begun={})
        gpu = collect(again, collect_driver(again))
        assert isinstance(gpu, GpuFacts)
        assert [process.label for process in gpu.devices[0].processes] == [label]


def test_brief(fake_driver: FakeDriver) -> None:
    ending = ask(fake_driver("count=2 remap_failed=1 nvmlDeviceGetMemoryInfo_v2@1=15", timeout=10.0), brief=True)
    asked = {record["call"] for record in ending.records if "call" in record}
    assert asked == {
        "nvmlInit", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex", "nvmlDeviceGetUUID", "nvmlDeviceGetMemoryInfo_v2",
        "nvmlDeviceGetTotalEccErrors", "nvmlDeviceGetRemappedRows",
    }  # fmt: skip
    first, second = answers(ending.records, 0), answers(ending.records, 1)
    assert first.values["remapped_rows"] == [0, 0, 0, 1]
    assert first.values["memory"]["total"] == 81920 * MIB
    assert second.errors == {"memory": "GPU_IS_LOST"}


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


def test_the_order_of_cuda_stands_in_the_inventory(fake_driver: FakeDriver) -> None:
    """The first is what TensorFlow calls GPU:0."""
    uuids = [f"GPU-{number:08x}-0000-4000-8000-000000000000" for number in (1, 2, 3)]
    for variables, order in (
        ({}, uuids),
        ({"CUDA_VISIBLE_DEVICES": "2,0"}, [uuids[2], uuids[0]]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-00000002"}, [uuids[1]]),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, []),
    ):
        host = fake_driver("count=3", environ=variables, timeout=10.0)
        gpu = collect(host, collect_driver(host))
        assert isinstance(gpu, GpuFacts)
        assert gpu.cuda_order == tuple(order)
    host = fake_driver("mig=1 instances=2", timeout=10.0)
    gpu = collect(host, collect_driver(host))
    assert isinstance(gpu, GpuFacts)
    assert gpu.cuda_order is None  # which of two instances is the first is not foretold


def test_a_gpu_that_was_not_reached_is_not_called_out_of_range() -> None:
    assert left(given.gpu(given.device(0), count=3), "2") == ([0], None)
