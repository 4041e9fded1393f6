"""The recorded releases: whole, sorted, small; and what a question about one answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.errors import EnvcheckError
from envcheck.knowledge.matrix import load_matrix
from envcheck.knowledge.releases import Releases
from envcheck.knowledge.rows import folder, read

MATRIX = load_matrix()
NAMES = sorted(row["name"] for row in read(folder() / "distributions.yaml"))
LARGEST = 2 << 20


def test_every_distribution_that_is_wanted_is_recorded() -> None:
    assert sorted(MATRIX.releases.names()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_releases_stand_once_each_and_oldest_first(name: str) -> None:
    versions = [Version(release.version) for release in MATRIX.releases.of(name)]
    assert versions
    assert versions == sorted(set(versions))
    assert len({version.is_prerelease for version in versions}) == 1  # pre-releases only where there is nothing else


@pytest.mark.parametrize("name", NAMES)
def test_a_file_has_one_record_per_line(name: str) -> None:
    lines = (folder() / "releases" / f"{name}.json").read_text("utf-8").splitlines()
    assert (lines[0], lines[-1]) == ("[", "]")
    for line in lines[1:-1]:
        assert json.loads(line.removesuffix(","))["version"]


@pytest.mark.parametrize("name", NAMES)
def test_every_release_can_be_installed_from_something(name: str) -> None:
    for release in MATRIX.releases.of(name):
        assert release.sdist or any(build.wheels for build in release.builds), release.version
        if release.python:
            SpecifierSet(release.python)


@pytest.mark.parametrize("name", ["tensorflow", "keras", "tf-keras", "tensorflow-cpu"])
def test_every_requirement_parses(name: str) -> None:
    for release in MATRIX.releases.of(name):
        for text in release.requires or ():
            try:
                Requirement(text)
            except InvalidRequirement as error:
                pytest.fail(f"{name} {release.version}: {error}")


def test_every_series_has_its_releases_and_every_release_its_series() -> None:
    released = {".".join(release.version.split(".")[:2]) for release in MATRIX.releases.of("tensorflow")}
    assert released == {row.series for row in MATRIX.rows}


def test_a_series_has_the_pythons_of_its_wheels() -> None:
    for row in MATRIX.rows:
        tags = {
            tag
            for release in MATRIX.releases.of("tensorflow")
            if release.version.startswith(f"{row.series}.") and release.yanked is None
            for build in release.builds
            for where, pythons in build.wheels.items()
            if "linux" in where and "x86_64" in where
            for tag in pythons
        }
        assert {f"cp{python.replace('.', '')}" for python in row.python} <= tags, row.series


def test_well_known_releases() -> None:
    """Facts that can be looked up: the tags of the wheels and the notes of the releases."""
    find = MATRIX.releases.find
    assert find("tensorflow", Version("2.16.0")) is None  # was never released
    newest = find("tensorflow", Version("2.21.0"))
    assert newest is not None
    assert newest.builds[0].cuda == "12.5.1"
    assert newest.builds[0].capabilities == ("sm_60", "sm_70", "sm_80", "sm_89", "compute_90")
    assert (newest.builds[0].sonames or {})["cusolver"] == "libcusolver.so.11"
    assert "and-cuda" in newest.extras
    yanked = find("tf-keras", Version("2.20.0"))
    assert yanked is not None
    assert yanked.yanked is not None
    one = find("tensorflow", Version("1.15.5"))
    assert one is not None
    assert one.builds[0].cuda is None  # the package called tensorflow was without CUDA again from 1.15.2 on
    assert find("tensorflow", Version("2.17.0+nv25.2")) is None
    assert find("tensorflow", Version("2.15.0.post1")) is not None
    assert find("no-such-distribution", Version("1.0")) is None


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "keras.json").write_text("broken", "utf-8")
    (tmp_path / "torch.json").write_text('[\n{"version":"2.0"}\n]\n', "utf-8")
    releases = Releases(tmp_path)
    assert [release.version for release in releases.of("torch")] == ["2.0"]
    with pytest.raises(EnvcheckError, match=r"damaged: keras\.json: "):
        releases.of("keras")


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '[{"version":1}]', '[{"version":"1","builds":3}]', "[" * 100_000, "\xff"]
)
def test_damage_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(EnvcheckError, match=r"x\.json"):
        Releases(tmp_path).of("x")


def test_the_data_is_small() -> None:
    files = [path for path in folder().rglob("*") if path.is_file() and "api" not in path.relative_to(folder()).parts]
    assert sum(path.stat().st_size for path in files) <= LARGEST
