"""The smallest change to what is installed."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from envcheck.knowledge.choice import PLATFORMS, Platform, installable, required
from envcheck.knowledge.matrix import load_matrix
from envcheck.suggestion.fresh import Plan, Wishes, fresh
from envcheck.suggestion.machine import Machine
from envcheck.suggestion.repair import BRINGS, Change, Repair, repair
from envcheck.suggestion.suits import STAND_INS

LINUX = Platform("Linux", "x86_64", "glibc", "2.36")
CPU = Machine("3.11", LINUX)


def consistent(wanted: str, machine: Machine = CPU) -> dict[str, Version]:
    """An environment as TensorFlow's own requirements make it, with what envcheck's set leaves to the installer."""
    found = fresh(load_matrix(), machine, Wishes({"tensorflow": SpecifierSet(wanted)}))
    assert isinstance(found, Plan), found
    installed = {pin.name: Version(pin.version) for pin in found.pins}
    mended = repaired(installed, machine)
    return after(installed, mended, machine)


def repaired(installed: dict[str, Version], machine: Machine = CPU, wanted: str = "") -> Repair:
    wishes = Wishes({"tensorflow": SpecifierSet(wanted)} if wanted else {})
    found = repair(load_matrix(), machine, installed, wishes)
    assert isinstance(found, Repair), found
    return found


def changed(**names: str) -> dict[str, Version]:
    return {name.replace("_", "-"): Version(version) for name, version in names.items()}


def after(installed: dict[str, Version], mended: Repair, machine: Machine = CPU) -> dict[str, Version]:
    """What is installed when the changes are made, with what their own requirements bring along, as pip does it."""
    made = dict(installed)
    for change in mended.changes:
        if change.want is None:
            del made[change.name]
        else:
            made[change.name] = within(change.name, SpecifierSet(change.want))
    for change in mended.changes:
        for release, build in installable(load_matrix(), change.name, machine.python, machine.platform):
            if Version(release.version) == made.get(change.name):
                for name, wanted in required(release, build, machine.python, machine.platform).items():
                    if name not in BRINGS:  # one TensorFlow is there; tensorflow-cpu beside it is the user's own way
                        made.setdefault(name, within(name, wanted))
    return made


def within(name: str, wanted: SpecifierSet) -> Version:
    """The newest recorded release in a range; of what is not recorded, the range's own lower end."""
    releases = [Version(each.version) for each in load_matrix().releases.of(name)]
    ends = [Version(each.version.removesuffix(".*")) for each in wanted if each.operator in (">=", "==", "~=")]
    return max((each for each in releases if wanted.contains(each)), default=max(ends, default=Version("1.0")))


def summary(mended: Repair) -> dict[str, str | None]:
    return {change.name: change.want for change in mended.changes}


@pytest.mark.parametrize("wanted", ["==2.12.*", "==2.15.*", "==2.16.*", "==2.18.*", "==2.20.*", "==2.21.*"])
def test_nothing_to_change(wanted: str) -> None:
    installed = consistent(wanted)
    mended = repaired(installed)
    assert mended.changes == ()
    assert mended.tensorflow == str(installed["tensorflow-cpu"])


def test_numpy_2_under_an_older_tensorflow() -> None:
    mended = repaired({**consistent("==2.15.1"), **changed(numpy="2.2.6")})
    (change,) = mended.changes
    assert (change.name, change.have, mended.tensorflow) == ("numpy", "2.2.6", "2.15.1")
    assert change.want is not None
    assert Version(change.want.removeprefix("==")) in SpecifierSet("<2,>=1.23.5")
    assert change.requirement == f"numpy{change.want}"
    assert "with tensorflow-cpu 2.15.1" in change.reason
    assert "numpy 2 changed" in change.reason


def test_keras_3_under_tensorflow_2_15() -> None:
    mended = repaired({**consistent("==2.15.1"), **changed(keras="3.5.0")})
    assert mended.changes == (
        Change("keras", "3.5.0", "==2.15.0", "tensorflow-cpu 2.15.1 requires keras<2.16,>=2.15.0"),
    )


def test_an_old_protobuf_under_tensorflow_2_20() -> None:
    (change,) = repaired({**consistent("==2.20.0"), **changed(protobuf="4.25.8")}).changes
    assert (change.name, change.have) == ("protobuf", "4.25.8")
    assert change.want is not None
    assert Version(change.want.removeprefix("==")) >= Version("5.28")
    assert "needs the protobuf runtime 5.28" in change.reason


