"""ENV103: the kind of Python."""

from __future__ import annotations

from typing import Any

import literals
import pytest

from envcheck.checks.interpreter import interpreter
from envcheck.findings import Finding, Severity


def judge(*installed: Any, **changes: Any) -> list[Finding]:
    return list(interpreter.judge(literals.python(**changes), literals.packages(*installed), literals.matrix()))


def test_an_ordinary_python_passes() -> None:
    assert judge() == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bits": 32}, "a 32-bit build"),
        ({"implementation": "PyPy"}, "PyPy"),
        ({"free_threaded": True, "version_info": (3, 13, 0)}, 'free-threaded build ("3.13t")'),
        ({"debug": True, "version_info": (3, 7, 9)}, "a debug build"),
    ],
)
def test_a_python_without_wheels_is_an_error(changes: dict[str, Any], said: str) -> None:
    (finding,) = judge(**changes)
    assert said in finding.message
    assert finding.severity is None
    assert interpreter.severity is Severity.ERROR


def test_a_debug_build_from_3_8_on_loads_ordinary_wheels() -> None:
    assert judge(debug=True) == []


def test_a_tensorflow_of_ones_own_build_makes_it_a_warning() -> None:
    (finding,) = judge(literals.tensorflow(), bits=32)
    assert finding.severity is Severity.WARNING
    assert "tensorflow 2.21.0 here is not one of them" in finding.message


def test_the_fix_names_a_python_that_has_wheels_in_the_manager_s_words() -> None:
    newest = literals.matrix().rows[0].python[-1]
    for manager, command in (("conda", f"python={newest}"), ("venv", f"cpython-{newest}")):
        (finding,) = judge(bits=32, manager=manager)
        assert finding.fix is not None
        assert command in finding.fix.commands[0]
