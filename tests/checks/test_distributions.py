"""ENV2: the distributions of TensorFlow and Keras."""

from __future__ import annotations

import dataclasses

import pytest
from literals import SITE, USER_SITE, distribution, packages, python, tensorflow

from envcheck.checks.distributions import intact, leftovers, other_requirements, readable, requirements, shadowed
from envcheck.findings import Severity, Skip
from envcheck.inventory import Expectations
from envcheck.knowledge.matrix import load_matrix
from envcheck.probes.packages import Damage, Leftover, PackagesFacts, Unmet, Unread

FAMILY = ("absl-py", "keras", "numpy", "tensorboard", "tensorflow")


def facts(**changes: object) -> PackagesFacts:
    found = packages(tensorflow(), distribution("numpy", "2.1.0"))
    return dataclasses.replace(found, family=FAMILY, **changes)  # type: ignore[arg-type]


def unmet(name: str, found: str | None, requirer: str = "tensorflow") -> Unmet:
    return Unmet(requirer, "2.21.0", f"{name}>=9", name, found)


def test_healthy_distributions_pass() -> None:
    assert list(readable.judge(facts())) == []
    assert list(shadowed.judge(facts(), python())) == []
    assert list(leftovers.judge(facts(), python())) == []
    assert list(requirements.judge(facts(), python(), load_matrix())) == []
    assert list(intact.judge(facts(), python())) == []


def test_what_could_not_be_read_is_said() -> None:
    (finding,) = readable.judge(facts(unread=(Unread("/opt/site", "Permission denied"),)))
    assert finding.message == "/opt/site cannot be read (Permission denied): what it holds was not checked"


def test_a_shadowed_copy() -> None:
    (finding,) = shadowed.judge(facts(shadowed=(distribution("numpy", "1.26.4", USER_SITE),)), python())
    assert finding.message == f"numpy is installed twice: 2.1.0 in {SITE} is used, 1.26.4 in {USER_SITE} is not"
    assert list(shadowed.judge(facts(shadowed=(distribution("requests", "1.0", USER_SITE),)), python())) == []


def test_two_metadata_folders_in_one_place_are_cleared_up() -> None:
    (finding,) = shadowed.judge(facts(shadowed=(distribution("numpy", "1.26.4"),)), python())
    assert finding.fix is not None
    assert finding.fix.commands == (
        "/srv/venv/bin/python -m pip uninstall -y numpy",
        "/srv/venv/bin/python -m pip install numpy==2.1.0",
    )


def test_leftovers() -> None:
    (interrupted,) = leftovers.judge(
        facts(leftovers=(Leftover(f"{SITE}/~umpy", "interrupted", "umpy", True),)), python()
    )
    assert interrupted.severity is Severity.WARNING
    (unowned,) = leftovers.judge(facts(leftovers=(Leftover(f"{SITE}/keras", "unowned", "keras", False),)), python())
    assert "imports as an empty namespace package" in unowned.message
    assert unowned.fix is not None
    assert unowned.fix.commands == (f"rm -r {SITE}/keras", "/srv/venv/bin/python -m pip install keras")


def test_unmet_requirements_of_the_family_only() -> None:
    matrix = load_matrix()
    (old,) = requirements.judge(facts(unmet=(unmet("absl-py", "0.1"),)), python(), matrix)
    assert old.message == "tensorflow 2.21.0 requires absl-py>=9; absl-py 0.1 is installed"
    assert old.severity is None
    (missing,) = requirements.judge(facts(unmet=(unmet("absl-py", None),)), python(), matrix)
    assert missing.severity is Severity.ERROR
    assert missing.fix is not None
    assert missing.fix.commands == ("/srv/venv/bin/python -m pip install 'absl-py>=9'",)
    indirect = dataclasses.replace(unmet("werkzeug", None), requirer="numpy")
    (unproven,) = requirements.judge(facts(unmet=(indirect,)), python(), matrix)
    assert unproven.severity is None
    (harmless,) = requirements.judge(facts(unmet=(unmet("tensorboard", None),)), python(), matrix)
    assert harmless.severity is None
    assert list(requirements.judge(facts(unmet=(unmet("idna", "1", requirer="requests"),)), python(), matrix)) == []
    assert list(requirements.judge(facts(unmet=(unmet("keras", "2.0"),)), python(), matrix)) == []  # ENV305 says it


def test_one_missing_distribution_is_one_finding_with_all_versions() -> None:
    wanting = (
        Unmet("tensorflow", "2.21.0", "numpy<2,>=1.23.5", "numpy", None),
        Unmet("keras", "3.15.1", "numpy", "numpy", None),
    )
    found = dataclasses.replace(packages(tensorflow(), distribution("keras", "3.15.1")), family=FAMILY, unmet=wanting)
    (finding,) = requirements.judge(found, python(), load_matrix())
    assert finding.message.endswith("keras 3.15.1 requires numpy; numpy is not installed")
    assert finding.fix is not None
    assert finding.fix.commands == ("/srv/venv/bin/python -m pip install 'numpy<2,>=1.23.5'",)


def test_the_whole_environment_is_asked_for_with_v() -> None:
    found = dataclasses.replace(
        packages(tensorflow(), distribution("requests", "2.0")), family=FAMILY, unmet=(unmet("idna", "1", "requests"),)
    )
    with pytest.raises(Skip):
        list(other_requirements.judge(found, python(), Expectations()))
    (finding,) = other_requirements.judge(found, python(), Expectations(whole_environment=True))
    assert finding.message == "requests 2.21.0 requires idna>=9; idna 1 is installed"
    assert (
        list(
            other_requirements.judge(
                facts(unmet=(unmet("numpy", "1"),)), python(), Expectations(whole_environment=True)
            )
        )
        == []
    )


def test_what_a_knot_explains_is_not_said_twice() -> None:
    old = dataclasses.replace(
        packages(tensorflow("2.15.1"), distribution("numpy", "2.1.0")), family=FAMILY, unmet=(unmet("numpy", "2.1.0"),)
    )
    assert list(requirements.judge(old, python(), load_matrix())) == []


def test_files_that_nobody_listed_are_not_known_to_be_whole() -> None:
    unlisted = dataclasses.replace(packages(tensorflow(listed=False)), family=FAMILY)
    with pytest.raises(Skip, match="has no list of its files") as caught:
        list(intact.judge(unlisted, python()))
    assert caught.value.unknown


def test_damaged_files() -> None:
    (finding,) = intact.judge(facts(damaged=(Damage("keras", "3.1.0", SITE, 900, 3, 1, ("keras/a.py",)),)), python())
    assert finding.message == "keras 3.1.0 has 3 missing and 1 altered of 900 code files: keras/a.py"
    assert finding.severity is None
    assert finding.fix is not None
    assert finding.fix.commands == ("/srv/venv/bin/python -m pip install --force-reinstall --no-deps keras==3.1.0",)
    (edited,) = intact.judge(facts(damaged=(Damage("keras", "3.1.0", SITE, 900, 0, 1, ("keras/a.py",)),)), python())
    assert edited.severity is Severity.WARNING


def test_a_requirement_without_versions_leaves_no_empty_specifier() -> None:
    wanting = tuple(Unmet("tensorflow", "2.21.0", text, "numpy", None) for text in ("numpy<3", "numpy", "numpy>=1.26"))
    found = dataclasses.replace(packages(tensorflow()), family=FAMILY, unmet=wanting)
    (finding,) = requirements.judge(found, python(), load_matrix())
    assert finding.fix is not None
    assert finding.fix.commands == ("/srv/venv/bin/python -m pip install 'numpy<3,>=1.26'",)
