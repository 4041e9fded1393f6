"""Invented but realistic GPU machines: what the doctor says of each, why, and where that is known from.

The expectations come from the vendor's tables and the wheels' own lists, not from what the checks happen to say. Each
inventory goes through JSON, as ``envcheck inventory`` writes it and ``envcheck doctor --from`` reads it.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gpu_literals as given
import literals
import pytest
from packaging.version import Version

from envcheck.codec import decode_inventory, encode_inventory, facts_type
from envcheck.engine import Facts, run
from envcheck.findings import Outcome, Severity, Status
from envcheck.inventory import Expectations, Inventory, Unavailable
from envcheck.knowledge.choice import PLATFORMS
from envcheck.knowledge.matrix import load_matrix
from envcheck.knowledge.releases import Build
from envcheck.probes.driver import NvmlState
from envcheck.registry import checks, probes
from envcheck.suggestion.fresh import Plan, Wishes, plan
from envcheck.suggestion.machine import Machine as Target
from envcheck.suggestion.suits import Candidate

MATRIX = load_matrix()
GIB = 1 << 30
ERROR, WARNING = "error", "warning"
TOOLKITS = "https://docs.nvidia.com/cuda/archive/13.2.0/cuda-toolkit-release-notes/"
MINOR = "https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html"
WHEELS = "build_info.py of the wheel (compat_matrix/releases/tensorflow.json)"
GPUS = "https://developer.nvidia.com/cuda-gpus and the fatbins of the wheels (compat_matrix/tensorflow.yaml)"
BLACKWELL = "https://github.com/tensorflow/tensorflow/issues/101746"
LOADER = "compat_matrix/gpu_knots.yaml"
DEVICES = "https://docs.nvidia.com/cuda/cuda-c-programming-guide/#cuda-environment-variables"
WINDOWS = "https://www.tensorflow.org/install/pip#windows-native"


@dataclass(frozen=True)
class Machine:
    """One machine and its verdict: the codes that fail with their gravest severity, none on a sound one.

    ``kind`` is how TensorFlow came: ``and-cuda`` (with the nvidia packages; ``cudnn`` is theirs), ``plain`` (CUDA from the
    system), ``cpu``, ``gpu`` (the distribution tensorflow-gpu).
    """

    name: str
    gpu: str
    driver: str
    tensorflow: str
    expected: dict[str, str]
    why: str
    source: str
    kind: str = "and-cuda"
    python: str = "3.11"
    cudnn: str | None = None
    capability: str | None = None
    cuda: str | None = None
    more: dict[str, Any] = field(default_factory=dict)


def m(*values: Any, **more: Any) -> Machine:
    """One machine."""
    return Machine(*values, **more)


MACHINES = [
    # name, GPU, driver, TensorFlow, expected, why, source
    m(
        "h100",
        "NVIDIA H100 80GB HBM3",
        "550.54.14",
        "2.20.0",
        {},
        "machine code for 9.0, driver of CUDA 12.4",
        GPUS,
        cudnn="9.10.2.21",
    ),
    m(
        "h100-2.21",
        "NVIDIA H100 80GB HBM3",
        "550.54.14",
        "2.21.0",
        {"GPU206": ERROR},
        "libcusolver is not on the run path",
        LOADER,
        cudnn="9.10.2.21",
    ),
    m(
        "h100-2.21-mended",
        "NVIDIA H100 80GB HBM3",
        "550.54.14",
        "2.21.0",
        {},
        "LD_LIBRARY_PATH leads to it",
        LOADER,
        cudnn="9.10.2.21",
        more={"environment": {"LD_LIBRARY_PATH": "/srv/venv/lib/python3.11/site-packages/nvidia/cusolver/lib"}},
    ),
    m(
        "h100-2.21-system-cuda",
        "NVIDIA H100 80GB HBM3",
        "555.42.02",
        "2.21.0",
        {},
        "the fault is of the nvidia packages",
        LOADER,
        kind="plain",
    ),
    m(
        "h100-oldest-driver",
        "NVIDIA H100 80GB HBM3",
        "525.60.13",
        "2.18.1",
        {},
        "the floor of CUDA 12 exactly",
        MINOR,
        cudnn="9.3.0.75",
    ),
    m(
        "h100-driver-below",
        "NVIDIA H100 80GB HBM3",
        "520.61.05",
        "2.18.1",
        {"GPU202": ERROR},
        "below the floor of CUDA 12",
        MINOR,
        cudnn="9.3.0.75",
        cuda="11.8",
    ),
    m(
        "h100-2.14",
        "NVIDIA H100 80GB HBM3",
        "535.104.05",
        "2.14.1",
        {"GPU204": WARNING},
        "2.14 ends at 8.0: PTX of 8.0 is compiled at the first start",
        GPUS,
        cudnn="8.7.0.84",
    ),
    m(
        "h100-2.14-old-driver",
        "NVIDIA H100 80GB HBM3",
        "515.43.04",
        "2.14.1",
        {"GPU204": ERROR},
        "its PTX is of CUDA 11.8, which needs 520.61.05",
        TOOLKITS,
        cudnn="8.7.0.84",
        cuda="11.7",
    ),
    m(
        "a100-450",
        "NVIDIA A100-SXM4-40GB",
        "450.80.02",
        "2.12.1",
        {},
        "the floor of CUDA 11 exactly",
        MINOR,
        kind="plain",
        cuda="11.0",
    ),
    m(
        "a100-450-ga",
        "NVIDIA A100-SXM4-40GB",
        "450.51.05",
        "2.12.1",
        {"GPU202": ERROR},
        "the first R450 is below the floor of CUDA 11",
        MINOR,
        kind="plain",
        cuda="11.0",
    ),
    m(
        "a100-470-2.17",
        "NVIDIA A100-SXM4-80GB",
        "470.57.02",
        "2.17.1",
        {"GPU202": ERROR},
        "CUDA 12.3 needs 525.60.13",
        MINOR,
        cudnn="8.9.7.29",
        cuda="11.4",
    ),
    m(
        "a100-2.3",
        "NVIDIA A100-SXM4-40GB",
        "470.57.02",
        "2.3.4",
        {"GPU204": WARNING},
        "2.3 ends at 7.0: PTX",
        GPUS,
        kind="plain",
        python="3.8",
        cuda="11.4",
    ),
    m(
        "v100-9.10",
        "Tesla V100-SXM2-16GB",
        "550.54.14",
        "2.20.0",
        {},
        "cuDNN 9.10.2 is the last with kernels for 7.0",
        LOADER,
        cudnn="9.10.2.21",
    ),
    m(
        "v100-9.28",
        "Tesla V100-SXM2-16GB",
        "550.54.14",
        "2.20.0",
        {"GPU206": ERROR},
        "cuDNN 9.28 has no kernels for 7.0",
        LOADER,
        cudnn="9.28.0.42",
    ),
    m("t4-9.28", "Tesla T4", "550.54.14", "2.20.0", {}, "7.5 is served by every cuDNN 9", LOADER, cudnn="9.28.0.42"),
    m(
        "t4-2.4",
        "Tesla T4",
        "450.80.02",
        "2.4.4",
        {},
        "7.0 code runs on 7.5",
        GPUS,
        kind="plain",
        python="3.8",
        cuda="11.0",
    ),
    m("p100-2.20", "Tesla P100-PCIE-16GB", "535.104.05", "2.20.0", {}, "machine code for 6.0", GPUS, cudnn="9.10.2.21"),
    m(
        "gtx1080ti-2.20",
        "NVIDIA GeForce GTX 1080 Ti",
        "535.104.05",
        "2.20.0",
        {},
        "6.0 code runs on 6.1",
        GPUS,
        cudnn="9.10.2.21",
    ),
    m(
        "gtx1080ti-9.28",
        "NVIDIA GeForce GTX 1080 Ti",
        "535.104.05",
        "2.20.0",
        {"GPU206": ERROR},
        "cuDNN 9.28 has no kernels for 6.1",
        LOADER,
        cudnn="9.28.0.42",
    ),
    m(
        "gtx970-2.17",
        "NVIDIA GeForce GTX 970",
        "535.104.05",
        "2.17.1",
        {"GPU203": ERROR},
        "5.x ended with 2.16",
        GPUS,
        cudnn="8.9.7.29",
    ),
    m(
        "gtx970-2.16",
        "NVIDIA GeForce GTX 970",
        "535.104.05",
        "2.16.2",
        {},
        "5.0 code runs on 5.2",
        GPUS,
        cudnn="8.9.7.29",
    ),
    m(
        "k80-2.14",
        "Tesla K80",
        "470.57.02",
        "2.14.1",
        {},
        "3.5 code runs on 3.7; CUDA 11.8 on R470",
        GPUS,
        kind="plain",
        cuda="11.4",
    ),
    m(
        "k80-2.15",
        "Tesla K80",
        "470.57.02",
        "2.15.1",
        {"GPU202": ERROR, "GPU203": ERROR},
        "3.x ended with 2.14, and R470 does not run CUDA 12",
        GPUS,
        cudnn="8.9.4.25",
        cuda="11.4",
    ),
    m(
        "rtx2080ti-2.8",
        "NVIDIA GeForce RTX 2080 Ti",
        "460.27.04",
        "2.8.4",
        {},
        "machine code for 7.5",
        GPUS,
        kind="plain",
        python="3.10",
        cuda="11.2",
    ),
    m(
        "rtx3090-2.4",
        "NVIDIA GeForce RTX 3090",
        "455.23",
        "2.4.4",
        {},
        "8.0 code runs on 8.6",
        GPUS,
        kind="plain",
        python="3.8",
        cuda="11.1",
    ),
    m(
        "rtx3090-1.15",
        "NVIDIA GeForce RTX 3090",
        "470.57.02",
        "1.15.5",
        {"GPU204": WARNING},
        "CUDA 10 knows no 8.6: PTX of 7.0 at best",
        GPUS,
        kind="gpu",
        python="3.7",
        cuda="11.4",
    ),
    m(
        "rtx3090-2.16.1",
        "NVIDIA GeForce RTX 3090",
        "550.54.14",
        "2.16.1",
        {"GPU206": ERROR},
        "its run path names cuda_runtime alone",
        LOADER,
        cudnn="8.9.7.29",
    ),
    m(
        "rtx3090-2.16.2",
        "NVIDIA GeForce RTX 3090",
        "550.54.14",
        "2.16.2",
        {},
        "8.0 code runs on 8.6",
        GPUS,
        cudnn="8.9.7.29",
    ),
    m(
        "rtx4090-2.15",
        "NVIDIA GeForce RTX 4090",
        "535.104.05",
        "2.15.1",
        {},
        "8.0 code runs on 8.9",
        GPUS,
        cudnn="8.9.4.25",
    ),
    m(
        "rtx4090-cudnn",
        "NVIDIA GeForce RTX 4090",
        "535.104.05",
        "2.15.1",
        {"GPU206": ERROR},
        "cuDNN 8.6 is older than compiled",
        LOADER,
        cudnn="8.6.0.163",
    ),
    m(
        "rtx4090-cpu",
        "NVIDIA GeForce RTX 4090",
        "550.54.14",
        "2.20.0",
        {"GPU201": WARNING},
        "tensorflow-cpu, chosen by its name",
        WHEELS,
        kind="cpu",
    ),
    m(
        "rtx4090-cpu-wanted",
        "NVIDIA GeForce RTX 4090",
        "550.54.14",
        "2.20.0",
        {"GPU201": ERROR},
        "tensorflow-cpu where a GPU is required",
        WHEELS,
        kind="cpu",
        more={"expectations": Expectations(require_gpu=True)},
    ),
    m(
        "rtx5090-2.20",
        "NVIDIA GeForce RTX 5090",
        "570.26",
        "2.20.0",
        {"GPU205": ERROR},
        "no machine code for 12.0, and its PTX is reported to fail",
        BLACKWELL,
        cudnn="9.10.2.21",
        cuda="12.8",
    ),
    m(
        "b200-2.20",
        "NVIDIA B200",
        "570.26",
        "2.20.0",
        {"GPU205": WARNING},
        "no machine code for 10.0; no report for it",
        BLACKWELL,
        cudnn="9.10.2.21",
        cuda="12.8",
    ),
    m("l4-2.17", "NVIDIA L4", "535.104.05", "2.17.1", {}, "machine code for 8.9", GPUS, cudnn="8.9.7.29"),
    m("a10g-2.19", "NVIDIA A10G", "535.104.05", "2.19.1", {}, "8.0 code runs on 8.6", GPUS, cudnn="9.3.0.75"),
    m(
        "windows-2.10",
        "NVIDIA GeForce RTX 3060",
        "472.12",
        "2.10.1",
        {},
        "the last with a GPU on Windows itself",
        WINDOWS,
        kind="plain",
        python="3.10",
        cuda="11.4",
        more={"system": "Windows"},
    ),
    m(
        "windows-2.11",
        "NVIDIA GeForce RTX 3060",
        "536.25",
        "2.11.0",
        {"GPU201": ERROR},
        "wheels for Windows are without CUDA from 2.11 on",
        WINDOWS,
        kind="cpu-only",
        python="3.10",
        more={"system": "Windows"},
    ),
    m(
        "aarch64",
        "NVIDIA GH200 480GB",
        "550.54.14",
        "2.20.0",
        {"GPU201": ERROR},
        "the wheels for aarch64 are without CUDA",
        WHEELS,
        kind="cpu-only",
        more={"machine": "aarch64"},
    ),
    m(
        "hidden",
        "NVIDIA A100-SXM4-40GB",
        "550.54.14",
        "2.20.0",
        {"GPU105": ERROR},
        "CUDA_VISIBLE_DEVICES=-1 hides it where a GPU is required",
        DEVICES,
        cudnn="9.10.2.21",
        more={"environment": {"CUDA_VISIBLE_DEVICES": "-1"}, "expectations": Expectations(require_gpu=True)},
    ),
    m(
        "mismatch",
        "NVIDIA A100-SXM4-40GB",
        "550.54.14",
        "2.20.0",
        {"GPU101": ERROR},
        "the library was updated and the module was not",
        "comments of nvml.h: LIB_RM_VERSION_MISMATCH",
        cudnn="9.10.2.21",
        more={"nvml": 18},
    ),
    m(
        "two-one-too-old",
        "NVIDIA A100-SXM4-40GB",
        "535.104.05",
        "2.17.1",
        {"GPU203": WARNING},
        "the K80 beside it is left out",
        GPUS,
        cudnn="8.9.7.29",
        more={"second": "Tesla K80"},
    ),
    m(
        "two-2.20",
        "NVIDIA A100-SXM4-40GB",
        "550.54.14",
        "2.20.0",
        {},
        "NCCL is linked in: that no run path leads to libnccl.so.2 does not matter",
        "compat_matrix/gpu_libraries.yaml",
        cudnn="9.10.2.21",
        more={"second": "NVIDIA A100-SXM4-40GB"},
    ),
    m(
        "small-memory",
        "NVIDIA L4",
        "550.54.14",
        "2.20.0",
        {"GPU301": ERROR},
        "100 GiB wanted, 79 free",
        "the expectation itself",
        cudnn="9.10.2.21",
        more={"expectations": Expectations(min_gpu_memory=100 * GIB)},
    ),
]


def built(machine: Machine) -> tuple[str, Version, Build | None]:
    """The distribution, its version and the build of its wheel for this kind of machine."""
    name = {"cpu": "tensorflow-cpu", "gpu": "tensorflow-gpu"}.get(machine.kind, "tensorflow")
    version = Version(machine.tensorflow)
    release = MATRIX.releases.find(name, version) or MATRIX.releases.find(
        name, Version(f"{version.major}.{version.minor}.0")
    )
    assert release is not None, f"{name} {version}"
    windows = machine.more.get("system") == "Windows"
    builds = [each for each in release.builds if each.cuda and any(("win" in tag) == windows for tag in each.wheels)]
    return name, Version(release.version), builds[0] if builds and machine.kind not in ("cpu", "cpu-only") else None


def device(name: str, index: int = 0) -> Any:
    product = MATRIX.product(name)
    assert product is not None, name
    return given.device(index, name=name, compute_capability=product.capability)


def facts(machine: Machine) -> dict[str, object]:
    """Its inventory."""
    name, version, build = built(machine)
    series = MATRIX.series(version)
    assert series is not None
    gpus = [device(machine.gpu), *([device(machine.more["second"], 1)] if "second" in machine.more else [])]
    cuda = machine.cuda or next(
        (row.cuda for row in MATRIX.branches if row.branch == machine.driver.split(".")[0]), None
    )
    driver = given.driver(
        driver_version=machine.driver,
        kernel_version=machine.driver,
        cuda_version=cuda,
        device_count=len(gpus),
        usable_devices=len(gpus),
    )
    gpu: object = given.gpu(*gpus)
    if "nvml" in machine.more:
        driver = dataclasses.replace(
            driver, nvml=NvmlState("error", 18, "LIB_RM_VERSION_MISMATCH", "nvmlInit"), driver_version=None
        )
        gpu = Unavailable("no NVIDIA driver answers")
    packages = [literals.distribution(name, str(version), wheel_tags=())]
    python = machine.python
    release = MATRIX.releases.find(name, version)
    assert release is not None
    made = plan(MATRIX, Target(python, PLATFORMS["linux-x86_64"]), Wishes(), Candidate(name, release, build))
    assert isinstance(made, Plan), made
    packages += [literals.distribution(pin.name, pin.version) for pin in made.pins[1:]]
    if machine.kind == "and-cuda":
        packages += [
            literals.distribution("nvidia-cuda-runtime-cu12", "12.5.82"),
            literals.distribution("nvidia-cudnn-cu12", machine.cudnn or "0"),
        ]
    keras = next((pin.version for pin in made.pins if pin.name == "keras"), None)
    host = {"system": machine.more.get("system", "Linux"), "machine": machine.more.get("machine", "x86_64")}
    numbers = tuple(int(part) for part in python.split("."))
    return {
        "python": literals.python(version=f"{python}.9", version_info=(*numbers, 9)),
        "host": literals.host(**host),
        "environment": literals.environment(**machine.more.get("environment", {})),
        "packages": literals.packages(*packages),
        "tensorflow": given.tensorflow(
            str(version),
            name,
            is_cuda=build is not None,
            cuda=build.cuda if build else None,
            cudnn=build.cudnn if build else None,
            sass=tuple(series.sass or ("3.5", "7.0")) if build else (),
            ptx=tuple(series.ptx or ("7.0",)) if build else (),
        ),
        "keras": given.keras(keras),
        "driver": driver,
        "gpu": gpu,
        "smoke": Unavailable("--no-smoke: nothing was imported or run"),
    }


def saved(machine: Machine) -> str:
    return json.dumps(encode_inventory(Inventory(facts(machine), "2026-11-21T00:00:00Z", "0")))


def judged(machine: Machine) -> dict[str, Outcome]:
    types = {name: facts_type(probe.collect) for name, probe in probes().items()}
    inventory = decode_inventory(saved(machine), types, machine.name)
    expectations = machine.more.get("expectations", Expectations())
    outcomes = run(checks(), Facts({**inventory.facts, "expectations": expectations, "matrix": MATRIX}, {}))
    assert not [outcome for outcome in outcomes if outcome.status is Status.BROKEN]
    return {
        outcome.code: outcome for outcome in outcomes if outcome.status is Status.FAILED and outcome.caused_by is None
    }


def test_there_are_enough_of_them() -> None:
    assert len(MACHINES) >= 40
    assert len({machine.name for machine in MACHINES}) == len(MACHINES)
    assert all(machine.why and machine.source for machine in MACHINES)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_the_verdict(machine: Machine) -> None:
    failed = {code: outcome.worst for code, outcome in judged(machine).items() if code.startswith("GPU")}
    grave = {code: severity.value for code, severity in failed.items() if severity and severity is not Severity.NOTE}
    assert grave == machine.expected, machine.why


@pytest.mark.parametrize("name", ["h100", "v100-9.28", "k80-2.15"])
def test_the_command_says_the_same(name: str, tmp_path: Path) -> None:
    machine = next(each for each in MACHINES if each.name == name)
    (tmp_path / "node.json").write_text(saved(machine), "utf-8")
    command = [sys.executable, "-m", "envcheck", "doctor", "--from", "node.json", "--select", "GPU", "-f", "json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    failed = {each["code"] for each in report["outcomes"] if each["status"] == "failed" and each["caused_by"] is None}
    assert failed == set(machine.expected)
    assert done.returncode == (1 if ERROR in machine.expected.values() else 0)