def test_a_new_protobuf_under_tensorflow_2_15() -> None:
    (change,) = repaired({**consistent("==2.15.1"), **changed(protobuf="5.29.5")}).changes
    assert (change.name, change.have) == ("protobuf", "5.29.5")
    assert "requires protobuf" in change.reason


def test_a_distribution_that_is_missing() -> None:
    installed = consistent("==2.20.0")
    del installed["keras"]
    (change,) = repaired(installed).changes
    assert (change.name, change.have, change.reason) == ("keras", None, "tensorflow-cpu 2.20.0 requires it")
    # tensorboard is required and was seen to be dispensable: its absence is a choice.
    installed = consistent("==2.20.0")
    assert "tensorboard" in load_matrix().optional
    installed.pop("tensorboard", None)
    assert repaired(installed).changes == ()


def test_what_comes_with_keras_comes_in_a_version_that_tensorflow_admits() -> None:
    """h5py may be missing, but the newest one that Keras would bring is too new for tensorflow-cpu 2.21.0: h5py<3.15."""
    installed = consistent("==2.21.0")
    del installed["h5py"]
    assert repaired(installed).changes == ()
    del installed["keras"]
    mended = repaired(installed)
    assert sorted(summary(mended)) == ["h5py", "keras"]
    assert Version(str(summary(mended)["h5py"]).removeprefix("==")) < Version("3.15")


def test_what_the_installed_keras_lacks() -> None:
    installed = consistent("==2.20.0")
    del installed["namex"]
    (change,) = repaired(installed).changes
    assert (change.name, change.have) == ("namex", None)
    assert change.reason == f"keras {installed['keras']} requires it"


def test_two_faults_at_once() -> None:
    mended = repaired({**consistent("==2.15.1"), **changed(numpy="2.2.6", keras="3.5.0")})
    assert sorted(summary(mended)) == ["keras", "numpy"]


def test_text_of_another_series() -> None:
    """tensorflow-text requires the TensorFlow of its own series."""
    installed = consistent("==2.18.1")
    installed["tensorflow"] = installed.pop("tensorflow-cpu")
    (change,) = repaired({**installed, **changed(tensorflow_text="2.17.0")}).changes
    assert (change.name, change.have) == ("tensorflow-text", "2.17.0")
    assert change.want in ("==2.18.0", "==2.18.1")
    assert "tensorflow-text 2.17.0 requires tensorflow" in change.reason


def test_the_installed_tensorflow_stays_when_another_is_no_smaller_change() -> None:
    mended = repaired({**consistent("==2.15.1"), **changed(numpy="2.2.6")})
    assert mended.tensorflow == "2.15.1"


def test_one_change_of_tensorflow_instead_of_many() -> None:
    """Everything belongs to 2.20 but TensorFlow itself."""
    installed = consistent("==2.20.0") | changed(tensorflow_cpu="2.12.0")
    mended = repaired(installed)
    assert summary(mended)["tensorflow-cpu"] in ("==2.20.0", "==2.21.0")
    assert "keras" not in summary(mended)


def test_a_range_that_the_user_asks_for() -> None:
    mended = repaired(consistent("==2.15.1"), wanted="==2.20.*")
    assert mended.tensorflow == "2.20.0"
    assert summary(mended)["tensorflow-cpu"] == "==2.20.0"


@pytest.mark.parametrize(
    ("machine", "version", "tensorflow"),
    [
        # Copied there, or the Python was exchanged: no wheel of that release fits.
        (Machine("3.13", LINUX), "2.15.1", "2.21.0"),
        (Machine("3.12", Platform("Linux", "x86_64", "glibc", "2.17")), "2.21.0", "2.20.0"),
        (Machine("3.12", PLATFORMS["macos-x86_64"]), "2.20.0", "2.16.2"),
    ],
)
def test_a_tensorflow_that_cannot_be_there(machine: Machine, version: str, tensorflow: str) -> None:
    name = "tensorflow-cpu" if machine.platform.system == "Linux" else "tensorflow"
    mended = repaired({name: Version(version), **changed(numpy="1.26.4")}, machine)
    assert mended.tensorflow == tensorflow
    assert summary(mended)[name] == f"=={tensorflow}"


