"""Is TensorFlow there, once, and of one package manager?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envcheck.findings import Finding, Fix, Location, Severity, Skip, check

if TYPE_CHECKING:
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.keras import KerasFacts
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.tensorflow import TensorFlowFacts


@check("ENV301", "TensorFlow is installed", explains=("SMK",))
def installed(packages: PackagesFacts, python: PythonFacts, keras: KerasFacts, matrix: Matrix) -> Iterator[Finding]:
    """No distribution in this environment brings the import package ``tensorflow``.

    Cause: it was installed for another Python, or there is no TensorFlow for this one: pip then says "No matching
    distribution found".

    How to fix: install it with this very interpreter; where no release supports this Python, make an environment with one
    that is supported.

    Source: the wheel tags of every TensorFlow release (compat_matrix/tensorflow.yaml).
    """
    if packages.providers("tensorflow"):
        return
    if keras.keras and keras.other_backend:
        raise Skip(f"Keras {keras.keras.version} runs on {keras.other_backend} here")
    other = next((name for name in ("jax", "torch") if packages.providers(name)), None)
    if keras.keras and keras.keras.major >= 3 and other:
        said = "" if keras.backend_from == "default" else f" ({keras.backend_from})"
        yield Finding(
            f"Keras {keras.keras.version} will load the backend tensorflow{said}, which is not installed; {other} is",
            Fix(f"Choose {other}, or install TensorFlow.", (f"export KERAS_BACKEND={other}",), "envcheck doctor"),
        )
        return
    for unread in packages.unread:
        if "tensorflow" in unread.path.rpartition("/")[2]:
            raise Skip(f"what {unread.path} holds is not known: {unread.reason}", unknown=True)
    supporting = matrix.supporting(python.series)
    newest = matrix.rows[0]
    if supporting:
        fix = Fix("Install it.", (python.install("tensorflow"),), "envcheck doctor")
    else:
        fix = Fix(
            f"No TensorFlow up to {newest.series} has a wheel for Python {python.series}: make an environment with "
            f"Python {newest.python[-1]}.",
            (f"uv venv --python {newest.python[-1]}", "uv pip install tensorflow"),
        )
    yield Finding(f"TensorFlow is not installed for {python.executable} (Python {python.version})", fix)


@check(
    "ENV302",
    "One distribution brings TensorFlow",
    explains=("ENV2", "ENV305", "ENV307", "ENV32", "SMK"),
    unless="SMK105",
)
def single(tensorflow: TensorFlowFacts, python: PythonFacts) -> Iterator[Finding]:
    """Several distributions (tensorflow, tensorflow-cpu, -gpu, -intel, tf-nightly, …) write the same folder.

    Cause: each was installed without the others being removed. The last one wins, file by file; uninstalling one deletes
    files of the other, and then ``module 'tensorflow' has no attribute …``.

    How to fix: remove them all, then install one.

    Source: https://github.com/tensorflow/tensorflow/issues/39499
    """
    here = [copy for copy in tensorflow.copies if copy.location == tensorflow.location]
    if len({copy.name for copy in here}) < 2:
        return
    versions = {copy.version for copy in here}
    wanted = f"{tensorflow.distribution}=={tensorflow.version}"
    yield Finding(
        f"{' and '.join(f'{copy.name} {copy.version}' for copy in here)} are both installed and write the same folder: "
        f"what is imported is a mixture",
        Fix(
            f"Remove them all and install one of them, for example {wanted}.",
            (python.uninstall(*sorted({copy.name for copy in here})), python.install(wanted)),
            "envcheck doctor",
        ),
        Location(tensorflow.location),
        evidence={"distributions": {copy.name: copy.version for copy in here}},
        severity=Severity.ERROR if len(versions) > 1 else Severity.WARNING,
    )


@check("ENV304", "One package manager owns TensorFlow", Severity.WARNING)
def one_manager(tensorflow: TensorFlowFacts, python: PythonFacts, packages: PackagesFacts) -> Iterator[Finding]:
    """conda and pip both installed TensorFlow into one environment; each overwrites files of the other.

    Cause: ``pip install tensorflow`` in an environment that already had conda's.

    How to fix: keep one; a fresh environment is the sure way.

    Source: https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html#using-pip-in-an-environment
    """
    found = packages.find(tensorflow.distribution)
    if tensorflow.conda and found is not None and found.installer in ("pip", "uv"):
        yield Finding(
            f"TensorFlow {tensorflow.version} was installed by {found.installer} over conda's {tensorflow.conda}",
            Fix(
                "Keep one of the two, best in a fresh environment.",
                (
                    f"conda remove --prefix {python.prefix} tensorflow tensorflow-base",
                    python.reinstall(f"{found.name}=={found.version}"),
                ),
            ),
        )
