"""ENV110: the memory limit of the container."""

from __future__ import annotations

import literals
import pytest

from envcheck.checks.memory_limit import memory_limit
from envcheck.findings import Severity, Skip

MIB = 1 << 20


def test_no_limit_or_enough_passes() -> None:
    assert list(memory_limit.judge(literals.host())) == []
    assert list(memory_limit.judge(literals.host(memory_limit=2048 * MIB))) == []


def test_a_small_limit_is_a_warning() -> None:
    (finding,) = memory_limit.judge(literals.host(memory_limit=512 * MIB, container="docker"))
    assert "may use 512 MiB" in finding.message
    assert (finding.severity or memory_limit.severity) is Severity.WARNING
    assert finding.fix is not None
    assert "docker run --memory=8g" in finding.fix.summary


def test_kills_are_a_note() -> None:
    (finding,) = memory_limit.judge(literals.host(memory_limit=8192 * MIB, oom_kills=3, container="kubernetes"))
    assert finding.severity is Severity.NOTE
    assert "3 so far" in finding.message


def test_where_control_groups_cannot_be_seen_it_is_not_known() -> None:
    with pytest.raises(Skip):
        list(memory_limit.judge(literals.host(system="Darwin", memory_limit=None, oom_kills=None)))
