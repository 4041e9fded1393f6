"""An extra is suggested only where what it requires has wheels."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet

from envcheck.knowledge.choice import PLATFORMS
from envcheck.knowledge.matrix import load_matrix
from envcheck.suggestion.fresh import Plan, Wishes, fresh
from envcheck.suggestion.machine import Machine

MATRIX = load_matrix()


@pytest.mark.parametrize(
    ("tensorflow", "python", "expected"),
    [
        ("==2.14.1", "3.10", "tensorflow[and-cuda]==2.14.1"),
        ("==2.14.1", "3.11", "tensorflow==2.14.1"),  # tensorrt 8.5.3.1 has wheels up to Python 3.10
        ("==2.15.0", "3.11", "tensorflow==2.15.0"),  # tensorrt 8.6.1.post1 has none at all
        ("==2.15.1", "3.11", "tensorflow[and-cuda]==2.15.1"),
        ("==2.20.0", "3.13", "tensorflow[and-cuda]==2.20.0"),
    ],
)
def test_the_cuda_libraries_come_with_the_extra_where_it_installs(tensorflow: str, python: str, expected: str) -> None:
    machine = Machine(python, PLATFORMS["linux-x86_64"], "gpu", capability="8.0", driver="550.54.14")
    made = fresh(MATRIX, machine, Wishes({"tensorflow": SpecifierSet(tensorflow)}))
    assert isinstance(made, Plan), made
    assert str(made.pins[0]) == expected
    assert bool(made.notes) == ("and-cuda" not in expected)  # else one must bring CUDA and cuDNN oneself
