"""A sample of hostile input; ``hostile.py`` tries as much as one likes."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from source.hostile import complaint, inputs

import envcheck

FILES = [path.read_bytes() for path in sorted(Path(envcheck.__file__).parent.glob("*.py"))]


@pytest.mark.parametrize("seed", range(10))
def test_nothing_raises_hangs_or_gives_a_line_that_is_not_there(seed: int) -> None:
    for made in islice(inputs(seed, FILES), 30):
        assert complaint(made)[1] == "", made
