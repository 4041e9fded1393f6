"""ENV102, ENV301, ENV302 and ENV304: TensorFlow itself."""

from __future__ import annotations

import dataclasses

import pytest
from literals import SITE, distribution, packages, python, tensorflow

from envcheck.checks.python_version import python_version
from envcheck.checks.tensorflow import installed, one_manager, single
from envcheck.findings import Severity, Skip
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.keras import KerasConfig, KerasFacts, Resolved
from envcheck.probes.packages import Unread
from envcheck.probes.tensorflow import Copy, TensorFlowFacts

NO_KERAS = KerasFacts(None, None, "none", False, None, "tensorflow", "default", KerasConfig("/k", "absent"))


def facts(version: str = "2.21.0", **more: object) -> TensorFlowFacts:
    given = {"wheel_tags": ("cp312-cp312-manylinux_2_27_x86_64",), **more}
    return TensorFlowFacts("tensorflow", version, SITE, "pip", "pypi", f"{SITE}/tensorflow", **given)  # type: ignore[arg-type]


def test_installed() -> None:
    matrix = load_matrix()
    assert list(installed.judge(packages(tensorflow()), python(), NO_KERAS, matrix)) == []
    (finding,) = installed.judge(packages(), python(), NO_KERAS, matrix)
    assert finding.message == "TensorFlow is not installed for /srv/venv/bin/python (Python 3.12.4)"
    assert finding.fix is not None
    assert finding.fix.commands == ("/srv/venv/bin/python -m pip install tensorflow",)


def test_no_release_for_this_python_is_the_cause() -> None:
    (finding,) = installed.judge(packages(), python(version="3.14.0", version_info=(3, 14, 0)), NO_KERAS, load_matrix())
    assert finding.fix is not None
    assert finding.fix.summary.startswith(
        "No TensorFlow up to 2.21 has a wheel for Python 3.14: make an environment with"
    )


def test_keras_whose_backend_is_missing_while_another_is_there() -> None:
    facts = dataclasses.replace(NO_KERAS, keras=Resolved("keras", "3.15.1", SITE))
    (finding,) = installed.judge(packages(distribution("jax", "0.7.0")), python(), facts, load_matrix())
    assert finding.message == "Keras 3.15.1 will load the backend tensorflow, which is not installed; jax is"
    assert finding.fix is not None
    assert finding.fix.commands == ("export KERAS_BACKEND=jax",)


def test_metadata_that_cannot_be_read_is_no_proof_of_absence() -> None:
    hidden = dataclasses.replace(packages(), unread=(Unread(f"{SITE}/tensorflow-2.15.1.dist-info", "empty"),))
    with pytest.raises(Skip, match="is not known: empty") as caught:
        list(installed.judge(hidden, python(), NO_KERAS, load_matrix()))
    assert caught.value.unknown


def test_keras_on_another_backend_needs_no_tensorflow() -> None:
    on_jax = KerasFacts(
        Resolved("keras", "3.15.1", SITE),
        None,
        "none",
        False,
        None,
        "jax",
        "KERAS_BACKEND",
        KerasConfig("/k", "absent"),
    )
    with pytest.raises(Skip, match=r"Keras 3\.15\.1 runs on jax here"):
        list(installed.judge(packages(), python(), on_jax, load_matrix()))


def test_a_wheel_for_another_python() -> None:
    matrix = load_matrix()
    assert list(python_version.judge(python(), facts(), matrix)) == []
    (finding,) = python_version.judge(python(), facts(wheel_tags=("cp311-cp311-manylinux_2_27_x86_64",)), matrix)
    assert "is built for Python 3.11, and this is Python 3.12.4" in finding.message
    with pytest.raises(Skip):
        list(python_version.judge(python(), facts(wheel_tags=()), matrix))


def test_two_distributions_in_one_folder() -> None:
    assert list(single.judge(facts(copies=(Copy("tensorflow", "2.21.0", SITE),)), python())) == []
    both = (Copy("tensorflow", "2.21.0", SITE), Copy("tensorflow-cpu", "2.20.0", SITE))
    (finding,) = single.judge(facts(copies=both), python())
    assert finding.severity is Severity.ERROR
    assert finding.fix is not None
    assert finding.fix.commands == (
        "/srv/venv/bin/python -m pip uninstall -y tensorflow tensorflow-cpu",
        "/srv/venv/bin/python -m pip install tensorflow==2.21.0",
    )
    same = (Copy("tensorflow", "2.21.0", SITE), Copy("tensorflow-cpu", "2.21.0", SITE))
    (finding,) = single.judge(facts(copies=same), python())
    assert finding.severity is Severity.WARNING
    elsewhere = (Copy("tensorflow", "2.21.0", SITE), Copy("tensorflow-cpu", "2.20.0", "/elsewhere"))
    assert list(single.judge(facts(copies=elsewhere), python())) == []  # ENV202 says it


def test_conda_and_pip() -> None:
    found = packages(distribution("tensorflow", "2.21.0", installer="pip"))
    assert list(one_manager.judge(facts(), python(), found)) == []
    (finding,) = one_manager.judge(facts(conda="tensorflow-base-2.15.0-cpu_py311"), python(), found)
    assert "installed by pip over conda's tensorflow-base-2.15.0-cpu_py311" in finding.message
