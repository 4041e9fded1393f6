"""Which wheels fit where, and which release is the newest that installs."""

from __future__ import annotations

from typing import Any

import pytest
from literals import Given
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.knowledge.choice import PLATFORMS, Platform, forbidden, installable, newest, required
from envcheck.knowledge.knots import Knot
from envcheck.knowledge.matrix import Matrix, load_matrix
from envcheck.knowledge.releases import Build, Release, Releases
from envcheck.knowledge.rows import Source

LINUX = Platform("Linux", "x86_64", "glibc", "2.31")
ANY = Build({"any": ("py3",)})
SOURCE = Source("knots.yaml", 1, "measured", "2026-11-20", ("literal",))


class Told(Releases):
    """Just these releases of one distribution, oldest first."""

    def __init__(self, *releases: Release) -> None:
        self.told = releases

    def of(self, name: str) -> tuple[Release, ...]:
        return self.told if name == "thing" else ()


def matrix(*releases: Release, knots: tuple[Knot, ...] = ()) -> Matrix:
    made = Matrix(Given({"knots": knots}))
    made.releases = Told(*releases)
    return made


def release(version: str, *builds: Build, **more: Any) -> Release:
    return Release(version, builds=builds or (ANY,), **more)


def versions(matrix: Matrix, python: str = "3.12", platform: Platform = LINUX) -> list[str]:
    return [release.version for release, _ in installable(matrix, "thing", python, platform)]


def glibc(version: str | None, machine: str = "x86_64") -> Platform:
    return Platform("Linux", machine, "glibc", version)


def mac(machine: str, version: str | None) -> Platform:
    return Platform("Darwin", machine, version=version)


@pytest.mark.parametrize(
    ("tags", "platform", "fits"),
    [
        # glibc floors: manylinux1 is glibc 2.5, 2010 is 2.12, 2014 is 2.17 (PEP 513, 571, 599), since PEP 600 in the name
        ("manylinux1_x86_64", glibc("2.5"), True),
        ("manylinux1_x86_64", glibc("2.4"), False),
        ("manylinux2010_x86_64", glibc("2.12"), True),
        ("manylinux2010_x86_64", glibc("2.11"), False),
        ("manylinux2014_x86_64", glibc("2.17"), True),
        ("manylinux2014_x86_64", glibc("2.12"), False),
        ("manylinux_2_27_x86_64", glibc("2.27"), True),
        ("manylinux_2_27_x86_64", glibc("2.26"), False),
        ("manylinux_2_27_x86_64", glibc("2.9"), False),  # 9 is less than 27: numbers, no decimals
        ("manylinux_2_27_x86_64", glibc("3.0"), True),
        ("manylinux_2_27_x86_64", glibc(None), True),  # not known forbids nothing
        ("manylinux_2_17_x86_64.manylinux2014_x86_64", glibc("2.17"), True),
        ("manylinux_2_28_x86_64.manylinux2014_x86_64", glibc("2.17"), True),  # one of the tags is enough
        ("manylinux2014_x86_64", glibc("2.36", "aarch64"), False),
        ("manylinux2014_aarch64", glibc("2.36", "aarch64"), True),
        ("manylinux2014_i686", glibc("2.36"), False),
        ("linux_x86_64", glibc("2.5"), True),
        ("linux_armv7l", glibc("2.36"), False),
        # musl and glibc do not run each other's wheels
        ("manylinux2014_x86_64", Platform("Linux", "x86_64", "musl", "1.2"), False),
        ("musllinux_1_2_x86_64", Platform("Linux", "x86_64", "musl", "1.2"), True),
        ("musllinux_1_2_x86_64", Platform("Linux", "x86_64", "musl", "1.1"), False),
        ("musllinux_1_1_x86_64", glibc("2.36"), False),
        ("musllinux_1_1_x86_64", Platform("Linux", "x86_64"), False),  # glibc is what Linux has unless told otherwise
        ("manylinux2014_x86_64", Platform("Linux", "x86_64"), True),
        # macOS: a newer system runs what was built for an older one
        ("macosx_10_15_x86_64", mac("x86_64", "10.15"), True),
        ("macosx_10_15_x86_64", mac("x86_64", "10.14"), False),
        ("macosx_10_15_x86_64", mac("x86_64", "11.0"), True),
        ("macosx_12_0_arm64", mac("arm64", "11.7"), False),
        ("macosx_12_0_arm64", mac("arm64", "12"), True),
        ("macosx_12_0_arm64", mac("arm64", None), True),
        ("macosx_12_0_arm64", mac("x86_64", "14.0"), False),
        ("macosx_10_15_x86_64", mac("arm64", "14.0"), False),  # Rosetta needs an Intel Python, which then says x86_64
        ("macosx_11_0_universal2", mac("arm64", "14.0"), True),
        ("macosx_10_9_universal2", mac("x86_64", "14.0"), True),
        ("macosx_10_6_intel", mac("x86_64", "10.15"), True),
        ("macosx_10_6_intel", mac("arm64", "14.0"), False),
        ("macosx_12_0_arm64", glibc("2.36", "arm64"), False),
        # Windows
        ("win_amd64", Platform("Windows", "AMD64"), True),
        ("win_amd64", Platform("Windows", "x86_64"), True),
        ("win_amd64", Platform("Windows", "ARM64"), False),
        ("win_arm64", Platform("Windows", "ARM64"), True),
        ("win32", Platform("Windows", "x86"), True),
        ("win32", Platform("Windows", "AMD64"), False),
        ("win_amd64", glibc("2.36"), False),
        ("manylinux2014_x86_64", Platform("Windows", "AMD64"), False),
        # Anywhere, and what is nothing
        ("any", Platform("FreeBSD", "amd64"), True),
        ("any", Platform("Windows", "ARM64"), True),
        ("manylinux2014_x86_64", Platform("FreeBSD", "x86_64"), False),
        ("", glibc("2.36"), False),
        ("manylinux_x_x86_64", glibc("2.36"), False),
    ],
)
def test_platform_tags(tags: str, platform: Platform, fits: bool) -> None:
    assert platform.fits(tags) is fits


