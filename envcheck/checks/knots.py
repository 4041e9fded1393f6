"""Do versions meet here that are known to break each other?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from packaging.version import Version

from envcheck.findings import Finding, Fix, Location, Severity, check

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.tensorflow import TensorFlowFacts


@check("ENV320", "No versions meet that are known to break each other", explains=("ENV204", "SMK"), unless="SMK105")
def knots(
    packages: PackagesFacts,
    python: PythonFacts,
    tensorflow: TensorFlowFacts,
    environment: EnvironmentFacts,
    matrix: Matrix,
) -> Iterator[Finding]:
    """Versions that break each other at run time: numpy 2 with a TensorFlow built for numpy 1, protobuf, h5py, ….

    Cause: a later installation moved a shared library past what this TensorFlow can use. Each known knot is one row in
    compat_matrix/knots.yaml with the condition, the consequence and the fix; ``envcheck explain ID`` shows one.

    How to fix: as the finding says: install the version that this TensorFlow works with, or a newer TensorFlow.

    Source: each row was run on the real packages, and names them.
    """
    release = Version(tensorflow.version).release
    for knot in matrix.hits({**packages.versions(), "tensorflow": Version(tensorflow.version)}, python.series):
        names = [name for name in knot.when if name not in ("tensorflow", "python")]
        present = " and ".join(f"{name} {packages.version(name)}" for name in names)
        series = f"{release[0]}.{release[1]}"
        # What TensorFlow itself declares is narrower than the knot, and pip's opinion as well.
        declared = [packages.declared(name) for name in names]
        install = tuple(text for text in declared if text) or tuple(
            text.replace("{series}", series) for text in knot.install
        )
        fix = Fix(knot.fix, (python.install(*install),) if install else (), "envcheck doctor")
        named = (environment.get("PYTHONPATH") or "").split(":")
        borrowed = next((d.location for name in names if (d := packages.find(name)) and d.location in named), None)
        if borrowed:
            fix = Fix(f"Take {borrowed} off PYTHONPATH: it goes before this environment.", ("unset PYTHONPATH",))
        yield Finding(
            f"{present} with TensorFlow {tensorflow.version} (Python {python.series}): {knot.consequence}",
            fix,
            Location(knot.source.path, knot.source.line),
            symbol=names[0] if names else None,
            evidence={"knot": knot.id, "when": dict(knot.when), "source": list(knot.source.sources)},
            # The rows were run on the wheels of PyPI; conda and NVIDIA build with other libraries.
            severity=Severity(knot.severity) if tensorflow.vendor == "pypi" else Severity.WARNING,
        )
