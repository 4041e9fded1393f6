"""The recorded releases against wheels as they were really installed, read independently of the refresh."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from importlib_metadata import Distribution, PathDistribution, distributions
from packaging.requirements import Requirement
from packaging.version import Version
from real.environments import Release, parameters

from envcheck.knowledge.matrix import load_matrix

pytestmark = pytest.mark.real
ASKED = (
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "tf-keras",
    "tensorflow-estimator",
    "tensorboard",
    "jax",
    "jaxlib",
    "torch",
)
SHARED = ("numpy", "protobuf", "h5py", "ml-dtypes")


def installed(on: Release) -> dict[str, Distribution]:
    """The distributions of a real environment by normalized name."""
    folders = [str(path) for path in on.interpreter().parent.parent.glob("lib/python*/site-packages")]
    found = [each for each in distributions(path=folders) if isinstance(each, PathDistribution)]
    return {re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower(): each for each in found}


def requirements(lines: list[str]) -> set[str]:
    """Requirements as text, those of an extra left out."""
    return {str(Requirement(line)) for line in lines if "extra ==" not in line}


@pytest.mark.parametrize("on", parameters())
def test_what_is_recorded_is_what_the_wheel_says(on: Release) -> None:
    releases = load_matrix().releases
    compared = 0
    for name, distribution in installed(on).items():
        if name not in ASKED or Version(distribution.version).local:
            continue
        record = releases.find(name, Version(distribution.version))
        assert record is not None, f"{name} {distribution.version} is not recorded: make refresh"
        assert record.python == distribution.metadata.get("Requires-Python")
        build = next(
            (each for each in record.builds if any("x86_64" in tag or tag == "any" for tag in each.wheels)), None
        )
        assert requirements(list(record.requirements(build))) == requirements(distribution.requires or [])
        tags = re.findall(r"^Tag: (\S+)", distribution.read_text("WHEEL") or "", re.MULTILINE)
        recorded = {
            (python, one)
            for each in record.builds
            for where, pythons in each.wheels.items()
            for one in where.split(".")
            for python in pythons
        }
        # A wheel may say manylinux_2_12 in itself and manylinux2010 in its name: one of its tags is enough.
        assert any((python, where) in recorded for python, _, where in (tag.split("-") for tag in tags)), tags
        compared += 1
    assert compared


@pytest.mark.parametrize("on", parameters())
def test_the_shared_ones_have_their_release_too(on: Release) -> None:
    found = installed(on)
    releases = load_matrix().releases
    known = {name: releases.find(name, Version(found[name].version)) for name in SHARED if name in found}
    assert known
    assert None not in known.values(), known


@pytest.mark.parametrize("on", parameters("tf2.21", "tf2.15", "tf2.8", "tf2.3", "tf2.16"))
def test_the_extras_are_those_of_the_wheel(on: Release) -> None:
    name, distribution = next(
        (name, each) for name, each in installed(on).items() if name in ("tensorflow", "tensorflow-cpu")
    )
    record = load_matrix().releases.find(name, Version(distribution.version))
    assert record is not None
    declared = {str(Requirement(line.partition(";")[0])) for line in distribution.requires or [] if "and-cuda" in line}
    assert {str(Requirement(each.partition(";")[0])) for each in record.extras.get("and-cuda", ())} == declared


def test_the_build_facts_are_those_that_the_installed_files_tell() -> None:
    """The whole TensorFlow of the 2.16 environment, read as text by the probe, against the record."""
    on = next(each for each in (p.values[0] for p in parameters("tf2.16")))  # type: ignore[attr-defined]
    folder = next(Path(on.interpreter()).parent.parent.glob("lib/python*/site-packages"))
    text = (folder / "tensorflow/python/platform/build_info.py").read_text("utf-8")
    distribution = installed(on)["tensorflow"]
    record = load_matrix().releases.find("tensorflow", Version(distribution.version))
    assert record is not None
    linux = record.builds[0]
    assert f"('cuda_version', '{linux.cuda}')" in text
    assert f"('cudnn_version', '{linux.cudnn}')" in text
    assert f"('cuda_compute_capabilities', {list(linux.capabilities or ())})" in text
