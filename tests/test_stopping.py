"""Signals that arrive while a child is being started."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from envcheck import stopping
from envcheck.errors import Stopped


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGTERM)}
    stopping.install()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def start_within(known: list[str]) -> None:
    with stopping.held():
        with stopping.held():
            signal.raise_signal(signal.SIGTERM)
        known.append("the child")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_an_exception(number: signal.Signals, code: int) -> None:
    with pytest.raises(Stopped) as caught:
        signal.raise_signal(number)
    assert caught.value.exit_code == code


def test_one_that_arrives_meanwhile_waits_until_the_child_is_known() -> None:
    known: list[str] = []
    with pytest.raises(Stopped, match="terminated"):
        start_within(known)
    assert known == ["the child"]
    with stopping.held():
        pass  # it is raised once


def test_an_ignored_signal_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stopping.install()
    signal.raise_signal(signal.SIGINT)
