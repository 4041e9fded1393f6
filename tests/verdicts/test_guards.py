"""Conditions on a target: what Python itself would say of the comparison with that release's version string."""

from __future__ import annotations

import pytest

from envcheck.knowledge.api.returns import Returns
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import folder
from envcheck.source.names.uses import Condition
from envcheck.verdicts.code import Library
from envcheck.verdicts.guards import holds
from envcheck.verdicts.names import Names

LIBRARY = Library(folder() / "api")
TF = "tensorflow.__version__"


def on(target: str) -> Names:
    returns = Returns(folder() / "api", LIBRARY.api.shelf)
    return Names(LIBRARY.api, returns, LIBRARY.objects, Target.parse(target))


def answer(condition: Condition, target: str = "tensorflow==2.10.1,keras==2.10.0") -> bool | None:
    return holds(condition, on(target), lambda _: None)


@pytest.mark.parametrize(
    ("form", "sign", "literal", "expected"),
    [
        ("text", ">=", "2.2", False),  # as texts: "2.10.1" < "2.2"
        ("text", "startswith", "2.", True),
        ("text", "holds", "10", True),
        ("text", "in", ("2.10.1", "2.9"), True),
        ("parsed", ">=", "2.2", True),
        ("parsed", "<", "2.10.1", False),
        ("first", "==", "2", True),
        ("major", "<", 2, False),
        ("minor", ">", 9, True),
        ("numbers2", ">=", (2, 10), True),
        ("tuple", "<", (2, 11), True),
        ("prefix3", "==", "2.1", True),
        ("float", ">=", 2.1, True),
        ("major", ">", "2", None),  # Python would raise
        ("no such form", ">", "2", None),
    ],
)
def test_versions_are_compared_as_the_code_does_it(
    form: str, sign: str, literal: object, expected: bool | None
) -> None:
    assert answer(("version", TF, form, sign, literal)) is expected


def test_each_version_is_that_of_its_package() -> None:
    target = "tensorflow==2.16.2,keras==3.3.3"
    assert answer(("version", TF, "text", "==", "2.16.2"), target) is True
    assert answer(("version", "keras.__version__", "major", "==", 3), target) is True
    assert answer(("version", "tensorflow.keras.__version__", "major", "==", 3), target) is True
    assert answer(("version", "keras.__version__", "major", "==", 3), "tensorflow==2.16.2") is None


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("has", "tensorflow.Session"), False),
        (("has", "tensorflow.function"), True),
        (("has", "tensorflow.Session|tensorflow.compat.v1.Session"), True),
        (("failed", ("tensorflow.function", "tensorflow.Session")), True),
        (("failed", ("tensorflow.function",)), False),
        (("never",), False),
        (("opaque",), None),
        (("try",), None),
        (("not", ("opaque",)), None),
        (("and", ("opaque",), ("never",)), False),
        (("and", ("opaque",), ("has", "tensorflow.function")), None),
        (("or", ("opaque",), ("has", "tensorflow.function")), True),
        (("or", ("never",), ("never",)), False),
        (("flag", "@.compat:IS_TF2"), None),
        (("flag", "@.config:verbose"), True),
    ],
)
def test_conditions_are_three_valued(condition: Condition, expected: bool | None) -> None:
    assert answer(condition) is expected


def test_a_flag_of_another_module_is_what_that_module_asks() -> None:
    test = ("version", TF, "major", "<", 2)
    assert holds(("flag", "@.compat:OLD"), on("tensorflow==2.10.1"), lambda _: test) is False
