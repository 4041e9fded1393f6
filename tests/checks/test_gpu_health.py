"""GPU307 to GPU313: memory cells, clocks, connections, and questions that the driver does not answer."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gpu_literals as given
import literals
import pynvml
import pytest
from conftest import FakeDriver

from envcheck.checks.gpu_cells import remapped_rows, retired_pages
from envcheck.checks.gpu_clocks import clocks
from envcheck.checks.gpu_driver import driver_answers
from envcheck.checks.gpu_links import fabric, nvlinks, pcie_width
from envcheck.checks.gpu_questions import ELSEWHERE, NO_FAULT, questions
from envcheck.checks.gpu_state import ecc_errors, every_gpu_answers
from envcheck.findings import Check, Finding, Link, Severity, Skip
from envcheck.host import Host
from envcheck.inventory import Expectations, Unavailable
from envcheck.knowledge.matrix import load_matrix
from envcheck.knowledge.nvidia import NvmlCode
from envcheck.probes.cuda import CudaFacts, CudaState
from envcheck.probes.driver import DriverFacts
from envcheck.probes.driver import collect as collect_driver
from envcheck.probes.gpu import Device, Fabric, GpuFacts, NvLinks, Pcie, collect

MATRIX = load_matrix()
UNSEEN = Unavailable("not looked at")
WITH_LINKS: dict[str, Any] = {"nvlinks": NvLinks(12, 0), "errors": {}}
REGISTERED: dict[str, Any] = {"fabric": Fabric("completed", None, "healthy"), "errors": {}}


def judge(check: Check, *devices: Device, **variables: str) -> list[Finding]:
    return list(check.judge(given.gpu(*devices), literals.environment(**variables)))


def fabrics(
    *devices: Device, driver: DriverFacts | None = None, cuda: CudaFacts | Unavailable = UNSEEN, **host: Any
) -> list[Finding]:
    environment = literals.environment()
    gpus = given.gpu(*devices)
    return list(fabric.judge(gpus, driver or given.driver(), cuda, environment, literals.host(**host)))


def answering(*devices: Device, **host: Any) -> list[Finding]:
    return list(questions.judge(given.gpu(*devices), MATRIX, literals.host(**host)))


def test_a_gpu_in_order() -> None:
    for check in (remapped_rows, retired_pages, clocks, pcie_width):
        assert judge(check) == []
    assert judge(nvlinks, *(given.device(index, **WITH_LINKS) for index in range(2))) == []
    assert fabrics(given.device(**REGISTERED)) == []
    assert answering() == []


@pytest.mark.parametrize(
    ("check", "field", "question"),
    [
        (remapped_rows, "remap_failed", "remapped_rows"),
        (retired_pages, "retired_pending", "retired_pending"),
        (clocks, "clock_reasons", "clock_reasons"),
        (pcie_width, "pcie", "pcie_width"),
        (nvlinks, "nvlinks", "nvlink"),
    ],
)
def test_what_nobody_tells_is_not_fine(check: Check, field: str, question: str) -> None:
    """Not applicable only where every GPU says that it has no such thing."""
    lacking = given.device(0, **{field: None, "errors": {question: "NOT_SUPPORTED"}})
    failing = given.device(1, **{field: None, "errors": {question: "UNKNOWN"}})
    for devices, unknown in (
        ((lacking,), False),
        ((lacking, failing), True),
        ((given.device(0, **{field: None, "errors": {}}),), True),
    ):
        with pytest.raises(Skip) as skip:
            judge(check, *devices)
        assert skip.value.unknown is unknown
    with pytest.raises(Skip, match="no GPU is visible"):
        judge(check, CUDA_VISIBLE_DEVICES="-1")


# --- GPU307, GPU308: memory


def test_rows_that_could_not_be_replaced() -> None:
    failed = given.device(2, remap_failed=True, remap_pending=True)
    (finding,) = judge(remapped_rows, given.device(0), given.device(1), failed)
    assert finding.message.startswith("GPU 2 (NVIDIA H100): a faulty row of its memory could not be replaced")
    assert finding.severity is None
    assert remapped_rows.severity is Severity.ERROR
    assert finding.fix is not None
    assert finding.fix.summary.startswith("have the GPU replaced")
    assert judge(remapped_rows, given.device(0), failed, CUDA_VISIBLE_DEVICES="0") == []


def test_rows_that_wait_for_a_reset() -> None:
    (finding,) = judge(remapped_rows, *(given.device(index, remap_pending=True) for index in range(8)))
    assert finding.message.startswith(
        "GPU 0–7 (NVIDIA H100): a faulty row of their memory is replaced only at the next reset"
    )
    assert finding.severity is Severity.WARNING
    assert finding.fix is not None
    assert finding.fix.commands == ("nvidia-smi -q -d ROW_REMAPPER", "sudo nvidia-smi --gpu-reset")


def test_pages_that_wait_to_be_retired() -> None:
    (finding,) = judge(retired_pages, given.device(retired_pending=True))
    assert "are in use until the driver is loaded anew" in finding.message
    assert retired_pages.severity is Severity.WARNING


# --- GPU309: clocks


@pytest.mark.parametrize(
    ("reasons", "said", "remedy"),
    [
        (("software thermal slowdown",), "it is too hot", "let it cool"),
        (("hardware slowdown", "hardware thermal slowdown"), "so hot that its hardware", "let it cool"),
        (("idle", "hardware power brake"), "power supply asks for it", "power supply: it is too weak"),
        (("hardware slowdown",), "its hardware halves the clocks", "its temperature, its power cables"),
    ],
)
def test_clocks_that_are_held_down(reasons: tuple[str, ...], said: str, remedy: str) -> None:
    (finding,) = judge(clocks, given.device(clock_reasons=reasons))
    assert finding.message.startswith("GPU 0 (NVIDIA H100) runs below its clocks (")
    assert said in finding.message
    assert finding.fix is not None
    assert remedy in finding.fix.summary
    assert len(finding.evidence["reasons"]) == 1


@pytest.mark.parametrize(
    "reason", ["idle", "application clocks", "software power cap", "sync boost", "display clocks", "reason 0x4000"]
)
def test_clocks_that_are_low_for_a_good_reason(reason: str) -> None:
    assert judge(clocks, given.device(clock_reasons=(reason,))) == []


# --- GPU310 to GPU312: connections


def test_a_narrow_link() -> None:
    (finding,) = judge(pcie_width, given.device(pcie=Pcie(1, 5, 8, 16), clock_reasons=("idle",)))
    assert finding.message == (
        "GPU 0 (NVIDIA H100) uses 8 of the 16 PCI Express lanes that it and the slot have, while idle"
    )
    assert pcie_width.severity is Severity.NOTE
    (finding,) = judge(pcie_width, given.device(pcie=Pcie(5, 5, 8, 16), clock_reasons=()))
    assert "idle" not in finding.message


@pytest.mark.parametrize(
    "changes",
    [
        {"pcie": Pcie(1, 5, 16, 16)},  # a low generation saves power
        {"pcie": Pcie(4, 4, 8, 8)},  # as many as the slot has
        {"pcie": Pcie(4, 4, 16, 4294967295)},
        {"pcie": Pcie(4, 4, 8, 16), "virtualization": "vGPU"},
    ],
)
def test_a_link_as_wide_as_it_can_be(changes: dict[str, Any]) -> None:
    assert judge(pcie_width, given.device(**changes)) == []


def test_links_that_are_down() -> None:
    lame = given.device(3, nvlinks=NvLinks(4, 2), errors={})
    (finding,) = judge(nvlinks, *(given.device(index, **WITH_LINKS) for index in range(3)), lame)
    assert finding.message.startswith("GPU 3 (NVIDIA H100) has 2 of 6 NVLinks inactive")
    assert nvlinks.severity is Severity.NOTE
    assert finding.fix is not None
    assert finding.fix.commands == ("nvidia-smi nvlink --status -i 3", "nvidia-smi topo -m")
    with pytest.raises(Skip, match="one GPU alone"):
        judge(nvlinks, lame)


def test_a_card_without_a_bridge_has_no_link_to_use() -> None:
    """An A100 for PCI Express without a bridge says that all its links are inactive."""
    bare: dict[str, Any] = {"nvlinks": NvLinks(0, 12), "errors": {}}
    assert judge(nvlinks, given.device(0, **bare), given.device(1, **bare)) == []
    sliced: dict[str, Any] = {
        "nvlinks": NvLinks(4, 8),
        "errors": {},
        "mig": True,
        "mig_instances": (given.instance(1),),
    }
    assert judge(nvlinks, given.device(0, **sliced), given.device(1, **WITH_LINKS)) == []
    switched: dict[str, Any] = {"nvlinks": NvLinks(0, 18), **REGISTERED}
    (finding,) = judge(nvlinks, given.device(0, **switched), given.device(1, nvlinks=NvLinks(18, 0), **REGISTERED))
    assert "18 of 18 NVLinks inactive" in finding.message


@pytest.mark.parametrize("state", ["not started", "in progress", "state 9"])
def test_a_gpu_outside_the_fabric(state: str) -> None:
    outside: dict[str, Any] = {"fabric": Fabric(state), "errors": {}}
    (finding,) = fabrics(*(given.device(index, **outside) for index in range(8)))
    assert finding.message.startswith(
        f"GPU 0–7 (NVIDIA H100) are not registered with the NVSwitch fabric (state: {state}; expected: completed)"
    )
    assert finding.severity is None
    assert (fabric.severity, fabric.link) == (Severity.ERROR, Link.CUINIT)
    assert finding.fix is not None
    assert "of exactly the driver's version (the driver's: 550.54.14)" in finding.fix.summary
    assert finding.fix.commands[0] == "sudo systemctl enable --now nvidia-fabricmanager"
    wheres: tuple[dict[str, Any], ...] = ({"container": "docker"}, {"virtual_machine": "kvm"})
    for where in wheres:
        (finding,) = fabrics(
            given.device(**outside), driver=given.driver(driver_version=None, kernel_version=None), **where
        )
        assert finding.severity is Severity.WARNING  # one GPU may do without
        assert finding.fix is not None
        assert finding.fix.summary.startswith("on the host")
        assert finding.fix.summary.endswith(
            "run the Fabric Manager of exactly the driver's version, and look at its log"
        )
        assert finding.fix.commands == ()


@pytest.mark.parametrize(
    "found",
    [
        Fabric("completed", "INSUFFICIENT_RESOURCES"),
        Fabric("completed", None, "unhealthy"),
        Fabric("completed", None, None, ("degraded bandwidth",)),
    ],
)
def test_a_fabric_that_is_not_well(found: Fabric) -> None:
    (finding,) = fabrics(given.device(fabric=found, errors={}))
    assert finding.severity is Severity.WARNING
    assert (found.error or found.health or found.troubles[0]) in finding.message


def test_what_cuda_itself_says_counts_more() -> None:
    outside = [given.device(index, fabric=Fabric("in progress"), errors={}) for index in range(2)]
    (finding,) = fabrics(*outside, cuda=CudaFacts(CudaState("ok"), count=2))
    assert finding.severity is Severity.WARNING
    assert finding.message.endswith("training on several GPUs is slower")
    (finding,) = fabrics(*outside, cuda=CudaFacts(CudaState("error", 802, "CUDA_ERROR_SYSTEM_NOT_READY")))
    assert finding.severity is None
    assert "GPU110" in fabric.explains


def test_where_there_is_no_fabric() -> None:
    with pytest.raises(Skip, match="in no NVSwitch fabric") as skip:
        fabrics(given.device())
    assert not skip.value.unknown
    assert fabrics(given.device(mig=True, fabric=Fabric("in progress"), errors={})) == []


# --- GPU313: questions


def test_questions_without_an_answer() -> None:
    errors = {"ecc": "CORRUPTED_INFOROM", "remapped_rows": "CORRUPTED_INFOROM", "nvlink": "NOT_SUPPORTED"}
    (finding,) = answering(
        given.device(0), given.device(1, errors=errors), given.device(2, errors={"ecc": "CORRUPTED_INFOROM"})
    )
    row = MATRIX.nvml_code("CORRUPTED_INFOROM")
    assert row is not None
    assert finding.message == (
        f"GPU 1, 2 (NVIDIA H100): NVML answers CORRUPTED_INFOROM when asked for: ecc, remapped rows: {row.meaning}"
    )
    assert finding.fix is not None
    assert finding.fix.summary == row.remedy
    assert finding.fix.commands == ("nvidia-smi -q -i 1", "nvidia-smi -q -i 2")


def test_figures_that_contradict_each_other(fake_driver: FakeDriver) -> None:
    _, gpu = look(fake_driver, "bytes=8:9:0")
    (finding,) = questions.judge(gpu, MATRIX, literals.host())
    assert finding.message == "GPU 0 (Fake H100): NVML's figures contradict each other: total 8, used 9 bytes"


def test_an_error_that_nobody_knows() -> None:
    (finding,) = answering(given.device(errors={"ecc": "CODE_77"}))
    assert "CODE_77, which envcheck does not know, when asked for: ecc" in finding.message


# --- every code of NVML, end to end through the library


def look(fake_driver: FakeDriver, steer: str) -> tuple[DriverFacts, GpuFacts]:
    host = fake_driver(steer, timeout=10.0)
    driver = collect_driver(host)
    gpu = collect(host, driver)
    assert isinstance(gpu, GpuFacts)
    return driver, gpu


def test_every_code_of_the_header_has_a_row() -> None:
    rows = {row.code: f"NVML_ERROR_{row.name}" for row in MATRIX.nvml}
    assert sorted(rows) == [*range(1, 31), 999]  # 0 is no error
    named = {getattr(pynvml, name): name for name in dir(pynvml) if name.startswith("NVML_ERROR_")}
    assert named.items() <= rows.items()
    assert all(row.meaning.strip() and row.remedy.strip() for row in MATRIX.nvml)
    assert len({row.meaning for row in MATRIX.nvml}) == len({row.remedy for row in MATRIX.nvml}) == len(MATRIX.nvml)


@pytest.fixture(scope="module")
def failing(nvml_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[NvmlCode, str], GpuFacts]:
    """A sound GPU and one that answers a function with the code of a row; all codes are asked for in one go."""
    root = tmp_path_factory.mktemp("root")

    @functools.cache
    def every(function: str) -> tuple[Device, ...]:
        told = " ".join(f"{function}@{place}={row.code}" for place, row in enumerate(MATRIX.nvml))
        variables = {"LD_LIBRARY_PATH": str(nvml_folder), "FAKE_NVML": f"count={len(MATRIX.nvml) + 1} {told}"}
        host = Host(root=root, environ=variables, system="Linux", machine="x86_64", timeout=20.0)
        gpu = collect(host, collect_driver(host))
        assert isinstance(gpu, GpuFacts)
        return gpu.devices

    def look_at(row: NvmlCode, function: str) -> GpuFacts:
        *failed, sound = every(function)
        return GpuFacts(2, (failed[MATRIX.nvml.index(row)], sound))

    return look_at


each_code = pytest.mark.parametrize("row", MATRIX.nvml, ids=lambda row: row.name)


@each_code
@pytest.mark.parametrize("where", [None, "docker"])
def test_a_code_at_a_gpu_s_door_has_its_remedy(
    row: NvmlCode, where: str | None, failing: Callable[[NvmlCode, str], GpuFacts]
) -> None:
    gpu = failing(row, "nvmlDeviceGetHandleByIndex_v2")
    findings = list(every_gpu_answers.judge(gpu, MATRIX, literals.host(container=where)))
    if row.name == "NO_PERMISSION":
        assert findings == []  # somebody else's: there is another
        return
    (finding,) = findings
    assert finding.message == f"{gpu.devices[0].label} does not answer: NVML says {row.name}: {row.meaning}"
    assert finding.fix is not None
    assert finding.fix.summary == ((where and row.container) or row.remedy)


@each_code
def test_a_code_in_place_of_an_answer_is_reported_or_at_least_not_fine(
    row: NvmlCode, failing: Callable[[NvmlCode, str], GpuFacts]
) -> None:
    gpu = failing(row, "nvmlDeviceGetTotalEccErrors")
    assert gpu.devices[0].errors["ecc_uncorrected"] == row.name
    host = literals.host()
    found = [*questions.judge(gpu, MATRIX, host), *every_gpu_answers.judge(gpu, MATRIX, host)]
    with pytest.raises(Skip) as skip:
        list(ecc_errors.judge(GpuFacts(1, gpu.devices[:1]), literals.environment()))
    assert skip.value.unknown is (row.name != "NOT_SUPPORTED")
    if row.name in NO_FAULT:
        assert found == []
        return
    (finding,) = found
    assert row.name in finding.message
    assert row.meaning in finding.message
    assert finding.fix is not None
    assert finding.fix.summary == row.remedy


@pytest.mark.parametrize("code", [1, 9, 18, 999])
def test_a_code_of_the_driver_as_a_whole_has_its_remedy(code: int, fake_driver: FakeDriver) -> None:
    """That of every code at nvmlInit stands in tests/probes/test_driver.py."""
    (row,) = (row for row in MATRIX.nvml if row.code == code)
    driver = collect_driver(fake_driver(f"nvmlDeviceGetCount_v2={code}", timeout=10.0))
    (finding,) = driver_answers.judge(driver, literals.host(), Expectations(), MATRIX, UNSEEN)
    assert f"{row.name} ({code}) in nvmlDeviceGetCount" in finding.message
    assert finding.fix is not None
    assert finding.fix.summary == row.remedy


def test_no_name_of_a_code_is_mistyped() -> None:
    names = {row.name for row in MATRIX.nvml} | {"NOT_AVAILABLE", "NO_ANSWER"}
    assert set(NO_FAULT + ELSEWHERE) <= names
