"""ENV109: room in /dev/shm for more than one GPU."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import literals
import pytest

from envcheck.checks.shared_memory import shared_memory
from envcheck.findings import Finding, Skip

MIB = 1 << 20


def judge(gpus: int, **changes: Any) -> list[Finding]:
    return list(shared_memory.judge(literals.host(**changes), SimpleNamespace(devices=("GPU",) * gpus)))


def test_docker_s_64_mib_are_too_few_for_two_gpus() -> None:
    (finding,) = judge(2, shm_total=64 * MIB, container="docker")
    assert "has 64 MiB, and 2 GPUs" in finding.message
    assert finding.fix is not None
    assert "docker run --shm-size=1g" in finding.fix.summary


@pytest.mark.parametrize(
    ("container", "said"),
    [("podman", "podman run"), ("kubernetes", "emptyDir"), ("lxc", "IPC"), (None, "Enlarge")],
)
def test_the_fix_is_in_the_words_of_the_container(container: str | None, said: str) -> None:
    (finding,) = judge(2, shm_total=64 * MIB, container=container)
    assert finding.fix is not None
    assert said in finding.fix.summary


def test_256_mib_pass() -> None:
    assert judge(2, shm_total=256 * MIB) == []


def test_with_one_gpu_or_without_a_size_it_is_not_asked() -> None:
    for gpus, size in ((1, 64 * MIB), (0, 64 * MIB), (2, None)):
        with pytest.raises(Skip):
            judge(gpus, shm_total=size)