@pytest.mark.parametrize(
    ("tag", "pythons"),
    [
        ("cp312", {"3.12"}),
        ("cp38", {"3.8"}),
        ("cp310", {"3.10"}),
        ("py3", {"3.8", "3.10", "3.12", "3.13"}),
        ("py310", {"3.10", "3.12", "3.13"}),
        ("cp38-abi3", {"3.8", "3.10", "3.12", "3.13"}),
        ("cp310-abi3", {"3.10", "3.12", "3.13"}),
        ("cp313t", set()),  # the free-threaded build has an interface of its own
        ("cp27", set()),
        ("py2", set()),
        ("pp310", set()),  # PyPy
        ("cp3", set()),
    ],
)
def test_python_tags(tag: str, pythons: set[str]) -> None:
    known = matrix(release("1.0", Build({"any": (tag,)})))
    assert {python for python in ("3.8", "3.10", "3.12", "3.13") if versions(known, python)} == pythons


def test_a_wheel_for_python_2_and_3() -> None:
    assert versions(matrix(release("1.0", Build({"any": ("py2", "py3")})))) == ["1.0"]


@pytest.mark.parametrize(
    ("wanted", "python", "fits"),
    [
        (None, "3.12", True),
        (">=3.9", "3.9", True),
        (">=3.9", "3.8", False),
        (">=3.9,<3.12", "3.11", True),
        (">=3.9,<3.12", "3.12", False),
        (">=3.9,!=3.9.7", "3.9", True),  # one patch release less leaves the series
        ("!=3.9.*", "3.9", False),
        (">=3.11.4", "3.11", True),
        ("<3.11.4", "3.11", True),
        ("==3.12.*", "3.12", True),
        (">=3.13", "3.12", False),
    ],
)
def test_requires_python(wanted: str | None, python: str, fits: bool) -> None:
    assert versions(matrix(release("1.0", python=wanted)), python) == (["1.0"] if fits else [])


def test_newest_first_and_yanked_left_out() -> None:
    known = matrix(
        release("1.0"), release("1.1", yanked="broken on Windows"), release("1.2", yanked=""), release("1.10")
    )
    assert versions(known) == ["1.10", "1.0"]


def test_the_build_that_fits_is_given() -> None:
    linux = Build({"manylinux2014_x86_64": ("cp312",)}, cuda="12.5")
    mac = Build({"macosx_12_0_arm64": ("cp312",)})
    known = matrix(release("1.0", linux, mac))
    assert [build for _, build in installable(known, "thing", "3.12", LINUX)] == [linux]
    assert [build for _, build in installable(known, "thing", "3.12", PLATFORMS["macos-arm64"])] == [mac]
    assert versions(known, "3.12", PLATFORMS["windows-x86_64"]) == []
    assert versions(known, "3.11") == []


def test_a_source_archive_counts_only_where_there_are_no_wheels_at_all() -> None:
    alone = Release("1.0", sdist=True)
    assert installable(matrix(alone), "thing", "3.12", LINUX) == ((alone, None),)
    assert versions(matrix(Release("1.0"))) == []  # nothing to download
    # A release with wheels elsewhere could be built here only with a compiler: not offered.
    other = release("1.0", Build({"win_amd64": ("cp312",)}), sdist=True)
    assert versions(matrix(other)) == []


def test_the_newest_within_a_range() -> None:
    known = matrix(*(release(version) for version in ("1.0", "1.1", "2.0rc1", "2.0")))

    def found(wanted: str) -> str | None:
        chosen = newest(known, "thing", SpecifierSet(wanted), "3.12", LINUX)
        return chosen.version if chosen else None

    assert found("") == "2.0"
    assert found("<2") == "1.1"
    assert found("==1.0") == "1.0"
    assert found(">2") is None
    assert newest(known, "other", SpecifierSet(), "3.12", LINUX) is None


def knot(severity: str, **when: str) -> Knot:
    return Knot("test", when, severity, "it fails", "change it", SOURCE)  # type: ignore[arg-type]


