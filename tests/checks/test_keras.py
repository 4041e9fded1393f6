"""ENV305 to ENV310: Keras."""

from __future__ import annotations

import dataclasses

import pytest
from literals import SITE, distribution, packages, python

from envcheck.checks.keras import backend, config, keras_fits, legacy_flag, single_keras, tf_keras_fits
from envcheck.findings import Finding, Severity, Skip
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.keras import KerasConfig, KerasFacts, Resolved
from envcheck.probes.tensorflow import TensorFlowFacts

ABSENT = KerasConfig("/home/ada/.keras/keras.json", "absent")


def tensorflow(version: str) -> TensorFlowFacts:
    return TensorFlowFacts("tensorflow", version, SITE, "pip", "pypi", None)


def keras(version: str | None, tf_keras: str | None = None, **more: object) -> KerasFacts:
    plain = KerasFacts(
        keras=Resolved("keras", version, SITE) if version else None,
        tf_keras=Resolved("tf_keras", tf_keras, SITE) if tf_keras else None,
        tf_keras_is="keras",
        legacy=False,
        legacy_flag=None,
        backend="tensorflow",
        backend_from="default",
        config=ABSENT,
    )
    return dataclasses.replace(plain, **more)  # type: ignore[arg-type]


def fits(release: str, version: str | None) -> list[Finding]:
    return list(keras_fits.judge(tensorflow(release), keras(version), python(), load_matrix()))


@pytest.mark.parametrize(
    ("release", "version"), [("2.21.0", "3.15.1"), ("2.16.2", "3.0.0"), ("2.15.1", "2.15.0"), ("2.8.4", "2.8.0")]
)
def test_the_keras_of_the_release_fits(release: str, version: str) -> None:
    assert fits(release, version) == []


def test_the_keras_of_another_release_does_not() -> None:
    (finding,) = fits("2.16.2", "2.15.0")
    assert finding.message == (
        "Keras 2.15.0 is installed; TensorFlow 2.16.2 was released with keras>=3.0.0, "
        "and its `tf.keras` cannot load this one"
    )
    assert finding.severity is None
    assert finding.fix is not None
    assert finding.fix.commands == ("/srv/venv/bin/python -m pip install 'keras>=3.0.0'",)
    assert finding.location is not None
    assert finding.location.path == "compat_matrix/tensorflow.yaml"


@pytest.mark.parametrize(
    ("release", "version", "severity", "words"),
    [
        ("2.14.1", "3.5.0", None, "cannot load this one"),
        ("2.15.1", "3.15.1", Severity.WARNING, "`tf.keras` is now Keras 3, whose API differs"),
        ("2.15.1", "2.14.0", Severity.WARNING, "was released with keras==2.15.*"),
        ("2.21.0", "3.5.0", Severity.WARNING, "was released with keras>=3.12.0"),
    ],
)
def test_how_grave_it_is_follows_what_was_seen(
    release: str, version: str, severity: Severity | None, words: str
) -> None:
    (finding,) = fits(release, version)
    assert finding.severity is severity
    assert words in finding.message


def test_a_missing_keras() -> None:
    (finding,) = fits("2.21.0", None)
    assert "keras is not installed" in finding.message


def test_where_tf_keras_is_not_keras_the_question_does_not_arise() -> None:
    for kind in ("bundled", "tf_keras", "none"):
        with pytest.raises(Skip):
            list(keras_fits.judge(tensorflow("2.21.0"), keras("2.1", tf_keras_is=kind), python(), load_matrix()))
    with pytest.raises(Skip, match="is a nightly build"):
        fits("2.22.0.dev20251101", "3.16.0.dev1")
    with pytest.raises(Skip, match=r"does not know TensorFlow 2\.99\.0"):
        fits("2.99.0", "9.0")


def test_the_legacy_flag() -> None:
    def judge(release: str, facts: KerasFacts) -> list[Finding]:
        return list(legacy_flag.judge(tensorflow(release), facts, python(), load_matrix()))

    assert judge("2.21.0", keras("3.15.1")) == []
    assert judge("2.21.0", keras("3.15.1", "2.21.0", legacy=True, legacy_flag="1")) == []
    (finding,) = judge("2.21.0", keras("3.15.1", legacy=True, legacy_flag="1"))
    assert finding.fix is not None
    assert finding.fix.commands == ("/srv/venv/bin/python -m pip install 'tf_keras~=2.21.0'",)
    (finding,) = judge("2.21.0", keras("3.15.1", legacy_flag="YES"))
    assert finding.message == "TF_USE_LEGACY_KERAS=YES has no effect: only 1, true and True count"
    assert finding.severity is Severity.WARNING
    (finding,) = judge("2.8.4", keras("2.8.0", legacy_flag="1"))
    assert "TensorFlow 2.8.4 does not know the variable" in finding.message
    assert judge("2.21.0", keras("3.15.1", legacy_flag="0")) == []


