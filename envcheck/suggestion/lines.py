"""A suggestion as lines for pip, uv, conda and a requirements file."""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def commands(requirements: Sequence[str], python: str) -> dict[str, str]:
    """The command lines that install ``requirements`` into a fresh environment, by tool.

    conda's own channels lag behind and build otherwise, so pip installs inside of conda's environment.
    """
    words = " ".join(shlex.quote(each) for each in requirements)
    return {
        "pip": f"python{python} -m venv tf && tf/bin/python -m pip install {words}",
        "uv": f"uv venv --python {python} tf && uv pip install --python tf {words}",
        "conda": f"conda create --yes --name tf python={python} pip && conda run --name tf python -m pip install {words}",
    }
