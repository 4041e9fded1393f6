"""Does a file beside the user's script hide a module that TensorFlow imports?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Location, check

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.shadowing import ShadowingFacts


@check("ENV108", "No local file hides a module that TensorFlow imports", explains=("SMK",), unless="SMK105")
def shadowing(shadowing: ShadowingFacts, packages: PackagesFacts, matrix: Matrix) -> Iterator[Finding]:
    """Python looks for modules in the folder of the script first: a local ``keras.py`` or ``random.py`` wins.

    Cause: a script was named after the library that it uses. TensorFlow then imports the script in place of the module.
    Only names that ``import tensorflow`` really loads are reported; a local ``test.py`` is not.

    How to fix: rename the file and delete its ``__pycache__``.

    Source: https://docs.python.org/3/library/sys_path_init.html; the standard-library modules that TensorFlow 1.15 to 2.21
    load were recorded with real imports (compat_matrix/imports.yaml).
    """
    for shadow in shadowing.shadows:
        found = packages.find(shadow.hides)
        matters = shadow.module in matrix.loads
        if shadow.hides != "standard library":
            matters = matters and found is not None and found.key in packages.family
        if matters:
            folder, _, name = shadow.path.rpartition("/")
            yield Finding(
                f"{shadow.path} hides the module {shadow.module} ({shadow.hides}): "
                f"{_who(folder, shadowing.folder)} gets the local file when TensorFlow imports {shadow.module}",
                Fix(
                    f"Rename it, for example to my_{shadow.module}, and delete __pycache__ beside it.",
                    (shlex.join(["mv", shadow.path, f"{folder}/my_{name}"]),),
                ),
                Location(shadow.path),
                symbol=shadow.module,
            )


def _who(folder: str, current: str) -> str:
    return f"a script in {current}" if folder == current else "every program, since PYTHONPATH names that folder,"
