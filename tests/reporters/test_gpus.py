"""The GPU section of the report for people."""

from __future__ import annotations

import gpu_literals as given

from envcheck.inventory import Inventory, Unavailable
from envcheck.probes.cuda import CudaFacts, CudaGpu, CudaState
from envcheck.probes.gpu import Device, Fabric, GpuFacts, NvLinks
from envcheck.reporters.text.facts import described

UUID = "GPU-0000000{}-0000-4000-8000-000000000000"


def lines(gpu: GpuFacts | Unavailable, cuda: CudaFacts | Unavailable | None = None) -> list[str]:
    facts = {"gpu": gpu} if cuda is None else {"gpu": gpu, "cuda": cuda}
    return described("GPU", Inventory(dict(facts), "2026-11-20T00:00:00Z", "0.1.0"))


def gpus(*devices: Device, order: tuple[str | None, ...] | None = None) -> GpuFacts:
    return GpuFacts(len(devices), devices, order)


def test_a_gpu_is_a_line() -> None:
    assert lines(gpus(given.device())) == [
        "GPU 0 (NVIDIA H100): compute capability 9.0, 79.0 GiB of 80.0 GiB free",
    ]
    assert lines(Unavailable("no NVIDIA GPU or driver here")) == ["no NVIDIA GPU or driver here"]


def test_gpus_that_are_alike_share_a_line() -> None:
    eight = [given.device(index) for index in range(8)]
    eight[3] = given.device(3, memory_free=given.GIB)
    assert lines(gpus(*eight)) == [
        "GPU 0–2, 4–7 (NVIDIA H100): compute capability 9.0, 79.0 GiB of 80.0 GiB free each",
        "GPU 3 (NVIDIA H100): compute capability 9.0, 1.0 GiB of 80.0 GiB free",
    ]


def test_more_where_there_is_more_to_say() -> None:
    sliced = given.device(0, mig=True, mig_instances=(given.instance(16, free=5 * given.GIB),))
    linked = given.device(1, nvlinks=NvLinks(17, 1), fabric=Fabric("completed"), errors={})
    virtual = given.device(
        2, virtualization="vGPU", errors={"ecc": "TIMEOUT", "fabric": "NOT_SUPPORTED", "memory": "UNKNOWN"}
    )
    assert lines(gpus(sliced, linked, virtual, given.device(3, name=None, failure="GPU_IS_LOST"))) == [
        "GPU 0 (NVIDIA H100): compute capability 9.0, 79.0 GiB of 80.0 GiB free, in MIG mode",
        "  MIG-00000010-0001-5000-8000-000000000000: 5.0 GiB of 10.0 GiB free",
        "GPU 1 (NVIDIA H100): compute capability 9.0, 79.0 GiB of 80.0 GiB free, 17 of 18 NVLinks active, "
        "NVSwitch fabric completed",
        "GPU 2 (NVIDIA H100): compute capability 9.0, 79.0 GiB of 80.0 GiB free, a virtual GPU",
        "  not told: ecc: TIMEOUT; memory: UNKNOWN",
        "GPU 3: GPU_IS_LOST",
    ]


TWO = (given.device(0), given.device(1))


def test_which_gpu_is_the_first_as_foretold() -> None:
    assert lines(gpus(*TWO, order=(UUID.format(2), UUID.format(1), None)))[1:] == [
        f"GPU:0 would be GPU 1 (NVIDIA H100), {UUID.format(2)}; then GPU 0, a GPU that NVML does not tell of",
    ]
    assert len(lines(gpus(*TWO, order=()))) == 1
    mixed = gpus(given.device(0), given.device(1, name="NVIDIA T400"))
    (said,) = lines(mixed)[1:]
    assert said.startswith("which of them is GPU:0 is CUDA's choice")
    devices = [given.device(index) for index in range(20)]
    (said,) = lines(gpus(*devices, order=tuple(device.uuid for device in devices)))[1:]
    assert said.endswith("; then GPU " + ", ".join(str(index) for index in range(1, 16)) + ", 4 more")
    sliced = given.device(0, mig=True, mig_instances=(given.instance(16), given.instance(17)))
    order = tuple(each.uuid for each in sliced.mig_instances or ())
    assert lines(gpus(sliced, order=order))[-1] == f"GPU:0 would be GPU 0 (NVIDIA H100), {order[0]}; then {order[1]}"


def test_cuda_s_own_word_stands_before_what_was_foretold() -> None:
    counted = CudaFacts(
        CudaState("ok"),
        count=2,
        devices=(CudaGpu(0, "NVIDIA H100", "00000002-0000-4000-8000-000000000000"), CudaGpu(1, "Strange", "beef")),
    )
    gpu = gpus(*TWO, order=(UUID.format(1), UUID.format(2)))
    assert lines(gpu, counted)[1:] == [
        f"GPU:0 is GPU 1 (NVIDIA H100), {UUID.format(2)}; then a GPU that NVML does not tell of (Strange)",
    ]
    for cuda in (CudaFacts(CudaState("hung")), Unavailable("not looked at")):
        assert lines(gpu, cuda)[1] == f"GPU:0 would be GPU 0 (NVIDIA H100), {UUID.format(1)}; then GPU 1"
