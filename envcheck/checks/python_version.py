"""Is this TensorFlow built for this Python?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Skip, check

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.tensorflow import TensorFlowFacts


@check("ENV102", "TensorFlow is built for this Python", explains=("SMK",), unless="SMK105")
def python_version(python: PythonFacts, tensorflow: TensorFlowFacts, matrix: Matrix) -> Iterator[Finding]:
    """The wheel of TensorFlow has extension modules for one Python series only; another one cannot load them.

    Cause: a folder of another Python is on the path (PYTHONPATH, a copied environment, ``pip install --target``).

    How to fix: use a Python that this TensorFlow has a wheel for, or install TensorFlow with this Python.

    Source: the wheel tags in TensorFlow's own metadata; https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/
    """
    built_for = {f"{found[1]}.{found[2]}" for tag in tensorflow.wheel_tags if (found := re.match(r"cp(\d)(\d+)-", tag))}
    if not built_for:
        raise Skip("the installed TensorFlow carries no wheel tag", unknown=True)
    if python.series not in built_for:
        supporting = matrix.supporting(python.series)
        advice = (
            f"Install a TensorFlow for Python {python.series} (the newest known is {supporting[0]})"
            if supporting
            else f"Use Python {sorted(built_for)[-1]}: no TensorFlow known to envcheck has a wheel for Python {python.series}"
        )
        yield Finding(
            f"TensorFlow {tensorflow.version} in {tensorflow.location} is built for Python {', '.join(sorted(built_for))}, "
            f"and this is Python {python.version}: its extension modules cannot be loaded",
            Fix(f"{advice}, and take {tensorflow.location} off this Python's path."),
            evidence={"wheel_tags": list(tensorflow.wheel_tags)},
        )