@pytest.mark.parametrize("version", ["2.17.0+nv25.2", "2.99.0", "2.22.0rc1"])
def test_a_tensorflow_that_is_not_known(version: str) -> None:
    installed = {"tensorflow": Version(version), **changed(numpy="2.2.6")}
    found = repair(load_matrix(), CPU, installed, Wishes())
    assert isinstance(found, str)
    assert found.startswith(f"tensorflow {version} is not among the releases recorded up to 20")
    assert found.endswith("what belongs to it is unknown")


def test_no_tensorflow_and_nothing_that_could_help() -> None:
    known = load_matrix()
    assert repair(known, CPU, changed(numpy="2.2.6"), Wishes()) == "TensorFlow is not installed"
    installed = changed(tensorflow="2.20.0")
    assert repair(known, Machine("3.14", LINUX), installed, Wishes()) == (
        "no change of versions makes what is installed work on this machine"
    )
    asked = Wishes({"tensorflow": SpecifierSet(">=3")})
    assert isinstance(repair(known, CPU, consistent("==2.20.0"), asked), str)


@pytest.mark.parametrize("platform", ["macos-arm64", "windows-x86_64", "linux-aarch64"])
def test_where_another_distribution_stands_in(platform: str) -> None:
    """On these tensorflow 2.15 is empty and requires tensorflow-macos, tensorflow-intel or tensorflow-cpu-aws."""
    machine = Machine("3.11", PLATFORMS[platform])
    installed = consistent("==2.15.0", machine)
    assert repaired(installed, machine).changes == ()
    (change,) = repaired({**installed, **changed(numpy="2.2.6")}, machine).changes
    assert change.name == "numpy"
    (stand_in,) = [name for name in installed if name in STAND_INS]
    (change,) = repaired({**installed, stand_in: Version("2.14.0")}, machine).changes
    assert (change.name, change.want) == (stand_in, "==2.15.0")
    # A TensorFlow that is whole itself must not meet the files of the other.
    mended = repaired(installed, machine, wanted="==2.20.*")
    assert (summary(mended)["tensorflow"], summary(mended)[stand_in]) == ("==2.20.0", None)


def test_a_distribution_without_a_newer_release_is_replaced() -> None:
    """tensorflow-gpu ended with 2.11: its successor has another name."""
    mended = repaired(changed(tensorflow_gpu="2.8.0"), Machine("3.12", LINUX))
    assert summary(mended)["tensorflow-gpu"] is None
    assert summary(mended)["tensorflow-cpu"] == f"=={mended.tensorflow}" == "==2.21.0"


def some(name: str, *versions: str) -> st.SearchStrategy[tuple[str, Version] | None]:
    return st.none() | st.sampled_from(versions).map(lambda version: (name, Version(version)))


# No shrinking: it takes minutes and the message holds everything.
@settings(max_examples=40, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    python=st.sampled_from(["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"]),
    brings=st.sampled_from(["tensorflow", "tensorflow-cpu"]),
    tensorflow=st.sampled_from(
        ["2.4.4", "2.8.4", "2.12.0", "2.13.1", "2.15.1", "2.16.1", "2.18.1", "2.20.0", "2.21.0"]
    ),
    others=st.tuples(
        some("numpy", "1.19.5", "1.24.3", "1.26.4", "2.0.2", "2.2.6"),
        some("keras", "2.12.0", "2.15.0", "3.0.5", "3.10.0", "3.12.0"),
        some("protobuf", "3.19.6", "3.20.3", "4.25.8", "5.29.5", "6.33.0"),
        some("h5py", "2.10.0", "3.11.0", "3.14.0"),
        some("ml-dtypes", "0.2.0", "0.3.2", "0.5.1"),
        some("tensorflow-text", "2.13.0", "2.15.0", "2.18.0"),
        some("tf-keras", "2.15.1", "2.18.0"),
    ),
)
def test_what_is_repaired_needs_no_repair(
    python: str, brings: str, tensorflow: str, others: tuple[tuple[str, Version] | None, ...]
) -> None:
    """Made once, the changes leave nothing to change, and no error knot is tied."""
    machine = Machine(python, LINUX)
    installed = {brings: Version(tensorflow), **dict(each for each in others if each is not None)}
    mended = repaired(installed, machine)
    made = after(installed, mended, machine)
    again = repaired(made, machine)
    assert again.changes == (), f"{installed} -> {mended.changes} -> {made}"
    version = next(made[name] for name in BRINGS if name in made)
    assert again.tensorflow == str(version)
    knots = load_matrix().hits({**made, "tensorflow": version}, python)
    assert [knot.id for knot in knots if knot.severity == "error"] == []
