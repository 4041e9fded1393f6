"""Which releases a target is about."""

from __future__ import annotations

import pytest
from packaging.version import Version

from envcheck.errors import UsageError
from envcheck.knowledge.api.answers import Api
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import folder

API = Api(folder() / "api")


def labels(target: str) -> dict[str, list[str]]:
    """The labels of the releases that tell of a target, by book."""
    chosen = Target.parse(target).chosen(API.shelf)
    found = {}
    for title in ("tensorflow", "tensorflow.keras", "keras", "tf_keras"):
        book, mask = API.shelf.book(title), chosen(title)
        if mask:
            found[title] = [label for place, label in enumerate(book.labels) if mask >> place & 1]
    return found


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("tensorflow==2.16.2,keras==3.3.3", Target(Version("2.16.2"), Version("3.3.3"))),
        (" tf-keras == 2.16.0 ", Target(tf_keras=Version("2.16.0"))),
        ("TF_Keras==2.16.0,TF_USE_LEGACY_KERAS=1", Target(tf_keras=Version("2.16.0"), legacy=True)),
        ("tensorflow-cpu==2.15.0.post1", Target(Version("2.15.0.post1"))),
        ("tensorflow==2.16.2,TF_USE_LEGACY_KERAS=0", Target(Version("2.16.2"))),
    ],
)
def test_targets_are_read(text: str, target: Target) -> None:
    assert Target.parse(text) == target
    assert Target.parse(str(target)) == target


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no release"),
        ("TF_USE_LEGACY_KERAS=1", "names no release"),
        ("tensorflow", "none of tensorflow==X"),
        ("torch==2.0", "none of tensorflow==X"),
        ("tensorflow>=2.0", "none of tensorflow==X"),
        ("keras==3,keras==2", "keras stands twice"),
        ("tensorflow==two", "'two' is no version"),
        ("tensorflow==2.*", "'2.*' is no version"),
        ("tensorflow==2." + "1" * 50_000, "is no version"),
        ("tensorflow==2.16.2,TF_USE_LEGACY_KERAS=banana", "it takes 1 or 0"),
    ],
)
def test_what_is_no_target_is_said(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"^--target: .*{said.replace('*', '[*]')}") as caught:
        Target.parse(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("target", "chosen"),
    [
        ("tensorflow==1.15.0", {"tensorflow": ["1.15"], "tensorflow.keras": ["1.15"]}),
        ("tensorflow==1.15.5,keras==2.2.4", {"tensorflow": ["1.15"], "tensorflow.keras": ["1.15"], "keras": ["2.2.4"]}),
        ("tensorflow==2.10.0", {"tensorflow": ["2.10"], "tensorflow.keras": ["2.10"], "keras": ["2.10"]}),
        ("tensorflow==2.16.2,keras==3.2.0", {"tensorflow": ["2.16"], "tensorflow.keras": ["3.2"], "keras": ["3.2"]}),
        (
            "tensorflow==2.16.2,keras==3.3.1",
            {"tensorflow": ["2.16"], "tensorflow.keras": ["3.3.0", "3.3.3"], "keras": ["3.3.0", "3.3.3"]},
        ),
        (
            "tensorflow==2.14.0,tf_keras==2.14.1,TF_USE_LEGACY_KERAS=1",
            {"tensorflow": ["2.14"], "tensorflow.keras": ["2.14"], "keras": ["2.14"], "tf_keras": ["2.14"]},
        ),
        (
            "tensorflow==2.16.2,keras==3.2.0,TF_USE_LEGACY_KERAS=1",
            {"tensorflow": ["2.16"], "keras": ["3.2"], "tf_keras": ["2.16"]},
        ),
        ("tensorflow==2.16.2,keras==2.15.0", {"tensorflow": ["2.16"], "keras": ["2.15"]}),
        ("tensorflow==2.15.0,keras==3.2.0", {"tensorflow": ["2.15"], "keras": ["3.2"]}),
        ("keras==2.0.5", {"keras": ["2.0"]}),
        ("keras==1.2.2", {}),
        ("tensorflow==1.12", {}),
        ("tensorflow==9.9", {}),
    ],
)
def test_releases_that_tell_of_a_target(target: str, chosen: dict[str, list[str]]) -> None:
    assert labels(target) == chosen


def test_without_a_keras_all_keras_3_releases_must_agree() -> None:
    found = labels("tensorflow==2.18.0")
    assert found["keras"][0] == "3.0.0"
    assert found["keras"] == found["tensorflow.keras"]
    assert len(found["keras"]) > 10
