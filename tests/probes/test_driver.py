"""The driver probe against a library that answers, errs, hangs and crashes as it is told."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from pathlib import Path
from typing import Any

import literals
import msgspec
import pytest
from conftest import FakeDriver

from envcheck.checks.gpu_driver import driver_answers, gpu_is_there
from envcheck.findings import Finding, Severity, Skip
from envcheck.host import Host
from envcheck.inventory import Expectations, Unavailable
from envcheck.knowledge.matrix import load_matrix
from envcheck.knowledge.nvidia import NvmlCode
from envcheck.probes.driver import DriverFacts, collect
from envcheck.probes.gpu import collect as collect_gpu
from envcheck.target.runner import Ending, Kind, run_script

OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  555.42.02  Release Build  (dvs-builder@U16)\nGCC version\n"
CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\nGCC version: 12\n"
FILES = {"/proc/driver/nvidia/version": CLOSED, "/dev/nvidiactl": "", "/dev/nvidia0": "", "/dev/nvidia-uvm": ""}
CODES = load_matrix().nvml
UNSEEN = Unavailable("not looked at")


def judge(driver: DriverFacts, **host: Any) -> list[Finding]:
    return list(driver_answers.judge(driver, literals.host(**host), Expectations(), load_matrix(), UNSEEN))


def is_there(driver: DriverFacts) -> list[Finding]:
    facts: dict[str, Any] = dict.fromkeys(gpu_is_there.facts, UNSEEN)
    facts |= {"driver": driver, "expectations": Expectations(require_gpu=True), "host": literals.host()}
    return list(gpu_is_there.judge(**facts))


def test_a_driver_that_works(fake_driver: FakeDriver) -> None:
    driver = collect(fake_driver("driver=535.129.03 cuda=12020", FILES))
    assert driver.nvml.ok
    assert (driver.driver_version, driver.nvml_version, driver.cuda_version) == ("535.129.03", "12.550.54.14", "12.2")
    assert (driver.device_count, driver.usable_devices) == (1, 1)
    assert (driver.kernel_version, driver.kernel_open) == ("535.129.03", False)
    assert driver.nodes == ("/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl")
    assert driver.node_errors == {}
    assert driver.errors == {}
    assert judge(driver) == []
    assert msgspec.convert(msgspec.to_builtins(driver), DriverFacts) == driver


@pytest.mark.parametrize("row", CODES, ids=lambda row: row.name)
def test_every_code_at_init_has_its_own_words_and_ends_in_time(row: NvmlCode, fake_driver: FakeDriver) -> None:
    start = time.monotonic()
    host = fake_driver(f"nvmlInitWithFlags={row.code}", FILES, timeout=5.0)
    driver = collect(host)
    assert time.monotonic() - start < 5.0
    # The binding answers 12 itself, whoever says it: to envcheck the library is not there.
    assert driver.nvml.status == ("no library" if row.code == 12 else "error")
    assert (driver.nvml.code, driver.nvml.name, driver.nvml.call) == (row.code, row.name, "nvmlInit")
    (finding,) = judge(driver)
    assert finding.fix is not None
    if row.code != 12:
        assert f"{row.name} ({row.code})" in finding.message
        assert row.meaning in finding.message
        assert finding.fix.summary == row.remedy
    assert isinstance(collect_gpu(host, driver), Unavailable)


def test_no_two_codes_share_a_message(fake_driver: FakeDriver) -> None:
    driver = collect(fake_driver("nvmlInitWithFlags=999", FILES))
    messages = set()
    for row in CODES:
        state = dataclasses.replace(driver.nvml, code=row.code, name=row.name)
        (finding,) = judge(dataclasses.replace(driver, nvml=state))
        messages.add(finding.message.partition(": ")[2])
    assert len(messages) == len(CODES) == 31


def test_a_code_nobody_knows_is_still_a_value(fake_driver: FakeDriver) -> None:
    driver = collect(fake_driver("nvmlInitWithFlags=77", FILES))
    assert (driver.nvml.code, driver.nvml.name) == (77, "CODE_77")
    (finding,) = judge(driver)
    assert "does not know" in finding.message


def test_no_code_from_a_question_about_a_gpu_is_an_end(fake_driver: FakeDriver) -> None:
    told = " ".join(f"nvmlDeviceGetTotalEccErrors@{index}={row.code}" for index, row in enumerate(CODES))
    host = fake_driver(f"count={len(CODES) + 1} {told}", FILES, timeout=10.0)
    driver = collect(host)
    gpu = collect_gpu(host, driver)
    assert driver.nvml.ok
    assert not isinstance(gpu, Unavailable)
    *failed, last = gpu.devices
    assert [device.errors["ecc_uncorrected"] for device in failed] == [row.name for row in CODES]
    assert all(len(device.errors) == len(last.errors) + 1 for device in failed)
    assert all(device.ecc_uncorrected is None and device.memory_total for device in failed)
    assert last.ecc_uncorrected == 0


def test_no_code_for_which_a_gpu_cannot_be_opened_is_an_end(fake_driver: FakeDriver) -> None:
    told = " ".join(f"nvmlDeviceGetHandleByIndex_v2@{index}={row.code}" for index, row in enumerate(CODES))
    host = fake_driver(f"count={len(CODES) + 1} {told}", FILES, timeout=10.0)
    driver = collect(host)
    gpu = collect_gpu(host, driver)
    assert not isinstance(gpu, Unavailable)
    assert [device.failure for device in gpu.devices] == [*(row.name for row in CODES), None]
    assert (driver.device_count, driver.usable_devices) == (len(CODES) + 1, 1)


@pytest.mark.parametrize(
    ("call", "place"),
    [
        ("nvmlInitWithFlags", "nvmlInit"),
        ("nvmlSystemGetDriverVersion", "nvmlSystemGetDriverVersion"),
        ("nvmlDeviceGetMemoryInfo_v2@1", "nvmlDeviceGetMemoryInfo_v2"),
    ],
)
def test_a_hang_ends_at_the_deadline_and_says_where(call: str, place: str, fake_driver: FakeDriver) -> None:
    host = fake_driver(f"count=2 hang={call}", FILES, timeout=1.0)
    start = time.monotonic()
    driver = collect(host)
    assert time.monotonic() - start < 4.0
    assert driver.nvml.status == "hung"
    assert driver.nvml.call == place
    (finding,) = judge(driver)
    assert f"stuck: NVML did not answer in {place}" in finding.message
    assert finding.fix is not None
    assert "dmesg" in finding.fix.commands[0]
    gpu = collect_gpu(host, driver)
    if "@1" in call:
        assert driver.nvml.device == 1
        assert "for GPU 1 within 1 s" in finding.message
        assert not isinstance(gpu, Unavailable)  # what was answered before is kept
        assert [device.memory_total is None for device in gpu.devices] == [False, True]
        assert gpu.devices[1].errors == {place: "NO_ANSWER"}
    else:
        assert isinstance(gpu, Unavailable)
        assert gpu.reason.startswith("no NVIDIA driver answers: NVML did not answer in")


@pytest.mark.parametrize(
    ("steer", "said"),
    [
        ("crash=nvmlInitWithFlags", "SIGSEGV"),
        ("abort=nvmlDeviceGetUUID@0", "SIGABRT"),
        ("exit=nvmlDeviceGetCount_v2", "exit code 7"),
    ],
)
def test_a_crash_is_named(steer: str, said: str, fake_driver: FakeDriver) -> None:
    driver = collect(fake_driver(steer, FILES))
    assert driver.nvml.status == "crashed"
    (finding,) = judge(driver)
    assert said in finding.message
    assert driver.nvml.call in finding.message
    assert driver.nvml.call.startswith("nvml")


def test_a_crash_after_the_answer_changes_nothing(fake_driver: FakeDriver) -> None:
    assert collect(fake_driver("crash=nvmlShutdown", FILES)).nvml.ok


def test_a_child_that_cannot_be_killed_is_reported() -> None:
    records = ({"call": "nvmlDeviceGetHandleByIndex", "device": 0},)
    ending = Ending(Kind.UNKILLABLE, records=records, seconds=25.0)
    driver = collect(Host(environ={}, root=Path("/nowhere"), system="Linux", run=lambda *_, **__: ending))
    (finding,) = judge(driver)
    assert "cannot be killed" in finding.message
    assert "only a reboot" in finding.message


def test_a_child_that_the_kernel_killed_says_nothing_about_the_driver() -> None:
    ending = Ending(Kind.SIGNALLED, records=({"call": "nvmlInit", "device": None},), signal="SIGKILL")
    driver = collect(Host(environ={}, root=Path("/nowhere"), system="Linux", run=lambda *_, **__: ending))
    assert driver.nvml.status == "not asked"
    with pytest.raises(Skip, match="SIGKILL"):
        judge(driver)


def test_the_deadline_never_exceeds_the_hosts() -> None:
    asked: list[dict[str, Any]] = []

    def run(*_: object, **keywords: Any) -> Ending:
        asked.append(keywords)
        return Ending(Kind.NOT_STARTED, detail="in this test")

    for timeout in (3.0, 300.0):
        collect(Host(environ={"PYTHONPATH": "/x", "HOME": "/h"}, system="Linux", run=run, timeout=timeout))
    assert [keywords["deadline"] for keywords in asked] == [3.0, 30.0]
    assert asked[0]["environ"] == {"HOME": "/h"}  # the target's Python variables are not envcheck's


def test_the_library_is_not_there(tmp_path: Path) -> None:
    host = Host(root=tmp_path, environ={"LD_LIBRARY_PATH": str(tmp_path)}, system="Linux")
    driver = collect(host)
    if driver.nvml.status == "ok":
        pytest.skip("this machine has a real NVIDIA driver")
    assert driver.nvml.status == "no library"
    assert "libnvidia-ml.so.1" in driver.nvml.detail
    assert driver.hardware is False
    with pytest.raises(Skip, match="no NVIDIA GPU or driver here"):
        judge(driver)
    (finding,) = gpu_is_there.judge(
        driver, Expectations(require_gpu=True), UNSEEN, UNSEEN, UNSEEN, UNSEEN, literals.host()
    )
    assert "there is no NVIDIA GPU or driver here" in finding.message
    assert collect_gpu(host, driver) == Unavailable("no NVIDIA GPU or driver here (the PCI bus cannot be seen)")


def test_an_empty_library_file_is_said_to_be_one(tmp_path: Path, fake_driver: FakeDriver) -> None:
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    (libraries / "libnvidia-ml.so.1").touch()
    driver = collect(fake_driver("", FILES, {"LD_LIBRARY_PATH": str(libraries)}))
    assert driver.nvml.status == "no library"
    (finding,) = judge(driver)
    assert "file too short" in finding.message
    assert finding.fix is not None
    assert "empty file" in finding.fix.summary


def test_driver_libraries_without_a_gpu_are_a_warning(fake_driver: FakeDriver) -> None:
    driver = collect(fake_driver("nvmlInitWithFlags=9", {"/sys/bus/pci/devices/x/vendor": "0x8086\n"}))
    assert driver.hardware is False
    (finding,) = judge(driver)
    assert finding.severity is Severity.WARNING


def test_what_only_linux_has_is_not_covered_elsewhere(fake_driver: FakeDriver) -> None:
    windows = collect(fake_driver("", FILES, system="Windows"))
    assert windows.nvml.ok
    assert not windows.linux
    assert (windows.hardware, windows.nodes, windows.pci) == (None, (), None)
    mac = fake_driver("", FILES, system="Darwin")
    driver = collect(mac)
    assert driver.nvml.status == "not covered"
    with pytest.raises(Skip, match="not covered on Darwin"):
        judge(driver)
    with pytest.raises(Skip, match="not covered on Darwin"):
        list(
            gpu_is_there.judge(driver, Expectations(require_gpu=True), UNSEEN, UNSEEN, UNSEEN, UNSEEN, literals.host())
        )
    assert collect_gpu(mac, driver) == Unavailable("GPUs are not covered on Darwin: envcheck looks at NVIDIA GPUs only")


# --- the kernel's side


def test_the_kernel_module_s_flavour_and_the_older_place_of_its_version(
    fake_driver: FakeDriver, tmp_path: Path
) -> None:
    driver = collect(fake_driver("", {"/proc/driver/nvidia/version": OPEN}))
    assert (driver.kernel_version, driver.kernel_open) == ("555.42.02", True)
    (tmp_path / "root/proc/driver/nvidia/version").unlink()
    driver = collect(fake_driver("", {"/sys/module/nvidia/version": "535.1\n"}))
    assert (driver.kernel_version, driver.kernel_open) == ("535.1", None)


def test_pci_devices(fake_driver: FakeDriver, tmp_path: Path) -> None:
    base = "/sys/bus/pci/devices"
    files = {
        f"{base}/0000:01:00.0/vendor": "0x10de\n", f"{base}/0000:01:00.0/class": "0x030200\n",
        f"{base}/0000:01:00.0/device": "0x2330\n",
        f"{base}/0000:01:00.1/vendor": "0x10de\n", f"{base}/0000:01:00.1/class": "0x040300\n",  # its sound device
        f"{base}/0000:02:00.0/vendor": "0x1002\n", f"{base}/0000:02:00.0/class": "0x030000\n",
    }  # fmt: skip
    host = fake_driver("nvmlInitWithFlags=9", files)
    (tmp_path / "root/sys/bus/pci/devices/0000:01:00.0/driver").symlink_to("../../../../bus/pci/drivers/nouveau")
    driver = collect(host)
    assert driver.pci is not None
    assert [(device.address, device.number, device.driver) for device in driver.pci] == [
        ("0000:01:00.0", "0x2330", "nouveau")
    ]


@pytest.mark.parametrize(
    ("files", "tegra"),
    [
        ({}, False),
        ({"/etc/nv_tegra_release": "# R35 (release)"}, True),
        ({"/proc/device-tree/compatible": "nvidia,p3737-0000+p3701-0000\0nvidia,tegra234\0"}, True),
        ({"/proc/device-tree/compatible": "raspberrypi,4-model-b\0brcm,bcm2711\0"}, False),
    ],
)
def test_a_jetson(files: dict[str, str], tegra: bool, fake_driver: FakeDriver) -> None:
    host = fake_driver("nvmlInitWithFlags=9", files)
    driver = collect(host)
    assert driver.tegra is tegra
    gpu = collect_gpu(host, driver)
    assert isinstance(gpu, Unavailable)
    assert ("Jetson" in gpu.reason) is tegra
    assert not gpu.absent


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_node_that_may_not_be_opened(fake_driver: FakeDriver, tmp_path: Path) -> None:
    host = fake_driver("", FILES)
    (tmp_path / "root/dev/nvidiactl").chmod(0)
    assert collect(host).node_errors == {"/dev/nvidiactl": "EACCES"}


def test_a_node_that_cannot_be_opened_is_named(fake_driver: FakeDriver, tmp_path: Path) -> None:
    host = fake_driver("", {"/dev/nvidiactl/is-a-folder": ""})
    assert collect(host).node_errors == {"/dev/nvidiactl": "EISDIR"}


# --- the script itself


def test_nothing_in_the_current_folder_is_imported(fake_driver: FakeDriver, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.mkdir()
    for name in ("pynvml", "json", "ctypes", "errno", "pathlib"):
        (trap / f"{name}.py").write_text("raise SystemExit('imported from the current folder')\n")
    host = fake_driver("", FILES, {"PYTHONPATH": str(trap)}, cwd=trap)
    assert collect(host).nvml.ok
    assert sorted(path.name for path in trap.iterdir()) == sorted(
        f"{name}.py" for name in ("pynvml", "json", "ctypes", "errno", "pathlib")
    )


OLD_BINDING = '''
"""A binding of long ago: bytes, no suffixes, no second memory structure, fewer codes."""
NVML_ERROR_NOT_SUPPORTED = 3
class NVMLError(Exception):
    def __init__(self, value):
        self.value = value
class Thing:
    busId = b"00000000:01:00.0"
    total, used, free = 3, 1, 2
    pid, usedGpuMemory = 7, None
def nvmlInit(): pass
def nvmlSystemGetDriverVersion(): return b"390.157"
def nvmlSystemGetNVMLVersion(): raise NVMLError(28)
def nvmlSystemGetCudaDriverVersion(): return 9010
def nvmlDeviceGetCount(): return 1
def nvmlDeviceGetHandleByIndex(index): return Thing
def nvmlDeviceGetName(handle): return b"Tesla K80"
def nvmlDeviceGetPciInfo(handle): return Thing
def nvmlDeviceGetMemoryInfo(handle): return Thing
def nvmlDeviceGetComputeRunningProcesses(handle): return [Thing]
'''


def test_a_binding_of_long_ago(tmp_path: Path) -> None:
    (tmp_path / "pynvml.py").write_text(OLD_BINDING)
    ending = run_script(
        sys.executable, "nvml", {"binding": str(tmp_path)}, deadline=10.0, environ={"PYTHONNOUSERSITE": "1"}
    )
    host = Host(environ={}, root=Path("/nowhere"), system="Linux", run=lambda *_, **__: ending)
    driver = collect(host)
    gpu = collect_gpu(host, driver)
    assert not isinstance(gpu, Unavailable)
    assert (driver.driver_version, driver.cuda_version) == ("390.157", "9.1")
    assert driver.errors == {"nvml_version": "GPU_NOT_FOUND"}
    (device,) = gpu.devices
    assert (device.name, device.pci, device.memory_total) == ("Tesla K80", "00000000:01:00.0", 3)
    assert [process.pid for process in device.processes] == [7]
    assert device.uuid is None
    assert "uuid" not in device.errors  # the binding cannot ask: that is no trouble of the GPU's
