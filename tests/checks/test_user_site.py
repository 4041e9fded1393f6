"""ENV107: packages from the user site."""

from __future__ import annotations

from typing import Any

import literals
import pytest
from literals import USER_SITE, distribution

from envcheck.checks.user_site import user_site
from envcheck.findings import Finding


def judge(*installed: Any, shadowed: tuple[Any, ...] = (), **changes: Any) -> list[Finding]:
    facts = literals.python(**{"user_site_enabled": True, **changes})
    return list(user_site.judge(facts, literals.packages(*installed, shadowed=shadowed)))


def test_nothing_from_the_user_site_passes() -> None:
    assert judge(literals.tensorflow(), distribution("numpy", "2.1.0")) == []


@pytest.mark.parametrize("name", ["tensorflow", "keras", "numpy", "protobuf", "h5py", "ml_dtypes", "tf-keras"])
def test_any_of_the_family_from_there_is_found(name: str) -> None:
    (finding,) = judge(distribution(name, "1.0", USER_SITE))
    assert finding.message.startswith(f"{name} 1.0 comes from the user site {USER_SITE}")


def test_a_tensorflow_by_another_name_counts_and_a_stranger_does_not() -> None:
    (finding,) = judge(distribution("tensorflow-cpu", "2.21.0", USER_SITE, modules=("tensorflow",)))
    assert "tensorflow-cpu" in finding.message
    assert judge(distribution("requests", "2.0", USER_SITE)) == []


def test_a_disabled_user_site_is_no_trouble() -> None:
    assert judge(distribution("numpy", "1.0", USER_SITE), user_site_enabled=False) == []
    assert judge(distribution("numpy", "1.0", USER_SITE), user_site=None) == []


def test_a_system_python_with_everything_there_is_no_mixture() -> None:
    everything = (literals.tensorflow(location=USER_SITE), distribution("numpy", "2.1.0", USER_SITE))
    assert judge(*everything, manager="system", prefix="/usr") == []
    (finding,) = judge(
        *everything,
        shadowed=(distribution("numpy", "1.26", "/usr/lib/python3/dist-packages"),),
        manager="system",
        prefix="/usr",
    )
    assert "numpy 2.1.0" in finding.message
    assert finding.evidence["from_elsewhere"] == {"numpy": "1.26 (/usr/lib/python3/dist-packages)"}


def test_what_the_environment_was_getting_from_there_is_installed_in_it() -> None:
    (finding,) = judge(distribution("numpy", "2.1.0", USER_SITE))
    assert finding.fix is not None
    assert finding.fix.commands == (
        "export PYTHONNOUSERSITE=1",
        "/srv/venv/bin/python -m pip install numpy==2.1.0",
    )


def test_what_is_in_the_environment_too_needs_no_installation() -> None:
    (finding,) = judge(
        distribution("numpy", "2.1.0", USER_SITE), shadowed=(distribution("numpy", "1.26.4"),), manager="conda"
    )
    assert finding.fix is not None
    assert finding.fix.safe
    assert finding.fix.commands == ("conda env config vars set --prefix /srv/venv PYTHONNOUSERSITE=1",)
