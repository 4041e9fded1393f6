"""``--device``, and the framework's log lines explained from compat_matrix/log_lines.yaml."""

from __future__ import annotations

import click
import pytest

from envcheck.commands.log_lines import explained
from envcheck.commands.options import Device
from envcheck.inventory import Expectations, Inventory, Unavailable
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.gpu import Device as Gpu
from envcheck.probes.gpu import GpuFacts
from envcheck.probes.smoke import LogLine, SmokeFacts
from envcheck.probes.smoke.printed import MOST_LINES, log_lines, placed

GPU = GpuFacts(1, (Gpu(0, "NVIDIA L4"),))
NO_GPU = Unavailable("no NVIDIA GPU or driver here", absent=True)


@pytest.mark.parametrize(
    ("text", "device"),
    [("auto", "auto"), ("CPU", "cpu"), ("gpu", "gpu"), ("GPU:0", "gpu:0"), ("gpu:12", "gpu:12"), ("gpu:007", "gpu:7")],
)
def test_a_device(text: str, device: str) -> None:
    assert Device().convert(text, None, None) == device


@pytest.mark.parametrize("text", ["", "tpu", "gpu:", "gpu:-1", "gpu:one", "gpu:1,2", "gpu:99999", "cpu:0", "gpu:٣"])
def test_what_is_no_device(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"is no device; say auto, cpu, gpu, or gpu:N"):
        Device().convert(text, None, None)


@pytest.mark.parametrize(("device", "required"), [("auto", False), ("cpu", False), ("gpu", True), ("gpu:1", True)])
def test_asking_for_a_gpu_requires_one(device: str, required: bool) -> None:
    assert Expectations(device).gpu_required is required


# The log

FACTORY = "Unable to register cuDNN factory: Attempting to register factory for plugin cuDNN when one has already been registered"
NO_CUDART = "Could not find cuda drivers on your machine, GPU will not be used."
DLOPEN = (
    "Cannot dlopen some GPU libraries. Please make sure the missing libraries mentioned above are installed properly"
)


def explain(*texts: str, gpu: object = NO_GPU, wanted: str = "auto") -> dict[str, bool | None]:
    """Whether each line is harmless, where it is explained at all."""
    log = tuple(LogLine("W", "x.cc", text) for text in texts)
    smoke = SmokeFacts("tensorflow", wanted, "answered", 1.0, 300.0, (), {}, {}, log=log)
    after = explained(Inventory({"smoke": smoke, "gpu": gpu}), load_matrix()).facts["smoke"]
    assert isinstance(after, SmokeFacts)
    assert all(bool(line.meaning) == bool(line.row) == (line.harmless is not None) for line in after.log)
    return {line.text: line.harmless for line in after.log}


def test_harmless_trouble_and_unknown_lines() -> None:
    assert explain(FACTORY, DLOPEN, "never seen before") == {FACTORY: True, DLOPEN: False, "never seen before": None}


@pytest.mark.parametrize(
    ("gpu", "wanted", "harmless"),
    [
        (NO_GPU, "auto", True),
        (GPU, "auto", False),
        (GPU, "cpu", True),
        (NO_GPU, "gpu", False),
        (NO_GPU, "gpu:1", False),
        (GpuFacts(1, (Gpu(0, failure="GPU_IS_LOST"),)), "auto", True),
    ],
)
def test_a_library_that_is_not_there_is_trouble_where_a_gpu_is_wanted(gpu: object, wanted: str, harmless: bool) -> None:
    assert explain(NO_CUDART, gpu=gpu, wanted=wanted) == {NO_CUDART: harmless}


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("could not open file to read NUMA node: /sys/bus/pci/devices/0000:01:00.0/numa_node", "numa-node"),
        ("TF-TRT Warning: Could not find TensorRT", "tensorrt"),
        ("Could not load dynamic library 'libnvinfer.so.7'; dlerror: libnvinfer.so.7: cannot open", "tensorrt"),
        ("Could not load dynamic library 'libcudnn.so.8'; dlerror: libcudnn.so.8: cannot open", "not-loaded"),
        ("Loaded cuDNN version 91900", "library-loaded"),
        ("Loaded runtime CuDNN library: 9.1.0 but source was compiled with: 9.3.0.  CuDNN library", "cudnn-older"),
        ("computation placer already registered. Please check linkage and avoid linking", "placer-twice"),
        ("Falling back to the CUDA driver for PTX compilation; ptxas does not support CC 12.0", "ptxas"),
        ("Skipping registering GPU devices...", "no-dlopen"),
        ("failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected", "cuinit"),
        ("CUDA kernels will be jit-compiled from PTX, which could take 30 minutes", "jit-from-ptx"),
        ("Ignoring visible gpu device (device: 1, name: GT 710) with core count: 1", "gpu-ignored"),
        ("kernel version 550.54.14 does not match DSO version 535.1 -- cannot find working", "driver-mismatch"),
    ],
)
def test_each_kind_of_line_has_its_row(text: str, row: str) -> None:
    assert next(each.id for each in load_matrix().log_lines if each.finds(text)) == row


def test_no_smoke_run_has_no_log() -> None:
    inventory = Inventory({"smoke": Unavailable("--no-smoke")})
    assert explained(inventory, load_matrix()) is inventory


OUTPUT = f"""
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
2026-11-21 12:00:55.524305: I tensorflow/core/util/port.cc:113] oneDNN custom operations are on.
2026-11-21 12:00:55.585186: E external/local_xla/xla/stream_executor/cuda/cuda_dnn.cc:9261] {FACTORY}
2026-11-21 12:00:56.585186: E external/local_xla/xla/stream_executor/cuda/cuda_dnn.cc:9261] {FACTORY}
I0000 00:00:1795262416.862209   11179 cudart_stub.cc:31] {NO_CUDART}
I0000 00:00:1 7 gpu_device.cc:2020] Created device /job:localhost/replica:0/task:0/device:GPU:1 with 21 MB memory:  -> \
device: 1, name: NVIDIA L4, pci bus id: 0000:0A:00.0, compute capability: 8.9
To enable the following instructions: AVX2, rebuild TensorFlow.
"""


def test_the_lines_of_both_kinds_of_logging_are_read_and_counted() -> None:
    found = log_lines(OUTPUT)
    assert [(line.level, line.origin, line.text, line.count) for line in found[:3]] == [
        ("I", "port.cc", "oneDNN custom operations are on.", 1),
        ("E", "cuda_dnn.cc", FACTORY, 2),
        ("I", "cudart_stub.cc", NO_CUDART, 1),
    ]
    assert len(found) == 4
    assert placed(OUTPUT) == {"GPU:1": "0000:0a:00.0"}


@pytest.mark.parametrize("output", ["", "\x00\ufffd\n" * 50, "2026-11-21 12:00:55.524305: I x.cc:1]", "I0000"])
def test_garbage_is_no_log(output: str) -> None:
    assert log_lines(output) == ()
    assert placed(output) == {}


def test_a_flood_is_cut_off() -> None:
    flood = "".join(f"I0000 00:00:1 7 x.cc:1] line {number} {'y' * 5000}\n" for number in range(1000))
    found = log_lines(flood)
    assert len(found) == MOST_LINES
    assert max(len(line.text) for line in found) == 600
