"""The newest set for a fresh environment: machines with the answer that the wheels, the GPU and the driver give."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.knowledge.choice import PLATFORMS, Platform, installable, required
from envcheck.knowledge.matrix import load_matrix
from envcheck.suggestion.fresh import SHARED, Nothing, Plan, Wishes, fresh
from envcheck.suggestion.machine import Machine
from envcheck.suggestion.suits import STAND_INS

LINUX = Platform("Linux", "x86_64", "glibc", "2.36")
ARM = Platform("Linux", "aarch64", "glibc", "2.36")
MAC = PLATFORMS["macos-arm64"]
INTEL_MAC = PLATFORMS["macos-x86_64"]
WINDOWS = PLATFORMS["windows-x86_64"]
CUDA12, CUDA11 = "525.60.13", "450.80.02"
"""The oldest Linux drivers for builds with machine code for the GPU (CUDA compatibility guide of NVIDIA)."""


@dataclass(frozen=True)
class Case:
    """One machine: what is installed there, or in what words nothing is; ``because`` is the fact behind it."""

    because: str
    machine: Machine
    pin: str | None = None
    reason: str = ""
    instead: tuple[str, ...] = ()
    tensorflow: str = ""
    also: tuple[str, ...] = ()
    note: str = ""


def cpu(python: str, platform: Platform = LINUX, **more: bool | int) -> Machine:
    return Machine(python, platform, **more)  # type: ignore[arg-type]


def gpu(
    python: str, capability: str | None, driver: str | None, platform: Platform = LINUX, wsl: bool = False
) -> Machine:
    return Machine(python, platform, "gpu", None, capability, driver, wsl=wsl)


def glibc(version: str, machine: str = "x86_64") -> Platform:
    return Platform("Linux", machine, "glibc", version)


CPU = (
    Case("2.21.0 has cp313", cpu("3.13"), "tensorflow-cpu==2.21.0"),
    Case("2.21.0 has cp310", cpu("3.10"), "tensorflow-cpu==2.21.0"),
    Case("2.21.0 dropped Python 3.9", cpu("3.9"), "tensorflow-cpu==2.20.0"),
    Case("2.14 dropped Python 3.8", cpu("3.8"), "tensorflow-cpu==2.13.1"),
    Case("2.11.1 has no cp37 any more, 2.11.0 has", cpu("3.7"), "tensorflow-cpu==2.11.0"),
    Case(
        "nothing has cp314",
        cpu("3.14"),
        reason="no TensorFlow up to 2.21 has a wheel for Python 3.14",
        instead=("Python 3.13: TensorFlow 2.21.0",),
    ),
    Case(
        "no wheel has cp313t",
        cpu("3.13", free_threaded=True),
        reason="free-threaded",
        instead=("the ordinary 64-bit build of Python 3.13: TensorFlow 2.21.0",),
    ),
    Case(
        "no wheel is win32",
        cpu("3.11", WINDOWS, bits=32),
        reason="32-bit",
        instead=("the ordinary 64-bit build of Python 3.11: TensorFlow 2.21.0",),
    ),
    Case("2.21.0 is manylinux_2_27", cpu("3.12", glibc("2.27")), "tensorflow-cpu==2.21.0"),
    Case("2.21.0 is manylinux_2_27, 2.20.0 2_17", cpu("3.12", glibc("2.26")), "tensorflow-cpu==2.20.0"),
    Case("2.20.0 is manylinux_2_17", cpu("3.9", glibc("2.17")), "tensorflow-cpu==2.20.0"),
    Case("2.8.4 was the last manylinux2010, glibc 2.12", cpu("3.8", glibc("2.12")), "tensorflow-cpu==2.8.4"),
    Case(
        "cp311 began with 2.12.0, manylinux_2_17", cpu("3.11", glibc("2.12")), reason="has a wheel for Python 3.11 on"
    ),
    Case(
        "no wheel is musllinux",
        cpu("3.12", Platform("Linux", "x86_64", "musl", "1.2")),
        reason="built for glibc, and this system has musl",
        instead=("Debian or Ubuntu instead of Alpine",),
    ),
    Case("2.21.0 has manylinux_2_27_aarch64", cpu("3.12", ARM), "tensorflow==2.21.0"),
    Case("2.20.0 has manylinux_2_17_aarch64", cpu("3.12", glibc("2.26", "aarch64")), "tensorflow==2.20.0"),
    Case("2.21.0 has macosx_12_0_arm64", cpu("3.12", MAC), "tensorflow==2.21.0"),
    Case("2.13.1 stands for tensorflow-macos 2.13.1, which has no cp38", cpu("3.8", MAC), "tensorflow==2.13.0"),
    Case("before 2.13 Apple's chips had their own", cpu("3.10", MAC), "tensorflow-macos==2.12.0", tensorflow="<2.13"),
    Case(
        "macosx_12_0_arm64 is too new, tensorflow-macos 2.9.2 is macosx_11_0",
        cpu("3.10", Platform("Darwin", "arm64", version="11.7")),
        "tensorflow-macos==2.9.2",
    ),
    Case("2.16.2 was the last macosx x86_64", cpu("3.12", INTEL_MAC), "tensorflow==2.16.2"),
    Case(
        "no macosx x86_64 wheel has cp313",
        cpu("3.13", INTEL_MAC),
        reason="no TensorFlow has a wheel for Python 3.13 on Darwin x86_64",
        instead=("Python 3.12: TensorFlow 2.16.2", "install TensorFlow 2.16"),
    ),
    Case("2.21.0 has win_amd64", cpu("3.12", WINDOWS), "tensorflow==2.21.0"),
    Case("a range", cpu("3.11"), "tensorflow-cpu==2.15.1", tensorflow="==2.15.*"),
    Case(
        "cp312 began with 2.16",
        cpu("3.12"),
        reason="no TensorFlow ==2.15.* installs here; 2.16.1 to 2.21.0 do",
        instead=("Python 3.11: TensorFlow 2.15.1",),
        tensorflow="==2.15.*",
    ),
    Case("a range that nothing is in", cpu("3.12"), reason="no TensorFlow >=3", tensorflow=">=3"),
)
GPU = (
    Case(
        "[and-cuda] of 2.21.0 finds no libcusolver; 2.20.0 has SASS 9.0",
        gpu("3.12", "9.0", "550.54.14"),
        "cuda==2.20.0",
    ),
    Case("2.20.0 has cp313", gpu("3.13", "9.0", "550.54.14"), "cuda==2.20.0"),
    Case("SASS 8.0 runs on 8.6", gpu("3.12", "8.6", "535.104.05"), "cuda==2.20.0"),
    Case("exactly the floor of CUDA 12", gpu("3.12", "8.0", CUDA12), "cuda==2.20.0"),
    Case("nothing known of GPU and driver forbids nothing", gpu("3.12", None, None), "cuda==2.20.0"),
    Case("an older glibc has 2.20.0 too", gpu("3.9", "8.9", "550.54.14", glibc("2.17")), "cuda==2.20.0"),
    Case(
        "cuDNN 9.11 dropped what is older than 7.5",
        gpu("3.12", "6.1", "535.104.05"),
        "cuda==2.20.0",
        also=("nvidia-cudnn-cu12==9.10.2.21",),
    ),
    Case("the same for 7.0", gpu("3.12", "7.0", "550.54.14"), "cuda==2.20.0", also=("nvidia-cudnn-cu12==9.10.2.21",)),
    Case("SASS 5.x ended with 2.16", gpu("3.12", "5.2", "535.104.05"), "cuda==2.16.2"),
    Case(
        "and 2.16 has no cp313",
        gpu("3.13", "5.2", "535.104.05"),
        reason="its kernels are for compute capability 6.0 and newer, and this GPU has 5.2",
        instead=("Python 3.12: TensorFlow 2.16.2", "run on the CPU: TensorFlow 2.21.0"),
    ),
    Case("below the floor of CUDA 12: 2.14.1 is for 11.8", gpu("3.10", "8.0", "470.57.02"), "cuda==2.14.1"),
    Case("exactly the floor of CUDA 11", gpu("3.10", "8.0", CUDA11), "cuda==2.14.1"),
    Case(
        "and with cp312 every release is for CUDA 12",
        gpu("3.12", "8.0", "470.57.02"),
        reason=f"needs the NVIDIA driver {CUDA12} or newer, and here is 470.57.02",
        instead=(f"update the NVIDIA driver to {CUDA12}: then TensorFlow 2.20.0", "Python 3.11: TensorFlow 2.14.1"),
    ),
    Case("no release of Python 3.11 is for less than CUDA 11", gpu("3.11", "8.0", "440.33"), reason="here is 440.33"),
    Case("SASS 3.5 runs on 3.7 until 2.14", gpu("3.10", "3.7", "470.57.02"), "cuda==2.14.1"),
    Case(
        "and no driver helps with cp312, for 2.16 begins at 5.0",
        gpu("3.12", "3.7", "470.57.02"),
        reason="TensorFlow 2.21.0 is the newest that installs here, and ",
        instead=("Python 3.11: TensorFlow 2.14.1", "run on the CPU"),
    ),
    Case("9.0 by PTX 8.0 of 2.14.1: the driver of CUDA 11.8", gpu("3.10", "9.0", "520.61.05"), "cuda==2.14.1"),
    Case(
        "an older one cannot compile it, and SASS 9.0 is CUDA 12",
        gpu("3.11", "9.0", "515.43.04"),
        reason="here is 515.43.04",
        instead=(f"update the NVIDIA driver to {CUDA12}: then TensorFlow 2.20.0",),
    ),
    Case("10.0 by PTX 9.0 of 2.20.0: the driver of CUDA 12.5", gpu("3.12", "10.0", "555.42.02"), "cuda==2.20.0"),
    Case("and the driver of CUDA 12.3 for that of 2.17.1", gpu("3.12", "10.0", "550.54.14"), "cuda==2.17.1"),
    Case("and of CUDA 12.2 for PTX 8.0 of 2.15.1", gpu("3.11", "10.0", "535.54.03"), "cuda==2.15.1"),
    Case(
        "compute capability 12.0: users report failing PTX",
        gpu("3.12", "12.0", "575.51.03"),
        reason="CUDA_ERROR_INVALID_PTX",
        instead=("container nvcr.io/nvidia/tensorflow", "run on the CPU: TensorFlow 2.21.0"),
    ),
    Case(
        "no extra before 2.14",
        gpu("3.8", "8.0", "550.54.14"),
        "tensorflow==2.13.1",
        note="install CUDA 11.8 and cuDNN 8.6 yourself",
    ),
    Case(
        "2.10.1 was the last win_amd64 wheel with CUDA",
        gpu("3.10", "8.6", "527.41", WINDOWS),
        "tensorflow==2.10.1",
        note="install CUDA 11.2 and cuDNN 8.1 yourself",
    ),
    Case(
        "2.10.1 has no cp312",
        gpu("3.12", "8.6", "527.41", WINDOWS),
        reason="2.10 was the last release that uses a GPU on native Windows",
        instead=("Python 3.10: TensorFlow 2.10.1", "WSL2", "run on the CPU: TensorFlow 2.21.0"),
    ),
    Case("WSL2 takes Linux wheels and Windows drivers", gpu("3.12", "8.6", "527.41", wsl=True), "cuda==2.20.0"),
    Case(
        "WSL2: fine on Linux, below Windows' floor", gpu("3.12", "8.6", "526.00", wsl=True), reason="driver 527.41 or"
    ),
    Case(
        "no aarch64 wheel has CUDA",
        gpu("3.12", "9.0", "550.54.14", ARM),
        reason="the wheels for Linux aarch64 are built without CUDA",
        instead=("nvcr.io/nvidia/tensorflow", "run on the CPU: TensorFlow 2.21.0"),
    ),
    Case("nor has a Mac", gpu("3.12", None, None, MAC), reason="NVIDIA GPUs only", instead=("run on the CPU",)),
)


@pytest.mark.parametrize("case", CPU + GPU, ids=lambda case: case.because)
def test_machines(case: Case) -> None:
    ranges = {"tensorflow": SpecifierSet(case.tensorflow)} if case.tensorflow else {}
    found = fresh(load_matrix(), case.machine, Wishes(ranges))
    if case.pin is None:
        assert isinstance(found, Nothing), found
        assert case.reason in found.reason
        for words in case.instead:
            assert any(words in each for each in found.instead), found.instead
        return
    assert isinstance(found, Plan), found
    pins = [str(pin) for pin in found.pins]
    assert pins[0] == case.pin.replace("cuda==", "tensorflow[and-cuda]==")
    assert [pin for pin in pins if pin.startswith("nvidia-")] == list(case.also)
    assert case.note in "; ".join(found.notes)
    assert bool(found.notes) is bool(case.note)


def test_what_cannot_help_is_not_said() -> None:
    known = load_matrix()
    kepler = fresh(known, gpu("3.12", "3.7", "470.57.02"), Wishes())
    assert isinstance(kepler, Nothing)
    assert not any("driver" in each for each in kepler.instead)
    nowhere = fresh(known, cpu("3.12"), Wishes({"tensorflow": SpecifierSet(">=3")}))
    assert isinstance(nowhere, Nothing)
    assert nowhere.instead == ()


def versions(found: Plan | Nothing) -> dict[str, str]:
    assert isinstance(found, Plan), found
    return {pin.name: pin.version for pin in found.pins}


def test_the_set_around_tensorflow() -> None:
    """tensorflow-cpu 2.15.1 requires keras<2.16,>=2.15.0, numpy<2 and protobuf<5; ml-dtypes~=0.3.1 since 2.15.1."""
    found = versions(fresh(load_matrix(), cpu("3.11"), Wishes({"tensorflow": SpecifierSet("==2.15.1")})))
    assert found["keras"] == "2.15.0"
    assert Version("1.23.5") <= Version(found["numpy"]) < Version("2")
    assert Version("3.20.3") <= Version(found["protobuf"]) < Version("5")
    assert set(found) == {"tensorflow-cpu", "keras", *SHARED}


def test_ranges_of_the_user() -> None:
    known = load_matrix()
    asked = {"keras": SpecifierSet("<3.11"), "numpy": SpecifierSet("<2.1"), "tensorflow": SpecifierSet("==2.20.*")}
    found = versions(fresh(known, cpu("3.12"), Wishes(asked)))
    assert Version(found["keras"]) in SpecifierSet("<3.11,>=3.10")
    assert Version(found["numpy"]) in SpecifierSet("<2.1,>=1.26")
    # TensorFlow 2.16 was the first with Keras 3: an older Keras takes the whole set back.
    assert versions(fresh(known, cpu("3.11"), Wishes({"keras": SpecifierSet("<3")})))["tensorflow-cpu"] == "2.15.1"
    none = fresh(known, cpu("3.12"), Wishes({"keras": SpecifierSet("<3")}))
    assert isinstance(none, Nothing)
    assert "no release of keras" in none.reason
    assert any("Python 3.11: TensorFlow 2.15.1" in each for each in none.instead)


def test_distributions_that_are_bound_to_a_series_come_along() -> None:
    known = load_matrix()
    text = versions(fresh(known, cpu("3.11"), Wishes({"tensorflow-text": SpecifierSet()})))
    assert Version(text["tensorflow-text"]).release[:2] == Version(text["tensorflow"]).release[:2]
    assert "tensorflow-cpu" not in text  # tensorflow-text requires the distribution called tensorflow
    legacy = versions(fresh(known, cpu("3.11"), Wishes({"tensorflow": SpecifierSet("==2.18.*")}, legacy_keras=True)))
    assert (legacy["tensorflow"], Version(legacy["tf-keras"]).release[:2]) == ("2.18.1", (2, 18))


RANGES = ("", "<2.3", "<2.12", "==2.13.*", "==2.14.*", "==2.15.*", ">=2.12,<2.16", "==2.16.*", "==2.20.*", ">=2.18")


@settings(max_examples=80, deadline=None)
@given(
    python=st.integers(7, 14).map("3.{}".format),
    platform=st.sampled_from([*PLATFORMS.values(), LINUX, glibc("2.17"), glibc("2.12"), ARM]),
    wanted=st.sampled_from(RANGES),
    device=st.sampled_from(["cpu", "gpu"]),
    numpy=st.sampled_from([None, "<2", ">=2", "<1.24"]),
)
def test_whatever_is_suggested_belongs_together(
    python: str, platform: Platform, wanted: str, device: str, numpy: str | None
) -> None:
    """Every requirement of TensorFlow and of Keras holds, no error knot is tied, every pin installs there."""
    known = load_matrix()
    ranges = {"tensorflow": SpecifierSet(wanted)} | ({} if numpy is None else {"numpy": SpecifierSet(numpy)})
    found = fresh(known, Machine(python, platform, device), Wishes(ranges))
    if isinstance(found, Nothing):
        assert found.reason
        if device == "cpu" and numpy is None:  # then no wheel in the range fits
            whole = [each for each, build in installable(known, "tensorflow", python, platform) if build]
            assert not any(SpecifierSet(wanted).contains(each.version) for each in whole)
        return
    chosen = {pin.name: Version(pin.version) for pin in found.pins}
    brought = {**chosen, "tensorflow": Version(found.pins[0].version)}
    assert brought["tensorflow"] in SpecifierSet(wanted)
    assert numpy is None or chosen["numpy"] in SpecifierSet(numpy)
    assert [knot.id for knot in known.hits(brought, python) if knot.severity == "error"] == []
    waiting = [(found.pins[0].name, found.pins[0].version)]
    waiting += [("keras", pin.version) for pin in found.pins if pin.name == "keras"]
    for name, version in waiting:
        there = {release.version: (release, build) for release, build in installable(known, name, python, platform)}
        assert version in there
        needs = required(*there[version], python, platform)
        waiting += [(other, version) for other in needs if other in STAND_INS]
        for other, specifier in needs.items():
            if other in chosen:
                assert specifier.contains(chosen[other], prereleases=True), (
                    f"{name} {version} requires {other}{specifier}"
                )
            else:
                assert other not in ("keras", *SHARED), f"{name} {version} requires {other}, which is not pinned"
    for pin in found.pins[1:]:
        assert pin.version in [
            release.version for release, _ in installable(known, pin.name, python, platform)
        ] or pin.name.startswith("nvidia-")
        assert pin.reason