def test_tf_keras_of_another_release() -> None:
    def judge(release: str, facts: KerasFacts) -> list[Finding]:
        return list(tf_keras_fits.judge(tensorflow(release), facts, python(), load_matrix()))

    assert judge("2.16.2", keras("3.15.1", "2.16.0")) == []
    (finding,) = judge("2.21.0", keras("3.15.1", "2.16.0"))
    assert finding.severity is Severity.WARNING
    (finding,) = judge("2.21.0", keras("3.15.1", "2.16.0", legacy=True))
    assert finding.severity is Severity.WARNING  # an older one was seen to work
    (finding,) = judge("2.16.2", keras("3.15.1", "2.20.1", legacy=True))
    assert finding.severity is None
    with pytest.raises(Skip, match="tf_keras is not installed"):
        judge("2.21.0", keras("3.15.1"))
    with pytest.raises(Skip, match="has no meaning"):
        judge("2.8.4", keras("2.8.0", "2.16.0"))


def test_a_backend_that_does_not_exist() -> None:
    facts = keras("3.15.1", backend="theano", backend_from="/home/ada/.keras/keras.json")
    (finding,) = backend.judge(facts, packages(), python(), load_matrix())
    assert "names the backend 'theano'; Keras 3.15.1 has tensorflow, jax, torch, numpy, openvino" in finding.message
    assert finding.location is not None
    assert finding.location.path == "/home/ada/.keras/keras.json"


def test_a_backend_that_is_not_installed() -> None:
    facts = keras("3.15.1", backend="jax", backend_from="KERAS_BACKEND")
    (finding,) = backend.judge(facts, packages(), python(), load_matrix())
    assert finding.message == "KERAS_BACKEND names the backend jax, which is not installed"
    (finding,) = backend.judge(
        keras("3.15.1", backend="JAX", backend_from="KERAS_BACKEND"),
        packages(distribution("jax", "0.7.0")),
        python(),
        load_matrix(),
    )
    assert finding.fix is not None
    assert finding.fix.commands == ("export KERAS_BACKEND=jax",)
    assert list(backend.judge(facts, packages(distribution("jax", "0.7.0")), python(), load_matrix())) == []


def test_backends_of_old_keras() -> None:
    with pytest.raises(Skip):
        list(backend.judge(keras("2.15.0", backend="theano", backend_from="/k"), packages(), python(), load_matrix()))
    (finding,) = backend.judge(keras("2.3.1", backend="jax", backend_from="/k"), packages(), python(), load_matrix())
    assert "has tensorflow, theano, cntk" in finding.message
    with pytest.raises(Skip):
        list(backend.judge(keras("3.15.1"), packages(), python(), load_matrix()))  # ENV301 asks for TensorFlow


def test_keras_json() -> None:
    def judge(**fields: str) -> list[Finding]:
        return list(config.judge(keras("3.15.1", config=KerasConfig("/k/keras.json", **{"state": "read", **fields}))))

    assert judge() == []
    assert judge(floatx="float32", image_data_format="channels_last") == []
    assert list(config.judge(keras("3.15.1"))) == []
    (finding,) = judge(state="no object")
    assert finding.severity is None
    (finding,) = judge(floatx="float8")
    assert finding.severity is None
    (finding,) = judge(floatx="float64")
    assert finding.severity is Severity.NOTE
    (finding,) = judge(image_data_format="th")
    assert "raises on anything else" in finding.message
    (finding,) = judge(image_data_format="channels_first")
    assert finding.severity is Severity.WARNING
    (finding,) = judge(state="invalid")
    assert "is no JSON" in finding.message
    (finding,) = judge(state="unreadable")
    assert "cannot be read" in finding.message


def test_keras_from_two_distributions() -> None:
    one = Resolved("keras", "3.15.1", SITE)
    assert list(single_keras.judge(keras("3.15.1", keras_copies=(one,)), python())) == []
    both = (one, Resolved("keras-nightly", "3.16.0.dev1", SITE))
    (finding,) = single_keras.judge(keras("3.15.1", keras_copies=both), python())
    assert finding.message == "keras 3.15.1 and keras-nightly 3.16.0.dev1 both write the package keras"
