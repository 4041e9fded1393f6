"""GPU301 and GPU306: room in the GPU's memory."""

from __future__ import annotations

from typing import Any

import gpu_literals as given
import literals
import pytest

from envcheck.checks.gpu_memory import enough_memory, memory_not_taken
from envcheck.findings import Finding, Severity, Skip
from envcheck.inventory import Expectations
from envcheck.probes.gpu import Device, GpuFacts

GIB = 1 << 30


def asked(gpu: GpuFacts, wanted: int | None, visible: str | None = None, **host: Any) -> list[Finding]:
    facts = literals.environment(**({} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}))
    return list(enough_memory.judge(gpu, facts, literals.host(**host), Expectations(min_gpu_memory=wanted)))


def taken(gpu: GpuFacts, **host: Any) -> list[Finding]:
    return list(memory_not_taken.judge(gpu, literals.environment(), literals.host(**host), Expectations()))


def held(index: int = 0, free: int = 2 * GIB, **changes: Any) -> Device:
    return given.device(index, memory_free=free, memory_used=80 * GIB - free, **changes)


def test_there_is_room() -> None:
    assert asked(given.gpu(), 40 * GIB) == []
    assert taken(given.gpu()) == []


def test_others_hold_the_memory() -> None:
    device = held(processes=(given.process(4711, 77 * GIB), given.process(12, None)))
    (finding,) = asked(given.gpu(device), 40 * GIB)
    assert finding.message == (
        "GPU 0 (NVIDIA H100) has 2.0 GiB of 80.0 GiB free, 40.0 GiB are asked for; held by process 4711 (77.0 GiB), "
        "process 12 (amount not told)"
    )
    assert finding.fix is not None
    assert finding.fix.commands[0] == "ps -o pid,user,lstart,args -p 4711,12"
    (finding,) = asked(given.gpu(device), 40 * GIB, container="docker")
    assert finding.message.endswith("numbered as on the container's host")
    assert finding.fix is not None
    assert finding.fix.commands[0] == "nvidia-smi"


def test_nobody_is_named() -> None:
    (finding,) = asked(given.gpu(held()), 40 * GIB)
    assert "does not tell who holds it" in finding.message


def test_many_holders_are_cut_short() -> None:
    device = held(processes=tuple(given.process(pid, GIB) for pid in range(1, 9)))
    (finding,) = taken(given.gpu(device))
    assert finding.message.endswith("process 5 (1.0 GiB) and 3 more")
    assert finding.evidence["processes"] == list(range(1, 9))


def test_the_gpu_is_too_small() -> None:
    (finding,) = asked(given.gpu(), 100 * GIB)
    assert finding.message == "GPU 0 (NVIDIA H100) has 80.0 GiB in all, 100.0 GiB are asked for"


def test_one_large_gpu_is_enough() -> None:
    gpu = given.gpu(held(0), given.device(1))
    (finding,) = asked(gpu, 40 * GIB)
    assert finding.severity is Severity.WARNING
    (finding,) = asked(gpu, 40 * GIB, visible="0")
    assert finding.severity is None
    assert asked(gpu, 40 * GIB, visible="1") == []


def test_mig_instances_are_judged_and_not_their_gpu() -> None:
    device = given.device(mig=True, mig_instances=(given.instance(1), given.instance(2, free=GIB // 2)))
    assert [finding.severity for finding in asked(given.gpu(device), 8 * GIB)] == [Severity.WARNING]
    assert [finding.severity for finding in asked(given.gpu(device), 40 * GIB)] == [None, None]
    (finding,) = taken(given.gpu(device))
    assert finding.message.startswith("MIG instance MIG-00000002-0001")
    assert "only 512 MiB of 10.0 GiB free" in finding.message


def test_nearly_full_without_a_minimum() -> None:
    (finding,) = taken(given.gpu(held()))
    assert "has only 2.0 GiB of 80.0 GiB free" in finding.message
    assert taken(given.gpu(held(free=9 * GIB))) == []


def test_what_cannot_be_judged_is_said() -> None:
    untold = given.gpu(given.device(memory_total=None, memory_free=None, memory_used=None))
    with pytest.raises(Skip, match="does not tell how much memory"):
        asked(untold, GIB)
    with pytest.raises(Skip, match="does not tell how much memory"):
        taken(untold)
    with pytest.raises(Skip, match="no minimum"):
        asked(given.gpu(), None)
    with pytest.raises(Skip, match="no GPU is visible"):
        asked(given.gpu(), GIB, visible="")
    with pytest.raises(Skip, match="GPU301"):
        list(
            memory_not_taken.judge(
                given.gpu(), literals.environment(), literals.host(), Expectations(min_gpu_memory=GIB)
            )
        )
