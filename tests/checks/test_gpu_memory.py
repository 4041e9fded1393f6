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


def severities(findings: list[Finding]) -> list[Severity | None]:
    return [finding.severity for finding in findings]


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


def test_the_first_visible_gpu_must_have_the_memory() -> None:
    gpu = given.gpu(held(0), given.device(1))
    assert severities(asked(gpu, 40 * GIB)) == [None]
    assert severities(asked(gpu, 40 * GIB, visible="0")) == [None]
    assert severities(asked(gpu, 40 * GIB, visible="0,1")) == [None]
    assert severities(asked(gpu, 40 * GIB, visible="1,0")) == [Severity.WARNING]
    assert asked(gpu, 40 * GIB, visible="1") == []
    assert severities(asked(given.gpu(given.device(0), held(1)), 40 * GIB)) == [Severity.WARNING]


def test_which_gpu_is_the_first_is_not_always_known() -> None:
    small = given.device(0, name="NVIDIA T400", memory_total=4 * GIB, memory_free=4 * GIB)
    mixed = given.gpu(small, given.device(1))  # CUDA takes the fastest first
    assert severities(asked(mixed, 40 * GIB)) == [Severity.WARNING]
    assert severities(asked(mixed, 90 * GIB)) == [None]
    (finding,) = asked(mixed, 90 * GIB)
    assert finding.message == (
        "GPU 0 (NVIDIA T400), GPU 1 (NVIDIA H100) each have 4.0 GiB to 80.0 GiB in all, 90.0 GiB are asked for"
    )


def test_mig_instances_are_judged_and_not_their_gpu() -> None:
    first, second = given.instance(1), given.instance(2, 10 * GIB, GIB // 2, given.process(5, 9 * GIB))
    device = given.device(mig=True, mig_instances=(first, second))
    assert severities(asked(given.gpu(device), 8 * GIB)) == [Severity.WARNING]
    assert severities(asked(given.gpu(device), 40 * GIB)) == [None]
    assert asked(given.gpu(device), 8 * GIB, visible=first.uuid) == []
    (finding,) = asked(given.gpu(device), 8 * GIB, visible=second.uuid)
    assert finding.severity is None
    assert finding.message == (
        "MIG instance MIG-00000002-0001-5000-8000-000000000000 of GPU 0 (NVIDIA H100) has 512 MiB of 10.0 GiB free, "
        "8.0 GiB are asked for; held by process 5 (9.0 GiB)"
    )
    (finding,) = taken(given.gpu(device))
    assert finding.message.startswith("MIG instance MIG-00000002-0001")
    assert "only 512 MiB of 10.0 GiB free" in finding.message


@pytest.mark.parametrize("instances", [None, ()])
def test_mig_whose_instances_are_not_known_is_no_pass(instances: tuple[()] | None) -> None:
    gpu = given.gpu(given.device(mig=True, mig_instances=instances))
    for visible in (None, "0", "GPU-00000001"):
        with pytest.raises(Skip, match="does not tell how much memory") as skip:
            asked(gpu, GIB, visible=visible)
        assert skip.value.unknown
    with pytest.raises(Skip, match="does not tell how much memory") as skip:
        taken(gpu)
    assert skip.value.unknown
    if instances is None:  # the one that is named may be there
        with pytest.raises(Skip, match="does not tell how much memory"):
            asked(gpu, GIB, visible="MIG-12345678")


def test_who_holds_it_has_a_name() -> None:
    holders = (given.process(7, 70 * GIB, name="python3.11"), given.process(8, None, name="Xorg"))
    (finding,) = asked(given.gpu(held(processes=holders)), 75 * GIB)
    assert finding.message.endswith("held by process 7 (python3.11, 70.0 GiB), process 8 (Xorg, amount not told)")


def test_envcheck_s_own_smoke_run_is_not_blamed() -> None:
    own = given.process(7, 70 * GIB, own=True)
    assert asked(given.gpu(held(processes=(own,))), 40 * GIB) == []
    assert taken(given.gpu(held(processes=(own,)))) == []
    (finding,) = asked(given.gpu(held(processes=(own, given.process(8, 5 * GIB)))), 75 * GIB)
    assert "has 72.0 GiB of 80.0 GiB free" in finding.message
    assert finding.message.endswith("held by process 8 (5.0 GiB)")
    assert finding.evidence["processes"] == [8]
    sliced = given.instance(1, 10 * GIB, GIB // 2, given.process(7, 9 * GIB, own=True))
    assert asked(given.gpu(given.device(mig=True, mig_instances=(sliced,))), 8 * GIB) == []
    untold = given.process(7, None, own=True)  # how much of it is envcheck's is not known
    with pytest.raises(Skip, match="does not tell") as skip:
        asked(given.gpu(held(processes=(untold,))), 40 * GIB)
    assert skip.value.unknown


def test_a_demand_of_the_user_explains_no_failure() -> None:
    assert enough_memory.explains == ()


def test_eight_gpus_with_one_trouble_make_one_finding() -> None:
    gpu = given.gpu(*(held(index, free=(index + 1) * GIB, processes=(given.process(9, GIB),)) for index in range(8)))
    (finding,) = taken(gpu)
    assert finding.message == (
        "GPU 0–6 (NVIDIA H100) each have only 1.0 GiB to 7.0 GiB of 80.0 GiB free; held by process 9 (1.0 GiB)"
    )
    first, further = asked(gpu, 40 * GIB)
    assert first.message.startswith("GPU 0 (NVIDIA H100) has 1.0 GiB of 80.0 GiB free")
    assert further.message.startswith("GPU 1–7 (NVIDIA H100) each have 2.0 GiB to 8.0 GiB of 80.0 GiB free")


def test_nearly_full_without_a_minimum() -> None:
    (finding,) = taken(given.gpu(held()))
    assert "has only 2.0 GiB of 80.0 GiB free" in finding.message
    assert taken(given.gpu(held(free=9 * GIB))) == []


def test_what_cannot_be_judged_is_said() -> None:
    untold = given.gpu(given.device(memory_total=None, memory_free=None, memory_used=None))
    with pytest.raises(Skip, match="does not tell how much memory") as skip:
        asked(untold, GIB)
    assert skip.value.unknown
    with pytest.raises(Skip, match="does not tell how much memory") as skip:
        taken(untold)
    assert skip.value.unknown
    with pytest.raises(Skip, match="no minimum") as skip:
        asked(given.gpu(), None)
    assert not skip.value.unknown
    with pytest.raises(Skip, match="no GPU is visible"):
        asked(given.gpu(), GIB, visible="")
    with pytest.raises(Skip, match="GPU301"):  # the one question or the other arises, never both
        list(
            memory_not_taken.judge(
                given.gpu(), literals.environment(), literals.host(), Expectations(min_gpu_memory=GIB)
            )
        )