def test_a_knot_keeps_a_version_out() -> None:
    releases = (release("1.0"), release("2.0"))
    beside = {"tensorflow": Version("2.15.1")}

    def found(*knots: Knot, python: str = "3.12") -> str | None:
        chosen = newest(matrix(*releases, knots=knots), "thing", SpecifierSet(), python, LINUX, beside)
        return chosen.version if chosen else None

    assert found() == "2.0"
    assert found(knot("error", tensorflow="<2.18", thing=">=2")) == "1.0"
    assert found(knot("error", tensorflow="<2.15", thing=">=2")) == "2.0"
    assert found(knot("error", tensorflow="<2.18", thing=">=1")) is None
    assert found(knot("warning", tensorflow="<2.18", thing=">=2")) == "2.0"  # a warning forbids nothing
    assert found(knot("error", tensorflow="<2.18", keras=">=3", thing=">=2")) == "2.0"  # keras is not there
    assert found(knot("error", thing=">=2", python=">=3.12")) == "1.0"
    assert found(knot("error", thing=">=2", python=">=3.12"), python="3.11") == "2.0"
    # A knot between the others is not this distribution's fault.
    assert found(knot("error", tensorflow="<2.18")) == "2.0"


def test_a_recorded_knot() -> None:
    known = load_matrix()
    assert forbidden(known, "numpy", Version("2.2.6"), "3.11", {"tensorflow": Version("2.15.1")})
    assert not forbidden(known, "numpy", Version("1.26.4"), "3.11", {"tensorflow": Version("2.15.1")})
    assert not forbidden(known, "numpy", Version("2.2.6"), "3.11", {"tensorflow": Version("2.19.0")})


def wants(*lines: str, python: str = "3.12", platform: Platform = LINUX) -> dict[str, str]:
    found = required(Release("1.0", requires=lines), None, python, platform)
    return {name: str(specifier) for name, specifier in found.items()}


def test_requirements_and_their_markers() -> None:
    assert wants("numpy>=1.26", "Typing_Extensions>=3.6") == {"numpy": ">=1.26", "typing-extensions": ">=3.6"}
    assert wants("numpy>=1.26", "numpy<2") == {"numpy": "<2,>=1.26"}
    assert wants('wheel<1; python_version >= "3.10"', python="3.9") == {}
    assert wants('wheel<1; python_version >= "3.10"', python="3.10") == {"wheel": "<1"}
    mac = 'tensorflow-macos==2.15.0; platform_system == "Darwin" and platform_machine == "arm64"'
    assert wants(mac) == {}
    assert wants(mac, platform=PLATFORMS["macos-x86_64"]) == {}
    assert wants(mac, platform=PLATFORMS["macos-arm64"]) == {"tensorflow-macos": "==2.15.0"}
    windows = 'thing; sys_platform == "win32" and os_name == "nt"'
    assert wants(windows, platform=PLATFORMS["windows-x86_64"]) == {"thing": ""}
    assert wants(windows) == {}
    assert wants("thing; implementation_name == 'cpython'") == {"thing": ""}
    assert wants("thing; extra == 'dev'") == {}
    assert wants("no requirement at all <<") == {}


def test_requirements_of_a_build_and_of_an_extra() -> None:
    build = Build({"any": ("py3",)}, requires=("keras>=3",), extras={"and-cuda": ("nvidia-cudnn-cu12>=9.3",)})
    whole = Release("1.0", requires=("numpy",), extras={"and-cuda": ("nvidia-cudnn-cu12==8.9.4.25",)}, builds=(build,))
    assert set(required(whole, None, "3.12", LINUX)) == {"numpy"}
    assert set(required(whole, build, "3.12", LINUX)) == {"keras"}
    assert str(required(whole, None, "3.12", LINUX, "and-cuda")["nvidia-cudnn-cu12"]) == "==8.9.4.25"
    assert str(required(whole, build, "3.12", LINUX, "and-cuda")["nvidia-cudnn-cu12"]) == ">=9.3"
    assert required(whole, build, "3.12", LINUX, "other") == {}


@pytest.mark.parametrize("name", ["tensorflow", "tensorflow-cpu", "keras", "tf-keras"])
def test_every_line_of_tensorflow_and_keras_parses(name: str) -> None:
    seen = 0
    for release in load_matrix().releases.of(name):
        for lines in (release.requirements(), *(build.requires or () for build in release.builds)):
            for line in lines:
                requirement = Requirement(line)
                assert requirement.marker is None or requirement.marker.evaluate(LINUX.markers("3.12")) is not None
                seen += 1
    assert seen > 50 or name in ("keras", "tf-keras")


def test_the_named_platforms_take_the_newest_tensorflow_that_was_made_for_them() -> None:
    """Wheel tags: 2.21.0 has none for an Intel Mac, for which 2.16.2 was the last."""
    known = load_matrix()
    found = {}
    for name, platform in PLATFORMS.items():
        chosen = newest(known, "tensorflow", SpecifierSet(), "3.12", platform)
        found[name] = chosen.version if chosen else None
    last = known.releases.of("tensorflow")[-1].version
    assert found == {**dict.fromkeys(PLATFORMS, last), "macos-x86_64": "2.16.2"}
