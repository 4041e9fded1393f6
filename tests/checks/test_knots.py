"""ENV320 and ENV108: knots of versions, and shadowing."""

from __future__ import annotations

import dataclasses

import pytest
from literals import SITE, distribution, environment, packages, python, tensorflow

from envcheck.checks.knots import knots
from envcheck.checks.shadowing import shadowing
from envcheck.findings import Finding, Severity
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.shadowing import Shadow, ShadowingFacts
from envcheck.probes.tensorflow import TensorFlowFacts


def judge(release: str, name: str, version: str) -> list[Finding]:
    facts = TensorFlowFacts("tensorflow-cpu", release, SITE, "pip", "pypi", None)
    found = packages(tensorflow(release), distribution(name, version))
    return list(knots.judge(found, python(), facts, environment(), load_matrix()))


@pytest.mark.parametrize(
    ("release", "name", "version", "knot"),
    [
        ("2.15.1", "numpy", "2.2.6", "numpy2-abi"),
        ("2.6.5", "numpy", "1.24.4", "numpy-object-alias"),
        ("2.4.4", "numpy", "1.20.3", "numpy-symbolic-tensor"),
        ("2.8.4", "protobuf", "4.25.8", "protobuf-descriptors"),
        ("2.12.1", "protobuf", "3.19.6", "protobuf-builder-2.12"),
        ("2.20.0", "protobuf", "4.25.8", "protobuf-runtime-2.20"),
        ("2.21.0", "protobuf", "5.29.5", "protobuf-runtime-2.21"),
        ("2.14.1", "ml_dtypes", "0.3.2", "ml-dtypes-2.14"),
        ("2.21.0", "ml_dtypes", "0.4.1", "ml-dtypes-2.20"),
        ("2.4.4", "h5py", "3.11.0", "h5py3-decode"),
    ],
)
def test_measured_knots(release: str, name: str, version: str, knot: str) -> None:
    (finding,) = judge(release, name, version)
    assert finding.evidence["knot"] == knot
    assert finding.message.startswith(f"{name.replace('_', '-')} {version} with TensorFlow {release} (Python 3.12): ")
    assert finding.fix is not None
    assert finding.fix.commands


@pytest.mark.parametrize(
    ("release", "name", "version"),
    [
        ("2.18.0", "numpy", "2.0.2"),
        ("2.15.1", "numpy", "1.26.4"),
        ("2.7.4", "numpy", "1.24.4"),
        ("2.12.1", "protobuf", "4.25.8"),
        ("2.19.1", "protobuf", "6.33.0"),
        ("2.15.1", "ml_dtypes", "0.5.4"),
        ("2.13.1", "wrapt", "1.17.3"),
        ("2.13.1", "typing_extensions", "4.15.0"),
    ],
)
def test_what_was_seen_to_work_is_no_knot(release: str, name: str, version: str) -> None:
    assert judge(release, name, version) == []


def test_a_copy_on_pythonpath_is_taken_off_it() -> None:
    facts = TensorFlowFacts("tensorflow", "2.15.1", SITE, "pip", "pypi", None)
    found = packages(tensorflow("2.15.1"), distribution("numpy", "2.2.6", "/home/ada/libs"))
    (finding,) = knots.judge(found, python(), facts, environment(PYTHONPATH="/home/ada/libs"), load_matrix())
    assert finding.fix is not None
    assert finding.fix.commands == ("unset PYTHONPATH",)


def test_what_others_built_may_behave_otherwise() -> None:
    facts = TensorFlowFacts("tensorflow", "2.15.1", SITE, "conda", "conda", None)
    found = packages(tensorflow("2.15.1"), distribution("numpy", "2.2.6"))
    (finding,) = knots.judge(found, python(), facts, environment(), load_matrix())
    assert finding.severity is Severity.WARNING


def shadows(*found: Shadow) -> list[Finding]:
    facts = dataclasses.replace(
        packages(distribution("keras", "3.0.0"), distribution("requests", "2.0")), family=("keras",)
    )
    return list(shadowing.judge(ShadowingFacts("/home/ada/project", found), facts, load_matrix()))


def test_local_files_that_tensorflow_would_import() -> None:
    (finding,) = shadows(Shadow("/home/ada/project/keras.py", "keras", "keras"))
    assert "hides the module keras (keras)" in finding.message
    assert finding.fix is not None
    assert finding.fix.commands == ("mv /home/ada/project/keras.py /home/ada/project/my_keras.py",)
    (finding,) = shadows(Shadow("/home/ada/project/random.py", "random", "standard library"))
    assert finding.symbol == "random"


def test_a_file_on_pythonpath_says_so() -> None:
    (finding,) = shadows(Shadow("/home/ada/lib/keras.py", "keras", "keras"))
    assert "every program, since PYTHONPATH names that folder, gets the local file" in finding.message


def test_local_files_that_it_would_not() -> None:
    assert shadows(Shadow("/home/ada/project/wheel.py", "wheel", "wheel")) == []
    assert (
        shadows(Shadow("/p/test.py", "test", "standard library"), Shadow("/p/requests.py", "requests", "requests"))
        == []
    )
